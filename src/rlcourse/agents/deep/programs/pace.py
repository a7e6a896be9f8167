"""`Pace`: a setting of S agents as a tensor, constant or following the count of steps on the device."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rlcourse.core.schedules import Exponential, Linear, Schedule

__all__ = ["Pace"]


class Pace:
    """Schedules of S agents, each constant, linear or exponential.

    Parameters
    ----------
    schedules : sequence of Schedule
    device : torch.device
    """

    def __init__(self, schedules: Sequence[Schedule], device: torch.device) -> None:
        start, end, steps = [], [], []
        for each in schedules:
            moving = isinstance(each, Linear | Exponential)
            start.append(float(each.start if moving else each))  # type: ignore[union-attr, arg-type]
            end.append(float(each.end if moving else each))  # type: ignore[union-attr, arg-type]
            steps.append(float(each.steps if moving else 1.0))  # type: ignore[union-attr]
        self.start, self.end, self.steps = (torch.tensor(part, dtype=torch.float64, device=device) for part in (start, end, steps))
        self.halving = torch.tensor([isinstance(each, Exponential) for each in schedules], device=device)
        self._constant = None if any(isinstance(each, Linear | Exponential) for each in schedules) else self.start.float()

    def at(self, step: Tensor) -> Tensor:
        """Return the values at steps, integers of shape [1] or [..., 1], as float32 [S] or [..., S]."""
        if self._constant is not None:
            return self._constant.expand(*step.shape[:-1], -1)
        share = step / self.steps
        way = torch.where(self.halving, 1.0 - torch.exp(-math.log(2.0) * share), share.clamp(max=1.0))
        return (self.start + (self.end - self.start) * way).float()
