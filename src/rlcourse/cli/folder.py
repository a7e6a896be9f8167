"""A run's folder: settings, tables, TensorBoard events, checkpoints. Nothing that is whole is touched before what replaces it is whole."""

from __future__ import annotations

import contextlib
import math
import time
from pathlib import Path
from typing import Any

import tomli_w

from rlcourse.cli.events import Events
from rlcourse.cli.lock import Lock
from rlcourse.cli.outputs import folder_to_write, safe_name
from rlcourse.cli.tables import Table
from rlcourse.cli.usage import UsageError, cannot_write, printable
from rlcourse.cli.ways import way_on
from rlcourse.core.agent import Agent, memory_file
from rlcourse.core.files import read, sweep, write, write_bytes

__all__ = ["RunFolder"]

EPISODES = 10_000  # rows of the history that stay in memory, and in a checkpoint; all are in episodes.csv
SECONDS = 60.0  # between checkpoints at most, where an evaluation is further away
SHARE = 0.05  # of a run's time that may go into saving: where a replay memory is large, checkpoints are rarer


class RunFolder:
    """Where a run writes.

    Parameters
    ----------
    path : Path
    keep : int
        Checkpoints that stay beside best and last, each with its replay memory.

    Attributes
    ----------
    path : Path
        Absolute: an environment may change the working folder.
    named : Path
        As the user named it.
    trouble : OSError or None
        The first reason why something could not be written; training goes on, and what waits is written when that is possible.
    """

    def __init__(self, path: Path, keep: int = 2) -> None:
        self.path, self.named, self.keep = path.absolute(), path, keep
        self.trouble: OSError | None = None
        self._tables: dict[str, Table] = {}
        self._events = Events(self.path)
        self._best: list[tuple[Path, dict[str, Any], dict[str, Any]]] = []  # what waits to be written
        self._lock: Lock | None = None
        self._episodes_written = 0
        self._saved_at, self._saving = time.monotonic(), 0.0

    @property
    def shown(self) -> str:
        """What is printed of its path."""
        return printable(str(self.named))

    @property
    def way_on(self) -> str:
        """What the user does next where its run was not finished."""
        return way_on(self.named)

    @classmethod
    def create(cls, out: str, label: str, algo: str, seed: int, checkpoints: bool = True, keep: int = 2) -> RunFolder:
        """Make ``out/label/algo/<time>-seed<n>``, with a folder for checkpoints; raises UsageError where that cannot be written.

        An empty label or algo is left out, as for the seeds within the folder of all of them.
        """
        base = folder_to_write("--out", out).joinpath(*(safe_name(part) for part in (label, algo) if part))
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = base / f"{stamp}-seed{seed}"
        try:
            base.mkdir(parents=True, exist_ok=True)
            for attempt in range(1, 1000):
                try:
                    path.mkdir()
                    break
                except FileExistsError:
                    path = base / f"{stamp}-seed{seed}-{attempt}"
            if checkpoints:
                (path / "checkpoints").mkdir()
        except OSError as error:
            raise UsageError(f"--out: cannot write to {out!r} ({error.strerror}); choose another folder") from error
        folder = cls(path, keep)
        if checkpoints:
            folder.lock()
        return folder

    def lock(self) -> None:
        """Become the only process that writes here, until `close`, and take away what a killed one left half-written.

        Raises
        ------
        UsageError
            Where another process writes here, or nobody can, or its checkpoints lie in another folder.
        """
        if (self.path / "checkpoints").is_symlink():  # its old files are removed
            raise UsageError(f"{self.path / 'checkpoints'} is a link to another folder: remove it, or put the folder in its place")
        self._lock = Lock(self.path)
        try:
            (self.path / "checkpoints").mkdir(exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path / "checkpoints", error) from error
        for folder in (self.path, self.path / "checkpoints"):
            if folder.is_dir():
                sweep(folder)
        whole = {memory_file(path) for path in self.checkpoints()}
        for memory in (self.path / "checkpoints").glob("*.replay.safetensors"):
            if memory not in whole:
                with contextlib.suppress(OSError):
                    memory.unlink()

    def write_config(self, config: dict[str, Any]) -> None:
        """Write config.toml: all that it takes to run it again."""
        try:
            write_bytes(self.path / "config.toml", tomli_w.dumps(_without_none(config)).encode())
        except OSError as error:
            raise UsageError(f"--out: cannot write to {str(self.path)!r} ({error.strerror}); choose another folder") from error

    # Tables -----------------------------------------------------------------------------------------------------------

    def log(self, agent: Agent, metrics: bool = True) -> None:
        """Append finished episodes, and the metrics of the last update; then the history may forget all but the newest episodes."""
        history, step = agent.history, agent.num_timesteps
        rows = history.since(self._episodes_written)
        self._append("episodes.csv", history.columns, [[f"{value:g}" for value in row[:3]] + [str(int(row[3]))] for row in rows])
        self._episodes_written = len(history)
        numbers = {name: float(value) for name, value in getattr(agent, "metrics", {}).items()} if metrics else {}
        if numbers:
            self._append("metrics.csv", ("timesteps", *numbers), [[step, *numbers.values()]])
        scalars = {f"train/{name}": value for name, value in numbers.items() if math.isfinite(value)}  # TensorBoard would complain
        if len(rows):
            scalars[f"rollout/{history.columns[0]}"] = float(rows[-100:, 0].mean())
            scalars["rollout/length"] = float(rows[-100:, 1].mean())
        if scalars:
            self._events.add(step, scalars)
        history.shorten(EPISODES)

    def log_evaluation(self, step: int, mean: float, std: float, episodes: int) -> None:
        """Append an evaluation."""
        self._append("evaluations.csv", ("timesteps", "mean", "std", "episodes"), [[step, mean, std, episodes]])
        self._events.add(step, {"eval/mean_return": mean})

    def log_metrics(self, step: int, metrics: dict[str, float]) -> None:
        """Append numbers that were measured at a step."""
        self._append("metrics.csv", ("timesteps", *metrics), [[step, *metrics.values()]])
        self._events.add(step, {f"eval/{name}": value for name, value in metrics.items()})

    def table(self, name: str) -> Table:
        """Return one of the tables: episodes.csv, metrics.csv or evaluations.csv."""
        return self._tables.setdefault(name, Table(self.path / name))

    def rows(self, name: str) -> list[dict[str, float]]:
        """Return a short table as dictionaries of numbers; empty where there is none."""
        return list(self.table(name).rows())

    def _append(self, name: str, header: tuple[str, ...], rows: list[list[Any]]) -> None:
        try:
            self.table(name).append(header, rows)
        except OSError as error:
            self.trouble = self.trouble or error

    # Checkpoints ------------------------------------------------------------------------------------------------------

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint, though not for an evaluation."""
        return time.monotonic() - self._saved_at > max(SECONDS, self._saving / SHARE)

    def checkpoint(self, agent: Agent) -> bool:
        """Save a checkpoint named by its step, replay memory included; older ones go then, but for the newest.

        Return whether it was saved: not where saving takes long and the last one is recent, nor where it cannot be written.
        """
        began = time.monotonic()
        if self._saving > 1.0 and began - self._saved_at < self._saving / SHARE:
            return False
        path = self.path / "checkpoints" / f"{agent.num_timesteps:012d}.safetensors"
        try:
            self._write_best()  # who goes on from here does not evaluate again
            for table in self._tables.values():
                table.sync()  # no row is lost that an agent of this checkpoint has seen
            agent.save(path)
        except OSError as error:
            self.trouble = self.trouble or error
            if not path.exists():
                with contextlib.suppress(OSError):
                    memory_file(path).unlink(missing_ok=True)
            return False
        self._saved_at = time.monotonic()
        self._saving = self._saved_at - began
        for stale in self.checkpoints()[self.keep :]:
            with contextlib.suppress(OSError):
                stale.unlink()
                memory_file(stale).unlink(missing_ok=True)
        return True

    def save_best(self, agent: Agent) -> None:
        """Save an agent as the best one; where that cannot be written now, it is when something else can, as it is now."""
        found = agent.contents(self.path / "best.safetensors", replay=False)
        try:
            self._best = found
            self._write_best()
        except OSError as error:
            self.trouble = self.trouble or error
            self._best = [(path, {name: array.copy() for name, array in arrays.items()}, about) for path, arrays, about in found]

    def _write_best(self) -> None:
        for part in self._best:
            write(*part)
        self._best = []

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints, the newest first."""
        files = (self.path / "checkpoints").glob("*.safetensors")
        return sorted((file for file in files if file.stem.isdigit()), reverse=True)

    def resume_after(self, agent: Agent) -> list[str]:
        """Go on writing after what a loaded agent has seen; return what there is to say of it.

        Raises
        ------
        UsageError
            Where a table is damaged; then none has changed.
        """
        self._episodes_written = len(agent.history)
        step, tables = agent.num_timesteps, [self.table(name) for name in ("episodes.csv", "metrics.csv", "evaluations.csv")]
        for table in tables:
            table.check(step)
        for table in tables:
            table.cut_after(step)
        self._events = Events(self.path, purge=step)
        best = self.path / "best.safetensors"
        written = {
            "episodes.csv": lambda: len(agent.history) > 0,
            "metrics.csv": lambda: _measured(agent, best),
            "evaluations.csv": best.exists,
        }
        gone = [name for name, once in written.items() if not self.table(name).path.exists() and once()]
        return [f"rlcourse: {self.path} lacks {', '.join(gone)}: the rows up to step {step:,} are lost"] if gone else []

    def reopen(self) -> None:
        """Take away the result of a run that now goes on; raises UsageError where that is not possible."""
        try:
            (self.path / "result.json").unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def complete(self) -> None:
        """Write what still waits; raises OSError where that is not possible."""
        for table in self._tables.values():
            table.flush()
        self._write_best()

    def close(self) -> None:
        """Let others write here."""
        self._events.close()
        if self._lock is not None:
            self._lock.release()


def _measured(agent: Any, best: Path) -> bool:
    """Whether a run had metrics when its best agent was saved, before which they are written, or a true error when it began."""
    from rlcourse.cli.truth import Truth

    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # there is none, or nobody can use it
        if read(best)[1]["state"].get("metrics"):
            return True
    return agent.num_timesteps > 0 and Truth(agent).error(agent) is not None


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(part) for key, part in value.items() if part is not None}
    return value
