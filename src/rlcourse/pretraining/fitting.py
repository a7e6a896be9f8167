"""`fit`: minibatches and Adam, for autoencoders, classifiers and translators; the last tenth of the data is held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlcourse.core.arguments import checked

__all__ = ["Epoch", "fit", "held_out"]


class Epoch(NamedTuple):
    """What a pass over the data gave.

    Attributes
    ----------
    number : int
    train, test : float
        Mean loss on the data, while learning, and on what was held out, after the pass.
    accuracy : float or None
        Of a classifier on what was held out; of a translator the share of exact answers.
    """

    number: int
    train: float
    test: float
    accuracy: float | None = None


def held_out(n: int) -> int:
    """Return how many of n observations are not learned from."""
    return max(1, n // 10)


@checked
def fit(
    module: Any,
    observations: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    epochs: int = 20,
    batch_size: int = 200,
    learning_rate: float = 1e-3,
    seed: int = 0,
    max_grad_norm: float | None = None,
    callback: Callable[[Epoch], None] | None = None,
) -> list[Epoch]:
    """Train an autoencoder, a classifier or a translator by Adam.

    Parameters
    ----------
    module : Autoencoder, Classifier or Translator
        Ends in eval mode.
    observations : ndarray, shape [N, ...]
        The last tenth is held out.
    labels : ndarray of int, shape [N] or [N, T], optional
        For a classifier, or the answers for a translator.
    epochs, batch_size : int
    learning_rate : float
    seed : int
        Of the order of the data and of the noise.
    max_grad_norm : float, optional
        The gradient is clipped to it.
    callback : callable, optional
        ``callback(epoch)`` after each pass.

    Returns
    -------
    list of Epoch
    """
    if not callable(getattr(module, "parameters", None)):
        raise ValueError(f"module must be an Autoencoder or a Classifier, not {type(module).__name__}")
    _check(observations, labels, {"epochs": epochs, "batch_size": batch_size}, learning_rate, max_grad_norm)
    parts = [as_tensor(observations)] + ([] if labels is None else [torch.from_numpy(np.asarray(labels, np.int64))])
    if hasattr(module, "check_pairs"):
        module.check_pairs(*parts)
    n = len(observations) - held_out(len(observations))
    if hasattr(module, "standardise"):
        module.standardise(observations[:n])
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(module.parameters(), lr=learning_rate)
    found = []
    try:
        for number in range(1, epochs + 1):
            module.train()
            losses = []
            for rows in torch.randperm(n, generator=generator).split(batch_size):
                loss = module.loss(*(part[rows] for part in parts), generator=generator)
                optimizer.zero_grad()
                loss.backward()
                if max_grad_norm is not None:
                    torch.nn.utils.clip_grad_norm_(module.parameters(), max_grad_norm)
                optimizer.step()
                losses.append(loss.detach() * len(rows))
            module.eval()
            train = float(torch.stack(losses).sum()) / n
            accuracy = None if labels is None else module.accuracy(*(part[n:] for part in parts))
            found.append(Epoch(number, train, _loss(module, [part[n:] for part in parts]), accuracy))
            if not np.isfinite(train):
                raise FloatingPointError(f"the loss is no longer a number in epoch {number}: lower learning_rate")
            if callback is not None:
                callback(found[-1])
    finally:
        module.eval()
    return found


def _check(observations: Any, labels: Any, counts: dict[str, int], learning_rate: float, max_grad_norm: float | None) -> None:
    """Refuse what nothing can be learned from or with."""
    if len(observations) < 2:
        raise ValueError(f"observations must be at least 2, one to learn from and one to test with, not {len(observations)}")
    if labels is not None and len(labels) != len(observations):
        raise ValueError(f"labels must be one for each of {len(observations)} observations, not {len(labels)}")
    for name, number in counts.items():
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {number!r}")
    if not 0.0 < learning_rate < 1e30:
        raise ValueError(f"learning_rate must be a number above 0 and below 1e30, not {learning_rate!r}")
    if max_grad_norm is not None and not max_grad_norm > 0.0:
        raise ValueError(f"max_grad_norm must be above 0, or None, which clips nothing, not {max_grad_norm!r}")


def as_tensor(observations: np.ndarray) -> Tensor:
    """Return observations as networks take them: float64 becomes float32."""
    return torch.from_numpy(observations.astype(np.float32) if observations.dtype == np.float64 else np.ascontiguousarray(observations))


@torch.no_grad()
def _loss(module: Any, parts: list[Tensor]) -> float:
    pieces = zip(*(part.split(500) for part in parts), strict=True)
    return sum(float(module.loss(*piece)) * len(piece[0]) for piece in pieces) / len(parts[0])
