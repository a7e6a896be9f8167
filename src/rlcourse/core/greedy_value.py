"""How good the policy is that is greedy in some action values: exact, compiled, and quick where it is asked again and again.

`rlcourse.core.exact` answers the same question for all states; a learning curve asks it after every few updates for the start only.
"""

from __future__ import annotations

import numpy as np

from rlcourse.core.box import box
from rlcourse.core.policies import epsilon_greedy_probabilities

__all__ = ["greedy_policy_value"]


@box
def greedy_policy_value(model, Q, V, gamma, theta):
    """Evaluate the policy that is greedy in Q, in place, until a sweep through the states it can meet changes nothing by theta."""
    policy, met, order, n = np.zeros(Q.shape), np.zeros(len(V), dtype=np.bool_), np.zeros(len(V), dtype=np.int64), 0
    for s in range(len(V)):
        if model.start[s] > (model.start[s - 1] if s > 0 else 0.0):
            met[s], order[n], n = True, s, n + 1
    i = 0
    while i < n:  # from the start states along greedy actions; equals share their part
        s = order[i]
        policy[s] = epsilon_greedy_probabilities(Q[s], 0.0)
        for a in range(Q.shape[1]):
            for k in range(model.successor.shape[2]):
                s_ = model.successor[s, a, k]
                if policy[s, a] * model.probability[s, a, k] > 0.0 and not (model.terminal[s, a, k] or met[s_]):
                    met[s_], order[n], n = True, s_, n + 1
        i += 1
    delta = theta
    while delta >= theta:
        delta = 0.0
        for i in range(n - 1, -1, -1):  # backwards: successors first
            s, v = order[i], 0.0
            for a in range(Q.shape[1]):
                if policy[s, a] > 0.0:
                    v += policy[s, a] * model.expected(s, a, V, gamma)
            delta = max(delta, abs(v - V[s]))
            V[s] = v
