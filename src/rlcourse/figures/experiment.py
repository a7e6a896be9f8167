"""`make`: settings -> arrays -> claims -> picture, the same way for every figure; and the `Lab` that runs experiments."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from rlcourse import figures
from rlcourse.core.config import build
from rlcourse.core.files import replacing, write_bytes
from rlcourse.core.trial import EPISODE_BUDGET, ROWS, Trial
from rlcourse.figures.claims import Claim

__all__ = ["LEVELS", "Lab", "Result", "checkpoints", "make", "settings_of"]

LEVELS = ("fast", "book", "full")


class Lab:
    """Runs an experiment's parts on threads, or in processes; results never depend on how many there are.

    Parameters
    ----------
    seed : int
    workers : int, optional
        Threads or processes; the number of cores where None.
    progress : callable, optional
        ``progress(done, total)`` after each part.
    processes : bool
        Whether `spread` may start processes: where all takes seconds they cost more than they save.
    """

    def __init__(
        self,
        seed: int = 0,
        workers: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        processes: bool = True,
    ) -> None:
        self.seed, self.workers, self.progress, self.processes = seed, workers or os.cpu_count() or 1, progress, processes

    def rng(self, *key: int) -> np.random.Generator:
        """Return a generator of its own for a key of whole numbers."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def map(self, function: Callable[..., Any], jobs: Sequence[Any]) -> list[Any]:
        """Return ``[function(job) for job in jobs]``, computed on threads: boxes release the GIL."""
        done = 0

        def one(job: Any) -> Any:
            nonlocal done
            result = function(job)
            done += 1
            if self.progress is not None:
                self.progress(done, len(jobs))
            return result

        pool = ThreadPoolExecutor(self.workers)
        try:
            first = [one(jobs[0])] if jobs else []  # compiled once, not by every thread
            return first + list(pool.map(one, jobs[1:]))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after Ctrl-C: begin no further part

    def spread(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> list[Any]:
        """Return ``[function(job) for job in jobs]``, computed in processes, as deep agents need it.

        Parameters
        ----------
        function : callable
            Of a module, not within another function: processes find it by its name. What it draws comes from the job, such as a
            seed; torch has one thread in it.
        jobs : sequence
            Plain values: numbers, strings, tuples, settings.

        Raises
        ------
        ProcessEnded
            Where a process was killed.
        """
        from rlcourse.figures.torch_processes import spread

        return spread(function, jobs, self.workers if self.processes else 1, self.progress)

    def study(
        self, experiment: Callable[[Any, np.random.Generator, int], Any], parameters: Sequence[Any], runs: int, chunk: int = 100
    ) -> list[Any]:
        """Run an experiment many times for each of several parameters.

        Parameters
        ----------
        experiment : callable
            ``experiment(parameter, rng, n)`` makes n independent runs and returns an array, or a tuple of arrays, with a first
            axis of length n.
        parameters : sequence
            Runs of the same number share their random stream over all parameters: comparisons are paired.
        runs, chunk : int
            Runs per parameter, and how many of them one call makes.

        Returns
        -------
        list
            Per parameter the array (or the tuple of arrays) of all runs, first axis `runs`.
        """
        sizes = [min(chunk, runs - begin) for begin in range(0, runs, chunk)]
        jobs = [(i, j) for i in range(len(parameters)) for j in range(len(sizes))]
        parts = self.map(lambda job: experiment(parameters[job[0]], self.rng(job[1]), sizes[job[1]]), jobs)
        joined = []
        for i in range(len(parameters)):
            mine = parts[i * len(sizes) : (i + 1) * len(sizes)]
            joined.append(tuple(map(np.concatenate, zip(*mine, strict=True))) if isinstance(mine[0], tuple) else np.concatenate(mine))
        return joined


def checkpoints(world: Any, learn: Callable[[Trial], Any], read: Callable[[], Any], episodes: Iterable[int]) -> np.ndarray:
    """Run a box on and on; return what was read after each of several numbers of episodes, first axis one per number.

    Parameters
    ----------
    world : World
    learn : callable
        ``learn(trial)`` calls the box.
    read : callable
        Returns a number or an array, which is copied.
    episodes : iterable of int
        Increasing.
    """
    trial = Trial.of(world)
    found = []
    for number in episodes:
        trial.sheet[EPISODE_BUDGET] = number
        while not trial.spent():
            trial.sheet[ROWS] = 0.0  # nobody wants the single episodes
            learn(trial)
        found.append(np.array(read()))
    return np.array(found)


@dataclasses.dataclass
class Result:
    """A figure that was made.

    Attributes
    ----------
    name, title : str
    level : str
    settings : Config
    data : dict of str to ndarray
    claims : list of Claim
    seconds : float
        Wall time of the experiment.
    """

    name: str
    title: str
    level: str
    settings: Any
    data: dict[str, np.ndarray]
    claims: list[Claim]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every claim holds."""
        return all(claim.holds for claim in self.claims)

    def picture(self) -> Any:
        """Draw it; return a matplotlib Figure."""
        from rlcourse.figures.style import finish, new_figure

        figure = new_figure()
        figures.load(self.name).draw(figure, self.data, self.settings)
        finish(figure, self._footer())
        return figure

    def save(self, folder: Path) -> dict[str, str]:
        """Write picture, data and checks; return the paths."""
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"figure-{self.name}" if self.name[0].isdigit() else self.name
        paths = {kind: str(folder / f"{stem}.{kind}") for kind in ("png", "npz", "json")}
        with replacing(paths["png"]) as file:
            self.picture().savefig(file, dpi=130, format="png")
        with replacing(paths["npz"]) as file:
            np.savez_compressed(file, **self.data)  # type: ignore[arg-type]
        write_bytes(paths["json"], (json.dumps(self.summary(), indent=1) + "\n").encode())
        return paths

    def summary(self) -> dict[str, Any]:
        """Return name, settings, claims and time, as JSON can hold them."""
        return {
            "figure": self.name,
            "title": self.title,
            "level": self.level,
            "settings": self.settings.as_dict(),
            "seconds": round(self.seconds, 3),
            "passed": self.passed,
            "claims": [claim._asdict() for claim in self.claims],
        }

    def _footer(self) -> str:
        runs = getattr(self.settings, "runs", None)
        single = getattr(figures.load(self.name), "ONE_RUN", False)
        parts = [
            f"rlcourse figure {self.name}",
            "one run" if single else "exact" if runs is None else f"{runs:,} run{'s' if runs > 1 else ''}",
            f"{self.seconds:.1f} s",
        ]
        held = sum(claim.holds for claim in self.claims)
        return "  ·  ".join([*parts, f"{held} of {len(self.claims)} claims hold"])

    def __repr__(self) -> str:
        lines = [f"{'holds' if claim.holds else 'FAILS'}  {claim.text}  ({claim.detail})" for claim in self.claims]
        return "\n".join([self.title, *lines])

    def _repr_png_(self) -> bytes:
        from PIL import Image

        buffer, small = io.BytesIO(), io.BytesIO()
        self.picture().savefig(buffer, dpi=90, format="png")
        palette = Image.open(buffer).convert("RGB").quantize(128, dither=Image.Dither.NONE)  # a third of the size in a notebook
        palette.save(small, format="png", optimize=True)
        return small.getvalue()


def settings_of(name: str, level: str = "book", runs: int | None = None) -> Any:
    """Return a figure's settings at a level of fidelity.

    Raises
    ------
    ValueError
        Where the level is unknown, or `runs` is given and the figure is exact.
    """
    module = figures.load(name)
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    changes = {"fast": module.FAST, "book": {}, "full": getattr(module, "FULL", {})}[level]
    if runs is not None:
        if "runs" not in {field.name for field in dataclasses.fields(module.Settings)}:
            raise ValueError(f"runs: {name} is exact, or a single run, and has no number of runs to choose")
        changes = {**changes, "runs": runs}
    return build(module.Settings, changes)


def make(
    name: str,
    *,
    level: str | None = None,
    runs: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run a figure's experiment and judge its claims.

    Parameters
    ----------
    name : str
        As `rlcourse.figures.find` understands it.
    level : {"fast", "book", "full"}, optional
        Fidelity. "book" has the book's number of runs, except where that takes many minutes: there "full" has it. Where None,
        the environment variable ``RLCOURSE_FIGURES``, or "book".
    runs, seed, workers : int, optional
    progress : callable, optional
        ``progress(done, total)`` now and then.

    Returns
    -------
    Result
    """
    name = figures.find(name)
    level = level or os.environ.get("RLCOURSE_FIGURES") or "book"
    settings = settings_of(name, level, runs)
    module = figures.load(name)
    started = time.perf_counter()
    lab = Lab(seed, workers, progress, processes=level != "fast")
    data = {key: np.asarray(value) for key, value in module.run(settings, lab).items()}
    seconds = time.perf_counter() - started
    return Result(name, figures.title(name), level, settings, data, list(module.claims(data, settings)), seconds)
