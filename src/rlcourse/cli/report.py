"""What a finished run says: the best checkpoint against the last on fresh episodes, as result.json, card.md and a table."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.markup import escape

from rlcourse.cli.folder import RunFolder
from rlcourse.cli.usage import UsageError
from rlcourse.cli.ways import command
from rlcourse.core.files import read_text, sha256_of, write_bytes

__all__ = ["Result", "draw", "plain", "report", "result_of", "spread"]

_COMPARED = ("last.safetensors", "episodes.csv")  # the same command twice writes the same bytes


class Result(NamedTuple):
    """How a run ended.

    Attributes
    ----------
    agent, env : str
        Class of the agent, and the environment as it was named.
    best, last : ndarray, shape [episodes]
        Greedy returns of the best and of the last checkpoint, in the same fresh episodes; one array where they are the same.
    best_step, steps, asked : int
        When the best was saved, all steps, and how many were asked for: a model of stable-baselines3 rounds up.
    episodes : int
        Of training.
    seconds : float
        Of training, evaluations included.
    seed : int
    target : float or None
    minimize : bool
    policy : float or None
        The best policy's exact return, where it is known.
    optimum : tuple of float and str, or None
        The exact optimum and what to call it, where it is known.
    """

    agent: str
    env: str
    best: np.ndarray
    last: np.ndarray
    best_step: int
    steps: int
    asked: int
    episodes: int
    seconds: float
    seed: int
    target: float | None = None
    minimize: bool = False
    policy: float | None = None
    optimum: tuple[float, str] | None = None

    @property
    def exactly(self) -> str:
        """What is known of the best policy's exact return, beside the optimum, as text; "" where it is not known."""
        if self.policy is None:
            return ""
        return f"{self.policy:.4f}" + (
            "" if self.optimum is None else f" ({self.optimum[1].removesuffix(', exact')} {self.optimum[0]:.4f})"
        )

    @property
    def met(self) -> bool:
        """Whether the best checkpoint reaches the target; true where there is none."""
        mean = float(self.best.mean())
        return self.target is None or (mean <= self.target if self.minimize else mean >= self.target)

    def as_dict(self) -> dict[str, Any]:
        """Return what result.json holds."""
        return {
            "agent": self.agent,
            "env": self.env,
            "seed": self.seed,
            "best": float(self.best.mean()),
            "last": float(self.last.mean()),
            "best_standard_error": _error(self.best),
            "last_standard_error": _error(self.last),
            "best_step": self.best_step,
            "steps": self.steps,
            "total_timesteps": self.asked,
            "episodes": self.episodes,
            "seconds": round(self.seconds, 3),
            "target": self.target,
            "met": self.met,
            "best_returns": self.best.tolist(),
            "last_returns": self.last.tolist(),
        }


def result_of(path: Path) -> dict[str, Any] | None:
    """Return the result of a run folder; None where the run has not ended; raises UsageError where the file is damaged."""
    file = path / "result.json"
    if not file.exists():
        return None
    try:
        result: dict[str, Any] = json.loads(read_text(file))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is damaged: {error}") from error
    _check(file, result)
    nothing = {name: math.nan for name, value in result.items() if value is None and name.startswith(("best", "last"))}
    returns = {name: [math.nan if each is None else each for each in result.get(name, ())] for name in ("best_returns", "last_returns")}
    return result | nothing | {name: each for name, each in returns.items() if name in result}


def _check(file: Path, result: Any) -> None:
    """Raise UsageError where a result lacks what is read of it, or has something else there."""
    if not isinstance(result, dict):
        raise UsageError(f"{file} is damaged: it must hold one JSON object, not {type(result).__name__}")
    for names, fits, must in (
        (("seed", "steps"), lambda value: _is_number(value) and isinstance(value, int), "a whole number"),
        (("best", "last", "seconds", "target"), lambda value: value is None or _is_number(value), "a number or null"),
        (("best_returns", "last_returns"), _are_returns, "a list of at least one number or null"),
    ):
        for name in names:
            if name not in result and name not in ("seconds", "target"):
                raise UsageError(f"{file} is damaged: it lacks {name}")
            if not fits(value := result.get(name)):
                raise UsageError(f"{file} is damaged: {name} must be {must}, not {value!r:.60}")


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63)


def _are_returns(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(each is None or _is_number(each) for each in value)


def plain(value: Any) -> Any:
    """Return what JSON can hold of a value: null for a number that is none, or infinite."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@np.errstate(over="ignore", invalid="ignore")
def spread(returns: np.ndarray, metric: str = "mean") -> tuple[float, float]:
    """Return what an evaluation is judged by, and the standard deviation; infinite where the returns are too large for floats."""
    value = float({"mean": returns.mean(), "min": returns.min(), "median": np.median(returns)}[metric])
    return value, float(returns.std())


@np.errstate(over="ignore", invalid="ignore")
def report(result: Result, folder: RunFolder, column: str, console: Console) -> None:
    """Draw a column of the episodes, write result.json and card.md, and print the summary; raises OSError where one cannot be written."""
    path = folder.path
    draw(folder, result, column)
    hashes = {name: sha256_of(path / name) for name in _COMPARED if (path / name).exists()}
    write_bytes(path / "card.md", _card(result, folder.named).encode())
    told = json.dumps(plain(result.as_dict() | {"sha256": hashes}), indent=1, allow_nan=False)
    write_bytes(path / "result.json", told.encode())  # the last of all: a run with a result has ended
    goal = "" if result.target is None else f" (target {result.target:g}: {'reached' if result.met else 'not reached'})"
    color = "green" if result.met else "yellow"
    rows = {"result": f"[bold {color}]{_figure(result.best)}[/] greedy return, {len(result.best)} fresh episodes{goal}"}
    if result.best_step != result.steps:
        rows["last"] = f"{_figure(result.last)} after all steps; the best is that of step {result.best_step:,}"
    if result.exactly:
        rows["exactly"] = result.exactly
    rows |= {
        "steps": f"{result.steps:,} in {result.seconds:.1f} s{_more(result)}",
        "run": escape(folder.shown),
        "": "curve.png, card.md, result.json, episodes.csv, best.safetensors, last.safetensors",
        "next": escape(command("enjoy", folder.named)),
    }
    width = max(len(name) for name in rows)
    for name, said in rows.items():
        console.print(f"{name:<{width}}  {said}", soft_wrap=True)  # what is pasted is one line, however narrow the terminal


def draw(folder: RunFolder, result: Result, column: str) -> None:
    """Write curve.png: a column of the episodes, or returns with the evaluations, the target and the exact optimum."""
    from rlcourse.plotting import learning_curve

    steps, scores = folder.table("episodes.csv").columns("timesteps", column)
    evaluations = list(zip(*folder.table("evaluations.csv").columns("timesteps", "mean"), strict=True))
    errors = list(zip(*folder.table("metrics.csv").columns("timesteps", "true_error"), strict=True))
    returns = column == "return"
    learning_curve(
        folder.path / "curve.png",
        f"{result.agent} on {result.env}",
        steps,
        scores,
        evaluations if returns else (),
        result.target if returns else None,
        column,
        result.optimum if returns else None,
        errors,
    )


def _card(result: Result, path: Path) -> str:
    goal = "" if result.target is None else f" (target {result.target:g}: {'reached' if result.met else 'not reached'})"
    count = len(result.best)
    lines = [
        f"# {result.agent} on {result.env}",
        "",
        f"* Greedy return over {count} fresh episodes of the best checkpoint: **{_figure(result.best)}**{goal} (± standard error)",
        *_last(result),
        *([f"* Exact expected return of its greedy policy: **{result.exactly}**"] if result.exactly else []),
        f"* {result.steps:,} environment steps{_more(result)}, {result.episodes:,} episodes, {result.seconds:.1f} s, seed {result.seed}",
        "* Settings, command and versions: `config.toml`; these figures: `result.json`",
        f"* Watch it: `{command('enjoy', path)}`; go on: `{command('resume', path, '-n', '100k')}`",
        "",
        "![learning curve](curve.png)",
        "",
    ]
    return "\n".join(lines)


def _last(result: Result) -> list[str]:
    if result.best_step == result.steps:
        return ["* The best checkpoint is the last one"]
    return [f"* The last checkpoint in the same episodes: **{_figure(result.last)}**; the best is that of step {result.best_step:,}"]


def _more(result: Result) -> str:
    return f" ({result.asked:,} were asked for; a rollout that has begun is finished)" if result.steps > result.asked else ""


def _figure(returns: np.ndarray) -> str:
    return f"{returns.mean():.2f} ± {_error(returns):.2f}"


def _error(returns: np.ndarray) -> float:
    return float(returns.std() / max(1, len(returns)) ** 0.5)
