"""Learning from bytes of an image: two encoders, and one in stable-baselines3's PPO; `benchmarks/pixels.py` has ten seeds of each."""

import numpy as np
import pytest

from rlcourse import presets
from rlcourse.agents import PPO
from rlcourse.core.evaluation import evaluate
from rlcourse.sb3 import agent_class

CATCH = presets.load("pixelcatch")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "key", "encoder"), [(PPO, "ppo", "notes-mnist"), (PPO, "ppo", "lenet5"), (agent_class("ppo"), "sb3:ppo", "lenet5")]
)
def test_every_ball_is_caught(make, key, encoder):
    agent = make(CATCH.env, **CATCH.agents[key] | {"encoder": encoder, "seed": 0, "device": "cpu"})
    following = CATCH.eval_every

    def go_on(agent):
        nonlocal following
        if agent.num_timesteps < following:
            return True
        following += CATCH.eval_every
        return evaluate(agent, CATCH.env, 20, seed=500).mean() < 1.0

    agent.learn(CATCH.total_timesteps, callback=go_on)
    assert np.mean(evaluate(agent, CATCH.env, 100, seed=1000)) >= CATCH.target
