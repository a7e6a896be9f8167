"""The off-line lambda-return algorithm: the forward view of eligibility traces (Sec. 12.1).

No n suits every state and every time, so average over all of them: the n-step return gets the weight (1 - lambda) lambda^(n-1), and the
whole return what is left:

    G^lambda_t = (1 - lambda) sum_n=1^T-t-1 lambda^(n-1) G_t:t+n + lambda^(T-t-1) G_t        (12.3)
    w_t+1 = w_t + alpha [G^lambda_t - v(S_t, w_t)] grad v(S_t, w_t),  t = 0, ..., T - 1         (12.4)

lambda = 0 is TD(0), lambda = 1 Monte Carlo. All updates follow the episode's end. The book leaves open by which weights the returns
are valued then: by the current ones, which every update changes, or by those of the episode, which its figure 12.3 speaks against. Where a
time limit ends the episode, the longest return bootstraps from the last state.
"""

from __future__ import annotations

from dataclasses import dataclass

from rlcourse.agents.linear import LinearAgent, LinearConfig
from rlcourse.agents.traces.lambda_returns import lambda_return
from rlcourse.core.box import box
from rlcourse.core.config import Discount, Probability, StepSize
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample
from rlcourse.core.trial import Trial

__all__ = ["OfflineLambdaReturn", "OfflineLambdaReturnConfig", "offline_lambda_return"]


@box
def offline_lambda_return(world, policy, features, w, current, alpha, gamma, lam, rng):
    """Off-line lambda-return algorithm for estimating v ~ v_pi (Sec. 12.1, which has no box)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)
        xs, rewards = [features.x(S)], [0.0]
        done = terminated = False
        while not done:  # Generate an episode S_0, A_0, R_1, S_1, ..., S_T following pi; w does not change
            S, R, terminated, truncated = world.step(S, sample(pi(policy, S), rng), rng)
            xs.append(features.x(S))
            rewards.append(R)
            done = terminated or truncated
        u = w if current else w.copy()  # the weights that value the returns: w itself, or as it was in the episode
        T = len(rewards) - 1
        for t in range(T):  # Loop for t = 0, 1, ..., T - 1:
            G = lambda_return(xs, rewards, t, T, terminated, u, gamma, lam)  # G <- G^lambda_t
            add(w, alpha * (G - v_hat(xs[t], w)), xs[t])  # w <- w + alpha [G - v(S_t, w)] grad v(S_t, w)


@dataclass(frozen=True)
class OfflineLambdaReturnConfig(LinearConfig):
    """Settings of `OfflineLambdaReturn`, named as in the book."""

    lam: Probability = 0.8  # lambda: 0 is TD(0), 1 is Monte Carlo
    alpha: StepSize = 0.05  # step size
    gamma: Discount = 1.0  # discount rate
    current: bool = True  # value the returns by the weights as the updates change them; else by those of the episode


class OfflineLambdaReturn(LinearAgent):
    """The off-line lambda-return algorithm for a given policy (Sec. 12.1); time grows with the square of an episode's length."""

    Config = OfflineLambdaReturnConfig
    inputs = ("policy",)
    values_of_states = True

    def _run(self, trial: Trial) -> None:
        c = self.config
        offline_lambda_return(trial, self.policy, self.features, self.w, c.current, c.alpha, c.gamma, c.lam, self.rng)
