"""The encoder of images whose cells hold numbers of things."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlcourse import encoders
from rlcourse.encoders.categorical import Categories, categorical

HIGH = np.broadcast_to(np.array([10, 5, 3], np.uint8), (7, 8, 3))
LAST, FIRST, BYTES = (
    spaces.Box(0, HIGH, dtype=np.uint8),
    spaces.Box(0, HIGH.transpose(2, 0, 1), dtype=np.uint8),
    spaces.Box(0, 255, (7, 8, 3), np.uint8),
)


def images(count=4):
    return torch.as_tensor(np.random.default_rng(0).integers(0, [11, 6, 4], (count, 7, 8, 3)).astype(np.uint8))


def test_a_cell_is_the_sum_of_the_vectors_of_what_it_holds():
    front, seen = Categories(LAST), images()
    assert front.table.weight.shape == (11 + 6 + 4, 16)
    out = front(seen)
    assert out.shape == (4, front.channels, 7, 8)
    kind, colour, state = seen[2, 5, 6].tolist()
    table = front.table.weight
    torch.testing.assert_close(out[2, :, 5, 6], table[kind] + table[11 + colour] + table[17 + state])


def test_channels_are_found_first_or_last_and_as_stable_baselines3_hands_them_over():
    first, last, plain = (encoders.make("minigrid", space) for space in (FIRST, LAST, BYTES))
    first.load_state_dict(last.state_dict())
    torch.testing.assert_close(first(images().permute(0, 3, 1, 2)), last(images()))
    torch.testing.assert_close(last(images().float()), last(images()))
    torch.testing.assert_close(plain(images().permute(0, 3, 1, 2).float() / 255.0), plain(images()))
    assert plain.images.table.weight.shape == (3 * 256, 16)


def test_auto_takes_it_where_the_bounds_say_so():
    assert [categorical(space) for space in (LAST, FIRST, BYTES, spaces.Box(0, 1, (7, 7, 3), np.uint8))] == [True, True, False, False]
    assert type(encoders.make("auto", LAST)).__name__ == "MiniGrid"
    assert type(encoders.make("auto", BYTES)).__name__ == "MinAtar"


def test_what_holds_no_categories_has_a_sentence():
    for space in (
        spaces.Box(0, 1, (7, 7, 3)),
        spaces.Box(0, 255, (7, 7), np.uint8),
        spaces.Discrete(3),
    ):
        with pytest.raises(ValueError, match="images of categories, a Box of bytes and three axes"):
            encoders.make("minigrid", space)
