"""Running moments of observations and rewards: part of the agent and of its file, and moved by learning only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlcourse.core.fits import fit

__all__ = ["Normalizer", "RunningMoments"]

Gather = Callable[[np.ndarray], list[np.ndarray]]


class RunningMoments:
    """Mean and variance over batches (Chan et al. 1979, parallel form).

    Parameters
    ----------
    shape : tuple of int
        Of one item.

    Attributes
    ----------
    data : ndarray of float64, shape [3, *shape]
        Mean, variance, and the count in its every element; one array, so that it is saved as one.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.data = np.zeros((3, *shape))
        self.data[1] = 1.0

    def update(self, batch: np.ndarray, gather: Gather = lambda mine: [mine]) -> None:
        """Merge a batch, shape [B, *shape], and those that `gather` returns for its mean, variance and count."""
        mine = np.zeros_like(self.data)
        if len(batch):
            mine[0], mine[1], mine[2] = batch.mean(axis=0), batch.var(axis=0), float(len(batch))
        for part in gather(mine):
            if part[2].any():
                self._merge(*part)

    def _merge(self, theirs: np.ndarray, spread: np.ndarray, size: np.ndarray) -> None:
        mean, variance, count = self.data
        delta = theirs - mean
        total = count + size
        merged = np.where(count > 0, variance, 0.0) * count + spread * size + delta**2 * count * size / total
        self.data[0], self.data[1], self.data[2] = mean + delta * size / total, merged / total, total

    @property
    def mean(self) -> np.ndarray:
        """Mean, shape [*shape]."""
        view: np.ndarray = self.data[0]
        return view

    @property
    def std(self) -> np.ndarray:
        """Standard deviation, shape [*shape]; never zero."""
        root: np.ndarray = np.sqrt(self.data[1] + 1e-8)
        return root


class Normalizer:
    """Observations of mean 0 and deviation 1, rewards divided by the deviation of the discounted return; or neither.

    Parameters
    ----------
    scale_observations, scale_rewards : bool
    shape : tuple of int
        Of one observation.
    copies : int
        Copies of the environment.
    gamma : float
        Discount rate.
    gather : callable
        From moments to a list of them: those of all processes that learn together.
    """

    def __init__(
        self,
        scale_observations: bool,
        scale_rewards: bool,
        shape: tuple[int, ...],
        copies: int,
        gamma: float,
        gather: Gather = lambda mine: [mine],
    ) -> None:
        self.scale_observations, self.scale_rewards, self.gamma, self.gather = scale_observations, scale_rewards, gamma, gather
        self.seen, self.returned = RunningMoments(shape), RunningMoments(())
        self._returns = np.zeros(copies)  # running discounted return of each copy

    def observations(self, observations: np.ndarray) -> np.ndarray:
        """Return observations, shape [..., *shape], as the networks see them: within 10 deviations."""
        if not self.scale_observations:
            return observations
        scaled = (observations - self.seen.mean) / self.seen.std
        return np.clip(scaled, -10.0, 10.0).astype(np.float32)

    def learn(self, observations: np.ndarray) -> None:
        """Merge observations, shape [B, *shape], into the moments."""
        if self.scale_observations:
            self.seen.update(observations, self.gather)

    def rewards(self, rewards: np.ndarray, ended: np.ndarray) -> np.ndarray:
        """Return the rewards of a rollout, shape [T, N], scaled; the moments are those after this rollout."""
        if not self.scale_rewards:
            return rewards
        running = np.empty(rewards.shape)
        for t in range(len(rewards)):
            self._returns = self._returns * self.gamma + rewards[t]
            running[t] = self._returns
            self._returns = np.where(ended[t], 0.0, self._returns)
        self.returned.update(running.reshape(-1), self.gather)
        return np.clip(rewards / np.float32(self.returned.std), -10.0, 10.0)

    def state_dict(self) -> dict[str, Any]:
        """Return the moments."""
        return {"observations": self.seen.data, "returns": self.returned.data, "running": self._returns}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over moments."""
        for name, mine in self.state_dict().items():
            fit(mine, state[name], f"normalizer.{name}")
