"""What holds for every tabular agent: observations, bootstraps, both speeds."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import (
    ALONE,
    BOOTSTRAPPERS,
    LEARNERS,
    PREDICTORS,
    SUITED,
    TABULAR,
    Grid,
    OneStep,
    Opaque,
    differences,
    known,
    learned,
    make,
    values_of,
)
from gymnasium import spaces
from gymnasium.wrappers import TimeLimit

from rlcourse.core.gymworld import GymWorld
from rlcourse.core.mdp import MDP


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(6, start=-2),
        spaces.MultiDiscrete([3, 2]),
        spaces.MultiDiscrete([3, 2], start=[4, -1]),
        spaces.Tuple((spaces.Discrete(3), spaces.Discrete(2, start=1))),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", LEARNERS)
def test_tables_take_every_finite_observation_and_actions_that_begin_anywhere(name, space):
    agent = make(name, Grid(space), **known(name, alpha=0.1, gamma=0.5)).learn(3000)
    assert agent.action_values(np.arange(6)).shape == (6, 2)
    assert agent.num_timesteps == 3000
    observation, best = space.sample(), 5 if name in PREDICTORS else 6
    assert agent.predict(observation)[0] == best, "the action with the reward"
    batch = tuple(np.array([part] * 4) for part in observation) if isinstance(space, spaces.Tuple) else np.array([observation] * 4)
    assert agent.predict(batch)[0].tolist() == [best] * 4


@pytest.mark.parametrize("name", TABULAR)
def test_an_observation_outside_the_space_is_refused(name):
    for wrong in (make(name).observation_space.n, -1):
        with pytest.raises(ValueError, match="outside"):
            make(name).predict(wrong)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_component_outside_its_range_is_refused_and_not_taken_for_another_observation(name):
    agent = make(name, Grid(spaces.MultiDiscrete([3, 2])))
    with pytest.raises(ValueError, match="outside"):
        agent.predict(np.array([0, 3]))


@pytest.mark.parametrize("name", [*LEARNERS, *SUITED])
def test_the_budget_of_episodes_is_exact(name):
    assert len(make(name).learn(episodes=17).history) == 17


@pytest.mark.parametrize("name", BOOTSTRAPPERS)
def test_a_truncated_step_bootstraps_and_a_terminated_one_does_not(name):
    for terminated, value in ((True, 1.0), (False, 1.0 + 0.9 * 10.0)):
        agent = make(name, OneStep(terminated), **known(name, alpha=1.0, gamma=0.9, epsilon=0.0))
        for table in values_of(agent):
            table[1] = 10.0  # the value of the state in which the episode ends
        agent.learn(episodes=1)
        assert max(table[0].max() for table in values_of(agent)) == pytest.approx(value)
        assert agent.history[-1]["terminated"] == float(terminated)


@pytest.mark.parametrize("name", BOOTSTRAPPERS)
def test_the_time_limit_of_an_environment_truncates_and_bootstraps_at_both_speeds(name):
    for wrap in (lambda env: env, Opaque):
        env = wrap(TimeLimit(gym.make("rlcourse/CliffWalk-v0").unwrapped, 1))
        agent = make(name, env, **known(name, alpha=1.0, gamma=0.5, epsilon=0.0), **ALONE.get(name, {}))
        for table in values_of(agent):
            table[:] = -8.0
        agent.learn(episodes=1)
        assert agent.history[-1] == {"return": agent.history[-1]["return"], "length": 1.0, "terminated": 0.0, "timesteps": 1.0}
        changed = np.concatenate([table[table != -8.0] for table in values_of(agent)])
        assert changed.tolist() == [agent.history[-1]["return"] + 0.5 * -8.0]


@pytest.mark.parametrize("name", LEARNERS)
def test_a_table_of_gymnasium_compiled_equals_its_environment_interpreted(name):
    for id in ("FrozenLake-v1", "Taxi-v4", "CliffWalking-v1"):
        begin = known(name, start_anywhere=False)  # with exploring starts only the first action is random
        fast, slow = make(name, id, seed=1, **begin), make(name, Opaque(gym.make(id)), seed=1, **begin)
        assert isinstance(fast.world, MDP)
        assert isinstance(slow.world, GymWorld)
        assert differences(learned(fast.learn(1500)), learned(slow.learn(1500))) == []


@pytest.mark.parametrize("name", LEARNERS)
def test_it_learns_interpreted_in_gymnasium_s_blackjack(name):
    agent = make(name, "Blackjack-v1").learn(episodes=30)
    assert isinstance(agent.world, GymWorld)
    assert len(agent.history) == 30
