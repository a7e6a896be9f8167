"""Robot in a room: planning and learning reach exactly the same values.

The step into the corner pays 25 and ends the episode, every other step costs 1, undiscounted: v*(s) = 26 - d(s), d the distance in steps.
Nothing is random here, so learners may use alpha = 1, and exact means exact, to the last bit. Q-learning finds q* though it explores
(epsilon = 0.1); Sarsa and Expected Sarsa would learn the value of their own exploration, so they act greedily, and explore because every
value begins too high, at 25 (Sec. 2.6). The first policy of policy iteration runs against the wall for ever, so its evaluations are cut
off after 20 sweeps. The axis counts updates of single values; a sweep of a planner has one per state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents import ExpectedSarsa, PolicyIteration, QLearning, Sarsa, ValueIteration
from rlcourse.core import exact
from rlcourse.core.config import Config, Count
from rlcourse.envs import robot_room
from rlcourse.envs.room import robot_room_values
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

PLANNERS: dict[str, Any] = {"value iteration": (ValueIteration, {}), "policy iteration": (PolicyIteration, {"sweeps": 20})}
LEARNERS: dict[str, Any] = {
    "Sarsa": (Sarsa, {"alpha": 1.0, "epsilon": 0.0}),
    "Expected Sarsa": (ExpectedSarsa, {"alpha": 1.0, "epsilon": 0.0}),
    "Q-learning": (QLearning, {"alpha": 1.0, "epsilon": 0.1}),
}
OPTIMISM = 25.0


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 30  # of each learner
    n: Count = 6  # cells along a wall
    episodes: Count = 400
    points: Count = 100  # of a curve


FAST: dict[str, Any] = {"runs": 5, "points": 50}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return v* [S]; per algorithm updates and largest errors [runs, points], and whether its policy is optimal [runs]."""
    world, truth = robot_room(settings.n), robot_room_values(settings.n)
    data = {"truth": truth, "optimal": exact.optimal_actions(exact.q_star(world, 1.0))}
    for name, (kind, chosen) in PLANNERS.items():
        updates, errors, good = _plan(kind(world, gamma=1.0, **chosen), truth)
        data |= {f"{name}, updates": updates[None], f"{name}, errors": errors[None], f"{name}, good": np.array([good])}

    def one(job: Any) -> Any:
        name, i = job
        kind, chosen = LEARNERS[name]
        agent = kind(world, gamma=1.0, seed=int(lab.rng(i).integers(2**31)), **chosen)
        agent.Q[:] = OPTIMISM
        return _climb(agent, truth, settings.points, max(settings.episodes // settings.points, 1))

    jobs = [(name, i) for name in LEARNERS for i in range(settings.runs)]
    made = dict(zip(jobs, lab.map(one, jobs), strict=True))
    for name in LEARNERS:
        for k, key in enumerate(("updates", "errors", "good")):
            data[f"{name}, {key}"] = np.array([made[name, i][k] for i in range(settings.runs)])
    return data


def _plan(agent: Any, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Plan until it ends by itself; return updates and largest errors after every sweep, and whether the policy is optimal."""
    seen = [(0, _error(agent, truth))]
    agent.learn(callback=lambda it: seen.append((it.num_timesteps, _error(it, truth))), callback_every=1)
    updates, errors = np.transpose(seen)
    return updates, errors, _is_optimal(agent, truth)


def _climb(agent: Any, truth: np.ndarray, points: int, episodes: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Learn in parts; return updates and largest errors [points + 1], and whether the greedy policy is optimal at the end."""
    updates, errors = [agent.num_timesteps], [_error(agent, truth)]
    for _ in range(points):
        agent.learn(episodes=episodes)
        updates.append(agent.num_timesteps)
        errors.append(_error(agent, truth))
    return np.array(updates), np.array(errors), _is_optimal(agent, truth)


def _is_optimal(agent: Any, truth: np.ndarray) -> bool:
    """Whether the agent's policy earns v* from every state."""
    policy = agent.predict(np.arange(len(truth)))[0]
    return bool(np.allclose(exact.v_pi(agent.world, policy, 1.0), truth, rtol=0, atol=1e-9))


def _error(agent: Any, truth: np.ndarray) -> float:
    values = agent.V if "V" in agent.tables else agent.action_values(np.arange(len(truth))).max(axis=1)
    return float(np.abs(values - truth)[truth != 0].max())  # nobody reads what a learner's table has for the goal


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw v* with all optimal actions, and the largest error of each algorithm against its updates."""
    figure.set_size_inches(9.8, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    n, goal = settings.n, settings.n - 1
    values = data["truth"].astype(float)
    values[goal] = np.nan
    texts = ["G" if s == goal else f"{v:.0f}" for s, v in enumerate(data["truth"])]
    style.grid(left, values, shape=(n, n), texts=texts, size=9, title="v*(s) = 26 - d(s)")
    style.panel(right, "largest error of any state", "updates of single values", "")
    for i, name in enumerate((*PLANNERS, *LEARNERS)):
        x, y = data[f"{name}, updates"].mean(axis=0), data[f"{name}, errors"]
        style.curve(right, x, y, name, style.COLORS[i], marker="o", markersize=3)
    right.set_xscale("symlog", linthresh=10)
    right.set_yscale("symlog", linthresh=0.5, linscale=0.4)
    right.set_yticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])
    right.set(xlim=(0, None), ylim=(-0.05, 200))
    right.legend(frameon=False, fontsize=8.5)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return that every algorithm ends at v*, exactly, and acts by it."""
    found = []
    for name in (*PLANNERS, *LEARNERS):
        last, good = data[f"{name}, errors"][:, -1], data[f"{name}, good"]
        found.append(true(f"{name} ends at 26 - d(s) exactly, in every run", np.all(last == 0.0), f"largest error {last.max():g}"))
        found.append(true(f"{name}'s greedy policy earns it from every state", np.all(good), f"{int(good.sum())} of {len(good)} runs"))
    first = {name: _first(data[f"{name}, updates"], data[f"{name}, errors"]) for name in (*PLANNERS, *LEARNERS)}
    detail = ", ".join(f"{name} {value:g}" for name, value in first.items())
    return [
        *found,
        true(
            "value iteration, which has the model, needs fewer updates than any learner",
            first["value iteration"] < min(first[name] for name in LEARNERS),
            detail,
        ),
    ]


def _first(updates: np.ndarray, errors: np.ndarray) -> float:
    """Return the median over runs of the updates after which nothing is wrong."""
    return float(np.median([at[wrong == 0][0] if np.any(wrong == 0) else np.inf for at, wrong in zip(updates, errors, strict=True)]))
