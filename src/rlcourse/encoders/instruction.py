"""`Instruction`: observations that come with an instruction, and the agent's state that asks what in it matters now.

An LSTM reads the instruction, s_1 ... s_L; the other parts - an image, a direction - go through encoders of their own. What the agent
knows, h, is the query of Luong's attention (`rlcourse.encoders.attention`), and what comes out is

    h~ = tanh(W_c [c; h]),   c = sum_i a_i s_i,   a = softmax(score(h, s))                       (Luong et al. 2015, Eqs. 5, 7 and 8)

Behind a memory (`rlcourse.encoders.recurrent`) h is its output h_t: the memory reads the other parts, and `attend` joins the context
after it, at all steps at once, so that no loop over time is needed. Without one h is the features of the other parts.

`FiLM` goes the other way (Perez et al. 2018): the instruction decides how the image is looked at. Channel k of what a convolution puts out
becomes (1 + gamma_k) x_k + beta_k, gamma and beta linear in the LSTM's last output. `FiLMInstruction` does both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import gymnasium as gym
import torch
from torch import Tensor, nn

from rlcourse.core.config import did_you_mean
from rlcourse.core.packing import Part
from rlcourse.core.spaces import short
from rlcourse.encoders.attention import Attention
from rlcourse.encoders.convolutional import Convolutional
from rlcourse.encoders.merge import encoders_for
from rlcourse.encoders.pieces import parts_of, pieces
from rlcourse.encoders.text import TextBiLSTM, TextLSTM, as_tokens, is_tokens

__all__ = ["FiLM", "FiLMInstruction", "Instruction", "InstructionConcat", "InstructionDot", "InstructionFinal"]


SPREAD = 10.0  # of FiLM's first weights: an LSTM's first outputs are near zero, and instructions are to differ from the beginning


class Instruction(nn.Module):
    """Attention of the agent's state over the instruction, with the score "general".

    Parameters
    ----------
    observation_space : gymnasium.spaces.Dict, Tuple or Packed
    features_dim : int
        Width of the LSTMs' output, both directions together, of the features of the other parts, and of what comes out.
    encoders : mapping of str to str, optional
        Encoders of the other parts by their paths, as `Merge` takes them; "auto" where none is given.
    part : str, optional
        Path of the instruction. None: the one part that holds text or tokens.
    bidirectional : bool
        Whether a second LSTM reads the instruction from its end.

    Attributes
    ----------
    features_dim : int
    attends : bool
        Whether a memory is to call `attend`.
    weights : Tensor or None
        The weights a of the last call, shape [B, L]; of "instruction-final" and "film" there are none.
    """

    name: ClassVar[str] = "instruction"
    look: ClassVar[Literal["dot", "general", "concat", "final", "none"]] = "general"
    modulates: ClassVar[bool] = False

    def __init__(
        self,
        observation_space: gym.Space[Any],
        features_dim: int = 64,
        encoders: Mapping[str, str] | None = None,
        part: str | None = None,
        bidirectional: bool = True,
    ) -> None:
        super().__init__()
        self.parts = parts_of(observation_space)
        self.place = _place(self.name, self.parts, part, observation_space)
        others = [each for i, each in enumerate(self.parts) if i != self.place]
        self.reader = (TextBiLSTM if bidirectional else TextLSTM)(self.parts[self.place].space, features_dim)
        made: list[Any] = encoders_for(self.name, others, encoders)
        self.encoders, self.features_dim = nn.ModuleList(made), features_dim
        self.linear = nn.Sequential(nn.Linear(sum(encoder.features_dim for encoder in made), features_dim), nn.ReLU())
        self.modulations = nn.ModuleDict()
        if self.modulates:
            images = {str(i): each for i, each in enumerate(made) if isinstance(each, Convolutional)}
            if not images:
                raise ValueError(f"encoder {self.name!r} modulates images, and {short(observation_space)} has none: take 'instruction'")
            self.modulations = nn.ModuleDict({i: Modulation(each, features_dim) for i, each in images.items()})
        self.attends, self.behind = self.look != "none", False
        self.weights: Tensor | None = None
        if self.attends:
            self._make_attention(features_dim)

    def await_query(self, width: int) -> None:
        """Let a memory whose output is that wide be the query: from now on `forward` returns what the memory reads."""
        if self.look == "dot" and width != self.features_dim:
            advice = f"take '{self.name}:{width}', or 'instruction' of any width"
            raise ValueError(f"encoder {self.name!r}: features of width {self.features_dim} meet a memory of width {width}; {advice}")
        self.behind = True
        self._make_attention(width)

    def _make_attention(self, width: int) -> None:
        if self.look == "final" or self.look == "none":
            self.combine = nn.Linear(self.features_dim + width, width, bias=False)
        else:
            self.attention = Attention(width, self.features_dim, self.look)

    def forward(self, observations: Any) -> Tensor:
        """Return features, shape [B, features_dim], of packed vectors [B, width], or of tensors by key."""
        found = pieces(self.parts, observations)
        tokens = found.pop(self.place)
        here = self.attends and not self.behind
        reading = self._read(tokens) if here or self.modulates else None
        seen = []
        for i, (encoder, piece) in enumerate(zip(self.encoders, found, strict=True)):
            modulated = reading is not None and str(i) in self.modulations
            seen.append(self.modulations[str(i)](encoder, piece, reading.final) if modulated else encoder(piece))  # type: ignore[union-attr]
        features: Tensor = self.linear(torch.cat(seen, dim=1))
        return self._attend(features, reading) if here else features  # type: ignore[arg-type]

    def attend(self, queries: Tensor, observations: Any) -> Tensor:
        """Return h~, shape [B, query], of queries [B, query] that look at the instructions of observations."""
        return self._attend(queries, self._read(pieces(self.parts, observations)[self.place]))

    def _read(self, observations: Tensor) -> Reading:
        """Read instructions; one that occurs many times, as in all steps of an episode, is read once."""
        tokens, which = torch.unique(as_tokens(observations, self.reader.length, self.reader.tokens), dim=1, return_inverse=True)
        source, final = self.reader.read(tokens)
        exists = tokens != 0
        exists[0] = True  # of nothing there is at least the silence
        return Reading(source.index_select(1, which), exists.index_select(1, which), final.index_select(0, which))

    def _attend(self, queries: Tensor, reading: Reading) -> Tensor:
        if self.look == "final":
            joined: Tensor = torch.tanh(self.combine(torch.cat([reading.final, queries], dim=1)))
            return joined
        context, weights = self.attention(queries.unsqueeze(0), reading.source, reading.mask)
        self.weights = weights[0].detach()
        return torch.tanh(self.attention.combine(torch.cat([context[0], queries], dim=1)))


class InstructionDot(Instruction):
    """`Instruction` with the score "dot", for queries as wide as the features; parameters as `Instruction`."""

    name, look = "instruction-dot", "dot"


class InstructionConcat(Instruction):
    """`Instruction` with the score "concat"; parameters as `Instruction`."""

    name, look = "instruction-concat", "concat"


class InstructionFinal(Instruction):
    """`Instruction` without attention: the LSTM's last output takes the place of the context; parameters as `Instruction`."""

    name, look = "instruction-final", "final"


class FiLM(Instruction):
    """The instruction scales and shifts the channels of the image's convolutions; parameters as `Instruction`."""

    name, look, modulates = "film", "none", True


class FiLMInstruction(Instruction):
    """`FiLM` and `Instruction` at once: it modulates the image, and the agent's state looks at it; parameters as `Instruction`."""

    name, modulates = "film-instruction", True


class Reading(NamedTuple):
    """What the LSTM makes of instructions: source [L, B, features_dim], mask [L, B] of the tokens that exist, final [B, features_dim]."""

    source: Tensor
    mask: Tensor
    final: Tensor


class Modulation(nn.Module):
    """Feature-wise linear modulation of an image encoder: (1 + gamma) x + beta after each of its convolutions, before the activation.

    Parameters
    ----------
    encoder : Convolutional
        Whose convolutions they are; convolutions within residual blocks are left alone.
    instruction : int
        Width of the vector that gamma and beta are linear in.
    """

    def __init__(self, encoder: Convolutional, instruction: int) -> None:
        super().__init__()
        layers = list(encoder.convolutions)
        found = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
        counts: list[Any] = [layers[i].out_channels for i in found]
        self.ends = [i + isinstance(layers[i + 1], nn.BatchNorm2d | nn.GroupNorm) for i in found]
        self.channels = sum(counts)
        self.linear = nn.Linear(instruction, 2 * self.channels)
        with torch.no_grad():
            self.linear.weight *= SPREAD

    def forward(self, encoder: Any, observations: Tensor, instruction: Tensor) -> Tensor:
        """Return an encoder's features, shape [B, features], of images [B, ...] and instructions [B, width]."""
        scale, shift = self.linear(instruction)[:, :, None, None].split(self.channels, 1)
        x, at = encoder.images(observations), 0
        for i, layer in enumerate(encoder.convolutions):
            x = layer(x)
            if i in self.ends:
                mine = slice(at, at := at + x.shape[1])
                x = x + x * scale[:, mine] + shift[:, mine]
        features: Tensor = encoder.linear(x)
        return features


def _place(name: str, parts: tuple[Part, ...], path: str | None, space: Any) -> int:
    """Return which part is the instruction."""
    paths = [".".join(part.path) for part in parts]
    if path is not None and path not in paths:
        raise ValueError(f"encoder {name!r}: observations have no part {path!r}{did_you_mean(path, paths)}")
    found = [i for i, part in enumerate(parts) if is_tokens(part.space)] if path is None else [paths.index(path)]
    if len(found) > 1:
        raise ValueError(f"encoder {name!r}: which part is the instruction? Say, for example, '{paths[found[0]]}={name}'")
    if not found or len(parts) < 2:
        raise ValueError(
            f"encoder {name!r} needs an instruction (Text, or tokens in a MultiDiscrete) beside other parts, not {short(space)}"
        )
    return found[0]
