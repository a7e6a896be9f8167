"""REINFORCE learns from whole episodes: one that does not end is refused."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import REINFORCE
from rlcourse.cli.main import main

ENDLESS = '''
import gymnasium as gym
import numpy as np


class Endless(gym.Env):
    """Goes on for ever, or for a number of steps."""

    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(2)

    def __init__(self, steps=None):
        self.steps = steps

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        return np.zeros(2, np.float32), 1.0, self.t == self.steps, False, {}
'''
found: dict = {}
exec(ENDLESS, found)
Endless = found["Endless"]


def test_an_episode_without_an_end_is_refused_and_the_sentence_names_the_fix():
    agent = REINFORCE(Endless(), hidden=(8,), max_episode_steps=50)
    with pytest.raises(ValueError, match=r"has not ended after 50 steps.*TimeLimit.*max_episode_steps"):
        agent.learn(1_000)
    assert agent.num_timesteps == 0, "nothing was learned from a part"


@pytest.mark.parametrize("steps", [1, 49, 50])
def test_an_episode_that_ends_in_time_is_learned_from(steps):
    agent = REINFORCE(Endless(steps), hidden=(8,), max_episode_steps=50, episodes_per_update=3).learn(3 * steps)
    assert len(agent.history) == 3
    assert np.isfinite(agent.metrics["policy_loss"])
    with pytest.raises(ValueError, match="has not ended after 50 steps"):
        REINFORCE(Endless(51), hidden=(8,), max_episode_steps=50, episodes_per_update=3).learn(200)


def test_a_time_limit_is_an_end_and_the_copies_that_wait_may_go_on():
    env = gym.wrappers.TimeLimit(Endless(), 40)
    assert len(REINFORCE(env, hidden=(8,), max_episode_steps=40).learn(400).history) == 10


def test_the_command_says_it_in_one_sentence(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(ENDLESS)
    arguments = ["train", f"{tmp_path / 'mine.py'}:Endless", "--algo", "reinforce", "--max-episode-steps", "50", "-n", "500"]
    assert main([*arguments, "-o", str(tmp_path / "runs")]) == 2
    assert "has not ended after 50 steps" in capsys.readouterr().err
