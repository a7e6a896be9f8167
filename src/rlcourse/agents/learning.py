"""`learn_with_box`: the loop around a box that tabular and linear agents share: budgets, callbacks, history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rlcourse.core.agent import check_budget
from rlcourse.core.callbacks import Callback, make_callback
from rlcourse.core.trial import STEPS, UNLIMITED, Trial

__all__ = ["learn_with_box"]


def learn_with_box(
    agent: Any,
    total_timesteps: int | None,
    episodes: int | None,
    callback: Callback | Iterable[Callback] | None,
    callback_every: int,
    progress_bar: bool,
    required: bool = True,
) -> None:
    """Run an agent's box until a budget is spent; see `rlcourse.core.agent.Agent.learn` for the arguments.

    Parameters
    ----------
    agent : Agent
        With ``world``, ``limit``, ``_run(trial)``, which returns True where the algorithm has finished by itself, and ``_trial``, through
        which another thread stops it.
    required : bool
        Whether a budget must be given.
    """
    check_budget(total_timesteps, episodes, required)
    if not callback_every >= 1:
        raise ValueError(f"callback_every must be at least 1, not {callback_every!r}")
    trial = Trial.of(agent.world, steps=total_timesteps or UNLIMITED, episodes=episodes or UNLIMITED, limit=agent.limit)
    call, finish = make_callback(agent, callback, progress_bar, total_timesteps, episodes)
    before = agent.num_timesteps
    agent._trial = trial
    try:
        while not trial.spent():
            started = trial.sheet[STEPS]
            trial.pause_at(started + callback_every)
            finished = agent._run(trial)
            while not (finished or trial.spent()) and trial.sheet[STEPS] < started + callback_every:
                _keep(agent, trial, before)  # only the sheet was full
                finished = agent._run(trial)
            _keep(agent, trial, before)
            if call(agent) is False or finished:
                break
    finally:
        agent._trial = None
        finish()


def _keep(agent: Any, trial: Trial, before: int) -> None:
    """Move finished rows from the sheet to the history."""
    rows = trial.take_rows()
    rows[:, -1] += before
    agent.history.extend(rows)
    agent.num_timesteps = before + int(trial.sheet[STEPS])
    wild = [name for name in agent.must_be_finite if not np.all(np.isfinite(getattr(agent, name)))]
    if wild:
        raise FloatingPointError(
            f"learning has diverged: {' and '.join(wild)} are no longer finite after {agent.num_timesteps:,} steps; take a smaller alpha"
        )
