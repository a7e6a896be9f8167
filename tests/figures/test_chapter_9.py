"""Mutants of chapter 9: each mistaken update rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.approximation.gradient_mc import gradient_mc
from rlcourse.agents.approximation.lstd import lstd
from rlcourse.agents.approximation.n_step_emphatic_td import n_step_emphatic_td
from rlcourse.agents.approximation.n_step_semi_gradient_td import n_step_semi_gradient_td
from rlcourse.agents.approximation.semi_gradient_td0 import semi_gradient_td0

MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "gradient MC with rewards for returns": ("9.1", gradient_mc, "gamma * G[t + 1] + G[t]", "G[t]"),
    "gradient MC that learns from the first visit only": ("9.1", gradient_mc, "range(T):", "range(1):"),
    "gradient MC that halves the step size": ("9.10", gradient_mc, "alpha * (G", "0.5 * alpha * (G"),
    "gradient MC that forgets its own estimate": ("9.8", gradient_mc, "G[t] - v_hat(x, w)", "G[t]"),
    "gradient MC that bootstraps at the end": (
        "9.10",
        gradient_mc,
        "0.0 if terminated else v_hat(features.x(S), w)",
        "v_hat(features.x(states[0]), w)",
    ),
    "gradient MC with a smaller step size": ("9.5", gradient_mc, "alpha * (G", "0.7 * alpha * (G"),
    "TD(0) that bootstraps from the state it left": ("9.2", semi_gradient_td0, "v_hat(features.x(S_), w)", "v_hat(x, w)"),
    "TD(0) that forgets that the end has no value": (
        "9.2",
        semi_gradient_td0,
        "R if terminated else R + gamma * v_hat(features.x(S_), w)",
        "R + gamma * v_hat(features.x(S_ if not terminated else S), w)",
    ),
    "n-step TD that looks one step less far": ("9.2", n_step_semi_gradient_td, "min(tau + n, T)", "min(tau + max(n - 1, 1), T)"),
    "n-step TD that forgets the updates after the end": ("9.2", n_step_semi_gradient_td, "while tau < T - 1:", "while t < T:"),
    "LSTD that forgets the next state": ("section-9.8", lstd, "v_hat(x, A_inv[:, i]) - following", "v_hat(x, A_inv[:, i])"),
    "LSTD that updates the transposed inverse": (
        "section-9.8",
        lstd,
        "add(A_inv[i], -Ax[i] * share, v)",
        "add(A_inv[i], -v[i] * share, Ax)",
    ),
    "LSTD that adds no reward of the last step": ("section-9.8", lstd, "add(b, R, x)", "add(b, 0.0 if terminated else R, x)"),
    "emphasis that is not passed on": ("example-9.4", n_step_emphatic_td, "+ gamma_n * M[(tau + 1) % m]", ""),
    "emphasis that is passed on one step": ("example-9.4", n_step_emphatic_td, "M[(tau + 1) % m]", "M[(tau + n) % m]"),
    "emphasis without interest": ("example-9.4", n_step_emphatic_td, "interest_in(interest, S_tau)", "1.0"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what
