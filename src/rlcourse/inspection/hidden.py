"""What a memory holds: how saturated its gates are, and what a linear probe reads from its state that one observation does not tell."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from rlcourse.core.arguments import checked
from rlcourse.encoders.recurrent import GRU, LSTM
from rlcourse.inspection.play import Play

__all__ = ["Probe", "gates", "probe"]

_FEW = 12  # whole values at most of a fact that is told by classes


class Probe(NamedTuple):
    """How well a fact can be read, on copies of which nothing was fitted.

    Attributes
    ----------
    name : str
        Of the fact.
    measure : {"R2", "accuracy"}
    memory, observation : float
        From the memory after the observation, and from the observation alone.
    """

    name: str
    measure: str
    memory: float
    observation: float


@checked
def probe(played: Play, ridge: float = 1e-3) -> list[Probe]:
    """Return what least squares read of each coordinate of the world's state; those that never change are left out.

    Three quarters of the copies are fitted, the last quarter is judged: other episodes. Facts with a few whole values are told by the
    largest of one output for each value.

    Raises
    ------
    ValueError
        Where the agent has no memory, or the world does not tell its states.
    """
    if not played.after:
        raise ValueError("it has no memory")
    if played.states is None:
        raise ValueError("the environment is no world of ours, so that nobody knows what is hidden in it")
    T, N = played.starts.shape
    memory = torch.stack([after[0].transpose(0, 1).flatten(1) for after in played.after]).cpu().numpy()  # [T, N, layers * width]
    observation = played.observations.reshape(T, N, -1).float().cpu().numpy()
    split = max(1, N * 3 // 4)
    found = []
    for i in range(played.states.shape[2]):
        fact = played.states[:, :, i]
        if np.ptp(fact) == 0:
            continue
        scores = [_score(x.astype(np.float64), fact, split, ridge) for x in (memory, observation)]
        found.append(Probe(f"state {i}", scores[0][0], scores[0][1], scores[1][1]))
    return found


def _score(x: np.ndarray, fact: np.ndarray, split: int, ridge: float) -> tuple[str, float]:
    """Return the measure and how well a fact [T, N] is read from x [T, N, F]."""
    fit, test = (part.reshape(-1, x.shape[2]) for part in (x[:, :split], x[:, split:]))
    y, wanted = fact[:, :split].reshape(-1), fact[:, split:].reshape(-1)
    mean, scale = fit.mean(0), fit.std(0) + 1e-9
    fit, test = (np.concatenate([(part - mean) / scale, np.ones((len(part), 1))], axis=1) for part in (fit, test))
    values = np.unique(y)
    classes = len(values) <= _FEW and np.array_equal(values, np.round(values))
    targets = (y[:, None] == values).astype(np.float64) if classes else y[:, None]
    weights = np.linalg.solve(fit.T @ fit + ridge * len(fit) * np.eye(fit.shape[1]), fit.T @ targets)
    told = test @ weights
    if classes:
        return "accuracy", float((values[told.argmax(1)] == wanted).mean())
    return "R2", float(1.0 - ((told[:, 0] - wanted) ** 2).mean() / max(wanted.var(), 1e-12))


@checked
def gates(played: Play) -> dict[str, np.ndarray]:
    """Return how often each unit's gates are nearly shut (below 0.1) and nearly open (above 0.9), shape [units, 2], of the last layer.

    Returns
    -------
    dict
        "input", "forget" and "output" of an LSTM; "reset" and "update" of a GRU; nothing for a memory without gates.
    """
    memory: Any = played.network.memory
    if type(memory) not in (GRU, LSTM):
        return {}
    names = {4: ("input", "forget", "", "output"), 3: ("reset", "update", "")}
    cell, layer = memory.cells[-1], len(memory.cells) - 1
    width = memory.features_dim
    found: dict[str, list[np.ndarray]] = {}
    with torch.no_grad():
        for t in range(len(played.observations)):
            x = memory.encoder(played.observations[t]) if layer == 0 else played.after[t][0][layer - 1]
            h = played.before[t][0][layer]
            sums = x @ cell.weight_ih_l0.t() + cell.bias_ih_l0 + h @ cell.weight_hh_l0.t() + cell.bias_hh_l0
            for name, part in zip(names[sums.shape[1] // width], sums.split(width, 1), strict=True):
                if name:
                    found.setdefault(name, []).append(torch.sigmoid(part).cpu().numpy())
    opened = {name: np.concatenate(rows) for name, rows in found.items()}  # [T * N, units]
    return {name: np.stack([(rows < 0.1).mean(0), (rows > 0.9).mean(0)], axis=1) for name, rows in opened.items()}
