"""`Bridge`: the callback of stable-baselines3 that keeps our history and calls our callbacks, and how it stops a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from rlcourse.core.callbacks import Callback

__all__ = ["Bridge", "Enough"]


class Enough(Exception):
    """Ends a model's `learn` between an update and the next rollout, where its state is whole."""


class Bridge(BaseCallback):
    """Calls `call` after an update and every so many steps, and at the end.

    Parameters
    ----------
    agent : SB3Agent
    call : callback
        False ends learning.
    every : int
        Steps between calls at least.
    last_episode : int
        Learning ends when the history has so many rows.
    """

    def __init__(self, agent: Any, call: Callback, every: int, last_episode: int) -> None:
        super().__init__()
        self.agent, self.call, self.every, self.last_episode = agent, call, every, last_episode
        self._following = (agent.num_timesteps // every + 1) * every
        self._called_at = agent.num_timesteps

    def _on_step(self) -> bool:
        """Note the episodes that ended in this step; False ends the rollout, which is not learned from."""
        agent, copies = self.agent, self.training_env.num_envs
        agent.num_timesteps = self.num_timesteps
        dones = self.locals["dones"]
        if np.any(dones):
            before = self.num_timesteps - copies
            rows = [self._row(info, before + i + 1) for i, info in enumerate(self.locals["infos"]) if dones[i] and "episode" in info]
            agent.history.extend(np.array(rows, dtype=float).reshape(-1, 4))
        goes_on = agent._asked_to_stop != "step" and len(agent.history) < self.last_episode
        if not goes_on:  # the model forgets this step, but its copies have taken it
            self.model._last_obs = self.locals["new_obs"]
            self.model._last_episode_starts = dones
            if "lstm_states" in self.locals:
                self.model._last_lstm_states = self.locals["lstm_states"]  # type: ignore[attr-defined]
        return bool(goes_on)

    def _on_rollout_start(self) -> None:
        """Between an update and the next rollout: look, and end here where that was asked for."""
        if self.num_timesteps >= self._following:
            self._following = (self.num_timesteps // self.every + 1) * self.every
            self._look()
        if self.agent._asked_to_stop:
            raise Enough

    def finish(self) -> None:
        """Call once more at the end, unless that was just done."""
        if self.num_timesteps > self._called_at:
            self._look()

    def _look(self) -> None:
        self._called_at = self.agent.num_timesteps = self.num_timesteps
        self.agent.take_metrics()
        self.agent.check_finite()
        if self.call(self.agent) is False:
            raise Enough

    @staticmethod
    def _row(info: dict[str, Any], step: int) -> list[float]:
        """Return return, length, terminated, step of a finished episode."""
        return [float(info["episode"]["r"]), float(info["episode"]["l"]), float(not info["TimeLimit.truncated"]), float(step)]
