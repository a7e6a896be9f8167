"""Truncation: how long a window of training must be, and what stored memories and burn-in change.

A gradient flows back to the beginning of a window and no further. Left: DelayedBits, where what a memory of w coins is worth is known
exactly; a forecaster with a GRU learns from windows of w steps (`rlcourse.agents.deep.sequences`). Middle and right: DelayedCopy, where the
coin of k steps ago is named, by recurrent PPO for k = 3 and by a forecaster for k = 8. A dot is a run, a line their mean. What windows
from an empty memory taught is scored at the last step of a window, over all streams of coins there are: a window of at most k steps is a
guess, by construction. What stored memories taught is scored in the long run, with the memory carried on: state flows on beyond a window,
a gradient does not, so what they are worth in short windows follows from nothing: it is measured, and no claim is made of it. For k = 3
(seed 0), windows of 1, 2 and 3 steps named 0.63, 0.64 and 0.61 of the coins, and 0.95, 0.44 and 0.50 after a burn-in of 12 steps: what a
memory happens to hold can be read out of it, by windows of one step best, and not reliably.
The dotted line is the price of zero: a memory that is carried on after windows that all began empty was never taught to be of use.
The book level is one run of each; what is measured may differ with another seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import bits_cross_entropy, bits_streams, delayed_copy
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 200.0  # 400 of CPU, on two cores
SOLVED = 0.98  # share of right names
BURN_IN = 12  # longer than every lag
HANDLINGS: dict[str, dict[str, Any]] = {
    "zero": {"start": "zero"},
    "half-masked": {"start": "zero", "half_masked": True},
    "stored": {"start": "stored"},
    "stored, burned in": {"start": "stored", "burn_in": BURN_IN},
}
WINDOWS = {"bits": tuple(range(1, 13)), "copy 3": tuple(range(1, 7)), "copy 8": tuple(range(6, 13))}
AGENT: dict[str, Any] = {
    "memory": "gru",
    "memory_size": 32,
    "hidden": (32,),
    "n_steps": 48,
    "batch_size": 768,
    "n_epochs": 4,
    "gamma": 0.0,  # what an action does to the future is nothing
    "gae_lambda": 0.0,
    "learning_rate": 0.01,
}


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 1
    updates: Count = 1_200  # of the forecaster
    samples: Count = 1_000  # steps that count in one of them
    steps: Count = 50_000  # of the agent
    sweep: bool = True  # all handlings and windows; else those from zero on either side of a step


FAST = {"runs": 1, "updates": 500, "samples": 600, "steps": 30_000, "sweep": False}
FULL = {"runs": 5}
BESIDE = {"bits": (3, 4, 9), "copy 3": (3, 4)}  # windows on either side of a step


class Job(NamedTuple):
    """What is learned, how windows are handled, and how long they are."""

    task: str
    handling: str
    window: int
    seed: int
    settings: Settings


def jobs_of(settings: Settings, seeds: list[int]) -> list[Job]:
    """Return the runs, those of one seed together."""
    handlings = HANDLINGS if settings.sweep else ("zero",)
    windows = WINDOWS if settings.sweep else BESIDE
    found = [Job(task, handling, w, seed, settings) for seed in seeds for task in windows for handling in handlings for w in windows[task]]
    return [job for job in found if job.window > 1 or job.handling != "half-masked"]  # one step has no half


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return for each task what forecasts or actions are worth, [handlings, windows, runs, 2]; nan where nothing was learned.

    First at the last step of a window that begins with an empty memory, then in the long run, with the memory carried on.
    """
    seeds = [1000 * lab.seed + i for i in range(settings.runs)]
    jobs = jobs_of(settings, seeds)
    data = {task: np.full((len(HANDLINGS), len(WINDOWS[task]), settings.runs, 2), np.nan) for task in WINDOWS}
    for job, found in zip(jobs, lab.spread(learned, jobs), strict=True):
        place = list(HANDLINGS).index(job.handling), WINDOWS[job.task].index(job.window), seeds.index(job.seed)
        data[job.task][place] = found
    return {task.replace(" ", "_"): worths for task, worths in data.items()}


def streams(task: str, steps: int, copies: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return coins [steps, copies], and how probable a 1 is of the bit to be forecast."""
    if task == "bits":
        return bits_streams(steps, copies, rng)
    lag = int(task.split()[1])
    coins = rng.integers(0, 2, (lag + steps, copies))
    return coins[lag:], coins[:steps].astype(float)


def learned(job: Job) -> tuple[float, float]:
    """Learn; return what it is worth at the last step of a window from an empty memory, and in the long run.

    That is the cross-entropy of DelayedBits, nats, or the share of right names in DelayedCopy. The former is exact: all streams of coins
    are gone through. The latter is measured on 2,000 streams, from the 25th step on.
    """
    learner = agent(job) if job.task == "copy 3" else forecaster(job)
    coins, probable = every_stream(job.task, job.window)
    at_last = worth(job.task, said(learner, coins[-job.window :])[-1], probable)
    coins, probable = streams(job.task, 48, 2_000, np.random.default_rng(job.seed))
    return at_last, worth(job.task, said(learner, coins)[24:], probable[24:])


def forecaster(job: Job) -> Any:
    """Train a forecaster, of DelayedBits or of the coin that is to be named."""
    import gymnasium as gym

    from rlcourse.pretraining import Forecaster, fit_forecaster

    s, handling = job.settings, HANDLINGS[job.handling]
    copies = s.samples // (job.window - (job.window // 2 if job.handling == "half-masked" else 0))
    model = Forecaster(gym.spaces.Discrete(2), memory="gru", seed=job.seed)
    settings = {"updates": s.updates, "sequence_length": job.window, "learning_rate": 0.02, "seed": job.seed} | handling
    fit_forecaster(model, lambda rng: streams(job.task, 96, copies, rng), **settings)
    return model


def agent(job: Job) -> Any:
    """Train recurrent PPO in DelayedCopy with a lag of 3."""
    from rlcourse.agents import RecurrentPPO

    env = WorldVectorEnv(delayed_copy(3), 32, 100, copy=False)
    return RecurrentPPO(env, seed=job.seed, sequence_length=job.window, **AGENT | HANDLINGS[job.handling]).learn(job.settings.steps)


def said(learner: Any, coins: np.ndarray) -> np.ndarray:
    """Return probabilities of a 1, or names, [T, B] of who sees coins [T, B], from an empty memory."""
    found, state = [], None
    for row in coins:
        actions, state = learner.predict(row, state)
        found.append(actions.reshape(len(row)))
    return np.array(found)


def every_stream(task: str, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all streams of coins that a window and its forecast depend on, [steps, 2 ** steps], and what is probable after each."""
    steps = max(window, 9 if task == "bits" else int(task.split()[1]) + 1)
    coins = np.arange(2**steps) >> np.arange(steps)[:, None] & 1
    return coins, 0.5 + coins[-4] / 2 - coins[-9] / 4 if task == "bits" else coins[-1 - int(task.split()[1])].astype(float)


def worth(task: str, said: np.ndarray, probable: np.ndarray) -> float:
    """Return the cross-entropy of forecasts, every case of what they depend on as often, or the share of right names."""
    if task != "bits":
        return float(np.mean((said > 0.5) == (probable == 1.0)))
    p = np.clip(said.astype(float), 1e-7, 1 - 1e-7)
    score = -(probable * np.log(p) + (1 - probable) * np.log(1 - p))
    return float(np.mean([score[probable == q].mean() for q in (0.25, 0.5, 0.75, 1.0)]))


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw what a window is worth: in DelayedBits, and in DelayedCopy for both lags."""
    tasks = [task for task in WINDOWS if np.isfinite(data[task.replace(" ", "_")]).any()]
    figure.set_size_inches(4.2 + 4.1 * (len(tasks) - 1), 4.9)
    axes = figure.subplots(1, len(tasks), width_ratios=(1.35, 1, 1)[: len(tasks)])
    style.panel(axes[0], "DelayedBits, a forecaster", "steps of a window", "cross-entropy, nats")
    for value, text, side in (
        (0.6616, "neither lag: 0.6616", "right"),
        (0.5192, "lag 3: 0.5192", "left"),
        (0.4545, "both: 0.4545", "left"),
    ):
        style.reference(axes[0], value, text, side)
    titles = ("DelayedCopy, lag 3: recurrent PPO", "lag 8: a forecaster")
    for panel, title, label in zip(axes[1:], titles, ("share of coins named right", ""), strict=False):
        style.panel(panel, title, "steps of a window", label)
    for panel, task in zip(axes, tasks, strict=True):
        _worths(panel, task, data[task.replace(" ", "_")])
    axes[0].set_ylim(0.435, 0.745)
    for panel in axes[1:]:
        panel.set_ylim(0.44, 1.04)
        style.reference(panel, 0.5, "a guess", above=False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, fontsize=8.5, loc="outside upper center", ncols=3 if len(tasks) < 3 else len(labels))


def _worths(axes: Any, task: str, worths: np.ndarray) -> None:
    """Draw the worth of every handling over windows: of windows from zero as they were trained, of stored memories in the long run."""
    windows = np.array(WINDOWS[task])
    steps = (3.5, 8.5) if task == "bits" else (float(task.split()[1]) + 0.5,)
    for at in steps:
        axes.axvline(at, color=style.LIGHT, linewidth=6, zorder=0)
    lines = [(i, 0 if i < 2 else 1, name, "-") for i, name in enumerate(HANDLINGS)] + [(0, 1, "zero, the memory carried on", ":")]
    for i, which, name, kind in lines:
        learned_at = np.isfinite(worths[i, :, :, which]).any(axis=1)
        if learned_at.any():
            x, y = windows[learned_at] + 0.07 * (i - 1.5), worths[i, learned_at, :, which]
            label = f"{name}, at its last step" if which == 0 else name
            axes.plot(x, y.mean(axis=1), kind, color=style.COLORS[i], linewidth=1.5, marker="o", markersize=3.5, label=label)
            axes.plot(np.repeat(x, y.shape[1]), y.ravel(), "o", color=style.COLORS[i], alpha=0.35, markersize=3, markeredgewidth=0)
    axes.set_xticks(windows)


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what holds by construction, and what was learned."""
    windows, bits = np.array(WINDOWS["bits"]), data["bits"]
    best = np.array([bits_cross_entropy(range(w)) for w in windows])
    gap = bits[0, :, :, 0] - best[:, None]  # [windows, runs]
    found = [
        true("no forecast from zero is better than what its window holds", np.nanmin(gap) > -1e-6, f"at least {np.nanmin(gap):+.5f} nats"),
    ]
    for value, low, high in ((0.6616, 1, 3), (0.5192, 4, 8), (0.4545, 9, 12)):
        mine = bits[0, (windows >= low) & (windows <= high), :, 0]
        off = float(np.nanmax(np.abs(mine - value)))
        found.append(true(f"windows of {low} to {high} reach {value} nats, within 0.01", off <= 0.01, f"at most {off:.4f} off"))
    for task in ("copy 3", "copy 8"):
        found += _copied(data[task.replace(" ", "_")], int(task.split()[1]), np.array(WINDOWS[task]))
    return found


def _copied(worths: np.ndarray, lag: int, windows: np.ndarray) -> list[Claim]:
    """Return what is claimed of one lag; worths [handlings, windows, runs, 2]."""
    short, zero = worths[:, windows <= lag], worths[0, windows > lag]
    if np.isnan(zero).all():
        return []
    from_zero = short[:2, :, :, 0]
    off, low = float(np.nanmax(np.abs(from_zero - 0.5))), float(np.nanmin(zero[..., 0]))
    long = float(np.nanmax(zero[0, :, 1]))
    return [
        true(f"lag {lag}: windows from zero of at most {lag} steps are a guess, exactly", off == 0.0, f"at most {off:.3g} off"),
        true(f"lag {lag}: those of {lag + 1} and more solve it at their last step", low >= SOLVED, f"at least {low:.4f}"),
        true(f"lag {lag}: who goes on with a memory does not profit from {lag + 1} steps", long < SOLVED, f"at most {long:.3f}"),
    ]
