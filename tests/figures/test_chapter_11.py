"""Mutants of chapter 11: each mistaken update rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.off_policy.emphatic_td import emphatic_td
from rlcourse.agents.off_policy.expected_gradient_td import expected_tdc
from rlcourse.agents.off_policy.expected_updates import (
    expected_emphatic_td,
    expected_naive_residual_gradient,
    expected_residual_gradient,
    expected_td,
)
from rlcourse.agents.off_policy.gtd2 import gtd2
from rlcourse.agents.off_policy.naive_residual_gradient import naive_residual_gradient
from rlcourse.agents.off_policy.off_policy_q_learning import off_policy_q_learning
from rlcourse.agents.off_policy.residual_gradient import residual_gradient
from rlcourse.agents.off_policy.semi_gradient_off_policy_td0 import semi_gradient_off_policy_td0
from rlcourse.agents.off_policy.tdc import tdc

RHO = "pi(policy, S)[A] / pi(behavior, S)[A]"
MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "off-policy TD without its ratio": ("11.2", semi_gradient_off_policy_td0, RHO, "1.0"),
    "off-policy TD with the ratio upside down": (
        "11.2",
        semi_gradient_off_policy_td0,
        RHO,
        "pi(behavior, S)[A] / (pi(policy, S)[A] + 1e-9)",
    ),
    "off-policy TD without gamma": ("11.2", semi_gradient_off_policy_td0, "R + gamma * v_hat", "R + v_hat"),
    "off-policy TD that learns from the target policy": (
        "11.2",
        semi_gradient_off_policy_td0,
        "sample(pi(behavior, S)",
        "sample(pi(policy, S)",
    ),
    "off-policy TD without its ratio, in two states": ("example-11.1", semi_gradient_off_policy_td0, RHO, "1.0"),
    "off-policy TD that follows the full gradient": (
        "11.2",
        semi_gradient_off_policy_td0,
        "add(w, alpha * rho * delta, x)",
        "add(w, alpha * rho * delta, x - gamma * features.x(S_))",
    ),
    "dynamic programming in place": ("11.2", expected_td, "add(step, alpha", "add(w, alpha"),
    "dynamic programming with a sum over states": ("11.2", expected_td, "alpha * mu[s]", "alpha"),
    "the A-split with half of its gradient": ("example-11.2", naive_residual_gradient, "add(w, -alpha * rho * delta * gamma, x_)", "pass"),
    "two samples that are one": (
        "example-11.2",
        residual_gradient,
        "S2, _, terminated2, _ = model.step(S, A2, rng)",
        "S2, terminated2 = S_, terminated",
    ),
    "the presplit with half of its gradient": (
        "example-11.3",
        residual_gradient,
        "add(w, -alpha * error * gamma * rho2, features.x(S2))",
        "pass",
    ),
    "a residual that bootstraps beyond the end": (
        "example-11.2",
        naive_residual_gradient,
        "R if terminated else R + gamma * v_hat(x_, w)",
        "R + gamma * v_hat(x_, w)",
    ),
    "Q-learning with a minimum": ("exercise-11.3", off_policy_q_learning, "best = max(best, q[a])", "best = min(best, q[a])"),
    "Q-learning that looks at dashed alone": ("exercise-11.3", off_policy_q_learning, "best = max(best, q[a])", "pass"),
    "TDC without its correction": ("11.5", tdc, "add(w, -alpha * rho * predicted * gamma, x_)", "pass"),
    "TDC with the correction added": ("11.5", tdc, "-alpha * rho * predicted", "alpha * rho * predicted"),
    "TDC whose second weights learn nothing": ("11.5", tdc, "beta * rho * (delta - predicted)", "0.0 * beta"),
    "expected TDC without its correction": ("11.5", expected_tdc, "-alpha * mu[s] * predicted * gamma", "0.0"),
    "expected TDC that reads the new second weights": ("11.5", expected_tdc, "add(step_v, beta", "add(v, beta"),
    "expected TDC in place": ("11.5", expected_tdc, "add(step_w, alpha", "add(w, alpha"),
    "emphasis that forgets gamma": ("11.6", expected_emphatic_td, "+= gamma * policy", "+= policy"),
    "emphasis that forgets the interest": ("11.6", expected_emphatic_td, "following[s] += mu[s] * interest", "pass"),
    "emphasis that begins nowhere": ("11.6", expected_emphatic_td, "M[:] = following", "pass"),
    "emphatic TD without emphasis": ("11.6", emphatic_td, "alpha * M * rho", "alpha * rho"),
    "emphasis without its ratio": ("11.6", emphatic_td, "gamma * rho * M + interest", "gamma * M + interest"),
    "the triad with semi-gradient TD that is safe": ("deadly-triad", expected_td, "alpha * mu[s]", "alpha * mu[s] * (s == 6)"),
    "an expected residual gradient without its second half": (
        "section-11.4",
        expected_residual_gradient,
        "add_next(step, -gamma * error",
        "add_next(step, -0.0 * error",
    ),
    "an expected naive one without its second half": ("section-11.4", expected_naive_residual_gradient, "-p * delta * gamma", "-0.0"),
    "expected TD without gamma": ("section-11.4", expected_td, "s, gamma)", "s, 1.0)"),
    "GTD2 without its correction": ("deadly-triad", gtd2, "add(w, -alpha * rho * predicted * gamma, x_)", "pass"),
    "GTD2 that climbs": ("deadly-triad", gtd2, "add(w, alpha * rho * predicted, x)", "add(w, -alpha * rho * predicted, x)"),
    "a residual gradient that forgets the second half": (
        "deadly-triad",
        naive_residual_gradient,
        "add(w, -alpha * rho * delta * gamma, x_)",
        "pass",
    ),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what
