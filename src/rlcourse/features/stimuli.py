"""Representations of stimuli by which the TD model sees a trial (Sec. 14.2.4, Figure 14.1).

Each takes what is present, ``[kinds of trials, times, stimuli]``, and returns the features of each time of each kind, as `TableFeatures`
over the states of `rlcourse.envs.ConditioningTrials`. They differ in how finely they tell time apart:

* the complete serial compound has a feature of its own for each time since the onset of a stimulus: time is known exactly;
* microstimuli are bumps over a memory trace of the stimulus that decays: later ones are wider and lower, as time grows vague;
* presence has one feature per stimulus, on while the stimulus is: times within it are not told apart at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.config import Count, Positive
from rlcourse.features.one_hot import TableFeatures
from rlcourse.features.ranges import require_few

__all__ = ["complete_serial_compound", "microstimuli", "presence"]


@checked
def presence(present: Any, level: float = 1.0) -> TableFeatures:
    """Return one feature per stimulus: its intensity times `level`.

    Parameters
    ----------
    present : array_like, shape [K, T, n]
        Intensity of each of n stimuli at each of T times of K kinds of trials.
    level : float
    """
    return _features(level * _checked(present))


@checked
def complete_serial_compound(present: Any, length: Count | None = None) -> TableFeatures:
    """Return a feature for each of `length` times since the onset of each stimulus; all times of a trial where None.

    Features are ordered by stimulus, then by time, and are 1 also when the stimulus has ended.
    """
    since = _since_onset(_checked(present))
    require_few((length or 1) * since.size)
    elements = since.shape[1] if length is None else int(length)
    return _features(np.asarray(since[..., None] == np.arange(elements), dtype=float))


@checked
def microstimuli(present: Any, m: Count = 6, sigma: Positive = 0.08, decay: float = 0.985) -> TableFeatures:
    """Return m microstimuli per stimulus, ordered by stimulus, then from the latest to the first to peak.

    Parameters
    ----------
    present : array_like, shape [K, T, n]
    m : int
    sigma : float
        Width of a bump, in heights of the trace.
    decay : float
        By which the memory trace of a stimulus, 1 at its onset, is multiplied each step.

    Notes
    -----
    Microstimulus i of height y of the trace is ``y exp(-(y - i / m)^2 / (2 sigma^2)) / sqrt(2 pi)``, i = 1 ... m, the form of Ludvig,
    Sutton and Kehoe (2012).
    """
    if not 0 < decay < 1:
        raise ValueError(f"decay must be within 0 and 1, and neither of them, not {decay!r}")
    since = _since_onset(_checked(present))
    y = np.where(since < 0, 0.0, decay ** np.maximum(since, 0))[..., None]
    require_few(m * since.size)
    centers = np.arange(1, m + 1) / m
    return _features(y * np.exp(-((y - centers) ** 2) / (2 * sigma * sigma)) / np.sqrt(2 * np.pi))


def _checked(present: Any) -> np.ndarray:
    shown = numbers("present", present, ("kinds", "times", "stimuli"))
    if not shown.size:
        raise ValueError(f"present must be finite numbers of shape [kinds, times, stimuli], not of shape {shown.shape}")
    return shown


def _since_onset(present: np.ndarray) -> np.ndarray:
    """Return the time since the last onset of each stimulus, int64 [K, T, n]; -1 before the first."""
    on = present > 0
    onset = on & ~np.concatenate([np.zeros_like(on[:, :1]), on[:, :-1]], axis=1)
    times = np.arange(present.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(onset, times, -1), axis=1)
    return np.asarray(np.where(last < 0, -1, times - last))


def _features(table: np.ndarray) -> TableFeatures:
    """Return features [K, T, ...] as rows of states [K T, d]; none is on at the end of a trial, whose value is zero."""
    rows = table.reshape(table.shape[0], table.shape[1], -1).copy()
    rows[:, -1] = 0.0
    return TableFeatures.of(rows.reshape(-1, rows.shape[2]))
