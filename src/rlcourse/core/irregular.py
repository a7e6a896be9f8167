"""What has a name and is no regular file: it is neither read nor replaced, whoever may do so."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["IrregularFile", "cannot_read", "require_regular"]

_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Pathlike = str | os.PathLike[str]


class IrregularFile(OSError, ValueError):
    """A name that cannot be written to: an OSError like all that a disk refuses, and a ValueError like every wrong argument."""

    def __str__(self) -> str:
        return str(self.strerror)


def require_regular(path: Pathlike) -> None:
    """Refuse to replace what is there and is no regular file; a link too, since neither it nor what it leads to was meant.

    Raises
    ------
    IrregularFile
    """
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):  # nothing is there, or the writing itself says what is wrong
        return
    if not stat.S_ISREG(mode):
        leads = f" to {os.path.realpath(path)}" if stat.S_ISLNK(mode) else ""
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise IrregularFile(errno.EINVAL, f"{path} is {kind}{leads}, not a regular file: name another, or move it away", str(path))


def cannot_read(path: Pathlike) -> OSError:
    """Return what to raise for what is there and cannot be read as a file."""
    if Path(path).is_dir():
        return IsADirectoryError(f"{path} is a folder: name the file within it, such as {Path(path) / 'best.safetensors'}")
    return OSError(f"{path} is no regular file: a pipe, a socket or a device holds no agent")
