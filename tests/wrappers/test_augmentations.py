"""Occlude, RandomShift and Tint: as wrappers, as worlds around worlds, and what they do to an image."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from image_world import Pictures, make_spot, spot
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.core.copies import as_vector
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import cliff_walk
from rlcourse.wrappers import Occlude, RandomFlip, RandomShift, Tint

FORMS = {
    "shift": lambda env: RandomShift(env, 2),
    "occlude": lambda env: Occlude(env, 0.3),
    "occlude once": lambda env: Occlude(env, 0.3, per="episode", value=7.0),
    "occlude left": lambda env: Occlude(env, 0.5, "left"),
    "tint": lambda env: Tint(env, 0.6),
    "tint always": lambda env: Tint(env, 0.6, per="observation"),
    "flip": RandomFlip,
    "flip and swap": lambda env: RandomFlip(env, (1, 0), per="episode"),
    "all": lambda env: Occlude(Tint(RandomShift(RandomFlip(env, (1, 0)))), 0.2, per="episode"),
}


def around(env, world):
    """Return all the wrappers of an environment around a world."""
    return env.around(around(env.env, world)) if isinstance(env, gym.Wrapper) else world


@pytest.mark.filterwarnings("error:.*runs interpreted")
@pytest.mark.parametrize("form", FORMS)
def test_wrapper_world_and_compiled_copies_agree_pixel_for_pixel(form):
    wrapped = FORMS[form](make_spot())
    world = around(wrapped, spot())
    one, other = gym.wrappers.TimeLimit(wrapped, 12), gym.wrappers.TimeLimit(WorldEnv(world), 12)
    many = SyncVectorEnv([lambda: gym.wrappers.TimeLimit(WorldEnv(world), 12)], autoreset_mode=AutoresetMode.SAME_STEP)
    if form == "all":  # the one that compiles all there is
        many = WorldVectorEnv(world, 1, max_episode_steps=12)
    assert one.observation_space == other.observation_space == many.single_observation_space
    one.action_space.seed(0)
    seen = [one.reset(seed=4)[0], other.reset(seed=4)[0], many.reset(seed=4)[0][0]]
    for _ in range(40):
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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS)
def test_every_augmentation_passes_both_checkers(form):
    for env in (gym.make("test/Spot-v0"), Pictures((36, 36, 1))):
        check_env(FORMS[form](env), skip_render_check=True)
        sb3_check_env(FORMS[form](env))


@pytest.mark.parametrize("form", FORMS)
def test_copies_are_one_compiled_call_or_gymnasiums_and_draw_each_for_itself(form):
    wrapped = FORMS[form](gym.make("test/Spot-v0"))
    copies = as_vector(wrapped, 3)
    assert isinstance(copies, WorldVectorEnv)
    assert copies.max_episode_steps == 20
    theirs = SyncVectorEnv([lambda: gym.make(wrapped.spec)] * 3)
    compiled = [copies] if form == "tint" else []
    for venv in (*compiled, theirs, gym.make_vec("test/Spot-v0", 3, wrappers=[FORMS[form]])):
        first = np.array(venv.reset(seed=1)[0])
        assert np.array_equal(first, venv.reset(seed=1)[0])
        if form not in ("flip", "flip and swap", "occlude left"):
            assert not np.array_equal(first[0], first[1])
        assert venv.single_observation_space == wrapped.observation_space


@pytest.mark.parametrize(("shape", "high"), [((7, 9, 3), 255), ((3, 7, 9), 255), ((7, 9), 255), ((10, 10, 4), 1)])
def test_a_shift_moves_all_channels_alike_and_repeats_the_edge(shape, high):
    env = RandomShift(Pictures(shape, high=high), 2)
    env.reset(seed=0)
    height, width = (0, 1) if len(shape) == 2 or shape[0] >= shape[2] else (1, 2)
    pads = [(2, 2) if axis in (height, width) else (0, 0) for axis in range(len(shape))]
    padded = np.pad(env.env.picture, pads, mode="edge")
    moves = set()
    for _ in range(200):
        image = env.step(0)[0]
        assert env.observation_space.contains(image)
        found = []
        for down in range(5):
            for right in range(5):
                cut = np.take(np.take(padded, range(down, down + shape[height]), height), range(right, right + shape[width]), width)
                if np.array_equal(cut, image):
                    found.append((down, right))
        assert found
        moves.update(found[:1])
    assert len(moves) == 25


@pytest.mark.parametrize(
    ("place", "rows", "columns"),
    [
        ("center", slice(2, 6), slice(2, 6)),
        ("left", slice(0, 8), slice(0, 2)),
        ("right", slice(0, 8), slice(6, 8)),
        ("top", slice(0, 2), slice(0, 8)),
        ("bottom", slice(6, 8), slice(0, 8)),
    ],
)
def test_a_share_of_the_image_is_hidden_in_its_place(place, rows, columns):
    env = Occlude(Pictures((8, 8, 1)), 0.25, place, value=9)
    wanted = env.env.picture.copy()
    wanted[rows, columns] = 9
    assert np.array_equal(env.reset(seed=0)[0], wanted)
    assert np.array_equal(env.step(0)[0], wanted)


def test_a_random_place_changes_with_every_observation_or_every_episode_and_reaches_all_corners():
    always, once = Occlude(Pictures((8, 8, 1), high=1), 0.25, value=1), Occlude(Pictures((8, 8)), 0.25, per="episode")
    always.env.picture[:] = 0
    assert always.reset(seed=0)[0].sum() == 16
    assert np.all(sum(always.step(0)[0].astype(int) for _ in range(300)) > 0)
    first = once.reset(seed=0)[0]
    assert all(np.array_equal(first, once.step(0)[0]) for _ in range(20))
    assert any(not np.array_equal(first, once.reset()[0]) for _ in range(20))
    assert np.array_equal(Occlude(Pictures(), 0.0).reset(seed=0)[0], Pictures().picture)
    assert not Occlude(Pictures(), 1.0).reset(seed=0)[0].any()


def test_a_tint_changes_channels_each_in_its_way_and_holds_for_an_episode():
    env = Tint(Pictures((4, 4, 3)), 0.5)
    env.env.picture[:] = 100
    first = env.reset(seed=0)[0]
    assert np.array_equal(first, env.step(0)[0])
    assert len(np.unique(first)) == 3, "one value for each channel"
    values = np.array([env.reset()[0][0, 0] for _ in range(500)], float)
    assert values.min() == 0, "100 / 2 - 63.75 is below nothing"
    assert values.max() <= 214
    assert values.mean() == pytest.approx(100, abs=4)
    assert np.array_equal(Tint(Pictures((3, 4, 4)), 0.0).reset(seed=0)[0], Pictures((3, 4, 4)).picture)


def test_half_of_the_images_or_episodes_are_mirrored_and_the_actions_change_sides_where_that_is_asked_for():
    for shape, axis in (((7, 9, 3), 1), ((3, 7, 9), 2), ((7, 9), 1)):
        env = RandomFlip(Pictures(shape))
        images = [env.reset(seed=0)[0], *(env.reset()[0] for _ in range(99))]
        mirrored = [np.array_equal(image, np.flip(env.env.picture, axis)) for image in images]
        assert all(flip or np.array_equal(image, env.env.picture) for image, flip in zip(images, mirrored, strict=True))
        assert 30 < sum(mirrored) < 70
    always, once = RandomFlip(Pictures()), RandomFlip(Pictures(), per="episode")
    for env, different in ((always, 2), (once, 1)):
        env.reset(seed=0)
        assert len({env.step(0)[0].tobytes() for _ in range(20)}) == different
    for actions in (None, (1, 0)):
        env, moves = RandomFlip(make_spot(), actions), set()
        for seed in range(20):
            mirrored = bool(env.reset(seed=seed)[0][0, 0, 0] != env.unwrapped.world.observe(env.unwrapped.state)[0, 0, 0])
            moves.add((mirrored, env.step(1)[1]))
        assert moves == {(False, 1.0), (True, 1.0 if actions is None else 0.0)}


def test_the_same_seed_gives_the_same_images():
    runs = []
    for _ in range(2):
        env = FORMS["all"](gym.make("test/Spot-v0"))
        runs.append([env.reset(seed=5)[0], *(env.step(1)[0] for _ in range(5))])
    assert np.array_equal(*runs)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: RandomShift(gym.make("CartPole-v1")), "RandomShift needs images or boards"),
        (lambda: RandomShift(gym.make("FrozenLake-v1")), "RandomShift needs observations in a Box"),
        (lambda: RandomShift(Pictures(), 0), "pixels must be a whole number of at least 1"),
        (lambda: Occlude(Pictures(), 1.5), "share must be between 0 and 1"),
        (lambda: Occlude(Pictures(), place="middle"), "place must be one of 'random', 'center'"),
        (lambda: Occlude(Pictures(), value=-1), "value must lie within the observations"),
        (lambda: Occlude(Pictures(), per="step"), "per must be 'observation' or 'episode'"),
        (lambda: Tint(Pictures((4, 4, 2))), "Tint needs images of bytes"),
        (lambda: Tint(Pictures((4, 4, 3), np.float32)), "Tint needs images of bytes"),
        (lambda: RandomFlip(gym.make("CartPole-v1")), "RandomFlip needs images or boards"),
        (lambda: RandomFlip(gym.make("Pendulum-v1")), "RandomFlip needs Discrete actions"),
        (lambda: RandomFlip(Pictures(), (0, 2)), r"actions must be an order of 0\.\.1"),
        (lambda: Tint(Pictures(), 2.0), "strength must be between 0 and 1"),
        (lambda: RandomShift(Pictures()).around(cliff_walk()), "a tuple of floats"),
    ],
)
def test_what_cannot_be_augmented_is_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
