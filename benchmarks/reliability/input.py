"""Hostile input: command lines, configurations, TOML files, and calls of public functions with wrong values.

What is promised: exit code 2 and one line that says what is wrong, no traceback, no file written elsewhere than the command
says, no folder left by a command that was refused, no socket. In the library: a ValueError of one sentence.
"""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator

import command_lines
import numpy as np
import toml_files
import wrong_values
from outcome import Outcome
from rooms import Room, room

COUNTS = {"command lines": 2000, "TOML files": 2000, "configurations": 5000, "observations": 2000, "calls": 12000, "methods": 4000}


def campaign(count: Callable[[str], int], seed: int) -> Iterator[Outcome]:
    """Try all kinds of input."""
    with room() as place:
        yield command_line_outcome(place, count("command lines"), seed)
        yield toml_outcome(place, count("TOML files"), seed)
        yield _outcome("settings of all agents, drawn wrong", _SENTENCE, configurations(count("configurations"), seed))
        yield _outcome("observations that are none, given to predict", _SENTENCE, observations(count("observations"), seed))
        yield _outcome("calls of public functions, one argument wrong", _NAMED, public_calls(count("calls"), seed))
        yield _outcome("learn, predict, save, load of all agents, one argument wrong", _NAMED, method_calls(count("methods"), seed))


_SENTENCE = "they work, or a ValueError of one sentence says which is wrong"
_NAMED = "they work, or one sentence names the argument; what can be right for nothing is not taken"


def command_line_outcome(place: Room, number: int, seed: int) -> Outcome:
    """Run generated command lines."""
    promise = "exit code 0, 2, 3 or 130; refused in one line, with nothing left; nothing is written elsewhere"
    return _outcome("generated command lines of all verbs", promise, _each("line", place, number, seed))


def toml_outcome(place: Room, number: int, seed: int) -> Outcome:
    """Evaluate, resume, compare and look into a run whose config.toml was changed."""
    return _outcome("config.toml of a run, changed", "as for command lines", _each("toml", place, number, seed))


def _each(kind: str, place: Room, number: int, seed: int) -> tuple[int, list[str]]:
    """Try cases of a kind; say about every ten seconds how far it is, and at once which one went wrong and how to run it alone."""
    failures, told = [], time.monotonic()
    for i in range(number):
        case = f"{seed}-{i}"
        words, broken = KINDS[kind](place, random.Random(case))
        if broken:
            failures.append(f"python benchmarks/reliability/input.py {kind} {case}: {[word[:60] for word in words]}: {'; '.join(broken)}")
            print(failures[-1], file=sys.stderr, flush=True)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(f"input: {kind} {i + 1} of {number}, {len(failures)} broken", file=sys.stderr, flush=True)
    return number, failures


def _line(place: Room, draw: random.Random) -> tuple[list[str], list[str]]:
    words = command_lines.command(draw)
    return words, place.broken_by(words)


def _toml(place: Room, draw: random.Random) -> tuple[list[str], list[str]]:
    run = f"runs/{draw.choice(['good', 'good', 'deep'])}"
    data = toml_files.spoiled(place.known[f"cwd/{run}/config.toml"].decode(), draw)
    verb, *options = draw.choice(toml_files.VERBS)
    return [verb, run, *options], place.broken_by([verb, run, *options], {f"{run}/config.toml": data})


KINDS = {"line": _line, "toml": _toml}


def configurations(number: int, seed: int) -> tuple[int, list[str]]:
    """Make agents with one wrong setting each."""
    cases = (wrong_values.configuration(random.Random(f"{seed}-{i}")) for i in range(number))
    return number, _tried(cases)


def observations(number: int, seed: int) -> tuple[int, list[str]]:
    """Let agents act on what is no observation."""
    cases = (wrong_values.observation(random.Random(f"{seed}-{i}")) for i in range(number))
    return number, _tried(cases)


def public_calls(number: int, seed: int) -> tuple[int, list[str]]:
    """Call every public function with each wrong value in place of each argument; at most so many calls."""
    every = [case for name, function in wrong_values.public_functions().items() for case in wrong_values.calls(name, function)]
    chosen = every if number >= len(every) else random.Random(seed).sample(every, number)
    return len(chosen), _tried(chosen)


def method_calls(number: int, seed: int) -> tuple[int, list[str]]:
    """Call the methods that all agents have, with one argument wrong."""
    return number, _tried(wrong_values.method(random.Random(f"{seed}-{i}")) for i in range(number))


def _tried(cases: Iterable[tuple[str, Callable[[], object], *tuple[str, ...]]]) -> list[str]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [f"{words}: {doubt}" for words, function, *argument in cases if (doubt := wrong_values.call(function, *argument))]


def _outcome(what: str, promise: str, tried: tuple[int, list[str]]) -> Outcome:
    number, failures = tried
    return Outcome(what, number, number - len(failures), len(failures), promise, tuple(failures))


if __name__ == "__main__":  # one case alone, as a failure names it
    with room() as alone:
        words, broken = KINDS[sys.argv[1]](alone, random.Random(sys.argv[2]))
    print(words, *broken, sep="\n")
    sys.exit(3 if broken else 0)
