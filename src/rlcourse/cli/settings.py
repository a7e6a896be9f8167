"""The settings of an agent, read from its source: `train --help` waits for no torch and no numba."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import typing
from pathlib import Path
from typing import Any, NamedTuple

from rlcourse import agents
from rlcourse.core import config, schedules

__all__ = ["Setting", "algo_key", "settings_of_agent", "source_of"]


class Setting(NamedTuple):
    """One field of a Config: its name, type, default and the comment on its line."""

    name: str
    hint: Any
    default: Any
    comment: str


def algo_key(name: str) -> str:
    """Return how an agent is written on the command line and in presets: the name of its file; sb3:ppo is its own."""
    return name if name.startswith("sb3:") else agents.MODULES[name].rsplit(".", 1)[1]


def source_of(name: str) -> Path:
    """Return the file of an agent, without importing it."""
    module = agents.MODULES[name].removeprefix("rlcourse.agents.")
    return Path(agents.__file__).parent / f"{module.replace('.', '/')}.py"


@functools.cache  # a process asks for those of all agents at each command, and sources do not change under it
def settings_of_agent(name: str) -> tuple[Setting, ...]:
    """Return the settings of an agent in order; the agent is imported only where its source alone does not tell them."""
    if name.startswith("sb3:"):
        from rlcourse.sb3 import agent_class

        found = agent_class(name)
        return tuple(_of_class(found.Config, found.comments))
    text = source_of(name).read_text()
    node = next(part for part in ast.parse(text).body if isinstance(part, ast.ClassDef) and part.name == f"{name}Config")
    try:
        return tuple(_of_source(node, text.splitlines()))
    except (NameError, ValueError):  # a type or a default that only the module itself knows
        kind = getattr(agents, name).Config
        comments: dict[str, str] = {}
        for base in reversed(kind.__mro__[: kind.__mro__.index(config.Config)]):
            comments |= _comments(inspect.getsource(base))
        return tuple(_of_class(kind, comments))


def _of_class(kind: Any, comments: dict[str, str]) -> list[Setting]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return [Setting(field.name, hints[field.name], field.default, comments.get(field.name, "")) for field in dataclasses.fields(kind)]


def _of_source(node: ast.ClassDef, lines: list[str]) -> list[Setting]:
    if [ast.unparse(base) for base in node.bases] != ["Config"]:
        raise ValueError(f"{node.name} inherits fields")
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.value]
    annotations = {ast.unparse(part.target): ast.unparse(part.annotation) for part in fields}
    shape = type(node.name, (), {"__annotations__": annotations})
    hints = typing.get_type_hints(shape, globalns=vars(typing) | vars(schedules) | vars(config), include_extras=True)
    found = []
    for part in fields:
        assert part.value is not None
        name = ast.unparse(part.target)
        found.append(Setting(name, hints[name], ast.literal_eval(part.value), _comment(lines[part.lineno - 1])))
    return found


def _comments(source: str) -> dict[str, str]:
    lines = inspect.cleandoc(source).splitlines()
    return {line.split(":")[0].strip(): _comment(line) for line in lines if ":" in line and "#" in line}


def _comment(line: str) -> str:
    return line.split("# ", 1)[1] if "# " in line else ""
