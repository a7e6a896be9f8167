"""Pictures and text of trials of classical conditioning: one time line a stimulus, and where we are."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.envs.canvas import BLUE, GREY, INK, OCHRE, ORANGE, Canvas

__all__ = ["names_of", "shown_steps", "time_lines", "time_lines_text"]

LEFT, WIDTH, ROW, HIGH = 70.0, 520.0, 46, 22.0  # pixels


def names_of(world: Any) -> list[str]:
    """Return what the time lines are called: CSA, CSB, ..., US."""
    return [*(f"CS{chr(ord('A') + i)}" for i in range(world.stimuli.shape[2])), "US"]


def shown_steps(world: Any) -> int:
    """Return how many time steps of a trial hold anything, and a few more."""
    present = np.flatnonzero(np.any(world.stimuli > 0, axis=(0, 2)) | np.any(world.us > 0, axis=0))
    return int(min(world.us.shape[1], present.max() + 5)) if len(present) else world.us.shape[1]


def time_lines(world: Any, state: Any, action: Any = None, values: Any = None) -> np.ndarray:
    """Draw the time lines of a trial.

    Parameters
    ----------
    world : ConditioningTrials
    state : int
        Kind of the trial, and the time, which is marked.
    action : object
        Not looked at.
    values : array_like of float, shape [S], optional
        Predictions, drawn as another line below.
    """
    k, t = divmod(int(state), world.us.shape[1])
    names, steps = names_of(world), shown_steps(world)
    rows = len(names) + (values is not None)
    canvas, wide = Canvas(int(LEFT + WIDTH) + 20, ROW * rows + 34), WIDTH / steps
    for i, name in enumerate(names):
        line = world.us[k] if name == "US" else world.stimuli[k, :, i]
        _line(canvas, ROW * (i + 1), name, line[:steps], wide, ORANGE if name == "US" else BLUE)
    if values is not None:
        mine = np.asarray(values, dtype=float)[k * world.us.shape[1] :][:steps]
        mine = np.where(np.isfinite(mine), mine, 0.0)
        _line(canvas, ROW * rows, "value", mine / max(1.0, float(np.abs(mine).max())), wide, OCHRE)
    x = LEFT + wide * (min(t, steps - 1) + 0.5)
    canvas.line([(x, 14), (x, ROW * rows + 8)], INK, 2)
    canvas.text(x, ROW * rows + 20, f"t = {t}", INK, 13)
    return canvas.array()


def _line(canvas: Canvas, y: float, name: str, intensity: np.ndarray, wide: float, color: Any) -> None:
    """Draw one time line: a block where the stimulus is there, as high as it is intense."""
    canvas.text(LEFT - 12, y - 8, name, INK, 15, anchor="rm")
    canvas.line([(LEFT, y), (LEFT + wide * len(intensity), y)], GREY, 2)
    for t, strength in enumerate(np.clip(intensity, -0.4, 1.3)):
        if strength:
            top, bottom = sorted((y - HIGH * float(strength), y))
            canvas.box(LEFT + wide * t, top, LEFT + wide * (t + 1), bottom, color)


def time_lines_text(world: Any, state: Any, action: Any = None) -> str:
    """Return the time lines as text: # present, . absent; below them a mark for the time."""
    k, t = divmod(int(state), world.us.shape[1])
    steps, lines = shown_steps(world), []
    for i, name in enumerate(names_of(world)):
        line = world.us[k] if name == "US" else world.stimuli[k, :, i]
        lines.append(f"{name:4}{''.join('#' if strength > 0 else '.' for strength in line[:steps])}\n")
    return "".join(lines) + " " * (4 + min(t, steps - 1)) + f"^ {t}\n"
