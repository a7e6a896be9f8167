"""The page of wrappers: its table has every wrapper."""

import re
from pathlib import Path

import gymnasium as gym

from rlcourse import wrappers

PAGE = (Path(__file__).resolve().parents[2] / "docs/wrappers.md").read_text()


def test_the_example_of_texts_runs():
    """The others, which train agents, take a minute: run them by hand."""
    exec("import gymnasium as gym\n" + re.search(r"## Text\n.*?```python\n(.*?)```", PAGE, re.DOTALL).group(1), {})


def test_every_wrapper_is_in_the_table_and_none_has_the_name_of_gymnasiums():
    ours = {
        name for name in wrappers.__all__ if isinstance(getattr(wrappers, name), type) and issubclass(getattr(wrappers, name), gym.Wrapper)
    }
    assert ours == set(re.findall(r"^\| `(\w+)\(env", PAGE, re.MULTILINE))
    assert not ours & set(gym.wrappers.__all__)
