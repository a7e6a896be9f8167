"""Policies linear in features: their scores against finite differences of the logarithm of their probabilities."""

import math

import numpy as np
import pytest

from rlcourse.core import actors
from rlcourse.core.episodes import returns_of

RNG = np.random.default_rng(3)
FEATURES = {  # kind: (features of a state or of its 3 pairs, shape of theta)
    "dense features of states": (RNG.normal(size=5), (3, 5)),
    "active features of states": (np.array([4, 0, -1, 2]), (3, 5)),
    "dense features of pairs": (RNG.normal(size=(3, 5)), (5,)),
    "active features of pairs": (np.array([[0, 4], [1, 4], [3, -1]]), (5,)),
}


def differences(function, theta, eps=1e-6):
    """Return the gradient of a function by central differences."""
    gradient = np.zeros_like(theta)
    for i in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[i] = eps
        gradient[i] = (function(theta + step) - function(theta - step)) / (2 * eps)
    return gradient


@pytest.mark.parametrize("kind", FEATURES)
def test_the_score_of_a_softmax_policy_is_the_gradient_of_the_logarithm(kind):
    x, shape = FEATURES[kind]
    theta = np.random.default_rng(1).normal(size=shape)
    for A in range(3):
        found = np.zeros(shape)
        actors.add_score(found, 2.0, x, A, actors.softmax_policy(x, theta))
        wanted = differences(lambda t, A=A: math.log(actors.softmax_policy(x, t)[A]), theta)
        np.testing.assert_allclose(found, 2.0 * wanted, atol=1e-8)


@pytest.mark.parametrize("kind", FEATURES)
def test_the_expected_score_is_zero(kind):
    x, shape = FEATURES[kind]
    probabilities = actors.softmax_policy(x, np.random.default_rng(2).normal(size=shape))
    total = np.zeros(shape)
    for A in range(3):
        actors.add_score(total, probabilities[A], x, A, probabilities)
    np.testing.assert_allclose(total, 0.0, atol=1e-15)


@pytest.mark.parametrize("x", [RNG.normal(size=5), np.array([4, 0, -1, 2])], ids=["dense", "active"])
def test_the_scores_of_a_gaussian_policy_are_the_gradients_of_the_log_density(x):
    rng = np.random.default_rng(1)
    theta_mu, theta_sigma, action = 0.5 * rng.normal(size=(2, 5)), 0.5 * rng.normal(size=(2, 5)), rng.normal(size=2)

    def log_density(mean, deviation):
        mu, sigma = actors.gaussian_mean(x, mean), actors.gaussian_deviation(x, deviation)
        return sum(-0.5 * ((a - m) / s) ** 2 - math.log(s) - 0.5 * math.log(2 * math.pi) for a, m, s in zip(action, mu, sigma, strict=True))

    mu, sigma = actors.gaussian_mean(x, theta_mu), actors.gaussian_deviation(x, theta_sigma)
    of_mean, of_deviation = np.zeros((2, 5)), np.zeros((2, 5))
    actors.add_mean_score(of_mean, 3.0, x, action, mu, sigma)
    actors.add_deviation_score(of_deviation, 3.0, x, action, mu, sigma)
    np.testing.assert_allclose(of_mean, 3.0 * differences(lambda t: log_density(t, theta_sigma), theta_mu), atol=1e-6)
    np.testing.assert_allclose(of_deviation, 3.0 * differences(lambda t: log_density(theta_mu, t), theta_sigma), atol=1e-6)


def test_a_gaussian_sample_has_mean_and_deviation():
    mu, sigma, rng = np.array([1.0, -2.0]), np.array([0.5, 3.0]), np.random.default_rng(0)
    drawn = np.array([actors.gaussian_sample(mu, sigma, rng) for _ in range(20_000)])
    np.testing.assert_allclose(drawn.mean(axis=0), mu, atol=4 * 3.0 / math.sqrt(20_000))
    np.testing.assert_allclose(drawn.std(axis=0), sigma, rtol=0.03)


def test_an_action_is_clipped_number_by_number():
    action = np.array([-3.0, 0.5, 7.0])
    assert actors.clipped(action, np.array([-1.0, -1.0, -np.inf]), np.array([1.0, 1.0, np.inf])).tolist() == [-1.0, 0.5, 7.0]
    assert action.tolist() == [-3.0, 0.5, 7.0], "scores are those of the action as drawn"


def test_a_deviation_stays_finite_where_learning_diverges():
    for theta in (1e6, -1e6):
        assert 0.0 < actors.gaussian_deviation(np.ones(1), np.full((1, 1), theta))[0] < 1e9


def test_returns_are_discounted_sums_of_what_follows():
    episode = [(0, 1, 1.0), (2, 0, 10.0), (1, 1, 100.0)]
    assert returns_of(episode, 0.5, 8.0).tolist() == [1 + 5 + 25 + 1, 10 + 50 + 2, 100 + 4]
