"""Infos of vector environments: every key by copy, and a mask ``_key`` of the copies that said something."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["plain", "single"]


def single(infos: dict[str, Any], i: int) -> dict[str, Any]:
    """Return what a vector environment's infos say of copy i: every key comes with a mask ``_key``."""
    found = {}
    for name, value in infos.items():
        mask = infos.get(f"_{name}")
        if mask is None:  # a mask itself, or a value without one
            if name.startswith("_") and name[1:] in infos:
                continue
            found[name] = single(value, i) if isinstance(value, dict) else plain(value[i]) if np.ndim(value) else value
        elif mask[i]:
            found[name] = single(value, i) if isinstance(value, dict) else plain(value[i])
    return found


def plain(value: Any) -> Any:
    """Return a number as Python's own, and an array as a copy."""
    return value.item() if isinstance(value, np.generic) else value.copy() if isinstance(value, np.ndarray) else value
