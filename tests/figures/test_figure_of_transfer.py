"""The figure of transfer: its metrics, and what breaks its claims."""

import numpy as np
import pytest

from rlcourse import figures
from rlcourse.figures.experiment import settings_of

MODULE, SETTINGS = figures.load("transfer"), settings_of("transfer")
M = SETTINGS.steps // SETTINGS.every + 1


def rising(over):
    """Curves from -0.6 to 1, of runs that get there after so many evaluations, each one later than the one before."""
    return [np.clip(-0.6 + 1.6 * np.arange(M) / (over + run), -0.6, 1.0) for run in range(SETTINGS.runs)]


def data(**changes):
    """What the figure would be made of, had all come as it says: frozen four times as fast, and of no use on the unrelated task."""
    alike = [rising(16), rising(4), rising(5), rising(6), rising(8)]
    unrelated = [rising(16), np.minimum(rising(16), 0.2), rising(15), rising(14), np.minimum(rising(16), 0.3)]
    returns = np.array([alike, alike, unrelated])
    return {"steps": SETTINGS.every * np.arange(M), "returns": returns, "random": np.full(3, -0.6)} | changes


def broken(changed):
    return [claim.text for claim in MODULE.claims(changed, SETTINGS) if not claim.holds]


def test_transfer_as_it_should_be_keeps_every_claim():
    assert not broken(data())


@pytest.mark.parametrize(
    ("target", "mode", "curves", "words"),
    [
        (0, 0, [np.full(M, -0.5)] * SETTINGS.runs, "the sources have learned"),
        (0, 1, rising(20), "fewer steps"),
        (0, 1, [np.full(M, 0.5)] * SETTINGS.runs, "suffice"),
        (1, 2, rising(20), "re-coloured"),
        (2, 1, rising(4), "negatively"),
        (2, 1, rising(4), "below scratch"),
    ],
)
def test_transfer_that_is_none_breaks_a_claim(target, mode, curves, words):
    changed = data()
    changed["returns"][target, mode] = curves
    assert [text for text in broken(changed) if words in text], broken(changed)


def test_the_metrics_are_those_of_taylor_and_stone():
    found = MODULE.metrics(data(), 0)
    steps = SETTINGS.every
    np.testing.assert_array_equal(found.time[1], [steps * np.ceil((0.95 + 0.6) / 1.6 * (4 + run)) for run in range(SETTINGS.runs)])
    assert found.ratio[0].mean() == pytest.approx(0.0)
    assert (found.ratio[1] > 0).all()
    assert found.jump_start[1].mean() > 0
    assert np.allclose(found.gain, 0.0)
    assert np.isnan(MODULE.metrics(data(), 2).time[1]).all()
