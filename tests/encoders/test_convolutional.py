"""The convolutional encoders: sizes of the published networks, how images come in, and normalisation."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlcourse import encoders
from rlcourse.encoders.images import Images, image_size
from rlcourse.encoders.notes_networks import NotesCIFAR
from rlcourse.encoders.standard_networks import MinAtar

NAMES = [name for name, serves in encoders.names().items() if serves.startswith("images") and name != "ae-sparse"]
OWN_NORM = ("notes-cifar-bn", "dcgan-d", "dcgan-svhn-d")
SIZES = [  # network, image, parameters, outputs of its last layer, parameters with that layer
    ("notes-mnist", (28, 28, 1), 240_772, 10, 242_062),
    ("notes-mnist", (10, 10, 4), 34_612, 0, 34_612),
    ("notes-mnist", (84, 84, 4), 2_048_308, 0, 2_048_308),
    ("notes-cifar", (32, 32, 3), 4_199_424, 10, 4_201_994),
    ("notes-cifar-bn", (24, 24, 3), 730_432, 10, 731_722),
    ("deep-mnist", (28, 28, 1), 3_264_384, 1, 3_265_409),
    ("dcgan-d", (28, 28, 3), 1_849_984, 1, 1_875_073),
    ("dcgan-svhn-d", (32, 32, 3), 1_030_016, 1, 1_034_113),
    ("lenet5", (32, 32, 1), 60_856, 0, 60_856),
    ("lenet5", (28, 28, 1), 60_856, 0, 60_856),
    ("nature", (84, 84, 4), 1_684_128, 0, 1_684_128),
    ("impala", (64, 64, 3), 622_144, 0, 622_144),
    ("minatar", (10, 10, 4), 131_792, 0, 131_792),
    ("torch-ac", (7, 7, 3), 10_544, 0, 10_544),
]


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def pictures(*shape: int) -> spaces.Box:
    return spaces.Box(0, 255, shape, np.uint8)


def weights(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("name", "shape", "trunk", "outputs", "whole"), SIZES)
def test_a_network_has_the_parameters_of_the_published_one(name, shape, trunk, outputs, whole):
    encoder = encoders.make(name, pictures(*shape))
    assert weights(encoder) == trunk
    assert trunk + (encoder.features_dim + 1) * outputs * (outputs > 0) == whole


def test_a_pattern_has_its_layers():
    encoder = encoders.make("cs231n:2,2,1", pictures(8, 8, 3))
    kinds = [type(layer).__name__ for layer in encoder.convolutions]
    assert kinds == (["Conv2d", "ReLU"] * 2 + ["MaxPool2d"]) * 2 + ["Flatten"]
    convolutions = sum(9 * i * o + o for i, o in [(3, 32), (32, 32), (32, 64), (64, 64)])
    assert weights(encoder) == convolutions + (64 * 2 * 2 + 1) * 128
    assert encoders.make("cs231n:1,1,0", pictures(8, 8, 3)).features_dim == 32 * 4 * 4
    assert encoders.make("cs231n:1,1,2,16", pictures(8, 8, 3)).features_dim == 16
    for wrong in ("cs231n:4,1,1", "cs231n:1,0,1", "cs231n:1,1,3", "cs231n:2,2", "cs231n:1,4,1"):
        with pytest.raises(ValueError, match="cs231n"):
            encoders.make(wrong, pictures(8, 8, 3))


def test_what_is_too_small_for_a_network_is_refused():
    for name, side in [("nature", 35), ("torch-ac", 6), ("cs231n:1,4,1", 15), ("notes-mnist", 3)]:
        encoders.make(name, pictures(side + 1, side + 1, 3))
        with pytest.raises(ValueError, match=f"at least {side + 1} x {side + 1} pixels"):
            encoders.make(name, pictures(side, 50, 3))


def test_the_channels_of_a_pixel_are_neighbours_in_memory_whatever_comes_in():
    for shape in ((28, 28, 1), (28, 28), (1, 28, 28), (8, 9, 3), (3, 9, 8)):
        images = torch.zeros(2, *shape, dtype=torch.uint8)
        for x in (images, images.float()):
            seen = Images(pictures(*shape))(x)
            assert torch.nn.functional.conv2d(seen, torch.zeros(4, seen.shape[1], 3, 3)).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("norm", ["bn", "ln"])
def test_normalisation_is_of_every_layer_before_its_activation(name, norm):
    if name in OWN_NORM:
        with pytest.raises(ValueError, match="its own batch normalisation"):
            encoders.make(f"{name}+{norm}", pictures(36, 36, 3))
        return
    encoder = encoders.make(f"{name}+{norm}", pictures(36, 36, 3), 8)
    layers = sum(isinstance(part, torch.nn.Conv2d | torch.nn.Linear) for part in encoder.modules())
    kinds = {"bn": torch.nn.BatchNorm2d | torch.nn.BatchNorm1d, "ln": torch.nn.GroupNorm | torch.nn.LayerNorm}[norm]
    assert sum(isinstance(part, kinds) for part in encoder.modules()) == layers
    assert all(part.num_batches_tracked == 0 for part in encoder.modules() if hasattr(part, "num_batches_tracked"))
    images = torch.randint(0, 256, (4, 36, 36, 3), dtype=torch.uint8)
    alone = torch.cat([encoder.eval()(image[None]) for image in images])
    torch.testing.assert_close(encoder(images), alone)
    assert torch.allclose(encoder.train()(images), alone, atol=1e-5) == (norm == "ln")


def test_an_mlp_has_them_too_and_a_table_has_not():
    space = spaces.Box(-1, 1, (3,), np.float32)
    assert weights(encoders.make("mlp:5+ln", space)) == (3 * 64 + 64 + 2 * 64) + (64 * 5 + 5 + 2 * 5)
    assert weights(encoders.make("mlp:5+bn", space)) == (3 * 64 + 2 * 64) + (64 * 5 + 2 * 5)
    for name, numbers in [("embedding", spaces.Discrete(4)), ("flatten", space)]:
        with pytest.raises(ValueError, match="no layers to normalise"):
            encoders.make(f"{name}+ln", numbers)
    with pytest.raises(ValueError, match="after the plus comes 'bn'"):
        encoders.make("mlp+brn", space)


def test_axes_are_read_from_the_shape():
    shapes = {
        (28, 28, 1): (28, 28, 1),
        (1, 28, 28): (28, 28, 1),
        (28, 28): (28, 28, 1),
        (10, 10, 10): (10, 10, 10),
        (7, 7, 20): (7, 7, 20),
        (210, 160, 3): (210, 160, 3),
        (3, 210, 160): (210, 160, 3),
        (4, 7, 9): (7, 9, 4),
    }
    assert {shape: image_size(pictures(*shape)) for shape in shapes} == shapes
    assert image_size(spaces.Box(0, 1, (28, 28))) is None, "two axes of floats are no image"
    assert image_size(spaces.Discrete(3)) is None


def test_the_same_image_is_seen_first_or_last_whole_or_divided_grey_or_not():
    image = torch.randint(0, 256, (2, 7, 8, 3), dtype=torch.uint8)
    seen = Images(pictures(7, 8, 3))(image)
    torch.testing.assert_close(seen, image.permute(0, 3, 1, 2) / 255)
    torch.testing.assert_close(Images(pictures(7, 8, 3))(image / 255), seen)
    torch.testing.assert_close(Images(pictures(3, 7, 8))(image.permute(0, 3, 1, 2)), seen)
    grey = image[..., 0]
    for space in (pictures(7, 8), pictures(7, 8, 1), pictures(1, 7, 8)):
        torch.testing.assert_close(Images(space)(grey.reshape(2, *space.shape)), seen[:, :1])
    torch.testing.assert_close(Images(pictures(7, 8))(grey.float()), seen[:, :1])  # stable-baselines3 does not divide two axes


def test_a_board_of_zeros_and_ones_is_not_divided():
    board = torch.randint(0, 2, (2, 10, 10, 4), dtype=torch.uint8)
    for space in (spaces.Box(0, 1, (10, 10, 4), np.uint8), spaces.Box(0, 1, (10, 10, 4), bool)):
        encoder = MinAtar(space)
        torch.testing.assert_close(encoder(board), encoder(board.float()))
        torch.testing.assert_close(encoder(board.bool()), encoder(board.float()))


def test_dropout_drops_in_training_and_only_then():
    image = torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8)
    for encoder in (NotesCIFAR(pictures(8, 8, 3), 32, dropout=0.5), encoders.make("dcgan-d", pictures(8, 8, 3))):
        assert not torch.equal(encoder.train()(image), encoder(image))
        assert torch.equal(encoder.eval()(image), encoder(image))
    shares = [(NotesCIFAR(pictures(8, 8, 3), 2000, dropout=drop).train()(image) == 0).float().mean() for drop in (0.0, 0.5)]
    assert shares[1] > shares[0] + 0.15


def test_initial_weights_are_the_sources_where_it_says_them():
    for name, std, truncated in [("notes-cifar", 0.1, True), ("deep-mnist", 0.02, True), ("dcgan-d", 0.02, False)]:
        for part in encoders.make(name, pictures(28, 28, 3), 10).modules():
            if isinstance(part, torch.nn.Conv2d | torch.nn.Linear):
                assert torch.all(part.bias == 0)
                assert part.weight.abs().max() <= 2 * std or not truncated
                assert 0.8 * std < part.weight.std() < (0.95 if truncated else 1.2) * std


def test_a_wrong_name_or_space_has_one_clear_sentence():
    with pytest.raises(ValueError, match="unknown encoder 'small'; "):
        encoders.make("small", pictures(8, 8, 3))
    with pytest.raises(ValueError, match="did you mean 'notes-mnist'"):
        encoders.make("note-mnist", pictures(8, 8, 3))
    for space in (spaces.Box(0, 1, (28, 28)), spaces.Discrete(3), pictures(3, 3, 1)):
        with pytest.raises(ValueError, match=r"encoder 'notes-mnist' needs images of at least 4 x 4 pixels .*, not "):
            encoders.make("notes-mnist", space)
    with pytest.raises(ValueError, match="features_dim must be a whole number from 1"):
        encoders.make("lenet5", pictures(8, 8, 3), 0)


def test_images_of_another_size_are_never_cut_into_other_images():
    encoder = encoders.make("notes-mnist", spaces.Box(0, 255, (28, 28, 1), np.uint8))
    with pytest.raises(RuntimeError, match="invalid for input of size"):
        encoder(torch.zeros(2, 28, 28, 3))
