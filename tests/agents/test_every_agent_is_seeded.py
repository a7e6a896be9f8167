"""What an agent's seed decides: where its environments begin and what they draw, each copy for itself."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import BANDITS, DEEP, GAUSSIAN, LEARNERS, LINEAR, acts_in, known, make
from gymnasium import spaces

from rlcourse.core import seeds

ID = "rlcourse-test/Drawn-v0"


class Drawn(gym.Env):
    """Shows random numbers, and remembers what it has shown."""

    shown: list = []  # by all copies, in the order in which they were made

    def __init__(self, action_space: spaces.Space, numbered: bool = False) -> None:
        self.action_space = action_space
        self.observation_space = spaces.Discrete(1000) if numbered else spaces.Box(0, 1, (2,))
        self.mine: list = []
        Drawn.shown.append(self.mine)

    def _seen(self):
        seen = self.np_random.random(2).astype(np.float32)
        self.mine.append(float(seen[0]))
        return int(1000 * seen[0]) if isinstance(self.observation_space, spaces.Discrete) else seen

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def step(self, action):
        self.t += 1
        return self._seen(), float(self.np_random.random()), False, self.t == 5, {}


@pytest.fixture(autouse=True)
def registered():
    gym.register(ID, Drawn)
    yield
    del gym.registry[ID]


def lived(name: str, seed: int) -> list[list[float]]:
    """Return what each copy of an agent's environment has shown while it learned."""
    Drawn.shown = []
    box = name in GAUSSIAN or (name in DEEP and not acts_in(name, spaces.Discrete))
    env = gym.make(ID, action_space=spaces.Box(-1, 1, (1,)) if box else spaces.Discrete(2), numbered=name in LEARNERS)
    make(name, env, seed=seed, **known(name, n_envs=2)).learn(24)
    return [shown for shown in Drawn.shown if shown]


@pytest.mark.parametrize("name", [name for name in [*LEARNERS, *LINEAR, *GAUSSIAN, *DEEP] if name not in BANDITS])
def test_environments_of_two_seeds_begin_differently_and_of_one_alike(name):
    first, again, other = lived(name, 1), lived(name, 1), lived(name, 2)
    assert first == again
    beginnings = [shown[0] for shown in (*first, *other)]
    assert len(set(beginnings)) == len(beginnings), "copies of one agent, or agents of two seeds, begin alike"
    assert len(first) == (2 if name in DEEP else 1)
    for shown in first:
        assert len(set(shown)) == len(shown), "an episode is like another: something was seeded again"


def test_children_of_a_seed_are_streams_of_their_own():
    streams = [[float(number) for number in rng.random(4)] for rng in seeds.spawn(7, 5)]
    assert len({tuple(numbers) for numbers in streams}) == 5
    assert streams == [[float(number) for number in rng.random(4)] for rng in seeds.spawn(7, 5)]
    assert streams[:2] == [[float(number) for number in rng.random(4)] for rng in seeds.spawn(7, 2)], "a child does not depend on how many"
    assert streams[0] != [float(number) for number in np.random.default_rng(7).random(4)], "a child is not its parent"
