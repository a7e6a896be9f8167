"""Mutants of chapter 15: each mistaken TD error breaks a claim of its figure."""

import numpy as np
import pytest
from harness import broken_claims, mutated

from rlcourse import figures
from rlcourse.agents.conditioning.td_model import td_model
from rlcourse.agents.policy_gradient.actor_critic_lambda import actor_critic_lambda

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


ACTORS = {  # what is wrong: text, its replacement
    "an actor's trace of where it was, not of what was done": ("add_score(z_theta, discount, x, A,", "add_score(z_theta, discount, x, 1,"),
    "an actor that is taught by rewards": ("alpha_theta * delta", "alpha_theta * R"),
    "a critic that does not look ahead": ("R if terminated else R + gamma * v_hat(x_, w)", "R"),
    "traces that end at once": ("z_theta, gamma * lam_theta", "z_theta, 0.0"),
}


@pytest.mark.parametrize("what", sorted(ACTORS))
def test_a_mistaken_actor_or_critic_breaks_a_claim(what):
    with mutated(actor_critic_lambda, *ACTORS[what]):
        assert broken_claims("section-15.8"), what


def test_claims_hold_for_another_size_of_the_reward():
    module = figures.load("15.4")
    settings = module.Settings(reward=2.5, interval=6)
    assert all(claim.holds for claim in module.claims(module.run(settings, None), settings))
    assert np.all(module.run(settings, None)["rewards"].max(axis=1) == [2.5, 2.5, 0.0])
