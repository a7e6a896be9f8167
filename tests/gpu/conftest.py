"""Tests that need a GPU and numba-cuda; all are skipped without. ``RLCOURSE_TEST_DEVICE=cpu`` runs what has a meaning on the CPU."""

import importlib.util
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def reason() -> str:
    """Return why these tests cannot run here, or nothing."""
    if os.environ.get("RLCOURSE_TEST_DEVICE") == "cpu":
        return ""
    import torch

    if not torch.cuda.is_available():
        return "there is no CUDA device"
    return "" if importlib.util.find_spec("numba_cuda") else "numba-cuda is not installed: pip install 'rlcourse[cuda]'"


def pytest_collection_modifyitems(items):
    mine = [item for item in items if HERE in Path(item.fspath).parents]
    if mine and (why := reason()):
        for item in mine:
            item.add_marker(pytest.mark.skip(reason=why))
