"""`GNMT`: the stack of Google's translator (Wu et al. 2016): eight LSTMs that read, eight that say, residual connections between them.

The first of those that read has a second LSTM beside it, which reads from the end, so that every token knows what follows. From the third
layer on a layer adds its inputs to its outputs, x_{l+1} = LSTM_l(x_l) + x_l: gradients pass through the sum unchanged, however many
layers there are. Of those that say only the first looks at the source; the context that it finds goes to all of them, at the same step
(as in TensorFlow's "gnmt_v2"; the paper hands on the context of the step before), and to itself at the next.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import torch
from torch import Tensor, nn

from rlcourse.encoders.attention import Attention, Score
from rlcourse.encoders.seq2seq import State
from rlcourse.encoders.source import PAD, Source, SourceEncoder, at, kinds
from rlcourse.encoders.text import as_tokens, tokens_of

__all__ = ["GNMT", "GNMTDecoder"]


class GNMT(SourceEncoder):
    """The stack of Google's translator (Wu et al. 2016): LSTMs, the first from both ends, residual ones from the third on.

    Alone it is an encoder for agents, whose features are the last layer's output at the last token; with a `GNMTDecoder` it is half
    of a `rlcourse.encoders.seq2seq.Seq2Seq`.

    Parameters
    ----------
    observation_space : gymnasium.spaces.Text or MultiDiscrete
        As of `rlcourse.encoders.text.TextLSTM`.
    features_dim : int
        Units of each LSTM. (Of a single layer that reads from both ends, there are twice as many features.)
    embedding, layers, bi_first, residual_from, dropout, reverse
        As of `rlcourse.encoders.source.SourceEncoder`.
    """

    name: ClassVar[str] = "gnmt"

    def __init__(
        self,
        observation_space: gym.Space[Any],
        features_dim: int = 64,
        embedding: int = 32,
        layers: int = 8,
        bi_first: bool = True,
        residual_from: int = 3,
        dropout: float = 0.0,
        reverse: bool = False,
    ) -> None:
        tokens, length = tokens_of(self.name, observation_space)
        super().__init__(tokens, features_dim, embedding, layers, bi_first, residual_from, dropout, reverse)
        self.tokens, self.length, self.features_dim = tokens, length, self.width

    def forward(self, observations: Tensor) -> Tensor:
        """Return features, shape [B, features_dim], of tokens [B, L], or of one-hot tokens [B, L * tokens]."""
        source = self.read(as_tokens(observations, self.length, self.tokens))
        return at(source.outputs, source.mask.sum(0, keepdim=True) - 1)


class GNMTDecoder(nn.Module):
    """LSTMs that say a target, the first of which looks at the source for all.

    Parameters
    ----------
    tokens, source, hidden, embedding, layers, dropout
        As of `rlcourse.encoders.seq2seq.LuongDecoder`.
    residual_from : int
        As of `rlcourse.encoders.source.SourceEncoder`.
    score : {"dot", "general", "concat"}
        Of the attention. GNMT's is the last, with a normalised v.
    input_feeding : bool
        Whether the first layer also sees the context of the step before. It alone is then a loop; the layers above it are run whole.
    """

    def __init__(
        self,
        tokens: int,
        source: int,
        hidden: int = 64,
        embedding: int = 32,
        layers: int = 8,
        residual_from: int = 3,
        score: Score = "general",
        input_feeding: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.hidden, self.layers, self.input_feeding = hidden, layers, input_feeding
        self.embedding = nn.Embedding(tokens, embedding, padding_idx=PAD)
        inputs = [embedding + source * input_feeding] + [hidden + source] * (layers - 1)
        self.cells: Any = nn.ModuleList(kind(i, hidden) for i, kind in zip(inputs, kinds(layers, residual_from), strict=True))
        self.attention = Attention(hidden, source, score, combine=False)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden + source * (layers == 1), tokens)

    def initial(self, source: Source) -> State:
        """Return the state before the first sign: the source's, and zeros as the context before it."""
        h, c = source.state
        return h, c, torch.zeros_like(source.outputs[0])

    def forward(self, said: Tensor, source: Source, state: State) -> tuple[Tensor, State]:
        """Return the logits of the signs that follow, and the state; as `rlcourse.encoders.seq2seq.LuongDecoder.forward`."""
        h, c, context = state
        x, contexts, after = self._bottom(self.embedding(said), source, (h[0], c[0]), context)
        states = [after]
        for layer in range(1, self.layers):
            x, after = self.cells[layer](torch.cat([self.dropout(x), contexts], dim=2), (h[layer], c[layer]))
            states.append(after)
        x = torch.cat([x, contexts], dim=2) if self.layers == 1 else x  # there is no layer above to which the context could go
        h, c = (torch.stack(parts) for parts in zip(*states, strict=True))
        return self.output(x), (h, c, contexts[-1])

    def _bottom(self, words: Tensor, source: Source, state: Any, context: Tensor) -> tuple[Tensor, Tensor, Any]:
        """Return the first layer's outputs [T, B, hidden], the contexts that they ask for [T, B, source], and its state."""
        if not self.input_feeding:
            outputs, state = self.cells[0](words, state)
            return outputs, self.attention(outputs, source.outputs, source.mask)[0], state
        steps, contexts = [], [context.unsqueeze(0)]
        for word in words.split(1):  # the context of a step is an input of the next one: there is no other way
            step, state = self.cells[0](torch.cat([word, contexts[-1]], dim=2), state)
            steps.append(step)
            contexts.append(self.attention(step, source.outputs, source.mask)[0])
        return torch.cat(steps), torch.cat(contexts[1:]), state
