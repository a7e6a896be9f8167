"""Observations of several parts as vectors."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from rlcourse.core.packing import Packed, characters, packed, parts
from rlcourse.core.spaces import describe, short

IMAGE = spaces.Box(0, 255, (5, 4, 3), np.uint8)
COMPOSITE = {
    "dict": spaces.Dict({"goal": spaces.Discrete(4, start=-3), "camera": IMAGE, "speed": spaces.Box(-2, 2, (), np.float64)}),
    "tuple": spaces.Tuple((spaces.MultiBinary((2, 3)), spaces.MultiDiscrete([[2, 3], [4, 5]], start=[[1, 0], [0, -1]]))),
    "nested": spaces.Dict({"a": spaces.Tuple((spaces.Discrete(3), spaces.Dict({"b": IMAGE, "c": spaces.Text(6)}))), "z": spaces.Dict({})}),
    "empty first": spaces.Tuple((spaces.Dict({}), spaces.Discrete(3))),
    "text": spaces.Text(5, charset="abc"),
    "choice": spaces.OneOf((spaces.Discrete(3, start=7), spaces.Box(1, 2, (2,)), spaces.Text(2))),
    "choice within": spaces.Dict(
        {"what": spaces.OneOf((spaces.Discrete(3), spaces.Tuple((spaces.Discrete(2), IMAGE)))), "n": spaces.Discrete(2)}
    ),
}


class Sampled(gym.Env):
    action_space = spaces.Discrete(2)

    def __init__(self, space):
        self.observation_space = space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 0.0, False, False, {}


def at(observation, path):
    """Return the part of an observation below a path."""
    for key in path:
        observation = observation[key if isinstance(observation, dict) else int(key)]
    return observation


def assert_alike(a, b):
    """Raise where two observations, or two batches, differ in their parts, types or numbers."""
    if isinstance(b, dict | tuple):
        assert type(a) is type(b)
        assert len(a) == len(b)
        for key in b if isinstance(b, dict) else range(len(b)):
            assert_alike(a[key], b[key])
    elif isinstance(b, str):
        assert a == b
    else:
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-6, strict=True)


@pytest.mark.parametrize("space", COMPOSITE.values(), ids=COMPOSITE)
def test_what_is_packed_is_unpacked_again(space):
    space.seed(0)
    for _ in range(20):
        packing, observation = packed(space), space.sample()
        found = packing.unpack(packing.pack(observation))
        assert space.contains(found)
        assert np.array_equal(packing.pack(found), packing.pack(observation))


@pytest.mark.parametrize("name", COMPOSITE)
def test_a_batch_of_a_vectorised_environment_is_its_observations_one_by_one(name):
    space = COMPOSITE[name]
    vectors = packed(space)
    copies = gym.vector.SyncVectorEnv([lambda: Sampled(space) for _ in range(4)], autoreset_mode=gym.vector.AutoresetMode.SAME_STEP)
    batch, _ = copies.reset(seed=3)
    alone = [Sampled(space).reset(seed=3 + i)[0] for i in range(4)]
    expected = np.stack([vectors.pack(observation) for observation in alone])
    np.testing.assert_array_equal(vectors.pack_batch(batch), expected)
    unpacked = vectors.unpack_batch(expected)
    np.testing.assert_array_equal(vectors.pack_batch(unpacked), expected)
    assert_alike(unpacked, batch)
    assert vectors.is_batch(batch)
    assert not any(vectors.is_batch(observation) for observation in alone)
    assert all(row in vectors or "choice" in name for row in expected)
    assert expected.dtype == vectors.dtype == np.float32


@pytest.mark.parametrize("name", ["dict", "tuple", "nested"])
def test_every_part_is_where_it_is_said_to_be(name):
    space = COMPOSITE[name]
    space.seed(1)
    observation = space.sample()
    vector = packed(space).pack(observation)
    assert packed(space).parts[-1].stop == len(vector)
    for part in packed(space).parts:
        if not isinstance(part.space, spaces.Text):
            np.testing.assert_allclose(vector[part.start : part.stop], np.ravel(at(observation, part.path)), rtol=1e-6)


def test_a_text_is_a_number_for_each_character_padded_and_with_one_for_the_unknown():
    text = spaces.Text(5, charset="cab")
    vectors = packed(text)
    assert vectors.pack("abc").tolist() == [1, 2, 3, 0, 0]
    assert vectors.pack_batch(("", "c?abca")).tolist() == [[0] * 5, [3, 4, 1, 2, 3]]
    assert characters(text) == 5
    assert vectors.high.tolist() == [4] * 5


def test_of_a_choice_the_others_are_blank():
    vectors = packed(spaces.OneOf((spaces.Discrete(3, start=7), spaces.Box(1, 2, (2,)), spaces.Text(2, charset="ab"))))
    assert [part.path for part in vectors.parts] == [("index",), ("0",), ("1",), ("2",)]
    assert vectors.pack((0, 9)).tolist() == [0, 9, 0, 0, 0, 0]
    assert vectors.pack((1, np.array([1.5, 2]))).tolist() == [1, 7, 1.5, 2, 0, 0]
    assert vectors.pack_batch(((2, "b"), (0, 8))).tolist() == [[2, 7, 0, 0, 2, 0], [0, 8, 0, 0, 0, 0]]


def test_where_there_is_one_array_nothing_is_packed():
    for space in (IMAGE, spaces.Discrete(3), spaces.MultiBinary(2), spaces.MultiDiscrete([2, 3]), packed(COMPOSITE["dict"])):
        assert packed(space) is None
        assert [part.path for part in parts(space)] == [()]


def test_what_has_no_fixed_size_is_refused_in_one_sentence():
    graph, sequence = spaces.Graph(IMAGE, None), spaces.Sequence(spaces.Discrete(3))
    for space in (graph, sequence):
        with pytest.raises(ValueError, match=r"an observation of .* has no fixed size, .*TransformObservation"):
            packed(space)
    with pytest.raises(ValueError, match=r"the part 'bag.0' of an observation, .* has no fixed size"):
        packed(spaces.Dict({"bag": spaces.Tuple((sequence,))}))
    for space, why in [
        (gym.Space((3,)), "cannot be read"),
        (spaces.Dict({}), "nothing to see"),
        (spaces.Tuple((spaces.Discrete(2**25),)), "float32"),
    ]:
        with pytest.raises(ValueError, match=why):
            packed(space)


def test_spaces_are_equal_where_their_originals_are():
    one, other = (spaces.Dict({"a": spaces.Text(3), "b": spaces.Discrete(n)}) for n in (2, 3))
    assert packed(one) == Packed(one)
    assert packed(one) != packed(other)
    assert describe(packed(one)) == {"type": "Packed", "space": describe(one)}
    assert describe(packed(one)) != describe(packed(other))
    assert describe(spaces.Text(3, charset="ab")) != describe(spaces.Text(3, charset="ac"))


def test_a_space_fits_into_a_sentence_whatever_its_bounds():
    bounds = np.arange(147, dtype=np.uint8).reshape(7, 7, 3)
    both = spaces.Tuple((spaces.Discrete(2), spaces.Text(5)))
    image = spaces.Box(np.zeros_like(bounds), bounds, dtype=np.uint8)
    space = spaces.Dict({"both": both, "image": image, "mission": spaces.MultiDiscrete([9] * 200)})
    words = "Dict(both: Tuple(Discrete(2), Text(5)), image: Box(0, 146, (7, 7, 3), uint8), mission: MultiDiscrete(9, (200,)))"
    assert short(space) == short(Packed(space)) == words
    assert short(spaces.Box(-np.inf, 1.5, ())) == "Box(-inf, 1.5, (), float32)"
    assert short(spaces.Box(0, 1, (0,))).startswith("Box(")
    assert short(spaces.MultiDiscrete([3, 4])) == "MultiDiscrete([3 4])"
