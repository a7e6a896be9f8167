"""`Moments`: running moments of S agents' observations and returns, on the device; what `Normalizer` is to one agent on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from rlcourse.agents.deep.programs.program import Program

__all__ = ["Moments"]


class Moments:
    """Each agent's observations of mean 0 and deviation 1, its rewards divided by the deviation of its discounted return; or neither.

    Parameters
    ----------
    program : Program
        Whose agents' normalisers these moments are read from and written to.
    """

    def __init__(self, program: Program) -> None:
        self._agents = [agent.normalizer for agent in program.agents]
        first, S, N = self._agents[0], program.S, program.N
        self.scale_observations, self.scale_rewards = first.scale_observations, first.scale_rewards
        self.gamma = torch.tensor([each.gamma for each in self._agents], dtype=torch.float64, device=program.device)
        shape = first.seen.data.shape[1:]
        self.seen = torch.zeros(S, 3, *shape, dtype=torch.float64, device=program.device)  # mean, variance, count
        self.returned = torch.zeros(S, 3, dtype=torch.float64, device=program.device)
        self.running = torch.zeros(S, N, dtype=torch.float64, device=program.device)
        self.read()

    def observations(self, observations: Tensor) -> Tensor:
        """Return observations [S, n, ...] as the networks see them."""
        if not self.scale_observations:
            return observations.float() if observations.dtype == torch.float64 else observations
        mean, variance = self.seen[:, :1], self.seen[:, 1:2]
        return ((observations - mean) / (variance + 1e-8).sqrt()).clamp(-10.0, 10.0).float()

    def learn(self, observations: Tensor) -> None:
        """Merge observations [S, B, ...] into the moments."""
        if self.scale_observations:
            self.seen.copy_(_merged(self.seen, observations.double()))

    def rewards(self, rewards: Tensor, ended: Tensor) -> Tensor:
        """Return the rewards of a rollout [T, S * N], scaled by moments after this rollout."""
        if not self.scale_rewards:
            return rewards
        S, N = self.running.shape
        rows, over = rewards.view(-1, S, N), ended.view(-1, S, N)
        kept = []
        running = self.running
        for t in range(len(rows)):
            running = running * self.gamma[:, None] + rows[t]
            kept.append(running)
            running = torch.where(over[t], 0.0, running)
        self.running.copy_(running)
        self.returned.copy_(_merged(self.returned, torch.stack(kept, 1).view(S, -1)))
        deviation = (self.returned[:, 1] + 1e-8).sqrt().float()
        return (rows / deviation[None, :, None]).clamp(-10.0, 10.0).reshape(rewards.shape)

    def read(self) -> None:
        """Take over the agents' moments."""
        for s, mine in enumerate(self._agents):
            self.seen[s].copy_(torch.as_tensor(mine.seen.data))
            self.returned[s].copy_(torch.as_tensor(mine.returned.data))
            self.running[s].copy_(torch.as_tensor(mine._returns))

    def write(self, places: Sequence[int]) -> None:
        """Give the agents at some places their moments back."""
        for s in places:
            mine = self._agents[s]
            mine.seen.data[...] = self.seen[s].cpu().numpy()
            mine.returned.data[...] = self.returned[s].cpu().numpy()
            mine._returns = self.running[s].cpu().numpy().copy()


def _merged(moments: Tensor, batch: Tensor) -> Tensor:
    """Return moments [S, 3, ...] after a batch [S, B, ...] (Chan et al. 1979)."""
    mean, variance, count = moments.unbind(1)
    size = float(batch.shape[1])
    delta, total = batch.mean(1) - mean, count + size
    variance = torch.where(count > 0, variance, torch.zeros_like(variance))
    merged = variance * count + batch.var(1, correction=0) * size + delta**2 * count * size / total
    return torch.stack([mean + delta * size / total, merged / total, total], dim=1)
