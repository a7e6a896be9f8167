"""Mutants of chapter 8: each mistaken update rule breaks a claim of its figure."""

import contextlib
from unittest import mock

import pytest
from harness import broken_claims, mutated

from rlcourse import figures
from rlcourse.agents.planning.dyna_q import dyna_q
from rlcourse.agents.planning.dyna_q_plus import dyna_q_plus
from rlcourse.agents.planning.dyna_q_selection import dyna_q_selection
from rlcourse.agents.planning.prioritized_sweeping import prioritized_sweeping

SMALLER = {"example-8.4": {"runs": 6, "sizes": 3}}  # a mutant may need far more steps
MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "Dyna-Q that plans with the worst next action": ("8.2", dyna_q, "gamma * np.max(Q[s_])", "gamma * np.min(Q[s_])"),
    "Dyna-Q that plans without discount": ("8.2", dyna_q, "gamma * np.max(Q[s_])", "np.max(Q[s_])"),
    "Dyna-Q that plans with another step size": ("8.3", dyna_q, "Q[s, a] += alpha", "Q[s, a] += 0.5 * alpha"),
    "Dyna-Q that learns with another step size": ("8.3", dyna_q, "Q[S, A] += alpha", "Q[S, A] += 0.5 * alpha"),
    "Dyna-Q whose ties go to the first action": (
        "8.4",
        dyna_q,
        "epsilon_greedy(Q[S], epsilon, rng)",
        "int(np.argmax(Q[S])) if rng.random() >= epsilon else int(rng.random() * Q.shape[1])",
    ),
    "Dyna-Q that forgets in planning where an episode ended": ("example-8.4", dyna_q, "r if over else r", "r"),
    "Dyna-Q whose model remembers the wrong state": ("8.2", dyna_q, "model.remember(S, A, R, S_", "model.remember(S, A, R, S"),
    "Dyna-Q+ that avoids what it has not tried for long": ("8.5", dyna_q_plus, "r += kappa", "r -= kappa"),
    "Dyna-Q+ whose clock begins anew with each episode": (
        "8.5",
        dyna_q_plus,
        "S = world.reset(rng)",
        "last[:] = time[0]; S = world.reset(rng)",
    ),
    "Dyna-Q+ whose bonus does not grow": ("8.5", dyna_q_plus, "math.sqrt(tau)", "min(tau, 1)"),
    "Dyna-Q+ that plans with the worst next action": ("8.4", dyna_q_plus, "gamma * np.max(Q[s_])", "gamma * np.min(Q[s_])"),
    "selection without the bonus": ("exercise-8.4", dyna_q_selection, "kappa), rng)", "0.0), rng)"),
    "prioritized sweeping that updates by the absolute change": (
        "example-8.4",
        prioritized_sweeping,
        "alpha * change(Q, s, a, r, s_, over, gamma)",
        "alpha * abs(change(Q, s, a, r, s_, over, gamma))",
    ),
    "prioritized sweeping without predecessors": ("example-8.4", prioritized_sweeping, "pair = predecessors.first[s]", "pair = -1"),
    "prioritized sweeping that forgets where an episode ended": (
        "example-8.4",
        prioritized_sweeping,
        "s, a, r, s_, over, gamma",
        "s, a, r, s_, False, gamma",
    ),
    "prioritized sweeping that takes small steps": ("example-8.4", prioritized_sweeping, "+= alpha *", "+= 0.1 *"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    module = figures.load(figure)
    with contextlib.ExitStack() as stack:
        stack.enter_context(mutated(box, old, new))
        stack.enter_context(mock.patch.dict(module.FAST, SMALLER.get(figure, {})))
        if hasattr(module, "BUDGET"):
            stack.enter_context(mock.patch.object(module, "BUDGET", 200_000))
        assert broken_claims(figure), what


def test_the_smaller_figure_holds_without_a_mutant():
    for figure, changes in SMALLER.items():
        with mock.patch.dict(figures.load(figure).FAST, changes), mock.patch.object(figures.load(figure), "BUDGET", 200_000):
            assert not broken_claims(figure)
