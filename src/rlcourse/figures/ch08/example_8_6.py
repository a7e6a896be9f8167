"""Example 8.6: real-time dynamic programming against value iteration on a racetrack, as a table.

A racetrack like the left one of Figure 5.5, without a speed limit and with velocities of any sign; an action has no effect with
probability 0.1. Value iteration in place starts from values of zero and ends with the first sweep that changes none by 1e-4. RTDP
drives its greedy policy from random starts, from the same values, for as many episodes as the book's took to settle. A policy counts
as near-optimal when its exact mean number of steps is within 1 % of the least; RTDP's steps are those of its last 1,000 episodes,
in which it still learns.

The book does not print its track: that one has 9,115 reachable states, this one 12,906. So the claims are the comparison and the
book's shares in kind: far fewer updates, most states updated a few times, some never. Book: 25 runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.value_iteration import value_iteration
from rlcourse.agents.planning.rtdp import rtdp
from rlcourse.core.config import Config, Count, Probability
from rlcourse.core.trial import Trial
from rlcourse.envs.racetracks import COAST, racetrack
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

NEAR = 1.01  # times the least number of steps


@dataclass(frozen=True)
class Settings(Config):
    """What the table is made with."""

    runs: Count = 25  # of RTDP
    episodes: Count = 4000  # of a run
    noise: Probability = 0.1


FAST = {"runs": 5}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the changes and the mean steps of the policy after each sweep [sweeps], RTDP's counts [runs, S], steps and values [runs]."""
    world = racetrack("left", max_velocity=None, noise=settings.noise, backwards=True)
    S = len(world.successor)
    V, changes, steps = np.zeros(S), [np.inf], []
    while changes[-1] >= 1e-4:
        trial = Trial.of(world, episodes=1)
        value_iteration(trial, world, V, 1.0, 1e-4)
        changes.append(float(trial.take_rows()[0, 0]))
        steps.append(_steps(world, V))

    def experiment(_: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
        counts, found, values = np.zeros((n, S), dtype=np.int64), np.zeros(n), np.zeros(n)
        for i in range(n):
            v = np.zeros(S)
            trial = Trial.of(world, episodes=settings.episodes, steps=100 * settings.episodes, capacity=settings.episodes)
            rtdp(trial, world, v, counts[i], 1.0, rng)
            found[i] = trial.take_rows()[-(settings.episodes // 4) :, 1].mean()  # the last quarter of its episodes
            values[i] = v[world.starts].mean()
        return counts, found, values

    counts, found, values = lab.study(experiment, [None], settings.runs, chunk=1)[0]
    relevant = _relevant(world, V)
    return {
        "changes": np.array(changes[1:]), "steps": np.array(steps), "optimal": -V[world.starts].mean(), "relevant": relevant,
        "counts": counts, "rtdp_steps": found, "rtdp_values": values,
    }  # fmt: skip


def _steps(world: Any, V: np.ndarray) -> float:
    """Return the mean number of steps from the starts to the finish of the policy that is greedy in V, by sweeps; large for never."""
    states = np.arange(len(V))
    taken = world.successor[states, world.action_values(V).argmax(axis=1)]
    v = np.zeros(len(V))
    for _ in range(400):
        beyond = np.append(v, [0.0, v[world.starts].mean()])  # what FINISH and CRASH index, from the end
        after = -1.0 + (1.0 - world.noise) * beyond[taken] + world.noise * beyond[world.successor[:, COAST]]
        if np.abs(after - v)[world.starts].max() < 1e-9:
            break
        v = after
    return -float(v[world.starts].mean())


def _relevant(world: Any, V: np.ndarray) -> int:
    """Return how many states an optimal policy can meet, equals included."""
    Q = world.action_values(V)
    allowed = Q.max(axis=1, keepdims=True) - Q <= 1e-3
    allowed[:, COAST] = True  # what noise makes of any action
    met = np.zeros(len(V), dtype=bool)
    front = world.starts
    while len(front):
        met[front] = True
        after = world.successor[front][allowed[front]]
        front = np.unique(after[(after >= 0) & ~met[np.maximum(after, 0)]])
    return int(met.sum())


def _rows(data: dict[str, np.ndarray], settings: Settings) -> list[tuple[str, str, str]]:
    counts, S = data["counts"], data["counts"].shape[1]
    sweeps, near = len(data["changes"]), _near(data)
    shares = [100 * (counts <= most).mean() for most in (100, 10, 0)]
    updates = counts.sum(axis=1).mean()
    return [
        ("computation to convergence", f"{sweeps} sweeps", f"{settings.episodes:,} episodes"),
        ("updates to convergence", f"{sweeps * S:,}", f"{updates:,.0f}"),
        ("updates to a near-optimal policy", f"{near * S:,}  ({near} sweeps)", ""),
        ("updates per episode", "", f"{updates / settings.episodes:.1f}"),
        ("states updated 100 times or less", "100 %", f"{shares[0]:.2f} %"),
        ("states updated 10 times or less", "0 %", f"{shares[1]:.2f} %"),
        ("states never updated", "0 %", f"{shares[2]:.2f} %"),
        ("mean steps to the finish", f"{data['steps'][-1]:.2f}", f"{data['rtdp_steps'].mean():.2f}"),
    ]


def _near(data: dict[str, np.ndarray]) -> int:
    """Return the sweeps to a near-optimal policy."""
    return int(np.argmax(data["steps"] <= NEAR * data["optimal"])) + 1


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the table."""
    figure.set_size_inches(7.4, 3.9)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(9.4, -0.8))
    for x, name in ((0.62, "Value iteration"), (0.98, "RTDP")):
        axes.text(x, 0, name, ha="right", fontsize=10.5, fontweight="bold", color=style.INK)
    axes.axhline(0.35, color=style.INK, linewidth=1)
    for i, (name, *cells) in enumerate(_rows(data, settings), start=1):
        axes.text(0.0, i, name, fontsize=10, color=style.INK, va="center")
        for x, cell in zip((0.62, 0.98), cells, strict=True):
            axes.text(x, i, cell, ha="right", fontsize=10, color=style.INK, va="center")
    axes.axhline(8.6, color=style.INK, linewidth=1)
    S = data["counts"].shape[1]
    axes.text(0.0, 9.2, f"{S:,} states can be reached, {int(data['relevant']):,} by optimal policies", fontsize=8.5, color=style.GREY)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the example says of the table, in kind."""
    counts, S, sweeps, near = data["counts"], data["counts"].shape[1], len(data["changes"]), _near(data)
    optimal = float(data["optimal"])
    shares = [(counts <= most).mean(axis=1) for most in (100, 10, 0)]
    return [
        equal("value iteration's policy takes the least mean number of steps", float(data["steps"][-1]), optimal, 1e-3),
        true("its policy is near-optimal long before it has converged", near < 0.7 * sweeps, f"{near} of {sweeps} sweeps"),
        equal("RTDP takes hardly more steps, while it still learns", mean(data["rtdp_steps"]), optimal, 0.04 * optimal),
        equal("its value of the start is the optimal one", mean(data["rtdp_values"]), -optimal, 0.01 * optimal),
        true(
            "no value of RTDP's start lies below the optimum",
            data["rtdp_values"].min() >= -optimal - 1e-3,
            f"{data['rtdp_values'].min():.4f}",
        ),
        less("RTDP needs half of value iteration's updates at most", mean(counts.sum(axis=1)), 0.5 * sweeps * S),
        less("and less than value iteration needs to a near-optimal policy", mean(counts.sum(axis=1)), float(near * S)),
        less("RTDP updates more than 95 % of the states 100 times or less", 0.95, mean(shares[0])),
        less("more than half of them 10 times or less", 0.5, mean(shares[1])),
        less("and some of them never", 0.0, mean(shares[2])),
        true("only a few states are relevant", data["relevant"] < 0.25 * S, f"{int(data['relevant']):,} of {S:,}"),
    ]
