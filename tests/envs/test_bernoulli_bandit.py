"""Bernoulli bandits: the world, and the exact values of playing it."""

import itertools
from functools import cache

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.envs import BernoulliBandit, bernoulli_bandit
from rlcourse.envs.bernoulli_exact import (
    bayes_rewards,
    bayes_value,
    greedy,
    levels,
    optimal_arms,
    posterior_means,
    rewards_of,
    thompson,
    ucb1,
)


def uniform(counts):
    return np.full(counts.shape[:2], 1 / counts.shape[1])


def test_an_episode_draws_its_means_and_ends_after_n_pulls():
    world, rng = bernoulli_bandit(3, 4), np.random.default_rng(0)
    states = [world.reset(rng) for _ in range(4000)]
    assert np.mean(states, axis=0) == pytest.approx([0.0, 0.5, 0.5, 0.5], abs=5 * 12**-0.5 / 4000**0.5)
    state, seen = states[0], []
    for t in range(4):
        seen.append(world.observe(state)[0])
        after, _, terminated, truncated = world.step(state, 1, rng)
        assert (terminated, truncated) == (t == 3, False)
        assert after[1:] == state[1:], "the means stay"
        state = after
    assert seen == [1.0, 0.75, 0.5, 0.25]


def test_a_pull_pays_with_the_probability_of_its_arm():
    world, rng = BernoulliBandit((0.0,) * 4, 10), np.random.default_rng(1)
    for arm, mean in enumerate((0.0, 0.3, 1.0)):
        rewards = [world.step((0.0, 0.0, 0.3, 1.0), arm, rng)[1] for _ in range(4000)]
        assert set(rewards) <= {0.0, 1.0}
        assert np.mean(rewards) == pytest.approx(mean, abs=5 * (mean * (1 - mean) / 4000) ** 0.5)


def test_arguments_reach_the_bandit_and_wrong_ones_are_refused():
    assert gym.make("rlcourse/BernoulliBandit-v0", k=2, n=7).unwrapped.world == bernoulli_bandit(2, 7)
    assert gym.make_vec("rlcourse/RL2Bandit-v0", num_envs=2, k=2, n=7, action=False).single_observation_space.shape == (2,)
    for arguments in ({"k": 0}, {"n": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            bernoulli_bandit(**arguments)


@pytest.mark.parametrize(("k", "n", "value"), [(2, 10, 6.0218), (2, 20, 12.4313), (3, 10, 6.4096), (5, 10, 6.6600)])
def test_the_optimal_values_are_the_known_ones(k, n, value):
    assert bayes_value(k, n) == pytest.approx(value, abs=5e-5)
    assert bayes_rewards(k, n).sum() == pytest.approx(bayes_value(k, n), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(1, 6), (2, 5), (3, 4), (4, 3)])
def test_the_optimal_value_is_that_of_a_search_through_all_histories(k, n):
    @cache
    def best(history):
        if len(history) == n:
            return 0.0
        worth = []
        for arm in range(k):
            won, pulled = (sum(part) for part in zip(*[(r, 1) for a, r in history if a == arm], (0, 0), strict=True))
            p = (won + 1) / (pulled + 2)
            worth.append(p * (1 + best((*history, (arm, 1)))) + (1 - p) * best((*history, (arm, 0))))
        return max(worth)

    assert bayes_value(k, n) == pytest.approx(best(()), abs=1e-12)


def test_every_state_is_there_once_and_leads_where_its_counts_say():
    k, n = 3, 5
    for t, level in enumerate(levels(k, n)[:n]):
        pairs = [(s, f) for s in range(t + 1) for f in range(t + 1 - s)]
        every = {tuple(sorted(arms)) for arms in itertools.product(pairs, repeat=k) if sum(map(sum, arms)) == t}
        assert {tuple(sorted(map(tuple, arms))) for arms in level.counts.tolist()} == every
        assert len(level.counts) == len(every)
        for i, arm, outcome in itertools.product(range(len(every)), range(k), range(2)):
            grown = level.counts[i].copy()
            grown[arm, outcome] += 1
            there = levels(k, n)[t + 1].counts[level.after[i, arm, outcome]]
            assert sorted(grown.tolist()) == sorted(there.tolist())


def optimal(counts):
    return optimal_arms(counts, 10) / optimal_arms(counts, 10).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("rule", [uniform, greedy, thompson, ucb1, optimal])
def test_a_rule_earns_what_simulation_says(rule):
    k, n, episodes = 5, 10, 40_000
    rng, rows = np.random.default_rng(3), np.arange(episodes)
    means, counts, rewards = rng.random((episodes, k)), np.zeros((episodes, k, 2), int), np.zeros((n, episodes))
    for t in range(n):
        arms = (rule(counts).cumsum(axis=1) > rng.random((episodes, 1))).argmax(axis=1)
        rewards[t] = rng.random(episodes) < means[rows, arms]
        counts[rows, arms, 1 - rewards[t].astype(int)] += 1
    assert np.all(np.abs(rewards.mean(axis=1) - rewards_of(rule, k, n)) < 4.5 * rewards.std(axis=1) / episodes**0.5)


def test_the_return_of_an_optimal_player_deviates_by_2_2_which_100_episodes_make_0_22():
    rng, rows = np.random.default_rng(0), np.arange(40_000)
    means, counts, returns = rng.random((40_000, 5)), np.zeros((40_000, 5, 2), int), np.zeros(40_000)
    for _ in range(10):
        arms = optimal_arms(counts, 10).argmax(axis=1)
        paid = rng.random(40_000) < means[rows, arms]
        counts[rows, arms, 1 - paid] += 1
        returns += paid
    assert returns.std() == pytest.approx(2.22, abs=0.04)
    assert returns.mean() == pytest.approx(bayes_value(5, 10), abs=4 * 2.22 / 200)


def test_without_knowledge_every_pull_pays_a_half():
    np.testing.assert_allclose(rewards_of(uniform, 5, 10), 0.5)
    np.testing.assert_allclose(rewards_of(lambda counts: np.eye(1), 1, 6), 0.5, err_msg="a single arm")


def test_the_rules_are_ordered_as_they_should_be():
    values = [rewards_of(rule, 5, 10).sum() for rule in (uniform, ucb1, thompson, greedy)] + [bayes_value(5, 10)]
    np.testing.assert_allclose(values, [5.0, 5.6733, 5.8333, 6.6262, 6.6600], atol=5e-5)
    assert values == sorted(values)


def test_thompson_s_chances_are_those_of_draws():
    counts, rng = np.array([[[3, 1], [0, 0], [2, 2]], [[0, 6], [5, 1], [3, 0]]]), np.random.default_rng(0)
    for each, chances in zip(counts, thompson(counts), strict=True):
        drawn = rng.beta(each[:, 0] + 1, each[:, 1] + 1, (100_000, 3)).argmax(axis=1)
        assert chances.sum() == pytest.approx(1.0)
        np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 100_000, chances, atol=0.008)


@pytest.mark.parametrize(("s", "f"), [(0, 0), (3, 1), (0, 12), (60, 24), (100, 75), (250, 40), (40, 250), (400, 0)])
def test_thompson_s_chances_are_the_closed_forms_however_long_the_episode(s, f):
    np.testing.assert_allclose(thompson(np.array([[[s, f]]])), 1.0, atol=1e-11, err_msg="a single arm")
    mean = (s + 1) / (s + f + 2)  # the chance that a uniform draw is below the arm's
    np.testing.assert_allclose(thompson(np.array([[[s, f], [0, 0]]])), [[mean, 1 - mean]], atol=1e-11)
    np.testing.assert_allclose(thompson(np.array([[[s, f]] * 3])), 1 / 3, atol=1e-11)


def test_ucb1_pulls_every_arm_once_and_then_the_greatest_index():
    assert ucb1(np.array([[[1, 0], [0, 0], [0, 0]]])).tolist() == [[0.0, 0.5, 0.5]]
    indices = [1 / 2 + (2 * np.log(6) / 2) ** 0.5, 2 / 3 + (2 * np.log(6) / 3) ** 0.5, 0 + (2 * np.log(6) / 1) ** 0.5]
    assert ucb1(np.array([[[1, 1], [2, 1], [0, 1]]])).argmax() == np.argmax(indices) == 2
    assert ucb1(np.array([[[1, 1], [2, 1], [0, 1]]]), c=0.2).argmax() == 1


def test_optimal_arms_are_found_in_any_order_and_with_their_ties():
    counts = np.array([[[0, 0], [2, 0], [0, 1]], [[0, 1], [0, 0], [2, 0]], [[0, 0], [1, 2], [0, 0]]])
    assert optimal_arms(counts, 10).tolist() == [[False, True, False], [False, False, True], [True, False, True]]
    np.testing.assert_allclose(posterior_means(counts)[0], [1 / 2, 3 / 4, 1 / 3])


def test_what_is_too_large_is_refused():
    with pytest.raises(ValueError, match="too many"):
        bayes_value(20, 100)
    with pytest.raises(ValueError, match="at least 1"):
        levels(0, 3)
