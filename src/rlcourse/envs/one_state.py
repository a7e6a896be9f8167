"""Two tasks with one state: importance sampling without a variance (Example 5.5), and first visit or every visit (Exercise 5.5).

In Example 5.5 the action right (1) ends the episode with nothing; left (0) goes back to the same state with probability 0.9, or ends the
episode with reward +1. Always going left is worth exactly 1, but seen from episodes of an equiprobable behaviour its importance-sampled
return has an infinite second moment: the estimate is right on average and never settles.

In Exercise 5.5 there is one action; with probability p the state comes again, and every step has reward +1: worth 1 / (1 - p).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.config import Probability
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["infinite_variance", "make_env", "make_vec", "picture", "staying", "text"]


@checked
def infinite_variance(p: Probability = 0.9) -> MDP:
    """Make the task of Example 5.5; left comes back with probability p."""
    return MDP.of({0: {0: [(p, 0, 0.0, False), (1.0 - p, 0, 1.0, True)], 1: [(1.0, 0, 0.0, True)]}})


@checked
def staying(p: Probability = 0.9) -> MDP:
    """Make the task of Exercise 5.5: one action, which stays with probability p."""
    return MDP.of({0: {0: [(p, 0, 1.0, False), (1.0 - p, 0, 1.0, True)]}})


def picture(world: Any, state: Any, action: Any = None, path: Sequence[int] = (), values: Any = None, arrows: Any = None) -> np.ndarray:
    """Draw the state, both actions and where they lead.

    Parameters
    ----------
    world : MDP
    state : int or None
        None draws no agent.
    action : int or None
        The last one, drawn stronger.
    path : sequence of int
        Each visit is a dot below the state.
    values : array_like of float, shape [1], optional
        Written below the state.
    arrows : array_like of int, shape [1], optional
        The greedy action, drawn stronger.
    """
    from rlcourse.envs.canvas import BLUE, GREY, INK, ORANGE, PAPER, SAND, Canvas

    canvas, x, y, p = Canvas(480, 190), 240.0, 112.0, float(world.probability[0, 0, 0])
    strong = action if arrows is None else int(np.ravel(arrows)[0])
    left, right = (BLUE if strong == a else GREY for a in (0, 1))
    around = np.linspace(1.0, 0.2, 30) * np.pi
    loop = [(float(x - 36 + 44 * np.cos(a)), float(y - 68 * np.sin(a))) for a in around]
    canvas.line([(x - 20, y), (x - 80, y)], left, 3)
    canvas.arrow([*loop, (x + 3, y - 33)], left, 3)
    canvas.arrow([(x - 80, y), (x - 180, y)], left, 3)
    canvas.arrow([(x + 20, y), (x + 180, y)], right, 3)
    canvas.disc(x - 80, y, 6, left)
    canvas.disc(x + 80, y, 6, right)
    for end_x in (x - 204, x + 204):
        canvas.box(end_x - 12, y - 12, end_x + 12, y + 12, GREY)
    for at_x, at_y, words, color in (
        (x - 54, y + 15, "left", left), (x + 54, y + 15, "right", right), (x - 36, y - 80, f"{p:g}, reward 0", INK),
        (x - 134, y - 16, f"{1 - p:g}, reward +1", INK), (x + 120, y - 16, "reward 0", INK),
    ):  # fmt: skip
        canvas.text(at_x, at_y, words, color, 13)
    canvas.disc(x, y, 22, INK)
    canvas.disc(x, y, 20, SAND if state is None else ORANGE)
    canvas.text(x, y, "s", INK if state is None else PAPER, 18)
    if values is not None:
        canvas.text(x, y + 36, f"{float(np.ravel(values)[0]):.3g}", INK, 14)
    for i in range(min(len(path), 40)):
        canvas.disc(30 + 10.5 * i, 178, 3, BLUE)
    return canvas.array()


def text(world: Any, state: Any, action: Any = None) -> str:
    """Return the task as a line; A is the agent."""
    p, taken = float(world.probability[0, 0, 0]), "" if action is None else f"; last action {('left', 'right')[int(action)]}"
    return f"end +1 <-{1 - p:g}-- left ({p:g}: back) <- A -> right --> end 0{taken}\n"


def make_env(render_mode: str | None = None, p: float = 0.9) -> WorldEnv:
    """Make ``rlcourse/InfiniteVariance-v0``."""
    return WorldEnv(infinite_variance(p), render_mode=render_mode, picture=picture, text=text, fps=4)


def make_vec(num_envs: int = 1, p: float = 0.9, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(infinite_variance(p), num_envs, **options)
