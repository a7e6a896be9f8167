"""Training on sequences: with which memory a window begins, and which of its steps count.

What a recurrent network lives through is long, and it is trained on windows of it: of a rollout, a replay memory or a stream. The gradient
flows back to the beginning of the window and no further (truncated backpropagation through time): its first memory h_0 is a constant.

    start "zero"      h_0 = 0: nothing that is older than the window has any influence
    start "stored"    h_0 = the memory that the network had there while it acted, made by the weights of that time
    burn_in = b       h_0 = what the present weights make of it over the b rows before the window, without a gradient (R2D2)
    half_masked       only the later half of the window counts, where the memory has filled (Lample & Chaplot 2017)

Where an episode starts, in a window or in the rows before it, the memory is emptied. Nobody steps through a window: a fused kernel runs
it whole. DRQN, recurrent PPO and the forecaster of `rlcourse.pretraining` learn from such windows.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlcourse.core.fits import Misfit
from rlcourse.encoders.recurrent import Recurrent, State

__all__ = ["Past", "Start", "Tiles", "check_half", "first_counted", "first_memory", "tile"]

Start = Literal["stored", "zero"]


def first_counted(length: int, half_masked: bool) -> int:
    """Return the first step of a window that counts."""
    return length // 2 if half_masked else 0


def check_half(length: int, half_masked: bool, name: str = "sequence_length") -> None:
    """Refuse windows that have no half to mask."""
    if half_masked and length < 2:
        raise ValueError(f"{name} must be at least 2 where half of it is masked, not {length}")


@torch.no_grad()
def first_memory(memory: Recurrent, start: Start, stored: State, warm: tuple[Tensor, ...] = ()) -> State:
    """Return the memory with which a network enters B windows; no gradient flows through it.

    Parameters
    ----------
    memory : Recurrent
    start : {"stored", "zero"}
    stored : tuple of Tensor, each [layers, B, width]
        The memory before the first row of the burn-in, or of the window where there is none.
    warm : (Tensor, Tensor of bool), shapes [W, B, ...] and [W, B]
        Observations of the burn-in and where an episode starts in it; nothing where there is none.
    """
    state = stored if start == "stored" else memory.initial(stored[0].shape[1])
    return memory(warm[0], state, warm[1])[1] if warm and len(warm[1]) else state


class Tiles(NamedTuple):
    """n windows over T steps of which each counts in exactly one.

    Attributes
    ----------
    rows : ndarray of int, shape [W + L, n]
        The step of each row: W that warm the memory up, then L of the window. Negative ones came before the first step, those from T on
        do not exist.
    counted : ndarray of bool, shape [L, n]
    """

    rows: np.ndarray
    counted: np.ndarray


def tile(steps: int, length: int, burn_in: int = 0, half_masked: bool = False) -> Tiles:
    """Cut T steps into windows.

    Windows follow one another. Half-masked ones overlap by the half that does not count, so that no step is lost; the first of them begins
    half a window before the first step.
    """
    skipped = first_counted(length, half_masked)
    first = np.arange(0, steps, length - skipped) - skipped
    rows = first + np.arange(-burn_in, length)[:, None]
    window = rows[burn_in:]
    return Tiles(rows, (window >= 0) & (window < steps) & (np.arange(length)[:, None] >= skipped))


class Past:
    """The last rows before a rollout, on which its first windows look back: observations, starts, and the memories before them.

    Parameters
    ----------
    capacity : int
        Rows that are kept. The very first rollout has none before it; there all episodes start, and what was before would not count.

    Attributes
    ----------
    rows : deque of (ndarray [N, ...], ndarray of bool [N], State)
    """

    def __init__(self, capacity: int) -> None:
        self.rows: deque[tuple[np.ndarray, np.ndarray, State]] = deque(maxlen=capacity)

    def extend(self, observations: np.ndarray, starts: np.ndarray, states: list[State]) -> None:
        """Append rows: observations [T, N, ...], starts [T, N], and the memories before them, T of [layers, N, width] each."""
        for t in range(max(0, len(states) - (self.rows.maxlen or 0)), len(states)):
            self.rows.append((observations[t].copy(), starts[t].copy(), states[t]))

    def state_dict(self) -> dict[str, Any]:
        """Return observations and starts, and the arrays of the memories by number; nothing where there is no row."""
        if not self.rows:
            return {}
        observations, starts, states = zip(*self.rows, strict=True)
        memories = {str(i): torch.stack(parts) for i, parts in enumerate(zip(*states, strict=True))}
        return {"observations": np.stack(observations), "starts": np.stack(starts)} | memories

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them over."""
        self.rows.clear()
        if state:
            memories = [torch.from_numpy(np.array(state[str(i)])) for i in range(len(state) - 2)]
            if len({len(part) for part in (state["observations"], state["starts"], *memories)}) > 1:
                raise Misfit("the rows before the rollout are not equally many in the file")
            self.extend(state["observations"], state["starts"], list(zip(*memories, strict=True)))
