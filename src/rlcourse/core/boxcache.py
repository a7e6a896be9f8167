"""The disk cache of compiled boxes: numba's own, made safe against damage and against concurrent writers.

numba keeps an index beside numbered data files: a truncated file raises in every later process, and two processes that
compile at once can give one number to two functions. Here each entry is one file, named by its key, that carries the key and a
SHA-256; whatever does not verify is compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle  # only for files of our own private folder, and only after their digest and key were verified
import uuid
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

__all__ = ["CheckedCache"]


class _CheckedFiles:
    """One file per compiled signature: digest, then the pickled key and code."""

    def __init__(self, folder: str, base: str) -> None:
        self._folder, self._base = Path(folder), base

    def _path(self, key: Any) -> Path:
        return self._folder / f"{self._base}-{hashlib.sha256(repr(key).encode()).hexdigest()[:20]}.code"

    def load(self, key: Any) -> Any:
        data = self._path(key).read_bytes()
        digest, body = data[:32], data[32:]
        if hashlib.sha256(body).digest() != digest:
            return None
        stored_key, code = pickle.loads(body)
        return code if stored_key == key else None

    def save(self, key: Any, code: Any) -> None:
        body = dumps((key, code))
        path = self._path(key)
        temporary = path.with_suffix(f".{uuid.uuid4().hex[:12]}.tmp")
        try:
            temporary.write_bytes(hashlib.sha256(body).digest() + body)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


class CheckedCache(FunctionCache):
    """numba's function cache over `_CheckedFiles`; every failure means compiling again."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = _CheckedFiles(self._cache_path, self._impl.filename_base)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code of a signature, or None to compile it."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # unreadable, damaged or of another world: compile instead
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store compiled code where that is possible."""
        with contextlib.suppress(Exception):  # a full or read-only disk only costs the next process its compile time
            super().save_overload(sig, data)
