"""Train and eval mode: a network is always in eval mode, but for the passes that learning looks at.

In train mode batch normalisation goes by its batch and dropout drops; in eval mode an observation's result depends on nothing but the
observation. To forget to switch back is the classic mistake, so that nobody switches: ``with modes.learning(): q = network(S)``.
Which layers there are to switch is found out once; where there are none it costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

__all__ = ["Modes", "batch_norms", "by_batch", "frozen_parts", "seeded"]

_NOTHING: AbstractContextManager[None] = nullcontext()


@contextmanager
def seeded(generator: torch.Generator, device: torch.device | None = None) -> Iterator[None]:
    """Let an agent's generator decide what torch's global one draws: initial weights, and what dropout drops on a device."""
    cuda = device is not None and device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if cuda else []):
        torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
        yield


class Modes:
    """The layers of a network that learning switches; it puts the network into eval mode.

    Parameters
    ----------
    network : nn.Module
        On its device. Frozen parts of it are never switched.
    generator : torch.Generator
        The agent's: by it dropout is seeded, so that an agent resumes exactly.
    batch_size : int, optional
        Observations of a pass whose statistics batch normalisation learns by. None: it learns by its running statistics, as it acts,
        and `see` moves them.

    Raises
    ------
    ValueError
        Where a batch of one has no statistics.
    """

    def __init__(self, network: nn.Module, generator: torch.Generator, batch_size: int | None = None) -> None:
        network.eval()
        self.generator = generator
        self.norms = batch_norms(network)
        self.drops = [part for part in _learning(network) if _drops(part)]
        self.switched = [*self.drops, *(self.norms if batch_size else [])]
        self.device = next((parameter.device for parameter in network.parameters()), None)
        if self.norms and batch_size == 1:
            raise ValueError("batch_size must be at least 2 with batch normalisation: one observation has no variance")

    def learning(self) -> AbstractContextManager[None]:
        """Return train mode, for the time of a pass that is learned from."""
        return self._switched() if self.switched else _NOTHING

    @torch.no_grad()
    def see(self, encoder: Any, observations: Tensor) -> None:
        """Move the running statistics of an encoder one step towards a batch of observations."""
        if self.norms and len(observations) > 1:
            with _training(self.norms):
                encoder(observations)

    @contextmanager
    def _switched(self) -> Iterator[None]:
        with seeded(self.generator, self.device) if self.drops else _NOTHING, _training(self.switched):
            yield


def by_batch(norms: list[Any]) -> AbstractContextManager[None]:
    """Return that layers of batch normalisation go by the statistics of their batch, and their running statistics stay as they are."""
    return _by_batch(norms) if norms else _NOTHING


@contextmanager
def _by_batch(norms: list[Any]) -> Iterator[None]:
    for norm in norms:
        norm.track_running_stats = False
    try:
        with _training(norms):
            yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


@contextmanager
def _training(parts: list[Any]) -> Iterator[None]:
    for part in parts:
        part.training = True
    try:
        yield
    finally:
        for part in parts:
            part.training = False


def batch_norms(network: nn.Module) -> list[Any]:
    """Return the layers of batch normalisation that are not frozen, in order."""
    return [part for part in _learning(network) if isinstance(part, _BatchNorm)]


def frozen_parts(network: nn.Module) -> list[nn.Module]:
    """Return the outermost parts whose weights are all fixed."""
    parameters = list(network.parameters())
    if parameters and not any(parameter.requires_grad for parameter in parameters):
        return [network]
    return [part for child in network.children() for part in frozen_parts(child)]


def _learning(network: nn.Module) -> list[nn.Module]:
    fixed = {id(part) for outer in frozen_parts(network) for part in outer.modules()}
    return [part for part in network.modules() if id(part) not in fixed]


def _drops(part: nn.Module) -> bool:
    """Whether it is dropout, or a layer that drops in train mode by its own `dropout`, as recurrent ones do."""
    share = part.p if isinstance(part, _DropoutNd) else getattr(part, "dropout", 0.0)
    return isinstance(share, int | float) and share > 0.0
