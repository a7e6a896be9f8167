"""Encoders side by side: from the pixels of PixelCatch, and on the board of SmallBreakout.

PPO with the settings of the presets `pixelcatch` and `smallbreakout`; nothing but the encoder differs. Left: the return of the greedy
policy in PixelCatch, exact, since an episode depends on it and on the ball's five columns alone; a run ends where all five are caught, and
is drawn on from there. Right: the returns while training (so with a policy that explores) in SmallBreakout, averaged over the episodes
that ended in each twentieth of the steps. `python benchmarks/pixels.py` measures more seeds, to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse import presets
from rlcourse.core.config import Config, Count
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import SmallBreakout, pixel_catch
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, Estimate, less, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "greedy_return", "run"]

BOARD = ("minatar", "notes-mnist")  # encoders of the right panel
BINS = 20  # of its steps
CHANCE = -0.6  # of PixelCatch: one ball in five


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    encoders: tuple[str, ...] = ("lenet5", "minatar", "notes-mnist", "impala", "notes-cifar", "deep-mnist")
    runs: Count = 3
    catch_steps: Count = 30_000
    every: Count = 1_440  # steps between evaluations, left
    breakout_steps: Count = 200_000


FAST = {"encoders": ("lenet5", "notes-mnist"), "runs": 1, "every": 1_152, "breakout_steps": 10_000}
FULL = {"runs": 10}
SECONDS = 400


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return steps [M] and greedy returns [E, runs, M] of PixelCatch; steps [B] and training returns [2, runs, B] of SmallBreakout."""
    seeds = [1000 * lab.seed + i for i in range(settings.runs)]
    breakout = [("smallbreakout", name, seed, settings.breakout_steps, 0) for name in BOARD for seed in seeds]
    catch = [("pixelcatch", name, seed, settings.catch_steps, settings.every) for name in reversed(settings.encoders) for seed in seeds]
    found = lab.spread(_learn, breakout + catch)  # the longest first
    caught = np.reshape(found[len(breakout) :], (len(settings.encoders), settings.runs, -1))[::-1]
    return {
        "catch_steps": settings.every * np.arange(caught.shape[2]),
        "caught": caught,
        "breakout_steps": settings.breakout_steps / BINS * (0.5 + np.arange(BINS)),
        "broken": np.reshape(found[: len(breakout)], (len(BOARD), settings.runs, BINS)),
        "random": np.array(_random_return(lab)),
    }


def _learn(job: tuple[str, str, int, int, int]) -> np.ndarray:
    """Train one run; return greedy returns where it is evaluated `every` so many steps, else training returns, shape [BINS]."""
    from rlcourse.agents import PPO

    name, encoder, seed, steps, every = job
    preset = presets.load(name)
    agent = PPO(preset.env, **preset.agents["ppo"] | {"encoder": encoder, "seed": seed, "device": "cpu"})
    if not every:
        agent.learn(steps)
        bins = np.minimum(BINS * (agent.history["timesteps"] - 1) // steps, BINS - 1).astype(int)
        counts = np.maximum(np.bincount(bins, minlength=BINS), 1)
        return np.bincount(bins, agent.history["return"], minlength=BINS) / counts
    greedy = [greedy_return(agent)]

    def caught_all(agent: Any) -> bool:
        if agent.num_timesteps >= every * len(greedy):
            greedy.append(greedy_return(agent))
        return greedy[-1] < 1.0

    agent.learn(steps, callback=caught_all)
    return np.array(greedy + [greedy[-1]] * (1 + steps // every - len(greedy)))[: 1 + steps // every]


def _random_return(lab: Lab, copies: int = 2000, steps: int = 200) -> tuple[float, float]:
    """Return mean and standard error of a random policy's return in the first episode of so many copies of SmallBreakout."""
    envs, rng = WorldVectorEnv(SmallBreakout(), copies), lab.rng(0)
    envs.reset(seed=int(rng.integers(2**31)))
    returns, going = np.zeros(copies), np.ones(copies, bool)
    for _ in range(steps):  # nearly all have missed by then
        _, rewards, missed, *_ = envs.step(rng.integers(0, 3, copies))
        returns += going * rewards
        going &= ~missed
    return float(returns.mean()), float(returns.std() / np.sqrt(copies))


def greedy_return(agent: Any) -> float:
    """Return the mean return of the greedy policy over the five columns in which the ball can begin."""
    game = pixel_catch()
    states: list[Any] = [(float(column), 0.0, 2.0, 0.0) for column in range(5)]
    total, over = 0.0, False
    while not over:
        actions = agent.predict(np.stack([game.observe(state) for state in states]), deterministic=True)[0]
        outcomes = [game.step(state, int(action), None) for state, action in zip(states, actions, strict=True)]
        states, over = [after for after, *_ in outcomes], outcomes[0][2]
        total += sum(reward for _, reward, *_ in outcomes)
    return total / len(states)


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw returns against steps: one curve an encoder."""
    figure.set_size_inches(10.6, 4.2)
    left, right = figure.subplots(1, 2)
    style.panel(left, "PixelCatch, 28 × 28 pixels: greedy policy", "steps", "return")
    for i, name in enumerate(settings.encoders):
        style.curve(left, data["catch_steps"], data["caught"][i], name, style.COLORS[i], interval=False, marker="o", markersize=2.5)
    style.reference(left, CHANCE, "random policy, exact", above=False)
    solved = int(np.argmax((data["caught"] == 1.0).all(axis=(0, 1))))
    left.set(xlim=(0, data["catch_steps"][solved or -1] * 1.05), ylim=(-1.08, 1.08))
    left.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.24))
    style.panel(right, "SmallBreakout, 10 × 10 cells: while training", "steps", "return of an episode")
    for i, name in enumerate(BOARD):
        color = style.COLORS[settings.encoders.index(name) if name in settings.encoders else len(settings.encoders)]
        style.curve(right, data["breakout_steps"], data["broken"][i], name, color)
    style.reference(right, float(data["random"][0]), "random policy")
    right.set(xlim=(0, settings.breakout_steps), ylim=(0, None))
    right.legend(frameon=False, fontsize=8, loc="upper left")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what must hold."""
    last = data["caught"][:, :, -1]
    found = [
        true(
            f"with {name} all runs catch every ball within {settings.catch_steps:,} steps",
            (last[i] >= 0.95).all(),
            f"greedy returns {', '.join(f'{value:.2f}' for value in last[i])}",
        )
        for i, name in enumerate(settings.encoders)
    ]
    found.append(
        true(
            "before learning no run catches more than three balls in five", (data["caught"][:, :, 0] <= 0.2 + 1e-9).all(), "greedy returns"
        )
    )
    random, random_error = data["random"]
    found.append(less("a random policy breaks less than one brick an episode in SmallBreakout", Estimate(random, random_error), 1.0))
    if settings.breakout_steps >= 200_000:
        end = data["broken"][:, :, -1]
        found += [
            true(
                f"with {name} every run breaks more than three times as many bricks in the end",
                (end[i] > 3 * random).all(),
                f"{', '.join(f'{value:.1f}' for value in end[i])} against {random:.2f}",
            )
            for i, name in enumerate(BOARD)
        ]
    return found
