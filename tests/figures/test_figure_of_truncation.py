"""The figure of truncation: what breaks its claims, and mistakes in training that its numbers show."""

import numpy as np
import pytest

from rlcourse import figures
from rlcourse.agents import DRQN
from rlcourse.agents.deep import recurrent_ppo, sequences
from rlcourse.envs import bits_cross_entropy, delayed_bits
from rlcourse.figures.experiment import settings_of
from rlcourse.pretraining import forecaster

MODULE, SETTINGS = figures.load("truncation"), settings_of("truncation", "book")
FAST = settings_of("truncation", "fast")


def as_it_should_be():
    """Return data of two runs: windows from zero are worth what they hold, nothing else is solved."""
    data = {"bits": np.full((4, 12, 2, 2), 0.6)}
    data["bits"][0, :, :, 0] = [[bits_cross_entropy(range(w)) + 0.001] * 2 for w in MODULE.WINDOWS["bits"]]
    for task, lag in (("copy 3", 3), ("copy 8", 8)):
        windows = np.array(MODULE.WINDOWS[task])
        worths = np.full((4, len(windows), 2, 2), 0.5)
        worths[:2, windows > lag, :, 0] = worths[2:, windows > lag, :, 1] = 1.0
        data[task.replace(" ", "_")] = worths
    return data


def broken(data):
    return [claim.text for claim in MODULE.claims(data, SETTINGS) if not claim.holds]


def test_truncation_as_it_should_be_keeps_every_claim():
    data = as_it_should_be()
    assert broken(data) == []
    assert len(MODULE.claims(data, SETTINGS)) == 10


@pytest.mark.parametrize(
    ("name", "place", "value", "words"),
    [
        ("bits", (0, 2, 1, 0), 0.65, "better than what its window holds"),
        ("bits", (0, 2, 1, 0), 0.68, "windows of 1 to 3"),
        ("bits", (0, 3, 0, 0), 0.6616, "windows of 4 to 8"),
        ("bits", (0, 8, 0, 0), 0.5192, "windows of 9 to 12"),
        ("copy_3", (0, 2, 1, 0), 0.51, "a guess, exactly"),
        ("copy_8", (1, 2, 1, 0), 0.49, "a guess, exactly"),
        ("copy_3", (0, 3, 1, 0), 0.97, "solve it at their last step"),
        ("copy_8", (0, 3, 0, 1), 0.99, "does not profit"),
    ],
)
def test_truncation_that_is_none_breaks_a_claim(name, place, value, words):
    data = as_it_should_be()
    data[name][place] = value
    assert any(words in text for text in broken(data)), broken(data)


def test_a_stream_with_another_lag_is_not_forecast_by_a_window_of_four(monkeypatch):
    job = MODULE.Job("bits", "zero", 4, 0, FAST)
    assert MODULE.learned(job)[0] == pytest.approx(0.5192, abs=0.01)
    monkeypatch.setattr(delayed_bits, "NEAR", 4)
    assert MODULE.learned(job)[0] > 0.6


def test_windows_that_hold_one_step_again_and_again_are_noticed(monkeypatch):
    tile = sequences.tile

    def repeated(*given):
        tiles = tile(*given)
        return tiles._replace(rows=tiles.rows[-1:].repeat(len(tiles.rows), axis=0))

    monkeypatch.setattr(forecaster, "tile", repeated)
    assert MODULE.learned(MODULE.Job("bits", "zero", 4, 0, FAST))[0] > 0.55


def test_an_agent_whose_windows_run_backwards_stays_at_a_guess(monkeypatch):
    job = MODULE.Job("copy 3", "zero", 4, 0, FAST)
    assert MODULE.learned(job)[0] == 1.0
    tile = recurrent_ppo.tile

    def backwards(*given):
        tiles = tile(*given)
        return tiles._replace(rows=tiles.rows[::-1].copy())

    monkeypatch.setattr(recurrent_ppo, "tile", backwards)
    assert MODULE.learned(job)[0] < 0.98


def test_drqn_and_the_figures_learners_find_a_first_memory_in_the_same_place():
    assert forecaster.first_memory is recurrent_ppo.first_memory is sequences.first_memory
    assert DRQN._warm.__globals__["first_memory"] is sequences.first_memory
