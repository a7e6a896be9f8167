"""Exercise 7.7: off-policy prediction of action values, with control variates and without.

The exercise asks for the algorithm of (7.14); here it runs, on the walk of Exercise 7.10, beside the simple one that weights each
update with the ratio of the following actions (7.11). For action values the control variates do more than for state values: the target
bootstraps from the expectation over actions, and where the transitions are deterministic all its noise is in differences G - Q that
vanish as the values become right. So a constant step size converges to the exact values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.agents.n_step.n_step_off_policy_q import n_step_off_policy_q
from rlcourse.core import exact
from rlcourse.figures.ch07.exercise_7_10 import FAST, STATES, Settings, common_claims, draw, study
from rlcourse.figures.claims import Claim, equal
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

ALPHAS = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8])


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return errors without and with control variates; see `rlcourse.figures.ch07.exercise_7_10.study`."""
    return study(n_step_off_policy_q, ALPHAS, settings, lab, exact.q_pi, (STATES + 2, 2))


def claims(data: dict[str, np.ndarray], settings: Any) -> list[Claim]:
    """Return what the two algorithms differ in."""
    exact_ = "with control variates there is no noise left at the end: the walk is deterministic, and the differences vanish"
    return [*common_claims(data), equal(exact_, float(data["long"][1].max()), 0.0, 1e-4)]
