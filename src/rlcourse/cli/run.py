"""`Run`: learning in a worker thread, evaluation and saving on the way, and the display and Ctrl-C in the main thread."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.report import Result, report
from rlcourse.cli.targets import Target
from rlcourse.cli.truth import Truth
from rlcourse.cli.usage import UsageError
from rlcourse.core.agent import Agent
from rlcourse.core.callbacks import WarnIfConstant
from rlcourse.core.evaluation import evaluate as evaluate_agent
from rlcourse.core.masks import EnvironmentFault

__all__ = ["FINAL_SEEDS", "Plan", "Run"]

EVAL_SEEDS, FINAL_SEEDS = 10_000_000, 20_000_000  # evaluations choose the best; the final ones were never used for choosing
FINAL_EPISODES = 100
GRACE = 0.5  # seconds to finish the episode after Ctrl-C
PATIENCE = 1.3  # further seconds until the process ends without the worker


class Plan(NamedTuple):
    """How long to train and when to look."""

    total_timesteps: int
    eval_every: int
    eval_episodes: int
    target: float | None = None
    stop_at: float | None = None
    early_stopping_rounds: int | None = None
    metric: str = "mean"
    minimize: bool = False
    episodes: int | None = None

    def spent(self, agent: Agent) -> bool:
        """Whether nothing is left of the steps, or of the episodes."""
        return agent.num_timesteps >= self.total_timesteps or (self.episodes is not None and len(agent.history) >= self.episodes)


class Run:
    """One training run of an agent in a folder."""

    def __init__(self, agent: Agent, target: Target, folder: RunFolder, plan: Plan, quiet: bool, progress: bool) -> None:
        self.agent, self.target, self.folder, self.plan = agent, target, folder, plan
        self.quiet = quiet
        self.console = Console(stderr=False, quiet=quiet, highlight=False)
        self.live = progress and not quiet and self.console.is_terminal
        self.eval_env = target.make()
        self.truth = Truth(agent)
        self.signal: int | None = None
        self.error: BaseException | None = None
        done = [row["mean"] for row in folder.rows("evaluations.csv")]
        self.best = (min if plan.minimize else max)(done) if done else None
        self.without_improvement = 0
        self.constant = WarnIfConstant()
        self._next = (agent.num_timesteps // plan.eval_every + 1) * plan.eval_every
        self.last_evaluation: float | None = None
        self._looked = agent.num_timesteps

    def execute(self) -> int:
        """Train, save, report; return the exit code."""
        self.console.print(f"[bold]{type(self.agent).__name__}[/] on [bold]{self.target.text}[/] -> {self.folder.path}")
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        worker = threading.Thread(target=self._learn, daemon=True)
        (self.folder.path / "result.json").unlink(missing_ok=True)  # of a run that now goes on
        started = time.perf_counter()
        try:
            worker.start()
            self._watch(worker)
            if worker.is_alive():  # it was asked to stop and is stuck in an environment's step
                print(f"rlcourse: the environment did not return; the newest checkpoint is in {self.folder.path}", file=sys.stderr)
                sys.stderr.flush()
                os._exit(128 + (self.signal or signal.SIGINT))
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if isinstance(self.error, EnvironmentFault):
            raise UsageError(str(self.error)) from self.error
        if self.error is not None:
            raise self.error
        return self._finish(time.perf_counter() - started)

    # In the worker ----------------------------------------------------------------------------------------------------

    def _learn(self) -> None:
        try:
            if self.agent.num_timesteps == 0:
                self._log_true_error()
            agent, plan = self.agent, self.plan
            episodes = None if plan.episodes is None else plan.episodes - len(agent.history)
            agent.learn(plan.total_timesteps - agent.num_timesteps, episodes=episodes, callback=self._look, callback_every=plan.eval_every)
            if self._looked != agent.num_timesteps:  # the last episode ended, or Ctrl-C came, between two callbacks
                self._look(agent)
        except BaseException as error:
            self.error = error

    def _look(self, agent: Agent) -> bool:
        """Log; evaluate, save and decide where it is time."""
        self._looked = agent.num_timesteps
        self.folder.log(agent)
        if doubt := self.constant.verdict(agent):
            self.console.print(f"  step {agent.num_timesteps:>10,}   [yellow]{doubt}[/]")
        if self.signal is not None:
            return False
        if agent.num_timesteps < self._next and not self.plan.spent(agent):
            return True
        self._next = (agent.num_timesteps // self.plan.eval_every + 1) * self.plan.eval_every
        returns = evaluate_agent(agent, self.eval_env, self.plan.eval_episodes, seed=EVAL_SEEDS, stopped=lambda: self.signal is not None)
        if len(returns) < self.plan.eval_episodes:
            return False
        value = float({"mean": returns.mean(), "min": returns.min(), "median": np.median(returns)}[self.plan.metric])
        self.last_evaluation = value
        self.folder.log_evaluation(agent.num_timesteps, value, float(returns.std()), len(returns))
        error = self._log_true_error()
        self.folder.checkpoint(agent)
        better = self.best is None or (value < self.best if self.plan.minimize else value > self.best)
        self.without_improvement = 0 if better else self.without_improvement + 1
        if better:
            self.best = value
            agent.save(self.folder.path / "best.safetensors", replay=False)
        if not self.live:
            known = "" if error is None else f"   true error {error:8.3g}"
            self.console.print(f"  step {agent.num_timesteps:>10,}   evaluation {value:10.2f}{known}{'   best' if better else ''}")
        stop_at, rounds = self.plan.stop_at, self.plan.early_stopping_rounds
        reached = stop_at is not None and (value <= stop_at if self.plan.minimize else value >= stop_at)
        return not reached and not (rounds is not None and self.without_improvement >= rounds)

    def _log_true_error(self) -> float | None:
        """Log how far the agent's values are from the exact ones, where those are known."""
        error = self.truth.error(self.agent)
        if error is not None:
            self.folder.log_metrics(self.agent.num_timesteps, {"true_error": error})
        return error

    # In the main thread -----------------------------------------------------------------------------------------------

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signal = number

    def _watch(self, worker: threading.Thread) -> None:
        """Show progress until the worker ends; after a signal stop it gently, then at once."""
        with _Display(self) as display:
            asked: float | None = None
            while worker.is_alive():
                worker.join(0.05)
                display.update()
                if self.signal is None:
                    continue
                if asked is None:
                    asked = time.perf_counter()
                    self.agent.stop(at_episode_end=True)
                elif time.perf_counter() - asked > GRACE + PATIENCE:
                    return
                elif time.perf_counter() - asked > GRACE:
                    self.agent.stop()

    def _finish(self, seconds: float) -> int:
        self.agent.save(self.folder.path / "last.safetensors")
        if self.signal is not None:
            self.folder.close()
            print(
                f"\nrlcourse: interrupted at step {self.agent.num_timesteps:,}; saved in {self.folder.path}\n"
                f"          go on with: rlcourse resume {self.folder.path}",
                file=sys.stderr,
            )
            return 128 + self.signal
        best = self.folder.path / "best.safetensors"
        chosen = type(self.agent).load(best, env=self.target.env) if best.exists() else self.agent
        returns = self._fresh(chosen)
        optimum = self.truth.optimum()
        self._draw(optimum)
        result = Result(
            agent=type(self.agent).__name__,
            env=self.target.text,
            best=returns,
            last=returns if chosen.num_timesteps == self.agent.num_timesteps else self._fresh(self.agent),
            best_step=chosen.num_timesteps,
            steps=self.agent.num_timesteps,
            asked=self.plan.total_timesteps,
            episodes=len(self.agent.history),
            seconds=seconds,
            seed=self.agent.seed,
            target=self.plan.target,
            minimize=self.plan.minimize,
            exactly=_exactly(self.truth.policy_return(chosen), optimum),
        )
        report(result, self.folder.path, self.console)
        if self.quiet:
            print(f"{returns.mean():.2f} {self.folder.path}")
        self.folder.close()
        return 0

    def _fresh(self, agent: Agent) -> np.ndarray:
        """Return the returns of episodes that no choice was made by."""
        episodes = min(FINAL_EPISODES, max(1, self.plan.eval_episodes * 5))
        return evaluate_agent(agent, self.eval_env, episodes, seed=FINAL_SEEDS)

    def _draw(self, optimum: tuple[float, str] | None) -> None:
        from rlcourse.plotting import learning_curve

        history = self.agent.history
        column = history.columns[0]
        evaluations = [(row["timesteps"], row["mean"]) for row in self.folder.rows("evaluations.csv")]
        learning_curve(
            self.folder.path / "curve.png",
            f"{type(self.agent).__name__} on {self.target.text}",
            history["timesteps"],
            history[column],
            evaluations if column == "return" else (),
            self.plan.target if column == "return" else None,
            column,
            optimum if column == "return" else None,
            [(row["timesteps"], row["true_error"]) for row in self.folder.rows("metrics.csv") if "true_error" in row],
        )


def _exactly(value: float | None, optimum: tuple[float, str] | None) -> str:
    """Return an exact return, beside the optimum, as text; "" where it is not known."""
    if value is None:
        return ""
    return f"{value:.4f}" + ("" if optimum is None else f" ({optimum[1].removesuffix(', exact')} {optimum[0]:.4f})")


class _Display:
    """The live line: bar, steps, steps/s, return, time left."""

    def __init__(self, run: Run) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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

    def __enter__(self) -> _Display:
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
