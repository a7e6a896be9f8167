"""``file.py:Class``: ordinary mistakes in a file of the user are one sentence, and bugs of its own keep their traceback."""

import pytest

from rlcourse.cli.main import main

FILE = """
import gymnasium as gym
from gymnasium.spaces import Discrete


class Whole(gym.Env):
    observation_space, action_space = Discrete(2), Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        return 1, 1.0, True, False, {}


class Sized(Whole):
    def __init__(self, size, *, depth, render_mode=None):
        self.size = size


class Defaults(Whole):
    def __init__(self, size=3, *more, **options):
        self.size = size


def sized():
    return Sized(4, depth=2)


def of_size(size):
    return Sized(size, depth=2)


class Bare(gym.Env):
    observation_space = Discrete(2)


def wrapped():
    return gym.wrappers.TimeLimit(Bare(), 5)


class Number(Whole):
    action_space = 4


class World:
    observation_space = Discrete(2)

    def reset(self, rng): return 0
    def step(self, state, action, rng): return 1, 1.0, True, False
    def observe(self, state): return state


class Buggy(Whole):
    def __init__(self):
        self.missing_by_mistake


class BuggySpace(Whole):
    @property
    def observation_space(self):
        return self.missing_by_mistake
"""

SAID = {
    "Sized": "file.py:Sized needs size and depth: give each a default, or name a function that makes the environment",
    "of_size": "file.py:of_size needs size: give it a default, or name a function",
    "Bare": "file.py:Bare has no action_space: set self.action_space in its __init__, for example",
    "wrapped": "file.py:wrapped has no action_space: set self.action_space",
    "Number": "file.py:Number has 4 as its action_space: it must be one of gymnasium.spaces",
    "World": "file.py:World has no action_space: give it the property action_space",
}


def train(name: str, folder) -> int:
    return main(["train", f"file.py:{name}", "--algo", "q-learning", "-n", "20", "-q", "--out", str(folder / "runs")])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    (tmp_path / "file.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", SAID)
def test_what_a_class_lacks_is_said_in_one_sentence(name, tmp_path, capsys):
    assert train(name, tmp_path) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"rlcourse: {SAID[name]}")
    assert error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["Whole", "Defaults", "sized"])
def test_what_can_be_made_without_arguments_is_trained_in(name, tmp_path):
    assert train(name, tmp_path) == 0


@pytest.mark.parametrize("name", ["Buggy", "BuggySpace"])
def test_a_bug_of_the_file_keeps_its_traceback(name, tmp_path):
    with pytest.raises(AttributeError, match="missing_by_mistake"):
        train(name, tmp_path)


@pytest.mark.parametrize("verb", ["resume", "evaluate", "compare", "enjoy", "inspect"])
def test_an_empty_name_is_not_taken_for_this_folder(verb, capsys):
    assert main([verb, ""]) == 2
    assert capsys.readouterr().err.strip().endswith("''")
