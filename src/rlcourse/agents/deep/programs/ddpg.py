"""DDPG as a program: TD3's with one critic, without noise in target actions and without delay (see `rlcourse.agents.deep.td3`)."""

from __future__ import annotations

from typing import ClassVar

from rlcourse.agents.deep.programs.td3 import TD3Program

__all__ = ["DDPGProgram"]


class DDPGProgram(TD3Program):
    """Acting with noise, then updates of critic and actor (Lillicrap et al. 2016, Algorithm 1), of S agents."""

    swept: ClassVar[frozenset[str]] = frozenset({"learning_rate", "gamma", "tau", "action_noise_std", "max_grad_norm"})
    critics_name: ClassVar[str] = "critic"

    def _make_targets(self) -> None:
        self.interval = 1
