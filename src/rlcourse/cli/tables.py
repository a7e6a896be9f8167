"""A run's tables: CSV files that grow by whole rows, survive a full disk, and are cut where a run goes on from."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse.cli.usage import UsageError, cannot_write

__all__ = ["Table"]

_MOST = 200_000  # rows that are read of a long table, evenly spread over it
_LONGEST = 1_000_000  # bytes of a row


class Table:
    """A CSV file of numbers, one of whose columns is "timesteps".

    Rows that cannot be written, because the disk is full, wait and are written before the next ones: nothing is torn, and nothing is lost
    while there is memory for what waits.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UsageError
        Whoever reads it: where a line is damaged, unless it is the last one and was torn. It is named.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[str] = []

    @property
    def waiting(self) -> bool:
        """Whether rows could not be written yet."""
        return bool(self._waiting)

    def append(self, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Append rows, below a header where the file is new.

        Raises
        ------
        OSError
            Where they could not be written; they will be with the next ones.
        """
        text = _text(rows)
        if not self._waiting and not self.path.exists():
            text = _text([header]) + text
        if text:
            self._waiting.append(text)
        self.flush()

    def flush(self) -> None:
        """Write what waits, whole or not at all; raises OSError where it cannot be written."""
        if not self._waiting:
            return
        data = "".join(self._waiting).encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            before = os.fstat(handle).st_size
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(handle, view) :]
            except OSError:
                os.ftruncate(handle, before)
                raise
        finally:
            os.close(handle)
        self._waiting.clear()

    def sync(self) -> None:
        """Let what was written survive a loss of power; raises OSError where that fails."""
        self.flush()
        if self.path.exists():
            handle = os.open(self.path, os.O_RDWR)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def check(self, step: int) -> None:
        """Raise UsageError where a line is damaged, of those up to a step, or where rows would go into another folder's file."""
        if self.path.is_symlink():
            raise UsageError(f"{self.path} is a link, and a run writes in its own folder alone: remove it, or put the file in its place")
        self._end(step)

    def cut_after(self, step: int) -> None:
        """Take away the rows that were written after a step, and one that was torn."""
        end = self._end(step)
        if end is None:
            return
        try:
            if end == 0:
                self.path.unlink()
            elif end < self.path.stat().st_size:
                os.truncate(self.path, end)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def rows(self) -> Iterator[dict[str, float]]:
        """Yield the rows as dictionaries of numbers; none where there is no file, and not one that was torn."""
        names: list[str] = []
        for number, line in self._lines():
            if number == 1:
                names = self._names(line)
            else:
                yield dict(zip(names, self._numbers(number, line, names), strict=True))

    def columns(self, *names: str) -> tuple[np.ndarray, ...]:
        """Return columns, of a very long table every second, fourth, ... row: as much as a picture shows."""
        kept: list[tuple[float, ...]] = []
        stride = 1
        for i, row in enumerate(self.rows()):
            if i % stride == 0 and all(name in row for name in names):
                kept.append(tuple(row[name] for name in names))
            if len(kept) > _MOST:
                kept, stride = kept[::2], 2 * stride
        return tuple(np.array(kept, dtype=float).reshape(-1, len(names)).T)

    def _end(self, step: int) -> int | None:
        """Return where the rows up to a step end, in bytes; None where there is no file."""
        names: list[str] = []
        end = column = 0
        for number, line in self._lines():
            if number == 1:
                names = self._names(line)
                column = names.index("timesteps")
            elif self._numbers(number, line, names)[column] > step:
                break
            end += len(line)
        return end if self.path.exists() else None

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines with their numbers, from 1, but for a last one that was torn; none where there is no file."""
        if not self.path.exists():
            return
        if not self.path.is_file():  # opening a pipe would wait for ever
            raise UsageError(f"{self.path} is no regular file: move it away")
        try:
            with self.path.open("rb") as file:
                for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b""), start=1):
                    if line.endswith(b"\n"):
                        yield number, line
                    elif len(line) == _LONGEST:
                        raise self._damaged(number, f"is longer than {_LONGEST:,} bytes")
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read ({error.strerror}): mend that or move the file away") from error

    def _names(self, header: bytes) -> list[str]:
        names = header.decode(errors="replace").strip().split(",")
        if "timesteps" not in names:
            raise self._damaged(1, "does not name a column timesteps")
        return names

    def _numbers(self, number: int, line: bytes, names: list[str]) -> list[float]:
        try:
            numbers = [float(cell) for cell in line.split(b",")]
        except ValueError:
            raise self._damaged(number, "is no row of numbers") from None
        if len(numbers) != len(names):
            raise self._damaged(number, f"has {len(numbers)} columns, and the first line names {len(names)}")
        if not numbers[names.index("timesteps")].is_integer():
            raise self._damaged(number, "has no whole number of timesteps")
        return numbers

    def _damaged(self, number: int, what: str) -> UsageError:
        return UsageError(f"{self.path} is damaged: line {number} {what}; mend that line or move the file away")


def _text(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
