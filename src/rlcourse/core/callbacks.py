"""Callbacks of `learn`: ``callback(agent)`` is called now and then; returning False ends learning."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcourse.core.agent import Agent

__all__ = ["Callback", "TrueError", "WarnIfConstant", "chain", "make_callback"]

Callback = Callable[["Agent"], "bool | None"]


def chain(callbacks: Callback | Iterable[Callback] | None) -> Callback:
    """Return one callback that calls all of them; False from any of them is the answer."""
    listed = _listed(callbacks)

    def call(agent: Agent) -> bool:
        answers = [each(agent) for each in listed]  # all are called, whatever the first one says
        return all(answer is None or bool(answer) for answer in answers)  # a comparison of numpy's numbers is not `False` itself

    return call


def make_callback(
    agent: Agent,
    callback: Callback | Iterable[Callback] | None,
    progress_bar: bool,
    total_timesteps: int | None,
    episodes: int | None,
) -> tuple[Callback, Callable[[], None]]:
    """Return the callback of a call of `learn`, progress bar included, and what to call at its end."""
    listed = _listed(callback)
    if not progress_bar:
        return chain(listed), lambda: None
    from rich.progress import Progress

    bar = Progress(transient=False)
    steps_before, episodes_before = agent.num_timesteps, len(agent.history)
    task = bar.add_task(type(agent).__name__, total=total_timesteps or episodes)
    bar.start()

    def advance(agent: Agent) -> None:
        done = agent.num_timesteps - steps_before if total_timesteps else len(agent.history) - episodes_before
        bar.update(task, completed=done)

    return chain([advance, *listed]), bar.stop


def _listed(callback: Callback | Iterable[Callback] | None) -> list[Callback]:
    """Return callbacks as a list; raises ValueError where there is something else among them."""
    if callback is None or callable(callback):
        return [] if callback is None else [callback]
    axes = getattr(callback, "ndim", 1)  # an array without axes is no list
    found: list[Any] = list(callback) if isinstance(callback, Iterable) and axes > 0 else [callback]
    if isinstance(callback, str | bytes) or not all(callable(each) for each in found):
        raise ValueError(f"callback must be a function of the agent, or a list of them, not {callback!r:.60}")
    return found


class TrueError:
    """A callback that notes how far a tabular agent is from the exact values, wherever the model is known.

    >>> log = TrueError()
    >>> agent.learn(100_000, callback=log, callback_every=1_000)

    Attributes
    ----------
    timesteps, errors : list of int, list of float
        Steps taken, and the root-mean-square distance from `TabularAgent.exact_values` there.
    """

    def __init__(self) -> None:
        self.timesteps: list[int] = []
        self.errors: list[float] = []

    def __call__(self, agent: Agent) -> None:
        """Note the error."""
        self.timesteps.append(agent.num_timesteps)
        self.errors.append(agent.true_error())  # type: ignore[attr-defined]


class WarnIfConstant:
    """A callback that warns, once, where a loss stands still while the agent learns: targets that are constant by mistake look so.

    >>> agent.learn(100_000, callback=WarnIfConstant())

    Losses of a policy are not watched: their mean may rightly stay 0. A call at which no metric at all has changed is no measurement,
    because nothing was learned since the last one.

    Parameters
    ----------
    calls : int
        Measurements in a row that must agree, to a part in a million.

    Attributes
    ----------
    warned : bool
    """

    def __init__(self, calls: int = 10) -> None:
        if calls < 2:
            raise ValueError(f"calls must be at least 2, not {calls}: one measurement is always constant")
        self.calls, self.warned = calls, False
        self._seen: dict[str, float] = {}
        self._first: dict[str, tuple[float, int]] = {}  # of each loss: since when it has not moved, and how often it was seen so

    def __call__(self, agent: Agent) -> None:
        """Look at the metrics; warn where it is time."""
        sentence = self.verdict(agent)
        if sentence:
            warnings.warn(sentence, stacklevel=2)

    def verdict(self, agent: Agent) -> str | None:
        """Look at the metrics; return the warning where it is time, the first time only."""
        metrics = {name: float(number) for name, number in getattr(agent, "metrics", {}).items() if math.isfinite(number)}
        if self.warned or metrics == self._seen:
            return None
        self._seen = metrics
        for name, loss in metrics.items():
            if "loss" not in name or "policy" in name or "actor" in name:
                continue
            value, times = self._first.get(name, (loss, 0))
            self._first[name] = (value, times + 1) if math.isclose(loss, value, rel_tol=1e-6) else (loss, 1)
            if self._first[name][1] >= self.calls:
                self.warned = True
                return (
                    f"{name} has been {value:.4g} in {self.calls} measurements in a row: where nothing is left to learn that is right, "
                    "else look whether rewards, observations or terminations are constant by mistake"
                )
        return None
