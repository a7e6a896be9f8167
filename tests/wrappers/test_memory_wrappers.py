"""The memory wrappers, as wrappers of Gymnasium's environments and as worlds around worlds."""

import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiBinary
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.core.copies import as_vector
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import Acrobot, CartPole, MountainCar, Pendulum, bernoulli_bandit, cliff_walk, pixel_catch
from rlcourse.wrappers import Flicker, MaskVelocity, PreviousActionReward, flickering, masked, reminded

FORMS = {  # the wrapper, and the world around a world
    "mask": (MaskVelocity, masked),
    "flicker": (lambda env: Flicker(env, 0.3), lambda world: flickering(world, 0.3)),
    "previous": (PreviousActionReward, reminded),
    "previous action": (lambda env: PreviousActionReward(env, reward=False), lambda world: reminded(world, reward=False)),
    "previous reward": (lambda env: PreviousActionReward(env, action=False), lambda world: reminded(world, action=False)),
    "all": (
        lambda env: PreviousActionReward(Flicker(MaskVelocity(env), 0.3)),
        lambda world: reminded(flickering(masked(world), 0.3)),
    ),
}


@pytest.mark.filterwarnings("error:.*runs interpreted")
@pytest.mark.parametrize(
    ("form", "world"),
    [
        *((form, CartPole()) for form in FORMS),
        ("all", Acrobot()),  # it begins with float32 numbers
        ("mask", MountainCar()),
        ("all", Pendulum()),
        ("previous", bernoulli_bandit()),
        ("previous action", bernoulli_bandit(2, 7)),
        ("flicker", pixel_catch()),  # images
    ],
    ids=lambda part: part if isinstance(part, str) else type(part).__name__,
)
def test_wrapper_world_and_compiled_copies_agree_step_for_step(form, world):
    wrapper, around = FORMS[form]
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
            assert np.array_equal(mine[0], theirs[0])
            seen[:2] = [one.reset()[0], other.reset()[0]]


@pytest.mark.parametrize("id", ["CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1"])
@pytest.mark.parametrize("form", FORMS)
def test_every_wrapper_passes_both_checkers(form, id):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = FORMS[form][0](gym.make(id))
        check_env(env, skip_render_check=True)
        sb3_check_env(env)


def test_velocities_read_zero_and_all_else_stays():
    env = gym.make("CartPole-v1")
    plain, hidden = env.reset(seed=0)[0], MaskVelocity(env).reset(seed=0)[0]
    assert hidden.tolist() == [plain[0], 0.0, plain[2], 0.0]
    assert hidden.dtype == np.float32
    chosen = MaskVelocity(env, indices=(0,)).reset(seed=0)[0]
    assert chosen.tolist() == [0.0, *plain[1:]]


def test_the_velocities_of_lunar_lander_are_known():
    pytest.importorskip("Box2D")
    env = MaskVelocity(gym.make("LunarLander-v3"))
    env.reset(seed=0)
    assert np.flatnonzero(env.step(0)[0] == 0).tolist()[:3] == [2, 3, 5]


def test_a_share_p_of_the_observations_is_blank():
    env = WorldVectorEnv(flickering(CartPole(), 0.3), 100, copy=False)
    env.reset(seed=0)
    blank = [np.all(env.step(np.arange(100) % 2)[0] == 0, axis=1).mean() for _ in range(200)]
    assert np.mean(blank) == pytest.approx(0.3, abs=0.015)
    assert not np.any(flickering(CartPole(), 1.0).observe((1.0, 2.0, 3.0, 4.0, 1.0)))


def test_a_flickering_image_is_a_blank_image():
    env = Flicker(Pictures(), 1.0)
    observation, _ = env.reset(seed=0)
    assert observation.dtype == np.uint8
    assert not observation.any()
    assert Flicker(Pictures(), 0.0).reset()[0].all()


class Pictures(gym.Env):
    """A white picture; actions begin at 3."""

    observation_space = Box(0, 255, (4, 4, 1), np.uint8)
    action_space = Discrete(3, start=3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.full((4, 4, 1), 255, np.uint8), {}

    def step(self, action):
        return np.full((4, 4, 1), 255, np.uint8), 2.5, False, False, {}


class Vectors(Pictures):
    """The same with a vector that is never zero."""

    observation_space = Box(1, 2, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        return np.ones(2, np.float32), super().reset(seed=seed)[1]

    def step(self, action):
        return np.ones(2, np.float32), 2.5, False, False, {}


def test_action_and_reward_come_after_the_observation_and_are_zero_at_the_start():
    env = PreviousActionReward(Vectors())
    assert env.reset(seed=0)[0].tolist() == [1, 1, 0, 0, 0, 0]
    assert env.step(4)[0].tolist() == [1, 1, 0, 1, 0, 2.5]
    assert env.reset()[0].tolist() == [1, 1, 0, 0, 0, 0]
    pendulum = PreviousActionReward(gym.make("Pendulum-v1"))
    pendulum.reset(seed=0)
    seen, reward, *_ = pendulum.step(np.array([7.0], np.float32))
    assert seen[3] == 2.0, "as clipped"
    assert seen[4] == pytest.approx(reward, rel=1e-6)


def test_a_space_without_zero_is_widened_by_it():
    for env in (MaskVelocity(Vectors(), indices=(1,)), Flicker(Vectors(), 1.0)):
        assert env.observation_space == Box(0, 2, (2,), np.float32)
        assert env.observation_space.contains(env.reset(seed=0)[0])


def test_copies_of_a_wrapped_environment_step_in_one_compiled_call_where_there_is_a_world():
    wrapped = PreviousActionReward(MaskVelocity(gym.make("CartPole-v1")))
    copies = as_vector(wrapped, 3)
    assert isinstance(copies, WorldVectorEnv)
    assert copies.max_episode_steps == 500
    assert copies.single_observation_space == wrapped.observation_space
    assert as_vector(gym.wrappers.TimeLimit(wrapped, 30), 3).max_episode_steps == 30
    foreign = as_vector(MaskVelocity(gym.make("MountainCarContinuous-v0", goal_velocity=0.01)), 3)
    assert not isinstance(foreign.unwrapped, WorldVectorEnv)
    assert np.all(foreign.reset(seed=0)[0][:, 1] == 0)


def test_the_registered_masked_cartpole_is_the_wrapper_around_cartpole():
    ours, theirs = gym.make("rlcourse/MaskedCartPole-v1"), MaskVelocity(gym.make("CartPole-v1"))
    a, b = ours.reset(seed=3)[0], theirs.reset(seed=3)[0]
    for _ in range(50):
        assert np.array_equal(a, b)
        action = ours.action_space.sample()
        (a, *mine, _), (b, *others, _) = ours.step(action), theirs.step(action)
        assert mine == others
        if mine[1]:
            a, b = ours.reset(seed=4)[0], theirs.reset(seed=4)[0]
    assert ours.spec.reward_threshold == 475
    assert ours.spec.max_episode_steps == 500


@pytest.mark.parametrize("told", [{}, {"action": False}, {"reward": False}])
def test_the_registered_bandit_of_rl2_is_the_wrapper_around_a_bernoulli_bandit(told):
    ours, theirs = (
        gym.make("rlcourse/RL2Bandit-v0", k=3, **told),
        PreviousActionReward(gym.make("rlcourse/BernoulliBandit-v0", k=3), **told),
    )
    assert ours.observation_space == theirs.observation_space
    ours.action_space.seed(0)
    seen = [ours.reset(seed=3)[0], theirs.reset(seed=3)[0]]
    for _ in range(30):
        assert np.array_equal(*seen)
        action = ours.action_space.sample()
        (a, *mine, _), (b, *others, _) = ours.step(action), theirs.step(action)
        assert mine == others
        seen = [ours.reset()[0], theirs.reset()[0]] if mine[1] else [a, b]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MaskVelocity(Vectors()), "does not know the velocities of Vectors"),
        (lambda: MaskVelocity(gym.make("CartPole-v1"), indices=(4,)), r"indices must name places 0\.\.3"),
        (lambda: MaskVelocity(Pictures(), indices=(0,)), "vectors"),
        (lambda: masked(cliff_walk()), "Box"),
        (lambda: Flicker(gym.make("FrozenLake-v1")), "Flicker needs observations in a Box"),
        (lambda: Flicker(Pictures(), 1.5), "p must be a probability"),
        (lambda: PreviousActionReward(Pictures()), "vectors"),
        (lambda: PreviousActionReward(Vectors(), action=False, reward=False), "appends nothing"),
        (lambda: PreviousActionReward(Bits()), "pass action=False"),
    ],
)
def test_what_cannot_be_wrapped_is_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


class Bits(Vectors):
    """Actions that no wrapper knows."""

    action_space = MultiBinary(2)


def test_importing_the_wrappers_imports_no_environment_and_nothing_heavy():
    code = (
        "import sys, rlcourse.wrappers as w\n"
        "w.MaskVelocity, w.Flicker, w.PreviousActionReward, w.Occlude, w.RandomFlip, w.RandomShift, w.Tint, w.TextTokens\n"
        "print([m for m in sys.modules if m.startswith('rlcourse.envs') or m in ('torch', 'numba', 'matplotlib')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
