"""`Ranks`: the processes that train one agent together, each with its share of the copies, as `torchrun` starts them.

Every rank acts in its own copies, with random numbers of its own (from the seed and its number), and holds the same weights. A gradient
step adds up the gradients of all ranks, each weighted by its share of the joint minibatch, in one collective of the flat gradient; so it
is the step of one process on all samples. What else depends on all samples is made from sums over ranks: the mean and the deviation of
advantages, the divergence that ends a rollout's epochs, and the metrics; the moments of a normaliser are merged rank after rank, in the
same order everywhere. Whether to go on is asked of all, so that no rank waits for one that has stopped. Alone, all this is nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist

from rlcourse.agents.deep.losses import normalized
from rlcourse.core.ended import ProcessEnded

__all__ = ["PATIENCE", "Ranks", "shares"]

PATIENCE = timedelta(days=1)  # of a process group: the others wait while rank 0 evaluates


def shares(budget: int, steps: int, copies: int, ranks: int) -> list[int]:
    """Return how many steps of a rollout each rank stores, at most `budget` in all.

    The last vector step, where the budget ends within it, is divided as evenly as can be.

    Parameters
    ----------
    budget : int
    steps : int
        Vector steps of a whole rollout.
    copies, ranks : int
        Copies of each rank, and how many ranks.
    """
    rows = min(steps, -(-budget // (copies * ranks)))
    left = min(rows * copies * ranks, budget) - (rows - 1) * copies * ranks
    return [(rows - 1) * copies + left // ranks + (rank < left % ranks) for rank in range(ranks)]


class Ranks:
    """One rank's view of all.

    Parameters
    ----------
    rank, size : int

    Attributes
    ----------
    counts : list of int
        Samples of each rank in the last rollout.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self.counts = [0] * size

    @classmethod
    def of(cls, agent: Any) -> Ranks:
        """Return the ranks of the process group, where there is one, and give the agent of each random numbers of its own.

        Raises
        ------
        ValueError
            Where several processes cannot train an agent of this class.
        """
        if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
            return cls()
        if not agent.data_parallel:
            advice = "take PPO, or leave torchrun out"
            raise ValueError(f"{type(agent).__name__} trains in one process, and here are {dist.get_world_size()}: {advice}")
        ranks = cls(dist.get_rank(), dist.get_world_size())
        ranks.part_ways(agent.rng, agent.generator)
        return ranks

    def part(self, number: int, name: str) -> int:
        """Return a rank's part of a number of copies or samples; raise ValueError where it cannot be divided."""
        if number % self.size:
            raise ValueError(f"{name} must be a multiple of the {self.size} processes that share them, not {number}")
        return number // self.size

    def part_ways(self, rng: np.random.Generator, generator: torch.Generator) -> None:
        """Give every rank random numbers of its own, in place: of generators that are the same on all ranks, and of its number."""
        if self.rank:
            own = np.random.default_rng([int(rng.integers(2**62)), self.rank])
            rng.bit_generator.state = own.bit_generator.state
            generator.manual_seed(int(rng.integers(2**62)))

    # Samples ----------------------------------------------------------------------------------------------------------

    def collect(
        self, memory: Any, env: Any, observation: np.ndarray, act: Callable[..., Any], budget: int
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Fill a memory; return the observation after it, the episodes that ended on all ranks, and the steps of all ranks."""
        if self.size == 1:
            observation, episodes = memory.collect(env, observation, act, budget)
            self.counts = [memory.valid]
            return observation, episodes, memory.valid
        n = env.num_envs
        self.counts = shares(budget, len(memory.rewards), n, self.size)
        observation, episodes = memory.collect(env, observation, act, self.counts[self.rank])
        row, copy = np.divmod(episodes[:, -1] - 1.0, n)
        episodes[:, -1] = np.minimum((row * self.size + self.rank) * n + copy + 1.0, sum(self.counts))
        lengths = [int(length.item()) for length in self.gather(np.array(len(episodes)))]
        rows = np.zeros((max(lengths), episodes.shape[1]))
        rows[: len(episodes)] = episodes
        every = np.concatenate([part[:length] for part, length in zip(self.gather(rows), lengths, strict=True)])
        return observation, every[every[:, -1].argsort(kind="stable")], sum(self.counts)

    def whole(self, batch_size: int) -> bool:
        """Whether a minibatch holds the last rollout."""
        return batch_size // self.size >= max(self.counts)

    def split(self, order: Tensor, batch_size: int) -> list[Tensor]:
        """Cut an order of this rank's samples into its parts of as many minibatches as every rank has; a part may be empty."""
        each = batch_size // self.size
        parts = list(order.split(each)) if len(order) else []
        return parts + [order[:0]] * (-(-max(self.counts) // each) - len(parts))

    def share(self, k: int, batch_size: int) -> float:
        """Return which share of the k-th minibatch of an epoch is this rank's."""
        each = batch_size // self.size
        held = [min(max(count - k * each, 0), each) for count in self.counts]
        return held[self.rank] / sum(held)

    # Together ---------------------------------------------------------------------------------------------------------

    def add(self, tensor: Tensor) -> None:
        """Add up a tensor over ranks, in place, and on every rank the same to the bit."""
        if self.size > 1:
            _waited(dist.all_reduce, tensor)

    def alike(self, *tensors: Tensor) -> None:
        """Take over tensors from rank 0, in place."""
        if self.size > 1:
            for tensor in tensors:
                same = tensor.detach().contiguous()
                _waited(dist.broadcast, same, 0)
                tensor.detach().copy_(same)

    def any(self, flag: bool) -> bool:
        """Return whether a flag is set on any rank; every rank must ask."""
        if self.size == 1:
            return flag
        flags = torch.tensor([int(flag)])
        self.add(flags)
        return bool(flags.item())

    def gather(self, array: np.ndarray) -> list[np.ndarray]:
        """Return the arrays of float64 of all ranks, of one shape, in their order."""
        if self.size == 1:
            return [array]
        mine = torch.from_numpy(np.array(array, np.float64, order="C"))
        every = [torch.empty_like(mine) for _ in range(self.size)]
        _waited(dist.all_gather, every, mine)
        return [part.numpy() for part in every]

    def normalized(self, advantage: Tensor) -> Tensor:
        """Return this rank's part of advantages, of mean 0 and standard deviation 1 over all ranks; a single one stays as it is."""
        if self.size == 1:
            return normalized(advantage)
        exact = advantage.double()
        sums = torch.stack([torch.full_like(exact.sum(), len(exact)), exact.sum(), exact.square().sum()])
        self.add(sums)
        n, total, squares = sums.tolist()
        if n < 2:
            return advantage
        deviation = max((squares - total * total / n) / (n - 1), 0.0) ** 0.5
        return (advantage - total / n) / (deviation + 1e-8)

    def means(self, numbers: dict[str, float], share: float) -> dict[str, float]:
        """Return numbers averaged over ranks, each weighted by its share; those of a rank without samples do not count."""
        if self.size == 1:
            return numbers
        weighted = torch.tensor([number * share if share else 0.0 for number in numbers.values()], dtype=torch.float64)
        self.add(weighted)
        return dict(zip(numbers, weighted.tolist(), strict=True))

    # Files ------------------------------------------------------------------------------------------------------------

    def state(self, state: dict[str, Any], copies: int) -> dict[str, Any]:
        """Return the state of an agent without where this rank's copies are: who goes on, one process or several, begins new episodes.

        Parameters
        ----------
        state : dict
        copies : int
            Of one process that goes on, or of one rank: those for whose discounted returns there is room.
        """
        if self.size == 1:
            return state
        kept = {name: part for name, part in state.items() if not name.startswith(("env.", "device."))}
        return kept | {"normalizer.running": np.zeros(copies)}


def _waited(collective: Callable[..., Any], *inputs: Any) -> None:
    try:
        collective(*inputs)
    except RuntimeError as error:  # of gloo and of NCCL alike, where a process has gone
        raise ProcessEnded("another process of this training has ended") from error
