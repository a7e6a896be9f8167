"""A program: copies of every registered world, stepped by loops and by numba's CUDA simulator; prints what differs, as JSON.

The simulator is chosen when numba is imported, so it needs a process of its own. Loops are compiled for the worlds of `COMPILED`, for all
where it is called with the word compiled; for the others the interpreter runs them, which costs no compilation.
"""

import copy
import json
import os
import sys

os.environ["NUMBA_ENABLE_CUDASIM"] = "1"

import numpy as np
from every_world import REGISTERED, WORLDS, copies

from rlcourse.core.cuda import simulated, threads
from rlcourse.core.kernels import RESET, STEP

N, STEPS, LIMIT = 3, 12, 5  # an episode of five steps: ends, time limits and resets are all met


COMPILED = (  # one of each kind of state, draws, actions and observations
    "rlcourse/AccessControl-v0",  # tables
    "rlcourse/DriftingBandit-v0",  # normal numbers
    "rlcourse/MaskedCartPole-v1",  # a world around another
    "rlcourse/Pendulum-v1",  # actions that are numbers
    "rlcourse/PixelCatch-v0",  # painted images
    "rlcourse/BlockingMaze-v0",  # a clock that copies share
    "rlcourse/RL2Bandit-v0",  # several parts in one vector
    "rlcourse/ErrandsTokens-v0",  # words
)


def difference(a, b):
    """Of the numbers in two values: the largest distance of floats, and how many others differ."""
    if isinstance(a, tuple):
        found = [difference(x, y) for x, y in zip(a, b, strict=True)]
        return max(x for x, _ in found), sum(y for _, y in found)
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind == "f":
        return float(np.abs(a.astype(float) - b).max(initial=0.0)), 0
    return 0.0, int((a != b).sum())


def compare(world, compiled):
    """Step copies both ways under the same actions; return the largest distance of floats, what else differs, how many episodes ended."""
    n = 1 if hasattr(world, "clock") else N  # copies that share a clock have no order among threads
    begin, step = copies(world, n, LIMIT)
    (begin_looped, step_looped), (begin_simulated, step_simulated) = copy.deepcopy((begin, step)), copy.deepcopy((begin, step))
    loop = STEP.loop.compiled if compiled else STEP.loop.python
    RESET.loop.python(n, begin_looped)  # the step below compiles the world's reset too
    threads(RESET, n, begin_simulated)(0)
    found, ended = [difference(begin_looped[2:], begin_simulated[2:])], 0
    space, rng = world.action_space, np.random.default_rng(1)
    for _ in range(STEPS):
        discrete = hasattr(space, "n")
        actions = rng.integers(0, space.n, n) if discrete else rng.uniform(-2.0, 2.0, (n, *space.shape))
        step_looped[4][...] = step_simulated[4][...] = actions
        loop(n, step_looped)
        threads(STEP, n, step_simulated)(0)
        found.append(difference(step_looped[2:], step_simulated[2:]))
        ended += int(step_looped[6].ended.sum())
    return max(x for x, _ in found), sum(y for _, y in found), ended


if __name__ == "__main__":
    assert simulated()
    json.dump({name: compare(WORLDS[name](), name in COMPILED or "compiled" in sys.argv) for name in REGISTERED}, sys.stdout)
