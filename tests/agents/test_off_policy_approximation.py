"""Off-policy methods with approximation (chapter 11): neighbours are equal bit for bit, limits are those of linear algebra."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import OneStep

from rlcourse.agents import (
    GTD2,
    TDC,
    EmphaticTD,
    EmphaticTDLambda,
    GTDLambda,
    NaiveResidualGradient,
    NStepOffPolicySemiGradientTD,
    NStepOffPolicyTD,
    OffPolicyExpectedSarsa,
    OffPolicyQLearning,
    OffPolicyTDLambda,
    SemiGradientOffPolicyTD0,
    SemiGradientTD0,
)
from rlcourse.agents.off_policy import expected_gradient_td, expected_updates
from rlcourse.agents.off_policy.emphatic_td import emphatic_td
from rlcourse.agents.off_policy.gtd2 import gtd2
from rlcourse.agents.off_policy.naive_residual_gradient import naive_residual_gradient
from rlcourse.agents.off_policy.residual_gradient import residual_gradient
from rlcourse.agents.off_policy.semi_gradient_off_policy_td0 import semi_gradient_off_policy_td0
from rlcourse.agents.off_policy.tdc import tdc
from rlcourse.core import exact, exact_linear
from rlcourse.core.mdp import MDP
from rlcourse.core.weight_paths import WeightPaths
from rlcourse.envs import a_split, baird_behavior, baird_counterexample, baird_features, baird_weights, random_walk
from rlcourse.features import OneHot, TableFeatures

S, A, D, GAMMA = 6, 3, 3, 0.9
SOLID = np.tile([0.0, 1.0], (7, 1))


def problem(seed: int = 0):
    """A random MDP that goes on for ever, two policies, three features of six states, and how often the behaviour is where."""
    rng = np.random.default_rng(seed)
    table = {
        s: {
            a: [(float(p), i, float(r), False) for i, (p, r) in enumerate(zip(rng.dirichlet(np.ones(S)), rng.normal(size=S), strict=True))]
            for a in range(A)
        }
        for s in range(S)
    }
    world, pi, b = MDP.of(table, np.full(S, 1.0 / S)), rng.dirichlet(np.ones(A), S), rng.dirichlet(5.0 * np.ones(A), S)
    return world, pi, b, rng.normal(size=(S, D)), exact_linear.mu(world, b)


def matrices(world, pi, X, mu):
    """A, b and C of the expected updates."""
    return *exact_linear.td_equations(world, pi, X, GAMMA, mu), X.T @ np.diag(mu) @ X


@pytest.mark.parametrize("env", ["FrozenLake-v1", "rlcourse/RandomWalk-v0"])
def test_with_the_target_policy_as_behaviour_it_is_semi_gradient_td0(env):
    states = int(gym.make(env).observation_space.n)
    rows = np.random.default_rng(1).normal(size=(states, 4)) / 4
    on, off = (kind(env, features=rows, alpha=0.05, seed=4).learn(3000) for kind in (SemiGradientTD0, SemiGradientOffPolicyTD0))
    assert np.array_equal(on.w, off.w)
    ntd = NStepOffPolicySemiGradientTD(env, features=rows, n=1, alpha=0.05, seed=4).learn(3000)
    assert np.array_equal(on.w, ntd.w)


def test_one_step_of_n_step_is_off_policy_td0():
    world, pi, b, X, _ = problem()
    one = SemiGradientOffPolicyTD0(world, policy=pi, behavior=b, features=X, gamma=GAMMA, seed=2).learn(2000)
    n = NStepOffPolicySemiGradientTD(world, policy=pi, behavior=b, features=X, gamma=GAMMA, n=1, seed=2).learn(2000)
    np.testing.assert_allclose(one.w, n.w, rtol=0, atol=1e-12)


@pytest.mark.parametrize("control_variates", [False, True])
def test_one_feature_per_state_is_the_table(control_variates):
    walk, b = random_walk(5), np.tile([0.7, 0.3], (7, 1))
    settings = {"behavior": b, "n": 3, "control_variates": control_variates, "alpha": 0.1, "seed": 6}
    linear, table = (
        NStepOffPolicySemiGradientTD(walk, **settings).learn(episodes=200),
        NStepOffPolicyTD(walk, **settings).learn(episodes=200),
    )
    assert np.array_equal(linear.w, table.V)


def test_gradient_correction_without_its_weights_is_semi_gradient_td0():
    world, pi, b, X, _ = problem()
    w, v, plain = np.zeros(D), np.zeros(D), np.zeros(D)
    features = TableFeatures.of(X)
    paths = WeightPaths.of(world, 1, 500, [np.zeros(1)])
    tdc(paths, pi, b, features, w, v, 0.02, 0.0, GAMMA, np.random.default_rng(0))
    paths = WeightPaths.of(world, 1, 500, [np.zeros(1)])
    semi_gradient_off_policy_td0(paths, pi, b, features, plain, 0.02, GAMMA, np.random.default_rng(0))
    np.testing.assert_allclose(w, plain, rtol=0, atol=1e-12)
    assert not v.any()


def test_emphasis_without_discount_of_the_past_is_off_policy_td0():
    world, pi, b, X, _ = problem()
    one = SemiGradientOffPolicyTD0(world, policy=pi, behavior=b, features=X, gamma=0.0, seed=2).learn(2000)
    two = EmphaticTD(world, policy=pi, behavior=b, features=X, gamma=0.0, seed=2).learn(2000)
    np.testing.assert_allclose(one.w, two.w, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("one", "traces", "on_policy"),
    [(SemiGradientOffPolicyTD0, OffPolicyTDLambda, False), (EmphaticTD, EmphaticTDLambda, False), (TDC, GTDLambda, True)],
)
def test_without_traces_the_methods_of_chapter_12_are_those_of_chapter_11(one, traces, on_policy):
    """GTD(lambda) leaves the ratio out where TDC shrinks its second weights, so they are equal where it is 1."""
    world, pi, b, X, _ = problem(4)
    settings = {"policy": pi, "behavior": pi if on_policy else b, "features": X, "alpha": 0.005, "gamma": GAMMA, "seed": 3}
    first, second = (
        one(world, **settings).learn(2000),
        traces(world, lam=0.0, **settings, **({"beta": 0.05} if on_policy else {})).learn(2000),
    )
    np.testing.assert_allclose(first.w, second.w, rtol=1e-9, atol=1e-12)


def test_expected_updates_are_those_of_the_matrices():
    world, pi, _, X, mu = problem(3)
    a, b, c = matrices(world, pi, X, mu)
    w, v, alpha, beta, path = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.1, -0.2]), 0.1, 0.2, np.zeros((2, D))
    features = TableFeatures.of(X)
    P, r, _ = exact_linear.chain(world, pi)
    error = r + GAMMA * P @ X @ w - X @ w
    x_ = GAMMA * P @ X

    def after(box, *arguments):
        u, second = w.copy(), v.copy()
        box(world, pi, mu, features, u, *[second] * (len(arguments) == 3), *arguments[: len(arguments) - 1], GAMMA, path)
        assert np.array_equal(path[1], u)
        assert np.array_equal(path[0], w)
        return u, second

    np.testing.assert_allclose(after(expected_updates.expected_td, alpha, None)[0], w + alpha * (b - a @ w))
    np.testing.assert_allclose(after(expected_updates.expected_residual_gradient, alpha, None)[0], w + alpha * (X - x_).T @ (mu * error))
    for box, change in (
        (expected_gradient_td.expected_gtd2, a.T @ v),
        (expected_gradient_td.expected_tdc, b - a @ w - (c - a.T) @ v),
    ):
        found, second = after(box, alpha, beta, None)
        np.testing.assert_allclose(found, w + alpha * change)
        np.testing.assert_allclose(second, v + beta * (b - a @ w - c @ v))


def test_the_naive_residual_gradient_is_the_gradient_of_the_td_error():
    world, pi, _, X, mu = problem(5)
    w, alpha = np.array([1.0, -2.0, 0.5]), 0.1

    def tde(u):
        return exact_linear.td_error(world, pi, X @ u, GAMMA, mu)

    gradient = np.array([(tde(w + 1e-5 * e) - tde(w - 1e-5 * e)) / 2e-5 for e in np.eye(D)])
    u = w.copy()
    expected_updates.expected_naive_residual_gradient(world, pi, mu, TableFeatures.of(X), u, alpha, GAMMA, np.zeros((2, D)))
    np.testing.assert_allclose(u, w - 0.5 * alpha * gradient, rtol=1e-7)


def test_the_expected_emphasis_is_that_of_the_followed_on_trace():
    world, pi, _, X, mu = problem(5)
    P, _, _ = exact_linear.chain(world, pi)
    M = mu.copy()
    expected_updates.expected_emphatic_td(world, pi, mu, 1.0, TableFeatures.of(X), np.zeros(D), M, 0.01, GAMMA, np.zeros((400, D)))
    np.testing.assert_allclose(M, np.linalg.solve(np.eye(S) - GAMMA * P.T, mu), rtol=1e-9)


def one_update(box, world, pi, b, X, tables, settings, runs):
    """Weights after one step each of many runs."""
    paths = WeightPaths.of(world, runs, 1, tables)
    features, rng = TableFeatures.of(X), np.random.default_rng(8)
    views = paths.tables(*[table.shape for table in tables])
    box(*([paths, world] if box is residual_gradient else [paths]), pi, b, features, *views, *settings, GAMMA, rng)
    return paths.paths()[:, 1]


@pytest.mark.parametrize(
    ("box", "expected", "second"),
    [
        (semi_gradient_off_policy_td0, expected_updates.expected_td, False),
        (naive_residual_gradient, expected_updates.expected_naive_residual_gradient, False),
        (residual_gradient, expected_updates.expected_residual_gradient, False),
        (gtd2, expected_gradient_td.expected_gtd2, True),
        (tdc, expected_gradient_td.expected_tdc, True),
    ],
)
def test_sampled_updates_average_to_the_expected_one(box, expected, second):
    world, pi, b, X, _ = problem(7)
    mu = np.full(S, 1.0 / S)  # a run begins in any state and takes one step
    w, v = np.array([1.0, -1.0, 0.5]), np.array([0.5, 0.2, -0.7])
    tables, settings = ([w, v], (0.1, 0.2)) if second else ([w], (0.1,))
    found = one_update(box, world, pi, b, X, tables, settings, 60_000)
    u, z = w.copy(), v.copy()
    expected(world, pi, mu, TableFeatures.of(X), *([u, z] if second else [u]), *settings, GAMMA, np.zeros((2, D)))
    target = np.concatenate([u, z]) if second else u
    error = found.std(axis=0) / np.sqrt(len(found))
    assert np.all(np.abs(found.mean(axis=0) - target) < 4.5 * error)


def test_sampled_emphasis_averages_to_the_expected_trace():
    world, pi, b, _, _ = problem(2)
    w = np.zeros(S)  # with one feature per state, and values that stay zero, a step of 1 is M rho R of its state
    steps, runs = 6, 40_000
    paths = WeightPaths.of(world, runs, steps, [w])
    emphatic_td(paths, pi, b, TableFeatures.of(np.eye(S)), *paths.tables((S,)), 1.0, 1e-9, 0.8, np.random.default_rng(3))
    last = (paths.paths()[:, steps] - paths.paths()[:, steps - 1]) / 1e-9
    begin, M, path = np.full(S, 1.0 / S), np.full(S, 1.0 / S), np.zeros((2, S))
    P_b = exact_linear.chain(world, b)[0]
    for _ in range(steps - 1):  # the behaviour's distribution changes while it begins
        begin = begin @ P_b
        expected_updates.expected_emphatic_td(world, pi, begin, 1.0, TableFeatures.of(np.eye(S)), np.zeros(S), M, 0.0, 0.8, path)
    target = M * exact_linear.chain(world, pi)[1]
    error = last.std(axis=0) / np.sqrt(runs)
    assert np.all(np.abs(last.mean(axis=0) - target) < 4.5 * error + 1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_gradient_td_converges_to_the_td_fixed_point_off_policy(seed):
    world, pi, b, X, mu = problem(seed)
    fixed = exact_linear.td_fixed_point(world, pi, X, GAMMA, mu)
    for kind in (GTD2, TDC):
        agent = kind(world, policy=pi, behavior=b, features=X, alpha=0.01, beta=0.03, gamma=GAMMA, seed=1).learn(400_000)
        values = [X @ agent.learn(500).w for _ in range(100)]
        scale = np.abs(X @ fixed).max()
        assert np.abs(np.mean(values, axis=0) - X @ fixed).max() < 0.2 * scale + 0.05, kind.__name__


def test_expected_gradient_td_ends_where_the_projected_bellman_error_is_zero():
    world, pi, _, X, mu = problem(11)
    for box in (expected_gradient_td.expected_gtd2, expected_gradient_td.expected_tdc):
        w, v, path = np.zeros(D), np.zeros(D), np.zeros((20_001, D))
        box(world, pi, mu, TableFeatures.of(X), w, v, 0.1, 0.3, GAMMA, path)
        np.testing.assert_allclose(w, exact_linear.td_fixed_point(world, pi, X, GAMMA, mu), atol=1e-6)
        np.testing.assert_allclose(v, 0.0, atol=1e-6)
        residual = exact_linear.projection(X, mu) @ exact_linear.bellman_error(world, pi, X @ w, GAMMA)
        assert exact_linear.norm(residual, mu) < 1e-10


def test_the_emphatic_limit_on_baird_is_where_all_values_are_zero():
    w, path = baird_weights(), np.zeros((40_001, 8))
    world, mu = baird_counterexample(), np.full(7, 1.0 / 7)
    expected_updates.expected_emphatic_td(world, SOLID, mu, 1.0, TableFeatures.of(baird_features()), w, mu.copy(), 0.03, 0.99, path)
    np.testing.assert_allclose(w, [1.6923] * 6 + [6.7692, -3.3846], atol=1e-4)
    np.testing.assert_allclose(baird_features() @ w, 0.0, atol=1e-6)


def test_dynamic_programming_diverges_on_baird_as_printed():
    w, path = baird_weights(), np.zeros((1001, 8))
    expected_updates.expected_td(
        baird_counterexample(), SOLID, np.full(7, 1.0 / 7), TableFeatures.of(baird_features()), w, 0.01, 0.99, path
    )
    np.testing.assert_allclose(w, [114.434] * 6 + [6.850, 335.001], atol=5e-4)


def test_the_naive_residual_gradient_puts_three_quarters_in_the_a_split():
    agent = NaiveResidualGradient(a_split(), features=np.eye(3), alpha=0.004, seed=0).learn(episodes=40_000)
    values = np.mean([agent.learn(episodes=20).w for _ in range(2000)], axis=0)
    np.testing.assert_allclose(values, [0.5, 0.75, 0.25], atol=0.02)


def test_expected_sarsa_finds_the_action_values_of_its_policy_and_q_learning_the_best_ones():
    world, pi, b, _, _ = problem(9)
    for agent in (
        OffPolicyExpectedSarsa(world, policy=pi, behavior=b, alpha=0.02, gamma=GAMMA, seed=0),
        OffPolicyQLearning(world, behavior=b, alpha=0.02, gamma=GAMMA, seed=0),
    ):
        agent.learn(200_000)
        mean = np.mean([agent.learn(500).values() for _ in range(200)], axis=0)
        np.testing.assert_allclose(mean, agent.exact_values(), atol=0.15)
    assert np.array_equal(agent.exact_values(), exact.q_star(world, GAMMA))


@pytest.mark.parametrize("terminated", [True, False])
def test_gtd2_bootstraps_at_a_truncation_and_not_at_the_end(terminated):
    agent = GTD2(OneStep(terminated), alpha=0.5, beta=1.0, gamma=0.9)
    agent.w[1] = 10.0
    agent.learn(episodes=1)
    delta = 1.0 + (0.0 if terminated else 9.0)
    assert agent.v.tolist() == [delta, 0.0]
    agent.learn(episodes=1)  # now w moves by v
    assert agent.w.tolist() == [0.5 * delta, 10.0 if terminated else 10.0 - 0.5 * 0.9 * delta]


def test_residual_gradients_do_not_reach_beyond_an_end():
    world, X = MDP.of({0: {0: [(1.0, 0, 1.0, True)]}}), OneHot(1)
    for box, model in ((naive_residual_gradient, ()), (residual_gradient, (world,))):
        w, paths = np.zeros(1), WeightPaths.of(world, 1, 1, [np.zeros(1)])
        box(paths, *model, np.ones((1, 1)), np.ones((1, 1)), X, w, 0.5, 0.9, np.random.default_rng(0))
        assert w[0] == 0.5


def test_a_behaviour_that_does_not_cover_the_policy_is_refused():
    with pytest.raises(ValueError, match="cover"):
        TDC("rlcourse/Baird-v0", features=baird_features(), policy=np.array([0.5, 0.5]), behavior=np.array([0.0, 1.0]))


def test_paths_note_the_weights_before_every_step():
    world, b = baird_counterexample(), baird_behavior()
    features, start = TableFeatures.of(baird_features()), baird_weights()
    paths = WeightPaths.of(world, 3, 20, [start], every=5)
    semi_gradient_off_policy_td0(paths, SOLID, b, features, *paths.tables((8,)), 0.01, 0.99, np.random.default_rng(0))
    noted = paths.paths()
    assert noted.shape == (3, 5, 8)
    assert np.array_equal(noted[:, 0], np.tile(start, (3, 1)))
    short = WeightPaths.of(world, 1, 10, [start])
    semi_gradient_off_policy_td0(short, SOLID, b, features, *short.tables((8,)), 0.01, 0.99, np.random.default_rng(0))
    assert np.array_equal(noted[0, 2], short.paths()[0, 10]), "the same ten steps"
    assert not np.array_equal(noted[0], noted[1])
    with pytest.raises(ValueError, match="divide"):
        WeightPaths.of(world, 1, 10, [start], every=3)
    with pytest.raises(ValueError, match="hold"):
        paths.tables((3,))
