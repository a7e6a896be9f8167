"""`UntilOptimal` ends an experiment exactly when the greedy path is a shortest one."""

import numpy as np
import pytest

from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.core import exact
from rlcourse.core.until_optimal import UntilOptimal
from rlcourse.envs import dyna_maze, windy_gridworld

MAZE = dyna_maze()


def experiment(Q: np.ndarray, shortest: int = 14, budget: int = 10**6, **options) -> UntilOptimal:
    return UntilOptimal.of(MAZE, Q, shortest, budget, **options)


def test_optimal_values_are_a_solution_and_end_it_before_the_first_step():
    Q, tally = exact.q_star(MAZE, 0.95), np.array([3, 8])
    place = experiment(Q, tally=tally)
    assert place.is_solved()
    q_learning(place, Q, 0.5, 0.95, 0.1, np.random.default_rng(0))
    assert place.result() == {"solved": True, "steps": 0, "updates": 8, "state": 0}


def test_nothing_learned_a_longer_path_and_a_path_with_a_gap_are_no_solutions():
    Q = exact.q_star(MAZE, 0.95)
    assert not experiment(np.zeros((54, 4))).is_solved()
    assert not experiment(Q, shortest=13).is_solved()
    assert not experiment(Q, shortest=15).is_solved()
    assert not experiment(Q, shortest=0).is_solved(), "0 is never"
    detour, gap = Q.copy(), Q.copy()
    detour[18, 0] = 2.0  # up from the start: a path of 14 steps
    detour[9, 2] = 3.0  # and down again: no end
    gap[17] = 0.0
    assert not experiment(detour).is_solved()
    assert not experiment(gap).is_solved()


def test_steps_are_counted_until_the_first_moment_at_which_it_is_solved():
    """The same run, step by step: the moment is the first one with a shortest greedy path."""
    Q = np.zeros((54, 4))
    place = experiment(Q)
    q_learning(place, Q, 1.0, 0.95, 1.0, np.random.default_rng(4))
    steps = place.result()["steps"]
    assert place.result()["solved"]
    for budget, right in ((steps - 1, False), (steps, True)):
        Q = np.zeros((54, 4))
        cut = experiment(Q, shortest=0, budget=budget)
        q_learning(cut, Q, 1.0, 0.95, 1.0, np.random.default_rng(4))
        assert cut.result()["steps"] == budget
        assert experiment(Q).is_solved() == right


def test_it_is_the_same_at_both_speeds():
    results = []
    for box in (q_learning.python, q_learning.compiled):
        Q, rng = np.zeros((54, 4)), np.random.default_rng(1)
        place = experiment(Q, budget=30_000)
        box(place, Q, 0.5, 0.95, 0.3, rng)
        results.append((place.result(), Q.tobytes(), rng.bit_generator.state["state"]))
    assert results[0] == results[1]


def test_a_random_world_is_refused():
    with pytest.raises(ValueError, match="deterministic"):
        UntilOptimal.of(windy_gridworld(stochastic=True), np.zeros((70, 4)), 15, 100)
