"""Gradient clipping: by norm it keeps the direction, by value it does not; and what it saves.

A gradient that runs back through time can explode (Pascanu, Mikolov & Bengio 2013). The notes clip in two ways: the whole gradient to a
norm, g <- g min(1, theta / |g|), or each element to a magnitude. Above: every update of recurrent PPO on CartPole with hidden velocities.
Below, left: the LSTM by hand is to remember the first of ten signs; plain gradient descent diverges where the learning rate is large,
and clipped it learns, up to a point. Right: PPO at thirty times its learning rate. Clipping saves little there, because the steps of
Adam hardly depend on the gradient's scale: how many runs end no better than chance is reported, and no claim is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import Claim, less, mean, true
from rlcourse.figures.experiment import Lab
from rlcourse.nn_numpy import LSTM, MLP, SGD, squared_error
from rlcourse.presets import load as preset

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 200.0
CLIPS = ("none", "by value", "by norm")
NORM, VALUE = 0.5, 0.1  # PPO's default norm; a magnitude that some elements of its gradients exceed
RATES = (0.3, 1.0, 2.0, 3.0)  # of plain gradient descent
RATE, FACTOR = 1e-3, 30.0  # PPO's learning rate, and what it is multiplied by
CHANCE = 22.0  # the return of random actions on CartPole


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 20
    steps: Count = 12_288  # of recurrent PPO
    batches: Count = 300  # of plain gradient descent


FAST = {"runs": 3, "steps": 2_048, "batches": 200}
FULL = {"steps": 50_000}


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return norms, cosines, elements and returns of PPO [factor, clip, runs, ...], and losses of descent [clip, rate, runs]."""
    seeds = range(lab.seed, lab.seed + settings.runs)
    agents = [
        (clip, factor, seed, settings.steps)
        for factor in (1.0, FACTOR)
        for clip in CLIPS
        for seed in seeds
        if factor > 1 or seed == lab.seed
    ]
    found = lab.spread(acted, agents)
    usual, fast = found[: len(CLIPS)], found[len(CLIPS) :]
    descents = [(clip, rate, seed, settings.batches) for clip in CLIPS for rate in RATES for seed in seeds]
    return {
        "updates": np.array([trace for _, _, trace in usual]),  # [clip, updates, 4] of one run at the usual rate
        "fast_updates": np.array([trace for _, _, trace in fast[:: settings.runs]]),  # [clip, updates, 4] of one at thirty times
        "returns": np.array([score for score, _, _ in fast]).reshape(len(CLIPS), -1),
        "finite": np.array([finite for _, finite, _ in fast]).reshape(len(CLIPS), -1),
        "losses": np.array(lab.spread(descended, descents)).reshape(len(CLIPS), len(RATES), -1),
    }


def acted(job: tuple[str, float, int, int]) -> tuple[float, bool, np.ndarray]:
    """Train recurrent PPO; return the mean of its last 20 returns, whether it stayed finite, and of each update [U, 4] numbers.

    These are the norm before clipping, the norm after it, the cosine of both gradients, and the largest element after it.
    """
    from rlcourse.agents import RecurrentPPO

    clip, factor, seed, steps = job
    settings = preset("maskedcartpole").agents["recurrent_ppo"] | {"learning_rate": RATE * factor}
    limits = {"max_grad_norm": NORM if clip == "by norm" else None, "max_grad_value": VALUE if clip == "by value" else None}
    agent = RecurrentPPO("rlcourse/MaskedCartPole-v1", seed=seed, **settings | limits)
    trace: list[tuple[float, ...]] = []
    optimizer: Any = agent.optimizer
    descend = optimizer.descend

    def watched(learning_rate: float) -> None:
        before = optimizer.gradient.numpy().astype(float)
        descend(learning_rate)
        after = optimizer.gradient.numpy().astype(float)
        norms = float(np.linalg.norm(before)), float(np.linalg.norm(after))
        trace.append((*norms, float(before @ after) / (norms[0] * norms[1] + 1e-30), float(np.abs(after).max())))

    optimizer.descend = watched
    try:
        agent.learn(steps)
        finite = True
    except FloatingPointError:
        finite = False
    return float(agent.history["return"][-20:].mean()), finite, _padded(trace, steps)


def _padded(trace: list[tuple[float, ...]], steps: int) -> np.ndarray:
    """Return the trace with nan for updates that a run which diverged did not come to: 20 in each rollout of 256 steps."""
    rows = np.full((20 * -(-steps // 256), 4), np.nan)
    rows[: len(trace)] = trace[: len(rows)]
    return rows


def descended(job: tuple[str, float, int, int]) -> float:
    """Let the LSTM by hand learn by plain gradient descent; return its loss in the end, infinite where it diverged; guessing costs 0.5."""
    clip, rate, seed, batches = job
    rng = np.random.default_rng(seed)
    lstm, head = LSTM(1, 16, rng), MLP((16, 1), rng)
    sgd, losses = SGD([*lstm.parameters, *head.parameters]), []
    with np.errstate(all="ignore"):
        for _ in range(batches):
            signs = rng.choice([-1.0, 1.0], size=(10, 32, 1))  # [T, B, 1]
            outputs, _ = lstm.forward(signs)
            loss, slope = squared_error(head.forward(outputs[-1]), signs[0])
            if not loss < 1e6:
                return float("inf")
            d_outputs = np.zeros_like(outputs)
            d_outputs[-1] = head.backward(slope)
            lstm.backward(d_outputs)
            sgd.step(clipped([*lstm.gradients, *head.gradients], clip), rate)
            losses.append(loss)
    return float(np.mean(losses[-20:]))


def clipped(gradients: list[np.ndarray], clip: str) -> list[np.ndarray]:
    """Return gradients clipped: all of them to one norm, or each element."""
    if clip == "by value":
        return [np.clip(g, -VALUE, VALUE) for g in gradients]
    norm = np.sqrt(sum(float((g * g).sum()) for g in gradients))
    scale = min(1.0, NORM / (norm + 1e-12)) if clip == "by norm" else 1.0
    return [scale * g for g in gradients]


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw norms and cosines of the updates, losses of descent, and returns at thirty times the learning rate."""
    figure.set_size_inches(10.8, 7.2)
    (top, cosine), (left, right) = figure.subplots(2, 2)
    number = np.arange(1, data["updates"].shape[1] + 1)
    style.panel(top, "norm of the gradient before clipping", "update", "norm")
    top.plot(
        number, data["fast_updates"][0, :, 0], color=style.COLORS[3], linewidth=0.6, alpha=0.8, label=f"learning rate {RATE * FACTOR:g}"
    )
    top.plot(number, data["updates"][0, :, 0], color=style.COLORS[0], linewidth=0.6, label=f"learning rate {RATE:g}")
    top.set_yscale("log")
    style.reference(top, NORM, f"clipped to {NORM:g}")
    top.legend(frameon=False, fontsize=8.5, loc="upper right")
    style.panel(cosine, "direction: cosine of the clipped and the whole gradient", "update", "cosine")
    for i, clip in ((1, CLIPS[1]), (2, CLIPS[2])):
        cosine.plot(number, data["updates"][i, :, 2], ".", markersize=2.5, color=style.COLORS[i], label=clip)
    cosine.legend(frameon=False, fontsize=8.5, loc="lower right", markerscale=4)
    style.panel(left, "plain descent, LSTM by hand: loss in the end", "learning rate", "loss, at most 1; a cross has diverged")
    for i, clip in enumerate(CLIPS):
        rates, losses = np.array(RATES) * (0.92, 1.0, 1.087)[i], data["losses"][i]
        gone = np.isinf(losses)
        for j, rate in enumerate(rates):
            kept = np.minimum(losses[j][~gone[j]], 1.0)
            left.plot(np.full(len(kept), rate), kept, "o", color=style.COLORS[i], alpha=0.3, markersize=4.5, markeredgewidth=0)
            left.plot(np.full(gone[j].sum(), rate), np.full(gone[j].sum(), 1.08), "x", color=style.COLORS[i], alpha=0.6, markersize=6)
        left.plot(rates, np.minimum(losses, 1.0).mean(axis=1), "-", color=style.COLORS[i], linewidth=1.4, label=clip)
    left.set_xscale("log")
    left.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
    left.minorticks_off()
    style.reference(left, 0.5, "guessing", side="left")
    left.legend(frameon=False, fontsize=8.5, loc="center left", bbox_to_anchor=(0.0, 0.72))
    _draw_returns(right, data, settings)


def _draw_returns(axes: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    style.panel(axes, f"recurrent PPO, learning rate {RATE * FACTOR:g}: after {settings.steps:,} steps", "", "mean of the last 20 returns")
    jitter = np.linspace(-0.18, 0.18, data["returns"].shape[1])
    for i, returns in enumerate(data["returns"]):
        axes.plot(i + jitter, returns, "o", color=style.COLORS[i], alpha=0.45, markersize=5, markeredgewidth=0)
        axes.plot([i - 0.25, i + 0.25], [returns.mean()] * 2, "-", color=style.COLORS[i], linewidth=2)
        lost, gone = int((returns <= CHANCE).sum()), int((~data["finite"][i]).sum())
        text = f"{lost} of {len(returns)} no better\nthan chance, {gone} infinite"
        axes.annotate(text, (i, 1.0), xycoords=("data", "axes fraction"), ha="center", va="top", fontsize=8, color=style.INK)
    axes.set_xticks(range(3), CLIPS)
    axes.set_ylim(0, 1.3 * max(60.0, data["returns"].max()))
    style.reference(axes, CHANCE, "chance")


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what clipping does to a gradient, and what it saves plain descent from."""
    every = np.concatenate([data["updates"], data["fast_updates"]], axis=1)  # [clip, updates, 4]
    turned = np.nanmin(every[:, :, 2], axis=1)  # smallest cosines
    losses, diverged = np.minimum(data["losses"], 1.0), np.isinf(data["losses"])  # [clip, rates, runs]
    at_2 = RATES.index(2.0)
    return [
        true(
            "clipping by norm keeps the direction", np.nanmin(every[2, :, 2]) > 1 - 1e-6, f"smallest cosine {np.nanmin(every[2, :, 2]):.8f}"
        ),
        true("clipping by value turns it", turned[1] < 0.95, f"smallest cosine {turned[1]:.3f}"),
        true("no norm is left above the limit", np.nanmax(every[2, :, 1]) <= NORM * (1 + 1e-5), f"at most {np.nanmax(every[2, :, 1]):.6f}"),
        true("nor any element", np.nanmax(every[1, :, 3]) <= VALUE * (1 + 1e-5), f"at most {np.nanmax(every[1, :, 3]):.6f}"),
        true(
            "descent without clipping mostly diverges at 2", diverged[0, at_2].mean() > 0.5, f"{diverged[0, at_2].mean():.0%} of the runs"
        ),
        true("clipped descent stays finite at every rate", not diverged[1:].any(), f"{diverged[1:].sum()} of {diverged[1:].size} runs"),
        less("at 2 it is learned with clipping by value", mean(losses[1, at_2]), 0.25),
        less("and by norm", mean(losses[2, at_2]), 0.25),
    ]
