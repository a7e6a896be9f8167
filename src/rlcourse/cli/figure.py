"""`rlcourse figure`: run experiments of the book, draw them, check their claims."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from rlcourse import figures
from rlcourse.cli.options import Parser, count, natural
from rlcourse.cli.outputs import folder_to_write, require_room, writing
from rlcourse.cli.usage import UsageError

__all__ = ["figure"]

SLOW = 45.0  # seconds from which the expected time is said first


def figure(argv: Sequence[str]) -> int:
    """Make figures; see ``rlcourse figure --help``. Returns 3 where --check was asked for and a claim fails."""
    parsed = _parser().parse(argv)
    names = _names(parsed.figures)
    level = "fast" if parsed.fast else "full" if parsed.full else None
    if parsed.runs is not None and len(names) == 1:
        _check_runs(names[0], parsed.runs)
    out = folder_to_write("--out", parsed.out)
    require_room("--out", out)
    with writing("--out", out):
        out.mkdir(parents=True, exist_ok=True)
    parsed.out = str(out)
    console = Console(stderr=parsed.json, highlight=False)
    options = {"level": level, "runs": parsed.runs, "seed": parsed.seed}
    together = len(names) > 1 and parsed.workers > 1
    made = (_in_processes if together else _one_by_one)(names, options, parsed.out, parsed.workers, console)
    started, summaries = time.perf_counter(), []
    for summary in made:
        summaries.append(summary)
        _report(console, summary, details=len(names) == 1)
    if len(names) > 1:
        claims = [claim for summary in summaries for claim in summary["claims"]]
        held = sum(claim["holds"] for claim in claims)
        console.print(
            f"{len(summaries)} figures, {held} of {len(claims)} claims hold, {time.perf_counter() - started:.0f} s -> {parsed.out}/"
        )
    if parsed.json:
        summaries.sort(key=lambda summary: names.index(summary["figure"]))
        print(json.dumps(summaries[0] if len(names) == 1 else summaries, indent=1))
    if any("error" in summary for summary in summaries):
        return 1
    if any("unwritten" in summary for summary in summaries):
        return 2
    return 3 if parsed.check and not all(summary["passed"] for summary in summaries) else 0


def _parser() -> Parser:
    parser = Parser(prog="rlcourse figure", description="Reproduce figures, tables and examples of the book: picture, data and checks.")
    parser.add_argument("figures", nargs="+", metavar="FIGURE", help="6.3, ex6.5, exercise2.5, draft-6.6, chapter6, easy21, a name, or all")
    parser.add_argument("--check", action="store_true", help="exit with 3 where a claim of the book does not hold")
    fidelity = parser.add_mutually_exclusive_group()
    fidelity.add_argument("--fast", action="store_true", help="fewer runs: seconds")
    fidelity.add_argument("--full", action="store_true", help="the book's number of runs also where that takes many minutes")
    parser.add_argument("--runs", type=count, default=None, metavar="COUNT", help="number of independent runs")
    parser.add_argument("--seed", type=natural, default=0, metavar="N", help="seed of everything random [0]")
    parser.add_argument("--workers", type=count, default=os.cpu_count() or 1, metavar="N", help="threads or processes [cores]")
    parser.add_argument("--out", "-o", default="figures", metavar="DIR", help="where PNG, NPZ and JSON go [figures]")
    parser.add_argument("--json", action="store_true", help="print settings, claims and times as JSON")
    return parser


def _names(words: Sequence[str]) -> list[str]:
    """Return the figures that the words name, each once, in order."""
    found: list[str] = []
    joined = " ".join(words).lower()
    if not joined.strip():
        raise UsageError("name a figure, for example 6.3; see rlcourse list figures")
    words = [joined.replace(" ", "")] if joined.split()[0] in ("chapter", "figure", "fig", "example", "exercise", "ex") else words
    for word in words:
        chapter = word.lower().removeprefix("chapter").removeprefix("ch").lstrip("-0")
        if word == "all":
            found += figures.names()
        elif word.lower().startswith("ch") and re.fullmatch("[0-9]{1,3}", chapter):
            mine = figures.in_chapter(int(chapter))
            if not mine:
                raise UsageError(f"there are no figures of chapter {chapter}; see rlcourse list figures")
            found += mine
        elif figures.in_folder(word.lower()):
            found += figures.in_folder(word.lower())
        else:
            try:
                found.append(figures.find(word))
            except ValueError as error:
                raise UsageError(str(error)) from error
    return list(dict.fromkeys(found))


def _check_runs(name: str, runs: int) -> None:
    from rlcourse.figures.experiment import settings_of

    try:
        settings_of(name, runs=runs)
    except ValueError as error:
        raise UsageError(f"--{error}; leave --runs out") from error


def _one_by_one(names: list[str], options: dict[str, Any], out: str, workers: int, console: Console) -> Iterator[dict[str, Any]]:
    from rich.progress import Progress, TimeRemainingColumn

    for name in names:
        seconds = getattr(figures.load(name), "SECONDS", 0.0) if options["level"] != "fast" and options["runs"] is None else 0.0
        if seconds >= SLOW:
            console.print(
                f"{name}: about {_duration(seconds)} on two cores" + (", much more with --full" if options["level"] == "full" else "")
            )
        columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(f"figure {name}", total=None)
            yield _made(name, options, out, workers, lambda done, total, bar=bar, task=task: bar.update(task, completed=done, total=total))


def _in_processes(names: list[str], options: dict[str, Any], out: str, workers: int, console: Console) -> Iterator[dict[str, Any]]:
    """Spread figures over processes, one thread each: compiling is what takes long, and it does not run on threads."""
    slow = sum(getattr(figures.load(name), "SECONDS", 0.0) for name in names) if options["level"] != "fast" else 0.0
    if slow >= SLOW:
        console.print(f"{len(names)} figures: at least {_duration(slow)} on two cores")
    from rlcourse.figures.processes import in_processes

    with contextlib.closing(in_processes(_made, [(name, options, out, 1) for name in names], workers)) as made:
        for _, summary in made:
            yield summary


def _made(name: str, options: dict[str, Any], out: str, workers: int, progress: Any = None) -> dict[str, Any]:
    """Make one figure and save it; an error of one figure does not stop the others, and what cannot be written is still told.

    Exact ones have no number of runs.
    """
    if "runs" not in figures.load(name).Settings.__dataclass_fields__:
        options = {**options, "runs": None}
    try:
        result = figures.make(name, workers=workers, progress=progress, **options)
        with writing("--out", Path(out)):
            return result.summary() | {"files": result.save(Path(out))}
    except UsageError as error:  # the disk; the claims may have taken hours
        return result.summary() | {"unwritten": str(error)}
    except ValueError as error:
        return {"figure": name, "title": figures.title(name), "passed": False, "claims": [], "seconds": 0.0, "error": str(error)}


def _report(console: Console, summary: dict[str, Any], details: bool) -> None:
    claims = summary["claims"]
    if "error" in summary:
        print(f"rlcourse: {summary['error']}", file=sys.stderr)
        return
    failed = [claim for claim in claims if not claim["holds"]]
    color, verdict = ("red", f"{len(failed)} of {len(claims)} claims FAIL") if failed else ("green", f"{len(claims)} claims hold")
    console.print(
        f"[bold]{summary['figure']:<14}[/] {summary['seconds']:6.1f} s  [{color}]{verdict:<18}[/]  {escape(summary['title'])}",
        soft_wrap=True,
    )
    for claim in claims if details else failed:
        sign = "[green]holds[/]" if claim["holds"] else "[bold red]FAILS[/]"
        console.print(f"  {sign}  {escape(claim['text'])} [dim]({escape(claim['detail'])})[/]", soft_wrap=True)
    if "unwritten" in summary:
        print(f"rlcourse: {summary['unwritten']}", file=sys.stderr)
    elif details:
        console.print(f"  {summary['files']['png']}", soft_wrap=True)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"
