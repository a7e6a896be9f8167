"""Mutants of chapter 15: each mistaken TD error breaks a claim of its figure."""

import numpy as np
import pytest
from harness import broken_claims, mutated

from rlcourse import figures
from rlcourse.agents.conditioning.td_model import td_model

BOOTSTRAP = ("R if terminated else R + gamma * predicted(x_, w, clip)", "R")
MUTANTS = {  # what is wrong: figure, text, its replacement
    "without bootstrapping the predictor learns nothing": ("15.4", *BOOTSTRAP),
    "without a discount": ("15.4", "R + gamma * predicted", "R + predicted"),
    "learning from rewards that are not compared": ("15.4", "target - predicted(x, w, clip)", "R"),
    "an update of the next state": ("15.4", "w += (alpha * delta) * z", "add(w, alpha * delta, x_)"),
    "without bootstrapping the error stays at the reward": ("section-15.5", *BOOTSTRAP),
    "traces that never fade": ("section-15.5", "z *= gamma * lam", "z *= 1.0"),
    "no traces": ("section-15.5", "z *= gamma * lam", "z *= 0.0"),
    "learning too slow to be complete": ("section-15.6", "(alpha * delta)", "(0.02 * alpha * delta)"),
    "no comparison with the next prediction": ("section-15.6", *BOOTSTRAP),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, old, new = MUTANTS[what]
    with mutated(td_model, old, new):
        assert broken_claims(figure), what


def test_claims_hold_for_another_size_of_the_reward():
    module = figures.load("15.4")
    settings = module.Settings(reward=2.5, interval=6)
    assert all(claim.holds for claim in module.claims(module.run(settings, None), settings))
    assert np.all(module.run(settings, None)["rewards"].max(axis=1) == [2.5, 2.5, 0.0])
