"""Window: the last observations, as a wrapper and as a world around a world."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.core.copies import as_vector
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import CartPole, MountainCar, Pendulum, cliff_walk, t_maze
from rlcourse.wrappers import Flicker, Window, flickering, windowed

FORMS = {  # the wrapper, and the world around a world
    "cart": (lambda env: Window(env, 3), lambda world: windowed(world, 3), CartPole()),
    "swing": (lambda env: Window(env, 2), lambda world: windowed(world, 2), Pendulum()),
    "flickering car": (lambda env: Window(Flicker(env, 0.4), 4), lambda world: windowed(flickering(world, 0.4), 4), MountainCar()),
    "maze": (lambda env: Window(env, 5), lambda world: windowed(world, 5), t_maze(3)),
}


@pytest.mark.filterwarnings("error:.*runs interpreted")
@pytest.mark.parametrize("form", FORMS)
def test_wrapper_world_and_compiled_copies_agree_step_for_step(form):
    wrapper, around, world = FORMS[form]
    one, other = gym.wrappers.TimeLimit(wrapper(WorldEnv(world)), 20), gym.wrappers.TimeLimit(WorldEnv(around(world)), 20)
    many = WorldVectorEnv(around(world), 1, max_episode_steps=20)
    assert one.observation_space == other.observation_space == many.single_observation_space
    one.action_space.seed(0)
    seen = [one.reset(seed=4)[0], other.reset(seed=4)[0], many.reset(seed=4)[0][0]]
    for _ in range(60):
        for each in seen:
            assert np.array_equal(each, seen[0])
            assert one.observation_space.contains(each)
        action = one.action_space.sample()
        mine, theirs, copies = one.step(action), other.step(action), many.step(np.asarray([action]))
        assert mine[1:4] == theirs[1:4] == tuple(part[0] for part in copies[1:4])
        seen = [mine[0], theirs[0], copies[0][0]]
        if mine[2] or mine[3]:
            assert np.array_equal(mine[0], copies[4]["final_obs"][0])
            seen[:2] = [one.reset()[0], other.reset()[0]]


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", "rlcourse/TMaze-v0", "FrozenLake-v1"])
def test_it_passes_both_checkers(id):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = Window(gym.make(id), 4)
        check_env(env, skip_render_check=True)
        sb3_check_env(env)


def test_rows_are_the_last_observations_and_tell_which_there_are():
    env = Window(gym.make("CartPole-v1"), 3)
    plain = gym.make("CartPole-v1")
    first, second, third, fourth = plain.reset(seed=0)[0], *(plain.step(a)[0] for a in (0, 1, 0))
    seen = env.reset(seed=0)[0]
    assert seen.tolist() == [[0.0] * 5, [0.0] * 5, [*first.tolist(), 1.0]]
    assert env.step(0)[0].tolist() == [[0.0] * 5, [*first.tolist(), 1.0], [*second.tolist(), 1.0]]
    env.step(1)
    seen = env.step(0)[0]
    assert seen.tolist() == [[*each.tolist(), 1.0] for each in (second, third, fourth)]
    again = env.reset()[0]
    assert not again[:-1].any(), "an episode begins with itself"
    assert seen[0].any(), "what was handed out stays as it was"


def test_a_number_is_a_one_in_its_place():
    env = Window(gym.make("rlcourse/TMaze-v0", length=2), 3)
    env.reset(seed=0, options={"state": (1.0, 0.0)})
    assert env.step(2)[0].tolist() == [[0, 0, 0, 0, 0], [0, 1, 0, 0, 1], [0, 0, 1, 0, 1]]


def test_copies_step_in_one_compiled_call_where_there_is_a_world():
    assert isinstance(as_vector(Window(gym.make("CartPole-v1"), 4), 3), WorldVectorEnv)
    assert isinstance(as_vector(Window(Flicker(gym.make("rlcourse/CartPole-v1")), 4), 3), WorldVectorEnv)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Window(gym.make("CartPole-v1"), 1), "k must be a whole number of at least 2"),
        (lambda: Window(gym.make("CartPole-v1"), 2.5), "k must be a whole number of at least 2, not 2.5"),
        (lambda: Window(gym.make("rlcourse/PixelCatch-v0")), "needs vectors or numbers"),
        (lambda: windowed(cliff_walk()), "whose state is a tuple of floats"),
    ],
)
def test_what_has_no_windows_is_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
