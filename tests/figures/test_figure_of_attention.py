"""The figure of attention: what breaks its claims, in its numbers and in the encoder itself."""

from unittest import mock

import numpy as np
import pytest
import torch

from rlcourse import figures
from rlcourse.encoders.attention import Attention
from rlcourse.encoders.instruction import Instruction
from rlcourse.figures.experiment import settings_of

MODULE, SETTINGS = figures.load("attention"), settings_of("attention")


def data(**changes):
    """What the figure would be made of, had all come as it says."""
    spread = np.linspace(-0.01, 0.01, SETTINGS.runs)
    greedy = np.array([(0.55 if look == "final" else 0.98) + spread for look in SETTINGS.looks])
    inside = np.array([0.0, 0.0, 0.2, 0.1, 0.0, 0.5])
    mass = np.array([[0.8 * inside, (1 + each) * inside] for each in spread])
    return {"greedy": greedy, "uniform": 0.5 + spread, "mass": mass} | changes


def broken(changed):
    return [claim.text for claim in MODULE.claims(changed, SETTINGS) if not claim.holds]


def test_attention_as_it_should_be_keeps_every_claim():
    assert not broken(data())


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("greedy", lambda found: found - 0.2, "nearly always"),
        ("greedy", lambda found: np.full_like(found, 0.98), "ends below"),
        ("uniform", lambda found: found + 0.48, "may not"),
        ("mass", lambda found: found * 0.8, "at least 0.7"),
        ("mass", lambda found: np.full_like(found, 0.05), "more than a third"),
    ],
)
def test_attention_that_is_none_breaks_a_claim(part, change, words):
    changed = data()
    changed[part] = change(changed[part])
    assert [text for text in broken(changed) if words in text], broken(changed)


def uniform(self, queries, source, mask=None):
    """Look at all words alike, whatever the query."""
    weights = torch.full((*queries.shape[:2], len(source)), 1 / len(source))
    return torch.bmm(weights.transpose(0, 1), source.transpose(0, 1)).transpose(0, 1), weights


def forgetful(attend):
    """Let the query be that of nobody in particular."""
    return lambda self, queries, observations: attend(self, torch.zeros_like(queries), observations)


@pytest.mark.parametrize("mutant", [(Attention, "forward", uniform), (Instruction, "attend", forgetful(Instruction.attend))])
def test_an_encoder_that_does_not_look_where_the_agent_is_breaks_claims(mutant):
    settings = SETTINGS.__class__(**MODULE.FAST | {"runs": 1, "looks": ("general",), "steps": 6_000})
    with mock.patch.object(*mutant):
        seen = MODULE.learned(("general", 0, settings))
    assert seen.greedy < 0.7
    assert seen.mass[1].sum() < 0.45
