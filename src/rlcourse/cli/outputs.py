"""Where a command may write: files and folders that the user names, before anything is done."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from rlcourse.cli.usage import UsageError
from rlcourse.core.irregular import IrregularFile, require_regular

__all__ = ["file_to_write", "folder_to_write", "safe_name"]

_LONGEST_NAME = 255  # bytes, on every file system in use


def file_to_write(flag: str, text: str, endings: Sequence[str]) -> Path:
    """Return the file that an option names; raises UsageError where no such file can be written there.

    Parameters
    ----------
    flag : str
        The option, for the message.
    text : str
    endings : sequence of str
        What its name may end with: ``.png``.
    """
    path = Path(os.path.expanduser(text))
    if path.suffix.lower() not in endings or len(os.fsencode(path.name)) > _LONGEST_NAME:
        raise UsageError(f"{flag}: {text!r} is no name of a file that ends in {' or '.join(endings)}")
    if not os.path.isdir(path.absolute().parent):
        raise UsageError(f"{flag}: there is no folder {str(path.parent)!r}")
    try:
        require_regular(path)
    except IrregularFile as error:
        raise UsageError(f"{flag}: {error}") from error
    return path


def folder_to_write(flag: str, text: str) -> Path:
    """Return the folder that an option names, whether it exists or not; raises UsageError where it is something else."""
    path = Path(os.path.expanduser(text))
    if not os.path.lexists(path):  # a/../b is b: what is made is no folder a on the way
        path = Path(os.path.normpath(path))
    if not text or (os.path.lexists(path) and not os.path.isdir(path)):
        raise UsageError(f"{flag}: {text!r} is no folder; name another")
    return path


def safe_name(text: str) -> str:
    """Return a name of an environment or an agent as that of one folder: never a path, never hidden, never long."""
    return re.sub(r"[^\w.+=-]+", "-", text).strip(".-")[:100] or "unnamed"
