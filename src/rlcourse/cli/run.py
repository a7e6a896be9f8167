"""`Run`: learning in a worker thread, evaluation and saving on the way, and the display and Ctrl-C in the main thread."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType

import numpy as np
from rich.console import Console
from rich.markup import escape

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.judging import judging_env, recalled
from rlcourse.cli.numerics import EVAL_SEEDS, FINAL_SEEDS
from rlcourse.cli.plan import Plan
from rlcourse.cli.report import Result, report, spread
from rlcourse.cli.resuming import best_of
from rlcourse.cli.signals import number_of
from rlcourse.cli.targets import Target
from rlcourse.cli.torchrun import leave, processes
from rlcourse.cli.truth import Truth
from rlcourse.cli.ways import with_way_on
from rlcourse.core.agent import Agent
from rlcourse.core.callbacks import WarnIfConstant
from rlcourse.core.evaluation import evaluate as evaluate_agent

__all__ = ["Run"]

FINAL_EPISODES = 100
GRACE = 0.5  # seconds to finish the episode after Ctrl-C
PATIENCE = 1.3  # further seconds until the process ends without the worker


class Run:
    """One training run of an agent in a folder."""

    def __init__(self, agent: Agent, target: Target, folder: RunFolder, plan: Plan, quiet: bool, progress: bool) -> None:
        self.agent, self.target, self.folder, self.plan, self.quiet = agent, target, folder, plan, quiet
        self.console = Console(stderr=False, quiet=quiet, highlight=False)
        self.live = progress and not quiet and self.console.is_terminal
        self.eval_env = judging_env(target)
        self.truth = Truth(agent)
        self.signal: int | None = None
        self.error: BaseException | None = None
        self.best: float | None = None
        self.without_improvement, self.evaluated_at = 0, -1
        self.constant = WarnIfConstant()
        self._next = (agent.num_timesteps // plan.eval_every + 1) * plan.eval_every
        self.last_evaluation: float | None = None
        for row in folder.rows("evaluations.csv"):
            self._judge(int(row["timesteps"]), row["mean"])
        self._looked, self._warned = agent.num_timesteps, False
        self._unjudged = not (folder.path / "result.json").exists()

    def execute(self) -> int:
        """Train, save, report; return the exit code."""
        what = f"[bold]{type(self.agent).__name__}[/] on [bold]{escape(self.target.text)}[/] -> {escape(self.folder.shown)}"
        self.console.print(what, soft_wrap=True)
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        worker = threading.Thread(target=self._learn, daemon=True)
        started = time.perf_counter()
        try:
            try:
                worker.start()
                self._watch(worker)
                if worker.is_alive():  # it was asked to stop and is stuck in an environment's step
                    print(f"rlcourse: the environment did not return; {self.folder.way_on}", file=sys.stderr)
                    sys.stderr.flush()
                    os._exit(128 + (self.signal or signal.SIGINT))
                if self.error is not None:
                    raise with_way_on(self.error, self.folder.way_on)
                seconds = time.perf_counter() - started
                saved = self.save()  # a second Ctrl-C waits for this
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)
            return self._finish(seconds, saved)
        finally:
            self.folder.close()

    # In the worker ----------------------------------------------------------------------------------------------------

    def _learn(self) -> None:
        try:
            agent, plan = self.agent, self.plan
            if not self.begin() or plan.spent(agent):
                return
            self.folder.reopen()
            episodes = None if plan.episodes is None else plan.episodes - len(agent.history)
            agent.learn(plan.total_timesteps - agent.num_timesteps, episodes=episodes, callback=self.look, callback_every=plan.eval_every)
            self.end()
        except BaseException as error:
            self.error = error

    def begin(self) -> bool:
        """Log what is known before the first step, and make up for an evaluation that Ctrl-C cut short; False where it was the last."""
        step = self.agent.num_timesteps
        if self.best is None and step > 0:
            best = recalled(self.folder.path / "best.safetensors", self.agent, self.target, self.eval_env, self.plan.eval_episodes)
            if best is not None:
                self._note(*best)
        if step == 0:
            if not self.folder.table("metrics.csv").path.exists():  # a run that was killed before its first step has said it
                self._log_true_error()
            if processes() == 1:
                self.folder.checkpoint(self.agent)  # from now on the run can be resumed
        elif self._evaluation_missing(step):
            return self._evaluate(self.agent)
        elif self._unjudged and self.evaluated_at == step:  # it was killed before it was told how good it is
            return not self._enough()
        return True

    def _evaluation_missing(self, step: int) -> bool:
        return self.evaluated_at < self._next - self.plan.eval_every != 0 or (self.plan.spent(self.agent) and self.evaluated_at != step)

    def end(self) -> None:
        """Log what came after the last callback: the last episode ended, or Ctrl-C came, between two of them."""
        if self._looked != self.agent.num_timesteps and self.signal is None:
            self.look(self.agent)
        elif self._looked != self.agent.num_timesteps:
            self.folder.log(self.agent, metrics=False)  # whoever goes on writes them where they belong

    def look(self, agent: Agent) -> bool:
        """Log; evaluate, save and decide where it is time."""
        self._looked = agent.num_timesteps
        self.folder.log(agent)
        self._warn()
        if doubt := self.constant.verdict(agent):
            self.console.print(f"  step {agent.num_timesteps:>10,}   [yellow]{doubt}[/]")
        if self.signal is not None:
            return False
        if agent.num_timesteps < self._next and not self.plan.spent(agent):
            if self.folder.due:
                self.folder.checkpoint(agent)
            return True
        return self._evaluate(agent)

    def _evaluate(self, agent: Agent) -> bool:
        """Evaluate, save, and decide whether to go on."""
        self._next = (agent.num_timesteps // self.plan.eval_every + 1) * self.plan.eval_every
        episodes = self.plan.eval_episodes
        try:
            returns = evaluate_agent(agent, self.eval_env, episodes, seed=EVAL_SEEDS, stopped=lambda: self.signal is not None)
        except FloatingPointError:
            raise
        except Exception:  # it has learned from nothing bad: who mends the environment goes on from here
            self.save()
            raise
        if len(returns) < episodes:
            return False
        value, better = self._note(agent.num_timesteps, returns)
        error = self._log_true_error()
        if better:
            self.folder.save_best(agent)
        self.folder.checkpoint(agent)  # after the best one: who goes on from here does not evaluate again
        self._warn()
        if not self.live:
            known = "" if error is None else f"   true error {error:8.3g}"
            self.console.print(f"  step {agent.num_timesteps:>10,}   evaluation {value:10.2f}{known}{'   best' if better else ''}")
        return not self._enough()

    def _note(self, step: int, returns: np.ndarray) -> tuple[float, bool]:
        """Log an evaluation; return what it is judged by, and whether it is the best so far."""
        value, deviation = spread(returns, self.plan.metric)
        self.folder.log_evaluation(step, value, deviation, len(returns))
        return value, self._judge(step, value)

    def _enough(self) -> bool:
        """Whether the last evaluation ends the run before its budget does."""
        value, stop_at, rounds = self.last_evaluation, self.plan.stop_at, self.plan.early_stopping_rounds
        reached = stop_at is not None and value is not None and (value <= stop_at if self.plan.minimize else value >= stop_at)
        return reached or (rounds is not None and self.without_improvement >= rounds)

    def _judge(self, step: int, value: float) -> bool:
        """Note an evaluation; return whether it is the best so far."""
        self.last_evaluation, self.evaluated_at = value, step
        better = self.best is None or (value < self.best if self.plan.minimize else value > self.best)
        self.best = value if better else self.best
        self.without_improvement = 0 if better else self.without_improvement + 1
        return better

    def _warn(self) -> None:
        """Say once that something could not be written."""
        if self.folder.trouble is not None and not self._warned:
            self._warned = True
            print(
                f"rlcourse: cannot write to {self.folder.shown} at step {self.agent.num_timesteps:,} ({self.folder.trouble.strerror}): "
                "training goes on, and what waits is written when there is room",
                file=sys.stderr,
            )

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
        from rlcourse.cli.display import Display

        with Display(self) as display:
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

    def save(self) -> bool:
        """Save what was learned, before it is judged; return whether that could be written, else it was said."""
        leave()
        try:
            self.folder.complete()  # before what goes on after these rows
            self.agent.save(self.folder.path / "last.safetensors")
        except OSError as error:
            return self._cannot_save(error)
        return True

    def _cannot_save(self, error: OSError) -> bool:
        step = self.agent.num_timesteps
        why = error.strerror or error
        print(f"rlcourse: cannot save step {step:,} in {self.folder.shown} ({why}); then {self.folder.way_on}", file=sys.stderr)
        return False

    def _finish(self, seconds: float, saved: bool) -> int:
        """Judge what was learned, or say that it was interrupted; return the exit code."""
        if saved and self.signal is None:
            try:
                result = self.conclude(seconds)
                saved = self.write(result)
            except KeyboardInterrupt as error:
                self.signal = number_of(error)
            except Exception as error:
                raise with_way_on(error, self.folder.way_on) from error.__cause__
        if self.signal is not None:
            if saved:
                at = f"{self.agent.num_timesteps:,}{', within an episode' if self.agent.midway else ''}"
                print(
                    f"\nrlcourse: interrupted at step {at}; saved in {self.folder.shown}\n          {self.folder.way_on}", file=sys.stderr
                )
            return 128 + self.signal if saved else 1
        if saved and self.quiet:
            print(f"{spread(result.best)[0]:.2f} {self.folder.shown}")
        return 0 if saved else 1

    def write(self, result: Result) -> bool:
        """Draw and write what was found; return whether that could be written, else it was said."""
        try:
            report(result, self.folder, self.agent.history.columns[0], self.console)
        except OSError as error:
            return self._cannot_save(error)
        return True

    def conclude(self, seconds: float) -> Result:
        """Judge the best and the last checkpoint in fresh episodes."""
        chosen = best_of(self.folder, self.agent, self.target.env)
        returns = self._fresh(chosen)
        optimum = self.truth.optimum()
        return Result(
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
            policy=self.truth.policy_return(chosen),
            optimum=optimum,
        )

    def _fresh(self, agent: Agent) -> np.ndarray:
        """Return the returns of episodes that no choice was made by."""
        episodes = min(FINAL_EPISODES, max(1, self.plan.eval_episodes * 5))
        return evaluate_agent(agent, self.eval_env, episodes, seed=FINAL_SEEDS)
