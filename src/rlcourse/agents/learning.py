"""`learn_with_box`: the loop around a box that tabular and linear agents share: budgets, callbacks, history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rlcourse.core import spaces
from rlcourse.core.agent import check_budget
from rlcourse.core.callbacks import Callback, make_callback
from rlcourse.core.env_state import EnvState
from rlcourse.core.faults import EnvironmentFault, ended_by
from rlcourse.core.gymworld import GymWorld
from rlcourse.core.trial import STEP_BUDGET, STEPS, UNLIMITED, Trial

__all__ = ["learn_with_box", "of_environment", "restored_environment", "state_of_environment"]


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
    check_budget(total_timesteps, episodes, required, callback_every, progress_bar)
    trial = _trial(agent, total_timesteps, episodes)
    call, finish = make_callback(agent, callback, progress_bar, total_timesteps, episodes)
    before = agent.num_timesteps
    agent._trial, agent.midway = trial, False
    try:
        while not trial.spent():
            pause = (
                (before + int(trial.sheet[STEPS])) // callback_every + 1
            ) * callback_every - before  # the same wherever a run was resumed
            trial.pause_at(pause)
            finished = _run(agent, trial, before)
            while not (finished or trial.spent()) and trial.sheet[STEPS] < pause:
                _keep(agent, trial, before)  # only the sheet was full
                finished = _run(agent, trial, before)
            _keep(agent, trial, before)
            if call(agent) is False or finished:
                break
    finally:
        agent._trial = None
        finish()


def _run(agent: Any, trial: Trial, before: int) -> bool | None:
    """Run an agent's box; where the environment or an action is at fault, say at which step."""
    try:
        finished: bool | None = agent._run(trial)
    except (EnvironmentFault, FloatingPointError) as fault:
        raise type(fault)(f"at step {before + int(trial.sheet[STEPS]) + 1:,} {fault}") from fault
    except SystemExit as error:  # of a world that is stepped as it is
        what = f"the environment ended the program ({ended_by(error)}): mend the environment"
        raise EnvironmentFault(f"at step {before + int(trial.sheet[STEPS]) + 1:,} {what}") from error
    return finished


def _trial(agent: Any, steps: int | None, episodes: int | None) -> Trial:
    """Return a trial of an agent's world that knows how many states there are."""
    seen = agent.observation_space
    states = float(spaces.size(seen)) if spaces.is_finite(seen) else UNLIMITED
    return Trial.of(agent.world, steps=steps or UNLIMITED, episodes=episodes or UNLIMITED, limit=agent.limit, states=states)


def _keep(agent: Any, trial: Trial, before: int) -> None:
    """Move finished rows from the sheet to the history."""
    rows = trial.take_rows()
    rows[:, -1] += before
    agent.history.extend(rows)
    agent.num_timesteps = before + int(trial.sheet[STEPS])
    agent.midway = bool(trial.sheet[STEP_BUDGET] == 0 and len(rows) and not rows[-1, 2])  # stopped in an episode that would go on
    wild = [name for name in agent.must_be_finite if not np.all(np.isfinite(getattr(agent, name)))]
    wrong = trial.fault()
    if wild and "first" not in wrong:  # a world may be led astray by actions that are none; a bad first state has led the agent astray
        raise FloatingPointError(
            f"learning has diverged: {' and '.join(wild)} are no longer finite after {agent.num_timesteps:,} steps; take a smaller alpha"
        )
    if wrong:
        raise EnvironmentFault(f"the environment gave {wrong}, at step {agent.num_timesteps:,} in copy 0: mend the environment")


def of_environment(agent: Any) -> EnvState | None:
    """Return the state of an environment that an agent learns in and that is no data; the agent's generator in it is the agent's."""
    return EnvState(agent.world.env, {"rng": agent.rng}) if isinstance(agent.world, GymWorld) else None


def state_of_environment(agent: Any) -> dict[str, Any]:
    """Return what lasts from one episode to the next outside an agent: the clock of its world, or where its environment is."""
    if agent.env_state is not None:
        return {f"env.{name}": value for name, value in agent.env_state.state_dict().items()}
    clock = getattr(agent.world, "clock", None)  # a world that changes with time goes on where it was
    return {} if clock is None else {"clock": clock.copy()}


def restored_environment(agent: Any, state: dict[str, Any]) -> None:
    """Put the world or the environment of an agent where `state_of_environment` found it."""
    if agent.env_state is not None:
        agent.env_state.load_state_dict({name.removeprefix("env."): value for name, value in state.items() if name.startswith("env.")})
    clock = getattr(agent.world, "clock", None)
    if clock is not None and "clock" in state:
        clock[...] = state["clock"]
