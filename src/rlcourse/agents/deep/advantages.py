"""What on-policy agents make of a rollout: samples, the values of true successors, advantages.

A row's successor is the next row, except where a time limit cut the episode: there it is the true last observation, whose value the
agent supplies in the order of `Rollout.cuts`. A terminated step has no successor: its value is replaced, not multiplied by zero, so
that nothing in a terminal observation can reach a loss.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.normalize import Normalizer
from rlcourse.agents.deep.rollout import Rollout
from rlcourse.core.returns import gae

__all__ = ["advantages", "flat_actions", "flat_observations", "last_observations", "successors"]


def flat_observations(r: Rollout) -> np.ndarray:
    """Return the observations of a rollout and the one after it, shape [(T + 1) * N, ...]; a view."""
    return r.observations[: r.length + 1].reshape(-1, *r.observations.shape[2:])


def flat_actions(r: Rollout, device: torch.device) -> Tensor:
    """Return the stored actions, shape [B] for numbers, [B, A] for vectors of any shape."""
    kept = r.actions[: r.length].reshape(-1, *r.actions.shape[2:])[: r.valid].copy()
    actions = torch.as_tensor(kept, device=device)
    return actions if actions.dtype == torch.int64 else actions.reshape(r.valid, math.prod(r.actions.shape[2:]))


def last_observations(r: Rollout) -> np.ndarray | None:
    """Return the true last observations of the cut episodes, shape [cuts, ...]; None where none was cut."""
    return np.stack([observation for _, _, observation in r.cuts]) if r.cuts else None


def successors(r: Rollout, after: np.ndarray, at_cuts: np.ndarray | None) -> np.ndarray:
    """Return the value of the true successor of every step, shape [T, N].

    Parameters
    ----------
    r : Rollout
    after : ndarray, shape [T, N]
        Values of the next rows.
    at_cuts : ndarray, shape [cuts], optional
        Values of the last observations of the cut episodes.
    """
    following = after.copy()
    if r.cuts:
        rows, columns = zip(*((t, i) for t, i, _ in r.cuts), strict=True)
        following[rows, columns] = at_cuts
    return following


def advantages(
    r: Rollout, values: np.ndarray, at_cuts: np.ndarray | None, normalizer: Normalizer, gamma: float, gae_lambda: float
) -> np.ndarray:
    """Return generalised advantage estimates, shape [T, N]; the normaliser learns from the rollout.

    Parameters
    ----------
    r : Rollout
    values : ndarray, shape [(T + 1) * N]
        Of the rollout's observations and the one after it.
    at_cuts : ndarray, shape [cuts], optional
        Values of the last observations of the cut episodes.
    normalizer : Normalizer
        Scales the rewards.
    gamma, gae_lambda : float
        Discount rate and trace decay.
    """
    T = r.length
    table = values.reshape(T + 1, -1)
    rewards = normalizer.rewards(r.rewards[:T], r.ended[:T])
    estimates: np.ndarray = gae(rewards, table[:T], successors(r, table[1:], at_cuts), r.terminated[:T], r.ended[:T], gamma, gae_lambda)
    normalizer.learn(flat_observations(r)[: estimates.size])
    return estimates
