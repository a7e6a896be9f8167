"""The residual-gradient algorithm: gradient descent in the Bellman error (Sec. 11.5).

The Bellman error of a state is its expected TD error. The gradient of its square is a product of two expectations over what follows, and
one sample used for both is biased (it would be the TDE, see `naive_residual_gradient`). With two independent samples of what follows S,

    w <- w + alpha [rho (R + gamma v(S', w)) - v(S, w)] [grad v(S, w) - gamma rho~ grad v(S~', w)]

it converges to the minimum of the Bellman error. In experience the second sample cannot be had, unless the process is deterministic;
from a model it can: hence a `model` that is asked what else might have followed. Its other shortcomings: it is slow, may be wrong where
states look alike (Example 11.3), and its goal is not learnable (Example 11.4).
"""

from __future__ import annotations

from rlcourse.core.box import box
from rlcourse.core.linear import add, pi, v_hat
from rlcourse.core.policies import sample

__all__ = ["residual_gradient"]


@box
def residual_gradient(world, model, policy, behavior, features, w, alpha, gamma, rng):
    """Residual-gradient algorithm: descent in the mean squared Bellman error of pi, from b and a model for second samples (Sec. 11.5)."""
    while world.more():  # Loop for each episode:
        S = world.reset(rng)  # Initialize S
        done = False
        while not done:  # Loop for each step of episode:
            A = sample(pi(behavior, S), rng)  # Choose A ~ b(.|S)
            S_, R, terminated, truncated = world.step(S, A, rng)  # Take action A, observe R, S'
            rho = pi(policy, S)[A] / pi(behavior, S)[A]  # rho <- pi(A|S) / b(A|S)
            A2 = sample(pi(behavior, S), rng)  # an independent second sample of what follows S
            S2, _, terminated2, _ = model.step(S, A2, rng)
            rho2 = pi(policy, S)[A2] / pi(behavior, S)[A2]
            x = features.x(S)
            target = R if terminated else R + gamma * v_hat(features.x(S_), w)
            error = rho * target - v_hat(x, w)  # an estimate of the Bellman error of S
            add(w, alpha * error, x)  # w <- w + alpha error (grad v(S, w) - gamma rho2 grad v(S2, w))
            if not terminated2:
                add(w, -alpha * error * gamma * rho2, features.x(S2))
            S = S_  # S <- S'
            done = terminated or truncated
