"""The lambda-return (Sec. 12.1): the mean of all n-step returns, each weighted with lambda^(n-1), as a sum from the end."""

from __future__ import annotations

from rlcourse.core.box import kernel
from rlcourse.core.linear import v_hat

__all__ = ["lambda_return"]


@kernel
def lambda_return(xs, rewards, t, h, terminated, w, gamma, lam):
    """Return G^lambda_t:h, the lambda-return of time t that looks as far as time h, valued by w (Eqs. 12.3, 12.9).

    Computed backwards (Exercise 12.1): G_k <- R_k+1 + gamma [(1 - lambda) v(S_k+1) + lambda G_k+1]. At the horizon both v(S_h) and G_h
    are 0 where the episode has terminated, and the value of S_h where it has not. xs is a list of x(S_0), ..., x(S_h), and rewards one of
    R_1, ..., R_h behind a number that is not used.
    """
    v = 0.0 if terminated else v_hat(xs[h], w)
    G = v
    for k in range(h - 1, t - 1, -1):
        G = rewards[k + 1] + gamma * ((1.0 - lam) * v + lam * G)
        v = v_hat(xs[k], w)
    return G
