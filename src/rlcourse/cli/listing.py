"""`rlcourse list` and `rlcourse show`: they read sources and import no algorithm."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rlcourse import agents, encoders, figures, presets
from rlcourse.cli.options import Parser
from rlcourse.cli.settings import source_of
from rlcourse.cli.table import print_table
from rlcourse.cli.usage import UsageError
from rlcourse.core.catalogue import ENVIRONMENTS, GAMES, TEXTS

__all__ = ["list_", "show"]


def list_(argv: Sequence[str]) -> int:
    """List environments, agents, encoders, figures or presets; see ``rlcourse list --help``."""
    parser = Parser(prog="rlcourse list", description="What there is.")
    parser.add_argument("what", choices=list(_LISTS))
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    parsed = parser.parse(argv)
    rows = _LISTS[parsed.what]()
    if parsed.json:
        print(json.dumps(rows, indent=1))
        return 0
    if parsed.what == "presets":
        rows = _table_of_presets(rows)
    print_table(rows)
    return 0


def show(argv: Sequence[str]) -> int:
    """Print an algorithm's lecture and its code; see ``rlcourse show --help``."""
    parser = Parser(prog="rlcourse show", description="An algorithm's lecture, and its box (or its settings and its learning loop).")
    parser.add_argument("agent", help="for example sarsa, q-learning, ppo")
    parsed = parser.parse(argv)
    from rlcourse.cli.targets import agent_name

    name = agent_name(parsed.agent, "show")
    if name.startswith("sb3:"):
        raise UsageError(f"show: {name} is stable-baselines3's; `rlcourse train cartpole --algo {name} --help` shows its settings")
    path = source_of(name)
    text = path.read_text()
    tree = ast.parse(text)
    print(ast.get_docstring(tree), end="\n\n")
    boxes = [node for node in tree.body if isinstance(node, ast.FunctionDef) and _is_box(node)]
    wanted: list[Any] = list(boxes)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not boxes:
            if node.name.endswith("Config"):
                wanted.append(node)
            else:
                names = ("learn", "_iterate", "_update")
                wanted += [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name in names]
    lines = text.splitlines()
    for node in wanted:
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        print("\n".join(lines[first - 1 : node.end_lineno]), end="\n\n")
    print(path)
    return 0


def _is_box(node: ast.FunctionDef) -> bool:
    return any(isinstance(decorator, ast.Name) and decorator.id == "box" for decorator in node.decorator_list)


def _agents() -> list[dict[str, str]]:
    rows = []
    for name in sorted(agents.MODULES):
        path = source_of(name)
        title = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()[0]
        rows.append({"algo": path.stem, "class": name, "what": title})
    what = "stable-baselines3's models, and sb3-contrib's where installed: sb3:ppo, sb3:sac, sb3:recurrentppo, ..."
    return [*rows, {"algo": "sb3:MODEL", "class": "SB3Agent", "what": what}]


def _encoders() -> list[dict[str, str]]:
    """Return one row for every name that ``--encoder`` takes, and behind them those that ``--memory`` does."""
    rows = [{"name": name, "flag": "--encoder", "reads": reads, "what": encoders.about(name)} for name, reads in encoders.names().items()]
    reads = "what --encoder reads, one observation after another"
    return rows + [{"name": name, "flag": "--memory", "reads": reads, "what": encoders.about(name)} for name in encoders.memories()]


def _figures() -> list[dict[str, str]]:
    return [{"figure": name, "what": figures.title(name)} for name in figures.names()]


def _presets() -> list[dict[str, Any]]:
    """Return one row for every agent of every preset, the default agent first."""
    rows = []
    for name in presets.names():
        preset = presets.load(name)
        for algo in sorted({preset.algo, *preset.agents}, key=lambda algo: (algo != preset.algo, algo)):
            mine = preset.of(algo)
            rows.append(
                {
                    "preset": name,
                    "env": preset.env,
                    "algo": algo,
                    "default": algo == preset.algo,
                    "target": mine.target,
                    "total_timesteps": mine.total_timesteps,
                    "episodes": mine.episodes,
                    "pass_rate": preset.pass_rates.get(algo, "unverified"),
                }
            )
    return rows


def _table_of_presets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows as people read them, with a head."""
    head = {
        "preset": "PRESET",
        "env": "ENVIRONMENT",
        "algo": "AGENT",
        "target": "TARGET",
        "budget": "BUDGET",
        "pass_rate": "SEEDS THAT PASS",
    }
    shown = [
        {
            "preset": row["preset"],
            "env": row["env"],
            "algo": row["algo"] + (" (default)" if row["default"] else ""),
            "target": "-" if row["target"] is None else f"{row['target']:g}",
            "budget": f"{row['episodes']:,} episodes" if row["episodes"] else f"{row['total_timesteps']:,} steps",
            "pass_rate": row["pass_rate"],
        }
        for row in rows
    ]
    return [head, *shown]


def _envs() -> list[dict[str, Any]]:
    """Return one row for every id under ``rlcourse/``; variants of a world are told apart by their options."""
    rows = []
    for entry in ENVIRONMENTS:
        options = ", ".join(f"{name}={value}" for name, value in entry.options.items())
        rows.append(_env(entry.id, entry.limit, _title(entry.world) + (f" ({options})" if options else ""), entry.twin))
    rows += [_env(id, limit, f"{_title(maker)} (As text.)") for id, (maker, limit, _) in TEXTS.items()]
    return rows + [_env(id, limit, f"{what} (pip install {package})") for id, (_, limit, _, what, package) in GAMES.items()]


def _env(id: str, limit: int | None, what: str, twin: str | None = None) -> dict[str, Any]:
    return {"id": id, "limit": limit or "-", "twin": twin or "-", "what": what}


def _title(place: str) -> str:
    """Return the first line of what the module of ``module:callable`` says of itself."""
    path = Path(agents.__file__).parent.parent / (place.split(":")[0].removeprefix("rlcourse.").replace(".", "/") + ".py")
    return (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()[0]


_LISTS = {"envs": _envs, "agents": _agents, "encoders": _encoders, "figures": _figures, "presets": _presets}
