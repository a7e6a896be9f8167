"""Our worlds beside Gymnasium's environments, step for step."""

import math

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import ValueIteration
from rlcourse.core.catalogue import ENVIRONMENTS, world_of
from rlcourse.core.gymworld import as_world, model_of
from rlcourse.core.mdp import MDP
from rlcourse.envs import MountainCar, cliff_walk, windy_gridworld

TWINS = [entry for entry in ENVIRONMENTS if entry.twin]


@pytest.mark.parametrize("entry", TWINS, ids=lambda entry: entry.twin)
def test_a_twin_begins_and_steps_as_gymnasiums_environment_does(entry):
    world, theirs = world_of(entry.id), gym.make(entry.twin).unwrapped
    rng, steps, ends = np.random.default_rng(0), 0, 0
    for episode in range(25):
        theirs.reset(seed=episode)
        state = world.reset(np.random.default_rng(np.random.SeedSequence(episode)))
        assert np.array_equal(state, theirs.state), "reset draws the same state from the same generator"
        for _ in range(200):
            state, observation, ended = _step_both(world, theirs, state, _random_action(world, rng))
            np.testing.assert_array_equal(np.asarray(world.observe(state), np.float32), observation)
            steps, ends = steps + 1, ends + ended
            if ended:
                break
    while steps < 2000 or (
        ends == 0 and entry.twin != "Pendulum-v1"
    ):  # from anywhere, limits and goals included: short episodes do not go far
        state = _anywhere(world, rng)
        theirs.state = np.array(state) if entry.twin == "Acrobot-v1" else state
        theirs.steps_beyond_terminated = None
        ends += _step_both(world, theirs, state, _random_action(world, rng))[2]
        steps += 1


def _step_both(world, theirs, state, action):
    """Step both from the same state; return their state, their observation and whether the episode ended."""
    observation, reward, terminated, truncated, _ = theirs.step(action)
    ours, our_reward, our_end, our_cut = world.step(state, action, None)
    single = type(world).__name__ == "MountainCarContinuous"  # Gymnasium's keeps its state in single precision
    np.testing.assert_allclose(ours, theirs.state, rtol=0 if single else 1e-12, atol=2e-7 if single else 1e-12)
    assert our_reward == pytest.approx(float(reward), rel=1e-12, abs=1e-12)
    assert (our_end, our_cut) == (terminated, truncated)
    return tuple(float(part) for part in theirs.state), observation, terminated


def _random_action(world, rng):
    return int(rng.integers(world.action_space.n)) if isinstance(world.action_space, gym.spaces.Discrete) else rng.uniform(-3, 3, 1)


def _anywhere(world, rng):
    if type(world).__name__ == "Acrobot":
        high = np.array([np.pi, np.pi, world.max_speed_1, world.max_speed_2])
    elif type(world).__name__ == "Pendulum":
        high = np.array([3 * np.pi, world.max_speed])
    else:
        high = np.minimum(world.observation_space.high.astype(float), 3.0)
        if type(world).__name__.startswith("MountainCar"):
            return float(rng.uniform(-1.2, 0.6)), float(rng.uniform(-0.07, 0.07))
    return tuple(rng.uniform(-high, high).tolist())


def test_the_car_stops_at_the_left_wall_and_arrives_on_the_right_as_gymnasiums_does():
    world, theirs = MountainCar(), gym.make("MountainCar-v0").unwrapped
    for state, action in (((-1.19, -0.06), 0), ((-1.2, 0.0), 0), ((-1.2, 0.0), 2), ((0.49, 0.05), 2), ((0.5, 0.0), 0), ((0.59, 0.07), 2)):
        theirs.reset(seed=0)
        theirs.state = state
        _step_both(world, theirs, state, action)
    assert world.step((-1.19, -0.06), 0, None)[0] == (-1.2, 0.0)
    at_rest = (0.5, -(world.force - math.cos(1.5) * world.gravity))  # a push to the right stops it exactly on the goal
    theirs.state = at_rest
    assert _step_both(world, theirs, at_rest, 2)[::2] == ((0.5, 0.0), True)
    assert world.step((0.49, 0.05), 2, None)[2]


@pytest.mark.parametrize("entry", TWINS, ids=lambda entry: entry.twin)
def test_a_twin_has_gymnasiums_spaces_and_limit(entry):
    theirs, world = gym.make(entry.twin), world_of(entry.id)
    assert world.observation_space == theirs.observation_space
    assert world.action_space == theirs.action_space
    assert entry.limit == theirs.spec.max_episode_steps


def test_the_cliff_is_gymnasiums_table():
    ours, theirs = cliff_walk(), MDP.of(gym.make("CliffWalking-v1").unwrapped.P, 36)
    for name in MDP._fields:
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


@pytest.mark.parametrize("id", ["FrozenLake-v1", "FrozenLake8x8-v1", "Taxi-v4", "CliffWalking-v1", "CliffWalkingSlippery-v1"])
def test_a_table_of_gymnasium_gives_the_same_episode_for_the_same_generator(id):
    env = gym.make(id).unwrapped
    world, limit = as_world(id)
    assert isinstance(world, MDP)
    assert limit == gym.spec(id).max_episode_steps, "the time limit is carried over"
    actions = np.random.default_rng(1).integers(0, world.action_space.n, 500)
    observation, _ = env.reset(seed=3)
    generator = np.random.default_rng(np.random.SeedSequence(3))
    state = world.reset(generator)
    for action in actions:
        assert state == observation
        observation, reward, terminated, truncated, _ = env.step(int(action))
        state, our_reward, our_end, our_cut = world.step(state, int(action), generator)
        assert (state, our_reward, our_end, our_cut) == (observation, reward, terminated, truncated)
        if terminated:
            observation, _ = env.reset()
            state = world.reset(generator)


@pytest.mark.parametrize(("id", "limit"), [("FrozenLake-v1", 100), ("FrozenLake8x8-v1", 200), ("Taxi-v4", 200), ("CliffWalking-v1", None)])
def test_a_table_has_the_time_limit_of_its_environment(id, limit):
    assert as_world(gym.make(id))[1] == limit
    assert as_world(gym.make(id, max_episode_steps=7))[1] == 7


def test_a_taxi_with_a_fickle_passenger_is_no_table():
    env = gym.make("Taxi-v4", fickle_passenger=True)
    assert model_of(env) is None
    assert not isinstance(as_world(env)[0], MDP)


def test_the_shortest_ways_are_those_of_the_book():
    assert ValueIteration(cliff_walk()).learn().V[36] == -13
    assert ValueIteration(windy_gridworld()).learn().V[30] == -15
    assert ValueIteration(windy_gridworld(kings_moves=True)).learn().V[30] == -7
    assert ValueIteration(windy_gridworld(kings_moves=True, stay=True)).learn().V[30] == -7


def test_the_wind_blows_as_in_the_book():
    world = windy_gridworld()
    right, down = 1, 2
    for row, column, action, goal in [(3, 0, right, (3, 1)), (3, 3, right, (2, 4)), (5, 6, right, (3, 7)), (0, 7, right, (0, 8))]:
        assert _landing(world, 10 * row + column, action) == [(10 * goal[0] + goal[1], 1.0)]
    assert _landing(world, 69, down) == [(69, 1.0)], "the edge holds"
    assert _landing(world, 66, down) == [(56, 1.0)], "move and wind are added before the edge holds"
    assert world.terminal[56, right, 0]
    assert world.terminal[36, right, 0] == 0


def test_a_stochastic_wind_varies_by_one_cell_where_there_is_wind():
    world = windy_gridworld(kings_moves=True, stochastic=True)
    right = 1
    assert _landing(world, 30, right) == [(31, 1.0)]
    assert _landing(world, 33, right) == [(14, pytest.approx(1 / 3)), (24, pytest.approx(1 / 3)), (34, pytest.approx(1 / 3))]
    assert ValueIteration(world).learn().V[30] < -7


def test_staying_needs_kings_moves():
    assert windy_gridworld(kings_moves=True, stay=True).action_space.n == 9
    with pytest.raises(ValueError, match="kings_moves"):
        windy_gridworld(stay=True)


def _landing(world, state, action):
    """Where a move ends, with probabilities, by state."""
    p = {}
    for k, probability in enumerate(world.probability[state, action]):
        if probability:
            s = int(world.successor[state, action, k])
            p[s] = p.get(s, 0.0) + float(probability)
    return sorted(p.items())


def test_frozen_lake_has_the_value_of_its_linear_system():
    model = model_of(gym.make("FrozenLake-v1"))
    agent = ValueIteration("FrozenLake-v1", theta=1e-13).learn()
    greedy = agent.action_values(np.arange(16)).argmax(axis=1)
    P, r = np.zeros((16, 16)), np.zeros(16)
    for s, a in enumerate(greedy):
        for k in range(3):
            p = model.probability[s, a, k]
            r[s] += p * model.reward[s, a, k]
            P[s, model.successor[s, a, k]] += 0.0 if model.terminal[s, a, k] else p
    v = np.linalg.solve(np.eye(16) - P, r)
    np.testing.assert_allclose(agent.V, v, atol=1e-9)
    assert v[0] == pytest.approx(0.8235, abs=5e-5)
