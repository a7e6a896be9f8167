"""Mutants of chapter 7: each mistaken update rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.n_step.n_step_off_policy_q import n_step_off_policy_q
from rlcourse.agents.n_step.n_step_off_policy_td import n_step_off_policy_td
from rlcourse.agents.n_step.n_step_sarsa import n_step_sarsa
from rlcourse.agents.n_step.n_step_td import n_step_td
from rlcourse.agents.n_step.n_step_td_errors import n_step_td_errors

FLUSH = ("while tau < T - 1:", "while t < T:")  # the last n - 1 updates forgotten
MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "n-step TD that looks one step less far": ("7.2", n_step_td, "min(tau + n, T)", "min(tau + max(n - 1, 1), T)"),
    "n-step TD that skips the first reward of its return": ("7.2", n_step_td, "rewards, tau + 1, h", "rewards, tau + 2, h"),
    "n-step TD that forgets the updates after the end": ("7.2", n_step_td, *FLUSH),
    "n-step TD that bootstraps beyond a terminal state": (
        "7.2",
        n_step_td,
        "0.0 if terminated else V[states[h % m]]",
        "V[states[tau % m]]",
    ),
    "n-step TD that halves the step size": ("7.2", n_step_td, "alpha * (G", "0.5 * alpha * (G"),
    "n-step Sarsa without the powers of gamma": ("7.4", n_step_sarsa, "tau + 1, h, gamma, G", "tau + 1, h, 1.0, G"),
    "n-step Sarsa that forgets the updates after the end": ("7.4", n_step_sarsa, *FLUSH),
    "n-step Sarsa that looks one step too far": ("7.4", n_step_sarsa, "m = n + 1", "n = n + 1; m = n + 1"),
    "sums of TD errors with errors one step late": ("exercise-7.2", n_step_td_errors, "errors, tau, min", "errors, tau + 1, min"),
    "a TD error beyond a terminal state": ("exercise-7.2", n_step_td_errors, "R if terminated else R + gamma * V[S_]", "R + V[S]"),
    "off-policy TD without its ratio": ("exercise-7.10", n_step_off_policy_td, "product(ratios, tau, h - 1)", "1.0"),
    "off-policy TD with its ratio one step late": (
        "exercise-7.10",
        n_step_off_policy_td,
        "product(ratios, tau, h - 1)",
        "product(ratios, tau + 1, h - 1)",
    ),
    "control variates that keep no estimate": ("exercise-7.10", n_step_off_policy_td, "(1.0 - ratios[k % m]) * V", "0.0 * V"),
    "off-policy TD without gamma": ("exercise-7.10", n_step_off_policy_td, "+ gamma * G", "+ G"),
    "off-policy Q without its ratio": (
        "exercise-7.7",
        n_step_off_policy_q,
        "rho = product(ratios, tau + 1, h - 1 if terminated else h)",
        "rho = 1.0",
    ),
    "off-policy Q that leaves out the last ratio": ("exercise-7.7", n_step_off_policy_q, "h - 1 if terminated else h", "h - 1"),
    "control variates that expect by the behaviour policy": (
        "exercise-7.7",
        n_step_off_policy_q,
        "expectation(policy[S_k]",
        "expectation(behavior[S_k]",
    ),
    "control variates that subtract no estimate": ("exercise-7.7", n_step_off_policy_q, "(G - Q[S_k, actions[i]])", "G"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what
