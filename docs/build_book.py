"""The generated parts of docs/book.md: every figure that the package computes, by chapter, and every figure of the book that it does not.

    python docs/build_book.py            # rewrite the blocks between the markers
    python docs/build_book.py --check    # exit with 3 where one is out of date

Figures are read from their files, which are not imported. What is not computed is told here, with the reason.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from rlcourse import figures

PAGE = Path(__file__).resolve().parent / "book.md"
CHAPTERS = {  # title, and the number of its last figure
    1: ("Introduction", 1),
    2: ("Multi-armed bandits", 6),
    3: ("Finite Markov decision processes", 5),
    4: ("Dynamic programming", 3),
    5: ("Monte Carlo methods", 5),
    6: ("Temporal-difference learning", 5),
    7: ("n-step bootstrapping", 5),
    8: ("Planning and learning with tabular methods", 11),
    9: ("On-policy prediction with approximation", 15),
    10: ("On-policy control with approximation", 5),
    11: ("Off-policy methods with approximation", 6),
    12: ("Eligibility traces", 14),
    13: ("Policy gradient methods", 2),
    14: ("Psychology", 5),
    15: ("Neuroscience", 5),
    16: ("Applications and case studies", 10),
    17: ("Frontiers", 1),
}
BACKUPS, DIAGRAM = "backup diagrams", "a diagram"
ABSENT = {  # figures of the book that are not computed: what they are, or what they would need
    "1.1": "moves of a game of tic-tac-toe; `rlcourse figure section-1.5` plays it",
    "3.1": DIAGRAM,
    "3.4": BACKUPS,
    "6.4": BACKUPS,
    "7.1": BACKUPS,
    "7.3": BACKUPS,
    "7.5": BACKUPS,
    "8.1": DIAGRAM,
    "8.6": BACKUPS,
    "8.9": DIAGRAM,
    "8.10": "a diagram; `rlcourse figure section-8.11` searches",
    "8.11": DIAGRAM,
    "9.6": DIAGRAM,
    "9.14": "a network, drawn; the page of encoders draws ours",
    "9.15": "a network, drawn; the page of encoders draws ours",
    "11.1": "the states and features of Baird's counterexample, drawn",
    "11.3": "the geometry of value functions, drawn",
    "11.4": "which data determine what, drawn",
    "12.1": BACKUPS,
    "12.4": DIAGRAM,
    "12.5": DIAGRAM,
    "12.7": BACKUPS,
    "12.9": BACKUPS,
    "12.12": BACKUPS,
    "12.13": BACKUPS,
    "14.5": "a maze, drawn, for two ways to decide",
    "15.1": "a neuron, drawn",
    "15.2": "recordings of neurons; `rlcourse figure section-15.5` has the errors to compare them with",
    "15.3": "recordings of neurons; `rlcourse figure 15.4` has the errors to compare them with",
    "15.5": "a network, drawn",
    "16.1": "a position of backgammon",
    "16.2": "a network, drawn",
    "16.3": "the architecture of a memory controller",
    "16.4": "performance of memory controllers: needs a simulator of DRAM and its workloads",
    "16.5": "a position of Go",
    "16.6": "a pipeline, drawn",
    "16.7": "self-play and search, drawn",
    "16.8": "what visitors of a website did: the data are a company's",
    "16.9": "flights in a thermal: needs a simulation of turbulent air",
    "16.10": "flights in a thermal: needs a simulation of turbulent air",
    "17.1": DIAGRAM,
}


def computed() -> str:
    """Return a table for each chapter with the figures that the package computes."""
    parts = []
    for chapter, (title, _) in CHAPTERS.items():
        mine = figures.in_chapter(chapter)
        if mine:
            notebook = Path(__file__).resolve().parents[1] / f"notebooks/ch{chapter:02d}.ipynb"
            read = f"Read it in `notebooks/{notebook.name}`. " if notebook.exists() else ""
            parts.append(f"### Chapter {chapter}: {title}\n\n{read}All of it: `rlcourse figure chapter{chapter}`.\n\n{table(mine)}")
    others = [name for name in figures.names() if not figures.path_of(name).parent.name.startswith("ch")]
    return "\n\n".join([*parts, f"### Not of the book\n\n{table(others)}"])


def table(names: list[str]) -> str:
    """Return the table of some figures: command, title, other names."""
    rows = ["| command | what it shows | also found as |", "|---|---|---|"]
    for name in names:
        others = ", ".join(alias for alias, target in figures.ALIASES.items() if target == name)
        minutes = f" ({seconds / 60:.0f} minutes on two cores)" if (seconds := seconds_of(name)) >= 120 else ""
        rows.append(f"| `rlcourse figure {name}` | {figures.title(name)}{minutes} | {others} |")
    return "\n".join(rows)


def seconds_of(name: str) -> float:
    """Return the seconds that a figure says it takes; 0 where it says nothing."""
    for node in ast.parse(figures.path_of(name).read_text()).body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["SECONDS"]:
            return float(ast.literal_eval(node.value))
    return 0.0


def missing() -> list[str]:
    """Return the numbers of all figures of the book that are neither computed nor told why not."""
    known = {*figures.names(), *ABSENT}
    return [f"{chapter}.{i}" for chapter, (_, last) in CHAPTERS.items() for i in range(1, last + 1) if f"{chapter}.{i}" not in known]


def absent() -> str:
    """Return the table of the figures that are not computed."""
    rows = ["| figure | why not |", "|---|---|"]
    here = figures.names()
    rows += [f"| {number} | {reason} |" for number, reason in ABSENT.items() if number not in here]
    rows += [f"| {number} | computable, and not here yet |" for number in missing()]
    return "\n".join(rows)


def page(text: str) -> str:
    """Return a page with its blocks as they should be."""
    for marker, block in (("computed", computed()), ("absent", absent())):
        found = f"<!-- {marker} -->\n\n{block}\n\n<!-- end -->"
        text = re.sub(rf"<!-- {marker} -->.*?<!-- end -->", lambda _, found=found: found, text, flags=re.DOTALL)
    return text


def main(arguments: list[str]) -> int:
    """Write the page, or check it."""
    text = PAGE.read_text()
    if "--check" in arguments:
        stale = page(text) != text
        print(f"{PAGE} is out of date: python docs/build_book.py\n" if stale else "", end="")
        return 3 if stale else 0
    PAGE.write_text(page(text))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
