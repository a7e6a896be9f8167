"""Depth: stacks of LSTMs with and without residual connections, after the same number of updates.

Translators learn to sort 5 to 10 of 20 letters by imitation (`rlcourse.pretraining.Translator`), all with the same settings and 32 units
a layer: the stack of Google's translator (Wu et al. 2016) with 1, 2, 4 and 8 layers in each half, the first of which reads from both ends.
From the third on a residual layer adds its inputs to its outputs; a plain one does not. Below, left: why. Before learning, the gradient at
the lower layers of a plain stack has all but vanished. Right: one LSTM each with Luong's attention (2015), by score, with and without input
feeding, and without attention. Six runs: plain stacks of 1, 2, 4 and 8 layers come to 0.95, 0.90, 0.63 and 0.44 of the signs, residual ones
of 4 and 8 to 0.95 and 0.90. So depth can be had, but gains nothing here, where one layer will do; that 8 layers translate better than 4 was
seen with 1,024 units. Attention gains 0.11 to 0.13; between its scores, and by input feeding, no difference is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.config import Config, Count
from rlcourse.figures import style
from rlcourse.figures.claims import ERRORS, Claim, less, mean, true
from rlcourse.figures.experiment import Lab

__all__ = ["FAST", "FULL", "SECONDS", "Settings", "claims", "draw", "run"]

SECONDS = 250.0
RESIDUAL_FROM = 3
WITHIN = 0.05  # of the share of right signs: as good
SCORES = (None, "dot", "general", "concat")


@dataclass(frozen=True)
class Settings(Config):
    """What the figure is made with."""

    runs: Count = 6
    depths: tuple[int, ...] = (1, 2, 4, 8)
    letters: Count = 20
    longest: Count = 10
    shortest: Count = 5
    hidden: Count = 32
    updates: Count = 300
    every: Count = 20  # updates between evaluations
    batch_size: Count = 64
    learning_rate: float = 3e-3
    attention: bool = True  # whether scores of attention are compared too


FAST = {
    "runs": 3, "depths": (4, 8), "letters": 8, "longest": 6, "shortest": 1, "hidden": 16, "updates": 40, "every": 40, "batch_size": 32,
    "learning_rate": 4e-3, "attention": False,
}  # fmt: skip
FULL = {"runs": 20, "updates": 1_000}


def stacks(settings: Settings) -> list[tuple[int, bool]]:
    """Return depth and whether residual, of every stack; below the third layer there is nothing to add."""
    return [(depth, residual) for depth in settings.depths for residual in (False, True) if not residual or depth >= RESIDUAL_FROM]


def attentions() -> list[tuple[str | None, bool]]:
    """Return score and whether input is fed, of every kind of attention."""
    return [(score, feeding) for score in SCORES for feeding in (False, True) if score or not feeding]


def run(settings: Settings, lab: Lab) -> dict[str, np.ndarray]:
    """Return updates [M], accuracies of the stacks [stacks, runs, M] and of attention [kinds, runs, M], and norms of the gradient.

    Accuracies are shares of right signs by greedy decoding. The norms [2, runs, layers] are those at the layers that read, of the deepest
    stack, plain and residual, before learning.
    """
    from rlcourse.figures.torch_imitation import Lessons, imitated

    seeds = range(lab.seed, lab.seed + settings.runs)
    chosen = [(("name", "gnmt"), ("layers", depth), ("residual_from", RESIDUAL_FROM * residual)) for depth, residual in stacks(settings)]
    kinds = [(("bi_first", False), ("score", score), ("input_feeding", feeding)) for score, feeding in attentions()]
    lessons = Lessons(*(getattr(settings, field) for field in Lessons._fields))
    jobs = [(options, seed, lessons) for options in chosen + kinds * settings.attention for seed in seeds]
    found = lab.spread(imitated, jobs)
    curves = np.array([curve for curve, _ in found]).reshape(-1, settings.runs, len(found[0][0]))
    deepest = [norms for _, norms in found[: settings.runs * len(chosen)]][-2 * settings.runs :]
    return {
        "updates": settings.every * np.arange(curves.shape[2]),
        "stacks": curves[: len(chosen)],
        "attention": curves[len(chosen) :],
        "norms": np.array(deepest).reshape(2, settings.runs, -1),
    }


def draw(figure: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    """Draw learning curves, what they come to by depth, gradients by layer, and kinds of attention."""
    figure.set_size_inches(10.4, 7.6 if settings.attention else 7.2)
    (curves, depth), (gradient, scores) = figure.subplots(2, 2)
    style.panel(curves, f"sorting {settings.shortest} to {settings.longest} letters", "updates", "share of right signs")
    for (layers, residual), rows in zip(stacks(settings), data["stacks"], strict=True):
        style.curve(curves, data["updates"], rows, _name(layers, residual), _color(layers), linestyle="-" if residual else "--")
    curves.set_ylim(0, 1.02)
    curves.legend(frameon=False, fontsize=8, ncols=2, loc="upper left" if not settings.attention else "lower right")
    _draw_depth(depth, data, settings)
    style.panel(gradient, f"{settings.depths[-1]} layers, before learning", "layer that reads", "norm of its gradient")
    numbers = np.arange(1, data["norms"].shape[2] + 1)
    for rows, label, look in zip(data["norms"], ("plain", "residual"), ("--", "-"), strict=True):
        gradient.plot(numbers, np.exp(np.log(rows).mean(axis=0)), look, marker="o", color=_color(settings.depths[-1]), label=label)
    gradient.set_yscale("log")
    gradient.legend(frameon=False, fontsize=8.5, handlelength=4.0)
    if settings.attention:
        _draw_attention(scores, data, settings)
    else:
        scores.axis("off")


def _draw_depth(axes: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    style.panel(axes, f"after {settings.updates} updates", "layers in each half", "share of right signs")
    last = data["stacks"][:, :, -1]
    for residual, look, color in ((False, "--", style.GREY), (True, "-", style.INK)):
        rows = [i for i, (depth, kind) in enumerate(stacks(settings)) if kind == residual or (residual and depth == RESIDUAL_FROM - 1)]
        depths = [stacks(settings)[i][0] for i in rows]
        axes.plot(depths, last[rows].mean(axis=1), look, color=color, label="residual" if residual else "plain")
        for i, depth in zip(rows, depths, strict=True):
            axes.plot(np.full(last.shape[1], depth), last[i], "o", color=_color(depth), alpha=0.4, markersize=4, markeredgewidth=0)
    style.log2_axis(axes, [int(np.log2(depth)) for depth in settings.depths])
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, fontsize=8.5)


def _draw_attention(axes: Any, data: dict[str, np.ndarray], settings: Settings) -> None:
    style.panel(axes, f"one layer each, after {settings.updates} updates", "score of the attention", "share of right signs")
    for i, (score, feeding) in enumerate(attentions()):
        rows, x = data["attention"][i, :, -1], SCORES.index(score) + (0.14 if feeding else -0.14) * (score is not None)
        color = style.COLORS[1] if feeding else style.COLORS[0] if score else style.GREY
        label = {1: "without input feeding", 2: "with input feeding"}.get(i)
        axes.plot(np.full(len(rows), x), rows, "o", color=color, alpha=0.4, markersize=4, markeredgewidth=0)
        axes.plot((x - 0.11, x + 0.11), [rows.mean()] * 2, color=color, linewidth=2, label=label)
    axes.set_xticks(range(len(SCORES)), ["none", *SCORES[1:]])
    axes.legend(frameon=False, fontsize=8.5, loc="lower right")


def _name(layers: int, residual: bool) -> str:
    return f"{layers} layer{'s' if layers > 1 else ''}{', residual' if residual else ', plain' if layers >= RESIDUAL_FROM else ''}"


def _color(layers: int) -> str:
    return style.COLORS[{1: 4, 2: 2, 4: 0, 8: 3}.get(layers, 1)]


def claims(data: dict[str, np.ndarray], settings: Settings) -> list[Claim]:
    """Return what depth costs, and what residual connections save."""
    last = {stack: rows[:, -1] for stack, rows in zip(stacks(settings), data["stacks"], strict=True)}
    plain = {depth: rows for (depth, residual), rows in last.items() if not residual}
    deepest = settings.depths[-1]
    found = [
        less(f"{depth} layers: residual ones are ahead of plain ones", 0.0, mean(last[depth, True] - plain[depth]))
        for depth, residual in last
        if residual
    ]
    found += [
        less(f"the plain stack of {deepest} layers is worse than {_name(*stack)}", mean(plain[deepest] - rows), 0.0)
        for stack, rows in last.items()
        if stack[0] != deepest and settings.updates >= 100  # before, plain ones have all learned little
    ]
    more = mean(last[8, True] - last[4, True])
    worst = -WITHIN - ERRORS * more.error
    found.append(true("8 residual layers come within 0.05 of 4, up to the error", more.mean >= worst, f"{more}, at least {worst:.2g}"))
    if settings.updates >= 100:
        costs = [last[4, residual] - last[8, residual] for residual in (True, False)]
        found.append(less("from 4 to 8 layers plain stacks lose more than residual ones", mean(costs[0] - costs[1]), 0.0))
    first = np.log(data["norms"][:, :, 0] / data["norms"][:, :, -1])  # [2, runs] of the first layer against the last
    found.append(less("residual connections hand the gradient down: more of it gets to the first layer", mean(first[0]), mean(first[1])))
    if settings.attention:
        at = {kind: rows[:, -1] for kind, rows in zip(attentions(), data["attention"], strict=True)}
        found += [
            less(f"attention by {score} is ahead of none", 0.0, mean(at[score, False] - at[None, False])) for score in SCORES if score
        ]
    return found
