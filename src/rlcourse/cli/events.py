"""TensorBoard events of a run, written at once: no thread and no queue, which block for ever where a disk is full."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["Events"]


class Events:
    """A file of events; what cannot be written is left out, because the tables have it too.

    Parameters
    ----------
    folder : Path
    purge : int, optional
        What an earlier file says of later steps no longer counts: the run goes on from here.
    """

    def __init__(self, folder: Path, purge: int | None = None) -> None:
        self._folder, self._purge = folder, purge
        self._writer: Any = None
        self._proto: Any = None

    def add(self, step: int, scalars: dict[str, float]) -> None:
        """Write scalars of a step."""
        with contextlib.suppress(OSError):
            if self._writer is None:
                self._open()
            values = [self._proto.summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
            event = self._proto.event_pb2.Event(wall_time=time.time(), step=step, summary=self._proto.summary_pb2.Summary(value=values))
            self._writer.write_event(event)
            self._writer.flush()

    def _open(self) -> None:
        hidden = "torch" not in sys.modules  # tensorboardX imports it where it finds it, and a tabular run does not wait for that
        if hidden:
            sys.modules["torch"] = None  # type: ignore[assignment]
        try:
            from tensorboardX import event_file_writer, proto
            from tensorboardX.proto import event_pb2, summary_pb2  # noqa: F401  # as attributes of the package
        finally:
            if hidden:
                del sys.modules["torch"]
        self._proto = proto
        writer = event_file_writer.EventsWriter(str(self._folder / "events"), f".{os.getpid()}.{time.monotonic_ns()}")
        if self._purge is not None:
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            writer.write_event(event_pb2.Event(wall_time=time.time(), step=self._purge + 1, session_log=start))
        self._writer = writer

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()
            self._writer = None
