"""`codes`: the features of many observations in two dimensions, by principal components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from rlcourse.core.arguments import checked
from rlcourse.inspection.play import Play

__all__ = ["Codes", "codes"]


class Codes(NamedTuple):
    """Features in the plane in which they vary most.

    Attributes
    ----------
    points : ndarray, shape [M, 2]
    values : ndarray, shape [M]
    explained : ndarray, shape [2]
        Share of the variance along each axis.
    value_r2 : float
        How much of the value's variance is linear in all features, least squares on the same observations.
    """

    points: np.ndarray
    values: np.ndarray
    explained: np.ndarray
    value_r2: float


@torch.no_grad()
@checked
def codes(played: Play) -> Codes:
    """Return the features of all observations of a play in two dimensions, by the singular value decomposition of the centred features."""
    rows = []
    for t in range(len(played.observations)):
        rows.append(played.network.codes(played.observations[t], played.before[t] if played.before else None).cpu().numpy())
    features = np.concatenate(rows).astype(np.float64)
    values = played.values.reshape(-1)
    centred = features - features.mean(0)
    _, s, vt = np.linalg.svd(centred, full_matrices=False)
    vt = np.concatenate([vt, np.zeros((2, vt.shape[1]))])[:2]  # of one feature there is one component
    share = np.concatenate([s**2, [0.0, 0.0]])[:2] / max(float((s**2).sum()), 1e-12)
    design = np.concatenate([centred, np.ones((len(centred), 1))], axis=1)
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return Codes(centred @ vt.T, values, share, float(1.0 - left.var() / max(values.var(), 1e-12)))
