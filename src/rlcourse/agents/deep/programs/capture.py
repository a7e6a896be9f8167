"""`Rounds`: runs a program's rounds; on a GPU each kind of round is recorded as a CUDA graph and then replayed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["Rounds"]

_EAGER = 3  # rounds of each kind that run eagerly before one is recorded: kernels compile, libraries make their handles


class Rounds:
    """Runs functions that are a fixed sequence of operations on fixed memory.

    On the CPU it calls them. On a GPU all of a program's work lies on one stream of its own; the first rounds of a kind are real ones,
    run eagerly, then one is recorded, and from then on the recording is replayed: one call, no clone, nothing to wait for.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self.replaying = self.stream is not None
        self._runs: dict[Hashable, int] = {}
        self._replays: dict[Hashable, Callable[[], None]] = {}
        self._pool: Any = None  # of memory, one for all graphs

    def __call__(self, kind: Hashable, function: Callable[[], None], record: bool = True) -> None:
        """Run a round.

        Parameters
        ----------
        kind : hashable
            Rounds of one kind are the same sequence of operations.
        function : callable
        record : bool
            Whether more of this kind will come.
        """
        if not self.replaying:
            function()
            return
        with torch.cuda.stream(self.stream):
            if kind not in self._replays:
                self._runs[kind] = self._runs.get(kind, 0) + 1
                if self._runs[kind] <= _EAGER or not record:
                    function()
                    return
                self._replays[kind] = self._record(function)
            self._replays[kind]()

    def _record(self, function: Callable[[], None]) -> Callable[[], None]:
        """Return the replay of a function: of its operations, which are recorded without being run."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self.stream):
            function()
        self._pool = self._pool or graph.pool()
        return graph.replay

    @contextmanager
    def between(self) -> Iterator[None]:
        """Let what happens within come between rounds: after all that was asked for outside, and before all that will be.

        The stream of the rounds does not wait for torch's default stream by itself, nor that one for it.
        """
        if self.stream is None:
            yield
            return
        outside = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(outside)
        with torch.cuda.stream(self.stream):
            yield
        outside.wait_stream(self.stream)
