"""The encoders that are halves of autoencoders, and their decoders."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlcourse import encoders
from rlcourse.encoders.autoencoders import ConvolutionalDecoder, DenseDecoder, halved

DIGITS = spaces.Box(0, 255, (28, 28, 1), np.uint8)


def weights(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "parameters", "code"),
    [
        ("ae-dense", 784 * 32 + 32, 32),
        ("ae-conv", 1_904, 4 * 4 * 8),
        ("ae-denoising", 14_192, 4 * 4 * 16),
        ("ae-sparse", 64 * 25 + 25, 900),
    ],
)
def test_sizes_are_those_of_the_notes(name, parameters, code):
    encoder = encoders.make(name, DIGITS)
    assert weights(encoder) == parameters
    assert encoder.features_dim == code
    assert encoders.make(name, DIGITS, 10)(torch.zeros(2, 28, 28, 1, dtype=torch.uint8)).shape == (2, 10)


def test_decoders_have_the_layers_of_the_notes():
    assert weights(DenseDecoder(32, 784)) == 32 * 784 + 784
    conv = ConvolutionalDecoder(128, (1, 28, 28))
    assert weights(conv) == sum(9 * i * o + o for i, o in [(8, 8), (8, 8), (8, 16), (16, 1)])
    assert halved(28, 28) == [(28, 28), (14, 14), (7, 7), (4, 4)]
    assert ConvolutionalDecoder(50, (3, 10, 13))(torch.zeros(2, 50)).shape == (2, 3, 10, 13), "another code goes through a linear layer"


@pytest.mark.parametrize("name", ["ae-dense", "ae-sparse"])
@pytest.mark.parametrize("shape", [(84, 84, 4), (32, 32, 3), (10, 10, 4), (7, 9, 3), (4, 36, 36), (20, 20)])
def test_other_sizes_and_channels_go_through_too(name, shape):
    space = spaces.Box(0, 255, shape, np.uint8)
    encoder = encoders.make(name, space)
    images = torch.randint(0, 256, (3, *shape), dtype=torch.uint8)
    assert encoder(images).shape == (3, encoder.features_dim)
    if len(shape) == 3:
        torch.testing.assert_close(encoder(images), encoder(images / 255))


def test_a_dense_code_takes_vectors_and_numbers_too():
    assert encoders.make("ae-dense", spaces.Discrete(5))(torch.tensor([1, 2])).shape == (2, 32)
    assert encoders.make("ae-dense:3", spaces.Box(-1, 1, (4,)))(torch.zeros(2, 4)).shape == (2, 3)


def test_the_sparse_code_is_the_hidden_units_of_each_patch_and_the_maximum_of_four_places():
    encoder = encoders.make("ae-sparse", spaces.Box(0, 1, (9, 9, 1), np.float32))
    images = torch.rand(2, 9, 9, 1)
    units = []
    for y, x in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        patch = images[:, y : y + 8, x : x + 8, 0].flatten(1)
        patch = patch - patch.mean(1, keepdim=True)
        units.append(torch.sigmoid(encoder.linear(patch.clamp(-0.75, 0.75) * 0.4 / 0.75 + 0.5)))
    torch.testing.assert_close(encoder(images), torch.stack(units).amax(0))
