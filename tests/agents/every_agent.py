"""The agents of the package by kind, settings that make them quick, and environments to try them in."""

import dataclasses

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlcourse import agents
from rlcourse.agents.linear import LinearAgent
from rlcourse.agents.tabular import TabularAgent
from rlcourse.core.agent import Agent


def needs_model(name: str) -> bool:
    """Whether an agent refuses an environment without a model."""
    try:
        getattr(agents, name)(gym.make("Blackjack-v1"))
    except ValueError as error:
        return "needs a model" in str(error)
    return False


EVERY = sorted(agents.MODULES)


TABULAR = [name for name in EVERY if issubclass(getattr(agents, name), TabularAgent)]


LINEAR = [name for name in EVERY if issubclass(getattr(agents, name), LinearAgent) and getattr(agents, name).finite_actions]


GAUSSIAN = [name for name in EVERY if issubclass(getattr(agents, name), LinearAgent) and name not in LINEAR]  # actions are numbers


BOXED = [*TABULAR, *LINEAR, *GAUSSIAN]  # their budgets are counted in episodes too, and they resume at an episode's end


PLANNERS = [name for name in TABULAR if needs_model(name)]


BANDITS = [name for name in TABULAR if ".bandits." in agents.MODULES[name]]


SUITED = {"AfterstateTD": "rlcourse/TicTacToe-v0"}  # agents that need an environment of a kind, and one of that kind


LEARNERS = [name for name in TABULAR if name not in PLANNERS and name not in SUITED]


BOOTSTRAPPERS = [name for name in LEARNERS if name not in BANDITS]


PREDICTORS = [name for name in BOXED if "policy" in getattr(agents, name).inputs]  # they act by the policy that they evaluate


DEEP = [name for name in EVERY if name not in BOXED]


VALUES = ("Q", "V", "Q1", "Q2")  # tables of values: what a bootstrap reads


DETERMINISTIC = {"IterativePolicyEvaluation", "PolicyIteration", "ValueIteration"}  # no seed matters to them


SMALL = {  # settings that make a test quick; a rollout of a deep agent has n_envs * n_steps = 32 steps
    "DDPG": {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8, 8)},
    "SAC": {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8, 8)},
    "TD3": {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8, 8)},
    "DQN": {"learning_starts": 10, "train_freq": 4, "batch_size": 8, "buffer_size": 100, "target_update_interval": 16, "hidden": (8,)},
    "A2C": {"n_envs": 2, "n_steps": 8, "hidden": (8,)},
    "DRQN": {
        "n_envs": 2,
        "learning_starts": 10,
        "train_freq": 4,
        "batch_size": 4,
        "sequence_length": 4,
        "burn_in": 2,
        "buffer_size": 100,
        "target_update_interval": 16,
        "hidden": (8,),
        "memory_size": 8,
    },
    "PPO": {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": (8,)},
    "CrossQ": {"n_envs": 2, "batch_size": 8, "learning_starts": 16, "buffer_size": 100, "hidden": (8,), "actor_hidden": (8,)},
    "DiscreteCrossQ": {"n_envs": 2, "batch_size": 8, "learning_starts": 16, "buffer_size": 100, "hidden": (8,)},
    "DiscreteSAC": {"n_envs": 2, "batch_size": 8, "learning_starts": 16, "buffer_size": 100, "hidden": (8,)},
    "PQN": {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": (8,)},
    "REINFORCE": {"episodes_per_update": 1, "hidden": (8,)},
    "RecurrentPPO": {"n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": (8,), "memory_size": 8},
    "BatchMC": {"sweeps": 3},
    "GaussianActorCritic": {"features": "vector", "alpha_theta": 1e-5, "alpha_w": 1e-4},
    "GaussianREINFORCE": {"features": "vector", "alpha": 1e-7},
    "BatchTD0": {"sweeps": 3},
}


ROLLOUT = 32


ALONE = {  # settings under which a real step makes one update, and no planning follows
    "DynaQ": {"n": 0},
    "DynaQPlus": {"n": 0},
    "DynaQSelection": {"n": 0},
    "PrioritizedSweeping": {"n": 1},
}


def acts_in(name: str, kind: type) -> bool:
    """Whether a deep agent acts in spaces of a kind."""
    return kind in getattr(agents, name).actions


def small_env(name: str) -> str:
    """Return the id of a small environment that suits an agent."""
    if name in GAUSSIAN:
        return "Pendulum-v1"
    if name in BOXED:
        return SUITED.get(name, "FrozenLake-v1")
    return "CartPole-v1" if acts_in(name, spaces.Discrete) else "Pendulum-v1"


def make(name: str, env=None, seed: int = 3, **settings) -> Agent:
    """An agent on a small environment that suits it."""
    env = small_env(name) if env is None else env
    return getattr(agents, name)(env, seed=seed, **(SMALL.get(name, {}) | settings))


def known(name: str, **settings) -> dict:
    """Return those of the settings that an agent has."""
    return {
        key: value for key, value in settings.items() if key in {field.name for field in dataclasses.fields(getattr(agents, name).Config)}
    }


def values_of(agent: Agent) -> list[np.ndarray]:
    """Return an agent's tables of values."""
    weights = [agent.w.reshape(agent.Q.shape)] if "w" in agent.tables else []  # one feature for each pair, unless others are given
    return [getattr(agent, table) for table in VALUES if table in agent.tables] + weights


def learn(agent: Agent, units: int) -> Agent:
    """Learn for a number of episodes (tabular) or rollouts (deep)."""
    return agent.learn(episodes=units) if type(agent).__name__ in BOXED else agent.learn(units * ROLLOUT)


def differences(a, b, where: str = "state") -> list[str]:
    """Return the names of what differs between two states."""
    if isinstance(a, dict):
        inner = [difference for k in a.keys() & b.keys() for difference in differences(a[k], b[k], f"{where}.{k}")]
        return inner + [f"{where}.{k}" for k in a.keys() ^ b.keys()]
    return [] if np.array_equal(np.asarray(a), np.asarray(b)) else [where]


def learned(agent) -> dict:
    """Return the state of an agent without where its environment is."""
    return {name: part for name, part in agent.state_dict().items() if not name.startswith("env.")}


class Opaque(gym.Wrapper):
    """A wrapper that rlcourse does not know: boxes run interpreted behind it."""


class OneStep(gym.Env):
    """One step with reward 1 ends the episode, terminated or truncated; the state that it leads to has its own number."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Discrete(2)

    def __init__(self, terminated: bool) -> None:
        self.terminated = terminated

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        return 1, 1.0, self.terminated, not self.terminated, {}


class Grid(gym.Env):
    """Two coordinates in a space of choice; actions that begin at 5. Episodes last 6 steps."""

    action_space = spaces.Discrete(2, start=5)

    def __init__(self, space) -> None:
        self.observation_space = space

    def _seen(self):
        self.observation_space.seed(int(self.np_random.integers(1000)))
        return self.observation_space.sample()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._seen(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.t += 1
        return self._seen(), float(action == 6), self.t == 6, False, {}
