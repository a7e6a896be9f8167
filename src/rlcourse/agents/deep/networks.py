"""Networks of the policy-gradient agents: actor and critic as one batched network, and the two action distributions.

On small networks nearly all the time is overhead per operation, so operations are counted: both networks run as one batched
matrix product per layer, and acting touches the actor's half only.
"""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from rlcourse.encoders import make

__all__ = ["ActorCritic"]


class ActorCritic(nn.Module):
    """An actor and a critic of the same hidden sizes, over one encoder that both share.

    Parameters
    ----------
    observation_space, action_space : gymnasium.Space
        Actions are Discrete (softmax) or Box (Gaussian, one learned standard deviation per dimension).
    hidden : tuple of int
        Widths of the hidden layers, tanh between them.
    encoder : str
        Name for `rlcourse.encoders.make`.
    generator : torch.Generator
        Draws the initial weights (orthogonal).
    log_std : float
        Initial log standard deviation of a Gaussian policy.
    """

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        hidden: tuple[int, ...],
        encoder: str,
        generator: torch.Generator,
        log_std: float = 0.0,
    ) -> None:
        super().__init__()
        self.discrete = isinstance(action_space, gym.spaces.Discrete)
        n = int(action_space.n) if isinstance(action_space, gym.spaces.Discrete) else math.prod(action_space.shape or ())
        with torch.random.fork_rng(devices=[]):  # encoders initialise from torch's global generator
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
            self.encoder = make(encoder, observation_space)
        sizes = [self.encoder.features_dim, *hidden]
        # [2, in, out]: half 0 is the actor's, half 1 the critic's; the first layer is stored [in, 2 out], one product
        self.first = nn.Parameter(torch.cat([_orthogonal(sizes[0], sizes[1], 2**0.5, generator) for _ in range(2)], dim=1))
        self.first_bias = nn.Parameter(torch.zeros(2 * sizes[1]))
        self.weights = nn.ParameterList(
            torch.stack([_orthogonal(i, o, 2**0.5, generator) for _ in range(2)]) for i, o in zip(sizes[1:], sizes[2:], strict=False)
        )
        self.biases = nn.ParameterList(torch.zeros(2, 1, o) for o in sizes[2:])
        self.policy = nn.Parameter(_orthogonal(sizes[-1], n, 0.01, generator))
        self.policy_bias = nn.Parameter(torch.zeros(n))
        self.value = nn.Parameter(_orthogonal(sizes[-1], 1, 1.0, generator))
        self.value_bias = nn.Parameter(torch.zeros(1))
        self.log_std = None if self.discrete else nn.Parameter(torch.full((n,), float(log_std)))

    def forward(self, observations: Any) -> tuple[Tensor, Tensor]:
        """Return the distribution's parameters, shape [B, A], and the values, shape [B]."""
        x = torch.tanh(torch.addmm(self.first_bias, self.encoder(observations), self.first))
        x = x.view(x.shape[0], 2, -1).transpose(0, 1)  # [2, B, H]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = torch.tanh(torch.baddbmm(bias, x, weight))
        actor, critic = x.unbind(0)
        return torch.addmm(self.policy_bias, actor, self.policy), torch.addmm(self.value_bias, critic, self.value).squeeze(1)

    def act(self, observations: Any) -> Tensor:
        """Return the distribution's parameters alone, shape [B, A]: the actor's half of `forward`."""
        width = self.first.shape[1] // 2
        x = torch.tanh(torch.addmm(self.first_bias[:width], self.encoder(observations), self.first[:, :width]))
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = torch.tanh(torch.addmm(bias[0], x, weight[0]))
        return torch.addmm(self.policy_bias, x, self.policy)

    def noise(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Return noise that makes `choose` sample: Gumbel for a softmax policy, normal for a Gaussian one; [*shape, A]."""
        like = self.policy_bias
        if self.discrete:
            return torch.empty(*shape, len(like), device=like.device).exponential_(generator=generator).log_().neg_()
        return torch.randn(*shape, len(like), generator=generator, device=like.device)

    def choose(self, parameters: Tensor, noise: Tensor | None) -> Tensor:
        """Return actions, shape [B] or [B, A]; without noise the mode."""
        if self.discrete:
            return (parameters if noise is None else parameters + noise).argmax(-1)
        assert self.log_std is not None
        return parameters if noise is None else parameters + noise * self.log_std.exp()

    def log_prob(self, parameters: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-probabilities of actions, shape [B], and what `entropy` needs."""
        if self.discrete:
            table = torch.log_softmax(parameters, dim=-1)
            return table.gather(1, actions.unsqueeze(1)).squeeze(1), table
        assert self.log_std is not None
        z = (actions - parameters) * torch.exp(-self.log_std)
        constant = self.log_std.sum() + 0.5 * math.log(2 * math.pi) * len(self.log_std)
        return -0.5 * (z * z).sum(-1) - constant, self.log_std

    def entropy(self, table: Tensor) -> Tensor:
        """Return the mean entropy of the distributions that `log_prob` has just seen, a scalar."""
        if self.discrete:
            return -(table * table.exp()).sum(-1).mean()
        return table.sum() + 0.5 * (1.0 + math.log(2 * math.pi)) * len(table)


def _orthogonal(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> Tensor:
    """Return an orthogonal matrix, shape [inputs, outputs], times a gain (Saxe et al. 2014)."""
    return nn.init.orthogonal_(torch.empty(outputs, inputs), gain, generator=generator).t().contiguous()
