"""Our worlds beside Gymnasium's environments, step for step."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import ValueIteration
from rlcourse.core.catalogue import ENVIRONMENTS, world_of
from rlcourse.core.gymworld import as_world, model_of
from rlcourse.core.mdp import MDP
from rlcourse.envs import cliff_walk, windy_gridworld

TWINS = [entry for entry in ENVIRONMENTS if entry.twin]


@pytest.mark.parametrize("entry", TWINS, ids=lambda entry: entry.twin)
def test_a_twin_takes_the_same_steps_as_gymnasium(entry):
    world, theirs = world_of(entry.id), gym.make(entry.twin).unwrapped
    rng = np.random.default_rng(0)
    for episode in range(25):
        theirs.reset(seed=episode)
        ours = world.reset(np.random.Generator(type(theirs.np_random.bit_generator)(0)))
        generator = np.random.default_rng(np.random.SeedSequence(episode))
        ours = world.reset(generator)
        assert np.array_equal(np.asarray(ours), np.asarray(theirs.state)), "reset draws the same state from the same generator"
        for _ in range(200):
            discrete = isinstance(world.action_space, gym.spaces.Discrete)
            action = int(rng.integers(world.action_space.n)) if discrete else rng.uniform(-3, 3, 1)
            observation, reward, terminated, truncated, _ = theirs.step(action)
            ours, our_reward, our_end, our_cut = world.step(ours, action, generator)
            np.testing.assert_allclose(ours, theirs.state, rtol=0, atol=1e-9)
            np.testing.assert_allclose(world.observe(ours), observation, rtol=1e-6, atol=1e-6)
            assert our_reward == pytest.approx(reward, abs=1e-9)
            assert (our_end, our_cut) == (terminated, truncated)
            if terminated:
                break
            ours = tuple(float(part) for part in theirs.state)  # the same state in: rounding does not add up


@pytest.mark.parametrize("entry", TWINS, ids=lambda entry: entry.twin)
def test_a_twin_has_gymnasiums_spaces_and_limit(entry):
    theirs, world = gym.make(entry.twin), world_of(entry.id)
    assert world.observation_space == theirs.observation_space
    assert world.action_space == theirs.action_space
    assert entry.limit == theirs.spec.max_episode_steps


def test_the_cliff_is_gymnasiums_cliff():
    ours, theirs = cliff_walk(), MDP.of(gym.make("CliffWalking-v1").unwrapped.P, 36)
    for s in range(47):
        if not 37 <= s <= 46:  # states that cannot be entered
            assert np.array_equal(ours.successor[s], theirs.successor[s])
            assert np.array_equal(ours.reward[s], theirs.reward[s])
            assert np.array_equal(ours.terminal[s], theirs.terminal[s])


@pytest.mark.parametrize("id", ["FrozenLake-v1", "FrozenLake8x8-v1", "Taxi-v4", "CliffWalking-v1", "CliffWalkingSlippery-v1"])
def test_a_table_of_gymnasium_gives_the_same_episode_for_the_same_generator(id):
    env = gym.make(id).unwrapped
    world, _ = as_world(id)
    assert isinstance(world, MDP)
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


def test_a_taxi_with_a_fickle_passenger_is_no_table():
    env = gym.make("Taxi-v4", fickle_passenger=True)
    assert model_of(env) is None
    assert not isinstance(as_world(env)[0], MDP)


def test_the_shortest_ways_are_those_of_the_book():
    assert ValueIteration(cliff_walk()).learn().V[36] == -13
    assert ValueIteration(windy_gridworld()).learn().V[30] == -15
    assert ValueIteration(windy_gridworld(kings_moves=True)).learn().V[30] == -7
    assert ValueIteration(windy_gridworld(kings_moves=True, stay=True)).learn().V[30] == -7


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
