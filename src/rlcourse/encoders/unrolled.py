"""Recurrent layers written out in plain operations, step by step: equal to torch's fused kernels up to rounding, and slower on a CPU.

No fused kernel takes the weights of several networks at once. These functions may be batched over networks (`torch.func.vmap`: every
product is then one batched product), and nothing in them depends on what the numbers are, so that they can be recorded as a CUDA graph,
whose replay makes a step of few operations cheap. What all steps have in common, W x + b, is one product for the whole sequence.
Gates have the order that torch gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

__all__ = ["State", "Step", "gru_step", "lstm_step", "plain_sequence", "plain_step", "rnn_step"]

State = tuple[Tensor, ...]  # (h, c) of an LSTM, (h,) of the others; here of one layer, each [B, width]
Step = Callable[[Tensor, State, Any], State]  # (W x + b [B, gates * width], state, layer of torch) -> state


def lstm_step(inward: Tensor, state: State, cell: Any) -> State:
    """Return h and c of an LSTM (`torch.nn.LSTM`) after one step."""
    h, c = state
    gates = inward + linear(h, cell.weight_hh_l0, cell.bias_hh_l0)
    width = h.shape[1]
    i, f, _, o = torch.sigmoid(gates).chunk(4, dim=1)
    c = torch.addcmul(f * c, i, torch.tanh(gates[:, 2 * width : 3 * width]))
    return o * torch.tanh(c), c


def gru_step(inward: Tensor, state: State, cell: Any) -> State:
    """Return h of a GRU (`torch.nn.GRU`) after one step."""
    (h,) = state
    outward = linear(h, cell.weight_hh_l0, cell.bias_hh_l0)
    width = h.shape[1]
    r, z = torch.sigmoid(inward[:, : 2 * width] + outward[:, : 2 * width]).chunk(2, dim=1)
    n = torch.tanh(torch.addcmul(inward[:, 2 * width :], r, outward[:, 2 * width :]))
    return (torch.lerp(n, h, z),)


def rnn_step(inward: Tensor, state: State, cell: Any) -> State:
    """Return h of a plain recurrent layer (`torch.nn.RNN`) after one step."""
    return (torch.tanh(inward + linear(state[0], cell.weight_hh_l0, cell.bias_hh_l0)),)


def plain_step(step: Step, cell: Any, x: Tensor, state: State) -> State:
    """Return one layer's state after inputs [B, inputs]."""
    return step(linear(x, cell.weight_ih_l0, cell.bias_ih_l0), state, cell)


def plain_sequence(step: Step, cell: Any, x: Tensor, state: State, starts: Tensor | None) -> tuple[Tensor, State]:
    """Return one layer's outputs h, shape [T, B, width], and its state after them.

    Parameters
    ----------
    step : Step
    cell : nn.RNNBase
        Whose weights the layer has.
    x : Tensor, shape [T, B, inputs]
    state : tuple of Tensor, each [B, width]
    starts : Tensor of bool, shape [T, B], optional
        Where the state is emptied before a step; the first row does not count.
    """
    inward = linear(x, cell.weight_ih_l0, cell.bias_ih_l0).unbind(0)  # not by index: the gradient of each would be as large as all
    empty = None if starts is None else starts.unsqueeze(2).unbind(0)
    outputs = []
    for t, now in enumerate(inward):
        if empty is not None and t:
            state = tuple(part.masked_fill(empty[t], 0.0) for part in state)
        state = step(now, state, cell)
        outputs.append(state[0])
    return torch.stack(outputs), state
