"""`LSTM`, `GRU` and `RNN`: encoders with memory, for observations that do not tell the whole state.

A sequence never leaks from one episode into the next, and it never runs step by step in Python. The LSTM's sequences stay whole, because
only the unpacked fused kernel is fast on a CPU: an additional input, with fixed weights that saturate the gates, empties the cell in a
blank step before each episode that begins within. Those of the GRU and the plain RNN are cut into one packed sequence of episodes.
Only where many networks are batched into one, which no fused kernel takes, do sequences run step by step (`Recurrent.unrolled`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium as gym
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from rlcourse.encoders.passes import forward_pass, full_precision
from rlcourse.encoders.unrolled import State, gru_step, lstm_step, plain_sequence, plain_step, rnn_step

__all__ = ["GRU", "LSTM", "RNN", "Recurrent", "State"]  # State: each array [layers, B, features_dim]; see `Recurrent.shape`

_SATURATED = 1e4  # sigmoid(-1e4) is 0 and sigmoid(1e4) is 1


class Recurrent(nn.Module, ABC):
    """Base of the encoders with memory.

    Parameters
    ----------
    observation_space : gymnasium.Space
    features_dim : int
        Width of the memory, and of the feature vector.
    encoder : str
        What an observation goes through before the memory: a name for `rlcourse.encoders.make`. One that looks at an instruction is
        told so (`await_query`), and asked to look (`attend`) by the memory's output; see `rlcourse.encoders.instruction`.
    layers : int
        Memories on top of one another.
    dropout : float
        Share of each layer's outputs that are zero in training, also of the last one's; the memory itself keeps them.

    Attributes
    ----------
    features_dim, layers : int
    cells : ModuleList
        One memory per layer.
    unrolled : bool
        Whether it runs in plain operations only, none of which depends on what the numbers are, step by step
        (`rlcourse.encoders.unrolled`): so it may be batched over networks by `torch.func.vmap`, and recorded as a CUDA graph. Set by who
        does so.
    """

    unrolled = False
    plain: Any  # one layer's step in plain operations, see `rlcourse.encoders.unrolled`
    arrays: int  # of a state
    kind: Any  # torch.nn.LSTM, GRU or RNN, whose parameters a layer has

    def __init__(
        self, observation_space: gym.Space[Any], features_dim: int = 64, encoder: str = "auto", layers: int = 1, dropout: float = 0.0
    ) -> None:
        from rlcourse.encoders import make

        super().__init__()
        if features_dim < 1 or layers < 1:
            raise ValueError(f"features_dim and layers must be at least 1, not {features_dim} and {layers}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must be from 0 to below 1, not {dropout}")
        self.features_dim, self.layers, self.dropout = features_dim, layers, dropout
        self.encoder = make(encoder, observation_space)
        self.attends = bool(getattr(self.encoder, "attends", False))
        if self.attends:
            self.encoder.await_query(features_dim)  # type: ignore[operator]
        self._build(self.encoder.features_dim)  # type: ignore[arg-type]

    def _build(self, inputs: int) -> None:
        """Make the layers behind the encoder, whose features have width `inputs`."""
        width = self.features_dim
        self.cells: Any = nn.ModuleList(self.kind(inputs if layer == 0 else width, width) for layer in range(self.layers))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Arrays of a state, their rows, and their width: each array is [rows, B, width] for B copies."""
        return self.arrays, self.layers, self.features_dim

    def initial(self, copies: int) -> State:
        """Return the empty memory of B copies: zeros."""
        (arrays, rows, width), like = self.shape, next(self.parameters())
        return tuple(like.new_zeros(rows, copies, width) for _ in range(arrays))

    @forward_pass
    def _encoded(self, x: Any) -> Tensor:
        features: Tensor = self.encoder(x)
        return features

    @full_precision
    def forward(self, x: Any, state: State | None = None, episode_start: Tensor | None = None) -> Any:
        """Return the features of sequences, and the memory after them.

        Parameters
        ----------
        x : Tensor, shape [T, B, ...]
            Observations.
        state : tuple of Tensor, as `shape` says
            The memory before them.
        episode_start : Tensor of bool, shape [T, B], optional
            Whether an observation is the first of an episode: the memory before it does not count. None: none is.

        Returns
        -------
        features : Tensor, shape [T, B, features_dim]
        state : tuple of Tensor

        Notes
        -----
        With observations [B, ...] alone it is an encoder like any other: the features [B, features_dim] of first observations.
        """
        if state is None:
            return self.step(x, self.initial(len(x)))[0]
        T, B = x.shape[:2]
        encoded = self._encoded(x.flatten(0, 1)).view(T, B, -1)
        if episode_start is not None:
            state = _kept(state, episode_start[0])
        if self.unrolled:
            features, state = self._unrolled(encoded, state, episode_start)
        elif episode_start is not None and T > 1 and episode_start[1:].any():
            features, state = self._cut(encoded, state, episode_start)
        else:
            features, state = self._whole(encoded, state)
        if self.attends:
            features = self.encoder.attend(features.flatten(0, 1), x.flatten(0, 1)).view(T, B, -1)  # type: ignore[operator]
        return features, state

    @full_precision
    def step(self, x: Any, state: State, episode_start: Tensor | None = None) -> tuple[Tensor, State]:
        """Return the features of one step, shape [B, features_dim], and the memory after it: `forward` for T = 1, in few operations.

        Parameters
        ----------
        x : Tensor, shape [B, ...]
        state : tuple of Tensor, as `shape` says
        episode_start : Tensor of bool, shape [B], optional
        """
        state = state if episode_start is None else _kept(state, episode_start)
        features, after = self._encoded(x), []
        for layer, cell in enumerate(self.cells):
            before = tuple(part[layer] for part in state)
            new = plain_step(self.plain, cell, features, before) if self.unrolled else self._cell(features, before, cell)
            features = self._dropped(new[0])
            after.append(new)
        if self.attends:
            features = self.encoder.attend(features, x)  # type: ignore[operator]
        return features, tuple(torch.stack(parts) if len(parts) > 1 else parts[0].unsqueeze(0) for parts in zip(*after, strict=True))

    def _dropped(self, outputs: Tensor) -> Tensor:
        return dropout(outputs, self.dropout) if self.training and self.dropout else outputs

    def _cell(self, x: Tensor, state: State, cell: Any) -> State:
        """Return one layer's state after one step; x is [B, inputs], the state's arrays are [B, features_dim]."""
        raise NotImplementedError

    @abstractmethod
    def _whole(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run encoded sequences, [T, B, inputs], in which no episode begins."""

    @abstractmethod
    def _cut(self, x: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """Run encoded sequences in which episodes begin; those of the first row have been seen to."""

    def _unrolled(self, x: Tensor, state: State, starts: Tensor | None) -> tuple[Tensor, State]:
        """Run encoded sequences, in which episodes may begin, in plain operations; those of the first row have been seen to."""
        after = []
        for layer, cell in enumerate(self.cells):
            x, last = plain_sequence(self.plain, cell, x, tuple(part[layer] for part in state), starts)
            x = self._dropped(x)
            after.append(last)
        return x, tuple(torch.stack(parts) for parts in zip(*after, strict=True))


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000); parameters as `Recurrent`."""

    arrays, kind, plain = 2, nn.LSTM, staticmethod(lstm_step)

    def _cell(self, x: Tensor, state: State, cell: Any) -> State:
        return torch.lstm_cell(x, state, cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0)

    def _whole(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        features, _, h, c = self._layers(x, state, None)
        return features, (h, c)

    def _cut(self, x: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        T, B, inputs = x.shape
        begins = torch.cat([torch.zeros_like(starts[:1]), starts[1:]])
        blanks = begins.cumsum(0)  # [T, B] blank steps so far: how far a step moves back
        rows = T + int(blanks[-1].max())
        at = ((torch.arange(T, device=x.device)[:, None] + blanks) * B + torch.arange(B, device=x.device)).view(-1)
        flags = x.new_zeros(rows * B, 2)
        flags[at[begins.view(-1)] - B, 0] = 1.0  # the step before a beginning is blank
        flags.view(rows, B, 2)[..., 1] = torch.arange(rows, device=x.device)[:, None] >= T + blanks[-1]  # after the end the cell waits
        moved = torch.cat([x.new_zeros(rows * B, inputs).index_copy(0, at, x.reshape(T * B, inputs)), flags], dim=1)
        features, outputs, _, c = self._layers(moved.view(rows, B, -1), state, flags.view(rows, B, 2))
        h = torch.stack([output.view(rows * B, -1).index_select(0, at[-B:]) for output in outputs])
        return features.view(rows * B, -1).index_select(0, at).view(T, B, -1), (h, c)

    def _layers(self, x: Tensor, state: State, flags: Tensor | None) -> tuple[Tensor, list[Tensor], Tensor, Tensor]:
        """Run all layers through the fused kernel; return features, their outputs, last h and last c [layers, B, features_dim].

        Flags [T, B, 2], the last columns of x, say where the cell is emptied and where it is kept as it is.
        """
        outputs, h, c = [], [], []
        for layer, cell in enumerate(self.cells):
            weights = [cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0]
            if flags is not None:
                weights[0] = torch.cat([weights[0], self._gates(weights[0])], dim=1)
                x = x if layer == 0 else torch.cat([x, flags], dim=2)
            before = tuple(part[layer : layer + 1].contiguous() for part in state)
            output, h_, c_ = torch.lstm(x, before, weights, True, 1, 0.0, torch.is_grad_enabled(), False, False)
            x = self._dropped(output)
            outputs.append(output)
            h.append(h_)
            c.append(c_)
        return (x, outputs, torch.cat(h), torch.cat(c)) if self.layers > 1 else (x, outputs, h[0], c[0])

    def _gates(self, like: Tensor) -> Tensor:
        """Return the weights of the flags, [4 features_dim, 2]: both shut the input gate; the first forgets all, the second nothing."""
        gates = like.new_zeros(4, self.features_dim, 2)
        gates[0] = gates[1, :, 0] = -_SATURATED
        gates[1, :, 1] = _SATURATED
        return gates.view(-1, 2)


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014); parameters as `Recurrent`."""

    arrays = 1
    kind: Any = nn.GRU
    plain: Any = staticmethod(gru_step)
    cell: ClassVar[Callable[..., Tensor]] = torch.gru_cell
    run: ClassVar[Callable[..., Any]] = torch.gru

    def _cell(self, x: Tensor, state: State, cell: Any) -> State:
        return (type(self).cell(x, state[0], cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0),)

    def _weights(self) -> list[Tensor]:
        return [weight for cell in self.cells for weight in (cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0)]

    def _whole(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        features, h = type(self).run(x, state[0].contiguous(), self._weights(), True, self.layers, *self._between(), False, False)
        return self._dropped(features), (h,)

    def _between(self) -> tuple[float, bool]:
        """Return dropout between layers, and whether the kernel trains."""
        return (self.dropout, True) if self.training and self.dropout else (0.0, torch.is_grad_enabled())

    def _cut(self, x: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        T, B, inputs = x.shape
        begins = starts.t().contiguous()  # [B, T]: segments are numbered along each copy's time
        begins[:, 0] = True
        flat = begins.view(-1)
        first = flat.nonzero().view(-1)  # [S] where segments begin
        segment = flat.cumsum(0) - 1  # [B * T]
        place = torch.arange(B * T, device=x.device) - first[segment]
        lengths = torch.bincount(segment)
        rank = torch.empty_like(lengths)
        rank[lengths.argsort(descending=True, stable=True)] = torch.arange(len(lengths), device=x.device)
        sizes = torch.bincount(place)  # how many segments are that long
        at = ((sizes.cumsum(0) - sizes)[place] + rank[segment]).view(B, T).t().reshape(-1)  # [T * B] row of each step when packed
        packed = torch.empty_like(x.reshape(T * B, inputs)).index_copy(0, at, x.reshape(T * B, inputs))
        entering = rank[segment.view(B, T)[:, 0]]
        before = x.new_zeros(self.layers, len(lengths), self.features_dim).index_copy(1, entering, state[0])
        features, h = type(self).run(packed, sizes.cpu(), before, self._weights(), True, self.layers, *self._between(), False)
        return self._dropped(features).index_select(0, at).view(T, B, -1), (h.index_select(1, rank[segment.view(B, T)[:, -1]]),)


class RNN(GRU):
    """The plain recurrent layer h' = tanh(W x + U h + b) (Elman 1990), run as a GRU is; parameters as `Recurrent`."""

    kind, cell, run, plain = nn.RNN, torch.rnn_tanh_cell, torch.rnn_tanh, staticmethod(rnn_step)


def _kept(state: State, starts: Tensor) -> State:
    """Return a memory, emptied where episodes start."""
    empty = starts.view(-1, 1)
    return tuple(part.masked_fill(empty, 0.0) for part in state)
