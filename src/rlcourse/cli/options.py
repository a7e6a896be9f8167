"""Parsing: argparse with one-sentence errors, near misses, numbers as people write them, and one flag per setting of an agent."""

from __future__ import annotations

import argparse
import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NoReturn, get_args, get_origin

from rlcourse.cli.settings import Setting
from rlcourse.cli.usage import UsageError
from rlcourse.core.schedules import Schedule, parse

__all__ = ["Parser", "add_settings", "count", "finite", "natural", "seconds", "settings_of"]


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are `UsageError`s."""

    def __init__(self, prog: str, description: str | None = None, add_help: bool = True) -> None:
        super().__init__(prog, description=description, add_help=add_help, allow_abbrev=False, formatter_class=_Formatter)

    def error(self, message: str) -> NoReturn:
        """Raise the message as one sentence."""
        raise UsageError(f"{message[0].lower()}{message[1:]} (see {self.prog} --help)")

    def parse(self, argv: Sequence[str], elsewhere: Callable[[str], str] = lambda flag: "") -> argparse.Namespace:
        """Parse; an unknown flag names the nearest known one, unless `elsewhere` has a sentence about it."""
        parsed, unknown = self.parse_known_args(argv)
        if unknown:
            if sentence := elsewhere(unknown[0].split("=")[0]):
                raise UsageError(sentence)
            known = [flag for action in self._actions for flag in action.option_strings if flag.startswith("--")]
            near = difflib.get_close_matches(unknown[0].split("=")[0], known, n=1, cutoff=0.7) if unknown[0].startswith("--") else []
            hint = f"; did you mean {near[0]!r}?" if near else f" (see {self.prog} --help)"
            raise UsageError(f"unknown argument {unknown[0]!r}{hint}")
        return parsed


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=110)


def count(text: str) -> int:
    """Read a whole number >= 1 as people write them: 100000, 100_000, 1e5, 100k, 1.5M."""
    match = re.fullmatch(r"\s*([0-9][0-9_]*(?:\.[0-9]+)?(?:[eE]\+?[0-9]+)?)\s*([kKmM]?)\s*", text)
    number = float(match[1].replace("_", "")) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()] if match else math.nan
    if number > 1e18:
        raise argparse.ArgumentTypeError(f"{text!r} is too large; say at most 10^18, for example 1M")
    if not (number >= 1 and number == int(number)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number >= 1; say at least 1, for example 4 or 100k")
    return int(number)


def natural(text: str) -> int:
    """Read a whole number >= 0: a seed."""
    if not re.fullmatch("[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 10^18; write for example 7")
    return int(text)


def finite(text: str, example: str = "475 or -110") -> float:
    """Read a number that is neither nan nor infinite."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no finite number; write for example {example}")
    return number


def seconds(text: str) -> float:
    """Read a time of more than nothing."""
    if (number := finite(text, "30")) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write seconds, for example 30")
    return number


def add_settings(parser: argparse.ArgumentParser, settings: Sequence[Setting], defaults: Mapping[str, Any], title: str) -> None:
    """Add one flag per setting that the parser does not have yet; the preset's value is the default shown."""
    group = parser.add_argument_group(title)
    known = {action.dest for action in parser._actions}
    for setting in settings:
        if f"setting_{setting.name}" in known:
            continue
        flag = f"--{setting.name.replace('_', '-')}"
        taken = flag in parser._option_string_actions  # an option of the run has this name: --target and the DQN setting
        flags = [f"--agent-{flag[2:]}" if taken else flag] + (["--lr"] if setting.name == "learning_rate" else [])
        flags += ["--num-envs"] if setting.name == "n_envs" else []
        alone: dict[str, Any] = {"nargs": "?", "const": True} if _base(setting.hint)[0] is bool else {}  # --compile is --compile true
        group.add_argument(
            *flags,
            dest=f"setting_{setting.name}",
            type=_reader(setting.hint),
            **alone,
            metavar=_metavar(setting.hint),
            default=None,
            help=f"{setting.comment} [{_show(defaults.get(setting.name, setting.default))}]".replace("%", "%%").strip(),
        )


def settings_of(parsed: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that were given on the command line."""
    given = {name.removeprefix("setting_"): value for name, value in vars(parsed).items() if name.startswith("setting_")}
    return {name: None if value is _NONE else value for name, value in given.items() if value is not None}


_NONE: Any = object()


def _reader(hint: Any) -> Callable[[str], Any]:
    base, optional = _base(hint)

    def read(text: str) -> Any:
        if optional and text.lower() == "none":
            return _NONE
        try:
            if base == Schedule:
                return parse(text)
            if base is bool:
                return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
            if base is int:
                return count(text) if text.strip("0") and not text.startswith("-") else int(text)
            if get_origin(base) is tuple:
                return tuple(int(part) for part in text.replace("x", ",").split(",") if part)
            if str(get_origin(base)) == "typing.Literal" or base is str:
                return text
            return float(text)
        except (ValueError, KeyError, argparse.ArgumentTypeError) as error:
            raise argparse.ArgumentTypeError(f"{text!r} is no {_metavar(hint).lower()}; {_advice(base, error)}") from error

    return read


def _base(hint: Any) -> tuple[Any, bool]:
    """Return the type behind bounds and behind ``| None``, and whether None is allowed."""
    optional = type(None) in get_args(hint)
    inner = next(part for part in get_args(hint) if part is not type(None)) if optional else hint
    return get_args(inner)[0] if get_origin(inner) is Annotated else inner, optional


def _advice(base: Any, error: Exception) -> str:
    if base is bool:
        return "write true or false"
    return (
        "write for example 64,64"
        if get_origin(base) is tuple
        else "write a number"
        if base is not Schedule
        else str(error).partition("; ")[2]
    )


def _metavar(hint: Any) -> str:
    base, _ = _base(hint)
    if str(get_origin(base)) == "typing.Literal":
        return "|".join(map(str, get_args(base)))
    if get_origin(base) is tuple:
        return "WIDTHS"
    return "SCHEDULE" if base == Schedule else "BOOL" if base is bool else "COUNT" if base is int else "TEXT" if base is str else "NUMBER"


def _show(value: Any) -> str:
    if isinstance(value, tuple | list) and not hasattr(value, "at"):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
