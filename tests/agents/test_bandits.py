"""The bandit agents against closed forms: averages, bounds, gradients; and what they earn."""

import math

import numpy as np
import pytest

from rlcourse.agents import EpsilonGreedyBandit, GradientBandit, QLearning, UCBBandit
from rlcourse.agents.bandits.gradient import gradient_bandit
from rlcourse.agents.bandits.ucb import ucb_bandit, upper_confidence
from rlcourse.core import exact
from rlcourse.core.observed import observed
from rlcourse.core.policies import softmax
from rlcourse.core.trial import Trial
from rlcourse.envs import DriftingBandit, bandit

KINDS = [EpsilonGreedyBandit, UCBBandit, GradientBandit]


def lived(agent) -> tuple[np.ndarray, np.ndarray]:
    """Let an agent live 500 pulls on noiseless arms with values 0..9; return actions and rewards."""
    rewards = agent.learn(500).history["return"]
    return rewards.astype(int), rewards


def noiseless():
    return bandit(values=range(10), noise=0.0)


def test_the_sample_average_is_the_mean_of_the_rewards_of_each_arm():
    problem = bandit(seed=4)
    agent = EpsilonGreedyBandit(problem, epsilon=1.0, seed=1).learn(20_000)
    assert agent.N.sum() == 20_000
    assert np.all(np.abs(agent.Q - problem.values) < 5.0 / np.sqrt(agent.N)), "five standard errors"
    assert agent.true_error() == pytest.approx(np.sqrt(np.mean((agent.Q - problem.values) ** 2)))


def test_a_constant_step_weighs_rewards_geometrically():
    agent = EpsilonGreedyBandit(bandit(k=1, seed=0), alpha=0.1, initial=5.0, seed=2).learn(50)
    expected = 0.9**50 * 5.0 + sum(0.1 * 0.9 ** (49 - i) * reward for i, reward in enumerate(agent.history["return"]))  # Eq. 2.6
    assert agent.Q[0] == pytest.approx(expected, abs=1e-12)


def test_a_constant_step_of_one_remembers_the_last_reward_only():
    agent = EpsilonGreedyBandit(bandit(k=1), alpha=1.0).learn(30)
    assert agent.Q[0] == pytest.approx(agent.history["return"][-1], abs=1e-12)


def test_what_is_greedy_without_optimism_stays_with_the_first_arm_that_pays():
    actions, _ = lived(EpsilonGreedyBandit(noiseless(), epsilon=0.0, seed=3))
    first = next(i for i, action in enumerate(actions) if action > 0)
    assert set(actions[:first]) <= {0}
    assert set(actions[first:]) == {actions[first]}


@pytest.mark.parametrize("make", [lambda: EpsilonGreedyBandit(noiseless(), epsilon=0.0, initial=100.0), lambda: UCBBandit(noiseless())])
def test_optimism_and_upper_bounds_try_every_arm_once_before_any_twice(make):
    actions, _ = lived(make())
    assert sorted(actions[:10]) == list(range(10))
    assert actions[-1] == 9


def test_the_order_of_the_first_tries_is_random():
    orders = {tuple(lived(UCBBandit(noiseless(), seed=seed))[0][:10]) for seed in range(10)}
    assert len(orders) == 10


def test_upper_confidence_is_equation_2_10():
    Q, N = np.array([0.0, 0.5, 1.0]), np.array([2.0, 5.0, 40.0])
    bounds = Q + 2.0 * np.sqrt(np.log(48.0) / N)
    assert upper_confidence(Q, N, 48.0, 2.0, None) == int(np.argmax(bounds)) == 0
    assert upper_confidence(Q, N, 48.0, 0.0, None) == 2
    assert upper_confidence(Q, np.array([2.0, 0.0, 40.0]), 43.0, 2.0, None) == 1


def test_ucb_s_clock_goes_on_in_the_next_episode():
    """Pulls that are episodes, and pulls of one long episode, are the same life where nothing is random but ties."""
    tables = [np.zeros(10) for _ in range(4)]
    whole = observed(DriftingBandit(tuple(map(float, range(10))), drift=0.0, noise=0.0))
    for world, (Q, N) in ((noiseless(), tables[:2]), (whole, tables[2:])):
        ucb_bandit.python(Trial.of(world, steps=300), Q, N, 0.0, 2.0, Uniform())
    assert np.array_equal(tables[1], tables[3])
    assert tables[1].sum() == 300


class Uniform:
    """Uniform draws that do not depend on how many normal numbers are drawn between them."""

    def __init__(self):
        self.rng = np.random.default_rng(1)

    def random(self):
        return self.rng.random()

    def standard_normal(self):
        return 0.0


@pytest.mark.parametrize("baseline", [True, False])
def test_a_step_of_the_gradient_bandit_is_equation_2_12(baseline):
    agent = GradientBandit(bandit(seed=1, mean=4.0), alpha=0.3, baseline=baseline, seed=0)
    total = 0.0
    for t in range(1, 40):
        before, pi = agent.H.copy(), softmax(agent.H, 1.0)
        agent.learn(1)
        reward = agent.history["return"][-1]
        total += reward
        better = reward - (total / t if baseline else 0.0)
        change = agent.H - before
        candidates = [0.3 * better * ((np.arange(10) == a) - pi) for a in range(10)]
        assert any(np.allclose(change, step, atol=1e-12) for step in candidates)
        assert agent.mean[1] == t
    assert agent.H.sum() == pytest.approx(0.0, abs=1e-9), "preferences keep their sum"


def test_the_expected_step_of_the_gradient_bandit_is_the_gradient_with_or_without_the_baseline():
    q, H, alpha = np.array([0.5, -0.2, 1.0]), np.array([0.1, 0.4, -0.3]), 1e-3
    pi = softmax(H, 1.0)
    gradient = pi * (q - pi @ q)  # of sum_a pi(a) q(a)
    for baseline in (True, False):
        total, runs = np.zeros(3), 40_000
        rng, problem = np.random.default_rng(0), bandit(values=q, noise=0.1)
        for _ in range(runs):
            mean, preferences = np.array([0.3, 1e9]), H.copy()  # an old baseline that hardly moves
            gradient_bandit(Trial.of(problem, steps=1), preferences, np.zeros(3), mean, alpha, baseline, rng)
            total += (preferences - H) / alpha
        assert np.all(np.abs(total / runs - gradient) < 5.0 / math.sqrt(runs)), baseline


@pytest.mark.parametrize("kind", KINDS)
def test_it_finds_the_best_arm_and_earns_more_than_chance(kind):
    found = []
    for seed in range(12):
        agent = kind(bandit(seed=seed), seed=seed).learn(3000)
        found.append(agent.predict(0)[0] == np.argmax(bandit(seed=seed).values))
        assert agent.history["return"].mean() > bandit(seed=seed).values.mean() + 0.3
    assert np.mean(found) >= 0.75, found  # 10 to 12 of 12


@pytest.mark.parametrize("kind", KINDS)
def test_acting_as_it_explores_differs_from_acting_greedily(kind):
    agent = kind(bandit(seed=0), seed=0).learn(300)
    batch = np.zeros(400, int)
    greedy, exploring = agent.predict(batch)[0], agent.predict(batch, deterministic=False)[0]
    assert set(greedy) == {np.argmax(agent.Q)}
    if kind is UCBBandit:  # its exploration has no chance in it
        assert set(exploring) == {upper_confidence(agent.Q, agent.N, 301.0, 2.0, None)}
    else:
        assert len(set(exploring)) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_drifting_bandit_it_runs_compiled_and_sees_nothing_of_the_values(kind):
    agent = kind("rlcourse/DriftingBandit-v0").learn(20_000)
    assert agent.history["length"].tolist() == [10_000.0, 10_000.0]
    assert agent.history["terminated"].tolist() == [0.0, 0.0]


def test_q_learning_finds_the_true_values_of_a_bandit_whatever_its_discount():
    problem = bandit(seed=2)
    agent = QLearning(problem, alpha=0.02, epsilon=1.0, gamma=0.9).learn(50_000)
    assert np.all(np.abs(agent.Q[0] - problem.values) < 0.5)
    assert np.array_equal(exact.q_star("rlcourse/Bandit-v0", 0.9)[0], bandit().values)
    assert QLearning("rlcourse/DriftingBandit-v0").learn(5000).Q.shape == (1, 10)
