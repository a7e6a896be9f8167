"""The ladder: in the robot's room every planner and learner must act as dynamic programming does, from every state."""

import dataclasses

import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit

from rlcourse import agents
from rlcourse.core import exact
from rlcourse.core.world import WorldEnv
from rlcourse.envs import robot_room
from rlcourse.envs.room import robot_room_values

# 12 of 12 seeds each with these settings; Monte Carlo control, which waits for the ends of episodes, 6 to 10 of 12, and is not here
LADDER = [
    "DoubleExpectedSarsa",
    "DoubleQLearning",
    "DynaQ",
    "DynaQPlus",
    "ExpectedSarsa",
    "NStepOffPolicySarsa",
    "NStepQSigma",
    "NStepTreeBackup",
    "OffPolicyMCControl",
    "PolicyIteration",
    "PrioritizedSweeping",
    "QLearning",
    "QPlanning",
    "RTDP",
    "Sarsa",
    "TabularSarsaLambda",
    "TrajectorySampling",
    "ValueIteration",
]


@pytest.mark.parametrize("name", LADDER)
def test_its_greedy_policy_earns_26_minus_the_distance_from_every_state(name):
    kind, world = getattr(agents, name), robot_room(4)
    fields = {field.name for field in dataclasses.fields(kind.Config)}
    chosen = {key: value for key, value in {"alpha": 0.2, "epsilon": 0.3, "gamma": 1.0}.items() if key in fields}
    agent = kind(TimeLimit(WorldEnv(world), 100), seed=0, **chosen).learn(episodes=5000)
    np.testing.assert_allclose(exact.v_pi(world, agent.predict(np.arange(16))[0], 1.0), robot_room_values(4), atol=1e-9)
