"""Returns and advantages: every estimate of what follows, as pure functions over ``[T, N]`` arrays (steps, copies).

One convention holds throughout. ``terminated[t]`` says that the step at t reached a terminal state, whose value is zero;
``ended[t]`` says that an episode ended there for any reason (terminated, or truncated by a time limit or the end of the
data), so that nothing flows back across it. A truncated step still bootstraps from ``next_values[t]``, the value of the true
successor state, which is not that of the next row.
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.box import box

__all__ = ["discounted_returns", "gae", "importance_ratios", "lambda_returns", "n_step_returns"]


@box
def discounted_returns(rewards, next_values, terminated, ended, gamma):
    """Return G_t = R_{t+1} + gamma G_{t+1}, bootstrapped where an episode was cut (Eq. 3.9).

    Parameters
    ----------
    rewards, next_values : ndarray of float, shape [T, N]
        Reward of step t, and value of its true successor state.
    terminated, ended : ndarray of bool, shape [T, N]
        See the module docstring; the last row counts as ended.
    gamma : float
        Discount rate.

    Returns
    -------
    ndarray, shape [T, N], dtype of `rewards`
    """
    T, N = rewards.shape
    returns = np.empty_like(rewards)
    for i in range(N):
        G = 0.0
        for t in range(T - 1, -1, -1):
            after = next_values[t, i] if ended[t, i] or t == T - 1 else G
            G = rewards[t, i] + (0.0 if terminated[t, i] else gamma * after)
            returns[t, i] = G
    return returns


@box
def n_step_returns(rewards, next_values, terminated, ended, gamma, n):
    """Return G_{t:t+n}, shorter at an episode's end or the end of the data (Eq. 7.1); shapes as `discounted_returns`."""
    T, N = rewards.shape
    returns = np.empty_like(rewards)
    for i in range(N):
        for t in range(T):
            G = 0.0
            discount = 1.0
            for k in range(t, min(t + n, T)):
                G += discount * rewards[k, i]
                discount *= gamma
                if ended[k, i] or k == min(t + n, T) - 1:
                    G += 0.0 if terminated[k, i] else discount * next_values[k, i]
                    break
            returns[t, i] = G
    return returns


@box
def lambda_returns(rewards, next_values, terminated, ended, gamma, lam):
    """Return the lambda-return by its recursion (Eq. 12.18); shapes as `discounted_returns`."""
    T, N = rewards.shape
    returns = np.empty_like(rewards)
    for i in range(N):
        G = 0.0
        for t in range(T - 1, -1, -1):
            cut = ended[t, i] or t == T - 1
            after = next_values[t, i] if cut else (1.0 - lam) * next_values[t, i] + lam * G
            G = rewards[t, i] + (0.0 if terminated[t, i] else gamma * after)
            returns[t, i] = G
    return returns


@box
def gae(rewards, values, next_values, terminated, ended, gamma, lam):
    """Return generalised advantage estimates (Schulman et al. 2016, Eq. 16), a lambda-return minus the value.

    Parameters
    ----------
    rewards, values, next_values : ndarray of float, shape [T, N]
        ``next_values[t]`` is the value of the true successor of step t, also where the episode was truncated.
    terminated, ended : ndarray of bool, shape [T, N]
        See the module docstring.
    gamma, lam : float
        Discount rate and trace decay.

    Returns
    -------
    ndarray, shape [T, N], dtype of `rewards`
    """
    T, N = rewards.shape
    advantages = np.empty_like(rewards)
    for i in range(N):
        advantage = 0.0
        for t in range(T - 1, -1, -1):
            target = rewards[t, i] + (0.0 if terminated[t, i] else gamma * next_values[t, i])
            advantage = target - values[t, i] + (0.0 if ended[t, i] else gamma * lam * advantage)
            advantages[t, i] = advantage
    return advantages


def importance_ratios(target, behaviour):
    """Return rho_t = pi(A_t|S_t) / b(A_t|S_t) (Eq. 5.3); raises where b is zero and pi is not.

    Parameters
    ----------
    target, behaviour : array_like of float
        Probabilities of the taken actions under both policies.
    """
    target, behaviour = np.asarray(target, dtype=float), np.asarray(behaviour, dtype=float)
    if np.any((behaviour <= 0) & (target > 0)):
        raise ValueError("behaviour must give every action that the target policy takes a positive probability")
    return np.divide(target, behaviour, out=np.zeros(np.broadcast(target, behaviour).shape), where=behaviour > 0)
