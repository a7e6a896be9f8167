"""config.toml of a run, read and checked: anybody may have edited it."""

from __future__ import annotations

import functools
import os
import tomllib
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from rlcourse.cli.usage import UsageError
from rlcourse.core.config import did_you_mean
from rlcourse.core.files import read_text

if TYPE_CHECKING:
    from rlcourse.cli.plan import Plan

__all__ = ["plan_of", "read_config", "require_outside"]


def read_config(folder: Path) -> dict[str, Any]:
    """Return the config.toml of a run; raises UsageError where it is damaged, or no run's."""
    file = folder / "config.toml"
    try:
        config = tomllib.loads(read_text(file))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is damaged: {str(error) or 'it is nested too deeply'}") from error
    _check_config(file, config)
    return config


def _check_config(file: Path, config: dict[str, Any]) -> None:
    """Raise UsageError where a table or a value that everybody reads is lacking or of another type."""
    run = config["run"] if isinstance(config.get("run"), dict) else {}
    if lacking := {"plan", "agent", "run"} - config.keys() or (run and {"env", "algo", "seed"} - run.keys()):
        raise UsageError(f"{file} is not that of a run: it lacks {', '.join(sorted(lacking))}")
    for name, value, kind, must in (
        *((table, config[table], dict, "a table") for table in ("run", "plan", "agent")),
        *((name, run.get(name), str, "a text") for name in ("env", "algo")),
        ("seed", run.get("seed"), int, "a whole number"),
        ("threads", run.get("threads", 1), int, "a whole number"),
        ("env_timeout", run.get("env_timeout", 1), int | float, "a number of seconds"),
    ):
        if not isinstance(value, kind) or isinstance(value, bool):
            raise UsageError(f"{file} is damaged: {name} must be {must}, not {value!r}")
    if not 1 <= run.get("threads", 1) <= 1024:
        raise UsageError(f"{file} is damaged: threads must be between 1 and 1024, not {run['threads']}")
    if not run.get("env_timeout", 1) > 0:
        raise UsageError(f"{file} is damaged: env_timeout must be a positive number of seconds, not {run['env_timeout']}")
    require_outside(file, run["env"])


def require_outside(file: Path, env: str) -> None:
    """Raise UsageError where a file of settings names a ``file.py:Class`` in its own folder, or by a path that differs between processes.

    Naming it makes Python run it. This refuses what may have come with the run by mistake or in the plainest way, not every file that its
    author could know the path of: SECURITY.md says to read the line.
    """
    if ".py:" not in env:
        return
    source = Path(env.rpartition(":")[0])
    lasting = source.is_absolute() and ".." not in source.parts and source.parts[1] not in ("proc", "dev")
    if not lasting or file.resolve().parent in Path(os.path.realpath(source)).parents:
        raise UsageError(f"{file} names its environment {env!r}: a file outside the run, by its whole path, is what it may name")


def plan_of(folder: Path) -> Plan:
    """Return how long a run trains and when it looks; raises UsageError where config.toml says what no plan can be."""
    from rlcourse.cli.plan import Plan

    plan, file = read_config(folder)["plan"], folder / "config.toml"
    hints = _types_of(Plan)
    for name, value in plan.items():
        if name not in hints:
            raise UsageError(f"{file} has an unknown value {name!r} in its plan{did_you_mean(name, hints)}")
        if not _fits(value, hints[name]):
            raise UsageError(f"{file}: {name} in its plan cannot be {value!r}")
    if lacking := [name for name in Plan._fields if name not in plan and name not in Plan._field_defaults]:
        raise UsageError(f"{file} lacks {', '.join(lacking)} in its plan")
    if plan.get("metric", "mean") not in ("mean", "min", "median"):
        raise UsageError(f"{file}: metric in its plan must be mean, min or median, not {plan['metric']!r}")
    return Plan(**plan)


@functools.cache
def _types_of(kind: Any) -> dict[str, Any]:
    """Return the types of the fields; reading them runs our own annotations, which is never to be mistaken for what a file says."""
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type of `Plan`: whole numbers there are counts."""
    if get_origin(hint) is types.UnionType:
        return any(_fits(value, part) for part in get_args(hint))
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**18
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return isinstance(value, hint)
