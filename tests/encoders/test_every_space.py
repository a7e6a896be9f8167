"""Every space and every size: an encoder builds, learns a step, and is the same after a file."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from safetensors.torch import load, save

from rlcourse import encoders
from rlcourse.core.packing import packed

WORDS = spaces.Text(6, charset="abc ")
KINDS = {
    "vector": spaces.Box(-1, 1, (3,)),
    "one number": spaces.Box(-1, 1, ()),
    "matrix": spaces.Box(-1, 1, (3, 4), np.float64),
    "four axes": spaces.Box(0, 9, (2, 3, 4, 5), np.int32),
    "discrete": spaces.Discrete(5, start=-2),
    "multi-discrete": spaces.MultiDiscrete([3, 4], start=[1, 0]),
    "table of discrete": spaces.MultiDiscrete([[3, 4], [1, 2]]),
    "multi-binary": spaces.MultiBinary(6),
    "table of binary": spaces.MultiBinary((2, 3)),
    "text": WORDS,
    "dict": spaces.Dict({"image": spaces.Box(0, 255, (8, 8, 3), np.uint8), "number": spaces.Discrete(3), "words": WORDS}),
    "tuple": spaces.Tuple((spaces.MultiBinary(2), spaces.Dict({"a": spaces.MultiDiscrete([2, 2])}), spaces.Box(0, 1, (10, 10, 4), bool))),
    "one of": spaces.OneOf((spaces.Discrete(3), spaces.Box(-1, 1, (2,)), WORDS)),
}
ODD = [(7, 19, 3), (5, 5, 1), (40, 9, 2), (3, 11, 8), (210, 160, 3), (12, 12, 17), (64, 7, 1), (1, 7, 7), (13, 29), (4, 36, 36)]
NETWORKS = [name for name, serves in encoders.names().items() if "images and boards" in serves]


def batch(space, count=6):
    """Return a batch as an agent's network gets it."""
    space.seed(1)
    observations = [space.sample() for _ in range(count)]
    vectors = packed(space)
    return torch.as_tensor(np.stack([np.asarray(each) if vectors is None else vectors.pack(each) for each in observations]))


def learns_and_keeps(name, space):
    """Build, take a step of an optimiser under a linear head, save, load and compare."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder, observations = encoders.make(name, packed(space) or space), batch(space)
        head = torch.nn.Linear(encoder.features_dim, 2)
        network = torch.nn.Sequential(encoder, head)
        before = {key: part.clone() for key, part in network.state_dict().items()}
        optimiser = torch.optim.Adam(network.parameters(), 1e-2)
        (network(observations) - torch.arange(2.0)).square().mean().backward()
        optimiser.step()
        changed = [key for key, part in network.named_parameters() if not torch.equal(before[key], part)]
        assert len(changed) >= 0.7 * len(list(network.parameters())), changed  # a unit that is off on these has no gradient
        encoder.eval()
        features = encoder(observations)
        assert features.shape == (len(observations), encoder.features_dim)
        assert features.dtype == torch.float32
        other = encoders.make(name, packed(space) or space).eval()
        other.load_state_dict(load(save({key: part.contiguous() for key, part in encoder.state_dict().items()})))
        assert torch.equal(other(observations), features)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_space(name):
    learns_and_keeps("auto", KINDS[name])


@pytest.mark.parametrize("side", range(7, 37))
def test_every_size_of_image(side):
    learns_and_keeps("auto", spaces.Box(0, 255, (side, side, 3), np.uint8))


@pytest.mark.parametrize("shape", ODD, ids=str)
def test_images_of_odd_shapes(shape):
    learns_and_keeps("auto", spaces.Box(0, 255, shape, np.uint8))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("side", [7, 8, 13, 20, 27, 36])
def test_every_network_at_many_sizes(name, side):
    space = spaces.Box(0, 255, (side, side + 1, 1 + side % 4), np.uint8)
    if name == "dcgan-d":
        name = f"{name}:8"  # its own features are tens of thousands
    learns_and_keeps(name, space)


def test_what_has_no_fixed_size_is_refused():
    for space in (spaces.Sequence(spaces.Discrete(3)), spaces.Graph(spaces.Discrete(3), None)):
        with pytest.raises(ValueError, match="has no fixed size, which networks need"):
            encoders.make("auto", spaces.Dict({"bag": space}))
        with pytest.raises(ValueError, match="has no fixed size, which networks need"):
            encoders.make("auto", space)
