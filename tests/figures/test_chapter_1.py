"""Mutants of Section 1.5: each mistake in the player's learning breaks a claim."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.temporal_difference.afterstate import afterstate_td

MUTANTS = {  # what is wrong: text, its replacement
    "backups after exploratory moves": ("(learn_from_exploration or not exploring)", "True"),
    "no backups from exploration where they are wanted": ("(learn_from_exploration or not exploring)", "not exploring"),
    "the other side's defeat is forgotten": ("game.rival(R) - V[theirs]", "0.0"),
    "every end is a victory": ("V[mine] += alpha * (R - V[mine])", "V[mine] += alpha * (1.0 - V[mine])"),
    "a step of full size": ("V[mine] += alpha * (V[after]", "V[mine] += 1.0 * (V[after]"),
    "both sides back up into each other": ("mine, theirs = theirs, mine", "mine, theirs = mine, theirs"),
    "no exploration": ("rng.random() < epsilon", "rng.random() < 0.0"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    with mutated(afterstate_td, *MUTANTS[what]):
        assert broken_claims("section-1.5", runs=4), what
