"""The sparse autoencoder of the UFLDL tutorial (Ng 2011): few hidden units answer to any patch, so that each finds something to stand for.

With m patches x, sigmoid units a = s(W1 x + b1) and reconstructions x^ = s(W2 a + b2), rho^_j being the mean of a_j over the patches:

    J = 1/m sum 1/2 |x^ - x|^2  +  lambda/2 (|W1|^2 + |W2|^2)  +  beta sum_j KL(rho || rho^_j)

It is minimised by L-BFGS over all patches at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import unfold

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Interval, Natural, NonNegative, Probability, Rule
from rlcourse.encoders.autoencoders import SparseCode
from rlcourse.pretraining.autoencoder import Autoencoder
from rlcourse.pretraining.fitting import Epoch, as_tensor

__all__ = ["fit_sparse", "mean_activations", "sample_patches", "sparse_objective"]


@checked
def sparse_objective(
    x: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, rho: Probability = 0.01, lam: NonNegative = 1e-4, beta: NonNegative = 3.0
) -> Tensor:
    """Return J, a scalar.

    Parameters
    ----------
    x : Tensor, shape [m, I]
        Patches.
    W1, b1, W2, b2 : Tensor, shapes [H, I], [H], [I, H], [I]
    rho : float
        What the mean activation of each unit shall be.
    lam, beta : float
        Weights of the decay and of the sparsity.
    """
    m, inputs, H = len(x) if x.ndim else 0, x.shape[-1] if x.ndim else 0, len(b1) if b1.ndim else 0
    shapes = {"x": (x, (m, inputs)), "W1": (W1, (H, inputs)), "b1": (b1, (H,)), "W2": (W2, (inputs, H)), "b2": (b2, (inputs,))}
    for name, (part, shape) in shapes.items():
        if part.shape != shape:
            raise ValueError(f"{name} must have shape {list(shape)}, by the last axis of x and the length of b1, not {list(part.shape)}")
    a = torch.sigmoid(x @ W1.t() + b1)
    error = torch.sigmoid(a @ W2.t() + b2) - x
    mean = a.mean(0)
    divergence = rho * torch.log(rho / mean) + (1.0 - rho) * torch.log((1.0 - rho) / (1.0 - mean))
    return 0.5 * (error * error).sum(1).mean() + 0.5 * lam * ((W1 * W1).sum() + (W2 * W2).sum()) + beta * divergence.sum()


def sample_patches(encoder: SparseCode, observations: np.ndarray, count: int, seed: int = 0) -> Tensor:
    """Return patches of images, shape [count, I], each from anywhere in any image, without those in which nothing is to be seen.

    Raises
    ------
    ValueError
        Where there is nothing to be seen in any of them.
    """
    rng = np.random.default_rng(seed)
    found: list[Tensor] = []
    have = 0
    for _ in range(200):
        images = encoder.images(as_tensor(observations[rng.integers(0, len(observations), 64)]))
        patches = unfold(images, encoder.patch).transpose(1, 2)  # [64, places, I]
        at = torch.from_numpy(rng.integers(0, patches.shape[1], (64, 32)))
        drawn = torch.stack([rows[i] for rows, i in zip(patches, at, strict=True)]).flatten(0, 1)
        drawn = drawn[drawn.std(1) > 1e-3]
        found.append(drawn)
        have += len(drawn)
        if have >= count:
            break
    if not have:
        raise ValueError("observations: all patches of these images are blank, so that there is nothing to learn")
    return torch.cat(found)[:count]


@torch.no_grad()
def mean_activations(encoder: SparseCode, observations: np.ndarray, count: int = 5_000, seed: int = 1) -> np.ndarray:
    """Return the mean activation of each unit, shape [units], on patches drawn by another seed than those that it learned from."""
    found: np.ndarray = (
        torch.sigmoid(encoder.linear(_prepared(encoder, sample_patches(encoder, observations, count, seed)))).mean(0).numpy()
    )
    return found


def _prepared(encoder: SparseCode, patches: Tensor) -> Tensor:
    """Return patches [N, I] centred, cut at three deviations and scaled, as the units see them."""
    bound = 3.0 * encoder.deviation
    return (patches - patches.mean(1, keepdim=True)).clamp(-bound, bound) * (0.4 / bound) + 0.5


@checked
def fit_sparse(
    model: Autoencoder,
    observations: np.ndarray,
    *,
    patches: Count = 10_000,
    iterations: Count = 400,
    rho: Annotated[float, Interval(0.0, 1.0, open_low=True), Rule(lambda rho: rho < 1.0, "be below 1")] = 0.01,
    lam: NonNegative = 1e-4,
    beta: NonNegative = 3.0,
    seed: Natural = 0,
    callback: Callable[[Epoch], None] | None = None,
) -> list[Epoch]:
    """Train a sparse autoencoder by L-BFGS; `Epoch`s are twenty iterations, their losses J on the patches and on held-out ones.

    Parameters
    ----------
    model : Autoencoder
        With the encoder "ae-sparse".
    observations : ndarray, shape [N, ...]
        Images.
    patches, iterations : int
    rho, lam, beta : float
        See `sparse_objective`.
    seed : int
        Of the patches and of the initial weights.
    callback : callable, optional
    """
    encoder = model.encoder
    if not isinstance(encoder, SparseCode):
        raise ValueError(f"fit_sparse trains the encoder 'ae-sparse', not {model.name!r}; take fit")
    if observations.shape[1:] != model.observation_space.shape:
        raise ValueError(f"observations must be images of shape {model.observation_space.shape}, not {observations.shape[1:]}")
    raw = sample_patches(encoder, observations, patches + patches // 10, seed)
    encoder.deviation.copy_((raw - raw.mean(1, keepdim=True)).std())
    x = _prepared(encoder, raw).double()
    test, x = x[len(x) * 10 // 11 :], x[: len(x) * 10 // 11]
    W1, b1, W2, b2 = weights = _initial(x.shape[1], encoder.linear.out_features, seed)
    optimizer = torch.optim.LBFGS(weights, max_iter=20, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        J = sparse_objective(x, W1, b1, W2, b2, rho, lam, beta)
        J.backward()
        return J

    found = []
    for number in range(1, max(1, iterations // 20) + 1):
        optimizer.step(closure)
        with torch.no_grad():
            train, held = (float(sparse_objective(part, W1, b1, W2, b2, rho, lam, beta)) for part in (x, test))
            for mine, learned in zip((*encoder.linear.parameters(), *model.decoder.parameters()), weights, strict=True):
                mine.copy_(learned)
        found.append(Epoch(number, train, held))
        if callback is not None:
            callback(found[-1])
    return found


def _initial(inputs: int, units: int, seed: int) -> list[Tensor]:
    """Return W1, b1, W2, b2: weights uniform within sqrt(6 / (inputs + units + 1)), biases zero."""
    generator = torch.Generator().manual_seed(seed)
    bound = (6.0 / (inputs + units + 1)) ** 0.5

    def uniform(*shape: int) -> Tensor:
        return torch.empty(*shape, dtype=torch.float64).uniform_(-bound, bound, generator=generator).requires_grad_()

    def zeros(size: int) -> Tensor:
        return torch.zeros(size, dtype=torch.float64, requires_grad=True)

    return [uniform(units, inputs), zeros(units), uniform(inputs, units), zeros(inputs)]
