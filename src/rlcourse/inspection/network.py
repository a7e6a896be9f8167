"""`network_of`: any deep agent's network in one form - its encoder, its memory, its outputs and its value, with gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gymnasium as gym
import torch
from torch import Tensor, nn

from rlcourse.agents.deep.discrete_crossq import TwinQ
from rlcourse.encoders.images import Images, image_size

__all__ = ["Network", "network_of"]

Heads = Callable[[Tensor], Tensor]


class Network(NamedTuple):
    """What an agent acts by.

    Attributes
    ----------
    module : Module
        All of it, the critics of a continuous agent included.
    encoder : Module
    memory : Module or None
        That of an agent with memory, around the encoder.
    space : gymnasium.Space
        Of the observations.
    kind : str
        What the outputs are: "logits", "action values" or "actions".
    of_features, value_of_features : callable
        Outputs [B, K] and values [B] of the features, where there is a memory; else of observations.
    """

    module: nn.Module
    encoder: Any
    memory: Any
    space: gym.Space[Any]
    kind: str
    of_features: Heads
    value_of_features: Heads

    def outputs(self, x: Tensor, state: Any = None) -> Tensor:
        """Return logits, action values or actions, shape [B, K], of observations [B, ...] and the memory before them."""
        return self.of_features(self._features(x, state))

    def value(self, x: Tensor, state: Any = None) -> Tensor:
        """Return values, shape [B]: of the critic, the largest action value, or that of the action it would take."""
        return self.value_of_features(self._features(x, state))

    def codes(self, x: Tensor, state: Any = None) -> Tensor:
        """Return what the layers behind see, shape [B, features_dim]: the memory's features, or the encoder's."""
        features: Tensor = self.encoder(x) if self.memory is None else self._features(x, state)
        return features

    def _features(self, x: Tensor, state: Any) -> Tensor:
        if self.memory is None:
            return x
        features: Tensor = self.memory.step(x, self.memory.initial(len(x)) if state is None else state)[0]
        return features

    @property
    def image(self) -> bool:
        """Whether it sees images."""
        return image_size(self.space) is not None

    def pictures(self, x: Tensor) -> Tensor:
        """Return images as they are convolved, shape [B, C, H, W], of observations [B, ...]."""
        seen: Tensor = Images(self.space)(x)
        return seen

    def seen(self, pictures: Tensor) -> Tensor:
        """Return observations, in float, of images [B, C, H, W]: the inverse of `pictures`."""
        front = Images(self.space)
        if front.grey:
            return pictures[:, 0] * (255.0 if front.bytes else 1.0)
        if front.channels_last:
            return pictures.permute(0, 2, 3, 1)
        return pictures

    @contextmanager
    def redrawn(self, seed: int = 0) -> Iterator[None]:
        """Have all weights drawn anew within, each array with its own deviation, so that nothing learned is left."""
        kept = {name: value.clone() for name, value in self.module.state_dict().items() if isinstance(value, Tensor)}
        generator = torch.Generator().manual_seed(seed)
        try:
            with torch.no_grad():
                for parameter in self.module.parameters():
                    drawn = torch.randn(parameter.shape, generator=generator).to(parameter.device)
                    parameter.copy_(drawn * (parameter.std() if parameter.numel() > 1 else 0.0))
            yield
        finally:
            with torch.no_grad():
                for name, value in self.module.state_dict().items():
                    if isinstance(value, Tensor):
                        value.copy_(kept[name])


def network_of(agent: Any) -> Network:
    """Return the network of a deep agent.

    Raises
    ------
    ValueError
        Where it has none.
    """
    space = getattr(agent, "observation_space", None)
    for name, make in (("policy", _policy), ("networks", _soft), ("network", _values), ("actor", _continuous)):
        if isinstance(getattr(agent, name, None), nn.Module):
            return make(agent, space)
    raise ValueError(f"{type(agent).__name__} has no network of ours to look into; take a run of a deep agent, such as ppo or dqn")


def _policy(agent: Any, space: Any) -> Network:
    """PPO, A2C, REINFORCE, and recurrent PPO."""
    policy = agent.policy
    memory = getattr(policy, "memory", None)
    heads = policy if memory is None else policy.heads
    kind = "logits" if agent.discrete else "actions"
    encoder = policy.encoder if memory is None else memory.encoder
    return Network(policy, encoder, memory, space, kind, lambda x: heads(x)[0], lambda x: heads(x)[1])


def _soft(agent: Any, space: Any) -> Network:
    """Discrete SAC."""
    networks = agent.networks
    return Network(
        networks, networks.encoder, None, space, "logits", networks.logits, lambda x: networks(x)[1].amin(0).amax(1)
    )  # fmt: skip


def _values(agent: Any, space: Any) -> Network:
    """DQN, DRQN, PQN, and discrete CrossQ."""
    network = agent.network
    memory = getattr(network, "memory", None)

    def q(x: Tensor) -> Tensor:
        if memory is not None:
            outputs: Tensor = network.heads(x)
            return outputs
        if hasattr(network, "still"):
            network.still()
        outputs = network(x, train=False).amin(0) if isinstance(network, TwinQ) else network(x)
        return agent.values(outputs) if hasattr(agent, "values") and outputs.dim() > 2 else outputs

    encoder = memory.encoder if memory is not None else network[0] if isinstance(network, nn.Sequential) else network.encoder
    return Network(network, encoder, memory, space, "action values", q, lambda x: q(x).amax(1))


def _continuous(agent: Any, space: Any) -> Network:
    """SAC, TD3, DDPG, and CrossQ, whose actor sees the critics' features."""
    actor = agent.actor
    critics = agent.critics if hasattr(agent, "critics") else agent.critic
    shared = not hasattr(actor, "encoder")

    def actions(x: Tensor) -> Tensor:
        seen = critics.encoder(x) if shared else x
        taken: Tensor = actor.mode(seen) if hasattr(actor, "mode") else actor(seen)
        return taken

    def value(x: Tensor) -> Tensor:
        q: Tensor = critics(critics.encoder(x), actions(x), train=False) if shared else critics(x, actions(x))
        return q.amin(0)

    encoder = critics.encoder if shared else actor.encoder
    return Network(nn.ModuleList([actor, critics]), encoder, None, space, "actions", actions, value)
