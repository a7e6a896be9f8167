"""Random walks through a finite world: which states a policy that knows nothing meets, in order."""

from __future__ import annotations

from rlcourse.core.box import box
from rlcourse.core.policies import uniform

__all__ = ["uniform_walk"]


@box
def uniform_walk(world, n, limit, states, begins, rng):
    """Fill states [T] with those that uniformly random actions out of n meet; `begins` [T] says where episodes begin.

    An episode ends where the world says so, at the latest after `limit` steps.
    """
    t = 0
    while t < len(states):
        states[t] = world.reset(rng)
        begins[t] = True
        steps = 0
        done = False
        while not done and t + 1 < len(states):
            S, _, terminated, truncated = world.step(states[t], uniform(n, rng), rng)
            t += 1
            steps += 1
            states[t] = S
            begins[t] = False
            done = terminated or truncated or steps == limit
        t += 1
