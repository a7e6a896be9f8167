"""`RecurrentObservation`: a memory runs along the episode, and what it remembers is part of the observation.

The memory model "M" of World Models (Ha & Schmidhuber 2018): a controller without memory, linear even, sees features and hidden state.
"""

from __future__ import annotations

import os
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn

from rlcourse.core.arguments import checked
from rlcourse.core.config import Count, Natural
from rlcourse.core.spaces import short
from rlcourse.encoders import files, make_memory
from rlcourse.encoders.recurrent import Recurrent, State
from rlcourse.wrappers.encode import Reader, device_of, module_of, not_training

__all__ = ["RecurrentObservation"]


class RecurrentObservation(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Show the features of an observation, then the output of a memory that has seen the episode up to it.

    Parameters
    ----------
    env : Env
        Any observation that encoders take. To remember actions and rewards as well, wrap it in `PreviousActionReward` first.
    memory : str, path or rlcourse.encoders.recurrent.Recurrent
        A name for `rlcourse.encoders.make_memory`; the file of a `DRQN` or a `RecurrentPPO`, whose memory it is; or a module.
    frozen : bool
        A module is copied as it is now. Otherwise it is the module itself while it learns elsewhere; such an environment cannot be
        rebuilt from its `spec`.
    features_dim, encoder, seed
        Of a memory made by name: its width, the encoder before it, and what draws the weights of both.

    Notes
    -----
    Features are what the memory's own encoder makes of an observation: a vector stays as it is where that is "flatten". The memory is
    empty when an episode begins.
    """

    @checked
    def __init__(
        self,
        env: gym.Env[Any, Any],
        memory: str | os.PathLike[str] | nn.Module,
        frozen: bool = True,
        features_dim: Count = 64,
        encoder: str = "auto",
        seed: Natural = 0,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(
            self, memory=memory, frozen=frozen, features_dim=features_dim, encoder=encoder, seed=seed, _disable_deepcopy=not frozen
        )
        gym.Wrapper.__init__(self, env)
        space = env.observation_space
        self.memory = module_of(
            memory, space, frozen, lambda name, seen: make_memory(name, seen, features_dim, encoder), files.load_memory, seed
        )
        if not isinstance(self.memory, Recurrent):
            raise ValueError(
                f"RecurrentObservation needs a memory, such as 'lstm', not {type(self.memory).__name__}; or use EncodeObservation"
            )
        self.reader, self.frozen = Reader(space), frozen
        self._state: State | None = None
        try:
            width = len(self._remembered(self.reader.sample()))
        except (RuntimeError, TypeError, IndexError) as error:
            raise ValueError(f"the memory does not take observations of {short(space)}: {str(error).splitlines()[0]}") from error
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (width,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode with an empty memory."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._state = None
        return self._seen(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action, and remember what follows."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._seen(observation), reward, terminated, truncated, info

    def _seen(self, observation: Any) -> np.ndarray:
        return self._remembered(self.reader.tensor(self.reader.array(observation)))

    def _remembered(self, observations: torch.Tensor) -> np.ndarray:
        memory: Any = self.memory
        with torch.no_grad(), not_training(memory):
            x = observations.to(device_of(memory))
            before = memory.initial(1) if self._state is None else self._state
            remembered, self._state = memory.step(x, before)
            both = torch.cat([memory.encoder(x).float(), remembered], dim=1)
        return np.asarray(both[0].cpu().numpy())

    def state_dict(self) -> dict[str, Any]:
        """Return what the memory holds of the episode; its weights are not the environment's."""
        return {"memory": None if self._state is None else [part.cpu().numpy().copy() for part in self._state]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        held = state["memory"]
        self._state = None if held is None else tuple(torch.from_numpy(part.copy()).to(device_of(self.memory)) for part in held)

    @property
    def spec(self) -> Any:  # type: ignore[override]
        """How to make the environment again; None where the memory is not frozen."""
        return super().spec if self.frozen else None
