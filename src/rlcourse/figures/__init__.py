"""The book's figures, tables and examples: each is settings, an experiment, a picture, and claims that are checked.

>>> from rlcourse.figures import make
>>> make("6.3", level="fast")

One file each, found by its name: ``ch06/figure_6_3.py`` is "6.3", ``ch06/example_6_5.py`` is "example-6.5". Such a module has a docstring
whose first line is its title, a frozen dataclass ``Settings``, ``FAST`` (and perhaps ``FULL``) settings that differ, perhaps
``SECONDS`` (what the defaults take on two cores, where that is long), ``ONE_RUN`` (it has no number of runs, and is not exact), and three
functions::

    run(settings, lab) -> dict of arrays
    draw(figure, data, settings)
    claims(data, settings) -> list of Claim

Importing this package imports none of them.
"""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlcourse.core.arguments import checked
from rlcourse.core.config import Natural, did_you_mean

if TYPE_CHECKING:
    from rlcourse.figures.experiment import Result

__all__ = ["ALIASES", "DRAFT", "find", "in_chapter", "in_folder", "load", "make", "names", "path_of", "title"]

FOLDER = Path(__file__).parent

ALIASES: dict[str, str] = {  # another printed name: the figure
    "tic-tac-toe": "section-1.5",
    "example-3.5": "3.2",
    "example-3.6": "3.3",
    "example-3.8": "3.5",
    "example-4.1": "4.1",
    "example-4.2": "4.2",
    "example-4.3": "4.3",
    "example-5.1": "5.1",
    "example-5.3": "5.2",
    "example-5.4": "5.3",
    "example-5.5": "5.4",
    "example-6.1": "6.1",
    "example-6.3": "6.2",
    "example-6.7": "6.5",
    "example-8.1": "8.2",
    "example-8.2": "8.4",
    "example-8.3": "8.5",
    "example-9.1": "9.1",
    "example-9.2": "9.2",
    "example-9.3": "9.8",
    "example-10.1": "10.1",
    "example-10.2": "10.5",
    "example-12.2": "12.10",
    "exercise-10.7": "exercise-10.6",
    "exercise-3.24": "3.5",
    "exercise-5.12": "5.5",
    "exercise-3.9": "example-3.3",
}
DRAFT = {  # number in the drafts of 2016 and 2017, which many repositories use: the printed one
    "6.3": "example-6.5",
    "6.4": "example-6.6",
    "6.6": "6.3",
    "6.7": "6.5",
    "11.6": "11.5",
    "11.7": "11.6",
}


def names() -> list[str]:
    """Return the names of all figures, in the book's order: a chapter's figures, then its examples, exercises and sections, then names."""
    return [_name(path) for path in sorted(FOLDER.glob("*/*.py"), key=_order) if path.stem != "__init__"]


@checked
def in_chapter(chapter: Natural) -> list[str]:
    """Return the names of a chapter's figures."""
    return in_folder(f"ch{chapter:02d}")


@checked
def in_folder(folder: str) -> list[str]:
    """Return the names of the figures in a folder, such as the four of easy21; none where there is no such folder."""
    return [name for name in names() if path_of(name).parent.name == folder]


@checked
def path_of(name: str) -> Path:
    """Return the file of a figure."""
    for path in FOLDER.glob("*/*.py"):
        if path.stem != "__init__" and _name(path) == name:
            return path
    raise ValueError(f"unknown figure {name!r}{did_you_mean(name, names())}")


def title(name: str) -> str:
    """Return a figure's title, read from its source."""
    return (ast.get_docstring(ast.parse(path_of(name).read_text())) or name).splitlines()[0].rstrip(".")


def load(name: str) -> Any:
    """Import a figure's module."""
    path = path_of(name)
    return importlib.import_module(f"{__name__}.{path.parent.name}.{path.stem}")


@checked
def find(text: str) -> str:
    """Return the name of a figure, however it is written: 6.3, fig6.3, "Figure 6.3", ex6.5, example 6.5, draft-6.6.

    Raises
    ------
    ValueError
        Naming the nearest one.
    """
    known = names()
    word = re.sub(r"[\s_-]+", "-", text.strip().lower())
    if match := re.fullmatch(r"draft-?(?:fig(?:ure)?\.?-?)?(\d+\.\d+)", word):
        return DRAFT.get(match[1], find(match[1]))
    if match := re.fullmatch(r"(?:fig(?:ure)?\.?-?)?(\d+\.\d+)", word):
        word = match[1]
    for short, long in (("ex", ("example", "exercise")), ("example", ("example",)), ("exercise", ("exercise",)), ("exs", ("exercise",))):
        if match := re.fullmatch(rf"{short}\.?-?(\d+\.\d+)", word):
            candidates = [f"{kind}-{match[1]}" for kind in long]
            word = next((name for name in candidates if name in known or name in ALIASES), candidates[0])
    word = ALIASES.get(word, word)
    if word in known:
        return word
    if word in DRAFT:
        return DRAFT[word]
    near = did_you_mean(word, known)
    raise ValueError(f"unknown figure {text!r}{near if 'did you mean' in near else '; see rlcourse list figures'}")


@checked
def make(name: str, **options: Any) -> Result:
    """Run a figure's experiment and check its claims; see `rlcourse.figures.experiment.make`."""
    from rlcourse.figures.experiment import make as make_

    return make_(name, **options)


def _name(path: Path) -> str:
    kind, *rest = path.stem.split("_")
    number = ".".join(rest)
    if kind == "figure":
        return number
    return f"{kind}-{number}" if re.fullmatch(r"\d+\.\d+", number) else path.stem.replace("_", "-")


def _order(path: Path) -> tuple[Any, ...]:
    name, chapter = _name(path), re.fullmatch(r"ch(\d+)", path.parent.name)
    match = re.fullmatch(r"(?:(example|exercise|section)-)?(\d+)\.(\d+)", name)
    if match:
        return (int(match[2]), bool(match[1]), match[1] or "", int(match[3]))
    return (int(chapter[1]) if chapter else 99, 2, name, 0)
