"""Tables as text: columns as wide as their widest cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["print_table"]


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows that have the same keys in the same order."""
    widths = [max(len(str(row[key])) for row in rows) for key in rows[0]]
    for row in rows:
        print("  ".join(str(value).ljust(width) for value, width in zip(row.values(), widths, strict=True)).rstrip())
