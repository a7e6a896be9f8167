"""Example 11.3: the A-presplit, where the residual gradient is wrong with any number of samples.

A is now two states, A1 and A2, that look alike: one is always followed by B, the other by C. Each step is deterministic, so the TD error
is the Bellman error and a second sample equals the first: both algorithms are one, and both put B at 3/4 and C at 1/4. To a learner that
cannot tell A1 from A2 nothing has changed since Example 11.2, and semi-gradient TD goes on to find 1/2, 1 and 0. That the minimum of an
error depends on what cannot be seen is an objection to the error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core import exact_linear
from rlcourse.envs import a_split, a_split_features
from rlcourse.figures.ch11.example_11_2 import FAST, NAMES, SPLIT, TRUE, Settings, draw, minimiser, study
from rlcourse.figures.claims import Claim, equal, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return what `study` finds, the exact minimisers of both errors [2, 3], and the TD fixed points of split and presplit [2, 3]."""
    fixed = [
        exact_linear.td_fixed_point(a_split(presplit), np.ones((3 + presplit, 1)), a_split_features(presplit), 1.0)
        for presplit in (False, True)
    ]
    minimisers = np.array([minimiser(True, bellman) for bellman in (False, True)])
    return study(True, settings, lab) | {"minimisers": minimisers, "fixed": np.array(fixed)}


def claims(data: dict[str, np.ndarray], settings: Any) -> list[Claim]:
    """Return the values and the errors of the example."""
    naive, two = data["weights"][:, :, -20:].mean(axis=2)
    found = [
        equal("A1 is worth 1 and A2 nothing", float(np.abs(data["truth"] - [1.0, 0.0, 1.0, 0.0]).max()), 0.0, 1e-12),
        equal("the Bellman error is smallest at 1/2, 3/4 and 1/4", float(np.abs(data["minimisers"][1] - SPLIT).max()), 0.0, 1e-9),
        equal("so is the TD error", float(np.abs(data["minimisers"][0] - SPLIT).max()), 0.0, 1e-9),
        equal("the Bellman error there is 1/16", float(data["errors"][1, 1]), 1 / 16, 1e-12),
        equal("at 1/2, 1 and 0 it is 1/8", float(data["errors"][0, 1]), 1 / 8, 1e-12),
        true("the fixed point of TD is the same in split and presplit: 1/2, 1 and 0", np.allclose(data["fixed"], TRUE, rtol=0, atol=1e-9)),
    ]
    for i, name in enumerate(NAMES):
        found.append(equal(f"one sample: {name} becomes {SPLIT[i]:g}", mean(naive[:, i]), SPLIT[i], 0.01))
        found.append(equal(f"two samples: {name} becomes {SPLIT[i]:g}", mean(two[:, i]), SPLIT[i], 0.01))
    return found
