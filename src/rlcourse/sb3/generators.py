"""The generators that stable-baselines3 draws from: torch's and numpy's global ones, lent to one agent at a time.

Its models seed and use the global generators. Here each agent owns the state of both: it is put in place while the agent builds,
learns or predicts, and what was there before is put back afterwards. So two agents in one process do not disturb each other, a
program's own random numbers stay what they were, and a resumed agent goes on with the very same numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from rlcourse.core.fits import shaped, whole_in

__all__ = ["Generators"]


class Generators:
    """States of torch's and numpy's global generators that belong to one agent.

    Parameters
    ----------
    seed : int
        The states are those after ``stable_baselines3.common.utils.set_random_seed(seed)``.
    """

    def __init__(self, seed: int) -> None:
        self._torch = torch.Generator().manual_seed(seed).get_state()
        self._numpy: Any = np.random.RandomState(seed % 2**32).get_state(legacy=False)
        self._depth = 0

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Let the global generators be the agent's."""
        self._depth += 1
        before = _global()
        if self._depth == 1:
            self._put((self._torch, self._numpy))
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._torch, self._numpy = _global()
                self._put(before)

    def state_dict(self) -> dict[str, Any]:
        """Return both states: arrays and numbers."""
        now = _global() if self._depth else (self._torch, self._numpy)
        key = now[1]["state"]["key"]
        rest = {"pos": int(now[1]["state"]["pos"]), "has_gauss": int(now[1]["has_gauss"]), "gauss": float(now[1]["gauss"])}
        return {"torch": now[0].numpy().copy(), "numpy": key.copy(), "position": rest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over both states."""
        rest = state["position"]
        self._torch = torch.from_numpy(shaped(state["torch"], tuple(self._torch.shape), np.uint8, "generators").copy())
        inner = {"key": shaped(state["numpy"], (624,), np.uint32, "generators").copy(), "pos": whole_in(rest["pos"], 0, 624, "generators")}
        self._numpy = {"bit_generator": "MT19937", "state": inner, "has_gauss": rest["has_gauss"], "gauss": rest["gauss"]}

    @staticmethod
    def _put(states: tuple[torch.Tensor, Any]) -> None:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def _global() -> tuple[torch.Tensor, Any]:
    return torch.get_rng_state(), np.random.get_state(legacy=False)  # noqa: NPY002
