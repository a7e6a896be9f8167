"""Example 8.5: the rod among its obstacles, solved by prioritized sweeping.

14,400 states, deterministic moves with reward -1 (see `rlcourse.envs.rod`; the obstacles are of the book's kind, not the book's).
Prioritized sweeping learns the model as it acts greedily from optimistic values: all of it that a shortest way depends on. It is
also given the whole model at once, with reward 1 in the goal and gamma = 0.95 as in the mazes: the changes then spread from
the goal, and nearly every update is of use. Beside it, with the model given, real-time dynamic programming and value iteration in
place until the start has its right value. The least number of moves is known from a breadth-first search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents import RTDP, PrioritizedSweeping, ValueIteration
from rlcourse.core.config import Config, Count
from rlcourse.envs import rod_maneuvering
from rlcourse.envs.rod import GOAL, HALF, OBSTACLES, SIZE, START, moves_to_goal, place, state_at
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

PLANNERS = (
    "prioritized sweeping,\nmodel given",
    "real-time DP,\nmodel given",
    "value iteration,\nmodel given",
    "prioritized sweeping,\nmodel learned, all episodes",
)
TAKEN = 1  # slot of the queue's tally: updates


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 20
    episodes: Count = 40  # of prioritized sweeping
    n: Count = 50  # its updates per move at most


FAST = {"runs": 4}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return the path found [moves + 1], lengths of episodes [runs, episodes], updates [4 planners, runs] least moves, pairs."""
    world, start = rod_maneuvering(), state_at(*START)
    distance = moves_to_goal(world)
    least = int(distance[start])

    def experiment(_: Any, rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
        lengths, updates = np.full((n, settings.episodes), np.inf), np.zeros((n, len(PLANNERS)))
        paths = np.zeros((n, least + 1), dtype=np.int64)
        for i, seed in enumerate(rng.integers(2**31, size=n).tolist()):
            learner = PrioritizedSweeping(world, alpha=1.0, gamma=1.0, epsilon=0.0, n=settings.n, seed=seed)
            learner.learn(300_000, episodes=settings.episodes)  # it needs some 30,000 steps
            found = learner.history["length"]
            lengths[i, : len(found)], paths[i] = found, _walk(learner, world, least)
            planner, taken = _told_everything(seed)
            right = _walk(planner, world, least)[-1] == state_at(*GOAL)
            updates[i] = taken if right else np.nan, _rtdp(least, seed), _sweeps(least), learner.queue.tally[TAKEN]
        return lengths, updates, paths

    lengths, updates, paths = lab.study(experiment, [None], settings.runs, chunk=1)[0]
    return {"lengths": lengths, "updates": updates.T, "paths": paths, "least": least, "pairs": 6 * np.sum(distance >= 0)}


def _walk(agent: Any, world: Any, moves: int) -> np.ndarray:
    """Return the states that the agent's greedy policy meets from the start."""
    path = [state_at(*START)]
    for _ in range(moves):
        path.append(int(world.successor[path[-1], agent.predict(path[-1])[0], 0]))
    return np.array(path)


def _told_everything(seed: int) -> tuple[PrioritizedSweeping, float]:
    """Give the whole model to prioritized sweeping, and the pairs that enter the goal to its queue; return it planned, and its updates."""
    world = rod_maneuvering()
    world = world._replace(reward=world.terminal.astype(float))
    agent = PrioritizedSweeping(world, alpha=1.0, gamma=0.95, epsilon=0.0, n=10**7, seed=seed)
    S, A = agent.Q.shape
    for s in range(S):
        for a in range(A):
            s_, over = int(world.successor[s, a, 0]), bool(world.terminal[s, a, 0])
            agent.model.remember(s, a, float(over), s_, over)
            agent.predecessors.lead(A * s + a, s_)
            if over:
                agent.queue.insert(A * s + a, 1.0)
    agent.learn(1)  # one move, after which the queue is emptied
    return agent, float(agent.queue.tally[TAKEN])


def _rtdp(least: int, seed: int) -> int:
    """Return the updates after which real-time dynamic programming has the right value of the start."""
    agent = RTDP(rod_maneuvering(), seed=seed)
    while agent.V[state_at(*START)] != -least:
        agent.learn(episodes=10)
    return agent.num_timesteps


def _sweeps(least: int) -> int:
    """Return the updates after which value iteration in place has the right value of the start."""
    agent = ValueIteration(rod_maneuvering())
    while agent.V[state_at(*START)] != -least:
        agent.learn(episodes=1)
    return agent.num_timesteps


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw the way of the rod, as the book does, and how many updates each planner needed."""
    figure.set_size_inches(9.6, 4.6)
    room, bars = figure.subplots(1, 2, width_ratios=(1, 1.1))
    for corners in OBSTACLES:
        room.fill(*np.array(corners).T, color=style.INK)
    for i, state in enumerate(data["paths"][0]):
        x, y, angle = place(state)
        ends = np.array([[x, y]]) + np.array([[-HALF], [HALF]]) * [np.cos(angle), np.sin(angle)]
        last = i in (0, len(data["paths"][0]) - 1)
        color = (style.COLORS[0] if i == 0 else style.COLORS[2]) if last else style.GREY
        room.plot(*ends.T, color=color, linewidth=4 if last else 0.9, solid_capstyle="round", zorder=3 if last else 2)
        room.plot(*ends[1], "o", color=color, markersize=6 if last else 2, zorder=3 if last else 2)
    for name, corner in (("start", START), ("goal", GOAL)):
        x, y, _ = place(state_at(*corner))
        room.annotate(
            name,
            (x, y),
            (0, -16) if name == "goal" else (-5, 0),
            textcoords="offset points",
            ha="center" if name == "goal" else "right",
            fontsize=9,
        )
    room.set(xlim=(0, SIZE), ylim=(0, SIZE), aspect="equal", xticks=[], yticks=[])
    room.set_title(f"The shortest way: {int(data['least'])} moves", loc="left", fontsize=10.5, fontweight="bold", color=style.INK)
    style.panel(bars, "Updates", "updates of a state or a pair, to a shortest way")
    center = data["updates"].mean(axis=1)
    bars.barh(range(len(PLANNERS)), center, color=[style.COLORS[i] for i in (1, 0, 7, 1)], height=0.6)
    for i, number in enumerate(center):
        bars.text(number * 1.1, i, f"{number:,.0f}", va="center", fontsize=8.5)
    bars.set_xscale("log")
    bars.set_xlim(1e4, 6e6)
    bars.set_yticks(range(len(PLANNERS)), PLANNERS)
    bars.invert_yaxis()
    bars.grid(visible=False)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the example says: prioritized sweeping finds the shortest way, and sweeps are wasteful here."""
    given, real_time, swept, _ = data["updates"]
    lengths, least, goal = data["lengths"], int(data["least"]), state_at(*GOAL)
    return [
        equal("the last episode of each run takes the least number of moves", float(lengths[:, -1].max()), least),
        true("the way shown ends in the goal after the least number of moves", (data["paths"][:, -1] == goal).all(), f"{least} moves"),
        true("no episode is shorter than the breadth-first search allows", lengths.min() >= least, f"shortest {lengths.min():.0f}"),
        true("given the model, prioritized sweeping finds a shortest way", np.isfinite(given).all(), f"{np.isfinite(given).sum()} runs"),
        true(
            "it then updates no pair twice, of those with a way to the goal", given.max() <= data["pairs"], f"{int(data['pairs']):,} pairs"
        ),
        less("it then needs a tenth of value iteration's updates at most", mean(given), 0.1 * swept[0]),
        less("RTDP needs less than a third of value iteration's updates", mean(real_time), swept[0] / 3),
    ]
