"""Figure 8.8: updates distributed on-policy against updates distributed uniformly.

Random tasks (`rlcourse.envs.branching_task`): 1,000 states with 1, 3 and 10 branches above, 10,000 states with 1 branch below. After so
many expected updates, how good is the greedy policy in the start state? Uniform: sweeps through all pairs, in place. On-policy: pairs
along simulated episodes, epsilon = 0.1. Every point is an exact evaluation of the policy that is greedy just then, equals sharing
their part. Book: 200 tasks.

The tasks are taken literally: each transition, the ending one too, has a reward of its own from N(0, 1). This gives values more than
twice as large as the printed axes say; by what convention the book's are smaller it does not tell. So the claims are its
orderings: following the policy is better early, worse late, and for longer the larger the task and the fewer its branches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.dynamic_programming.value_iteration import value_iteration
from rlcourse.agents.planning.trajectory_sampling import on_policy_updates, uniform_updates
from rlcourse.core.config import Config, Count, Probability
from rlcourse.core.greedy_value import greedy_policy_value
from rlcourse.core.trial import Trial
from rlcourse.envs import branching_task
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "SECONDS", "Settings", "claims", "draw", "run"]

TASKS = ((1000, 1), (1000, 3), (1000, 10), (10_000, 1))  # states, branches
METHODS = ("on-policy", "uniform")
QUARTERS = 40  # quarters of a sweep that a run lasts: 20 updates per state
SECONDS = 60.0


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 200  # tasks of 1,000 states
    large_runs: Count = 200  # tasks of 10,000 states
    epsilon: Probability = 0.1
    points: Count = 41  # evaluations of a run, the fewer the denser at the beginning


FAST = {"runs": 32, "large_runs": 6, "points": 7}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return, for each size of task, values of the greedy policy [2, runs, points], optimal values [runs] and times of evaluation."""
    times = [round(QUARTERS * (k / (settings.points - 1)) ** (1 if settings.points > QUARTERS else 2)) for k in range(settings.points)]

    def experiment(parameter: Any, rng: np.random.Generator, n: int) -> np.ndarray:
        (states, branches), method = parameter
        seeds = rng.integers(2**31, size=n)
        return np.array([_values(branching_task(states, branches, int(seed)), method, times, settings.epsilon, rng) for seed in seeds])

    data = {}
    for states in (1000, 10_000):
        tasks = [task for task in TASKS if task[0] == states]
        parameters = [(task, method) for task in tasks for method in (*METHODS, "optimal")]
        found = lab.study(experiment, parameters, settings.runs if states == 1000 else settings.large_runs, chunk=4)
        for i, (_, branches) in enumerate(tasks):
            data[f"values_{states}_{branches}"] = np.array(found[3 * i : 3 * i + 2])
            data[f"optimal_{states}_{branches}"] = found[3 * i + 2][:, 0]
        data[f"updates_{states}"] = np.array(times) * states // 2
    return data


def _values(task: Any, method: str, times: list[int], epsilon: float, rng: np.random.Generator) -> np.ndarray:
    """Return the start state's value under the greedy policy after some numbers of quarter sweeps; or under an optimal one."""
    S = len(task.start)
    Q, V = np.zeros((S, 2)), np.zeros(S)
    if method == "optimal":
        value_iteration(Trial.of(task), task, V, 1.0, 1e-4)  # within 0.001
        return V[:1]
    trial, parts, values = Trial.of(task, capacity=S), np.array_split(np.arange(2 * S), 4), []  # S / 2 updates each
    for k in range(QUARTERS + 1):
        if k in times:
            greedy_policy_value(task, Q, V, 1.0, 1e-4)
            values.append(V[0])
        if method == "uniform":
            uniform_updates(Trial.of(task, episodes=1, capacity=1), task, Q, parts[k % 4], 1.0)
        else:
            trial.pause_at((k + 1) * S // 2)  # at the end of an episode, some ten updates later
            on_policy_updates(trial, task, Q, 1.0, epsilon, rng)
            trial.take_rows()
    return np.array(values)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw value of the start state under the greedy policy against updates; above 1,000 states, below 10,000."""
    figure.set_size_inches(7.2, 7.0)
    above, below = figure.subplots(2, 1)
    for axes, states in ((above, 1000), (below, 10_000)):
        style.panel(axes, f"{states:,} states", "computation time, in expected updates", "value of start state\nunder greedy policy")
        for i, (_, branches) in enumerate(task for task in TASKS if task[0] == states):
            for j, method in enumerate(METHODS):
                style.curve(
                    axes, data[f"updates_{states}"], data[f"values_{states}_{branches}"][j], f"b = {branches}, {method}",
                    style.COLORS[i], linestyle="-" if method == "on-policy" else "--",
                )  # fmt: skip
            best = data[f"optimal_{states}_{branches}"].mean()
            axes.plot(data[f"updates_{states}"][-1] * 1.01, best, "<", color=style.COLORS[i], markersize=6, clip_on=False)
        axes.set_ylim(-1, 9)
        axes.set_xlim(0, data[f"updates_{states}"][-1])
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
        axes.legend(
            frameon=False, fontsize=8, ncols=3, loc="lower right", title="◂ optimal values" if states == 1000 else None, title_fontsize=8
        )


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what Section 8.6 says of the figure; the two methods plan in the same tasks."""
    values = {task: data[f"values_{task[0]}_{task[1]}"] for task in TASKS}  # [2, runs, points]
    lead = {task: values[task][0] - values[task][1] for task in TASKS}
    early = int(np.argmin(np.abs(data["updates_1000"] - 500)))
    late = data["updates_1000"] >= 10_000
    crossing = {task: _crossing(data[f"updates_{task[0]}"], lead[task].mean(axis=0)) for task in TASKS}
    short = {
        task: mean((data[f"optimal_{task[0]}_{task[1]}"] - values[task][1][:, -1]) / data[f"optimal_{task[0]}_{task[1]}"].mean())
        for task in TASKS
    }
    rows = [(f"{states:,} states, b = {branches}", (states, branches)) for states, branches in TASKS]
    return [
        *[less(f"{name}: on-policy is better after a quarter of a sweep", 0.0, mean(lead[task][:, early])) for name, task in rows],
        *[
            less(f"{name}: uniform is better after five sweeps", mean(lead[task][:, late].mean(axis=1)), 0.0)
            for name, task in (rows if settings.large_runs >= 50 else rows[:3])
        ],
        *[equal(f"{name}: uniform is optimal in the end", short[task], 0.0, 0.03) for name, task in rows],
        true(
            "the fewer branches, the longer on-policy leads",
            crossing[1000, 1] > crossing[1000, 3] > crossing[1000, 10],
            ", ".join(f"b = {branches}: {crossing[1000, branches]:,.0f} updates" for branches in (1, 3, 10)),
        ),
        less("the lead is the larger the fewer the branches", mean(lead[1000, 10][:, early]), mean(lead[1000, 1][:, early])),
        true(
            "in the larger task on-policy leads for more than five times as long",
            crossing[10_000, 1] > 5 * crossing[1000, 1],
            f"{crossing[10_000, 1]:,.0f} against {crossing[1000, 1]:,.0f} updates",
        ),
    ]


def _crossing(updates: np.ndarray, lead: np.ndarray) -> float:
    """Return after how many updates a mean lead is lost: where the line between two points first crosses zero."""
    for k in range(2, len(lead)):
        if lead[k - 1] > 0 >= lead[k]:
            return float(updates[k - 1] + (updates[k] - updates[k - 1]) * lead[k - 1] / (lead[k - 1] - lead[k]))
    return float(updates[-1])
