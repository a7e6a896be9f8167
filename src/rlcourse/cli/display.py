"""The live line of a run: bar, steps, steps/s, return, time left."""

from __future__ import annotations

import time
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["Display"]


class Display:
    """The live line of a `Run`."""

    def __init__(self, run: Any) -> None:
        self.run = run
        self.progress = Progress(
            BarColumn(30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("return [bold]{task.fields[score]}[/]"),
            TextColumn("eval [bold]{task.fields[evaluation]}[/]"),
            TextColumn("eta"),
            TimeRemainingColumn(compact=True),
            console=run.console,
            disable=not run.live,
        )
        self.began, self.first = time.perf_counter(), run.agent.num_timesteps
        self.task = self.progress.add_task("", total=run.plan.episodes or run.plan.total_timesteps, rate="", score="-", evaluation="-")

    def __enter__(self) -> Display:
        self.progress.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.update()
        self.progress.stop()

    def update(self) -> None:
        """Show where the agent is."""
        agent = self.run.agent
        rate = (agent.num_timesteps - self.first) / max(1e-9, time.perf_counter() - self.began)
        recent = agent.history.rows[-100:, 0]
        self.progress.update(
            self.task,
            completed=len(agent.history) if self.run.plan.episodes else agent.num_timesteps,
            rate=f"{rate:,.0f} steps/s",
            score=f"{recent.mean():.1f}" if len(recent) else "-",
            evaluation="-" if self.run.last_evaluation is None else f"{self.run.last_evaluation:.1f}",
        )
