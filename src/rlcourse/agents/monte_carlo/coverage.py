"""The assumption of coverage (Sec. 5.5): what the target policy may do, the behaviour policy does sometimes."""

from __future__ import annotations

import numpy as np

__all__ = ["check_coverage"]


def check_coverage(policy: np.ndarray, behavior: np.ndarray) -> None:
    """Raise ValueError where `policy` takes an action that `behavior` never takes; both [S, A] of probabilities."""
    missing = np.argwhere((policy > 0) & (behavior == 0))
    if len(missing):
        s, a = missing[0]
        raise ValueError(f"behavior never takes action {a} in state {s}, but policy does: it must cover policy")
