"""The figure of depth: what breaks its claims."""

import numpy as np
import pytest
from harness import broken_claims

from rlcourse import figures
from rlcourse.encoders.source import PaddedLSTM, ResidualLSTM
from rlcourse.figures.experiment import settings_of

MODULE, SETTINGS = figures.load("gnmt-depth"), settings_of("gnmt-depth")
STACKS, KINDS = MODULE.stacks(SETTINGS), MODULE.attentions()
ENDS = {(1, False): 0.95, (2, False): 0.9, (4, False): 0.6, (4, True): 0.95, (8, False): 0.4, (8, True): 0.95}


def curves(ends):
    """Straight lines from 0 to these ends, a little different in every run."""
    spread = 0.01 * np.sin(np.arange(SETTINGS.runs))
    return np.array([[np.linspace(0, end + more, 16) for more in spread * np.cos(i)] for i, end in enumerate(ends)])


def data():
    """What the figure would be made of, had all come as it says."""
    vanishing = np.tile(10.0 ** np.arange(-4.0, 0.0, 0.5), (SETTINGS.runs, 1)) * (1 + 0.1 * np.arange(SETTINGS.runs))[:, None] ** 0.1
    return {
        "updates": 20 * np.arange(16),
        "stacks": curves([ENDS[stack] for stack in STACKS]),
        "attention": curves([0.95 if kind[0] else 0.8 for kind in KINDS]),
        "norms": np.array([vanishing, np.ones_like(vanishing)]),
    }


def data_with(stack, end):
    """The same with one end changed."""
    found = data()
    part, names = ("attention", KINDS) if stack in KINDS else ("stacks", STACKS)
    ends = [ENDS[each] if part == "stacks" else 0.95 if each[0] else 0.8 for each in names]
    ends[names.index(stack)] = end
    return found | {part: curves(ends)}


def broken(found):
    return [claim.text for claim in MODULE.claims(found, SETTINGS) if not claim.holds]


def test_depth_as_it_should_be_keeps_every_claim():
    assert not broken(data())


@pytest.mark.parametrize(
    ("changed", "end", "words"),
    [
        ((8, True), 0.4, "8 layers: residual ones are ahead"),
        ((4, True), 0.6, "4 layers: residual ones are ahead"),
        ((4, False), 0.3, "the plain stack of 8 layers is worse than 4 layers, plain"),
        ((8, False), 0.97, "the plain stack of 8 layers is worse than 1 layer"),
        ((8, True), 0.8, "8 residual layers come within 0.05 of 4"),
        ((8, True), 0.7, "plain stacks lose more"),
        ((None, False), 0.96, "attention by dot"),
    ],
)
def test_other_ends_break_a_claim(changed, end, words):
    found = broken(data_with(changed, end))
    assert [text for text in found if words in text], found


def test_a_gradient_that_vanishes_all_the_same_breaks_a_claim():
    found = data()
    found["norms"][1] = found["norms"][0]
    assert [text for text in broken(found) if "hand the gradient down" in text]


def test_residual_layers_that_add_nothing_break_the_claims(monkeypatch):
    monkeypatch.setattr(ResidualLSTM, "forward", PaddedLSTM.forward)
    found = broken_claims("gnmt-depth")
    assert "8 layers: residual ones are ahead of plain ones" in found
    assert "residual connections hand the gradient down: more of it gets to the first layer" in found
