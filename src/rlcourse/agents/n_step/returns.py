"""What the n-step boxes share: sums and products over buffers that hold the last n + 1 time steps (Chapter 7).

What belongs to time i lies in slot ``i % (n + 1)`` of a buffer. The loops step backwards through the slots and wrap by hand, because a
division in every step would cost more than all the rest.
"""

from __future__ import annotations

from rlcourse.core.box import kernel
from rlcourse.core.policies import epsilon_greedy_probabilities

__all__ = ["FOREVER", "discounted", "importance_ratio", "product"]

FOREVER = 2**62  # the time T of an end that is not yet known


@kernel
def discounted(rewards, first, last, gamma, G):
    """Return R_first + gamma R_first+1 + ... + gamma^(k-1) R_last + gamma^k G, where k = last - first + 1 (Eq. 7.1).

    Summed from the end, G <- R_i + gamma G, as Monte Carlo methods do it: for one step it is R + gamma G to the last bit.
    """
    slot = last % len(rewards)
    for _ in range(last - first + 1):
        G = rewards[slot] + gamma * G
        slot = slot - 1 if slot > 0 else len(rewards) - 1
    return G


@kernel
def product(ratios, first, last):
    """Return rho_first:last, the product of importance sampling ratios (Eq. 7.10); 1 where it is empty."""
    rho = 1.0
    slot = last % len(ratios)
    for _ in range(last - first + 1):
        rho *= ratios[slot]
        slot = slot - 1 if slot > 0 else len(ratios) - 1
    return rho


@kernel
def importance_ratio(values, action, target_epsilon, epsilon):
    """Return pi(A|S) / b(A|S), both epsilon-greedy on the same values; b drew the action, so it is not zero there."""
    return epsilon_greedy_probabilities(values, target_epsilon)[action] / epsilon_greedy_probabilities(values, epsilon)[action]
