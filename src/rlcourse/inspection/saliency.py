"""`saliency`: on which parts of an observation the network's outputs depend, by gradient and by perturbation.

The gradient is |dV / dx|, summed over channels. The perturbation is that of Greydanus et al. (2018): around each place the image is
blurred, I' = (1 - M) I + M blur(I), and S = 1/2 |pi(I) - pi(I')|^2 is how far the outputs move. Of a vector each number is replaced by
its mean over the play.

A picture of what the input looks like is no explanation: with all weights drawn anew it has to look different (Adebayo et al. 2018).
S depends on the image itself, however: where blurring changes nothing it is zero for any network, and elsewhere large where blurring
changes much. Only S in proportion to that change, 1/2 |I - I'|^2, can tell one network from another.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.spaces import short
from rlcourse.inspection.network import Network
from rlcourse.inspection.play import Play

__all__ = ["Saliency", "mass_within", "rank_correlation", "saliency"]

_BLUR = 3.0  # pixels, Greydanus et al.'s
_MASK = 1 / 16  # of the shorter side: their 5 pixels of 80
_CHUNK = 256
_DRAWS = 3  # of weights, for the correlations


class Saliency(NamedTuple):
    """Of K observations; of a vector, [K, numbers] instead of [K, H, W].

    Attributes
    ----------
    seen : ndarray, shape [K, C, H, W]
    gradient, perturbation : ndarray, shape [K, H, W]
    gradient_redrawn, perturbation_redrawn : ndarray
        The same with all weights drawn anew.
    correlations : dict of str to float
        Mean rank correlation with the same for weights drawn anew, over observations and three draws: of "gradient", of "perturbation", and
        of "perturbation per change", both over places where blurring changes the image. nan where all are flat.
    boxes : list
        Of each observation, where its world says what matters: (top, bottom, left, right) each.
    """

    seen: np.ndarray
    gradient: np.ndarray
    perturbation: np.ndarray
    gradient_redrawn: np.ndarray
    perturbation_redrawn: np.ndarray
    correlations: dict[str, float]
    boxes: list[Any]


@checked
def saliency(played: Play, moments: list[tuple[int, int]], seed: int = 1) -> Saliency:
    """Return saliency at some moments (step, copy) of a play.

    Parameters
    ----------
    played : Play
    moments : list of (int, int)
    seed : int
        Of the weights that are drawn anew.

    Raises
    ------
    ValueError
        Where observations are no numbers.
    """
    network = played.network
    if not isinstance(network.space, gym.spaces.Box) or not (network.image or np.issubdtype(network.space.dtype, np.floating)):
        raise ValueError(f"saliency needs images or vectors of numbers, not {short(network.space)}")
    length, copies = played.starts.shape
    for i, moment in enumerate(moments or [()]):  # none is no moment either
        t, copy = numbers(f"moments[{i}]", moment, (2,)).tolist()
        if not (t % 1 == copy % 1 == 0 and 0 <= t < length and 0 <= copy < copies):
            raise ValueError(f"moments[{i}] must be a step in 0..{length - 1} and a copy in 0..{copies - 1}, not {moment!r:.60}")
    x = torch.stack([played.observations[t, copy] for t, copy in moments])
    before = [played.state(t, copy) for t, copy in moments]
    mean = played.observations.flatten(0, 1).float().mean(0)
    inputs = network.pictures(x) if network.image else x.float()

    def both() -> tuple[np.ndarray, np.ndarray]:
        rows = list(zip(inputs, before, strict=True))
        return np.stack([_gradient(network, *row) for row in rows]), np.stack([_perturbed(network, *row, mean) for row in rows])

    gradient, perturbation = both()
    redrawn = []
    for draw in range(_DRAWS):
        with network.redrawn(seed + draw):
            redrawn.append(both())
    itself = network._replace(memory=None, of_features=lambda images: images.flatten(1).float())  # whose outputs are the image
    change = np.stack([_perturbed(itself, row, None, mean) for row in inputs])
    where = change > 1e-9
    correlations = {
        "gradient": [_correlation(gradient, each, np.ones_like(where)) for each, _ in redrawn],
        "perturbation": [_correlation(perturbation, each, where) for _, each in redrawn],
        "perturbation per change": [_correlation(perturbation, each, where, change) for _, each in redrawn],
    }
    tells = getattr(played.world, "boxes", None)
    states = played.states
    boxes = [] if tells is None or states is None else [tells(tuple(states[t, copy].tolist())) for t, copy in moments]
    return Saliency(
        inputs.cpu().numpy(),
        gradient,
        perturbation,
        *redrawn[0],
        {name: float(np.mean(each)) for name, each in correlations.items()},
        boxes,
    )


@checked
def mass_within(maps: np.ndarray, boxes: list[Any], margin: int = 2) -> tuple[float, float]:
    """Return the share of the mass of maps [K, H, W] that lies within so many pixels of boxes, and the share of the area that does."""
    if maps.ndim != 3 or len(boxes) != len(maps) or not len(maps):
        raise ValueError(f"maps must have shape [K, H, W] and boxes be K lists, not {list(maps.shape)} and {len(boxes)}")
    for i, mine in enumerate(boxes):
        for box in [mine] if not isinstance(mine, list | tuple | np.ndarray) else mine:
            numbers(f"boxes[{i}]", box, (4,))
    masses, areas = [], []
    for each, mine in zip(maps, boxes, strict=True):
        inside = np.zeros(each.shape, bool)
        for top, bottom, left, right in mine:
            inside[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = True
        masses.append(each[inside].sum() / max(each.sum(), 1e-12))
        areas.append(inside.mean())
    return float(np.mean(masses)), float(np.mean(areas))


@checked
def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's rank correlation of two arrays of the same size; equal numbers share their mean rank; nan where one is flat."""
    if a.size != b.size or not a.size:
        raise ValueError(f"a and b must hold as many numbers, at least one, not {a.size} and {b.size}")
    x, y = (_ranks(np.ravel(each)) for each in (a, b))
    return float("nan") if x.std() * y.std() == 0 else float(np.corrcoef(x, y)[0, 1])


def _ranks(x: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    ranks: np.ndarray = (ends - (counts - 1) / 2.0)[inverse]
    return ranks


def _correlation(a: np.ndarray, b: np.ndarray, where: np.ndarray, per: np.ndarray | None = None) -> float:
    """Return the mean over observations of the rank correlation at some places, of maps divided by a third."""
    per = np.ones_like(a) if per is None else per
    found = [rank_correlation(x[w] / each[w], y[w] / each[w]) for x, y, w, each in zip(a, b, where, per, strict=True) if w.sum() > 2]
    found = [each for each in found if np.isfinite(each)]
    return float(np.mean(found)) if found else float("nan")


def _gradient(network: Network, row: Tensor, state: Any) -> np.ndarray:
    with torch.enable_grad():
        leaf = row[None].clone().requires_grad_()
        value = network.value(network.seen(leaf) if network.image else leaf, state)
        (slope,) = torch.autograd.grad(value.sum(), leaf)
    return slope[0].abs().sum(0).cpu().numpy() if network.image else slope[0].abs().cpu().numpy()


@torch.no_grad()
def _perturbed(network: Network, row: Tensor, state: Any, mean: Tensor) -> np.ndarray:
    """Return S at each place, [H, W], or of each number, [n]."""
    if not network.image:
        rows = row.reshape(1, -1).repeat(row.numel(), 1)
        rows[range(row.numel()), range(row.numel())] = mean.reshape(-1)
        changed = _moved(network, row[None], rows.view(-1, *row.shape), state)
        return changed.reshape(row.shape)
    _, height, width = row.shape
    blurred = _blur(row[None], min(_BLUR, min(height, width) / 6.0))[0]
    step, sigma = max(1, min(height, width) // 28), max(0.5, min(height, width) * _MASK)
    ys, xs = range(0, height, step), range(0, width, step)
    y, x = torch.arange(height, device=row.device).view(-1, 1), torch.arange(width, device=row.device)
    found = []
    places = [(i, j) for i in ys for j in xs]
    for begin in range(0, len(places), _CHUNK):
        some = places[begin : begin + _CHUNK]
        masks = torch.stack([torch.exp(-((y - i) ** 2 + (x - j) ** 2) / (2.0 * sigma**2)) for i, j in some])[:, None]
        found.append(_moved(network, network.seen(row[None]), network.seen((1.0 - masks) * row + masks * blurred), state))
    coarse = np.concatenate(found).reshape(len(ys), len(xs))
    return coarse.repeat(step, 0).repeat(step, 1)[:height, :width]


def _moved(network: Network, x: Tensor, changed: Tensor, state: Any) -> np.ndarray:
    """Return 1/2 |pi(x) - pi(x')|^2 for changed observations [B, ...], shape [B]."""
    many = None if state is None else tuple(part.expand(-1, len(changed), -1).contiguous() for part in state)
    difference = network.outputs(changed, many) - network.outputs(x, state)
    moved: np.ndarray = (0.5 * (difference**2).sum(1)).cpu().numpy()
    return np.where(moved > 1e-10, moved, 0.0)  # below lies rounding


def _blur(x: Tensor, sigma: float) -> Tensor:
    """Return images [B, C, H, W] convolved with a Gaussian; beyond the border stands the border's pixel."""
    reach = int(3 * sigma + 0.5)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1, device=x.device) ** 2) / (2.0 * sigma**2))
    kernel = (kernel / kernel.sum()).to(x.dtype)
    channels = x.shape[1]
    x = pad(x, (reach, reach, reach, reach), mode="replicate")
    x = conv2d(x, kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    return conv2d(x, kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
