"""Jack's car rental of Example 4.2, and its variant of Exercise 4.7.

Two locations with at most 20 cars each. State = 21 * n1 + n2, the cars at the end of a day; action a (0 to 10) moves a - 5 cars
overnight from the first location to the second, $2 each (as many as there are; cars beyond 20 vanish). By day a Poisson number of
customers comes to each location, mean 3 and 4, and each that finds a car pays $10; a Poisson number of cars, mean 3 and 2, is
returned in the evening and can be rented the next day. In Exercise 4.7 one car goes from the first to the second location free of
charge, and each location with more than 10 cars overnight costs $4. The book discounts by 0.9 a day; the task continues for ever.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rlcourse.core.box import kernel
from rlcourse.core.mdp import MDP
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv

__all__ = ["CarRental", "make_env", "make_vec", "poisson"]


@kernel
def poisson(mean, rng):
    """Return a Poisson number, by inversion of one uniform number."""
    u = rng.random()
    k = 0
    p = math.exp(-mean)
    cumulative = p
    while u >= cumulative and p > 0.0:
        k += 1
        p *= mean / k
        cumulative += p
    return k


class CarRental(NamedTuple):
    """The world of Example 4.2; a day is a step.

    Attributes
    ----------
    requests, returns : (float, float)
        Mean number of customers, and of cars that come back, per day at each location.
    capacity : int
        Most cars at a location.
    most_moved : int
        Most cars moved in a night.
    rent, moving : float
        Dollars per rental and per car moved.
    free : int
        Cars moved from the first to the second location free of charge.
    parking, crowd : float, int
        Dollars for a location with more cars than `crowd` overnight.
    """

    requests: tuple[float, float] = (3.0, 4.0)
    returns: tuple[float, float] = (3.0, 2.0)
    capacity: int = 20
    most_moved: int = 5
    rent: float = 10.0
    moving: float = 2.0
    free: int = 0
    parking: float = 0.0
    crowd: int = 10

    @classmethod
    def modified(cls) -> CarRental:
        """Make the variant of Exercise 4.7."""
        return cls(free=1, parking=4.0)

    @property
    def observation_space(self) -> gym.spaces.Discrete:
        """All pairs of numbers of cars."""
        return gym.spaces.Discrete((self.capacity + 1) ** 2)

    @property
    def action_space(self) -> gym.spaces.Discrete:
        """All numbers of cars to move, in either direction."""
        return gym.spaces.Discrete(2 * self.most_moved + 1)

    def reset(self, rng):
        """Begin with both locations half full."""
        return (self.capacity + 1) * (self.capacity // 2) + self.capacity // 2

    def cars_moved(self, state, action):
        """Return how many cars an action moves from the first to the second location: at most those that are there."""
        n1, n2 = state // (self.capacity + 1), state % (self.capacity + 1)
        return max(min(action - self.most_moved, n1), -n2)

    def overnight(self, state, action):
        """Return the cars at both locations in the morning, and what the night costs."""
        moved = self.cars_moved(state, action)
        n1 = min(state // (self.capacity + 1) - moved, self.capacity)
        n2 = min(state % (self.capacity + 1) + moved, self.capacity)
        charged = max(moved - self.free, 0) if moved > 0 else -moved
        crowded = (1 if n1 > self.crowd else 0) + (1 if n2 > self.crowd else 0)
        return n1, n2, self.moving * charged + self.parking * crowded

    def step(self, state, action, rng):
        """Move cars, live through a day."""
        n1, n2, cost = self.overnight(state, action)
        rented1 = min(n1, poisson(self.requests[0], rng))
        rented2 = min(n2, poisson(self.requests[1], rng))
        n1 = min(n1 - rented1 + poisson(self.returns[0], rng), self.capacity)
        n2 = min(n2 - rented2 + poisson(self.returns[1], rng), self.capacity)
        return (self.capacity + 1) * n1 + n2, self.rent * (rented1 + rented2) - cost, False, False

    def observe(self, state):
        """Return the state."""
        return state

    # The rest is for Python only.

    def model(self) -> MDP:
        """Return the exact model: every outcome is a next state, its reward the expected one on the way there (Eq. 3.6)."""
        n, A = self.capacity + 1, 2 * self.most_moved + 1
        S = n * n
        (p1, rented1), (p2, rented2) = (self._day(i) for i in range(2))  # [n, n]
        probability = np.einsum("ik,jl->ijkl", p1, p2).reshape(S, S)  # from the cars in the morning to those in the evening
        earned = self.rent * (rented1[:, None, :, None] + rented2[None, :, None, :]).reshape(S, S)
        nights = [[self.overnight(s, a) for a in range(A)] for s in range(S)]
        morning = np.array([[n * n1 + n2 for n1, n2, _ in row] for row in nights])  # [S, A]
        cost = np.array([[cost for _, _, cost in row] for row in nights])
        successor = np.tile(np.arange(S), (S, A, 1))
        ends = np.zeros((S, A, S), dtype=np.bool_)
        return MDP.from_arrays(probability[morning], successor, earned[morning] - cost[:, :, None], ends, int(self.reset(None)))

    def _day(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Return p(evening | morning) of one location and the expected number of rentals between them, both [n, n].

        Exact: customers beyond the cars, and cars beyond the capacity, are the tails of their distributions.
        """
        n = self.capacity + 1
        requests, returns = (_masses(mean, n) for mean in (self.requests[i], self.returns[i]))
        p, rented = np.zeros((n, n)), np.zeros((n, n))
        for cars in range(n):
            rentals = _with_tail(requests[:cars])  # probability of 0 .. cars rentals
            for r in range(cars + 1):
                left = cars - r
                here = rentals[r] * _with_tail(returns[: n - 1 - left])  # probability of these rentals and left .. n - 1 cars
                p[cars, left:] += here
                rented[cars, left:] += r * here
        return p, np.divide(rented, p, out=np.zeros((n, n)), where=p > 0)


def _masses(mean: float, n: int) -> np.ndarray:
    """Return the Poisson probabilities of 0 .. n - 1."""
    return np.array([math.exp(-mean) * mean**k / math.factorial(k) for k in range(n)])


def _with_tail(masses: np.ndarray) -> np.ndarray:
    return np.append(masses, max(1.0 - masses.sum(), 0.0))


def make_env(render_mode: str | None = None) -> WorldEnv:
    """Make ``rlcourse/CarRental-v0``."""
    from rlcourse.envs.drawing_examples import car_parks, car_parks_text

    return WorldEnv(CarRental(), render_mode=render_mode, picture=car_parks, text=car_parks_text, fps=4)


def make_vec(num_envs: int = 1, **options: Any) -> WorldVectorEnv:
    """Make N copies."""
    return WorldVectorEnv(CarRental(), num_envs, **options)
