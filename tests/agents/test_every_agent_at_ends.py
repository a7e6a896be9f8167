"""Where an episode ends, for every agent: what a time limit cuts goes on in its value, what terminates does not, and no end leaks."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from every_agent import BOOTSTRAPPERS, BOXED, DEEP, GAUSSIAN, LEARNERS, LINEAR, acts_in, differences, known, learned, make, values_of
from gymnasium import spaces
from gymnasium.wrappers import TimeLimit

from rlcourse import agents
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.inspection import network_of

GAMMA = 0.5
OFF_POLICY = [name for name in DEEP if hasattr(getattr(agents, name).Config, "buffer_size")]
QUICK = {  # settings by which a critic of three states settles within seconds
    "gamma": GAMMA,
    "learning_rate": 0.02,
    "n_envs": 1,
    "n_steps": 8,
    "batch_size": 8,
    "n_epochs": 4,
    "episodes_per_update": 4,
    "optimizer": "adam",
    "max_grad_norm": None,
    "hidden": (16,),
    "vf_coef": 1.0,
    "ent_coef": 1e-3,
    "tau": 0.5,
    "target_update_interval": 4,
    "policy_delay": 1,
    "train_freq": 2,
    "batch_norm_momentum": 0.1,
}
STEPS = {"A2C": 600, "REINFORCE": 900, "CrossQ": 1200, "DiscreteCrossQ": 1200}  # the others 300; those that replay update half as often
# Errors of both kinds of CrossQ over ten seeds: 0.02 to 0.11 and 0.01 to 0.06 with one 0.22; after 300 steps up to 0.48.


def actions_for(name: str) -> spaces.Space:
    """Return two actions, or a range of them for an agent that acts in a Box only."""
    continuous = name in GAUSSIAN or (name in DEEP and not acts_in(name, spaces.Discrete))
    return spaces.Box(-1, 1, (1,)) if continuous else spaces.Discrete(2)


class Ring(gym.Env):
    """Three states in a circle, for ever; every step is worth 1."""

    def __init__(self, numbered: bool, action_space: spaces.Space) -> None:
        self.numbered, self.action_space = numbered, action_space
        self.observation_space = spaces.Discrete(3) if numbered else spaces.Box(0, 1, (3,))

    def _seen(self):
        return self.t % 3 if self.numbered else np.eye(3, dtype=np.float32)[self.t % 3]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def step(self, action):
        self.t += 1
        return self._seen(), 1.0, False, False, {}


@pytest.mark.parametrize("name", BOOTSTRAPPERS)
def test_tables_along_a_ring_with_a_time_limit_are_those_without_one(name):
    """Every state is worth 1 / (1 - gamma) = 2; were the limit an end, the state that it strikes in would be worth 1 at times."""
    agent = make(name, TimeLimit(Ring(True, spaces.Discrete(2)), 4), **known(name, alpha=0.2, gamma=GAMMA, epsilon=0.5, n=1, lam=0.5))
    agent.learn(episodes=600)
    for table in values_of(agent):
        best = table.max(axis=-1) if table.ndim == 2 else table  # of actions that are hardly taken little is known
        np.testing.assert_allclose(best, 1.0 / (1.0 - GAMMA), atol=0.1)


@pytest.mark.parametrize("name", DEEP)
def test_values_along_a_ring_with_a_time_limit_are_those_without_one(name):
    settings = known(name, **QUICK)
    if name in OFF_POLICY:
        settings.pop("n_steps", None)
    agent = make(name, TimeLimit(Ring(False, actions_for(name)), 4), seed=1, **settings).learn(STEPS.get(name, 300))
    values = network_of(agent).value(torch.eye(3)).detach().numpy()
    np.testing.assert_allclose(values, 1.0 / (1.0 - GAMMA), atol=0.2)  # were the limit an end: at most 1.74


class Walk(gym.Env):
    """Three steps, which end as told; what is seen and earned is drawn at random."""

    def __init__(self, numbered: bool, action_space: spaces.Space, truncated: bool) -> None:
        self.numbered, self.action_space, self.truncated = numbered, action_space, truncated
        self.observation_space = spaces.Discrete(5) if numbered else spaces.Box(-1, 1, (2,))

    def _seen(self):
        return int(self.np_random.integers(5)) if self.numbered else self.np_random.uniform(-1, 1, 2).astype(np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def step(self, action):
        self.t += 1
        return self._seen(), float(self.np_random.random()), self.t == 3, self.truncated and self.t == 3, {}


@pytest.mark.parametrize("name", [*LEARNERS, *LINEAR, *GAUSSIAN, *DEEP])
def test_terminated_and_truncated_at_once_is_terminated(name):
    boxed, numbered = name in BOXED, name in (*LEARNERS, *LINEAR)
    plain, both = (make(name, Walk(numbered, actions_for(name), truncated), **known(name, n_envs=1)) for truncated in (False, True))
    for agent in (plain, both):
        agent.learn(**{"episodes": 8} if boxed else {"total_timesteps": 96})
    assert differences(learned(plain), learned(both)) == []
    assert len(plain.history) >= 8
    assert np.all(both.history["terminated"] == 1.0)


@pytest.mark.parametrize("name", [name for name in DEEP if acts_in(name, spaces.Discrete)])
def test_a_world_that_terminates_at_its_time_limit_has_terminated(name):
    last = {a: [(1.0, 4, 0.0, True)] for a in range(2)}
    world = MDP.of({s: {a: [(1.0, s + 1, float(s + a), s == 3)] for a in range(2)} for s in range(4)} | {4: last})  # four steps
    never, at_once = (make(name, TimeLimit(WorldEnv(world), limit)).learn(128) for limit in (1000, 4))
    assert isinstance(at_once.venv.unwrapped, WorldVectorEnv)
    told, untold = at_once.state_dict(), never.state_dict()
    assert told.pop("env.truncated").tolist() == [True] * len(untold.pop("env.truncated")), "the last step was the last of an episode"
    assert differences(told, untold) == []
    assert np.all(at_once.history["terminated"] == 1.0)


class Pair(gym.Env):
    """Episodes of one step, from 0 to 1 for nothing, then from 2 to 3 for a reward, and so on in turns."""

    observation_space, action_space = spaces.Discrete(4), spaces.Discrete(2)

    def __init__(self, reward: float, terminated: bool) -> None:
        self.reward, self.terminated, self.first = reward, terminated, False

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is None:
            self.first = not self.first
        return (0 if self.first else 2), {}

    def step(self, action):
        return (
            (1, 0.0, self.terminated, not self.terminated, {}) if self.first else (3, self.reward, self.terminated, not self.terminated, {})
        )


@pytest.mark.parametrize("terminated", [True, False], ids=["terminated", "truncated"])
@pytest.mark.parametrize("name", [*LEARNERS, *LINEAR])
def test_nothing_of_an_episode_reaches_the_one_before(name, terminated):
    """Two episodes of one step, worth 0 and 100: what is known of the first does not depend on the second."""
    full = known(name, alpha=0.5, gamma=1.0, lam=1.0, n=4, epsilon=0.5)
    poor, rich = (make(name, Pair(reward, terminated), **full).learn(episodes=2) for reward in (0.0, 100.0))
    for table in poor.tables:
        mine, other = getattr(poor, table), getattr(rich, table)
        if 4 in np.shape(mine):  # by state: a table [S, ...], or weights [..., S] of one feature for each
            states = np.shape(mine).index(4)
            np.testing.assert_array_equal(np.take(mine, [0, 1], states), np.take(other, [0, 1], states), err_msg=table)
