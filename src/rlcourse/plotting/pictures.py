"""Writing a picture, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rlcourse.core.files import replacing

__all__ = ["save"]


def save(figure: Any, path: str | Path) -> None:
    """Save a figure as its name ends (png where it does not say)."""
    with replacing(path) as file:
        figure.savefig(file, dpi=130, format=Path(path).suffix.removeprefix(".").lower() or "png")
