"""Observations of several parts in evaluations: the copies of an id are asked at once, an environment alone; both see the same."""

import gymnasium as gym
import numpy as np
import pytest

import rlcourse  # noqa: F401 - its environments
from rlcourse.agents import PPO
from rlcourse.core.evaluation import evaluate


@pytest.mark.parametrize("name", ["rlcourse/LingoBandit-v0", "rlcourse/LingoBanditTokens-v0"])
def test_an_agent_is_judged_alike_in_copies_and_in_one_environment(name):
    agent = PPO(name, n_envs=2, n_steps=8, seed=0)
    together = evaluate(agent, name, 24, seed=5)
    agent.evaluation_envs = 1
    np.testing.assert_array_equal(together, evaluate(agent, gym.make(name), 24, seed=5))
    assert 0 < together.mean() < 1


def test_an_environment_that_shows_something_else_is_refused_before_it_begins():
    agent = PPO("CartPole-v1", n_envs=1, hidden=(4,))
    with pytest.raises(ValueError, match=r"^env: this agent sees Box\(.*\(4,\).*\), that environment shows Box\(.*\(6,\)"):
        evaluate(agent, "Acrobot-v1")
