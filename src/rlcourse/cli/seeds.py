"""The folder of ``rlcourse train --seeds K``: the folder of each seed directly below it, and what they say together."""

from __future__ import annotations

import contextlib
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tomli_w

from rlcourse.cli.batched import seeds_in_words
from rlcourse.cli.config_file import require_outside
from rlcourse.cli.folder import RunFolder
from rlcourse.cli.outputs import writing
from rlcourse.cli.report import plain, result_of
from rlcourse.cli.settings import algo_key
from rlcourse.cli.targets import SEEDS, Target, find_environment
from rlcourse.cli.usage import UsageError, printable
from rlcourse.cli.ways import way_on
from rlcourse.core.files import read_text, sweep, write_bytes

__all__ = ["Seeds"]


def _is_list_of(kind: type, value: Any) -> bool:
    return isinstance(value, list) and all(type(each) is kind for each in value)


_HELD: tuple[tuple[str, Callable[[Any], bool], str], ...] = (  # what seeds.toml says, and what it must be
    *((name, lambda value: isinstance(value, str), "a text") for name in ("env", "algo", "label")),
    ("words", lambda value: _is_list_of(str, value), "a list of texts"),
    ("seeds", lambda value: _is_list_of(int, value) and value and min(value) >= 0, "a list of whole numbers from 0"),
)


class Seeds(NamedTuple):
    """Seeds of one command.

    Attributes
    ----------
    target : Target
    name : str
        The agent.
    words : list of str
        Of `rlcourse train`, without seed and folder.
    seeds : list of int
    label : str
        What a sweep calls them: "learning_rate=1e-3".
    """

    target: Target
    name: str
    words: list[str]
    seeds: list[int]
    label: str = ""

    def create(self, out: str) -> Path:
        """Make the folder around those of the seeds; it says what it takes to go on with them."""
        algo = f"{algo_key(self.name).replace(':', '-')}-{len(self.seeds)}-seeds" + (f"-{self.label}" if self.label else "")
        parent = RunFolder.create(out, self.target.label, algo, self.seeds[0], checkpoints=False).named
        settings = {"env": self.target.lasting, "algo": self.name, "seeds": self.seeds, "words": self.words}
        settings |= {"label": self.label} if self.label else {}
        write_bytes(parent / SEEDS, tomli_w.dumps(settings).encode())
        return parent

    @classmethod
    def read(cls, parent: Path) -> Seeds:
        """Read what `create` wrote; raises UsageError where it is damaged, or names code that came with it."""
        file = parent / SEEDS
        try:
            found = tomllib.loads(read_text(file))
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{file} is damaged: {str(error) or 'it is nested too deeply'}") from error
        for name, fits, must in _HELD:
            if name not in found and name != "label":
                raise UsageError(f"{file} is damaged: it lacks {name}")
            if not fits(value := found.get(name, "")):
                raise UsageError(f"{file} is damaged: {name} must be {must}, not {value!r:.60}")
        env, words = found["env"], found["words"]
        for word in (env, *words):  # the words name the environment once more
            require_outside(file, word)
        return cls(find_environment(env), found["algo"], words, found["seeds"], found.get("label", ""))

    @staticmethod
    def folder(parent: Path, seed: int) -> Path | None:
        """Return the folder of a seed; None where it has not begun."""
        found = (path.parent for path in parent.glob(f"*-seed{seed}*/config.toml"))
        return max((path for path in found if re.fullmatch(rf".*-seed{seed}(-\d+)?", path.name)), default=None)

    def unfinished(self, parent: Path, further: int | None) -> list[int]:
        """Return the seeds that have not ended, or all of them for further steps; raises UsageError where there are none."""
        found = [seed for seed in self.seeds if further or (folder := self.folder(parent, seed)) is None or result_of(folder) is None]
        if not found:
            raise UsageError(f"all seeds of {parent} have spent their budget; give more with -n")
        return found

    def command(self, parent: Path, seed: int, further: int | None) -> list[str]:
        """Return the words that train a seed, or go on with it, in a process whose working folder an earlier seed may have changed."""
        parent = parent.absolute()
        folder = self.folder(parent, seed)
        if folder is not None and not any(folder.rglob("*.safetensors")):
            _remove_if_bare(folder)  # stopped before it began to learn
            folder = None
        if folder is None:
            return ["train", *self.words, "--seed", str(seed), "--out", str(parent), "-q"]
        return ["resume", str(folder), "-q", *([] if further is None else ["-n", str(further)])]

    def conclude(self, parent: Path, failed: dict[int, str], quiet: bool) -> None:
        """Print what the seeds that ended say, draw their curves, and write result.json and card.md; see `keep`."""
        answer, lines = self.summarise(parent, failed)
        if quiet and answer["seeds"]:
            print(f"{answer['best']:.2f} {printable(str(parent))}")
        elif not quiet and lines:
            print("\n".join(lines))
        self.keep(parent, answer, lines)
        if not quiet and answer["seeds"]:
            print(printable(str(parent / "curve.png")))

    def summarise(self, parent: Path, failed: dict[int, str]) -> tuple[dict[str, Any], list[str]]:
        """Return what the seeds that ended say: what result.json holds, and lines to print."""
        ended: dict[int, dict[str, Any]] = {}
        for seed in self.seeds:
            folder = self.folder(parent, seed)
            result = None if folder is None else result_of(folder)
            if result is not None and seed not in failed:
                ended[seed] = result
        goal = self.target.preset.target if self.target.preset else None
        answer: dict[str, Any] = {"agent": self.name, "env": self.target.text, "target": goal}
        lines = []
        if ended:
            best, last = (np.array([result[which] for result in ended.values()]) for which in ("best", "last"))
            answer |= {"best": float(best.mean()), "last": float(last.mean())}
            lines.append(_line(best, last, goal))
        if failed:
            lines.append(f"{len(failed)} of {seeds_in_words(len(self.seeds))} failed; mend that, then {way_on(parent)}")
            answer["failed"] = {str(seed): why for seed, why in failed.items()}
        answer["seeds"] = {str(seed): result for seed, result in ended.items()}
        return answer, lines

    def keep(self, parent: Path, answer: dict[str, Any], lines: list[str]) -> None:
        """Draw the curves of the seeds that ended, write result.json and card.md; raises UsageError where the disk refuses them."""
        ended, failed = answer["seeds"], answer.get("failed", {})
        each = [f"* seed {seed}: best {result['best']:.2f}, last {result['last']:.2f}" for seed, result in ended.items()]
        each += [f"* seed {seed}: **failed**: {why}" for seed, why in failed.items()]
        picture = ["", "![learning curve](curve.png)", ""] if ended else [""]
        title = f"# {self.name} on {self.target.text}, " + (f"{self.label}, " if self.label else "") + seeds_in_words(len(self.seeds))
        with writing("--out", parent):
            if ended:
                self._draw(parent, [int(seed) for seed in ended], answer["target"])
            write_bytes(parent / "result.json", json.dumps(plain(answer), indent=1, allow_nan=False).encode())
            write_bytes(parent / "card.md", "\n".join([title, "", *lines, "", *each, *picture]).encode())

    def _draw(self, parent: Path, seeds: list[int], goal: float | None) -> None:
        from rlcourse.plotting import seeds_curve

        folders = [folder for seed in seeds if (folder := self.folder(parent, seed)) is not None]
        tables = [RunFolder(path).table("episodes.csv") for path in folders]
        column = next(iter(next(tables[0].rows(), {"return": 0.0})))
        runs: list[Any] = [table.columns("timesteps", column) for table in tables]
        runs = [curve for curve in runs if len(curve[0])]
        if runs:
            seeds_curve(parent / "curve.png", f"{self.name} on {self.target.text}", runs, goal if column == "return" else None, column)


def _remove_if_bare(folder: Path) -> None:
    """Remove the folder of a seed that holds nothing but settings, empty folders, and what a killed write left; any other stays."""
    for each in (folder, folder / "checkpoints"):
        if each.is_dir() and not each.is_symlink():
            sweep(each)
    if folder.is_symlink() or any(not path.is_dir() and path.name not in ("config.toml", ".lock") for path in folder.rglob("*")):
        return
    with contextlib.suppress(OSError):
        for path in sorted(folder.rglob("*"), reverse=True):  # what is within a folder before it
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        folder.rmdir()


def _line(best: np.ndarray, last: np.ndarray, goal: float | None) -> str:
    passed = ""
    if goal is not None:
        passed = f", {int((best >= goal).sum())} of {seeds_in_words(len(best))} reach{'es' if len(best) == 1 else ''} {goal:g}"
    return (
        f"greedy return over seeds: mean {best.mean():.2f}, median {np.median(best):.2f}, worst {best.min():.2f}{passed}; "
        f"last checkpoints: mean {last.mean():.2f}, worst {last.min():.2f}"
    )
