"""Linear values over features: what the boxes of chapters 9 to 13 call.

The features of a state are one array x. Floats are the vector x(s) itself; integers are the indices of the active ones among binary
features (-1 is none), and then every product with x is a short sum. For action values the array has one row for all
actions, and each action has weights of its own, w [A, d]; or one row per action, x(s, a), and the actions share w [d].

Sums run in order, so that interpreted and compiled code agree to the last bit.
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.box import kernel, typed_kernel

__all__ = ["add", "add_action", "buffer", "coordinate", "pi", "q_hat", "q_hat_of", "replace", "replace_action", "v_hat"]


def v_hat(x, w):
    """Return v(s, w) = w^T x(s) (Eq. 9.8); also the product of any vector with x."""
    terms = w[x[x >= 0]] if x.dtype.kind == "i" else w * x
    return float(np.add.accumulate(terms)[-1]) if len(terms) else 0.0


@typed_kernel(v_hat)
def _v_hat(x, w):
    if _is_index(x):

        def sparse(x, w):
            total = 0.0
            for i in x:
                if 0 <= i < len(w):  # memory beyond is not ours, whatever features say
                    total += w[i]
            return total

        return sparse

    def dense(x, w):
        total = 0.0
        for i in range(len(x)):
            total += w[i] * x[i]
        return total

    return dense


def add(w, step, x):
    """Do w <- w + step x: with step = alpha delta, a semi-gradient step (Eq. 9.7)."""
    if x.dtype.kind == "i":
        np.add.at(w, x[x >= 0], step)
    else:
        w += step * x


@typed_kernel(add)
def _add(w, step, x):
    if _is_index(x):

        def sparse(w, step, x):
            for i in x:
                if 0 <= i < len(w):
                    w[i] += step

        return sparse

    def dense(w, step, x):
        for i in range(len(x)):
            w[i] += step * x[i]

    return dense


def replace(z, x, value=1.0):
    """Do z_i <- value where the binary feature i is active: 1 for replacing traces (Eq. 12.12), 0 to clear them; of vectors, value x_i."""
    if x.dtype.kind == "i":
        z[x[x >= 0]] = value
    else:
        z[x != 0.0] = value * x[x != 0.0]


@typed_kernel(replace)
def _replace(z, x, value=1.0):
    def sparse(z, x, value=1.0):
        for i in x:
            if 0 <= i < len(z):
                z[i] = value

    def dense(z, x, value=1.0):
        for i in range(len(x)):
            if x[i] != 0.0:
                z[i] = value * x[i]

    return sparse if _is_index(x) else dense


@kernel
def q_hat(x, w):
    """Return q(s, a, w) of all actions, shape [A]."""
    n = len(w) if w.ndim == 2 else len(x)
    values = np.empty(n)
    for a in range(n):
        values[a] = q_hat_of(x, w, a)
    return values


def q_hat_of(x, w, A):
    """Return q(s, A, w) of one action."""
    return v_hat(x, w[A]) if w.ndim == 2 else v_hat(x[A], w)


@typed_kernel(q_hat_of)
def _q_hat_of(x, w, A):
    if w.ndim == 2:
        return lambda x, w, A: v_hat(x, w[A])
    return lambda x, w, A: v_hat(x[A], w)


def add_action(w, step, x, A):
    """Do w <- w + step x(s, A)."""
    if w.ndim == 2:
        add(w[A], step, x)
    else:
        add(w, step, x[A])


@typed_kernel(add_action)
def _add_action(w, step, x, A):
    if w.ndim == 2:
        return lambda w, step, x, A: add(w[A], step, x)
    return lambda w, step, x, A: add(w, step, x[A])


def replace_action(z, x, A, value=1.0):
    """Do z_i <- value for the active features of one action."""
    if z.ndim == 2:
        replace(z[A], x, value)
    else:
        replace(z, x[A], value)


@typed_kernel(replace_action)
def _replace_action(z, x, A, value=1.0):
    if z.ndim == 2:
        return lambda z, x, A, value=1.0: replace(z[A], x, value)
    return lambda z, x, A, value=1.0: replace(z, x[A], value)


@kernel
def buffer(x, m):
    """Return room for the features of m states, shape [m, ...], of the shape and kind of x; what is in it is not defined."""
    return np.empty((m,) + x.shape, x.dtype)  # noqa: RUF005 - numba wants the sum


def coordinate(state, i):
    """Return coordinate i of a state as a float64: state[i], or the state itself where it is one number."""
    return float(state[i]) if np.ndim(state) else float(state)


@typed_kernel(coordinate)
def _coordinate(state, i):
    if hasattr(state, "count") or hasattr(state, "ndim"):  # a tuple of floats, or an array
        return lambda state, i: float(state[i])
    return lambda state, i: float(state)


def pi(policy, S):
    """Return pi(.|S), shape [A]: a row of probabilities [S, A], the same [A] everywhere, or what ``policy.probabilities(S)`` says."""
    if isinstance(policy, np.ndarray):
        return policy[S] if policy.ndim == 2 else policy
    return policy.probabilities(S)


@typed_kernel(pi)
def _pi(policy, S):
    if not hasattr(policy, "ndim"):
        return lambda policy, S: policy.probabilities(S)
    if policy.ndim == 2:
        return lambda policy, S: policy[S]
    return lambda policy, S: policy


def _is_index(x):
    """Whether a numba array type holds integers: indices of active features."""
    from numba.types import Integer

    return isinstance(x.dtype, Integer)
