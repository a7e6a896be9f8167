"""One writer in a run's folder: a lock that the operating system takes back when its process ends, however that ends."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from rlcourse.cli.usage import UsageError, cannot_write

__all__ = ["Lock"]


class Lock:
    """The right to write in a folder, held until `release` or the end of the process.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    UsageError
        Where another process has it, the folder cannot be written, or its ``.lock`` is something else than a file.
    """

    def __init__(self, folder: Path) -> None:
        try:
            if not os.access(folder, os.W_OK):  # a lock that is there already can be opened all the same
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._handle: int | None = _opened(folder / ".lock")
        except OSError as error:
            raise cannot_write(folder, error) from error
        try:
            _take(self._handle)
        except OSError as error:
            holder = os.pread(self._handle, 32, 0).decode(errors="replace").strip() if hasattr(os, "pread") else ""
            os.close(self._handle)
            self._handle = None
            who = f"process {holder}" if holder.isdigit() else "another process"
            raise UsageError(f"{folder} is in use: {who} trains in it; wait for it, or stop it with Ctrl-C") from error
        if hasattr(os, "pwrite"):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give it back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _opened(path: Path) -> int:
    """Open the file of a lock, whose text is overwritten: no file elsewhere that a link leads to, and no pipe."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UsageError(f"{path} is no regular file: remove it, a new one is made")
    flags = (getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"))  # not every system has them
    return os.open(path, os.O_RDWR | os.O_CREAT | sum(flags), 0o666)


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
