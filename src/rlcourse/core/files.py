"""Agent files: one safetensors file with arrays and JSON metadata, never pickled, checked whole by a SHA-256.

safetensors has no checksum, and a flipped bit in the header is as bad as one in the weights: the digest covers names, dtypes,
shapes, arrays and all other metadata. Writing is atomic: a temporary file in the same folder, fsync, rename.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["DamagedFile", "read", "write", "write_bytes"]

FORMAT = "rlcourse-1"
_MAX_HEADER = 16_000_000  # bytes


class DamagedFile(ValueError):
    """A file that is not whole: truncated, altered, or not written by rlcourse."""


def write(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> Path:
    """Write arrays and JSON-able metadata atomically; an older file of that name stays whole until the new one is.

    Raises
    ------
    OSError
        Where the folder cannot be written.
    """
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in arrays.items()}
    texts = {name: json.dumps(value, sort_keys=True) for name, value in metadata.items()}
    texts["format"] = json.dumps(FORMAT)
    texts["sha256"] = _digest(contiguous, texts)
    return write_bytes(path, save(contiguous, metadata=texts))


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and metadata of a file that `write` made.

    Raises
    ------
    DamagedFile
        Where the file is truncated, altered, or something else.
    FileNotFoundError
        Where there is none.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{path} is a folder: name the file within it, such as {Path(path) / 'best.safetensors'}") from None
    advice = "take another checkpoint of the run"
    try:
        length = int.from_bytes(data[:8], "little")
        if len(data) < 8 or length > min(_MAX_HEADER, len(data) - 8):
            raise DamagedFile(f"{path} is truncated or no rlcourse file; {advice}")
        texts: dict[str, str] = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
        arrays = load(data)
    except DamagedFile:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedFile(f"{path} is damaged or no rlcourse file; {advice}") from error
    if json.dumps(FORMAT) != texts.get("format"):
        raise DamagedFile(f"{path} is no rlcourse file, or of another format; {advice}")
    digest = texts.pop("sha256", "")
    if digest != _digest(arrays, texts):
        raise DamagedFile(f"{path} is damaged (its SHA-256 does not match); {advice}")
    return arrays, {name: json.loads(text) for name, text in texts.items()}


def write_bytes(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write a file atomically and durably."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return path


def _digest(arrays: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(json.dumps([name, str(arrays[name].dtype), list(arrays[name].shape)]).encode())
        digest.update(array.tobytes())
    digest.update(json.dumps(dict(sorted(texts.items()))).encode())
    return digest.hexdigest()
