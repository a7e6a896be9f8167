"""A run's folder: settings, tables, TensorBoard events, checkpoints."""

from __future__ import annotations

import csv
import math
import sys
import time
from pathlib import Path
from typing import Any

import tomli_w

from rlcourse.cli.usage import UsageError
from rlcourse.core.agent import Agent

__all__ = ["RunFolder"]

_KEPT = 2  # checkpoints beside best and last


class RunFolder:
    """Where a run writes.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: Any = None
        self._episodes_written = 0

    @classmethod
    def create(cls, out: str, label: str, algo: str, seed: int, checkpoints: bool = True) -> RunFolder:
        """Make ``out/label/algo/<time>-seed<n>``, with a folder for checkpoints; raises UsageError where that cannot be written."""
        base = Path(out) / label / algo
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
        return cls(path)

    def write_config(self, config: dict[str, Any]) -> None:
        """Write config.toml: all that it takes to run it again."""
        (self.path / "config.toml").write_bytes(tomli_w.dumps(_without_none(config)).encode())

    def log(self, agent: Agent) -> None:
        """Append finished episodes and the metrics of the last update."""
        history = agent.history
        rows = history.rows[self._episodes_written :]
        self._append("episodes.csv", history.columns, [[f"{value:g}" for value in row[:3]] + [str(int(row[3]))] for row in rows])
        self._episodes_written = len(history)
        metrics = {name: float(value) for name, value in getattr(agent, "metrics", {}).items()}
        if metrics:
            self._append("metrics.csv", ("timesteps", *metrics), [[agent.num_timesteps, *metrics.values()]])
        if self._writer is None:
            self._writer = _summary_writer(self.path)
        step = agent.num_timesteps
        if len(rows):
            self._writer.add_scalar(f"rollout/{history.columns[0]}", float(rows[-100:, 0].mean()), step)
            self._writer.add_scalar("rollout/length", float(rows[-100:, 1].mean()), step)
        for name, value in metrics.items():
            if math.isfinite(value):  # the table has them all; TensorBoard would complain
                self._writer.add_scalar(f"train/{name}", value, step)

    def log_evaluation(self, step: int, mean: float, std: float, episodes: int) -> None:
        """Append an evaluation."""
        self._append("evaluations.csv", ("timesteps", "mean", "std", "episodes"), [[step, mean, std, episodes]])
        if self._writer is not None:
            self._writer.add_scalar("eval/mean_return", mean, step)

    def log_metrics(self, step: int, metrics: dict[str, float]) -> None:
        """Append numbers that were measured at a step."""
        self._append("metrics.csv", ("timesteps", *metrics), [[step, *metrics.values()]])
        if self._writer is not None:
            for name, value in metrics.items():
                self._writer.add_scalar(f"eval/{name}", value, step)

    def checkpoint(self, agent: Agent) -> None:
        """Save a checkpoint named by its step; older ones go, but for the newest."""
        agent.save(self.path / "checkpoints" / f"{agent.num_timesteps:012d}.safetensors", replay=False)
        for stale in sorted((self.path / "checkpoints").glob("*.safetensors"))[:-_KEPT]:
            stale.unlink()

    def resume_after(self, agent: Agent) -> None:
        """Go on writing after what a loaded agent has seen."""
        self._episodes_written = len(agent.history)
        self._keep_until("episodes.csv", "timesteps", agent.num_timesteps)
        self._keep_until("metrics.csv", "timesteps", agent.num_timesteps)
        self._keep_until("evaluations.csv", "timesteps", agent.num_timesteps)

    def close(self) -> None:
        """Flush the events."""
        if self._writer is not None:
            self._writer.close()

    def rows(self, name: str) -> list[dict[str, float]]:
        """Return a table as dictionaries of numbers; empty where there is none."""
        path = self.path / name
        if not path.exists():
            return []
        with path.open(newline="") as file:
            return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]

    def _append(self, name: str, header: tuple[str, ...], rows: list[list[Any]]) -> None:
        path = self.path / name
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(header)
            writer.writerows(rows)

    def _keep_until(self, name: str, column: str, step: int) -> None:
        rows = self.rows(name)
        kept = [row for row in rows if row[column] <= step]
        if len(kept) < len(rows):
            (self.path / name).unlink()
            self._append(name, tuple(rows[0]), [[f"{value:.10g}" for value in row.values()] for row in kept])


def _summary_writer(path: Path) -> Any:
    """Return a TensorBoard writer; tensorboardX imports torch where it finds it, and a tabular run does not wait for that."""
    hidden = "torch" not in sys.modules
    if hidden:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        from tensorboardX import SummaryWriter
    finally:
        if hidden:
            del sys.modules["torch"]
    return SummaryWriter(str(path))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(part) for key, part in value.items() if part is not None}
    return value
