"""`WorldVectorEnv`: N copies of a world stepped in one compiled call, as a `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from rlcourse.core import seeds
from rlcourse.core.box import box
from rlcourse.core.config import whole
from rlcourse.core.fits import fit, indices
from rlcourse.core.mdp import MDP
from rlcourse.core.memory import require_for_copies
from rlcourse.core.rows import put, show, unpack
from rlcourse.core.world import World, is_world

__all__ = ["WorldVectorEnv"]

_MODES = {AutoresetMode.SAME_STEP: 0, AutoresetMode.NEXT_STEP: 1, AutoresetMode.DISABLED: 2}


@box
def vector_reset(world, states, like, observations, lengths, scores, mask, rng):
    """Begin an episode in the copies of `mask`."""
    for i in range(len(states)):
        if mask[i]:
            state = world.reset(rng)
            states[i] = state
            show(world, state, observations, i)
            lengths[i] = 0
            scores[i] = 0.0


@box
def vector_step(world, states, like, actions, n, observations, final, rewards, terminated, truncated, lengths, scores, limit, mode, rng):
    """Step every copy in place; return how many episodes ended, or -1 - i where action i is illegal (then nothing changed).

    Legal are 0..n-1, or finite rows where n is 0.
    """
    for i in range(len(actions)):
        if n > 0:
            if not 0 <= actions.flat[i] < n:
                return -1 - i
        elif not np.all(np.isfinite(actions[i])):
            return -1 - i
    ends = 0
    for i in range(len(states)):
        if mode == 1 and (terminated[i] or truncated[i]):  # NEXT_STEP: this step only resets; the action is ignored
            state = world.reset(rng)
            states[i] = state
            show(world, state, observations, i)
            rewards[i] = 0.0
            terminated[i] = False
            truncated[i] = False
            lengths[i] = 0
            scores[i] = 0.0
            continue
        state, reward, over, cut = world.step(unpack(states, i, like), actions[i], rng)
        lengths[i] += 1
        scores[i] += reward
        rewards[i] = reward
        terminated[i] = over
        truncated[i] = cut or lengths[i] >= limit
        states[i] = state
        show(world, state, observations, i)
        if terminated[i] or truncated[i]:
            ends += 1
            if mode == 0:  # SAME_STEP: the last observation goes to `final`, the returned one is the next episode's first
                put(final, i, observations[i])
                state = world.reset(rng)
                states[i] = state
                show(world, state, observations, i)
    return ends


class WorldVectorEnv(gym.vector.VectorEnv[Any, Any, np.ndarray]):
    """N copies of a world, stepped in one compiled call over preallocated arrays.

    Parameters
    ----------
    world : World
    num_envs : int
    max_episode_steps : int, optional
        Time limit: the episode is truncated there.
    autoreset_mode : AutoresetMode
        SAME_STEP (default; the true last observation is ``infos["final_obs"]``), NEXT_STEP or DISABLED, as in Gymnasium.
    copy : bool
        Whether returned arrays are the caller's to keep; without it the next step overwrites them.
    action_masks : ndarray of bool, shape [S, A], optional
        Which actions exist in the states of a finite world; ``infos["action_mask"]`` then has those of the copies, shape [N, A].

    Notes
    -----
    All copies draw from one generator, so copy i depends on the number of copies. In steps where an episode ends, ``infos``
    has "episode" with returns "r" and lengths "l", and the mask "_episode", as Gymnasium's RecordEpisodeStatistics has.
    """

    def __init__(
        self,
        world: World,
        num_envs: int,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP,
        copy: bool = True,
        render_mode: str | None = None,
        action_masks: np.ndarray | None = None,
    ) -> None:
        num_envs = whole("num_envs", num_envs, 1, 2**47)  # beyond, numpy no longer says that memory is too small
        if max_episode_steps is not None:
            max_episode_steps = whole("max_episode_steps", max_episode_steps, 1)
        if not is_world(world):
            raise ValueError(f"world must be a world, a named tuple with reset, step and observe, not {type(world).__name__}")
        if not isinstance(autoreset_mode, AutoresetMode) and str(autoreset_mode) not in [mode.value for mode in AutoresetMode]:
            raise ValueError(f"autoreset_mode must be of gymnasium.vector.AutoresetMode, not {autoreset_mode!r:.60}")
        if not isinstance(copy, bool) or not isinstance(action_masks, np.ndarray | None):
            raise ValueError(f"copy must be true or false and action_masks an array, not {copy!r:.60} and {type(action_masks).__name__}")
        require_for_copies(world.observation_space, num_envs, "num_envs")
        if render_mode is not None:
            raise ValueError("render_mode must be None: a vectorised world does not render; make one environment to look at it")
        self.world, self.num_envs, self.max_episode_steps, self.copy = world, num_envs, max_episode_steps, copy
        self.action_masks = action_masks
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}
        self.single_observation_space, self.single_action_space = world.observation_space, world.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._mode = _MODES[self.autoreset_mode]
        self._limit = max_episode_steps or 2**62
        self._discrete = isinstance(self.single_action_space, gym.spaces.Discrete)
        self._n = int(self.single_action_space.n) if isinstance(self.single_action_space, gym.spaces.Discrete) else 0
        self._like = world.reset(np.random.default_rng(0))
        shape = np.shape(self._like)
        self.states = np.zeros((num_envs, *shape), dtype=np.float64 if shape else np.int64)
        self._observations = np.zeros((num_envs, *self.single_observation_space.shape), self.single_observation_space.dtype)  # type: ignore[misc]
        self._final = np.zeros_like(self._observations)
        self._rewards = np.zeros(num_envs)
        self._terminated, self._truncated = np.zeros(num_envs, np.bool_), np.zeros(num_envs, np.bool_)
        self._lengths, self._scores = np.zeros(num_envs, np.int64), np.zeros(num_envs)
        self._step: Any = None
        self._begun = False

    def reset(self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every copy, or in those of ``options["reset_mask"]`` (bool [N])."""
        if isinstance(seed, list):
            numbers = [number for number in seed if number is not None]
            seed = int(np.random.SeedSequence(numbers).generate_state(1)[0]) if len(numbers) == len(seed) else None
        super().reset(seed=seed)
        if seed is not None and hasattr(self.world, "clock"):
            self.world.clock[...] = 0
        mask = np.asarray((options or {}).get("reset_mask", np.ones(self.num_envs, np.bool_)))
        if np.shape(mask) != (self.num_envs,) or mask.dtype != np.bool_:
            raise ValueError(f"options['reset_mask'] must be a bool array of shape ({self.num_envs},)")
        vector_reset(self.world, self.states, self._like, self._observations, self._lengths, self._scores, mask, self.np_random)
        self._terminated[mask] = self._truncated[mask] = False
        self._begun = self._begun or bool(mask.all())
        return self._out(self._observations), self._masks()

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Step every copy; an illegal action raises ValueError and changes nothing."""
        actions = self._checked(actions)
        if self._mode == 2 and np.any(self._terminated | self._truncated):
            raise RuntimeError("an episode has ended: reset that copy with options={'reset_mask': mask}")
        arguments = (
            self.world,
            self.states,
            self._like,
            actions,
            self._n,
            self._observations,
            self._final,
            self._rewards,
            self._terminated,
            self._truncated,
            self._lengths,
            self._scores,
            self._limit,
            self._mode,
            self.np_random,
        )
        if self._step is None:  # the first call goes through the box, which falls back to the interpreter if it must
            ends = vector_step(*arguments)
            self._step = vector_step.fastest(*arguments)
        else:
            ends = self._step(*arguments)
        if ends < 0:
            raise ValueError(f"action {actions[-1 - ends]} of copy {-1 - ends} is outside {self.single_action_space}")
        infos = self._masks()
        if ends:
            mask = self._terminated | self._truncated
            infos |= {"episode": {"r": self._scores.copy(), "l": self._lengths.copy()}, "_episode": mask}
            if self._mode == 0:
                infos |= {"final_obs": self._final.copy(), "_final_obs": mask}
                if self.action_masks is not None:
                    infos["final_info"] = {"action_mask": self.action_masks[self._final]}
                self._lengths[mask] = 0
                self._scores[mask] = 0.0
        out = self._out
        return out(self._observations), out(self._rewards), out(self._terminated), out(self._truncated), infos

    def _masks(self) -> dict[str, Any]:
        return {} if self.action_masks is None else {"action_mask": self.action_masks[self.states]}

    def _checked(self, actions: Any) -> np.ndarray:
        """Return actions of the right type and shape; their values are checked by the compiled step."""
        if not self._begun:
            raise RuntimeError("call reset() before step()")
        if self._discrete:
            actions = np.asarray(actions)
            if actions.dtype != np.int64:
                if actions.dtype.kind not in "iu":
                    raise ValueError(f"actions must be integers, not {actions.dtype}")
                actions = actions.astype(np.int64)
        else:
            actions = np.asarray(actions, dtype=np.float64)
        if actions.shape != self.action_space.shape:
            raise ValueError(f"actions must have shape {self.action_space.shape}, not {actions.shape}")
        return actions

    def _out(self, array: np.ndarray) -> np.ndarray:
        return array.copy() if self.copy else array

    _ARRAYS = ("states", "_observations", "_terminated", "_truncated", "_lengths", "_scores")

    def state_dict(self) -> dict[str, Any]:
        """Return where every copy is, the generator included."""
        clocks = {"clock": self.world.clock.copy()} if hasattr(self.world, "clock") else {}
        arrays = {name.strip("_"): getattr(self, name).copy() for name in self._ARRAYS}
        return arrays | clocks | {"rng": seeds.snapshot(self.np_random)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        if isinstance(self.world, MDP):
            indices(state["states"], 0, int(self.world.observation_space.n), "env.states")
        for name in self._ARRAYS:
            fit(getattr(self, name), state[name.strip("_")], f"env.{name.strip('_')}")
        if hasattr(self.world, "clock"):
            fit(self.world.clock, state["clock"], "env.clock")
        seeds.restore(self.np_random, state["rng"])
        self._begun = True

    @property
    def observations(self) -> np.ndarray:
        """The current observations, shape [N, ...]; a view."""
        return self._observations
