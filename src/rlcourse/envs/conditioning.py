"""Trials of classical conditioning (Sec. 14.2): stimuli on time lines, and a US that some of them come before.

Nothing is chosen: there is one action, and time goes on. A trial is an episode, a kind of trial a table of what is present at each time:
conditioned stimuli (CSs) and the unconditioned one (US), each with onset, duration and intensity. What the animal must predict is the
US, so its intensity is the reward; the US at time t is R_t, the reward of the step that leads to t. The time between trials belongs
to the trial that it follows. State = (T + 1) * kind + time, T steps a trial. An agent that sees it knows the time exactly;
`rlcourse.features.stimuli` gives it less: what is there, or what is remembered.

An experiment has phases: so many trials of one kind, then of another. The world holds this schedule and a clock that counts trials to
their end, as in `rlcourse.envs.maze`: an agent's own, turned back by a reset with a seed. After the schedule its last trial goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.arguments import checked, numbers
from rlcourse.core.config import Count
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["EXPERIMENTS", "ConditioningTrials", "conditioning_trials", "make_env", "make_vec"]

Kind = Mapping[str, tuple[float, ...]]  # stimulus: onset, duration, and its intensity where that is not 1

# Kinds of trials, and phases: (kind, number of trials). CSs of 4 steps, a US of 2, some 100 steps between trials: as in Sutton
# and Barto's simulations of 1990; where the stimuli lie is what the time lines of the book's figures show.
EXPERIMENTS: dict[str, tuple[Sequence[Kind], Sequence[tuple[int, int]], int]] = {
    "delay": ([{"CSA": (0, 4), "US": (4, 2)}], [(0, 80)], 110),
    "trace": ([{"CSA": (0, 4), "US": (8, 2)}], [(0, 80)], 110),
    "serial": ([{"CSA": (0, 4), "CSB": (4, 4), "US": (8, 2)}], [(0, 80)], 110),
    "egger-miller": ([{"CSA": (0, 8), "CSB": (4, 4), "US": (8, 2)}], [(0, 80)], 110),
    "blocking": ([{"CSA": (4, 4), "US": (8, 2)}, {"CSA": (4, 4), "CSB": (4, 4), "US": (8, 2)}], [(0, 80), (1, 80)], 110),
    "temporal-primacy": ([{"CSB": (4, 4), "US": (8, 2)}, {"CSA": (0, 8), "CSB": (4, 4), "US": (8, 2)}], [(0, 80), (1, 80)], 110),
    "second-order": ([{"CSB": (4, 4), "US": (8, 2)}, {"CSA": (0, 4), "CSB": (4, 4)}], [(0, 80), (1, 80)], 110),
}


def _require_lines(kinds: Sequence[Kind], phases: Sequence[tuple[int, int]]) -> None:
    """Raise ValueError where kinds of trials are no time lines, or phases no pairs."""
    for k, kind in enumerate(kinds):
        if not isinstance(kind, Mapping) or not all(isinstance(name, str) for name in kind):
            raise ValueError(f"kinds[{k}] must be a mapping of stimuli to (onset, duration), not {kind!r:.60}")
        for name, line in kind.items():
            if not (isinstance(line, tuple | list) and len(line) in (2, 3)):
                raise ValueError(f"kinds[{k}][{name!r:.60}] must be (onset, duration) or (onset, duration, intensity), not {line!r:.60}")
            numbers(f"kinds[{k}][{name!r:.60}]", line, (len(line),))
    for i, phase in enumerate(phases):
        if len(numbers(f"phases[{i}]", phase, (2,))) and not all(part >= 0 and part % 1 == 0 for part in phase):
            raise ValueError(f"phases[{i}] must be a kind and a number of trials, not {phase!r:.60}")


class ConditioningTrials(NamedTuple):
    """Trials of classical conditioning; a world.

    Attributes
    ----------
    stimuli : ndarray of float64, shape [K, T + 1, n]
        Intensity of each of n CSs at each time, in each of K kinds of trials; the last time is the end.
    us : ndarray of float64, shape [K, T + 1]
        Intensity of the US.
    schedule : ndarray of int64, shape [N]
        The kind of each trial.
    clock : ndarray of int64, shape [1]
        Trials that have ended so far.
    """

    stimuli: np.ndarray
    us: np.ndarray
    schedule: np.ndarray
    clock: np.ndarray

    @classmethod
    @checked
    def of(cls, kinds: Sequence[Kind], phases: Sequence[tuple[int, int]] = ((0, 1),), steps: Count = 110) -> ConditioningTrials:
        """Make trials from time lines.

        Parameters
        ----------
        kinds : sequence of mappings
            Per kind of trial ``{"CSA": (onset, duration), "US": (onset, duration, intensity)}``, in time steps. CSs are numbered in the
            order of their names.
        phases : sequence of (kind, number of trials)
        steps : int
            Steps of a trial, the time until the next one included.

        Raises
        ------
        ValueError
            Where a stimulus does not lie within the trial, or a phase has no such kind.
        """
        _require_lines(kinds, phases)
        names = sorted({name for kind in kinds for name in kind} - {"US"})
        shown = np.zeros((len(kinds), steps + 1, len(names) + 1))
        for k, kind in enumerate(kinds):
            for name, (onset, duration, *rest) in kind.items():
                if not (0 <= onset and duration >= 1 and onset + duration <= steps + 1) or (name == "US" and onset == 0):
                    raise ValueError(f"{name} from {onset} for {duration} steps does not lie within a trial of {steps} steps")
                column = len(names) if name == "US" else names.index(name)
                shown[k, int(onset) : int(onset + duration), column] = rest[0] if rest else 1.0
        schedule = [kind for kind, trials in phases for _ in range(trials)]
        if not names or not schedule or not 0 <= min(schedule) <= max(schedule) < len(kinds):
            raise ValueError(f"an experiment needs a CS, and phases of its kinds of trials, 0..{len(kinds) - 1}, not {list(phases)}")
        return cls(shown[:, :, :-1].copy(), shown[:, :, -1].copy(), np.array(schedule, np.int64), np.zeros(1, np.int64))

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """Each time of each kind of trial."""
        return gym.spaces.Discrete(self.us.size)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """One action: time goes on."""
        return gym.spaces.Discrete(1)

    def reset(self, rng):
        """Begin the next trial of the schedule."""
        return int(self.schedule[min(self.clock[0], len(self.schedule) - 1)] * self.us.shape[1])

    def step(self, state, action, rng):
        """Let a time step pass; the reward is the US that it brings."""
        k, t = state // self.us.shape[1], state % self.us.shape[1] + 1
        ended = t == self.us.shape[1] - 1
        if ended:
            self.clock[0] += 1
        return state + 1, float(self.us[k, t]), ended, False

    def observe(self, state):
        """Return the time and the kind of the trial."""
        return state

    # The rest is for Python only: it is never called from a box.

    def model(self) -> MDP:
        """Return the exact model of the trials; it begins with the kind that is next."""
        length = self.us.shape[1]
        table: dict[int, Any] = {}
        for s in range(self.us.size):
            t = s % length
            reward = float(self.us.ravel()[s + 1]) if t + 1 < length else 0.0
            table[s] = {0: [(1.0, s + 1, reward, t + 2 == length) if t + 1 < length else (1.0, s, 0.0, True)]}
        return MDP.of(table, length * int(self.schedule[min(int(self.clock[0]), len(self.schedule) - 1)]))


@checked
def conditioning_trials(experiment: str = "temporal-primacy") -> ConditioningTrials:
    """Make the trials of one of the `EXPERIMENTS` of Section 14.2."""
    if experiment not in EXPERIMENTS:
        raise ValueError(f"experiment must be one of {', '.join(EXPERIMENTS)}, not {experiment!r}")
    return ConditioningTrials.of(*EXPERIMENTS[experiment])


def make_env(render_mode: str | None = None, experiment: str = "temporal-primacy") -> WorldEnv:
    """Make ``rlcourse/ConditioningTrials-v0``."""
    from rlcourse.envs.drawing_trials import time_lines, time_lines_text

    return WorldEnv(conditioning_trials(experiment), render_mode=render_mode, picture=time_lines, text=time_lines_text, fps=8)


def make_vec(num_envs: int = 1, experiment: str = "temporal-primacy", **options: Any) -> WorldVectorEnv:
    """Make N copies; they share one clock, which counts the trials of all."""
    return WorldVectorEnv(conditioning_trials(experiment), num_envs, **options)
