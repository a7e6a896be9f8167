"""Actions of every bounded box and every numbering reach the environment as it has declared them, for every agent that acts so."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import DEEP, GAUSSIAN, LEARNERS, LINEAR, acts_in, known, make
from gymnasium import spaces

from rlcourse import agents
from rlcourse.agents.deep.boundary import within

IN_BOXES = [*GAUSSIAN, *(name for name in DEEP if acts_in(name, spaces.Box))]
SQUASHED = [name for name in IN_BOXES if hasattr(getattr(agents, name).Config, "buffer_size")]  # they draw within the bounds
BY_NUMBERS = [*LEARNERS, *LINEAR, *(name for name in DEEP if acts_in(name, spaces.Discrete))]
BOXES = {
    "asymmetric": spaces.Box(-2, 3, (2,), np.float32),
    "of several bounds": spaces.Box(np.array([-2.0, 0.1]), np.array([3.0, 0.7]), dtype=np.float64),
    "of whole numbers": spaces.Box(-3, 5, (2,), np.int8),
}


class Strict(gym.Env):
    """Takes actions of its space only, and remembers them; episodes last 10 steps."""

    def __init__(self, action_space: spaces.Space, observation_space: spaces.Space) -> None:
        self.action_space, self.observation_space, self.taken = action_space, observation_space, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._seen(), {}

    def _seen(self):
        return 0 if isinstance(self.observation_space, spaces.Discrete) else self.np_random.uniform(-1, 1, 3).astype(np.float32)

    def step(self, action):
        assert self.action_space.contains(action), action
        self.taken.append(action)
        return self._seen(), float(np.sum(action)), False, len(self.taken) % 10 == 0, {}


def in_a_box(name: str, space: spaces.Box, **settings):
    env = Strict(space, spaces.Box(-1, 1, (3,)))
    return make(name, env, seed=0, **known(name, n_envs=1, **settings)), env


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("name", IN_BOXES)
def test_actions_are_of_the_box_and_its_type(name, box):
    space = BOXES[box]
    agent, env = in_a_box(name, space, learning_starts=40, log_std_init=1.0)
    agent.learn(40)
    taken = np.array(env.taken)
    assert taken.dtype == space.dtype
    if hasattr(agent, "bounds"):  # the memory holds what the networks know, within -1 and 1; random actions fill all of the box
        stored = agent.replay.actions[:40, 0]
        assert np.abs(stored).max() <= 1.0
        assert taken.min() < space.low.min() + 0.15 * np.ptp([space.low.min(), space.high.max()])
        middle, half = (space.high / 2.0 + space.low / 2.0), (space.high / 2.0 - space.low / 2.0)
        np.testing.assert_allclose(taken, middle + half * stored, atol=0.5 if space.dtype == np.int8 else 1e-5)
    for deterministic in (True, False):
        action = agent.predict(env.observation_space.sample(), deterministic=deterministic)[0]
        assert space.contains(action), action


@pytest.mark.parametrize("name", [name for name in DEEP if acts_in(name, spaces.Box) and name not in SQUASHED])
def test_what_is_cut_off_on_its_way_is_learned_from_as_it_was_drawn(name):
    agent, _ = in_a_box(name, spaces.Box(-0.01, 0.01, (2,)))
    drawn = []
    act = agent._act
    agent._act = lambda *seen: drawn.append(act(*seen)) or drawn[-1]
    agent.learn(5)  # within an episode
    kept, taken = (np.concatenate(part) for part in zip(*drawn, strict=True))
    assert np.abs(taken).max() <= np.float32(0.01)
    assert np.abs(kept).max() > 0.1, "the log-probability is that of the sample, not of the end of the box"
    memory = getattr(agent, "rollout", None) or agent.episodes
    np.testing.assert_array_equal(memory.actions[:5, 0], kept)


@pytest.mark.parametrize(("low", "high"), [(-np.inf, np.inf), (0.0, np.inf), (-np.inf, 1.0)])
@pytest.mark.parametrize("name", IN_BOXES)
def test_a_box_without_an_end_is_refused_by_those_that_fill_it_and_clips_at_the_end_it_has(name, low, high):
    space = spaces.Box(low, high, (1,))
    if name in SQUASHED:
        with pytest.raises(ValueError, match=f"{name} needs actions with finite bounds"):
            in_a_box(name, space)
        return
    agent, env = in_a_box(name, space)
    agent.learn(40)
    assert np.isfinite(env.taken).all()


def test_whole_numbers_are_rounded_to_the_next():
    box = spaces.Box(-3, 3, (4,), np.int8)
    taken = within(box, np.array([[1.6, -1.6, 0.4, 9.0]]))
    assert taken.tolist() == [[2, -2, 0, 3]]
    assert taken.dtype == np.int8


@pytest.mark.parametrize("start", [-2, 7])
@pytest.mark.parametrize("name", BY_NUMBERS)
def test_actions_may_begin_anywhere(name, start):
    numbered = name not in DEEP
    env = Strict(spaces.Discrete(3, start=start), spaces.Discrete(2) if numbered else spaces.Box(-1, 1, (3,)))
    agent = make(name, env, **known(name, n_envs=1, epsilon=0.9)).learn(60)
    assert set(env.taken) <= {start, start + 1, start + 2}
    assert agent.predict(env.observation_space.sample())[0] in range(start, start + 3)
