"""MiniGrid's views by arrays are MiniGrid's own, number for number."""

import gymnasium as gym
import numpy as np
import pytest

minigrid = pytest.importorskip("minigrid")

TASKS = ["GoToDoor-5x5", "MemoryS7", "Fetch-5x5-N2", "DoorKey-6x6", "KeyCorridorS3R2", "LavaCrossingS9N1", "Dynamic-Obstacles-5x5"]


@pytest.mark.parametrize("task", TASKS)
def test_views_are_those_that_minigrid_makes_of_objects(task):
    from rlcourse.envs.minigrid_view import see_by_arrays, view

    env = gym.make(f"MiniGrid-{task}-v0", disable_env_checker=True)
    env.action_space.seed(0)
    for episode in range(6):
        observation, _ = env.reset(seed=episode)
        over = False
        while not over and env.unwrapped.step_count < 120:
            np.testing.assert_array_equal(view(env.unwrapped), observation["image"])
            observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
            over = terminated or truncated
    see_by_arrays(env.unwrapped)
    observation, _ = env.reset(seed=7)
    theirs, _ = gym.make(f"MiniGrid-{task}-v0").reset(seed=7)
    assert env.observation_space.contains(observation)
    assert observation["image"].tolist() == theirs["image"].tolist()
    assert (observation["direction"], observation["mission"]) == (theirs["direction"], theirs["mission"])


def test_whoever_sees_otherwise_is_left_alone():
    from minigrid.envs import EmptyEnv

    from rlcourse.envs.minigrid_view import see_by_arrays

    class Blind(EmptyEnv):
        def gen_obs(self):
            return super().gen_obs() | {"image": np.zeros((7, 7, 3), np.uint8)}

    env = Blind()
    see_by_arrays(env)
    assert not env.reset(seed=0)[0]["image"].any()
