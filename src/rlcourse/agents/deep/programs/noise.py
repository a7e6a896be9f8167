"""Noise that the actors of S agents explore by, as tensors; see `rlcourse.agents.deep.action_noise`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rlcourse.agents.deep.programs.draws import Draws

__all__ = ["Added", "Held"]


class Added:
    """`ActionNoise` of all copies: independent normal numbers, or Ornstein-Uhlenbeck processes that begin anew with each episode.

    Parameters
    ----------
    draws : Draws
        Normal ones, of T steps of M = S * N copies.
    process : bool
    std : Tensor, shape [S]
        Each agent's deviation.
    """

    def __init__(self, draws: Draws, process: bool, std: Tensor) -> None:
        self.draws, self.process = draws, process
        self._std = std[:, None, None]
        self.x = torch.zeros_like(draws.out[0]).unflatten(0, (len(std), -1))  # [S, N, A]

    def __call__(self, first: int, rows: int) -> None:
        """Draw for the steps `first` to `rows` of a round."""
        self.draws()

    def at(self, t: int, starts: Tensor) -> Tensor:
        """Return the noise of step t of a round, shape [S, N, A]; `starts` of bool [S, N] says where an episode begins."""
        drawn = self._std * self.draws.out[t].view_as(self.x)
        if not self.process:
            return drawn
        x = torch.where(starts[..., None], 0.0, self.x)
        self.x.copy_(x - 0.15 * 0.01 * x + 0.1 * drawn)
        return self.x

    def state(self) -> dict[str, Callable[[int], Tensor]]:
        """Return views of what agent s goes on from; see `Program._state`."""
        found: dict[str, Callable[[int], Tensor]] = {"noise_drawn": lambda s: self.draws.drawn[s : s + 1]}
        return found | ({"noise": lambda s: self.x[s]} if self.process else {})


class Held:
    """`HeldNoise` of all copies: standard normal numbers, each kept for several steps.

    Parameters
    ----------
    draws : Draws
        Normal ones, of T steps of M = S * N copies.
    steps : int
        For which a number is kept.

    Attributes
    ----------
    out : Tensor, shape [T, M, A]
        Row t is for step t of the round.
    """

    def __init__(self, draws: Draws, steps: int) -> None:
        self.draws, self.steps, self.out = draws, steps, draws.out
        S = len(draws.drawn)
        if steps > 1:
            self.out = torch.zeros_like(draws.out)
            self.kept = torch.zeros_like(draws.out[0]).unflatten(0, (S, -1))
            self.age = torch.zeros(S, dtype=torch.int64, device=draws.out.device)

    def __call__(self, first: int, rows: int) -> None:
        """Make the noise of steps `first` to `rows` of a round."""
        drawn = self.draws()
        if self.steps == 1:
            return
        for t in range(first, rows):
            anew = (self.age % self.steps == 0)[:, None, None]  # of agents, over their copies and numbers
            self.kept.copy_(torch.where(anew, drawn[t].unflatten(0, self.kept.shape[:2]), self.kept))
            self.out[t].copy_(self.kept.flatten(0, 1))
            self.age += 1

    def state(self) -> dict[str, Callable[[int], Tensor]]:
        """Return views of what agent s goes on from; see `Program._state`."""
        found: dict[str, Callable[[int], Tensor]] = {"noise_drawn": lambda s: self.draws.drawn[s : s + 1]}
        if self.steps > 1:
            found["noise"] = lambda s: self.kept[s]
            found["noise_age"] = lambda s: self.age[s : s + 1]
        return found
