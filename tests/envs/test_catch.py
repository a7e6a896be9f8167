"""PixelCatch: its rules by enumeration, its images, its themes, its speeds."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from pixel_worlds import two_speeds_agree

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import PixelCatch, catch_themes, pixel_catch

GAME = pixel_catch()
STARTS = [(float(column), 0.0, 2.0, 0.0) for column in range(5)]


def mean_return(choose):
    """The exact mean return where an action's value is combined by `choose`: `max` for the optimum, the mean for a random policy."""

    @functools.cache
    def value(state):
        outcomes = [GAME.step(state, action, None) for action in range(3)]
        return choose([reward if over else value(after) for after, reward, over, _ in outcomes])

    return np.mean([value(start) for start in STARTS])


def test_a_random_policy_has_exactly_minus_0_6_and_the_optimum_is_1():
    assert mean_return(np.mean) == pytest.approx(-0.6, abs=1e-12)
    assert mean_return(max) == 1.0
    assert mean_return(min) == -1.0


def test_episodes_begin_in_every_column_alike_and_last_nine_steps():
    envs = WorldVectorEnv(GAME, 5000)
    envs.reset(seed=0)
    assert np.bincount(envs.states[:, 0].astype(int)) == pytest.approx(1000, abs=150)
    assert set(map(tuple, envs.states)) == set(STARTS)
    for step in range(1, 10):
        _, rewards, terminated, truncated, _ = envs.step(np.ones(5000, int))
        assert terminated.all() == (step == 9)
        assert not truncated.any()
        assert (rewards != 0).all() == (step == 9)
    assert rewards.mean() == pytest.approx(-0.6, abs=0.05), "the middle column alone is caught"


@pytest.mark.parametrize("size", [10, 28, 32, 84])
def test_the_image_is_the_board_enlarged_by_its_nearest_cell(size):
    game = pixel_catch(size=size)
    for state in [(3.0, 4.0, 1.0, 0.0), (0.0, 0.0, 4.0, 0.0), (2.0, 9.0, 2.0, 0.0)]:
        board = np.zeros((10, 5), np.uint8)
        board[int(state[1]), int(state[0])] = board[9, int(state[2])] = 255
        rows, columns = np.arange(size) * 10 // size, np.arange(size) * 5 // size
        assert np.array_equal(game.observe(state)[:, :, 0], board[rows][:, columns])


def test_a_theme_is_drawn_at_each_reset_and_stays_for_the_episode():
    game = pixel_catch(themes=4, seed=3)
    envs = WorldVectorEnv(game, 4000)
    images, _ = envs.reset(seed=0)
    themes = envs.states[:, 3].astype(int)
    assert np.bincount(themes) == pytest.approx(1000, abs=150)
    for image, state in zip(images[:50], envs.states[:50], strict=True):
        assert (image == game.backgrounds[int(state[3])]).mean() > 0.9
    envs.step(np.zeros(4000, int))
    assert np.array_equal(envs.states[:, 3], themes)


@pytest.mark.parametrize("channels", [1, 3])
def test_themes_differ_by_seed_and_ball_and_paddle_stand_out(channels):
    backgrounds, shades = catch_themes(10, seed=0, channels=channels)
    assert np.array_equal(catch_themes(3, seed=0, channels=channels)[0], backgrounds[:3])
    others = catch_themes(100, seed=1, channels=channels)[0]
    assert not any(np.array_equal(mine, other) for mine in backgrounds for other in others)
    gap = np.abs(backgrounds.astype(int)[:, None] - shades.astype(int)[:, :, None, None])
    assert gap.min() >= 60


def test_in_colour_it_has_the_observation_space_of_a_small_photograph():
    game = pixel_catch(themes=2, size=32, channels=3)
    assert game.observation_space == gym.spaces.Box(0, 255, (32, 32, 3), np.uint8)
    assert game.observation_space.contains(game.observe((1.0, 2.0, 3.0, 1.0)))


@pytest.mark.parametrize("game", [GAME, pixel_catch(themes=3, size=32, channels=3)], ids=["plain", "colour"])
def test_both_speeds_agree_to_the_bit(game):
    assert two_speeds_agree(game)


def test_its_text_is_the_board():
    env = gym.make("rlcourse/PixelCatch-v0", render_mode="ansi")
    env.reset(seed=0, options={"state": (4.0, 0.0, 2.0, 0.0)})
    env.step(0)
    assert env.render() == ". . . . .\n. . . . o\n" + 7 * ". . . . .\n" + ". = . . .\n"


@pytest.mark.parametrize(("options", "word"), [({"themes": -1}, "themes"), ({"size": 9}, "size"), ({"channels": 2}, "channels")])
def test_a_game_that_cannot_be_is_refused(options, word):
    with pytest.raises(ValueError, match=f"^{word} must be"):
        pixel_catch(**options)


def test_the_name_of_the_world_is_public():
    assert isinstance(GAME, PixelCatch)
