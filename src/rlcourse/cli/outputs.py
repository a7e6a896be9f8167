"""Where a command may write: files and folders that the user names, before anything is done."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rlcourse.cli.usage import UsageError
from rlcourse.core.irregular import IrregularFile, require_regular

__all__ = ["file_to_write", "folder_to_write", "held", "require_room", "safe_name", "working_folder", "writing"]

_LONGEST_NAME = 255  # bytes, on every file system in use
_ROOM = 65_536  # bytes: less than a picture has


def file_to_write(flag: str, text: str, endings: Sequence[str]) -> Path:
    """Return the file that an option names; raises UsageError where no such file can be written there, which is tried.

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
    require_room(flag, path.parent)
    return path


def folder_to_write(flag: str, text: str) -> Path:
    """Return the folder that an option names, whether it exists or not; raises UsageError where it is something else."""
    path = Path(os.path.expanduser(text))
    if not os.path.lexists(path):  # a/../b is b: what is made is no folder a on the way
        path = Path(os.path.normpath(path))
    if not text or (os.path.lexists(path) and not os.path.isdir(path)):
        raise UsageError(f"{flag}: {text!r} is no folder; name another")
    return path


def require_room(flag: str, folder: Path) -> None:
    """Raise UsageError where a folder, or what is there of it, cannot be written or is full: this is tried, and nothing is left."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())
    with writing(flag, folder), tempfile.TemporaryFile(dir=there, buffering=0) as file:
        file.write(bytes(_ROOM))
        os.fsync(file.fileno())


@contextlib.contextmanager
def writing(flag: str, path: Path) -> Iterator[None]:
    """Let what the disk refuses while a file or a folder is written be a UsageError."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error).partition("\n")[0]
        raise UsageError(f"{flag}: cannot write to {str(path)!r} ({why}): make room there, or name another place") from error


def working_folder() -> Path:
    """Return the working folder; an environment may change it."""
    try:
        return Path.cwd()
    except OSError:  # somebody has removed it
        return Path()


def held(text: str, here: Path) -> str:
    """Return a folder as the user named it, or its absolute path where the working folder is no longer the one that was meant."""
    return text if working_folder() == here else str(here / os.path.expanduser(text))


def safe_name(text: str) -> str:
    """Return a name of an environment or an agent as that of one folder: never a path, never hidden, never long."""
    return re.sub(r"[^\w.+=-]+", "-", text).strip(".-")[:100] or "unnamed"
