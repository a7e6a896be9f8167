"""Mutants of Sections 8.5 to 8.11: each mistake in a planner breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated, mutated_kernel

from rlcourse.agents.planning import mcts, rollout
from rlcourse.agents.planning.prioritized_sweeping import prioritized_sweeping
from rlcourse.agents.planning.rtdp import rtdp
from rlcourse.agents.planning.trajectory_sampling import expected_update, on_policy_updates, uniform_updates
from rlcourse.core.tree import uct

RUNS = {"section-8.10": {"runs": 12}, "example-8.5": {"runs": 2}}  # enough for a mistake

BOXES = {  # what is wrong: figure, box, text, its replacement
    "on-policy updates with another action's outcomes": ("8.8", on_policy_updates, "Q, S, A, gamma)", "Q, S, 0, gamma)"),
    "sweeps that leave out the second action": ("8.8", uniform_updates, "pair % Q.shape[1]", "0"),
    "sweeps with a step size": ("8.8", uniform_updates, "Q[S, A] = expected", "Q[S, A] += 0.1 * (q > 1) * expected"),
    "RTDP that updates the state before": ("example-8.6", rtdp, "V[S] = np.max(values)", "V[max(S - 1, 0)] = np.max(values)"),
    "RTDP that expects a random action": ("example-8.6", rtdp, "V[S] = np.max(values)", "V[S] = np.sum(values) / len(values)"),
    "RTDP that moves at random": ("example-8.6", rtdp, "A = greedy(values, rng)", "A = int(rng.random() * len(values))"),
    "sweeping in the wrong order": ("example-8.5", prioritized_sweeping, "queue.insert(pair, P)", "queue.insert(pair, 1.0 - P)"),
    "sweeping with an unsigned change": (
        "example-8.5",
        prioritized_sweeping,
        "Q[s, a] += alpha * change(Q, s, a, r, s_, over, gamma)",
        "Q[s, a] += alpha * abs(change(Q, s, a, r, s_, over, gamma))",
    ),
}
KERNELS = {  # what is wrong: figure, box, kernel, text, its replacement
    "an update with the mean of the next values": ("8.8", uniform_updates, expected_update, "np.max(Q[", "np.mean(Q["),
    "a rollout that forgets its first action": (
        "section-8.10",
        rollout.rollout_values,
        rollout._mean_returns,
        "simulated_return(model, S, a,",
        "simulated_return(model, S, 0,",
    ),
    "a rollout that keeps the last return only": ("section-8.10", rollout.rollout_values, rollout._mean_returns, " / (i + 1)", ""),
    "bounds with the wrong sign": ("section-8.11", mcts.search_values, uct, "Q[a] + c *", "Q[a] - c *"),
    "a backup without discount": ("section-8.11", mcts.search_values, mcts._search, "G = R + gamma * G", "G = R + G"),
    "a backup of the last pair only": (
        "section-8.11",
        mcts.search_values,
        mcts._search,
        "node, A, R = tree.parent[node], tree.action[node], tree.reward[node]",
        "node = -1",
    ),
    "a search that never ends an episode": (
        "section-8.11",
        mcts.search_values,
        mcts._search,
        "terminated or truncated or steps >= depth",
        "steps >= depth",
    ),
}


@pytest.mark.parametrize("figure", sorted(RUNS))
def test_without_a_mutant_the_claims_hold_in_as_few_runs(figure):
    assert not broken_claims(figure, **RUNS[figure])


@pytest.mark.parametrize("what", sorted(BOXES))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = BOXES[what]
    with mutated(box, old, new):
        assert broken_claims(figure, **RUNS.get(figure, {})), what


@pytest.mark.parametrize("what", sorted(KERNELS))
def test_a_mutant_of_a_kernel_breaks_a_claim(what):
    figure, box, kernel, old, new = KERNELS[what]
    with mutated_kernel(box, kernel, old, new):
        assert broken_claims(figure, **RUNS.get(figure, {})), what
