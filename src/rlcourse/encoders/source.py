"""`SourceEncoder`: a stack of LSTMs that reads padded sequences of tokens, whole, and keeps what it read at every one of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rlcourse.encoders.passes import full_precision

__all__ = ["PAD", "PaddedLSTM", "ResidualLSTM", "Source", "SourceEncoder", "at", "kinds"]

PAD = 0
_SATURATED = 1e4  # sigmoid(-1e4) is 0 and sigmoid(1e4) is 1


class Source(NamedTuple):
    """What has been read.

    Attributes
    ----------
    outputs : Tensor, shape [L, B, width]
        Of the last layer, at every token.
    mask : Tensor of bool, shape [L, B]
        Which tokens are there; of an empty sequence the first counts as one.
    state : tuple of Tensor, each [layers, B, hidden]
        h and c of every layer after its last token; of a first layer that reads from both ends, of the one that began at the end.
    """

    outputs: Tensor
    mask: Tensor
    state: tuple[Tensor, Tensor]


class PaddedLSTM(nn.LSTM):
    """One LSTM in one direction, whose cells stay as they are once a sequence has ended.

    An additional input with fixed weights, one at padding, shuts the input gate and opens the forget gate: so sequences of different
    lengths stay whole, for only the unpacked fused kernel is fast on a CPU.
    """

    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def forward(self, x: Tensor, state: Any = None, last: Tensor | None = None) -> tuple[Tensor, Any]:  # type: ignore[override]
        """Return outputs, shape [T, B, hidden_size], and h and c after the last step, each [B, hidden_size].

        Parameters
        ----------
        x : Tensor, shape [T, B, input_size]
        state : tuple of Tensor, each [B, hidden_size], optional
            h and c before; None: zeros.
        last : Tensor of int64, shape [1, B], optional
            Where each sequence has its last step; what follows is padding. None: at T - 1.
        """
        before = (x.new_zeros(x.shape[1], self.hidden_size),) * 2 if state is None else state
        into = self.weight_ih_l0
        if last is not None:
            padding = (torch.arange(len(x), device=x.device).unsqueeze(1) > last).unsqueeze(2).to(x.dtype)
            gates = into.new_zeros(4, self.hidden_size)
            gates[0], gates[1] = -_SATURATED, _SATURATED
            x, into = torch.cat([x, padding], dim=2), torch.cat([into, gates.view(-1, 1)], dim=1)
        weights = [into, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0]
        hidden = tuple(part.unsqueeze(0).contiguous() for part in before)
        outputs, h, c = torch.lstm(x, hidden, weights, True, 1, 0.0, torch.is_grad_enabled(), False, False)
        return outputs, (h[0] if last is None else at(outputs, last), c[0])


class ResidualLSTM(PaddedLSTM):
    """The same, to whose outputs the first `hidden_size` of its inputs are added (He et al. 2016; Wu et al. 2016, Section 3.1)."""

    def forward(self, x: Tensor, state: Any = None, last: Tensor | None = None) -> tuple[Tensor, Any]:  # type: ignore[override]
        """Return what `PaddedLSTM.forward` does, the inputs added to the outputs; h and c are the memory's own."""
        outputs, after = super().forward(x, state, last)
        return outputs + x[:, :, : self.hidden_size], after


class SourceEncoder(nn.Module):
    """Learned vectors of tokens, and LSTMs on top of one another that read them.

    Parameters
    ----------
    tokens : int
        How many there are, padding included, which is token 0.
    hidden : int
        Units of each LSTM.
    embedding : int
        Width of a token's vector.
    layers : int
    bi_first : bool
        Whether the first layer has a second LSTM, which reads from the end; both have `hidden` units, and the layer above sees both.
    residual_from : int
        The first layer whose inputs are added to its outputs, counted from 1; at least 3, or 0: none.
    dropout : float
        Share of each layer's inputs that are zero in training, but for the first layer's.
    reverse : bool
        Whether sources are read from their end: their first words are then the nearest to the target (Sutskever et al. 2014).

    Attributes
    ----------
    width : int
        Of the outputs.
    """

    def __init__(
        self,
        tokens: int,
        hidden: int = 64,
        embedding: int = 32,
        layers: int = 1,
        bi_first: bool = False,
        residual_from: int = 0,
        dropout: float = 0.0,
        reverse: bool = False,
    ) -> None:
        super().__init__()
        self.hidden, self.layers, self.reverse = hidden, layers, reverse
        self.embedding = nn.Embedding(tokens, embedding, padding_idx=PAD)
        inputs = [embedding, 2 * hidden if bi_first else hidden] + [hidden] * layers
        self.cells: Any = nn.ModuleList(kind(i, hidden) for i, kind in zip(inputs, kinds(layers, residual_from), strict=False))
        self.from_end: Any = PaddedLSTM(embedding, hidden) if bi_first else None
        self.dropout = nn.Dropout(dropout)
        self.width = inputs[1] if layers == 1 else hidden

    @full_precision
    def read(self, tokens: Tensor) -> Source:
        """Read sequences of tokens, int64 [L, B]."""
        last = (tokens != PAD).sum(0, keepdim=True).sub(1).clamp_(min=0)  # [1, B]
        place = torch.arange(len(tokens), device=tokens.device).unsqueeze(1)
        mirror = torch.where(place <= last, last - place, place)  # [L, B] the places from the end, padding where it was
        x, states = self.embedding(tokens.gather(0, mirror) if self.reverse else tokens), []
        for layer, cell in enumerate(self.cells):
            outputs, state = cell(self.dropout(x) if layer else x, last=last)
            if layer == 0 and self.from_end is not None:
                mirrored = mirror.unsqueeze(2)
                backwards, state = self.from_end(x.gather(0, mirrored.expand(x.shape)), last=last)
                outputs = torch.cat([outputs, backwards.gather(0, mirrored.expand(backwards.shape))], dim=2)
            states.append(state)
            x = outputs
        h, c = (torch.stack(parts) for parts in zip(*states, strict=True))
        return Source(x, place <= last, (h, c))


def at(outputs: Tensor, last: Tensor) -> Tensor:
    """Return the outputs [B, H] at one place of each sequence, [1, B], of outputs [T, B, H]."""
    found: Tensor = outputs.gather(0, last.unsqueeze(2).expand(1, -1, outputs.shape[2]))[0]
    return found


def kinds(layers: int, residual_from: int) -> list[type[PaddedLSTM]]:
    """Return the class of each layer of a stack."""
    if layers < 1:
        raise ValueError(f"layers must be at least 1, not {layers}")
    if residual_from < 0 or residual_from in (1, 2):
        raise ValueError(f"residual_from must be 0 (none) or at least 3, from where inputs are as wide as outputs, not {residual_from}")
    return [ResidualLSTM if 0 < residual_from <= layer else PaddedLSTM for layer in range(1, layers + 1)]
