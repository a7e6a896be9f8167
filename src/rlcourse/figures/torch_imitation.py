"""A translator learns to sort letters, and is judged on the way: what figures of sequence models are made of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from rlcourse.envs import sort_sequence
from rlcourse.envs.sorting import demonstrations
from rlcourse.pretraining import Translator

__all__ = ["Lessons", "imitated"]

JUDGED = 400  # fresh sequences
CLIP = 5.0  # norm of the gradient


class Lessons(NamedTuple):
    """What is learned, and how: sequences of `shortest` to `longest` letters, all of them fresh, in minibatches, by Adam."""

    letters: int
    longest: int
    shortest: int
    hidden: int
    updates: int
    every: int
    batch_size: int
    learning_rate: float


def imitated(job: tuple[Any, int, Lessons]) -> tuple[np.ndarray, np.ndarray]:
    """Learn; return the share of right signs before the first update and after every few, and first gradients.

    The job is (further arguments of the translator as pairs, seed, lessons). The gradients [layers] are the norms at the layers that read,
    before anything was learned.
    """
    options, seed, s = job
    world, rng = sort_sequence(s.letters, s.longest, s.shortest), np.random.default_rng(seed)
    model = Translator(world.observation_space, hidden=s.hidden, seed=seed, **dict(options))
    optimiser = torch.optim.Adam(model.parameters(), lr=s.learning_rate)
    judged = [torch.from_numpy(part) for part in demonstrations(world, JUDGED, np.random.default_rng([seed, 1]))]
    curve, norms = [model.scores(*judged).tokens], np.zeros(0)
    for update in range(1, s.updates + 1):
        sources, answers = (torch.from_numpy(part) for part in demonstrations(world, s.batch_size, rng))
        loss = model.loss(sources, answers)
        optimiser.zero_grad()
        loss.backward()
        if update == 1:
            norms = np.array([float(torch.cat([part.grad.flatten() for part in cell.parameters()]).norm()) for cell in model.encoder.cells])
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        if update % s.every == 0:
            curve.append(model.scores(*judged).tokens)
    return np.array(curve), norms
