"""Skip-gram with negative sampling: a vector for each token, from what stands beside it (Mikolov et al. 2013).

A token is a word, or the state of a world: a sentence is then an episode. For each token w and each c within its window a logistic
regression is to tell c from k tokens n that are drawn as noise; its inputs are a vector w of the token and an output vector of each other:

    maximise  log sigma(w . c) + sum over k noise tokens n of log sigma(-w . n)          (Eq. 4)

Noise is drawn by frequency to the power 3/4; a frequent token is left out with probability 1 - sqrt(t / frequency) (Eq. 5), before windows
are laid, so that they reach farther. With enough width, and noise of power 1, the optimum is (Levy & Goldberg 2014)

    w . c = PMI(w, c) - log k,    PMI(w, c) = log [P(w, c) / (P(w) P(c))].

Settings have gensim's names. A noise token that happens to be c is not drawn anew: the equation has it so, word2vec's code does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.core.box import box, kernel
from rlcourse.core.config import Config, Count, NonNegative, Positive, Probability, build
from rlcourse.core.word_vectors import WordVectors

__all__ = ["SkipGramConfig", "descend", "skip_gram", "train"]


@kernel
def descend(w, c, label, step, error):
    """Do one step of logistic regression on a pair: c is moved; what w is to be moved by is added to `error`."""
    product = 0.0
    for i in range(len(w)):
        product += w[i] * c[i]
    g = step * (label - 1.0 / (1.0 + math.exp(-min(max(product, -30.0), 30.0))))
    for i in range(len(w)):
        error[i] += g * c[i]
        c[i] += g * w[i]


@box
def skip_gram(tokens, begins, vectors, outputs, noise, kept, window, shrink, negative, epochs, alpha, min_alpha, rng):
    """Learn vectors [N, d] and outputs [N, d] from tokens [T] of sentences that begin where `begins` says.

    `noise` is cumulative, `kept` the probability to keep each token; both have shape [N].
    """
    T = len(tokens)
    sentence = np.empty(T, np.int64)
    error = np.empty(vectors.shape[1])
    done = 0
    for _ in range(epochs):
        t = 0
        while t < T:  # for each sentence
            n = 0
            first = t
            while t < T and (t == first or not begins[t]):
                if kept[tokens[t]] >= 1.0 or rng.random() < kept[tokens[t]]:
                    sentence[n] = tokens[t]
                    n += 1
                t += 1
            for i in range(n):  # for each token w that was kept
                step = max(alpha * (1.0 - (done + (t - first) * i / n) / (epochs * T)), min_alpha)
                w = vectors[sentence[i]]
                reach = int(window * rng.random()) + 1 if shrink else window
                for j in range(max(0, i - reach), min(n, i + reach + 1)):
                    if j != i:  # for each token c beside it
                        error[:] = 0.0
                        descend(w, outputs[sentence[j]], 1.0, step, error)
                        for _ in range(negative):
                            descend(w, outputs[np.searchsorted(noise, rng.random(), side="right")], 0.0, step, error)
                        w += error
            done += t - first


@dataclass(frozen=True)
class SkipGramConfig(Config):
    """Settings of `train`, named as in gensim."""

    vector_size: Count = 100  # numbers of a vector
    window: Count = 5  # tokens to the left and to the right that count
    shrink_windows: bool = True  # each window's reach is drawn from 1 to `window`: near tokens count more
    negative: Count = 5  # k, noise tokens for each pair
    ns_exponent: Probability = 0.75  # power of the frequencies by which noise is drawn; 1 is the frequencies themselves, 0 uniform
    sample: NonNegative = 0.0  # t, above which frequency tokens are thinned out; 1e-3 to 1e-5 for large corpora, 0 never
    min_count: Count = 1  # tokens that occur less often are left out
    epochs: Count = 5  # passes over the corpus
    alpha: Positive = 0.025  # learning rate at the beginning; it falls in a line
    min_alpha: Positive = 1e-4  # the lowest learning rate
    seed: int = 0  # of first weights, windows and noise


def train(sequences: Iterable[Sequence[int] | np.ndarray], names: Sequence[str] | int | None = None, **settings: Any) -> WordVectors:
    """Learn a vector for each token.

    Parameters
    ----------
    sequences : iterable of sequences of int
        Sentences or episodes; no window reaches from one into another. Tokens are numbers from 0.
    names : sequence of str or int, optional
        What tokens 0, 1, ... are called, or how many there are; as many as occur where None.
    **settings
        Of `SkipGramConfig`.

    Returns
    -------
    WordVectors
        Rows of tokens that were never learned from are zero.

    Raises
    ------
    ValueError
        Where tokens are no whole numbers from 0, have no name or share one, or no two of them stand beside one another.
    FloatingPointError
        Where learning diverges.
    """
    c = build(SkipGramConfig, settings)
    tokens, begins = _joined(sequences)
    known = None if names is None or isinstance(names, int) else tuple(names)
    N = names if isinstance(names, int) else int(tokens.max(initial=-1)) + 1 if known is None else len(known)
    if len(tokens) and not 0 <= tokens.min() <= tokens.max() < N:
        raise ValueError(
            f"sequences hold tokens {tokens.min()} to {tokens.max()}: they must be numbers from 0, below the {N} that have names"
        )
    counts = np.bincount(tokens, minlength=N)
    often = np.where(counts >= c.min_count, counts, 0)
    tokens, begins = _without_rare(tokens, begins, often > 0)
    if len(tokens) <= begins.sum():
        raise ValueError("sequences have no two tokens that stand beside one another: give longer ones, or lower min_count")
    share = often / often.sum()
    power = np.where(often > 0, share**c.ns_exponent, 0.0)
    noise = np.cumsum(power) / power.sum()
    noise[np.flatnonzero(often)[-1] :] = 1.0  # rounding never draws what does not occur
    kept = np.ones(N) if c.sample == 0 else np.sqrt(c.sample / np.where(often > 0, share, 1.0))
    rng = np.random.default_rng(c.seed)
    vectors = np.where(often[:, None] > 0, (rng.random((N, c.vector_size)) - 0.5) / c.vector_size, 0.0)
    outputs = np.zeros((N, c.vector_size))
    found = WordVectors(vectors, outputs, counts, known, c.as_dict())
    numbers = (c.window, c.shrink_windows, c.negative, c.epochs, c.alpha, c.min_alpha)
    skip_gram(tokens, begins, vectors, outputs, noise, kept, *numbers, rng)
    if not (np.isfinite(vectors).all() and np.isfinite(outputs).all()):
        raise FloatingPointError(f"the vectors are no longer finite: lower alpha, which is {c.alpha:g}")
    return found


def _joined(sequences: Iterable[Sequence[int] | np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens of all sentences, int64 [T], and where each begins, bool [T]."""
    parts = [np.asarray(sequence) for sequence in sequences]
    parts = [part for part in parts if part.size]
    if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in parts):
        raise ValueError("sequences must be lists of whole numbers, one list for each sentence; TextTokens makes them of text")
    begins = np.zeros(sum(map(len, parts)), np.bool_)
    begins[np.cumsum([0, *map(len, parts[:-1])])[: len(parts)]] = True
    return np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64), begins


def _without_rare(tokens: np.ndarray, begins: np.ndarray, often: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return tokens and beginnings without the tokens that are not often; sentences that lose their first token begin later."""
    sentence, stays = np.cumsum(begins), often[tokens]
    sentence = sentence[stays]
    return tokens[stays], np.diff(sentence, prepend=0) > 0
