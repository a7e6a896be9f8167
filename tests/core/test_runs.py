"""`Runs`: many runs in one call are as many calls of a trial."""

import numpy as np
import pytest

from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.core.runs import Runs
from rlcourse.core.trial import Trial
from rlcourse.envs import cliff_walk


def test_runs_are_trials_that_begin_anew():
    world, rng = cliff_walk(), np.random.default_rng(5)
    truth = np.full((48, 4), -1.0)
    runs = Runs.of(world, 3, 4, [np.full((48, 4), 0.5), np.zeros(2)], truth, limit=50, every=2)
    Q, other = runs.tables((48, 4), (2,))
    other[:] = 7.0
    q_learning(runs, Q, 0.5, 1.0, 0.1, rng)
    again = np.random.default_rng(5)
    for run in range(3):
        alone = np.full((48, 4), 0.5)
        trial = Trial.of(world, episodes=4, limit=50)
        q_learning(trial, alone, 0.5, 1.0, 0.1, again)
        rows = trial.take_rows()
        assert np.array_equal(runs.copies()[run, 2], alone.ravel())
        assert np.array_equal(runs.copies()[run, 0], np.full(192, 0.5))
        assert np.array_equal(runs.returns()[run], rows[:, 0])
        assert np.array_equal(runs.lengths()[run], rows[:, 1])
        assert runs.errors()[run, 0] == 1.5
        assert runs.errors()[run, -1] == pytest.approx(np.sqrt(np.mean((alone - truth) ** 2)))
    assert np.array_equal(Q, alone)
    assert np.array_equal(other, np.zeros(2)), "every table is restored"
    assert rng.bit_generator.state == again.bit_generator.state


def test_copies_are_what_a_trial_of_fewer_episodes_has_learned():
    runs = Runs.of(cliff_walk(), 1, 5, [np.zeros((48, 4))], limit=50, every=2)
    q_learning(runs, *runs.tables((48, 4)), 0.5, 1.0, 0.1, np.random.default_rng(5))
    for k in range(3):
        alone = np.zeros((48, 4))
        q_learning(Trial.of(cliff_walk(), episodes=2 * k, limit=50), alone, 0.5, 1.0, 0.1, np.random.default_rng(5))
        assert np.array_equal(runs.copies()[0, k], alone.ravel())
    with pytest.raises(ValueError, match="nothing was copied"):
        Runs.of(cliff_walk(), 1, 5, [np.zeros(3)]).copies()


def test_tables_of_the_wrong_size_are_refused():
    with pytest.raises(ValueError, match="hold 192"):
        Runs.of(cliff_walk(), 1, 1, [np.zeros((48, 4))]).tables((48, 3))
