"""`LinearAgent`: what agents with linear values share; the algorithm itself is the subclass's box."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from rlcourse.agents.learning import learn_with_box, of_environment, restored_environment, state_of_environment
from rlcourse.agents.monte_carlo.coverage import check_coverage
from rlcourse.core import exact, spaces
from rlcourse.core.agent import Agent, require_state, require_truth
from rlcourse.core.callbacks import Callback
from rlcourse.core.catalogue import twin_of
from rlcourse.core.config import Config
from rlcourse.core.fits import finite, fit, shaped
from rlcourse.core.gymworld import GymWorld, as_world, model_of, peel
from rlcourse.core.linear import pi, q_hat, v_hat
from rlcourse.core.mdp import MDP
from rlcourse.core.observed import observed
from rlcourse.core.policies import epsilon_greedy, sample
from rlcourse.core.trial import Trial
from rlcourse.core.work import spend
from rlcourse.features import TableFeatures, make
from rlcourse.features.parts import check, copied, described, reading, rebuilt

__all__ = ["LinearAgent", "LinearConfig"]


@dataclass(frozen=True)
class LinearConfig(Config):
    """What all linear agents can be told."""

    features: str = "auto"  # auto, one-hot, tiles:8x8, hashed:8x8:4096, fourier:3, poly:3, rbf:5, vector, ... see docs/features.md


class LinearAgent(Agent):
    """Base of the agents whose values are linear in features.

    A subclass makes its arrays in `_make_tables`, names them in `tables` (they are saved), and runs its box in `_run`. One that evaluates
    a given policy has ``inputs = ("policy",)``, or ``("policy", "behavior")``: they are arguments, attributes and saved, and the
    agent acts by the policy.

    Parameters
    ----------
    env, seed, config, **settings
        As in `Agent`.
    features : str, features, or ndarray
        A name for `rlcourse.features.make`; features themselves; or a table of them for `TableFeatures.of`.
    policy, behavior : ndarray, shape [S, A] or [A] of probabilities, or [S] of actions, optional
        For agents that take one; the equiprobable policy where None. [A] is the same everywhere: the only kind where observations are
        not finite.

    Attributes
    ----------
    features : named tuple
        See `rlcourse.features`.
    w : ndarray of float64
        Weights: [d] of state values or of features of pairs; [A, d] of action values over features of states.
    world : World
        What the box lives in; data where the box runs compiled.
    """

    tables: ClassVar[tuple[str, ...]] = ("w",)
    values_of_states: ClassVar[bool] = False  # whether w weighs features of states alone
    finite_actions: ClassVar[bool] = True
    w: np.ndarray
    policy: np.ndarray
    behavior: np.ndarray

    def __init__(self, env: Any, *, features: Any = None, **settings: Any) -> None:
        self._given = {name: settings.pop(name, None) for name in self.inputs}
        self._features = None if features is None or isinstance(features, str) else features
        if features is not None:
            settings["features"] = features if isinstance(features, str) else "given"
        super().__init__(env, **settings)

    def _build(self) -> None:
        name = type(self).__name__
        if self.finite_actions and not spaces.is_finite(self.action_space):
            raise ValueError(
                f"{name} needs finite actions; {self.action_space} is not: take GaussianActorCritic, or a deep agent such as SAC"
            )
        self.world, self.limit = as_world(self.env)
        whole: Any = self.env
        if isinstance(self.world, GymWorld) and (twin := twin_of(whole)) is not None:  # the same dynamics as data: compiled
            self.world, self.limit = twin, peel(whole)[1]
        changing: Any = self.world
        if hasattr(changing, "clock"):  # a clock of its own: evaluating in the environment must not move the learner's
            self.world = changing._replace(clock=changing.clock.copy())
        self.world = observed(self.world, finite_only=False)
        self.env_state = of_environment(self)
        if self._features is None:
            inside = self.config.features == "given" or (self._restored and "table:" in self.config.features)
            named = "auto" if inside else self.config.features  # those in the agent's file take its place
            self.features: Any = make(named, self.observation_space)
        else:
            given = self._features
            self.features = TableFeatures.of(given) if isinstance(given, np.ndarray | list) else copied(given)
        self._take_policies()
        self._trial: Trial | None = None
        self._check_features()
        self._make_tables()

    def _take_policies(self) -> None:
        """Check the given policies: rows of probabilities for each state, or one for all of them."""
        if not self.inputs:
            return
        A = spaces.size(self.action_space)
        finite = spaces.is_finite(self.observation_space)
        for given, policy in self._given.items():
            try:
                values = np.full(A, 1.0 / A) if policy is None else np.asarray(policy, dtype=float)
                if values.shape == (A,) and (not finite or policy is None or spaces.size(self.observation_space) != A):
                    setattr(self, given, exact.as_policy(values[None], 1, A)[0].copy())
                elif finite:
                    setattr(self, given, exact.as_policy(policy, spaces.size(self.observation_space), A))
                else:
                    raise ValueError(f"policy must have shape ({A},), the same probabilities everywhere, not {values.shape}")
            except (TypeError, OverflowError):
                raise ValueError(f"{given} must be probabilities or actions, not {policy!r:.60}") from None
            except ValueError as error:
                raise ValueError(str(error).replace("policy", given, 1)) from error
        if {"policy", "behavior"} <= set(self.inputs):
            check_coverage(*np.broadcast_arrays(np.atleast_2d(self.policy), np.atleast_2d(self.behavior)))

    def _check_features(self) -> None:
        """Raise where the features do not suit observations or actions."""
        x = check(self.features, self.observation_space)
        if x.ndim == 2 and (self.values_of_states or not self.finite_actions):
            raise ValueError(f"features: {type(self).__name__} needs features of states, and these are of pairs of states and actions")
        if x.ndim == 2 and len(x) != spaces.size(self.action_space):
            raise ValueError(f"features have rows for {len(x)} actions, and there are {spaces.size(self.action_space)}")
        self._pairs, self._reading = x.ndim == 2, reading(self.features)

    def _make_tables(self) -> None:
        """Make the arrays of `tables`; called again where the features come from a file."""
        self.w = self._weights()

    def _weights(self) -> np.ndarray:
        """Return zeros of the shape of the weights."""
        shared = self.values_of_states or self._pairs
        return np.zeros(self.features.size if shared else (spaces.size(self.action_space), self.features.size))

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
        learn_with_box(self, total_timesteps, episodes, callback, callback_every, progress_bar)
        return self

    def stop(self, at_episode_end: bool = False) -> None:
        """End `learn` soon, from any thread, also in the middle of a compiled box."""
        if self._trial is not None:
            self._trial.stop(at_episode_end)

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True) -> tuple[Any, Any]:
        """Return the agent's best actions, or those it explores with; see `Agent.predict`."""
        require_truth("deterministic", deterministic)
        batch = spaces.is_batch(self.observation_space, observation)
        rows = spaces.ravel(self.observation_space, observation) if spaces.is_finite(self.observation_space) else np.asarray(observation)
        many = [self._state_of(row) for row in (rows if batch else [rows])]
        actions = np.array([self._act(one, deterministic) for one in many])
        if not self.finite_actions:
            return spaces.boxed(self.action_space, actions if batch else actions[0]), state
        return spaces.unravel(self.action_space, actions if batch else actions[0]), state

    def _act(self, state: Any, deterministic: bool) -> Any:
        """Choose an action in a state."""
        if "policy" in self.inputs:
            row = np.asarray(pi(self.policy, state))
            return int(np.argmax(row)) if deterministic else sample(row, self.rng)
        values = self.action_values(state)
        return int(np.argmax(values)) if deterministic else epsilon_greedy(values, getattr(self.config, "epsilon", 0.0), self.rng)

    def action_values(self, state: Any) -> np.ndarray:
        """Return q(s, a, w) of all actions, shape [A]; a state is as the features take it."""
        return np.asarray(q_hat(self._reading.x(state), self.w))

    def value(self, state: Any) -> float:
        """Return v(s, w), for agents with values of states."""
        return float(v_hat(self._reading.x(state), self.w))

    def values(self) -> np.ndarray:
        """Return the values of all states, shape [S] or [S, A], where observations are finite."""
        if not spaces.is_finite(self.observation_space):
            raise ValueError("values() needs finite observations; ask for value(state) or action_values(state)")
        spend(30_000 * spaces.size(self.observation_space))  # about as many nanoseconds
        of: Any = self.value if self.values_of_states else self.action_values
        return np.array([of(s) for s in range(spaces.size(self.observation_space))])

    def exact_values(self) -> np.ndarray:
        """Return what the agent is after: v_pi [S] of its given policy, or q* [S, A]; needs a model (see `rlcourse.core.exact`)."""
        model = self._model()
        gamma = getattr(self.config, "gamma", 1.0)
        if "policy" not in self.inputs:
            return exact.q_star(model, gamma)
        S, A = spaces.size(self.observation_space), spaces.size(self.action_space)
        return exact.v_pi(model, np.broadcast_to(self.policy, (S, A)), gamma)

    def _model(self) -> MDP:
        """Return the exact model; raises where there is none."""
        model = model_of(self.env)
        if model is None:
            raise ValueError("exact values need a model: this environment has neither `.world` nor `.P`")
        return model

    def true_error(self) -> float:
        """Return the root-mean-square distance between the agent's values and `exact_values`, all states alike."""
        return float(np.sqrt(np.nanmean((self.values() - self.exact_values()) ** 2)))

    def _state_of(self, observation: Any) -> Any:
        """Return an observation as features take it: an integer or an array."""
        known = spaces.is_finite(self.observation_space)
        if known and not 0 <= observation < spaces.size(self.observation_space):
            raise ValueError(f"observation {observation!r} is outside {self.observation_space}")
        return int(observation) if known else observation

    def _some_observation(self) -> Any:
        """Return an observation, whatever it is, without drawing anything."""
        return 0 if spaces.is_finite(self.observation_space) else np.zeros(self.observation_space.shape or ())

    def state_dict(self) -> dict[str, Any]:
        """Return weights, features, settings and generator; see `Agent.state_dict`."""
        state = super().state_dict() | {name: getattr(self, name).copy() for name in (*self.tables, *self.inputs)}
        description, arrays = described(self.features)
        return state | arrays | state_of_environment(self) | {"features": description}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over weights, features, settings and generator; see `Agent.load_state_dict`."""
        require_state(self, state)
        self.features = rebuilt(state["features"], state, self.features)
        self._check_features()
        self._make_tables()
        for name in (*self.tables, *self.inputs):
            if name in self.inputs:
                setattr(self, name, shaped(state[name], getattr(self, name).shape, np.float64, name).copy())
            else:
                fit(getattr(self, name), state[name], name)
        for name in self.must_be_finite:
            finite(getattr(self, name), name)
        super().load_state_dict(state)
        restored_environment(self, state)

    @property
    def must_be_finite(self) -> tuple[str, ...]:
        """The arrays that tell of divergence."""
        return self.tables

    @property
    def interpreted(self) -> bool:
        """Whether the box runs as plain Python, because the environment is not data."""
        return isinstance(self.world, GymWorld)
