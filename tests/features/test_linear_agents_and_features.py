"""Linear agents over features: sparse against dense, compiled against interpreted where an observation is less than the state."""

import time

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import SemiGradientSarsa, SemiGradientTD0
from rlcourse.core.gymworld import GymWorld
from rlcourse.core.observed import Observed
from rlcourse.features import CoarseCoding, Dense, Tiles, grid


class Opaque(gym.Wrapper):
    """A wrapper that rlcourse does not know: boxes run interpreted behind it."""


LOW, HIGH = [-1.2, -0.07], [0.5, 0.07]


@pytest.mark.parametrize("features", [Tiles.of(LOW, HIGH, 8, 8), CoarseCoding.of(grid(LOW, HIGH, 8), (0.4, 0.03))], ids=["tiles", "coarse"])
@pytest.mark.parametrize("kind", [SemiGradientSarsa, SemiGradientTD0])
def test_indices_and_the_vectors_that_they_stand_for_learn_the_same_weights(kind, features):
    env = "rlcourse/MountainCar-v0"
    settings = {"policy": [0.1, 0.1, 0.8]} if kind is SemiGradientTD0 else {"epsilon": 0.1}
    sparse = kind(env, features=features, alpha=0.02, seed=4, **settings).learn(5000)
    dense = kind(env, features=Dense.of(features), alpha=0.02, seed=4, **settings).learn(5000)
    assert np.abs(sparse.w).max() > 1
    np.testing.assert_allclose(sparse.w, dense.w, rtol=0, atol=1e-12 * np.abs(sparse.w).max())
    np.testing.assert_array_equal(sparse.history.rows, dense.history.rows)


def test_indices_are_much_faster_than_vectors():
    """14 times where it was measured (benchmarks/linear_speed.py); seconds are the processor's, in turns."""
    tiles, seconds = Tiles.of(LOW, HIGH, 8, 8), [0.0, 0.0]
    for turn in range(4):
        for i, features in enumerate((tiles, Dense.of(tiles))):
            agent = SemiGradientSarsa("rlcourse/MountainCar-v0", features=features, alpha=0.02, seed=turn)
            agent.learn(10)
            began = time.process_time()
            agent.learn(20_000)
            seconds[i] += time.process_time() - began
    assert seconds[1] > 3 * seconds[0]


@pytest.mark.parametrize("id", ["rlcourse/Acrobot-v1", "rlcourse/MountainCar-v0"])
@pytest.mark.parametrize("features", ["fourier:1", "vector"])
def test_compiled_equals_interpreted_with_the_same_actions_but_for_single_precision(id, features):
    """A given policy's actions do not depend on the weights; an environment shows float32, its world float64."""
    settings = {"features": features, "policy": [0.4, 0.2, 0.4], "alpha": 0.01, "gamma": 0.95, "seed": 7}
    fast, slow = SemiGradientTD0(id, **settings), SemiGradientTD0(Opaque(gym.make(id)), **settings)
    assert isinstance(slow.world, GymWorld)
    assert isinstance(fast.world, Observed) == ("Acrobot" in id)
    for _ in range(3):
        fast.learn(400)
        slow.learn(400)
        assert np.abs(fast.w).max() > 0.1
        np.testing.assert_allclose(fast.w, slow.w, rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(fast.history.rows, slow.history.rows)


def test_a_linear_agent_learns_to_swing_up_acrobot_compiled():
    """Random play takes about 500 steps, the limit; the last 30 of 200 episodes had means of -169 to -105 with seeds 0 to 9."""
    agent = SemiGradientSarsa("rlcourse/Acrobot-v1", features="fourier:1", alpha=0.002, epsilon=0.05, seed=0).learn(episodes=200)
    assert isinstance(agent.world, Observed)
    assert np.mean([row["return"] for row in agent.history][-30:]) > -250
