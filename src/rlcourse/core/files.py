"""Files: safetensors with arrays and JSON metadata, never pickled, checked whole by a SHA-256; and how any file is written.

safetensors has no checksum, and a flipped bit in the header is as bad as one in the weights: the digest covers names, dtypes,
shapes, arrays and all other metadata. It tells of damage, not of malice: what a file says of itself is checked before it is believed
(`layout`), and arrays are read one by one into the memory that they need. Writing is atomic: a temporary file in the same folder,
fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
import time
import uuid
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from rlcourse.core.header import MAX_BYTES, DamagedFile, Extent, arranged, layout, parsed, require_numbers
from rlcourse.core.irregular import cannot_read, require_regular
from rlcourse.core.memory import free_memory

__all__ = ["FORMAT", "DamagedFile", "read", "read_text", "replacing", "sha256_of", "sweep", "write", "write_bytes"]

FORMAT = 1  # what this version writes; it reads all up to it
_ADVICE = "take another checkpoint of the run"
_DAY = 86_400.0  # seconds
_TEXT = 1_000_000  # bytes of a file of settings
_TEMPORARY = re.compile(r"\.rlcourse-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp")

Pathlike = str | os.PathLike[str]


class _NewerFile(DamagedFile):
    """Another checkpoint would be no better."""


def write(path: Pathlike, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> Path:
    """Write arrays and JSON-able metadata atomically; an older file of that name stays whole until the new one is.

    Arrays go to the disk as they are in memory: none is copied, but one at a time where it is not contiguous.

    Raises
    ------
    OSError
        Where the folder cannot be written, or the disk is full.
    ValueError
        Where a file cannot hold what was given.
    """
    texts = {name: _text(name, value) for name, value in metadata.items()}
    texts["format"] = json.dumps(f"rlcourse-{FORMAT}")
    require_numbers(arrays)
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(_heading(name, arrays[name]))
        digest.update(_bytes(arrays[name]))
    digest.update(_ending(texts))
    header, order = arranged(arrays, texts | {"sha256": digest.hexdigest()})
    with replacing(path) as file:
        file.write(header)
        for name in order:
            file.write(_bytes(arrays[name]))
    return Path(path)


def read(path: Pathlike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and metadata of a file that `write` made.

    Raises
    ------
    DamagedFile
        Where the file is truncated, altered, of a newer version, or something else.
    OSError
        Where there is none, or it cannot be read.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > min(MAX_BYTES, size - 8):
            advice = _ADVICE if Path(path).suffix == ".safetensors" else "take one whose name ends in .safetensors"
            raise DamagedFile(f"{path} is truncated or no rlcourse file; {advice}")
        try:
            texts, extents = layout(file.read(length), size - 8 - length)
            _require_format(path, texts.get("format", ""))
            metadata = {name: parsed(text) for name, text in texts.items() if name != "sha256"}
        except _NewerFile as error:
            raise DamagedFile(f"{path} {error}") from error
        except DamagedFile as error:
            raise DamagedFile(f"{path} {error}; {_ADVICE}") from error
        free = free_memory()
        if free is not None and size > free:
            raise DamagedFile(f"{path} holds {size / 1e9:.1f} GB, and {free / 1e9:.1f} GB of memory are free; {_ADVICE}")
        digest = hashlib.sha256()
        arrays = {name: _array(file, 8 + length, name, extents[name], digest) for name in sorted(extents)}
    digest.update(_ending({name: text for name, text in texts.items() if name != "sha256"}))
    if digest.hexdigest() != texts.get("sha256"):
        raise DamagedFile(f"{path} is damaged (its SHA-256 does not match); {_ADVICE}")
    wild = [name for name, array in arrays.items() if array.dtype == np.bool_ and array.size and array.view(np.uint8).max() > 1]
    if wild:
        raise DamagedFile(f"{path} holds an array of neither true nor false; {_ADVICE}")
    return arrays, metadata


def read_text(path: Pathlike, limit: int = _TEXT) -> str:
    """Return a file of settings or results.

    Raises
    ------
    DamagedFile
        Where it is longer than `limit` bytes, not UTF-8, or no regular file.
    OSError
        Where there is none, or it cannot be read.
    """
    with _opened(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise DamagedFile(f"{path} is longer than {limit:,} bytes: it is not what it should be")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise DamagedFile(f"{path} is no text in UTF-8") from None


# Writing --------------------------------------------------------------------------------------------------------------


def sha256_of(path: Pathlike) -> str:
    """Return what ``sha256sum`` says of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Pathlike, data: bytes) -> Path:
    """Write a file atomically and durably."""
    with replacing(path) as file:
        file.write(data)
    return Path(path)


@contextlib.contextmanager
def replacing(path: Pathlike) -> Iterator[IO[bytes]]:
    """Give a binary file to write; once the block ends it takes the place of what had the name before, whole or not at all.

    The permissions are those of the file that it replaces, or what the umask leaves.

    Raises
    ------
    OSError
        Naming the path; IrregularFile, a ValueError too, before anything is written, where something else than a file is there.
    """
    path = Path(path)
    require_regular(path)
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "a name cannot hold a zero byte", str(path))
    temporary = path.parent / f".rlcourse-{_here()}-{os.getpid()}-{uuid.uuid4().hex[:12]}.tmp"
    try:
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), "wb") as file:
                yield file
                file.flush()
                with contextlib.suppress(OSError, AttributeError):  # a new file; a disk, or a system, without permissions
                    os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode) & 0o777)
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def sweep(folder: Pathlike) -> int:
    """Remove what writes that were killed have left in a folder; return how many files that were.

    Only temporary files of this module go: those of processes of this machine that have ended, and those older than a day.
    """
    swept = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name)
            with contextlib.suppress(OSError):
                if match and entry.is_file(follow_symlinks=False) and _left(match[1], int(match[2]), entry):
                    os.unlink(entry.path)
                    swept += 1
    return swept


def _left(machine: str, process: int, entry: os.DirEntry[str]) -> bool:
    """Whether nobody can be writing a temporary file any more."""
    if time.time() - entry.stat(follow_symlinks=False).st_mtime > _DAY:
        return True
    if machine != _here() or os.name != "posix":  # elsewhere signal 0 would end the process
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # somebody else's
        return False
    return False


def _here() -> str:
    """Name this machine in eight digits: a shared folder may hold temporary files of another."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return f"{zlib.crc32(name.encode()):08x}"


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where folders can be synced."""
    if os.name != "posix":
        return
    with contextlib.suppress(PermissionError):  # a folder that may be written and not read
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(handle)


# Reading --------------------------------------------------------------------------------------------------------------


def _opened(path: Pathlike) -> IO[bytes]:
    """Open a regular file, or a link to one, without waiting for anybody to write to a pipe."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}") from None
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EISDIR) or Path(path).is_dir():  # a socket; a folder, elsewhere
            raise cannot_read(path) from None
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
    except ValueError:  # a zero byte
        raise FileNotFoundError(f"there is no file {str(path)!r}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise cannot_read(path)
    return os.fdopen(handle, "rb")


def _require_format(path: Pathlike, text: str) -> None:
    match = re.fullmatch(r'"rlcourse-([1-9]\d{0,8})"', text)
    if match is None:
        raise DamagedFile("is no rlcourse file")
    if int(match[1]) > FORMAT:
        raise _NewerFile(f"was written by a newer rlcourse (format {match[1]}; this one reads {FORMAT}): pip install -U rlcourse")


def _array(file: IO[bytes], begin: int, name: str, extent: Extent, digest: Any) -> np.ndarray:
    """Read one array where it lies, and add it to the digest."""
    array = np.empty(extent.shape, extent.dtype)
    file.seek(begin + extent.begin)
    raw = _bytes(array)
    if file.readinto(raw) != array.nbytes:  # type: ignore[attr-defined]
        raise DamagedFile(f"{file.name} ended while it was read; {_ADVICE}")
    digest.update(_heading(name, array))
    digest.update(raw)
    return array


def _bytes(array: np.ndarray) -> Any:
    """Return the bytes of an array, in the order of its elements; a view where it is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _text(name: str, value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{name}: a file cannot hold it ({error}); numbers must be finite") from error


def _heading(name: str, array: np.ndarray) -> bytes:
    return json.dumps([name, str(array.dtype), list(array.shape)]).encode()


def _ending(texts: Mapping[str, str]) -> bytes:
    return json.dumps(dict(sorted(texts.items()))).encode()
