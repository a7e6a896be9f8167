"""The figure of the encoders: what breaks its claims."""

import numpy as np
import pytest

from rlcourse import figures
from rlcourse.figures.experiment import settings_of

MODULE, SETTINGS = figures.load("pixels"), settings_of("pixels")


def data(**changes):
    """What the figure would be made of, had all been learned."""
    E = len(SETTINGS.encoders)
    caught = np.ones((E, SETTINGS.runs, 4))
    caught[:, :, 0] = -0.6
    return {
        "caught": caught,
        "broken": np.full((2, SETTINGS.runs, 20), 20.0) + np.arange(SETTINGS.runs)[:, None],
        "random": [0.6, 0.02],
    } | changes


def broken(changed):
    return [claim.text for claim in MODULE.claims(changed, SETTINGS) if not claim.holds]


def test_what_was_learned_keeps_every_claim():
    assert not broken(data())


@pytest.mark.parametrize(
    ("what", "change", "words"),
    [
        ("caught", lambda caught: caught[2, 1, -1:].fill(0.6), "notes-mnist all runs catch"),
        ("caught", lambda caught: caught[:, 0, 0].fill(1.0), "before learning"),
        ("broken", lambda broken: broken[0].__imul__(0.05), "minatar every run"),
        ("broken", lambda broken: broken[1, 0].fill(0.6), "notes-mnist every run"),
    ],
)
def test_a_run_that_did_not_learn_breaks_a_claim(what, change, words):
    changed = data()
    change(changed[what])
    assert [text for text in broken(changed) if words in text], words
