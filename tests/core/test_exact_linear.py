"""The linear algebra of linear prediction, against closed forms and against `exact`."""

import numpy as np
import pytest

from rlcourse.core import exact, exact_linear
from rlcourse.core.mdp import MDP
from rlcourse.envs import left_or_right, random_walk
from rlcourse.features import OneHot, TableFeatures

WALK, RANDOM = random_walk(19, left=-1.0), np.full((21, 2), 0.5)
X = np.random.default_rng(5).normal(size=(21, 4))


def test_visits_of_a_symmetric_walk_are_a_triangle():
    eta = exact_linear.visits(WALK, RANDOM)
    np.testing.assert_allclose(eta[:19], [*range(1, 11), *range(9, 0, -1)], atol=1e-12)
    assert np.all(eta[19:] == 0.0), "nobody acts in a terminal state"
    np.testing.assert_allclose(exact_linear.mu(WALK, RANDOM), eta / 100)


def test_where_episodes_go_on_mu_is_stationary():
    policy = np.full((3, 2), 0.5)
    D = exact_linear.mu(left_or_right(), policy)
    np.testing.assert_allclose(D, [0.5, 0.25, 0.25])
    with pytest.raises(ValueError, match="may never end"):
        exact_linear.visits(left_or_right(), policy)


def test_two_traps_have_no_single_stationary_distribution():
    stay = MDP.of({0: {0: [(0.5, 1, 0.0, False), (0.5, 2, 0.0, False)]}, 1: {0: [(1.0, 1, 0.0, False)]}, 2: {0: [(1.0, 2, 0.0, False)]}})
    with pytest.raises(ValueError, match="only stationary"):
        exact_linear.mu(stay, np.ones((3, 1)))


@pytest.mark.parametrize("gamma", [1.0, 0.9])
@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
def test_with_one_feature_per_state_the_fixed_point_is_the_truth(gamma, lam):
    v = exact.v_pi(WALK, RANDOM, gamma)
    w = exact_linear.td_fixed_point(WALK, RANDOM, OneHot(21), gamma, lam=lam)
    np.testing.assert_allclose(w, v, atol=1e-10)


def test_td_1_has_the_fixed_point_of_monte_carlo():
    v, D = exact.v_pi(WALK, RANDOM, 1.0), exact_linear.mu(WALK, RANDOM)
    monte_carlo = exact_linear.best_weights(v, X, D)
    np.testing.assert_allclose(exact_linear.td_fixed_point(WALK, RANDOM, X, 1.0, lam=1.0), monte_carlo, atol=1e-9)
    assert np.abs(exact_linear.td_fixed_point(WALK, RANDOM, X, 1.0) - monte_carlo).max() > 0.01


def test_the_fixed_point_has_no_projected_bellman_error_and_obeys_the_bound():
    gamma = 0.9
    v, D = exact.v_pi(WALK, RANDOM, gamma), exact_linear.mu(WALK, RANDOM)
    values = X @ exact_linear.td_fixed_point(WALK, RANDOM, X, gamma)
    error, project = exact_linear.bellman_error(WALK, RANDOM, values, gamma), exact_linear.projection(X, D)
    assert exact_linear.norm(project @ error, D) == pytest.approx(0.0, abs=1e-18)
    assert exact_linear.norm(error, D) > 1e-3
    np.testing.assert_allclose(project @ project, project, atol=1e-9)
    best = exact_linear.value_error(project @ v, v, D)
    assert best <= exact_linear.value_error(values, v, D) <= best / (1 - gamma)  # (9.14)
    np.testing.assert_allclose(project @ v, X @ exact_linear.best_weights(v, X, D), atol=1e-9)


def test_the_td_error_is_the_bellman_error_and_the_noise():
    policy, values = np.array([1, 0, 0]), np.array([0.3, -0.2, 0.5])
    D = exact_linear.mu(left_or_right(), policy)
    error = exact_linear.bellman_error(left_or_right(), policy, values, 0.5)
    assert exact_linear.td_error(left_or_right(), policy, values, 0.5) == pytest.approx(exact_linear.norm(error, D)), "no noise here"
    noisy = exact_linear.td_error(WALK, RANDOM, np.zeros(21), 1.0)
    assert noisy == pytest.approx(0.01), "the first and the last state have 1 visit in 100, and half of them leave with 1 squared"
    assert exact_linear.norm(exact_linear.bellman_error(WALK, RANDOM, np.zeros(21), 1.0), exact_linear.mu(WALK, RANDOM)) == pytest.approx(
        0.005
    )


def test_active_features_make_the_same_matrix_as_vectors():
    groups = np.arange(21)[:, None] // 7
    np.testing.assert_array_equal(exact_linear.design_matrix(TableFeatures.of(groups), 21), np.eye(3)[groups[:, 0]])
    np.testing.assert_array_equal(exact_linear.design_matrix(TableFeatures.of(X), 21), X)
