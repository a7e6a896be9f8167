"""How torch computes: in how many threads, and on a GPU in which order."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import torch

__all__ = ["deterministic_operations", "in_force", "threads_of_torch"]

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


@contextlib.contextmanager
def threads_of_torch(count: int | None) -> Iterator[None]:
    """Within, torch computes in so many threads; then as before. None leaves them."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def deterministic_operations() -> Iterator[None]:
    """Within, torch takes operations that give the same bits whenever they are run again, and raises where a GPU has none.

    That is ``torch.use_deterministic_algorithms``, cuDNN without benchmarks, and cuBLAS with a workspace of its own
    (``CUBLAS_WORKSPACE_CONFIG=:4096:8``, which it reads when CUDA starts: enter before). TF32 is deterministic, and left as it is.
    """
    cudnn, variable = torch.backends.cudnn, os.environ.get(_WORKSPACE)
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled(), cudnn.benchmark
    os.environ.setdefault(_WORKSPACE, ":4096:8")
    torch.use_deterministic_algorithms(True)
    cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        cudnn.benchmark = before[2]
        if variable is None:
            os.environ.pop(_WORKSPACE, None)


def in_force() -> dict[str, Any]:
    """Return how torch computes now."""
    return {"threads": torch.get_num_threads(), "deterministic": torch.are_deterministic_algorithms_enabled()}
