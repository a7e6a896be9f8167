"""Worlds, and their Gymnasium face.

A world is a named tuple of numbers and arrays with three pure methods; its state is explicit (an integer, or a tuple of floats), so a
world is at once something to live in and a sample model to plan with.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym
import numpy as np

from rlcourse.core.packing import Packed

__all__ = ["World", "WorldEnv", "is_world"]


@runtime_checkable
class World(Protocol):
    """What a world must have. Keep the parameter names: compiled code is found by them.

    A class that meets it: a ``typing.NamedTuple`` whose fields are numbers and arrays. Randomness comes from ``rng.random()`` and
    ``rng.standard_normal()`` only.

    A world whose observations are arrays has one method more, ``paint(self, state, seen)``: it writes the observation into `seen`, an
    array of the shape of `observation_space` that may hold anything before, so that every element is written. `observe` makes such an
    array, lets `paint` fill it and returns it. Whatever steps many copies paints into the rows of one array instead, and allocates
    nothing; on a GPU nothing could be allocated. A world that shows numbers has no `paint`.
    """

    @property
    def observation_space(self) -> gym.Space[Any]:
        """What `observe` returns lies in here."""

    @property
    def action_space(self) -> gym.Space[Any]:
        """Discrete(n) for integer actions, Box for arrays of floats."""

    def reset(self, rng: Any) -> Any:
        """Return a start state."""

    def step(self, state: Any, action: Any, rng: Any) -> tuple[Any, float, bool, bool]:
        """Return next state, reward, terminated, truncated."""

    def observe(self, state: Any) -> Any:
        """Return what an agent sees: an integer, or a tuple or an array of floats."""


def is_world(value: Any) -> bool:
    """Whether a value has a world's methods and is not a Gymnasium environment, whose `step` differs."""
    return not isinstance(value, gym.Env | gym.vector.VectorEnv) and all(
        hasattr(value, name) for name in ("reset", "step", "observe", "observation_space", "action_space")
    )


class WorldEnv(gym.Env[Any, Any]):
    """A world as a Gymnasium environment.

    Parameters
    ----------
    world : World
        One whose observations are of several parts shows them as vectors (its space is `Packed`); here they are the parts themselves.
    render_mode : {None, "rgb_array", "ansi"}
    picture : callable, optional
        ``picture(world, state, last_action) -> ndarray of uint8 [H, W, 3]``.
    text : callable, optional
        ``text(world, state, last_action) -> str``.

    Attributes
    ----------
    world : World
    state : int or tuple of float
        The explicit state; assign it to continue from anywhere.
    overlay : dict
        Further arguments of `picture`, such as values, arrows and path, with which `render` draws.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 30}

    def __init__(
        self,
        world: World,
        render_mode: str | None = None,
        picture: Callable[..., np.ndarray] | None = None,
        text: Callable[[Any, Any, Any], str] | None = None,
        fps: int = 30,
    ) -> None:
        modes = [mode for mode, draw in (("rgb_array", picture), ("ansi", text)) if draw is not None]
        self.metadata = {"render_modes": modes, "render_fps": fps}
        if render_mode is not None and render_mode not in modes:
            raise ValueError(f"render_mode must be one of {[None, *modes]}, not {render_mode!r}")
        self.world = world
        space: Any = world.observation_space
        self._packing = space if isinstance(space, Packed) else None
        self.observation_space = space if self._packing is None else self._packing.original
        self.action_space = world.action_space
        self.render_mode = render_mode
        self.state: Any = None
        self.last_action: Any = None
        self.overlay: dict[str, Any] = {}
        self._picture, self._text = picture, text

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; ``options={"state": s}`` begins it in that state. A seed also turns back the clock of a world that has one."""
        super().reset(seed=seed)
        if seed is not None and hasattr(self.world, "clock"):
            self.world.clock[...] = 0
        self.state = self.world.reset(self.np_random)
        if options and "state" in options:
            self.state = options["state"]
        self.last_action = None
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action; an illegal one raises ValueError and changes nothing (finite floats are left to the world, which clips)."""
        if self.state is None:
            raise RuntimeError("call reset() before step()")
        checked = self._checked(action)
        self.state, reward, terminated, truncated = self.world.step(self.state, checked, self.np_random)
        self.last_action = checked
        return self._observation(), float(reward), bool(terminated), bool(truncated), {}

    def state_dict(self) -> dict[str, Any]:
        """Return where the environment is, its generator and the clock of its world included."""
        clock = getattr(self.world, "clock", None)
        told = {"state": self.state, "last_action": self.last_action, "rng": self._np_random, "seed": self._np_random_seed}
        return told if clock is None else told | {"clock": clock}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        self.state, self.last_action = state["state"], state["last_action"]
        self._np_random, self._np_random_seed = state["rng"], state["seed"]
        if "clock" in state:
            changing: Any = self.world
            changing.clock[...] = state["clock"]

    def render(self) -> Any:
        """Return a picture or text of the state, by `render_mode`."""
        draw = {"rgb_array": self._picture, "ansi": self._text}.get(self.render_mode or "")
        if draw is None:
            gym.logger.warn("render() needs a render_mode: make the environment with render_mode='rgb_array'")
            return None
        if self.state is None:
            raise RuntimeError("call reset() before render()")
        return draw(self.world, self.state, self.last_action, **(self.overlay if draw is self._picture else {}))

    def behind(self, world: World, inner: Callable[[Any], Any]) -> WorldEnv:
        """Return an environment of a world around this one's, with its pictures; ``inner(state)`` is this world's state."""

        def seen(draw: Callable[..., Any] | None) -> Callable[..., Any] | None:
            return None if draw is None else lambda _, state, action, **overlay: draw(self.world, inner(state), action, **overlay)

        return WorldEnv(world, self.render_mode, seen(self._picture), seen(self._text), self.metadata["render_fps"])

    def overlays(self) -> frozenset[str]:
        """Return what `overlay` may hold: the further arguments of `picture`."""
        parameters = () if self._picture is None else inspect.signature(self._picture).parameters
        return frozenset(parameters) - {"world", "state", "action"}

    def _observation(self) -> Any:
        seen = self.world.observe(self.state)
        if self._packing is not None:
            return self._packing.unpack(seen)
        if isinstance(self.observation_space, gym.spaces.Discrete):
            return int(seen)
        return np.array(seen, dtype=self.observation_space.dtype)

    def _checked(self, action: Any) -> Any:
        if isinstance(self.action_space, gym.spaces.Discrete):
            number = np.asarray(action)
            if number.shape not in ((), (1,)) or number.dtype.kind not in "iu":
                raise ValueError(f"action must be an integer of {self.action_space}, not {action!r}")
            if not 0 <= int(number.item()) < self.action_space.n:
                raise ValueError(f"action {int(number.item())} is outside {self.action_space}")
            return int(number.item())
        try:
            array = np.array(action, dtype=np.float64)
        except TypeError as error:
            raise ValueError(f"action must be an array of numbers, not {action!r}") from error
        if array.shape != self.action_space.shape or not np.all(np.isfinite(array)):
            raise ValueError(f"action must be finite and of shape {self.action_space.shape}, not {action!r}")
        return array
