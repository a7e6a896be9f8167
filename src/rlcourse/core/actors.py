"""Policies whose parameters are linear in features, and their scores grad ln pi(A|S, theta): what the boxes of chapter 13 call.

A softmax policy has preferences h(s, a, theta) = theta^T x(s, a) (13.2, 13.3). As in `rlcourse.core.linear`, either each action has
parameters of its own over features of states, theta [A, d], or all share theta [d] over features of pairs. A Gaussian policy draws an
action of k numbers, each with a mean theta_mu^T x(s) and a deviation exp(theta_sigma^T x(s)) (13.19, 13.20); both parameters are [k, d].
"""

from __future__ import annotations

import math

import numpy as np

from rlcourse.core.box import kernel
from rlcourse.core.linear import add, add_action, q_hat
from rlcourse.core.policies import softmax

__all__ = [
    "add_deviation_score",
    "add_mean_score",
    "add_score",
    "clipped",
    "gaussian_deviation",
    "gaussian_mean",
    "gaussian_sample",
    "softmax_policy",
]

LARGEST = 20.0  # of the exponent of a deviation, either way: where learning diverges no number becomes infinite


@kernel
def softmax_policy(x, theta):
    """Return pi(.|s, theta), shape [A]: the softmax of linear preferences (Eq. 13.2, 13.3)."""
    return softmax(q_hat(x, theta), 1.0)


@kernel
def add_score(theta, step, x, A, probabilities):
    """Do theta <- theta + step grad ln pi(A|s, theta), where grad ln pi(A|s) = x(s, A) - sum_b pi(b|s) x(s, b) (Eq. 13.9).

    Parameters
    ----------
    theta : ndarray, shape [A, d] or [d]
    step : float
    x : ndarray
        Features of the state or of its pairs.
    A : int
    probabilities : ndarray, shape [A]
        pi(.|s, theta).
    """
    for a in range(len(probabilities)):
        add_action(theta, step * ((1.0 if a == A else 0.0) - probabilities[a]), x, a)


@kernel
def gaussian_mean(x, theta_mu):
    """Return mu(s, theta), shape [k] (Eq. 13.20)."""
    return q_hat(x, theta_mu)


@kernel
def gaussian_deviation(x, theta_sigma):
    """Return sigma(s, theta), shape [k] (Eq. 13.20)."""
    sigma = q_hat(x, theta_sigma)
    for i in range(len(sigma)):
        sigma[i] = math.exp(min(max(sigma[i], -LARGEST), LARGEST))
    return sigma


@kernel
def gaussian_sample(mu, sigma, rng):
    """Return an action drawn from the Gaussian policy, shape [k] (Eq. 13.19)."""
    action = np.empty(len(mu))
    for i in range(len(mu)):
        action[i] = mu[i] + sigma[i] * rng.standard_normal()
    return action


@kernel
def clipped(action, low, high):
    """Return what the environment is given of an action: each number within its bounds. Scores are those of the action as drawn."""
    inside = np.empty(len(action))
    for i in range(len(action)):
        inside[i] = min(max(action[i], low[i]), high[i])
    return inside


@kernel
def add_mean_score(theta_mu, step, x, A, mu, sigma):
    """Do theta_mu <- theta_mu + step (A - mu) / sigma^2 x(s), the mean's part of the score (Exercise 13.4)."""
    for i in range(len(mu)):
        add(theta_mu[i], step * (A[i] - mu[i]) / (sigma[i] * sigma[i]), x)


@kernel
def add_deviation_score(theta_sigma, step, x, A, mu, sigma):
    """Do theta_sigma <- theta_sigma + step ((A - mu)^2 / sigma^2 - 1) x(s), the deviation's part of the score (Exercise 13.4)."""
    for i in range(len(mu)):
        error = (A[i] - mu[i]) / sigma[i]
        add(theta_sigma[i], step * (error * error - 1.0), x)
