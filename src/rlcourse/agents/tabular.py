"""`TabularAgent`: what agents with tables share; the algorithm itself is the subclass's box."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import gymnasium as gym
import numpy as np

from rlcourse.agents.indices import require_indices
from rlcourse.agents.learning import learn_with_box, of_environment, restored_environment, state_of_environment
from rlcourse.core import exact, spaces
from rlcourse.core.agent import Agent, require_state, require_truth
from rlcourse.core.callbacks import Callback
from rlcourse.core.fits import Misfit, shaped
from rlcourse.core.gymworld import GymWorld, as_env, as_world, model_of
from rlcourse.core.mdp import MDP
from rlcourse.core.observed import Observed, observed
from rlcourse.core.policies import epsilon_greedy, sample
from rlcourse.core.trial import Trial

__all__ = ["TabularAgent"]


class TabularAgent(Agent):
    """Base of the tabular agents.

    A subclass names its tables in `tables` (they are saved), and runs its box in `_run`. One that evaluates a given policy
    has ``inputs = ("policy",)``: the policy is an argument, an attribute of shape [S, A] and saved, and the agent acts by it.

    Parameters
    ----------
    env, seed, config, **settings
        As in `Agent`.
    policy : ndarray, shape [S, A] of probabilities or [S] of actions, optional
        For agents that take one; the equiprobable policy where None.

    Attributes
    ----------
    Q : ndarray of float64, shape [S, A]
        Action values.
    V : ndarray of float64, shape [S]
        State values, where the agent has them.
    world : World
        What the box lives in; data where the box runs compiled.
    """

    tables: ClassVar[tuple[str, ...]] = ("Q",)
    budget_required: ClassVar[bool] = True
    must_be_finite: ClassVar[tuple[str, ...]] = ()  # an action that does not exist has the value -inf
    Q: np.ndarray
    V: np.ndarray
    policy: np.ndarray
    behavior: np.ndarray

    def __init__(self, env: Any, **settings: Any) -> None:
        self._given = {name: settings.pop(name, None) for name in self.inputs}
        super().__init__(env, **settings)

    def _build(self) -> None:
        name = type(self).__name__
        for role, space in (("observations", self.observation_space), ("actions", self.action_space)):
            if not spaces.is_finite(space):
                raise ValueError(f"{name} keeps a table and needs finite {role}; {space} is not: take a deep agent such as PPO")
        self.world, self.limit = as_world(self.env)
        if isinstance(self.observation_space, gym.spaces.MultiDiscrete) and not isinstance(self.world, GymWorld):  # which numbers them
            self.world, self.limit = GymWorld(as_env(self.env)), None
        changing: Any = self.world
        if hasattr(changing, "clock"):  # a clock of its own: evaluating in the environment must not move the learner's
            self.world = changing._replace(clock=changing.clock.copy())
        self.world = observed(self.world)
        self.env_state = of_environment(self)
        S, A = spaces.size(self.observation_space), spaces.size(self.action_space)
        self.Q, self.V = np.zeros((S, A)), np.zeros(S)
        for given, policy in self._given.items():
            try:
                setattr(self, given, exact.as_policy(np.full((S, A), 1.0 / A) if policy is None else policy, S, A))
            except ValueError as error:
                raise ValueError(str(error).replace("policy", given, 1)) from error
        self._trial: Trial | None = None
        self._exact: np.ndarray | None = None

    def _model(self) -> MDP:
        """Return the exact model, for planners; raises where there is none."""
        model = model_of(self.env)
        if model is None:
            raise ValueError(
                f"{type(self).__name__} needs a model: this environment has neither `.world` nor `.P` "
                "(or a wrapper hides it); take QLearning"
            )
        return model

    def _sample_model(self) -> Any:
        """Return what can be stepped from any state, for planning at decision time: the world, or the exact model."""
        return self._model() if isinstance(self.world, GymWorld | Observed) else self.world

    def _run(self, trial: Trial) -> bool | None:
        """Run the box until `trial` pauses it; return True where the algorithm has finished by itself."""
        raise NotImplementedError

    def learn(
        self,
        total_timesteps: int | None = None,
        *,
        episodes: int | None = None,
        callback: Callback | Iterable[Callback] | None = None,
        callback_every: int = 1_000_000,
        progress_bar: bool = False,
    ) -> Self:
        """Learn; see `Agent.learn`."""
        learn_with_box(self, total_timesteps, episodes, callback, callback_every, progress_bar, self.budget_required)
        return self

    def stop(self, at_episode_end: bool = False) -> None:
        """End `learn` soon, from any thread, also in the middle of a compiled box."""
        if self._trial is not None:
            self._trial.stop(at_episode_end)

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> tuple[Any, Any]:
        """Return greedy actions (the first of equals), or epsilon-greedy ones; see `Agent.predict`."""
        require_truth("deterministic", deterministic)
        batch = spaces.is_batch(self.observation_space, observation)
        indices = np.atleast_1d(np.asarray(spaces.ravel(self.observation_space, observation)))
        known = bool(np.all((indices >= 0) & (indices < spaces.size(self.observation_space))))
        if not known or not np.array_equal(spaces.unravel(self.observation_space, indices if batch else indices[0]), observation):
            raise ValueError(f"observation {observation!r} is outside {self.observation_space}")
        actions = self._actions(indices, deterministic)
        return spaces.unravel(self.action_space, actions if batch else actions[0]), state

    def _actions(self, states: np.ndarray, deterministic: bool) -> np.ndarray:
        """Choose an action in each state, shape [n]."""
        given = "policy" in self.inputs
        rows = self.policy[states] if given else self.action_values(states)
        if deterministic:
            return np.argmax(rows, axis=1)
        epsilon = getattr(self.config, "epsilon", 0.0)
        return np.array([sample(row, self.rng) if given else epsilon_greedy(row, epsilon, self.rng) for row in rows])

    def action_values(self, states: np.ndarray) -> np.ndarray:
        """Return the action values of states, shape [n, A]."""
        values: np.ndarray = self.Q[states]
        return values

    def exact_values(self) -> np.ndarray:
        """Return what the agent is after: v_pi [S] of its given policy, or q* [S, A]; needs a model (see `rlcourse.core.exact`).

        Computed at the first call.
        """
        if self._exact is None:
            model, gamma = self._model(), getattr(self.config, "gamma", 1.0)
            self._exact = exact.v_pi(model, self.policy, gamma) if "policy" in self.inputs else exact.q_star(model, gamma)
        return self._exact

    def true_error(self) -> float:
        """Return the root-mean-square distance between the agent's values and `exact_values`."""
        mine = self.V if "policy" in self.inputs else self.action_values(np.arange(spaces.size(self.observation_space)))
        return float(np.sqrt(np.nanmean((mine - self.exact_values()) ** 2)))

    def state_dict(self) -> dict[str, Any]:
        """Return the tables, settings and generator; see `Agent.state_dict`."""
        tables = {name: getattr(self, name).copy() for name in (*self.tables, *self.inputs)}
        return super().state_dict() | tables | state_of_environment(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over tables, settings and generator; see `Agent.load_state_dict`."""
        require_state(self, state)
        names = (*self.tables, *self.inputs)
        for name in names:
            shaped(state[name], getattr(self, name).shape, getattr(self, name).dtype, name)
            if np.isnan(state[name]).any():
                raise Misfit(f"{name} has values that are no numbers in the file; take an earlier checkpoint")
        sizes = spaces.size(self.observation_space), spaces.size(self.action_space)
        require_indices({name: state[name] for name in names}, *sizes)
        super().load_state_dict(state)
        self._exact = None
        for name in names:
            getattr(self, name)[...] = state[name]
        restored_environment(self, state)
