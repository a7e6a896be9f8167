"""The page of features: its examples run, its table has every name and class, its figures exist."""

import re
from pathlib import Path

import pytest

from rlcourse import features, figures

PAGE = (Path(__file__).resolve().parents[2] / "docs/features.md").read_text()


def test_its_examples_run_one_after_another():
    names = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(code, names)
    assert names["tiles"].tiles.used == 0, "the agent's table is its own"


def test_its_table_has_every_name_and_every_kind():
    table = "\n".join(re.findall(r"^\|.*", PAGE, re.MULTILINE))
    assert set(re.findall(r"^\| `([a-z-]+)", PAGE, re.MULTILINE)) == set(features.names())
    inside = {"Dense", "HashedPairTiles", "Squashed", "Stacked"}  # named in the text, or made by others
    assert [kind for kind in features.MODULES if kind not in inside and f"`{kind}" not in table] == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(?:rlcourse figure )?(\d+\.\d+)`", PAGE))))
def test_its_figures_exist(name):
    assert figures.find(name) == name
