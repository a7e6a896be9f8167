"""The header of a safetensors file: what it says of the arrays, believed only within limits and where it can be true.

Eight bytes of length, a JSON object ``{name: {dtype, shape, data_offsets}, "__metadata__": {name: text}}``, then the arrays without gaps.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

__all__ = ["MAX_ARRAYS", "MAX_BYTES", "MAX_DEPTH", "MAX_PARTS", "DamagedFile", "Extent", "arranged", "layout", "parsed", "require_numbers"]

MAX_BYTES = 8_000_000  # of a header
MAX_ARRAYS = 10_000
MAX_DEPTH = 64  # of JSON
MAX_PARTS = 200_000  # lists and objects of JSON
MAX_AXES = 32
MAX_AXIS = 2**40  # elements

_DTYPES = {
    **{"F64": np.float64, "F32": np.float32, "F16": np.float16, "BOOL": np.bool_},
    **{"I64": np.int64, "I32": np.int32, "I16": np.int16, "I8": np.int8},
    **{"U64": np.uint64, "U32": np.uint32, "U16": np.uint16, "U8": np.uint8},
}
_NAMES = {np.dtype(kind): name for name, kind in _DTYPES.items()}


class DamagedFile(ValueError):
    """A file that is not whole: truncated, altered, of a newer version, or not written by rlcourse."""


class Extent(NamedTuple):
    """Where an array lies, in bytes after the header."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def arranged(arrays: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> tuple[bytes, list[str]]:
    """Return the bytes before the arrays, and the order in which these follow: wide numbers first, so that all are aligned.

    Raises
    ------
    ValueError
        For more than `layout` would read.
    """
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    entries: dict[str, Any] = {"__metadata__": dict(texts)}
    begin = 0
    for name in order:
        array = arrays[name]
        entries[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, begin + array.nbytes]}
        begin += array.nbytes
    data = json.dumps(entries, separators=(",", ":")).encode()
    data += b" " * (-len(data) % 8)
    if len(data) > MAX_BYTES or len(order) > MAX_ARRAYS or _parts(data.decode()) > MAX_PARTS:
        held = f"{len(data):,} bytes of names and settings, {len(order):,} arrays"
        raise ValueError(f"{held}: more than a file can hold ({MAX_BYTES:,} bytes, {MAX_ARRAYS:,} arrays)")
    return len(data).to_bytes(8, "little") + data, order


def require_numbers(arrays: Mapping[str, np.ndarray]) -> None:
    """Raise ValueError for an array that a file cannot hold."""
    for name, array in arrays.items():
        if array.dtype not in _NAMES or not array.dtype.isnative:
            raise ValueError(f"array {name!r} has dtype {array.dtype}, which a file cannot hold")


def layout(header: bytes, size: int) -> tuple[dict[str, str], dict[str, Extent]]:
    """Return the texts of the metadata, and where the arrays lie in the `size` bytes that follow.

    Raises
    ------
    DamagedFile
        The end of a sentence that begins with the file.
    """
    try:
        entries = parsed(header.decode())
    except UnicodeDecodeError:
        raise DamagedFile("is damaged or no rlcourse file") from None
    if not isinstance(entries, dict):
        raise DamagedFile("is damaged or no rlcourse file")
    texts = entries.pop("__metadata__", None)
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise DamagedFile("is no rlcourse file")
    if len(entries) > MAX_ARRAYS:
        raise DamagedFile(f"names {len(entries):,} arrays, more than {MAX_ARRAYS:,}")
    extents = {name: _extent(entry) for name, entry in entries.items()}
    end = 0
    for extent in sorted(extents.values(), key=lambda extent: (extent.begin, extent.end)):
        if extent.begin != end:
            raise DamagedFile("is damaged: its arrays overlap or leave gaps")
        end = extent.end
    if end != size:
        raise DamagedFile(f"is truncated or damaged: its arrays take {end:,} bytes, and {size:,} are there")
    return texts, extents


def parsed(text: str, depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text, which may be neither deep nor large, holds only numbers that are finite, and no name twice.

    Raises
    ------
    DamagedFile
        The end of a sentence that begins with the file.
    """
    if _parts(text) > MAX_PARTS:
        raise DamagedFile(f"is damaged: a header of more than {MAX_PARTS:,} parts")
    try:
        value = json.loads(text, parse_constant=_refused, object_pairs_hook=_distinct)
    except DamagedFile:
        raise
    except (ValueError, RecursionError):
        raise DamagedFile("is damaged or no rlcourse file") from None
    level: list[Any] = [value]
    for _ in range(depth):
        level = [part for each in level for part in _children(each)]
    if level:
        raise DamagedFile(f"is damaged: a header nested deeper than {depth}")
    return value


def _extent(entry: Any) -> Extent:
    """Return what an entry of the header says, where that can be true."""
    try:
        dtype, shape, (begin, end) = np.dtype(_DTYPES[entry["dtype"]]), entry["shape"], entry["data_offsets"]
        sizes = [*shape, begin, end]
    except (KeyError, TypeError, ValueError):
        raise DamagedFile("is damaged: it describes an array that cannot be") from None
    whole = len(entry) == 3 and isinstance(shape, list) and all(type(size) is int and size >= 0 for size in sizes)
    if not whole or len(shape) > MAX_AXES or math.prod(max(1, size) for size in shape) > MAX_AXIS:
        raise DamagedFile("is damaged: it describes an array that cannot be")
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise DamagedFile("is damaged: an array's shape does not fit its bytes")
    return Extent(dtype, tuple(shape), begin, end)


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _parts(text: str) -> int:
    """Return how many lists and objects a JSON text has, or more: it may name brackets."""
    return text.count("[") + text.count("{")


def _refused(constant: str) -> Any:
    raise DamagedFile(f"is damaged: {constant} is no number of a file")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DamagedFile("is damaged: it has a name twice")
    return found
