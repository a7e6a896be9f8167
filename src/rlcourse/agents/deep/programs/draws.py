"""Numbers that programs draw: of each agent's own streams, so that nothing depends on who learns beside it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rlcourse.agents.deep.programs.launch import Launch
from rlcourse.core.counter import stream_keys
from rlcourse.core.kernels import DRAW, NORMAL, SHUFFLE

__all__ = ["Draws", "Shuffles"]

ACTIONS, BATCHES, REPLAY, NOISE, UPDATES = 2, 3, 4, 5, 6  # purposes of streams, see `stream_keys`


class Draws:
    """R * M * A numbers at a time, of M = S * N streams.

    Parameters
    ----------
    seeds : list of int
        One for each agent.
    n, rows, numbers : int
        Streams of each agent, rows R, and numbers A of one row and stream.
    normal : bool
        Standard normal, or uniform in (0, 1).
    device : torch.device
    purpose : int
        Other draws of the same agents have another one.

    Attributes
    ----------
    out : Tensor of float32, shape [R, M, A]
    drawn : Tensor of int64, shape [S]
        How many each stream of an agent has drawn; part of its state.
    """

    def __init__(
        self, seeds: list[int], n: int, rows: int, numbers: int, normal: bool, device: torch.device, purpose: int = ACTIONS
    ) -> None:
        keys = torch.as_tensor(np.concatenate([stream_keys(seed, purpose, n) for seed in seeds]), device=device)
        self.out = torch.zeros(rows, len(seeds) * n, numbers, device=device)
        self.drawn = torch.zeros(len(seeds), dtype=torch.int64, device=device)
        self._fill = Launch(NORMAL if normal else DRAW, self.out.numel(), (keys, self.drawn, self.out), device)

    def __call__(self) -> Tensor:
        """Draw anew; return `out`."""
        self._fill()
        self.drawn += self.out.shape[0] * self.out.shape[2]
        return self.out


class Shuffles:
    """Permutations of 0..B-1, one of each agent at a time.

    Parameters
    ----------
    seeds : list of int
    device : torch.device

    Attributes
    ----------
    drawn : Tensor of int64, shape [S]
    """

    def __init__(self, seeds: list[int], device: torch.device) -> None:
        self._keys = torch.as_tensor(np.concatenate([stream_keys(seed, BATCHES, 1) for seed in seeds]), device=device)
        self.drawn = torch.zeros(len(seeds), dtype=torch.int64, device=device)
        self._device = device
        self._fills: dict[int, tuple[Tensor, Launch]] = {}

    def __call__(self, size: int) -> Tensor:
        """Return permutations, int64 [S, size]; the next call overwrites them."""
        if size not in self._fills:
            out = torch.zeros(len(self._keys), size, dtype=torch.int64, device=self._device)
            self._fills[size] = out, Launch(SHUFFLE, out.numel(), (self._keys, self.drawn, out), self._device)
        out, fill = self._fills[size]
        fill()
        self.drawn += 1
        return out
