"""What a picture of an autoencoder shows: observations, perhaps with noise, and what the decoder makes of their codes."""

from __future__ import annotations

import numpy as np
import torch

from rlcourse.pretraining.autoencoder import Autoencoder
from rlcourse.pretraining.fitting import as_tensor

__all__ = ["rows_of"]


def rows_of(model: Autoencoder, observations: np.ndarray, seed: int = 0) -> list[tuple[str, np.ndarray]]:
    """Return labels and arrays, [N, C, H, W] of images or [N, numbers] of vectors: seen, with noise where it undoes noise, and decoded."""
    x = as_tensor(observations)
    rows = [("seen", model.seen(x))]
    if model.noise:
        x = model.noisy(x, torch.Generator().manual_seed(seed))
        rows.append(("with noise", model.seen(x)))
    rows.append(("decoded", model.reconstruct(x)))
    return [(label, part.float().numpy()) for label, part in rows]
