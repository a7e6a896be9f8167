"""`Seq2Seq`: one sequence of tokens becomes another (Sutskever et al. 2014), with attention (Luong, Pham & Manning 2015).

LSTMs read the source; others, which begin with their memory, say the target, sign by sign until the end:

    h_t = LSTM([embedding(y_{t-1}); h~_{t-1}], h_{t-1}),    h~_t = attend(h_t, source),    p(y_t | y_<t, source) = softmax(W h~_t)

In training y_{t-1} is the right sign (teacher forcing), later what was said. That h~ is fed to the next step (input feeding, Section 3.3)
tells it what has been looked at, and makes the decoder a loop; without it the target is run whole by the fused kernel, as the source
always is. Sequences are [T, B], time first; token 0 is padding, at the end.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rlcourse.encoders.attention import Attention, Score
from rlcourse.encoders.source import PAD, PaddedLSTM, Source, SourceEncoder

__all__ = ["EOS", "GO", "LuongDecoder", "Seq2Seq", "State", "likeliest", "sequence_loss"]

GO, EOS = 1, 2  # what the decoder is given first, and the end; further tokens are the vocabulary's
State = tuple[Tensor, Tensor, Tensor]  # h and c of all layers [layers, B, hidden], and what is fed to the next step [B, ...]


class LuongDecoder(nn.Module):
    """LSTMs that say a target, the last of which looks at the source.

    Parameters
    ----------
    tokens : int
        Of the target's vocabulary, padding, `GO` and `EOS` included.
    source : int
        Width of the source's outputs.
    hidden, embedding, layers, dropout
        As of `rlcourse.encoders.source.SourceEncoder`.
    score : {"dot", "general", "concat"} or None
        Of the attention; None: there is none, and all that is known of the source is the memory that the decoder begins with.
    input_feeding : bool
        Whether h~ is an input of the next step; only with attention.
    """

    def __init__(
        self,
        tokens: int,
        source: int,
        hidden: int = 64,
        embedding: int = 32,
        layers: int = 1,
        score: Score | None = "general",
        input_feeding: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.hidden, self.layers, self.input_feeding = hidden, layers, input_feeding and score is not None
        self.embedding = nn.Embedding(tokens, embedding, padding_idx=PAD)
        inputs = [embedding + hidden * self.input_feeding] + [hidden] * (layers - 1)
        self.cells: Any = nn.ModuleList(PaddedLSTM(i, hidden) for i in inputs)
        self.attention = None if score is None else Attention(hidden, source, score)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, tokens)

    def initial(self, source: Source) -> State:
        """Return the state before the first sign: the source's, and zeros as the h~ before it."""
        h, c = source.state
        return h, c, torch.zeros_like(h[0])

    def forward(self, said: Tensor, source: Source, state: State) -> tuple[Tensor, State]:
        """Return the logits of the signs that follow.

        Parameters
        ----------
        said : Tensor, shape [T, B]
            The signs before them, `GO` at first.
        source : Source
        state : tuple of Tensor

        Returns
        -------
        logits : Tensor, shape [T, B, tokens]
        state : tuple of Tensor
        """
        words = self.embedding(said)
        if not self.input_feeding:
            found, state = self._run(words, source, state)
            return self.output(found), state
        steps = []
        for word in words.split(1):  # h~ of a step is an input of the next one: there is no other way
            step, state = self._run(torch.cat([word, state[2].unsqueeze(0)], dim=2), source, state)
            steps.append(step)
        return self.output(torch.cat(steps)), state

    def _run(self, x: Tensor, source: Source, state: State) -> tuple[Tensor, State]:
        """Return h~, shape [T, B, hidden], of inputs [T, B, ...], and the state after them."""
        h, c = [], []
        for layer, cell in enumerate(self.cells):
            x, after = cell(self.dropout(x) if layer else x, (state[0][layer], state[1][layer]))
            h.append(after[0])
            c.append(after[1])
        if self.attention is not None:
            x = self.attention.attend(x, source.outputs, source.mask)
        return x, (torch.stack(h), torch.stack(c), x[-1])


class Seq2Seq(nn.Module):
    """An encoder that reads, and a decoder that says.

    Parameters
    ----------
    encoder : SourceEncoder
        Or `rlcourse.encoders.gnmt.GNMT`.
    decoder : LuongDecoder or rlcourse.encoders.gnmt.GNMTDecoder
        With as many layers and units.
    """

    def __init__(self, encoder: SourceEncoder, decoder: Any) -> None:
        super().__init__()
        if (encoder.layers, encoder.hidden) != (decoder.layers, decoder.hidden):
            raise ValueError(
                f"the decoder begins with the encoder's memory: {decoder.layers} layers of {decoder.hidden} units do not fit "
                f"{encoder.layers} of {encoder.hidden}"
            )
        self.encoder, self.decoder = encoder, decoder

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the logits of a target's signs, shape [T, B, tokens], each given the right ones before it.

        Parameters
        ----------
        source : Tensor of int64, shape [L, B]
        target : Tensor of int64, shape [T, B]
        """
        seen = self.encoder.read(source)
        said = torch.cat([torch.full_like(target[:1], GO), target[:-1]])
        logits: Tensor = self.decoder(said, seen, self.decoder.initial(seen))[0]
        return logits

    @torch.no_grad()
    def greedy(self, source: Tensor, longest: int) -> Tensor:
        """Return what is said of sources [L, B], the likeliest sign at each step: int64 [longest, B], padded after the end."""
        seen = self.encoder.read(source)
        state, said, over, signs = (
            self.decoder.initial(seen),
            torch.full_like(source[:1], GO),
            torch.zeros_like(source[:1], dtype=torch.bool),
            [],
        )
        for _ in range(longest):
            logits, state = self.decoder(said, seen, state)
            said = likeliest(logits).masked_fill(over, PAD)
            signs.append(said)
            over = over | (said == EOS)
        return torch.cat(signs)


def likeliest(logits: Tensor) -> Tensor:
    """Return the likeliest signs, shape [T, B], of logits [T, B, tokens]: never padding or `GO`."""
    return logits[..., EOS:].argmax(-1) + EOS


def sequence_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy of the signs of targets [T, B] that are no padding, a scalar; logits are [T, B, tokens]."""
    return cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=PAD)
