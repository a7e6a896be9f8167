"""``rlcourse train --sweep SETTING=VALUE,VALUE``: every value with every seed in one program, a folder of seeds for each, and a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rlcourse.cli.batched import seeds_in_words
from rlcourse.cli.options import Parser, add_settings, settings_of
from rlcourse.cli.settings import algo_key, settings_of_agent
from rlcourse.cli.table import print_table
from rlcourse.cli.usage import UsageError, printable

__all__ = ["Value", "tell_best", "values_of"]


class Value(NamedTuple):
    """A value of a setting, or one of each of several settings.

    Attributes
    ----------
    label : str
        "learning_rate=1e-3"; empty where nothing is swept.
    words : list of str
        The flags that say the same to `rlcourse train`.
    settings : dict of str to object
    """

    label: str
    words: list[str]
    settings: dict[str, Any]


def values_of(name: str, sweeps: Sequence[str], given: Collection[str]) -> list[Value]:
    """Return all that an agent's seeds are to be trained with: the combinations of what is swept, or one value that changes nothing.

    Parameters
    ----------
    name : str
        The agent.
    sweeps : sequence of str
        "learning_rate=1e-4,1e-3".
    given : collection of str
        Settings that have a value.

    Raises
    ------
    UsageError
        In one sentence, where something is not to be swept, or has no such value.
    """
    found = [Value("", [], {})]
    for text in sweeps:
        more = _read(name, text, {*given, *found[0].settings})
        found = [
            Value(", ".join(filter(None, (one.label, other.label))), one.words + other.words, one.settings | other.settings)
            for one in found
            for other in more
        ]
    return found


def _read(name: str, text: str, given: Collection[str]) -> list[Value]:
    from rlcourse.agents.deep.programs.together import PROGRAMS

    written, _, listed = text.partition("=")
    setting = written.strip().replace("-", "_")
    if not setting or not listed:
        raise UsageError(f"--sweep: {text!r} names no setting and values; write for example learning_rate=1e-4,1e-3")
    if name not in PROGRAMS:
        raise UsageError(f"--sweep: {algo_key(name)} does not learn as a program; train each value by a command of its own")
    swept = PROGRAMS[name].swept
    if setting not in swept:
        raise UsageError(
            f"--sweep: {setting!r:.60} cannot differ in one program of {algo_key(name)}, unlike {', '.join(sorted(swept))}; "
            "train each of its values by a command of its own"
        )
    if setting in given:
        raise UsageError(f"--sweep: {setting} is given once more; leave one of them out")
    parser = Parser(prog="rlcourse train")
    add_settings(parser, [each for each in settings_of_agent(name) if each.name == setting], {}, "")
    found: list[Value] = []
    for each in re.split(r",(?![^()]*\))", listed):  # but not within linear(start, end, steps)
        words = [f"--{setting.replace('_', '-')}={each.strip()}"]
        mine = settings_of(parser.parse(words))
        if any(mine == other.settings for other in found):
            raise UsageError(f"--sweep: {each.strip()} is there twice; name each value of {setting} once")
        found.append(Value(f"{setting}={each.strip()}", words, mine))
    return found


def tell_best(answers: dict[str, tuple[Path, dict[str, Any]]], number: int, minimize: bool, quiet: bool) -> None:
    """Print one line for each value, the best first.

    Parameters
    ----------
    answers : dict of str to pairs
        By label: the folder of its seeds, and what `Seeds.summarise` says of them.
    number : int
        Seeds of each value.
    minimize, quiet : bool
    """
    lines: list[tuple[float, dict[str, Any]]] = []
    for label, (parent, answer) in answers.items():
        last = [result["last"] for result in answer["seeds"].values()]
        mean = sum(last) / len(last) if last else float("inf" if minimize else "-inf")
        worst = max(last, default=mean) if minimize else min(last, default=mean)
        found = {"mean": f"mean {mean:.2f}", "worst": f"worst {worst:.2f}"} if last else {"mean": "failed", "worst": "-"}
        seeds = seeds_in_words(number) if len(last) == number else f"{len(last)} of {seeds_in_words(number)}"
        lines.append((mean, {"label": label} | found | {"seeds": seeds, "folder": printable(str(parent))}))
    lines.sort(key=lambda line: line[0], reverse=not minimize)
    if not quiet:
        print("greedy return of the last checkpoints:")
    print_table([row for _, row in lines])
