"""Standard output and standard error that outlast their reader: `rlcourse train cartpole | head -1` trains to its end."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["lasting_streams"]


class _Lasting(io.FileIO):
    """A stream of this process, which leads to nowhere once whoever read it has gone."""

    def write(self, data: Any) -> int:
        """Write bytes; see `io.RawIOBase.write`."""
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


@contextlib.contextmanager
def lasting_streams() -> Iterator[None]:
    """Let nothing that is printed within the block end it because nobody reads any more.

    So every BrokenPipeError that a command meets is somebody else's, such as an environment's whose simulator has gone. Streams that
    others put in place of Python's own, as tests and notebooks do, stay as they are.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _lasting(sys.stdout, sys.__stdout__), _lasting(sys.stderr, sys.__stderr__)
    mine = sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in mine:
            if stream is not None and stream not in before:
                stream.flush()


def _lasting(stream: Any, own: Any) -> Any:
    """Return a stream for the same file of the process, where it is Python's own."""
    if stream is not own or not isinstance(stream, io.TextIOWrapper) or os.name != "posix":
        return stream
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if not isinstance(raw, io.FileIO):
        return stream
    stream.flush()
    file: Any = _Lasting(raw.fileno(), "w", closefd=False)
    unbuffered = stream.write_through  # python -u
    return io.TextIOWrapper(
        file if unbuffered else io.BufferedWriter(file),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=unbuffered,
    )
