"""The figure of memories: how success is counted, and what breaks its claims."""

import numpy as np
import pytest

from rlcourse import figures
from rlcourse.envs import t_maze
from rlcourse.figures.experiment import settings_of
from rlcourse.wrappers import windowed

MODULE, SETTINGS = figures.load("memory"), settings_of("memory")
ARM = {memory: i for i, memory in enumerate(SETTINGS.memories)}
CONTROL = {memory: i for i, memory in enumerate(SETTINGS.control)}


def data():
    """What the figure would be made of, had all come as it says."""
    success = np.ones((len(ARM), len(SETTINGS.lengths), SETTINGS.runs))
    success[ARM["no memory"]] = 0.5
    success[ARM["last 8"], np.array(SETTINGS.lengths) >= 8] = 0.5
    returns = np.full((2, len(CONTROL), SETTINGS.runs), 490.0)
    returns[0, CONTROL["no memory"]], returns[1, CONTROL["no memory"]] = 150.0, 45.0
    full = np.array([[500.0] * SETTINGS.runs, [60.0] * SETTINGS.runs])
    return {"success": success, "steps": 1e4 * success, "returns": returns, "full": full}


def broken(changed):
    return [claim.text for claim in MODULE.claims(changed, SETTINGS) if not claim.holds]


def test_memories_as_they_should_be_keep_every_claim():
    assert not broken(data())


@pytest.mark.parametrize(
    ("key", "index", "value", "words"),
    [
        ("success", (ARM["lstm"], SETTINGS.lengths.index(10), 0), 0.5, "with lstm every run"),
        ("success", (ARM["gru"], SETTINGS.lengths.index(10), 0), 0.5, "with gru every run"),
        ("success", (ARM["attention:32"], SETTINGS.lengths.index(10), 0), 0.5, "with attention:32 every run"),
        ("success", (ARM["no memory"], 0, 0), 1.0, "without a memory none"),
        ("success", (ARM["last 8"], 0, 0), 0.5, "reach back"),
        ("success", (ARM["last 8"], -1, 0), 1.0, "where they do not"),
        ("returns", (0, CONTROL["no memory"]), 490.0, "alone has less"),
        ("full", 1, 490.0, "has learned with full sight"),
        ("returns", (1, CONTROL["lstm"]), 300.0, "LSTM balances"),
        ("returns", (1, CONTROL["no memory"], 1), 120.0, "no run gets to 100"),
    ],
)
def test_memories_that_are_none_break_a_claim(key, index, value, words):
    changed = data()
    changed[key][index] = value
    assert [text for text in broken(changed) if words in text], broken(changed)


class Told:
    """A policy by what is seen first and last of an episode; without memory it goes up."""

    def __init__(self, remembers):
        self.remembers = remembers

    def predict(self, seen, state=None, episode_start=None, deterministic=True):
        place = seen if np.ndim(seen) == 1 else seen[:, -1, :4].argmax(1)
        first = np.where(episode_start, place, 0 if state is None else state)
        return np.where(place < 3, 2, first if self.remembers else 0), first


@pytest.mark.parametrize("length", [1, 4])
def test_success_is_exact(length):
    for world in (t_maze(length), windowed(t_maze(length), 3)):
        assert MODULE.success(Told(True), world) == 1.0
        assert MODULE.success(Told(False), world) == 0.5


def test_a_run_is_made_of_the_presets():
    agent, world = MODULE.agent_of(MODULE.Job("maze", "last 8", 5, 100, 0))
    assert type(agent).__name__ == "PPO"
    assert world.observation_space.shape == (8, 5)
    agent, _ = MODULE.agent_of(MODULE.Job("mask", "attention:8", 0, 100, 0))
    assert agent.config.memory == "attention:8"
    assert agent.config.normalize_observations
