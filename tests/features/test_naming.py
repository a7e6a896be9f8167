"""Features by name: each name makes what it says, and each wrong text is one sentence that helps."""

import math

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from rlcourse import features
from rlcourse.agents import SemiGradientSarsa
from rlcourse.cli.settings import settings_of_agent
from rlcourse.features import (
    Aggregation,
    Bias,
    CoarseCoding,
    Fourier,
    HashedTiles,
    OneHot,
    Polynomial,
    RadialBasis,
    Squashed,
    Stacked,
    Tiles,
    Vector,
    make,
)

PLANE = Box(np.array([-1, 0], np.float32), np.array([1, 3], np.float32))
OPEN = gym.make("CartPole-v1").observation_space
LINE = Box(-math.inf, math.inf, (6,))


@pytest.mark.parametrize(
    ("text", "space", "kind", "size"),
    [
        ("auto", Discrete(7), OneHot, 7),
        ("auto", MultiDiscrete([2, 3]), OneHot, 6),
        ("auto", PLANE, Tiles, 8 * 81),
        ("auto", OPEN, Squashed, 8 * 9**4),
        ("auto", LINE, Vector, 7),
        ("one-hot", Discrete(7, start=3), OneHot, 7),
        ("bias", PLANE, Bias, 1),
        ("vector", PLANE, Vector, 3),
        ("aggregate:10", Discrete(1000), Aggregation, 10),
        ("aggregate:10", PLANE, Aggregation, 100),
        ("aggregate:10,4", PLANE, Aggregation, 40),
        ("tiles", PLANE, Tiles, 8 * 81),
        ("tiles:4x5", PLANE, Tiles, 4 * 36),
        ("tiles:4x5,6w", PLANE, Tiles, 4 * 6 * 6),
        ("tiles:16x10", Discrete(1000), Tiles, 16 * 11),
        ("hashed:8x8:512", PLANE, HashedTiles, 512),
        ("hashed", PLANE, HashedTiles, 4096),
        ("poly:5", PLANE, Polynomial, 36),
        ("fourier:3", PLANE, Fourier, 16),
        ("fourier:3:scaled", PLANE, Fourier, 16),
        ("rbf:5", PLANE, RadialBasis, 25),
        ("rbf:5,4:0.3:normalised", PLANE, RadialBasis, 20),
        ("coarse:6:0.4", PLANE, CoarseCoding, 36),
        ("bias+tiles:2x2+poly:1", PLANE, Stacked, 1 + 18 + 4),
        ("tiles:8x8@-2.4:2.4,-3:3,-0.21:0.21,-3.5:3.5", OPEN, Tiles, 8 * 9**4),
        ("fourier:1@,-1e+1:1e+1,,~2", OPEN, Squashed, 16),
    ],
)
def test_each_name_makes_what_it_says(text, space, kind, size):
    made = make(text, space)
    assert type(made) is kind
    assert made.size == size
    state = 0 if not isinstance(space, Box) else np.zeros(space.shape)
    x = made.x(state)
    assert len(x) == size if x.dtype == np.float64 else x.max() < size


def test_ranges_narrow_coordinates_and_an_empty_one_is_that_of_the_space():
    made = make("tiles:8x4@,1:2", PLANE)
    assert made.low.tolist() == [-1, 1]
    assert made.high.tolist() == [1, 2]


def test_a_wave_stands_for_the_whole_line():
    made = make("fourier:1@~2", Box(-math.inf, math.inf, (1,)))
    np.testing.assert_allclose(made.x((0.0,)), [1, math.cos(math.pi / 2)], atol=1e-15)
    np.testing.assert_allclose(made.x((2.0,)), [1, math.cos(math.pi * 0.75)])
    np.testing.assert_allclose(made.x((-1e9,)), [1, 1])


@pytest.mark.parametrize(
    ("text", "space", "message"),
    [
        ("tile:8x8", PLANE, "unknown 'tile'; did you mean 'tiles'"),
        ("furier:3", PLANE, "did you mean 'fourier'"),
        ("", PLANE, "unknown ''; known are aggregate, auto"),
        ("tiles:8", PLANE, "'8' is not tilings x tiles; write it like tiles:8x8"),
        ("tiles:8x8:3", PLANE, "takes one argument"),
        ("tiles:8x8,8,8", PLANE, "one for each of 2 coordinates"),
        ("tiles:0x8", PLANE, r"tilings must be a whole number in \[1, inf\), not 0"),
        ("hashed:8x8:4096:3", PLANE, "write it like hashed:8x8:4096"),
        ("poly:three", PLANE, "'three' is no whole number; write it like poly:3"),
        ("poly:-1", PLANE, r"order must be a whole number in \[0, inf\), not -1"),
        ("rbf:5:wide", PLANE, "'wide' is no number"),
        ("coarse:5:0", PLANE, "radius must be positive"),
        ("one-hot", PLANE, "needs finite observations"),
        ("one-hot:5", Discrete(3), "takes no numbers"),
        ("auto:5", Discrete(3), "takes no numbers"),
        ("tiles:8x8", OPEN, r"coordinate 1 of Box.* has no bounds: give ranges, such as tiles:8x8@,-3:3,,-3:3, or ~ to squash"),
        ("tiles:8x8@-1:1", PLANE, "1 ranges after '@', and Box.* has 2 coordinates"),
        ("tiles:8x8@1:-1,", PLANE, "low < high"),
        ("tiles:8x8@1,2", PLANE, "a range is written low:high"),
        ("tiles:8x8@a:1,", PLANE, "'a' is no number"),
        ("tiles:8x8@-inf:1,", PLANE, "'-inf' is no finite number"),
        ("tiles:8x8@~0,", PLANE, "must be positive"),
        ("aggregate:10", Discrete(5), "groups must be between 1 and the number of states, 5"),
        ("vector", Box(0, 1, (4, 4)), "linear agents take finite observations or vectors"),
    ],
)
def test_each_wrong_text_is_one_sentence_that_helps(text, space, message):
    with pytest.raises(ValueError, match=message) as caught:
        make(text, space)
    assert str(caught.value).startswith("features")
    assert "\n" not in str(caught.value)


def test_every_name_has_an_example_that_works():
    for name, text in features.names().items():
        example = text.split(": ")[0]
        if name == "table":  # needs its file, see tests/features/test_state_vectors.py
            continue
        make(example, Discrete(12) if name in ("one-hot",) else PLANE)
        assert example.startswith(name)


def test_sarsa_holds_the_pole_up_with_automatic_features():
    """Random play lasts 22 steps; the last 100 of 400 episodes had means of 110 to 500 with seeds 0 to 9."""
    agent = SemiGradientSarsa("CartPole-v1", alpha=0.5 / 8, epsilon=0.05, seed=1).learn(episodes=400)
    assert np.mean([row["return"] for row in agent.history][-100:]) > 100


@pytest.mark.parametrize("name", ["SemiGradientSarsa", "SemiGradientTD0"])
def test_the_command_line_says_how_features_are_written(name):
    comments = {setting.name: setting.comment for setting in settings_of_agent(name)}
    assert "tiles:8x8" in comments["features"]
    assert all(comments.values())
