"""`MissionText`: MiniGrid's missions as Text, which `TextTokens` numbers, and its view with the bounds of what it can show.

MiniGrid (Chevalier-Boisvert et al. 2023, extra `minigrid`) says in words what is to be done. Its space of missions is none of Gymnasium's:
it knows a grammar, which names every word, so that the vocabulary is complete before the first episode.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlcourse.core.arguments import checked
from rlcourse.envs.games import need
from rlcourse.envs.minigrid_view import see_by_arrays
from rlcourse.wrappers.tokens import TextTokens, split, vocabulary_of

__all__ = ["MissionText", "make_minigrid"]

_GREATEST = (10, 5, 3)  # numbers of a type, a colour and a state in MiniGrid's view


def make_minigrid(task: str, render_mode: str | None = None) -> gym.Env[Any, Any]:
    """Make one of MiniGrid's environments, of task "GoToDoor-5x5", "MemoryS7", ...: a Dict of image, direction and the mission's tokens."""
    id = f"MiniGrid-{task}-v0"
    need("minigrid", id, "minigrid")
    inside = gym.make(id, render_mode=render_mode, disable_env_checker=True)
    see_by_arrays(inside.unwrapped)
    env = MissionText(inside)
    return TextTokens(env, vocabulary_of(env.missions), max(len(split(mission, "words")) for mission in env.missions))


class MissionText(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Declare MiniGrid's missions as Text, and the numbers in its view as bounded; observations stay as they are.

    Parameters
    ----------
    env : Env
        One of MiniGrid's; with its symbolic view, its image gets the bounds by which `rlcourse.encoders` knows categories.

    Attributes
    ----------
    missions : list of str
        Missions in which every word of the grammar occurs, the longest ones among them: a corpus for `vocabulary_of`.
    """

    @checked
    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        super().__init__(env)
        space: Any = env.observation_space
        grammar = space["mission"] if isinstance(space, spaces.Dict) and "mission" in space.spaces else None
        if not hasattr(grammar, "mission_func"):
            raise ValueError(f"MissionText needs an environment of MiniGrid, whose observations have a mission with a grammar, not {space}")
        self.missions = _missions(grammar)
        text = spaces.Text(max(map(len, self.missions)), charset=frozenset("".join(self.missions)))
        parts = {**space.spaces, "mission": text}
        image = parts.get("image")
        if isinstance(image, spaces.Box) and image.shape[2:] == (3,) and max(image.shape[:2]) < 32:  # not a picture of pixels
            high = np.broadcast_to(np.array(_GREATEST, np.uint8), image.shape)
            parts["image"] = spaces.Box(0, high, dtype=np.uint8)
        self.observation_space = spaces.Dict(parts)

    def observation(self, observation: Any) -> Any:
        """Return an observation as it is."""
        return observation


def _missions(grammar: Any) -> list[str]:
    """Return missions in which every placeholder takes all its values, while the others have their longest."""
    lists = [list(values) for values in grammar.ordered_placeholders or []]
    longest = [max(values, key=lambda value: (len(split(value, "words")), len(value))) for values in lists]
    found = [grammar.mission_func(*longest)]
    for i, values in enumerate(lists):
        found += [grammar.mission_func(*longest[:i], value, *longest[i + 1 :]) for value in values]
    return sorted(set(found))
