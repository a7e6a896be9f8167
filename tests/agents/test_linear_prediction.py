"""Prediction with linear values (chapter 9): identities with its neighbours, and exact linear algebra as oracle."""

import numpy as np
import pytest

from rlcourse.agents import LSTD, BatchTD0, GradientMC, MCPrediction, NStepEmphaticTD, NStepSemiGradientTD, NStepTD, SemiGradientTD0
from rlcourse.agents.approximation.lstd import lstd
from rlcourse.agents.approximation.semi_gradient_td0 import semi_gradient_td0
from rlcourse.core import exact, exact_linear
from rlcourse.core.mdp import MDP
from rlcourse.core.runs import Runs
from rlcourse.envs import ThousandStates, blackjack_game, four_states, predictor, random_walk
from rlcourse.envs.four_in_a_row import INTEREST, PAIRED
from rlcourse.features import TableFeatures

WALK = random_walk(19, left=-1.0)
ROWS = np.random.default_rng(5).normal(size=(21, 6)) / 3
RANDOM = np.full((1002, 2), 0.5)


def test_one_feature_per_state_makes_n_step_td():
    for n in (1, 3, 50):
        linear, table = (kind(WALK, n=n, alpha=0.2, gamma=0.9, seed=4).learn(episodes=50) for kind in (NStepSemiGradientTD, NStepTD))
        np.testing.assert_array_equal(linear.w, table.V)


def test_one_feature_per_state_makes_every_visit_monte_carlo():
    policy = np.full((blackjack_game().observation_space.n, 2), 0.5)  # no state comes twice in an episode: the order does not matter
    linear = GradientMC(blackjack_game(), policy=policy, alpha=0.1, seed=4).learn(episodes=2000)
    table = MCPrediction(blackjack_game(), policy=policy, alpha=0.1, first_visit=False, seed=4).learn(episodes=2000)
    assert np.abs(table.V).max() > 0.5
    np.testing.assert_array_equal(linear.w, table.V)


@pytest.mark.parametrize("features", [ROWS, np.arange(21)[:, None] // 4])
def test_one_step_is_semi_gradient_td_and_many_steps_are_gradient_monte_carlo(features):
    one = NStepSemiGradientTD(WALK, n=1, features=features, alpha=0.1, seed=4).learn(episodes=40)
    td = SemiGradientTD0(WALK, features=features, alpha=0.1, seed=4).learn(episodes=40)
    np.testing.assert_array_equal(one.w, td.w)
    many = NStepSemiGradientTD(WALK, n=5000, features=features, alpha=0.1, gamma=0.9, seed=4).learn(episodes=40)
    mc = GradientMC(WALK, features=features, alpha=0.1, gamma=0.9, seed=4).learn(episodes=40)
    np.testing.assert_array_equal(many.w, mc.w)


def test_with_interest_everywhere_and_long_n_emphasis_changes_nothing():
    for n in (1, 3, 5000):
        plain = NStepSemiGradientTD(WALK, n=n, features=ROWS, alpha=0.05, gamma=0.9, seed=4).learn(episodes=30)
        emphatic = NStepEmphaticTD(WALK, n=n, features=ROWS, alpha=0.05, gamma=0.9, seed=4).learn(episodes=30)
        assert np.array_equal(plain.w, emphatic.w) == (n == 5000)


def test_emphasis_follows_its_recursion():
    rng = np.random.default_rng(0)
    interest, n, gamma, alpha = rng.random(21), 3, 0.9, 0.1
    agent = NStepEmphaticTD(WALK, n=n, features=ROWS, alpha=alpha, gamma=gamma, interest=interest, seed=4).learn(episodes=1)
    walk = np.random.default_rng()
    walk.bit_generator.state = NStepEmphaticTD(WALK, seed=4).rng.bit_generator.state
    S, states, rewards, over = WALK.reset(walk), [], [], False
    while not over:
        states.append(S)
        S, R, over, _ = WALK.step(S, int(walk.random() >= 0.5), walk)
        rewards.append(R)
    T, w, M = len(states), np.zeros(6), []
    for t in range(T):
        M.append(interest[states[t]] + (gamma**n * M[t - n] if t >= n else 0.0))
        G = sum(gamma**i * rewards[t + i] for i in range(min(n, T - t)))
        G += gamma**n * ROWS[states[t + n]] @ w if t + n < T else 0.0
        w = w + alpha * M[t] * (G - ROWS[states[t]] @ w) * ROWS[states[t]]
    np.testing.assert_allclose(agent.w, w, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "settings", "goal"),
    [
        (GradientMC, {}, (3.5, 1.5)),
        (NStepEmphaticTD, {"n": 9, "interest": INTEREST}, (4.0, 0.0)),
        (NStepSemiGradientTD, {"n": 2}, (3.5, 1.5)),
        (NStepEmphaticTD, {"n": 2, "interest": INTEREST}, (4.0, 2.0)),
    ],
)
def test_example_9_4(kind, settings, goal):
    agent = kind(four_states(), features=PAIRED, alpha=0.001, **settings).learn(episodes=20_000)
    np.testing.assert_allclose(agent.w, goal, atol=1e-3)


def test_wrong_interest_is_refused_in_one_sentence():
    for interest in (np.ones(3), -np.ones(21), np.full(21, np.nan)):
        with pytest.raises(ValueError, match="interest must be 21 numbers"):
            NStepEmphaticTD(WALK, interest=interest)


def test_gradient_monte_carlo_averages_to_the_best_weights():
    D, v = exact_linear.mu(WALK, np.full((21, 2), 0.5)), exact.v_pi(WALK, np.full((21, 2), 0.5), 0.9)
    agent = GradientMC(WALK, features=ROWS, alpha=0.003, gamma=0.9, seed=4).learn(episodes=3000)
    weights = [agent.learn(episodes=10).w.copy() for _ in range(300)]
    np.testing.assert_allclose(np.mean(weights, axis=0), exact_linear.best_weights(v, ROWS, D), atol=0.03)


# LSTD -----------------------------------------------------------------------------------------------------------------


def test_lstd_solves_the_equations_of_its_episodes_by_rank_one_updates():
    epsilon, gamma = 0.3, 0.9
    for features in (ROWS, np.arange(21)[:, None] // 4, np.arange(21)[:, None] // [4, 7] + [0, 6]):
        agent = LSTD(WALK, features=features, epsilon=epsilon, gamma=gamma, seed=4)
        rng = np.random.default_rng()
        rng.bit_generator.state = agent.rng.bit_generator.state
        X = exact_linear.design_matrix(agent.features, 21)
        A, b = epsilon * np.eye(X.shape[1]), np.zeros(X.shape[1])
        for _ in range(20):
            S, over = WALK.reset(rng), False
            while not over:
                S_, R, over, _ = WALK.step(S, int(rng.random() >= 0.5), rng)
                A += np.outer(X[S], X[S] - (0.0 if over else gamma) * X[S_])
                b += R * X[S]
                S = S_
        agent.learn(episodes=20)
        np.testing.assert_allclose(agent.A_inv @ A, np.eye(len(b)), atol=1e-9)
        np.testing.assert_allclose(agent.w, np.linalg.solve(A, b), atol=1e-9)


def test_lstd_with_one_feature_per_state_is_batch_td():
    batch = BatchTD0(predictor(), alpha=0.01, sweeps=20_000).learn(episodes=8).V
    weights = LSTD(predictor(), epsilon=1e-9).learn(episodes=8).w
    np.testing.assert_allclose(weights, batch, atol=1e-6)
    np.testing.assert_allclose(weights[:2], 0.75, atol=1e-6)


def test_lstd_is_at_the_td_fixed_point_of_the_1000_state_walk_within_its_standard_errors():
    groups = np.append(np.arange(1000) // 100, [-1, -1])[:, None]
    world, features = ThousandStates(), TableFeatures.of(groups)
    goal = exact_linear.td_fixed_point(world, RANDOM, features, 1.0)
    runs = Runs.of(world, 60, 300, [np.zeros(10), np.eye(10) / 1e-3, np.zeros(10)], every=300)
    w, A_inv, b = runs.tables((10,), (10, 10), (10,))
    lstd(runs, np.full(2, 0.5), features, A_inv, b, w, 1.0, np.random.default_rng(7))
    weights = runs.copies()[:, -1]
    errors = weights.std(axis=0, ddof=1) / np.sqrt(len(weights))
    assert errors.max() < 0.015, "the comparison says something"
    assert np.all(np.abs(weights.mean(axis=0) - goal) < 4 * errors + 0.004)  # a ratio of estimates has a bias of order 1 / episodes


def test_lstd_needs_far_fewer_episodes_than_td():
    groups = np.append(np.arange(1000) // 100, [-1, -1])[:, None]
    world, features = ThousandStates(), TableFeatures.of(groups)
    goal = exact_linear.td_fixed_point(world, RANDOM, features, 1.0)
    least_squares = LSTD(world, features=features, epsilon=1e-3, seed=4).learn(episodes=200)
    stochastic = SemiGradientTD0(world, features=features, alpha=0.01, seed=4).learn(episodes=200)
    assert np.abs(least_squares.w - goal).max() < 0.5 * np.abs(stochastic.w - goal).max()


def test_lstd_bootstraps_where_a_time_limit_strikes_and_not_at_the_end():
    table = {0: {0: [(1.0, 1, 1.0, False)]}, 1: {0: [(1.0, 1, 10.0, True)]}}
    cut = LSTD(MDP.of(table, [0.5, 0.5]), epsilon=1e-6, gamma=0.9, seed=4)
    cut.limit = 1
    cut.learn(episodes=200)
    np.testing.assert_allclose(cut.w, [10.0, 10.0], atol=1e-4)
    table[0][0] = [(1.0, 1, 1.0, True)]
    np.testing.assert_allclose(
        LSTD(MDP.of(table, [0.5, 0.5]), epsilon=1e-6, gamma=0.9, seed=4).learn(episodes=200).w, [1.0, 10.0], atol=1e-4
    )


def test_td_0_is_drawn_to_its_fixed_point_on_the_1000_state_walk():
    groups = np.append(np.arange(1000) // 200, [-1, -1])[:, None]
    world, features = ThousandStates(), TableFeatures.of(groups)
    goal = exact_linear.td_fixed_point(world, RANDOM, features, 1.0)
    runs = Runs.of(world, 20, 3000, [np.zeros(5)], every=1000)
    (w,) = runs.tables((5,))
    semi_gradient_td0(runs, np.full(2, 0.5), features, w, 0.01, 1.0, np.random.default_rng(7))
    last = runs.copies()[:, -1]
    assert np.all(np.abs(last.mean(axis=0) - goal) < 4 * last.std(axis=0, ddof=1) / np.sqrt(20) + 0.01)
