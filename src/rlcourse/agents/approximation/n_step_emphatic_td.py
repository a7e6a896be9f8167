"""n-step TD with interest and emphasis: good values where they matter (Sec. 9.11).

With few weights not all states can be right, and the on-policy distribution decides which ones are: those often visited. But one may care
more about some, such as the first states of an episode. Interest I_t >= 0 says how much one cares about S_t; emphasis M_t is what the
update is worth, for a state also serves those that bootstrap from it:

    M_t = I_t + gamma^n M_t-n,    w <- w + alpha M_t [G_t:t+n - v(S_t, w)] grad v(S_t, w)        (9.25, 9.26)

M_t = 0 for t < 0. With n beyond the length of the episode M_t = I_t: gradient Monte Carlo on the states of interest. n = 1 is the
on-policy case of emphatic TD (Sec. 11.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.agents.n_step.returns import FOREVER, discounted
from rlcourse.core import spaces
from rlcourse.core.box import box, typed_kernel
from rlcourse.core.config import Count, Discount, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["NStepEmphaticTD", "NStepEmphaticTDConfig", "interest_in", "n_step_emphatic_td"]


def interest_in(interest, S):
    """Return the interest in a state: of its own where states are integers, else the same everywhere."""
    return interest[0] if np.ndim(S) or len(interest) == 1 else interest[S]


@typed_kernel(interest_in)
def _interest_in(interest, S):
    if hasattr(S, "count") or hasattr(S, "ndim"):  # a tuple of floats, or an array
        return lambda interest, S: interest[0]
    return lambda interest, S: interest[0] if len(interest) == 1 else interest[S]


@box
def n_step_emphatic_td(world, policy, interest, features, w, n, alpha, gamma, rng):
    """n-step semi-gradient TD of Sec. 9.11; what belongs to time i lies in slot i mod n + 1."""
    m, gamma_n = n + 1, 1.0
    for _ in range(n):
        gamma_n *= gamma
    while world.more():
        S = world.reset(rng)
        states, rewards, M = [S] * m, np.empty(m), np.zeros(m)
        t, T, tau, terminated = 0, FOREVER, -1, False
        while tau < T - 1:
            if t < T:
                A = sample(pi(policy, S), rng)
                S, R, terminated, truncated = world.step(S, A, rng)
                states[(t + 1) % m], rewards[(t + 1) % m] = S, R
                if terminated or truncated:
                    T = t + 1
            tau = t - n + 1
            if tau >= 0:
                h = min(tau + n, T)
                G = 0.0 if terminated else v_hat(features.x(states[h % m]), w)
                G = discounted(rewards, tau + 1, h, gamma, G)
                S_tau = states[tau % m]
                M[tau % m] = interest_in(interest, S_tau) + gamma_n * M[(tau + 1) % m]  # M_tau = I_tau + gamma^n M_tau-n
                x = features.x(S_tau)
                add(w, alpha * M[tau % m] * (G - v_hat(x, w)), x)  # w <- w + alpha M_tau [G - v(S_tau, w)] grad v(S_tau, w)
            t += 1


@dataclass(frozen=True)
class NStepEmphaticTDConfig(LinearConfig):
    """Settings of `NStepEmphaticTD`, named as in the book."""

    n: Count = 4  # steps before bootstrapping
    alpha: StepSize = 0.01  # step size
    gamma: Discount = 1.0  # discount rate


class NStepEmphaticTD(LinearAgent):
    """n-step semi-gradient TD with interest and emphasis (Sec. 9.11); ``interest``, shape [S], is 1 everywhere where None."""

    Config = NStepEmphaticTDConfig
    inputs = ("policy",)
    tables = ("w", "interest")
    values_of_states = True

    def __init__(self, env: Any, *, interest: Any = None, **settings: Any) -> None:
        self._interest = interest
        super().__init__(env, **settings)

    def _make_tables(self) -> None:
        super()._make_tables()
        S = spaces.size(self.observation_space) if spaces.is_finite(self.observation_space) else 1
        self.interest = np.ones(S) if self._interest is None else np.array(self._interest, dtype=float)
        if self.interest.shape != (S,) or not np.all((self.interest >= 0) & np.isfinite(self.interest)):
            raise ValueError(f"interest must be {S} numbers, none negative, not {self._interest!r}")

    def _run(self, trial: Trial) -> None:
        c = self.config
        n_step_emphatic_td(trial, self.policy, self.interest, self.features, self.w, c.n, c.alpha, c.gamma, self.rng)
