"""Gradient TD in expectation: GTD2 and TDC in sweeps over all states (Sec. 11.7); see `expected_updates` for how such boxes work.

With A = E[rho x (x - gamma x')^T], b = E[rho R x] and C = E[x x^T] the expected updates are linear:

    v <- v + beta (b - A w - C v),    GTD2: w <- w + alpha A^T v,    TDC: w <- w + alpha (b - A w - (C - A^T) v)

and w stands still with v = 0 where A w = b, at the TD fixed point.
"""

from __future__ import annotations

import numpy as np

from rlcourse.agents.off_policy.expected_updates import add_next, expected_td_error
from rlcourse.core.box import box
from rlcourse.core.linear import add, v_hat

__all__ = ["expected_gtd2", "expected_tdc"]


@box
def expected_gtd2(model, policy, mu, features, w, v, alpha, beta, gamma, path):
    """GTD2 in expectation (Sec. 11.7)."""
    for k in range(len(path)):
        path[k] = w
        if k + 1 < len(path):
            step_w, step_v = np.zeros(len(w)), np.zeros(len(w))
            for s in range(len(mu)):
                x = features.x(s)
                delta, predicted = expected_td_error(model, policy, features, w, s, gamma), v_hat(x, v)
                add(step_w, alpha * mu[s] * predicted, x)  # w <- w + alpha E[rho (x - gamma x') v^T x]
                add_next(step_w, -alpha * mu[s] * predicted * gamma, model, policy, features, s)
                add(step_v, beta * mu[s] * (delta - predicted), x)  # v <- v + beta E[rho (delta - v^T x) x]
            add(w, 1.0, step_w)
            add(v, 1.0, step_v)


@box
def expected_tdc(model, policy, mu, features, w, v, alpha, beta, gamma, path):
    """TDC in expectation (Sec. 11.7)."""
    for k in range(len(path)):
        path[k] = w
        if k + 1 < len(path):
            step_w, step_v = np.zeros(len(w)), np.zeros(len(w))
            for s in range(len(mu)):
                x = features.x(s)
                delta, predicted = expected_td_error(model, policy, features, w, s, gamma), v_hat(x, v)
                add(step_w, alpha * mu[s] * delta, x)  # w <- w + alpha E[rho (delta x - gamma x' v^T x)]
                add_next(step_w, -alpha * mu[s] * predicted * gamma, model, policy, features, s)
                add(step_v, beta * mu[s] * (delta - predicted), x)  # v <- v + beta E[rho (delta - v^T x) x]
            add(w, 1.0, step_w)
            add(v, 1.0, step_v)
