"""Figure 5.5: two racetracks, driven by off-policy Monte Carlo control (Exercise 5.12).

Off-policy Monte Carlo control on both tracks, against the exact optimum by value iteration, and drives from the starting line by both
policies. The exercise leaves the settings open. Here the behaviour takes a random action three times in ten; action values begin at
-1000, below any return, so that the policy keeps to what it has tried; and episodes end after 25 moves and bootstrap there, so that a
policy that stands still or runs in circles finds out. Runs differ: a first bad habit has a large weight, and the best one is drawn. The
book draws the tracks only; their outlines are read off the figure. (From starts far from the bend's inside the best is to crash at
once: it costs one move, and the next start is likely to be better.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.monte_carlo.off_policy_mc_control import off_policy_mc_control
from rlcourse.core.config import Config, Count, Probability
from rlcourse.core.trial import Trial
from rlcourse.envs import Racetrack, racetrack
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, equal, less, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "Settings", "claims", "draw", "run"]

TRACKS = ("left", "right")
SWEEPS = 100  # of dynamic programming; a policy that never finishes is worth less than any other one then
UNTRIED = -1_000.0


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 4  # of which the best one is drawn
    episodes: Count = 3_000_000
    limit: Count = 25  # moves of an episode
    epsilon: Probability = 0.3  # probability of a random action


FAST = {"runs": 3, "episodes": 100_000}


def values(world: Racetrack, pi: np.ndarray | None) -> np.ndarray:
    """Return the values of a policy, or the optimal ones where it is None, by sweeps of synchronous updates; shape [S]."""
    V = np.zeros(len(world.successor))
    for _ in range(SWEEPS):
        Q = world.action_values(V)
        V = Q.max(axis=1) if pi is None else Q[np.arange(len(V)), pi]
    return V


def drives(world: Racetrack, pi: np.ndarray, rng: np.random.Generator, most: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Drive from five starts without noise; return places [T, 2], nan between drives and after crashes, and which drives finished [5]."""
    still, rows, finished = world._replace(noise=0.0), [], []
    for start in world.starts[np.linspace(0, len(world.starts) - 1, 5).astype(int)]:
        s, over = int(start), False
        for _ in range(most):
            x, y, vx, vy = (int(part) for part in world.places[s])
            rows.append((float(x), float(y)))
            a = int(pi[s])
            s, _, over, _ = still.step(s, a, rng)
            if over:  # draw the last move up to the line
                wx, wy = min(max(vx + a // 3 - 1, 0), 4), min(max(vy + a % 3 - 1, 0), 4)
                share = (world.track.shape[1] - 1 - x) / wx
                rows.append((x + share * wx, y + share * wy))
                break
            if not world.places[s, 2:].any() and (x, y) != tuple(world.places[s, :2]):
                rows.append((np.nan, np.nan))  # a crash
        rows.append((np.nan, np.nan))
        finished.append(over)
    return np.array(rows), np.array(finished)


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return per track: outline, optimal values of the starts, those of what was learned, early and in the end [runs, starts], drives."""
    found: dict[str, np.ndarray] = {}
    worlds = {name: racetrack(name) for name in TRACKS}
    for name, world in worlds.items():
        V = values(world, None)
        found[f"{name}_track"], found[f"{name}_best"] = world.track, V[world.starts]
        best = world.action_values(V).argmax(axis=1)
        found[f"{name}_optimal_drives"] = drives(world, best, lab.rng(0))[0]

    def learn(name: str, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        world, policies, first = worlds[name], [], []
        for _ in range(n):
            S = len(world.successor)
            Q, C, pi = np.full((S, 9), UNTRIED), np.zeros((S, 9)), (9 * rng.random(S)).astype(np.int64)
            for episodes in (settings.episodes // 50, settings.episodes - settings.episodes // 50):
                trial = Trial.of(world, episodes=episodes, limit=settings.limit, capacity=episodes)
                off_policy_mc_control(trial, pi, Q, C, settings.epsilon, 1.0, rng)
                first.append(pi.copy())
            policies.append(pi)
        return np.array(policies), np.array(first[::2])

    for name, (policies, first) in zip(TRACKS, lab.study(learn, TRACKS, settings.runs, chunk=1), strict=True):
        world = worlds[name]
        found[f"{name}_returns"] = np.array([values(world, pi)[world.starts] for pi in policies])
        found[f"{name}_early"] = np.array([values(world, pi)[world.starts] for pi in first])
        best = policies[found[f"{name}_returns"].mean(axis=1).argmax()]
        found[f"{name}_drives"], found[f"{name}_finished"] = drives(world, best, lab.rng(0))
    return found


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw both tracks with drives from five starts: learned, and optimal."""
    from matplotlib.colors import ListedColormap

    figure.set_size_inches(9.4, 6.4)
    for axes, name in zip(figure.subplots(1, 2, width_ratios=(17, 32)), TRACKS, strict=True):
        track = data[f"{name}_track"]
        rows, columns = track.shape
        colors = ListedColormap(["#ffffff", "#eeede7", "#f1dcb8", "#b5d0b6"])
        axes.imshow(track, origin="lower", cmap=colors, vmin=0, vmax=3, interpolation="none")
        axes.set_xticks(np.arange(-0.5, columns), [""] * (columns + 1))
        axes.set_yticks(np.arange(-0.5, rows), [""] * (rows + 1))
        axes.tick_params(length=0)
        axes.grid(color="#ffffff", linewidth=0.5)
        axes.spines[:].set_visible(False)
        for key, color, label, marker in (("optimal_drives", style.COLORS[1], "optimal", "o"), ("drives", style.COLORS[0], "learned", ".")):
            path = data[f"{name}_{key}"]
            axes.plot(path[:, 0], path[:, 1], color=color, marker=marker, markersize=3.5, linewidth=1.2, label=label, clip_on=False)
        axes.set_title(
            f"return {data[f'{name}_returns'][0].mean():.2f}, optimal {data[f'{name}_best'].mean():.2f}", fontsize=10, loc="left"
        )
        start, finish = np.argwhere(track == 2), np.argwhere(track == 3)
        axes.text(start[:, 1].mean(), -1.0, "starting line", ha="center", va="top", fontsize=9, color=style.INK)
        axes.text(columns + 0.2, finish[:, 0].mean(), "finish line", va="center", rotation=270, fontsize=9, color=style.INK)
    axes.legend(frameon=False, loc="lower right", title="without noise", alignment="left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what the exercise asks for: a policy near the optimum, and drives that reach the finish."""
    long = settings.episodes >= 1_000_000
    averages = [float(data[f"{name}_best"].mean()) for name in TRACKS]
    found = [equal("value iteration's best return is -11.695 on the left track", averages[0], -11.6946, 5e-4)]
    found += [equal("and -8.896 on the right one", averages[1], -8.8959, 5e-4)]
    for name in TRACKS:
        best, returns, early = data[f"{name}_best"], data[f"{name}_returns"], data[f"{name}_early"]
        finished = data[f"{name}_finished"]
        typical = float(np.median(best - returns, axis=1).min())
        found += [
            true(f"{name}: from no start is a policy better than the optimum", np.all(returns <= best + 1e-9)),
            less(f"{name}: from half of the starts the best run loses little to the optimum", typical, 1.5 if long else 4.0),
            less(f"{name}: more episodes made it better", float(early.mean()), float(returns.mean())),
            true(f"{name}: learned drives reach the finish", finished.mean() >= (1.0 if long else 0.6), f"{int(finished.sum())} of 5"),
        ]
    return found
