"""The generated blocks of docs/agents/*.md: an agent's settings, and where each of its steps is in its file.

    python docs/build_tables.py            # rewrite the blocks between the markers
    python docs/build_tables.py --check    # exit with 3 where one is out of date

A page holds the markers ``<!-- code -->``, ``<!-- defaults -->`` and, after each, ``<!-- end -->``; a page without them is left alone.
`agents/index.md` is generated as a whole.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from rlcourse import agents
from rlcourse.cli.options import _show
from rlcourse.cli.settings import algo_key, settings_of_agent, source_of

PAGES = Path(__file__).resolve().parent / "agents"
DEEP = sorted((name for name, module in agents.MODULES.items() if ".deep." in module), key=algo_key)
TRAITS = {  # actions, data
    "A2C": ("discrete, continuous", "on-policy"),
    "CrossQ": ("continuous", "replay"),
    "DDPG": ("continuous", "replay"),
    "DQN": ("discrete", "replay"),
    "DRQN": ("discrete", "replay of sequences"),
    "DiscreteCrossQ": ("discrete", "replay"),
    "DiscreteSAC": ("discrete", "replay"),
    "PPO": ("discrete, continuous", "on-policy"),
    "PQN": ("discrete", "parallel copies, no replay"),
    "REINFORCE": ("discrete, continuous", "on-policy, whole episodes"),
    "RecurrentPPO": ("discrete, continuous", "on-policy sequences"),
    "SAC": ("continuous", "replay"),
    "TD3": ("continuous", "replay"),
}
INDEX = """# Deep agents

Each is one file that reads like its paper's algorithm, with the same face: `Agent(env, **settings).learn(steps)`, `predict`, `save`,
`load`, and `rlcourse train ENV --algo KEY`. What they reached is in [the table of results](../results.md).

| agent | key | what it is | actions | learns from | memory |
|---|---|---|---|---|---|
"""


def code(name: str) -> str:
    """Return the table of an agent's methods: what each does, and its lines."""
    path = source_of(name)
    node = next(part for part in ast.parse(path.read_text()).body if isinstance(part, ast.ClassDef) and part.name == name)
    rows = [f"| step | lines of `{path.name}` |", "|---|---|"]
    for part in node.body:
        doc = ast.get_docstring(part) if isinstance(part, ast.FunctionDef) else None
        if isinstance(part, ast.FunctionDef) and doc and part.name != "parts":
            sentence = doc.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")
            rows.append(f"| `{part.name}`: {sentence} | {part.lineno}–{part.end_lineno} |")
    return "\n".join(rows)


def defaults(name: str) -> str:
    """Return the table of an agent's settings."""
    rows = ["| setting | default | |", "|---|---|---|"]
    for setting in settings_of_agent(name):
        comment = setting.comment.replace("|", "\\|")
        rows.append(f"| `{setting.name}` | {_show(setting.default) or 'none'} | {comment} |")
    return "\n".join(rows)


def page(name: str, text: str) -> str:
    """Return a page with its blocks as they should be."""
    for marker, table in (("code", code), ("defaults", defaults)):
        if f"<!-- {marker} -->" in text:
            block = f"<!-- {marker} -->\n\n{table(name)}\n\n<!-- end -->"
            text = re.sub(rf"<!-- {marker} -->.*?<!-- end -->", lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def index() -> str:
    """Return the page with the table of all deep agents."""
    rows = []
    for name in DEEP:
        key, (actions, data) = algo_key(name), TRAITS[name]
        title = (ast.get_docstring(ast.parse(source_of(name).read_text())) or "").partition("\n")[0].partition(": ")[2].rstrip(".")
        memory = "LSTM, GRU, RNN" if name in ("DRQN", "RecurrentPPO") else ""
        link = f"[{name}]({key}.md)" if (PAGES / f"{key}.md").exists() else name
        rows.append(f"| {link} | `{key}` | {title} | {actions} | {data} | {memory} |")
    pages = [algo_key(name) for name in DEEP if (PAGES / f"{algo_key(name)}.md").exists()]
    return INDEX + "\n".join(rows) + "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def wanted() -> dict[Path, str]:
    """Return what each page should hold."""
    files = {PAGES / f"{algo_key(name)}.md": name for name in DEEP}
    return {file: page(name, file.read_text()) for file, name in files.items() if file.exists()} | {PAGES / "index.md": index()}


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    stale = [file for file, text in wanted().items() if not file.exists() or file.read_text() != text]
    if "--check" in arguments:
        print("".join(f"{file} is out of date: python docs/build_tables.py\n" for file in stale), end="")
        return 3 if stale else 0
    for file, text in wanted().items():
        file.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
