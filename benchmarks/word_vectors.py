"""Word vectors of missions: how they group the words, and what they save an agent that begins with them.

    python benchmarks/word_vectors.py

First the share of words whose nearest word is of the same category (colour, kind, verb), over ten seeds: for 2,000 missions of a small
grammar, and for 5,000 of LingoBandit in four languages, where a category is one of one language. Then PPO on LingoBandit with four
languages and one task, its text encoder begun at random or with the vectors of 5,000 missions: the mean return of all of 60,000 steps, and
of the last eighth. Vectors are shorter than what is drawn at random; beside these two there are the vectors stretched to that length (the
root of 32), and random directions as long as the vectors.

Seconds are the processor's. The report goes to benchmarks/results/word_vectors.txt.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from box_speed import machine

from rlcourse.agents import PPO
from rlcourse.core.skip_gram import train
from rlcourse.core.word_vectors import WordVectors
from rlcourse.envs import lingo_bandit
from rlcourse.pretraining import gather
from rlcourse.pretraining.sentences import sentences
from rlcourse.wrappers.tokens import split, vocabulary_of

RESULTS = Path(__file__).parent / "results"
COLORS, KINDS = ("red", "green", "blue", "purple", "yellow", "grey"), ("key", "ball", "box")
ASKED, VERBS = ("get the", "fetch the", "find the", "touch the", "please take the"), ("get", "fetch", "find", "touch", "take")
NOTHING = {"alpha": 1e-9, "min_alpha": 1e-9}  # vectors as they are drawn


def purity(found: WordVectors, categories: list[tuple[str, ...]]) -> float:
    """Return how many words have a word of their own category for the nearest."""
    return float(np.mean([found.most_similar(word, 1)[0][0] in words for words in categories for word in words]))


def of_the_grammar(seed: int, **settings: float) -> float:
    """Return the purity of missions of a small grammar."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(part[rng.integers(len(part))] for part in (ASKED, COLORS, KINDS)) for _ in range(2_000)]
    words = vocabulary_of(texts)
    said = [[words.index(word) for word in split(text, "words")] for text in texts]
    return purity(train(said, words, vector_size=32, seed=seed, **settings), [COLORS, KINDS, VERBS])


def of_lingobandit(seed: int, **settings: float) -> float:
    """Return the purity of missions of LingoBandit."""
    world = lingo_bandit(languages=4, colors=4, kinds=4)
    words = ("", "<unknown>", *world.vocabulary)
    found = train(sentences(gather(world, 5_000, seed))[0], words, vector_size=32, seed=seed, **settings)
    return purity(found, [words[at : at + 4] for language in range(4) for at in (8 + 10 * language, 12 + 10 * language)])


def learned(seed: int, source: str | None) -> tuple[float, float]:
    """Return the mean return of PPO over all steps, and over the last eighth."""
    taken = {} if source is None else {"encoder_mode": "warmstart", "encoder_from": source}
    agent = PPO(
        lingo_bandit(languages=4, tasks=1), encoder="mission=text-lstm,scene=mlp:32", n_envs=64, n_steps=16, batch_size=256, n_epochs=4,
        learning_rate=2e-3, seed=seed, device="cpu", **taken,
    ).learn(60_000)  # fmt: skip
    returns = agent.history["return"]
    return float(returns.mean()), float(returns[-len(returns) // 8 :].mean())


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="of PPO")
    given = parser.parse_args()
    torch.set_num_threads(1)
    began, lines = time.process_time(), []
    for name, measure in (("a small grammar", of_the_grammar), ("LingoBandit", of_lingobandit)):
        found, drawn = ([measure(seed, **how) for seed in range(10)] for how in ({}, NOTHING))
        lines.append(f"purity, {name}: {min(found):.3f} to {max(found):.3f}, mean {np.mean(found):.3f}; as drawn {np.mean(drawn):.3f}")
        print(lines[-1], flush=True)
    world = lingo_bandit(languages=4, tasks=1)
    with tempfile.TemporaryDirectory() as folder:
        said, part = sentences(gather(world, 5_000, seed=0))
        found = train(said, int(part.space.nvec[0]), vector_size=32, seed=0)  # type: ignore[attr-defined]
        lengths = np.linalg.norm(found.vectors, axis=1, keepdims=True)
        lines.append(f"mean length of the vectors {lengths[lengths > 0].mean():.2f}, of random ones {np.sqrt(32):.2f}")
        print(lines[-1], flush=True)
        unit = found.vectors / np.maximum(lengths, 1e-9)
        drawn = np.random.default_rng(0).normal(size=unit.shape)
        arms: dict[str, np.ndarray | None] = {
            "at random": None,
            "with the vectors": found.vectors,
            "with the vectors, stretched": unit * np.sqrt(32),
            "in random directions, as short": drawn / np.linalg.norm(drawn, axis=1, keepdims=True) * lengths,
        }
        for name, table in arms.items():
            file = Path(folder) / "vectors"
            source = None if table is None else str(dataclasses.replace(found, vectors=table).save(file))
            scores = np.array([learned(seed, source) for seed in range(given.seeds)])
            means, errors = scores.mean(axis=0), scores.std(axis=0, ddof=1) / np.sqrt(len(scores))
            lines.append(
                f"PPO begun {name}: return {means[0]:.3f} ± {errors[0]:.3f} over all steps, {means[1]:.3f} ± {errors[1]:.3f} at last"
            )
            print(lines[-1], flush=True)
    lines.append(f"{given.seeds} seeds of PPO; {time.process_time() - began:.0f} s; {machine()}")
    (RESULTS / "word_vectors.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
