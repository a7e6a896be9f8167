"""An evaluation tells an agent with memory where episodes start, and hands its state on within them only."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core.evaluation import evaluate

ID = "rlcourse-test/Short-v0"


class Short(gym.Env):
    """Episodes of 3 steps, or of 4 in every other copy, worth the action."""

    observation_space, action_space = gym.spaces.Discrete(5), gym.spaces.Discrete(100)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.length = 0, 3 + seed % 2
        return 0, {}

    def step(self, action):
        self.t += 1
        return self.t, float(action), self.t == self.length, False, {}


class Rememberer:
    """Its action is the number of steps since the last start that it was told of."""

    def __init__(self, evaluation_envs: int) -> None:
        self.evaluation_envs = evaluation_envs

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        batch = np.ndim(observation) == 1
        state = np.zeros(len(episode_start), np.int64) if state is None else state
        state = np.where(episode_start, 0, state)
        return (state if batch else int(state[0])), state + 1


@pytest.mark.parametrize("copies", [1, 3])
def test_no_episode_begins_with_the_memory_of_another(copies):
    gym.register(ID, Short)
    try:
        returns = evaluate(Rememberer(copies), ID, 7)
    finally:
        del gym.registry[ID]
    assert returns.tolist() == [0 + 1 + 2 + 3 * (i % 2) for i in range(7)]
