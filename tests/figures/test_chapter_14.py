"""Mutants of chapter 14: each mistaken model breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.conditioning.rescorla_wagner import rescorla_wagner
from rlcourse.agents.conditioning.td_model import td_model

BOOTSTRAP = ("R if terminated else R + gamma * predicted(x_, w, clip)", "R")
NO_TRACE = ("z *= gamma * lam", "z *= 0.0")
EARLY = ("w += (alpha * delta) * z", "add(z, 1.0, x_); w += (alpha * delta) * z; add(z, -1.0, x_)")
DISCOUNT = ("R + gamma * predicted", "R + predicted")
MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "a model without predictions of predictions cannot build on CSB": ("remote-association", td_model, *BOOTSTRAP),
    "without traces nothing bridges the gap": ("remote-association", td_model, *NO_TRACE),
    "without bootstrapping CSB is not reduced": ("egger-miller", td_model, *BOOTSTRAP),
    "without bootstrapping primacy does not override blocking": ("14.2", td_model, *BOOTSTRAP),
    "without traces CSB's strength is another one": ("14.2", td_model, *NO_TRACE),
    "without bootstrapping there is no second order": ("14.3", td_model, *BOOTSTRAP),
    "traces without gamma": ("14.3", td_model, "z *= gamma * lam", "z *= lam"),
    "traces that take in the present before they are used": ("14.3", td_model, *EARLY),
    "a prediction without a discount": ("14.4", td_model, *DISCOUNT),
    "half of the step size": ("14.4", td_model, "(alpha * delta)", "(0.5 * alpha * delta)"),
    "learning from the US alone": ("14.4", td_model, "target - predicted(x, w, clip)", "target"),
    "a trace of the present stimulus at an interval of zero": ("interstimulus-interval", td_model, *EARLY),
    "strengths that learn from the US, not from the error": ("section-14.2", rescorla_wagner, "R - v_hat(x, w)", "R"),
    "each stimulus by its own error": ("section-14.2", rescorla_wagner, "add(w, alpha * (beta if R != 0.0 else beta_without) * delta, x)",
                                        "w += alpha * (R - w) * x"),
    "nothing is learned without the US": ("section-14.2", rescorla_wagner, "else beta_without", "else 0.0"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what
