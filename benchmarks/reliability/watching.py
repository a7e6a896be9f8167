"""What may not happen while a file is opened: an execution, a connection, a write."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["watched"]

FORBIDDEN = (
    *("pickle.find_class", "exec", "marshal.loads", "os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen"),
    *(
        "ctypes.dlopen",
        "socket.connect",
        "socket.bind",
        "os.remove",
        "os.rename",
        "os.mkdir",
        "os.chmod",
        "shutil.rmtree",
        "webbrowser.open",
    ),
)
_watch: list[str] | None = None  # what was noted, while something is watched


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watch is None:
        return
    written = event == "open" and (isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)))
    if (written or event.startswith(FORBIDDEN)) and not _imported():
        _watch.append(f"{event} {str(arguments)[:100]}")


def _imported() -> bool:
    """Whether this happens because a package is imported, or numba compiles a function of ours."""
    frame = sys._getframe(2)
    while frame is not None:
        if any(part in frame.f_code.co_filename for part in ("importlib", "/numba/", "/llvmlite/")):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


_hooked = False


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """Note executions, connections and writes."""
    global _watch, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _watch = noted = []
    try:
        yield noted
    finally:
        _watch = None
