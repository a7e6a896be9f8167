"""`Target`: a copy of a network that follows it slowly, to take targets from."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

from torch import nn

from rlcourse.agents.deep.modes import batch_norms, frozen_parts
from rlcourse.agents.deep.optimizer import FlatOptimizer, flatten

__all__ = ["Target"]

Network = TypeVar("Network", bound=nn.Module)


class Target(Generic[Network]):
    """A copy that never learns by itself. What is frozen in the network is shared with it.

    Parameters
    ----------
    network : nn.Module
        As its optimiser finds it.

    Attributes
    ----------
    network : nn.Module
        The copy.
    parameters : Tensor, shape [P]
        Those of the copy that follow, in the optimiser's order.
    norms : list of nn.Module
        Its layers of batch normalisation.
    """

    def __init__(self, network: Network) -> None:
        self.network: Network = copy.deepcopy(network, {id(part): part for part in frozen_parts(network)})
        self.norms = batch_norms(self.network)
        learned = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.network.requires_grad_(False)
        self.parameters = flatten(*learned)
        names = ("running_mean", "running_var", "num_batches_tracked")
        pairs = zip(self.norms, batch_norms(network), strict=True)
        self._statistics = [(getattr(mine, name), getattr(theirs, name)) for mine, theirs in pairs for name in names]

    def follow(self, optimizer: FlatOptimizer, tau: float) -> None:
        """Move by `tau` towards the weights that the optimiser holds; running statistics, which are slow already, are taken over."""
        self.parameters.lerp_(optimizer.parameters, tau)
        for mine, theirs in self._statistics:
            mine.copy_(theirs)
