"""Passes: how the forward passes of a network run - in which precision, and compiled or not - as its agent's settings say.

A network marks its passes, ``@forward_pass def forward(self, observations)``, and knows nothing more about it; `set_passes` then says for
one network and all its parts how they run. Whatever leaves a marked pass is float32: losses, log-probabilities and returns are computed
from float32, and so are the gradients of the weights, which stay float32 too (Micikevicius et al. 2018, "Mixed precision training";
bfloat16 has the range of float32, so that losses need no scaling). A pass within a pass is a part of it.

What is recurrent says `@full_precision`: in bfloat16 it would add up the rounding of every step, and not every CPU has kernels for it.
The encoder before a memory is a pass of its own.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

__all__ = ["Passes", "forward_pass", "full_precision", "hand_written", "set_passes", "widened"]

Method = TypeVar("Method", bound=Callable[..., Any])
_BACKEND = "inductor"  # of torch.compile


def forward_pass(method: Method) -> Method:
    """Mark a method of a network as a pass; without `set_passes` it runs as it is written."""

    @functools.wraps(method)
    def run(self: Any, *inputs: Any, **options: Any) -> Any:
        passes = self.__dict__.get("_passes")
        return method(self, *inputs, **options) if passes is None else passes(method, self, inputs, options)

    return run  # type: ignore[return-value]


def full_precision(method: Method) -> Method:
    """Mark a method of a network, whose first argument is a tensor, that stays float32 within a pass."""

    @functools.wraps(method)
    def run(self: Any, x: Tensor, *inputs: Any, **options: Any) -> Any:
        if not torch.is_autocast_enabled(x.device.type):
            return method(self, x, *inputs, **options)
        with torch.autocast(x.device.type, enabled=False):
            return method(self, widened(x), *inputs, **options)

    return run  # type: ignore[return-value]


class Passes:
    """How the passes of a network run.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
        Of products and convolutions; what autocast keeps in float32, such as softmax, stays so.
    device : torch.device
    compiled : bool
        By `torch.compile`. The network is not wrapped: its weights keep their names.

    Raises
    ------
    ValueError
        Where there is no C++ compiler, which torch.compile needs on every device.
    """

    def __init__(self, precision: str, device: torch.device, compiled: bool = False) -> None:
        self.lean, self.device_type, self.compiled = precision == "bfloat16", device.type, compiled
        if compiled and not any(map(shutil.which, (os.environ.get("CXX") or "g++", "clang++", "cl"))):
            raise ValueError("compile: torch.compile needs a C++ compiler (g++ or clang++), and there is none here; leave it false")

    def __call__(self, method: Callable[..., Any], network: nn.Module, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Return what a method of a network returns, as float32."""
        if torch.compiler.is_compiling() or torch.is_autocast_enabled(self.device_type):
            return method(network, *inputs, **options)
        run = _compiled(method, _BACKEND) if self.compiled else method
        # No cache: a weight is cast once in a pass anyway, and a cached one must not outlive the graph that captured it.
        with torch.autocast(self.device_type, torch.bfloat16, self.lean, cache_enabled=False):
            outputs = run(network, *inputs, **options)
        return widened(outputs)


def set_passes(network: nn.Module, passes: Passes) -> None:
    """Let the marked passes of a network and of its parts run so; a copy of the network does as it does."""
    for part in network.modules():
        part.__dict__["_passes"] = passes


def hand_written(x: Tensor) -> bool:
    """Whether a gradient that is written out by hand applies to a function of x: it is for float32 and for plain execution only."""
    return torch.is_grad_enabled() and not torch.is_autocast_enabled(x.device.type) and not torch.compiler.is_compiling()


@functools.cache
def _compiled(method: Callable[..., Any], backend: str) -> Callable[..., Any]:
    import torch._dynamo  # which only this needs, and which takes a second

    torch._dynamo.config.allow_unspec_int_on_nn_module = True  # counters of layers are no constants: BatchRenorm's would compile each time
    return torch.compile(method, backend=backend)


def widened(outputs: Any) -> Any:
    """Return a tensor, or a tuple of them, those of bfloat16 as float32."""
    if isinstance(outputs, tuple):
        return tuple(widened(part) for part in outputs)
    return outputs.float() if isinstance(outputs, Tensor) and outputs.dtype == torch.bfloat16 else outputs
