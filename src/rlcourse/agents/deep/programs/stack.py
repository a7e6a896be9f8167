"""`Stack`: the networks of S agents as one, with parameters [S, P]; a `StackedOptimizer` goes down S gradients at once.

`StackedTarget`: target networks that follow a stack.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from rlcourse.agents.deep.batched import BatchRenorm
from rlcourse.agents.deep.optimizer import FlatOptimizer, shaped
from rlcourse.agents.deep.target_network import Target
from rlcourse.encoders.recurrent import Recurrent

__all__ = ["Stack", "StackedAdam", "StackedOptimizer", "StackedRMSprop", "StackedTarget", "stackable"]

_STATISTICS = ("mean", "variance")  # of batch renormalisation
_ALONE = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd, nn.RNNBase)


def stackable(network: nn.Module) -> str:
    """Return why a network cannot be stacked, or nothing: its layers must treat each sample alone, and draw nothing."""
    cells = {id(cell) for part in network.modules() if isinstance(part, Recurrent) for cell in getattr(part, "cells", ())}
    for part in network.modules():
        if isinstance(part, _ALONE) and id(part) not in cells:
            return f"{type(part).__name__} cannot be batched over agents"
    return ""


def _norms(network: nn.Module) -> dict[str, BatchRenorm]:
    return {name: part for name, part in network.named_modules() if isinstance(part, BatchRenorm)}


class _Called(nn.Module):
    """A network under a function, so that `functional_call` lends the function other parameters."""

    def __init__(self, network: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.network, self.function = network, function

    def forward(self, updates: dict[str, Tensor], *inputs: Any) -> Any:
        for name, count in updates.items():
            self.network.get_submodule(name).updates = count
        return self.function(self.network, *inputs)


class Stack:
    """The networks of S agents, each an optimiser's only module.

    Running statistics of batch renormalisation are stacked too: a pass that moves an agent's moves them in place.

    Parameters
    ----------
    networks : sequence of nn.Module
        One of each agent, of the same layers.
    optimizers : sequence of FlatOptimizer
        Theirs: their flat parameters, one under another, are this stack's.

    Attributes
    ----------
    parameters : Tensor, shape [S, P]
        In the order of the optimisers; a leaf whose gradient a `StackedOptimizer` asks for.
    """

    def __init__(self, networks: Sequence[nn.Module], optimizers: Sequence[FlatOptimizer]) -> None:
        self._skeleton = copy.deepcopy(networks[0]).requires_grad_(False)
        for part in self._skeleton.modules():
            if isinstance(part, Recurrent):
                part.unrolled = True
        names = {id(parameter): name for name, parameter in networks[0].named_parameters()}
        learned = optimizers[0].learned
        self._names, self._learned = [names[id(each)] for each in learned], learned
        self._sizes = [each.numel() for each in learned]
        fixed = [name for name, each in networks[0].named_parameters() if not any(each is one for one in learned)]
        rest = [dict(network.named_parameters()) for network in networks]
        self._fixed = {name: torch.stack([each[name].detach() for each in rest]) for name in fixed}
        self.parameters = torch.stack([each.parameters.detach() for each in optimizers]).requires_grad_(True)
        self.optimizers = optimizers
        self._norms = [_norms(network) for network in networks]
        self._statistics = {
            f"network.{name}.{kind}": torch.stack([getattr(mine[name], kind) for mine in self._norms])
            for name in self._norms[0]
            for kind in _STATISTICS
        }
        counts = {name: [int(mine[name].updates) for mine in self._norms] for name in self._norms[0]}
        self._updates = {name: torch.tensor(count, device=self.parameters.device) for name, count in counts.items()}

    def __len__(self) -> int:
        return len(self.parameters)

    def __call__(self, function: Callable[..., Any], *inputs: Any, parameters: Tensor | None = None) -> Any:
        """Return ``function(network, *inputs)`` of every agent, stacked.

        Parameters
        ----------
        function : callable
            Of one agent: takes its network, and its row of every input.
        *inputs : Tensor of shape [S, ...], or None
            None reaches the function as it is.
        parameters : Tensor, shape [S, P], optional
            Others than the stack's own: those of target networks.
        """
        called = _Called(self._skeleton, function)
        flat = self.parameters if parameters is None else parameters
        parts = flat.split(self._sizes, dim=1)
        views = {f"network.{name}": shaped(part, each) for name, part, each in zip(self._names, parts, self._learned, strict=True)}
        views |= {f"network.{name}": part for name, part in self._fixed.items()} | self._statistics
        dims = (0, 0, *(None if each is None else 0 for each in inputs))
        return vmap(lambda mine, *rows: functional_call(called, mine, rows), in_dims=dims)(views, self._updates, *inputs)

    @torch.no_grad()
    def read(self) -> None:
        """Take over the agents' parameters, in place."""
        for row, optimizer in zip(self.parameters, self.optimizers, strict=True):
            row.copy_(optimizer.parameters)
        for s, norms in enumerate(self._norms):
            for name, norm in norms.items():
                self._updates[name][s] = int(norm.updates)
                for kind in _STATISTICS:
                    self._statistics[f"network.{name}.{kind}"][s].copy_(getattr(norm, kind))

    @torch.no_grad()
    def write(self, places: Sequence[int]) -> None:
        """Give the agents at some places their parameters back, in place."""
        for s in places:
            self.optimizers[s].parameters.copy_(self.parameters[s])
            for name, norm in self._norms[s].items():
                norm.updates = int(self._updates[name][s])
                for kind in _STATISTICS:
                    getattr(norm, kind).copy_(self._statistics[f"network.{name}.{kind}"][s])


class StackedTarget:
    """`Target` of S agents: parameters [S, P] that follow those of a stack.

    Parameters
    ----------
    stack : Stack
    targets : sequence of Target
        One of each agent.
    """

    def __init__(self, stack: Stack, targets: Sequence[Target[Any]]) -> None:
        self.stack, self.targets = stack, targets
        self.parameters = torch.stack([each.parameters for each in targets])

    def __call__(self, function: Callable[..., Any], *inputs: Any) -> Any:
        """Return ``function(target network, *inputs)`` of every agent, stacked; see `Stack`."""
        return self.stack(function, *inputs, parameters=self.parameters)

    @torch.no_grad()
    def follow(self, tau: Tensor) -> None:
        """Move by each agent's `tau`, shape [S]."""
        self.parameters.lerp_(self.stack.parameters.detach(), tau[:, None])

    @torch.no_grad()
    def read(self) -> None:
        """Take over the agents' targets, in place."""
        for row, target in zip(self.parameters, self.targets, strict=True):
            row.copy_(target.parameters)

    @torch.no_grad()
    def write(self, places: Sequence[int]) -> None:
        """Give the agents at some places their targets back, in place."""
        for s in places:
            self.targets[s].parameters.copy_(self.parameters[s])


class StackedOptimizer(ABC):
    """`FlatOptimizer` of S agents: moments [S, P], clipping by the norm of each agent's own gradient.

    Parameters
    ----------
    stack : Stack
        Whose optimisers are of one kind, with the same settings and pace.
    max_grad_norm : Tensor, shape [S], optional
        Of each agent; infinite: no clipping.

    Attributes
    ----------
    moments : dict of str to Tensor, shape [S, P]
        By the names that the agents' optimisers give them.
    steps : Tensor, shape [S, 1]
        Updates of each agent.
    """

    names: ClassVar[tuple[str, ...]]

    def __init__(self, stack: Stack, max_grad_norm: Tensor | None = None) -> None:
        self.stack, self.max_grad_norm = stack, max_grad_norm
        self.optimizers: Sequence[Any] = stack.optimizers
        self.first: Any = self.optimizers[0]
        self.max_grad_value = self.first.max_grad_value
        self.pace = None if self.first.pace is None else self.first.pace.clone()
        self.moments = {name: torch.zeros_like(stack.parameters.detach()) for name in self.names}
        self.steps = torch.zeros(len(stack), 1, dtype=torch.float64, device=stack.parameters.device)
        self.read()

    def step(self, losses: Tensor, learning_rate: Tensor, alive: Tensor | None = None) -> None:
        """Take one step down each agent's own loss.

        Parameters
        ----------
        losses, learning_rate : Tensor, shape [S]
        alive : Tensor of bool, shape [S], optional
            The others stay as they are.
        """
        gradient = torch.autograd.grad(losses.sum(), self.stack.parameters)[0]  # of agent s by its own parameters alone
        self.descend(gradient, learning_rate, alive)

    @torch.no_grad()
    def descend(self, gradient: Tensor, learning_rate: Tensor, alive: Tensor | None = None) -> None:
        """Clip gradients, shape [S, P], and go one step down."""
        if self.max_grad_value is not None:
            gradient = gradient.clamp(-self.max_grad_value, self.max_grad_value)
        if self.max_grad_norm is not None:
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            gradient = gradient * (self.max_grad_norm[:, None] / (norm + 1e-6)).clamp(max=1.0)
        moves = torch.ones_like(self.steps) if alive is None else alive[:, None].to(self.steps.dtype)
        self.steps.add_(moves)
        self._descend(gradient, learning_rate[:, None], moves)

    @abstractmethod
    def _descend(self, gradient: Tensor, learning_rate: Tensor, moves: Tensor) -> None:
        """Change the parameters by clipped gradients; `moves`, float64 [S, 1], is 0 for agents that stay and 1 for the others."""

    def _move(self, direction: Tensor, root: Tensor, size: Tensor) -> None:
        """Go against directions, divided by roots, sizes [S, 1] far, each element at its pace."""
        if self.pace is not None:
            root.div_(self.pace)
        self.stack.parameters.sub_(size.float() * direction / root)

    @torch.no_grad()
    def read(self) -> None:
        """Take over the agents' moments."""
        for s, mine in enumerate(self.optimizers):
            for name, moment in self.moments.items():
                moment[s].copy_(getattr(mine, name))
            self.steps[s] = mine.steps

    @torch.no_grad()
    def write(self, places: Sequence[int]) -> None:
        """Give the agents at some places their moments back."""
        steps = self.steps[:, 0].tolist()
        for s in places:
            for name, moment in self.moments.items():
                getattr(self.optimizers[s], name).copy_(moment[s])
            self.optimizers[s].steps = int(steps[s])


class StackedAdam(StackedOptimizer):
    """`FlatAdam` of S agents."""

    names = ("first_moment", "second_moment")

    def _descend(self, gradient: Tensor, learning_rate: Tensor, moves: Tensor) -> None:
        first, second = self.moments["first_moment"], self.moments["second_moment"]
        one, two = self.first.betas
        weight = moves.float()
        first.lerp_(gradient, weight * (1.0 - one))
        second.lerp_(gradient * gradient, weight * (1.0 - two))
        steps = self.steps.clamp(min=1.0)  # of an agent that stays before its first step, which divides by no zero
        unbiased = (1.0 - two**steps).sqrt()  # taken out of the root, and into the step and epsilon, as `FlatAdam` does
        root = second.sqrt().add_((self.first.eps * unbiased).float())
        self._move(first, root, moves * learning_rate * unbiased / (1.0 - one**steps))


class StackedRMSprop(StackedOptimizer):
    """`FlatRMSprop` of S agents."""

    names = ("mean_square",)

    def _descend(self, gradient: Tensor, learning_rate: Tensor, moves: Tensor) -> None:
        square = self.moments["mean_square"]
        square.lerp_(gradient * gradient, moves.float() * (1.0 - self.first.decay))
        self._move(gradient, (square + self.first.eps).sqrt_(), moves * learning_rate)
