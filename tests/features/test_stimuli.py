"""Representations of stimuli: what they have in common at neighbouring times, and their closed forms."""

import numpy as np
import pytest

from rlcourse.features import TableFeatures, complete_serial_compound, microstimuli, presence

SHOWN = np.zeros((2, 11, 2))
SHOWN[0, 2:6, 0] = 1.0
SHOWN[0, 4:6, 1] = 0.5
SHOWN[1, 3:9, 0] = 1.0


def test_presence_is_the_intensity_while_the_stimulus_is_there():
    features = presence(SHOWN, level=0.2)
    assert isinstance(features, TableFeatures)
    assert features.size == 2
    np.testing.assert_allclose(features.rows[:11], 0.2 * SHOWN[0])
    np.testing.assert_allclose(features.x(11 + 3), [0.2, 0.0])


def test_the_serial_compound_has_a_feature_for_each_time_since_the_onset():
    rows = complete_serial_compound(SHOWN, length=5).rows.reshape(2, 11, 2, 5)
    assert np.all(rows[0, :2] == 0)
    assert np.array_equal(rows[0, 2:7, 0], np.eye(5))
    assert np.array_equal(rows[0, 4:9, 1], np.eye(5))
    assert np.all(rows[0, 7:, 0] == 0), "its last element is over"
    assert np.array_equal(rows[1, 3:8, 0], np.eye(5)), "the same features in another kind of trial"


def test_a_second_onset_starts_the_compound_again():
    shown = np.zeros((1, 9, 1))
    shown[0, [1, 2, 5], 0] = 1.0
    rows = complete_serial_compound(shown).rows
    assert rows.argmax(axis=1)[1:8].tolist() == [0, 1, 2, 3, 0, 1, 2]


def test_microstimuli_are_bumps_over_a_trace_that_decays():
    rows = microstimuli(SHOWN, m=3, sigma=0.1, decay=0.9).rows.reshape(2, 11, 2, 3)
    assert np.all(rows[0, :2] == 0)
    assert rows[0, 2, 0, 2] == pytest.approx(1 / np.sqrt(2 * np.pi)), "the trace is 1 at the onset, where the first to peak is centred"
    y = 0.9**3
    assert rows[0, 5, 0, 1] == pytest.approx(y * np.exp(-((y - 2 / 3) ** 2) / 0.02) / np.sqrt(2 * np.pi))
    assert np.array_equal(rows[0, 4:10, 1], rows[0, 2:8, 0]), "each stimulus has its own, in the same form"


@pytest.mark.parametrize("make", [presence, complete_serial_compound, microstimuli])
def test_nothing_is_on_at_the_end_of_a_trial(make):
    shown = np.ones((2, 5, 1))
    rows = make(shown).rows
    assert np.all(rows[[4, 9]] == 0.0)
    assert np.all(rows[[0, 5]].any(axis=1))


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="kinds, times, stimuli"):
        presence(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="decay must be within 0 and 1"):
        microstimuli(SHOWN, decay=1.0)
