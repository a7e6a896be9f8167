"""`machine`: what there is to compute with."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import torch

from rlcourse.agents.deep.measure import cores
from rlcourse.agents.deep.programs.together import cuda_is_installed

__all__ = ["machine"]


def machine() -> dict[str, Any]:
    """Return what there is to compute with, and in one sentence what a GPU would need."""
    there = torch.cuda.is_available()
    properties = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())] if there else []
    installed, driver = cuda_is_installed(), False
    if installed:
        with contextlib.suppress(Exception):  # what it raises without a driver is its own affair
            from numba import cuda

            driver = bool(cuda.is_available())
    advice = ""
    if torch.version.cuda is None:
        advice = "torch is a build without CUDA: for an NVIDIA GPU install another one, see https://pytorch.org/get-started"
    elif not there:
        advice = "torch finds no CUDA device: an NVIDIA GPU needs its driver, see nvidia-smi"
    elif not installed:
        advice = "worlds on the GPU need numba-cuda: pip install 'rlcourse[cuda]'"
    elif not driver:
        advice = "numba-cuda finds no driver that it can use, so worlds stay on the host; see python -m numba -s"
    return {
        "cores": cores(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "gpus": [{"name": each.name, "bytes": int(each.total_memory)} for each in properties],
        "numba_cuda": installed,
        "driver": driver,
        "advice": advice,
    }
