"""Semi-gradient Sarsa with linear values, for tests of wrappers whose observations are features."""

import numpy as np


def semi_gradient_sarsa(env, alpha, epsilon, episodes, seed):
    """Return the returns of episodes of episodic semi-gradient Sarsa, q(s, a, w) = w[a] . x(s); alpha is a share of 1 / (x . x)."""
    rng = np.random.default_rng(seed)
    x = env.reset(seed=seed)[0]
    w, step, returns = np.zeros((env.action_space.n, len(x))), alpha / float(x @ x), np.zeros(episodes)
    for episode in range(episodes):
        x, _ = env.reset()
        action, done = act(w, x, epsilon, rng), False
        while not done:
            x_, reward, terminated, truncated, _ = env.step(action)
            returns[episode] += reward
            action_ = act(w, x_, epsilon, rng)
            target = reward if terminated else reward + w[action_] @ x_
            w[action] += step * (target - w[action] @ x) * x
            x, action, done = x_, action_, terminated or truncated
    return returns


def act(w, x, epsilon, rng):
    """Return an epsilon-greedy action; ties break at random."""
    values = w @ x
    return int(rng.integers(len(w))) if rng.random() < epsilon else int(rng.choice(np.flatnonzero(values == values.max())))
