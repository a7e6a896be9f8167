"""The expected updates of chapter 11: what the sampled methods do on average, computed from an exact model in sweeps over all states.

Each box makes as many sweeps as `path` has rows after the first, and notes the weights before each and after the last. Updates are
synchronous: a sweep reads the weights that it began with. The weight of a state in the sweep is mu(s): how often the behaviour policy is
there, or 1 / |S| for dynamic programming (11.9). `policy` is the target [S, A]; the behaviour enters through mu alone, because the ratios
are there to make each expected update one under pi. Linear in w as they are, they converge or diverge as the matrices in
`rlcourse.core.exact_linear` say.
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.box import box, kernel
from rlcourse.core.linear import add, v_hat

__all__ = [
    "add_next",
    "expected_emphatic_td",
    "expected_naive_residual_gradient",
    "expected_residual_gradient",
    "expected_td",
    "expected_td_error",
]


@kernel
def expected_td_error(model, policy, features, w, s, gamma):
    """Return E_pi[R + gamma v(S', w) | s] - v(s, w): the Bellman error of a state (11.18)."""
    total = 0.0
    for a in range(policy.shape[1]):
        for k in range(model.successor.shape[2]):
            p = policy[s, a] * model.probability[s, a, k]
            if p > 0.0:
                target = model.reward[s, a, k]
                if not model.terminal[s, a, k]:
                    target += gamma * v_hat(features.x(model.successor[s, a, k]), w)
                total += p * target
    return total - v_hat(features.x(s), w)


@kernel
def add_next(step, amount, model, policy, features, s):
    """Do step <- step + amount E_pi[x(S') | s]; nothing follows the end of an episode."""
    for a in range(policy.shape[1]):
        for k in range(model.successor.shape[2]):
            p = policy[s, a] * model.probability[s, a, k]
            if p > 0.0 and not model.terminal[s, a, k]:
                add(step, amount * p, features.x(model.successor[s, a, k]))


@box
def expected_td(model, policy, mu, features, w, alpha, gamma, path):
    """Expected semi-gradient TD: with mu = 1 / |S| it is semi-gradient dynamic programming (11.9)."""
    for k in range(len(path)):
        path[k] = w
        if k + 1 < len(path):
            step = np.zeros(len(w))
            for s in range(len(mu)):  # w <- w + alpha sum_s mu(s) (E_pi[R + gamma v(S', w) | s] - v(s, w)) grad v(s, w)
                add(step, alpha * mu[s] * expected_td_error(model, policy, features, w, s, gamma), features.x(s))
            add(w, 1.0, step)


@box
def expected_naive_residual_gradient(model, policy, mu, features, w, alpha, gamma, path):
    """Gradient descent in the mean squared TD error (11.23), in expectation."""
    for k in range(len(path)):
        path[k] = w
        if k + 1 < len(path):
            step = np.zeros(len(w))
            for s in range(len(mu)):
                for a in range(policy.shape[1]):
                    for i in range(model.successor.shape[2]):
                        p = alpha * mu[s] * policy[s, a] * model.probability[s, a, i]
                        if p > 0.0:  # w <- w + alpha E[rho delta (grad v(S, w) - gamma grad v(S', w))]
                            x, x_ = features.x(s), features.x(model.successor[s, a, i])
                            ends = model.terminal[s, a, i]
                            delta = model.reward[s, a, i] + (0.0 if ends else gamma * v_hat(x_, w)) - v_hat(x, w)
                            add(step, p * delta, x)
                            if not ends:
                                add(step, -p * delta * gamma, x_)
            add(w, 1.0, step)


@box
def expected_residual_gradient(model, policy, mu, features, w, alpha, gamma, path):
    """Gradient descent in the mean squared Bellman error (Sec. 11.5)."""
    for k in range(len(path)):
        path[k] = w
        if k + 1 < len(path):
            step = np.zeros(len(w))
            for s in range(len(mu)):  # w <- w + alpha sum_s mu(s) BE(s) (grad v(s, w) - gamma E_pi[grad v(S', w) | s])
                error = alpha * mu[s] * expected_td_error(model, policy, features, w, s, gamma)
                add(step, error, features.x(s))
                add_next(step, -gamma * error, model, policy, features, s)
            add(w, 1.0, step)


@box
def expected_emphatic_td(model, policy, mu, interest, features, w, M, alpha, gamma, path):
    """One-step emphatic TD in expectation (Sec. 11.8); M [S] begins as mu times the interest, and is mu(s) E[M_t | S_t = s]."""
    for k in range(len(path)):
        path[k] = w
        if k + 1 < len(path):
            step, following = np.zeros(len(w)), np.zeros(len(mu))
            for s in range(len(mu)):  # w <- w + alpha E[M rho delta grad v(S, w)]
                add(step, alpha * M[s] * expected_td_error(model, policy, features, w, s, gamma), features.x(s))
                following[s] += mu[s] * interest  # M' <- gamma rho M + I
                for a in range(policy.shape[1]):
                    for i in range(model.successor.shape[2]):
                        if not model.terminal[s, a, i]:
                            following[model.successor[s, a, i]] += gamma * policy[s, a] * model.probability[s, a, i] * M[s]
            add(w, 1.0, step)
            M[:] = following
