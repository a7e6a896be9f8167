"""Eligibility traces: vectors of the shape of the weights that remember which of them took part in recent values (chapter 12).

Each step imprints the features of the present pair on the trace z, moves the weights along z and lets z fade by gamma lambda. How the
imprint adds up is the kind of the trace; boxes have it as a number, the place of its name in `KINDS`:

* accumulating: z <- z + x;
* replacing: z_i <- 1 where the binary feature i is active, so that no trace exceeds 1 (12.12);
* clearing: replacing, and the traces of the state's other actions end;
* dutch: z <- z + (1 - alpha z^T x) x, in between, for features of all kinds (12.11).
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.box import kernel, typed_kernel
from rlcourse.core.linear import add_action, q_hat_of, replace_action

__all__ = ["DUTCH", "KINDS", "imprint", "inner", "step_and_fade"]

KINDS = ("accumulating", "replacing", "clearing", "dutch")
ACCUMULATING, REPLACING, CLEARING, DUTCH = range(4)


@kernel
def imprint(z, x, A, kind, alpha):
    """Leave the features of a pair on the trace z, which has faded already."""
    if kind == ACCUMULATING:
        add_action(z, 1.0, x, A)
    elif kind == DUTCH:
        add_action(z, 1.0 - alpha * q_hat_of(x, z, A), x, A)
    else:
        if kind == CLEARING:
            for a in range(len(z) if z.ndim == 2 else len(x)):
                if a != A:
                    replace_action(z, x, a, 0.0)
        replace_action(z, x, A)


def step_and_fade(w, step, z, fade):
    """Do w <- w + step z, then z <- fade z: with step = alpha delta and fade = gamma lambda the last lines of a step, in one pass."""
    w += step * z
    z *= fade


@typed_kernel(step_and_fade)
def _step_and_fade(w, step, z, fade):
    if w.ndim == 2:

        def rows(w, step, z, fade):
            for a in range(len(w)):
                step_and_fade(w[a], step, z[a], fade)

        return rows

    def row(w, step, z, fade):
        for i in range(len(w)):
            w[i] += step * z[i]
            z[i] *= fade

    return row


def inner(u, v):
    """Return the sum of products of two vectors, or of two arrays [A, d]."""
    return float(np.add.accumulate((u * v).ravel())[-1])


@typed_kernel(inner)
def _inner(u, v):
    if u.ndim == 2:

        def rows(u, v):
            total = 0.0
            for a in range(len(u)):
                for i in range(len(u[a])):
                    total += u[a, i] * v[a, i]
            return total

        return rows

    def row(u, v):
        total = 0.0
        for i in range(len(u)):
            total += u[i] * v[i]
        return total

    return row
