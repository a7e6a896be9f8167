"""Small agents for actions within bounds, fed with batches of ours."""

from types import SimpleNamespace

import numpy as np

from rlcourse.agents import DDPG, SAC, TD3
from rlcourse.agents.deep.replay import Batch

AGENTS = (DDPG, TD3, SAC)


SMALL = {"hidden": (16, 16), "batch_size": 32, "learning_starts": 20, "buffer_size": 1000}


B = 32


def agent_of(kind, env="Pendulum-v1", **settings):
    return kind(env, seed=0, **(SMALL | settings))


def batch_of(agent, seed=0, discount=0.9):
    rng, n = np.random.default_rng(seed), agent.bounds.size
    S, S_ = (rng.standard_normal((B, 3)).astype(np.float32) for _ in range(2))
    A, R = rng.uniform(-1, 1, (B, n)).astype(np.float32), rng.standard_normal(B).astype(np.float32)
    ended = rng.random(B) < 0.3
    return Batch(S, A, R, S_, np.where(ended, 0.0, discount).astype(np.float32), np.arange(B))


def feed(agent, batch):
    """Let an agent see one batch whenever it samples."""
    agent.replay = SimpleNamespace(sample=lambda *_: batch)


def record(agent):
    """Return a list to which the agent's gradients go as (optimiser, loss's gradient), and let nothing move."""
    seen = {}
    for name in ("critic_optimizer", "actor_optimizer", "temperature_optimizer"):
        optimizer = getattr(agent, name, None)
        if optimizer is not None:
            optimizer._descend = lambda _, name=name, optimizer=optimizer: seen.update({name: optimizer.gradient.clone()})
    return seen
