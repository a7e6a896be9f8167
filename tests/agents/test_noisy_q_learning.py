"""Q-learning with fading noise: identities, its schedule, and the tutorial's score on FrozenLake."""

import numpy as np
import pytest

from rlcourse.agents import NoisyQLearning, QLearning
from rlcourse.agents.temporal_difference.noisy_q_learning import noisy_greedy
from rlcourse.core import exact
from rlcourse.core.mdp import MDP
from rlcourse.envs import cliff_walk


def test_without_noise_it_takes_the_largest_value_and_with_much_any():
    values, rng = np.array([0.0, 2.0, 1.0]), np.random.default_rng(0)
    assert {noisy_greedy(values, 0.0, rng) for _ in range(20)} == {1}
    chosen = np.bincount([noisy_greedy(values, 1e6, rng) for _ in range(3000)], minlength=3) / 3000
    np.testing.assert_allclose(chosen, 1 / 3, atol=0.04)


def test_how_often_noise_overrules_a_difference_is_the_normal_distribution_s_share():
    rng = np.random.default_rng(1)
    share = np.mean([noisy_greedy(np.array([0.0, 1.0]), 1.0, rng) for _ in range(20_000)])
    assert share == pytest.approx(0.7602, abs=0.012)  # P(N(0, 2) > -1)


def test_the_noise_of_episode_i_is_a_ith_of_the_first():
    world = MDP.of({0: {0: [(1.0, 0, 0.0, True)], 1: [(1.0, 0, 1.0, True)]}})
    agent = NoisyQLearning(world, alpha=1e-9, noise=1.0).learn(episodes=7)
    assert agent.episodes[0] == 7
    agent.Q[:] = [[0.0, 1.0]]
    drawn = [agent.predict(0, deterministic=False)[0] for _ in range(2000)]  # as the eighth episode would
    assert np.mean(drawn) > 0.999


def test_it_finds_the_path_along_the_cliff_as_q_learning_does():
    for kind in (NoisyQLearning, QLearning):
        lengths = [kind(cliff_walk(), alpha=0.5, gamma=1.0, seed=seed).learn(episodes=1500).history["length"][-1] for seed in range(10)]
        assert np.median(lengths) < 25
    agent = NoisyQLearning(cliff_walk(), alpha=0.5, gamma=1.0, seed=0).learn(episodes=1500)
    assert agent.Q[36].max() == pytest.approx(exact.v_star(cliff_walk(), 1.0)[36], abs=1e-6)


def test_the_score_of_the_tutorial_s_settings_on_frozen_lake():
    scores = [NoisyQLearning("FrozenLake-v1", seed=seed).learn(episodes=2000).history["return"].mean() for seed in range(20)]
    assert np.mean(scores) == pytest.approx(0.51, abs=0.085)  # 500 runs of `rlcourse figure frozenlake`: mean 0.523, deviation 0.08
