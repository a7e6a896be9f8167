"""The page of the book's figures: as the figures' files say, and complete."""

import importlib.util
import re
from pathlib import Path

from rlcourse import figures

DOCS = Path(__file__).resolve().parents[1] / "docs"
spec = importlib.util.spec_from_file_location("build_book", DOCS / "build_book.py")
build_book = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build_book)


def test_the_page_is_up_to_date():
    text = build_book.PAGE.read_text()
    assert build_book.page(text) == text, "run: python docs/build_book.py"


def test_a_changed_line_makes_it_stale():
    text = build_book.PAGE.read_text()
    changed = text.replace("`rlcourse figure 6.3` | Figure 6.3", "`rlcourse figure 6.3` | Figure 6.30")
    assert changed != text
    assert build_book.page(changed) == text


def test_every_figure_that_the_package_has_is_on_it_once():
    text = build_book.PAGE.read_text()
    listed = re.findall(r"^\| `rlcourse figure (\S+)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(figures.names())


def test_what_is_said_to_be_absent_is_a_figure_of_the_book():
    numbers = {f"{chapter}.{i}" for chapter, (_, last) in build_book.CHAPTERS.items() for i in range(1, last + 1)}
    assert set(build_book.ABSENT) <= numbers
    assert {name for name in figures.names() if re.fullmatch(r"\d+\.\d+", name)} <= numbers


def test_commands_on_the_page_are_understood():
    for word in re.findall(r"rlcourse figure ([\w.-]+)", build_book.PAGE.read_text()):
        assert word.startswith("chapter") or figures.find(word)
