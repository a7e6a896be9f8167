"""`Translator`: a sequence-to-sequence model that learns from demonstrations, and then acts.

Imitation with the right answers at hand is teacher forcing: the model is told y_1 .. y_{t-1} and learns to say y_t,

    minimise E[-log p(y_t | y_1 .. y_{t-1}, source)]

over the signs of all answers, padding left out. Acting it hears what it has said itself, and says the likeliest sign, until the end.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from rlcourse.agents.deep.memories import check_protocol
from rlcourse.core.arguments import checked
from rlcourse.core.config import Interval, Natural, Probability
from rlcourse.core.spaces import is_batch
from rlcourse.encoders.attention import Score
from rlcourse.encoders.gnmt import GNMT, GNMTDecoder
from rlcourse.encoders.seq2seq import EOS, LuongDecoder, Seq2Seq, State, likeliest, sequence_loss
from rlcourse.encoders.source import PAD, SourceEncoder
from rlcourse.encoders.text import is_tokens
from rlcourse.pretraining import files

__all__ = ["Scores", "Translator"]

Width = Annotated[int, Interval(1, 2**16)]


class Scores(NamedTuple):
    """How well answers agree with the right ones, as shares.

    Attributes
    ----------
    exact : float
        Of answers that are right from the first sign to the end.
    tokens : float
        Of the signs of the right answers, their ends among them, that were said in their place.
    """

    exact: float
    tokens: float


class Translator(Seq2Seq):
    """An encoder, a decoder, and what it takes to train, save and act with them.

    Parameters
    ----------
    observation_space : gymnasium.spaces.MultiDiscrete
        Of one axis: the sign that was said last (0 padding, 1 nothing yet, 2 the end, then the vocabulary), and the tokens of the
        source, all of one count; as `rlcourse.envs.SortSequence` shows them. Action a says token a + 2.
    name : {"seq2seq", "gnmt"}
        LSTMs with Luong's attention, or the stack of Google's translator.
    hidden, embedding, layers, bi_first, reverse, dropout
        As of `rlcourse.encoders.source.SourceEncoder`, for both halves.
    residual_from : int
        Of the stack.
    score : {"dot", "general", "concat"} or None
        Of the attention; None, which the stack cannot do without, is no attention.
    input_feeding : bool
        Whether what the attention found is an input of the next step.
    seed : int
        Of the initial weights, and of what `predict` draws.
    """

    @checked
    def __init__(
        self,
        observation_space: gym.Space[Any],
        name: str = "seq2seq",
        hidden: Width = 64,
        embedding: Width = 32,
        layers: Annotated[int, Interval(1, 64)] = 1,
        bi_first: bool = True,
        residual_from: Natural = 3,
        score: Score | None = "general",
        input_feeding: bool = True,
        reverse: bool = False,
        dropout: Probability = 0.0,
        seed: Natural = 0,
    ) -> None:
        if name not in ("seq2seq", "gnmt"):
            raise ValueError(f"name must be 'seq2seq' or 'gnmt', not {name!r:.60}")
        if not isinstance(observation_space, spaces.MultiDiscrete) or len(observation_space.nvec) < 2 or observation_space.nvec.ndim != 1:
            raise ValueError(
                f"observation_space must be a MultiDiscrete of one axis of the last sign and the source, not {str(observation_space)[:90]}"
            )
        _check(observation_space, {"hidden": hidden, "embedding": embedding, "layers": layers}, dropout)
        words, source = int(observation_space.nvec[0]), spaces.MultiDiscrete(observation_space.nvec[1:])
        sizes: Any = {"hidden": hidden, "embedding": embedding, "layers": layers}
        whole: Any = {"bi_first": bi_first, "residual_from": residual_from, "dropout": dropout, "reverse": reverse}
        with torch.random.fork_rng(devices=[]):  # layers initialise from torch's global generator
            torch.manual_seed(seed)
            encoder: SourceEncoder
            decoder: Any
            if name == "gnmt":
                if score is None:
                    raise ValueError("the stack 'gnmt' needs attention: take score 'dot', 'general' or 'concat'")
                encoder = GNMT(source, hidden, embedding, layers, **whole)
                decoder = GNMTDecoder(
                    words, encoder.width, **sizes, residual_from=residual_from, score=score, input_feeding=input_feeding, dropout=dropout
                )
            else:
                encoder = SourceEncoder(int(source.nvec[0]), **sizes, **whole | {"residual_from": 0})
                decoder = LuongDecoder(words, encoder.width, **sizes, score=score, input_feeding=input_feeding, dropout=dropout)
        super().__init__(encoder, decoder)
        self.observation_space, self.name, self.seed = observation_space, name, seed
        self.action_space = spaces.Discrete(words - EOS)
        self.options = {**sizes, **whole, "score": score, "input_feeding": input_feeding}
        self.generator = torch.Generator().manual_seed(seed)

    def check_pairs(self, sources: Tensor, answers: Tensor | None = None) -> None:
        """Raise ValueError unless these are sources [N, L] and their answers [N, T], in tokens that there are."""
        if answers is None:
            raise ValueError("a translator learns from answers: give them as labels, one row of tokens for each of the observations")
        if sources.ndim != 2 or answers.ndim != 2 or len(sources) != len(answers):
            shapes = f"{tuple(sources.shape)} and {tuple(answers.shape)}"
            raise ValueError(f"sources [N, L] and answers [N, T] must be of one number N, not of shapes {shapes}")
        _check_tokens("sources", sources, int(self.observation_space.nvec[1]))
        _check_tokens("answers", answers, int(self.observation_space.nvec[0]))
        if not (answers != PAD).any(1).all():
            raise ValueError(f"answers must each hold at least one sign, such as the end, {EOS}, but one is nothing but padding, {PAD}")

    def loss(self, sources: Tensor, answers: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the mean cross-entropy of the signs of answers [B, T] to sources [B, L], a scalar."""
        self.check_pairs(sources, answers)
        return sequence_loss(self(sources.t(), answers.t()), answers.t())

    def accuracy(self, sources: Tensor, answers: Tensor) -> float:
        """Return the share of sources [B, L] whose answer, by greedy decoding, is that of [B, T]."""
        return self.scores(sources, answers).exact

    def scores(self, sources: Tensor, answers: Tensor) -> Scores:
        """Return how well what is said of sources [B, L], by greedy decoding, agrees with answers [B, T]."""
        self.check_pairs(sources, answers)
        right, there = [], []
        for source, answer in zip(sources.split(500), answers.split(500), strict=True):
            said = self.greedy(source.t(), answer.shape[1]).t()
            right.append((said == answer) & (answer != PAD))
            there.append(answer != PAD)
        hits, signs = torch.cat(right).sum(1), torch.cat(there).sum(1)
        return Scores(float((hits == signs).float().mean()), float(hits.sum() / signs.sum()))

    @torch.no_grad()
    def predict(
        self, observation: Any, state: State | None = None, episode_start: Any = None, deterministic: bool = True
    ) -> tuple[Any, State]:
        """Return what is said next, and the memory after it; as an agent's `predict`.

        Parameters
        ----------
        observation : ndarray of int, shape [L + 1] or [B, L + 1]
            The sign said last, and the source.
        state : tuple of Tensor, optional
            The memory that the call before returned; None: episodes begin.
        episode_start : ndarray of bool, shape [B], optional
        deterministic : bool
            Whether the likeliest sign is said; otherwise one is drawn.
        """
        single = not is_batch(self.observation_space, observation)
        tokens = torch.as_tensor(np.atleast_2d(np.asarray(observation)).astype(np.int64)).t()  # [L + 1, B]
        _check_tokens("the sign said last", tokens[:1], int(self.observation_space.nvec[0]))
        _check_tokens("the source's tokens", tokens[1:], int(self.observation_space.nvec[1]))
        seen = self.encoder.read(tokens[1:])
        begin: State = self.decoder.initial(seen)
        check_protocol(state, [tuple(part.shape) for part in begin], episode_start, tokens.shape[1])
        if state is not None and episode_start is not None:
            fresh = torch.as_tensor(np.atleast_1d(episode_start)).bool().unsqueeze(1)
            begin = tuple(torch.where(fresh, new, old) for new, old in zip(begin, state, strict=True))  # type: ignore[assignment]
        elif state is not None:
            begin = state
        logits, after = self.decoder(tokens[:1], seen, begin)
        if deterministic:
            said = likeliest(logits)[0] - EOS
        else:
            said = torch.multinomial(torch.softmax(logits[0, :, EOS:], dim=1), 1, generator=self.generator)[:, 0]
        return (int(said[0]) if single else said.numpy()), after

    def save(self, path: str | os.PathLike[str], settings: dict[str, Any] | None = None) -> Path:
        """Save to one safetensors file (see `rlcourse.core.files`): arrays ``encoder.*`` and ``decoder.*``."""
        return files.save(path, self, self.options, settings)

    @classmethod
    def load(cls, path: str | os.PathLike[str], observation_space: gym.Space[Any] | None = None) -> Self:
        """Load what `save` wrote; see `rlcourse.pretraining.load`."""
        return files.load(path, observation_space, cls)


def _check(space: spaces.MultiDiscrete, sizes: dict[str, int], dropout: float) -> None:
    """Refuse spaces that hold no signs or tokens, and sizes that no network has."""
    if not is_tokens(spaces.MultiDiscrete(space.nvec[1:], start=space.start[1:])) or space.start[0]:
        raise ValueError(f"a translator's source must be tokens of equal counts from 0, as must be the sign said last, not {space}")
    if space.nvec[0] <= EOS:
        raise ValueError(f"the sign said last must be one of at least {EOS + 1}: padding, nothing yet and the end, not of {space.nvec[0]}")
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {size!r}")
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must be from 0 to below 1, not {dropout!r}")


def _check_tokens(name: str, tokens: Tensor, count: int) -> None:
    if tokens.is_floating_point() or (tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < count):
        shown = str(tokens.dtype).removeprefix("torch.") if tokens.is_floating_point() else f"from {tokens.min()} to {tokens.max()}"
        raise ValueError(f"{name} must be whole numbers from 0 to {count - 1}, the vocabulary, not {shown}")
