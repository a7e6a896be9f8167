"""``rlcourse train --seeds K`` as one program: all seeds learn at once on one device, each into the run folder that it would have alone."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
import traceback
from types import FrameType
from typing import Any

import numpy as np
from rich.console import Console

from rlcourse.cli.run import Run
from rlcourse.cli.usage import UsageError
from rlcourse.cli.workers import UNSAVED
from rlcourse.core.faults import EnvironmentFault

__all__ = ["Batch", "looks_every", "seeds_in_words"]

_PATIENCE = 5.0  # seconds from a signal until the process ends without its program
_LOOKS = 100  # rows of metrics.csv, about: each waits for the device


def looks_every(eval_every: int, total_timesteps: int) -> int:
    """Return how many steps lie between two looks: about a hundredth of all, and a divisor of `eval_every`.

    A look comes at the end of the first round that reaches a multiple of this. Where multiples of `eval_every` are among them, evaluations
    fall on the steps on which they would fall if there were no looks in between.
    """
    if eval_every >= total_timesteps:  # the only evaluation is the one at the end
        return max(1, total_timesteps // _LOOKS)
    wanted = eval_every * _LOOKS / total_timesteps  # looks for one evaluation
    possible = [looks for looks in range(1, 2 * _LOOKS + 1) if eval_every % looks == 0]
    return eval_every // min(possible, key=lambda looks: abs(math.log(looks / wanted)))


class Batch:
    """Runs of agents that learn together, in a worker thread; Ctrl-C in the main thread lets all of them save.

    Parameters
    ----------
    groups : dict of str to list of Run
        Of one plan: the seeds of each value of a sweep, by its label; without a sweep all of them, by an empty one.
    quiet : bool

    Attributes
    ----------
    signal : int or None
        Number of the signal that ended learning.
    failed : dict of Run to str
        Why a seed failed.
    """

    def __init__(self, groups: dict[str, list[Run]], quiet: bool) -> None:
        runs = [run for group in groups.values() for run in group]
        self.groups, self.runs, self.plan, self.quiet = groups, runs, runs[0].plan, quiet
        self.console = Console(quiet=quiet, highlight=False)
        self.of = {id(run.agent): run for run in runs}
        self.learning = list(runs)
        self.seconds: dict[Run, float] = {}  # of training
        self.signal: int | None = None
        self.failed: dict[Run, str] = {}
        self.error: BaseException | None = None
        self.began = time.perf_counter()
        self.asked = self.saved = math.inf  # when a signal came, and when all was saved

    def execute(self) -> int:
        """Train, save, report; return an exit code: of a signal, or of the first seed that failed."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        worker = threading.Thread(target=self._learn, daemon=True)
        code = 0
        try:
            worker.start()
            while worker.is_alive():
                worker.join(0.05)
                if time.perf_counter() - self.asked > _PATIENCE:  # compiling, or a device that does not answer
                    print("rlcourse: the program did not stop in time; every seed goes on from its newest checkpoint", file=sys.stderr)
                    sys.stderr.flush()
                    os._exit(128 + (self.signal or signal.SIGINT))
            if self.error is not None:
                raise self.error
            saved = [run for run in self.runs if run.error is None and run.save()]  # of others the newest checkpoint is the last good one
            self.saved = time.perf_counter()
            self.failed = {run: UNSAVED for run in self.runs if run.error is None and run not in saved}
            code = 1 if self.failed else 0
            for run in self.runs:
                if run in saved and self.signal is None:
                    self._guarded(run, lambda run=run: self._finish(run))
                if run.error is not None:
                    failure, self.failed[run] = _tell(self.name(run), run.error)
                    code = code or failure
            code = code or (1 if self.failed else 0)
        except KeyboardInterrupt:  # when all was saved
            pass
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for run in self.runs:
                run.folder.close()
        return code if self.signal is None else 128 + self.signal

    def name(self, run: Run) -> str:
        """Return how a run is called: "seed 4", in a sweep "learning_rate=1e-3, seed 4"."""
        label = next(label for label, runs in self.groups.items() if run in runs)
        return f"{label}, seed {run.agent.seed}" if label else f"seed {run.agent.seed}"

    def _finish(self, run: Run) -> None:
        result = run.conclude(self.seconds[run])
        if not run.write(result):
            self.failed[run] = "its result could not be written"
        elif not self.quiet:
            print(f"{self.name(run)}: {result.best.mean():.2f}   last {result.last.mean():.2f}   {run.folder.shown}", flush=True)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.perf_counter()
        self.signal, self.asked = number, min(self.asked, now)
        for run in self.runs:
            run.signal = number
            run.agent.stop()
        if now > self.saved:
            raise KeyboardInterrupt(number)

    # In the worker ----------------------------------------------------------------------------------------------------

    def _learn(self) -> None:
        from rlcourse.agents.deep.programs.together import learn_together

        total = self.plan.total_timesteps
        every = looks_every(self.plan.eval_every, total)
        try:
            for run in self.runs:
                run.begin()
            try:
                learn_together([run.agent for run in self.runs], total, callback=self._look, callback_every=every)
            except FloatingPointError:
                self._find_diverged()
            for run in [run for run in self.learning if run.error is None]:  # a signal came between two callbacks
                self._guarded(run, run.end)
                self.seconds[run] = time.perf_counter() - self.began
        except BaseException as error:
            self.error = error

    def _look(self, agent: Any) -> bool:
        """Log, evaluate and save one of the runs; False where it has learned enough, or failed."""
        run, last = self.of[id(agent)], self.learning[-1]
        goes_on = self._guarded(run, lambda: run.look(agent))
        if run is last:
            self._say(agent.num_timesteps)
        if not goes_on:
            self.learning.remove(run)
            self.seconds[run] = time.perf_counter() - self.began
        return goes_on

    def _guarded(self, run: Run, work: Any) -> bool:
        """Whether some work of a run says that it goes on; an error in it is the end of this run only."""
        try:
            return work() is not False
        except Exception as error:
            run.error = error
            return False

    def _find_diverged(self) -> None:
        for run in self.learning:
            try:
                agent: Any = run.agent
                agent.check_weights()
            except FloatingPointError as error:
                run.error = error

    def _say(self, step: int) -> None:
        """Print one line for the evaluations of all seeds (of each value), those that end by it too; nothing where Ctrl-C left some out."""
        for label, runs in self.groups.items():
            known = [run.last_evaluation for run in runs if run.last_evaluation is not None and run.evaluated_at == step]
            if known and self.signal is None:
                means, which = np.array(known), f"{label}, " if label else "evaluation of "
                said = f"{which}{seeds_in_words(len(known))}: mean {means.mean():.2f}, worst {means.min():.2f}"
                self.console.print(f"  step {step:>10,}   {said}", soft_wrap=True)


def seeds_in_words(number: int) -> str:
    """Return "1 seed", "2 seeds"."""
    return f"{number} seed{'' if number == 1 else 's'}"


def _tell(name: str, error: BaseException) -> tuple[int, str]:
    """Say what a run failed by; return the exit code and the reason."""
    why = " ".join(str(error).split())
    if isinstance(error, UsageError | FloatingPointError | EnvironmentFault):
        print(f"rlcourse: {name} failed: {why}", file=sys.stderr)
        return 2, why
    traceback.print_exception(error)
    return 1, f"{type(error).__name__}: {why}"
