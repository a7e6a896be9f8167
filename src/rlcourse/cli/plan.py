"""How long a run trains, and when it looks."""

from __future__ import annotations

from typing import NamedTuple

from rlcourse.core.agent import Agent

__all__ = ["Plan"]


class Plan(NamedTuple):
    """How long to train and when to look."""

    total_timesteps: int
    eval_every: int
    eval_episodes: int
    target: float | None = None
    stop_at: float | None = None
    early_stopping_rounds: int | None = None
    metric: str = "mean"
    minimize: bool = False
    episodes: int | None = None
    keep: int = 2

    def spent(self, agent: Agent) -> bool:
        """Whether nothing is left of the steps, or of the episodes."""
        return agent.num_timesteps >= self.total_timesteps or (self.episodes is not None and len(agent.history) >= self.episodes)
