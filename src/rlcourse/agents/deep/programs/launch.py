"""`Launch`: a kernel of `rlcourse.core.kernels` with the tensors that it reads and writes, ready to be run again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlcourse.core.kernels import Each

__all__ = ["Launch", "placed"]


class Launch:
    """Runs ``each.one(i, *arguments)`` for every i < count: in a compiled loop over the tensors' memory, or on threads of a GPU.

    Parameters
    ----------
    each : Each
    count : int
    arguments : tuple
        Numbers, arrays and tensors, also within named tuples (see `placed`). Their memory is fixed from now on.
    device : torch.device

    Attributes
    ----------
    recorder : callable or None, of the class
        Told of every launch: ``recorder(launch)``. Tests emulate CUDA graphs by it.
    """

    recorder: Callable[[Launch], None] | None = None

    def __init__(self, each: Each, count: int, arguments: tuple[Any, ...], device: torch.device) -> None:
        self.count = count
        if device.type == "cuda":
            from rlcourse.core.cuda import threads

            launch = threads(each, count, arguments)

            def run() -> None:
                launch(torch.cuda.current_stream(device).cuda_stream)

        else:
            held = _as_numpy(arguments)
            loops: list[Any] = []

            def run() -> None:
                if loops:
                    loops[0](count, held)
                else:  # the first call goes through the box, which falls back to the interpreter if it must
                    each.loop(count, held)
                    loops.append(each.loop.fastest(count, held))

        self._run = run

    def __call__(self) -> None:
        """Run it, on torch's current stream."""
        if Launch.recorder is not None:
            Launch.recorder(self)
        self._run()


def placed(value: Any, device: torch.device) -> Any:
    """Return a value whose arrays are tensors on a device, also within named tuples: a world as a GPU takes it."""
    if isinstance(value, tuple):
        items = [placed(item, device) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return torch.as_tensor(value).to(device) if isinstance(value, np.ndarray) else value


def _as_numpy(value: Any) -> Any:
    if isinstance(value, tuple):
        items = [_as_numpy(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value.detach().numpy() if isinstance(value, Tensor) else value
