"""Looking into networks: each number against one that is known."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlcourse.agents import DQN, PPO, RecurrentPPO
from rlcourse.encoders import make
from rlcourse.encoders.recurrent import LSTM
from rlcourse.envs import pixel_catch
from rlcourse.inspection import (
    Network,
    Play,
    codes,
    feature_maps,
    first_weights,
    gates,
    mass_within,
    network_of,
    play,
    probe,
    rank_correlation,
    saliency,
)

SMALL = {"n_envs": 2, "n_steps": 8, "batch_size": 8, "hidden": (8,)}


@pytest.fixture(scope="module")
def played() -> Play:
    world = pixel_catch(size=12)
    return play(PPO(world, seed=0, encoder="cs231n:1,1,1,16", **SMALL), world, steps=20, copies=3)


def test_a_play_knows_what_its_world_knows(played):
    world = pixel_catch(size=12)
    for t, copy in [(0, 0), (7, 2), (19, 1)]:
        assert np.array_equal(played.observations[t, copy].numpy(), world.observe(tuple(played.states[t, copy])))
        top, bottom, left, right = world.boxes(tuple(played.states[t, copy]))[0]
        assert (played.observations[t, copy, top:bottom, left:right] == 255).all(), "the ball is where the world says"
    assert played.starts.sum(0).tolist() == [3, 3, 3], "nine steps are an episode"


def test_pictures_and_observations_are_inverse(played):
    x = played.observations[3]
    pictures = played.network.pictures(x)
    assert pictures.shape == (3, 1, 12, 12)
    torch.testing.assert_close(played.network.outputs(played.network.seen(pictures)), played.network.outputs(x))
    for shape in ((3, 9, 9), (9, 9), (9, 9, 4)):
        space = spaces.Box(0, 255, shape, np.uint8)
        encoder = make("minatar:8", space)
        network = Network(encoder, encoder, None, space, "", encoder, encoder)
        images = torch.randint(0, 256, (2, *shape), dtype=torch.uint8)
        torch.testing.assert_close(encoder(network.seen(network.pictures(images))), encoder(images))


def test_the_gradient_is_that_of_differences(played):
    network = played.network
    row = network.pictures(played.observations[4, :1])
    found = saliency(played, [(4, 0)])
    step = torch.zeros_like(row)
    at = np.unravel_index(found.gradient[0].argmax(), (12, 12))
    step[0, 0, at[0], at[1]] = 1e-2
    with torch.no_grad():
        slope = (network.value(network.seen(row + step)) - network.value(network.seen(row - step))) / 2e-2
    assert abs(slope.item()) == pytest.approx(found.gradient[0].max(), rel=0.05)


def test_nothing_moves_where_blurring_changes_nothing_and_all_mass_is_near_what_is_seen(played):
    found = saliency(played, [(3, 0), (5, 1)])
    assert found.perturbation.shape == (2, 12, 12)
    assert found.perturbation[0, 8, 0] == 0.0 or found.perturbation[0].max() > 50 * found.perturbation[0, 8, 0]
    inside, area = mass_within(found.perturbation, found.boxes, margin=3)
    assert inside > 0.9
    assert area < 0.75
    assert set(found.correlations) == {"gradient", "perturbation", "perturbation per change"}
    assert all(abs(each) <= 1 for each in found.correlations.values())


def test_weights_that_are_drawn_anew_are_put_back(played):
    network = played.network
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    with network.redrawn(3):
        changed = {name: value.clone() for name, value in network.module.state_dict().items()}
    assert all(torch.equal(value, before[name]) for name, value in network.module.state_dict().items())
    assert any(not torch.equal(changed[name], before[name]) for name in before)


def test_mass_and_rank_correlation_by_hand():
    maps = np.zeros((1, 10, 10))
    maps[0, 2, 2], maps[0, 9, 9] = 3.0, 1.0
    assert mass_within(maps, [[(3, 4, 3, 5)]], margin=1) == (0.75, 0.12)
    assert rank_correlation(np.array([1, 2, 3, 4]), np.array([1, 8, 27, 64])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1, 2, 3]), np.array([3, 2, 1])) == pytest.approx(-1.0)
    assert rank_correlation(np.array([1, 2, 2, 3]), np.array([1, 2, 3, 4])) == pytest.approx(0.9486833)  # ties share 2.5
    assert np.isnan(rank_correlation(np.ones(3), np.arange(3)))


def test_codes_are_principal_components(played):
    found = codes(played)
    with torch.no_grad():
        features = played.network.encoder(played.observations.flatten(0, 1)).numpy().astype(float)
    variances = np.linalg.eigvalsh(np.cov(features.T))[::-1]
    np.testing.assert_allclose(found.explained, variances[:2] / variances.sum(), rtol=1e-3)
    np.testing.assert_allclose(found.points.var(axis=0, ddof=1), variances[:2], rtol=1e-3)
    assert 0.0 <= found.value_r2 <= 1.0 + 1e-9


def test_maps_are_what_the_convolutions_give(played):
    encoder = played.network.encoder
    x = played.observations[2, :1]
    (layer,) = feature_maps(played.network, x)
    with torch.no_grad():
        image = encoder.images(x)
        for part in list(encoder.convolutions)[:-1]:
            image = part(image)
    np.testing.assert_allclose(layer.maps, image[0].numpy())
    assert layer.name == "convolution 1: 3x3, 32 filters"
    assert first_weights(played.network)[1].shape == (32, 1, 3, 3)
    for name, shape in [("ae-dense:5", (5, 1, 12, 12)), ("ae-sparse", (25, 1, 8, 8))]:
        agent = PPO(pixel_catch(size=12), encoder=name, **SMALL)
        assert first_weights(network_of(agent)) == ("filters", pytest.approx(first_weights(network_of(agent))[1]))
        assert first_weights(network_of(agent))[1].shape == shape
        assert feature_maps(network_of(agent), x) == []


def memory_of(h: torch.Tensor, facts: np.ndarray) -> Play:
    """A play whose memory is given, [T, N, width], and whose observations are zeros."""
    T, N, _ = h.shape
    network = network_of(RecurrentPPO("CartPole-v1", memory_size=4, **SMALL))
    after = [(step[None], step[None]) for step in h]
    return Play(network, None, torch.zeros(T, N, 4), np.zeros((T, N), bool), facts, after, after, np.zeros((T, N)))


def test_a_probe_reads_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    facts = np.stack([rng.standard_normal((50, 8)), rng.integers(0, 3, (50, 8)), np.ones((50, 8))], axis=2)
    one_hot = np.eye(3)[facts[:, :, 1].astype(int)]
    h = torch.from_numpy(np.concatenate([facts[:, :, :1] * 0.3 + one_hot[:, :, :1], one_hot], axis=2))
    real, whole = probe(memory_of(h, facts))
    assert (real.name, real.measure, whole.measure) == ("state 0", "R2", "accuracy")
    assert real.memory > 0.99
    assert whole.memory == 1.0
    assert abs(real.observation) < 0.1
    assert whole.observation < 0.6
    with pytest.raises(ValueError, match="nobody knows"):
        probe(memory_of(h, facts)._replace(states=None))
    with pytest.raises(ValueError, match="no memory"):
        probe(memory_of(h, facts)._replace(after=[]))


def test_gates_are_those_of_the_cell():
    h = torch.randn(5, 3, 4)
    played = memory_of(h, np.zeros((5, 3, 1)))
    memory = played.network.memory
    assert isinstance(memory, LSTM)
    with torch.no_grad():
        memory.cells[0].bias_ih_l0[:4] = -50.0  # input
        memory.cells[0].bias_ih_l0[4:8] = 50.0  # forget
        memory.cells[0].bias_ih_l0[12:] = 0.0
    found = gates(played)
    assert set(found) == {"input", "forget", "output"}
    assert np.array_equal(found["input"], np.tile([1.0, 0.0], (4, 1)))
    assert np.array_equal(found["forget"], np.tile([0.0, 1.0], (4, 1)))
    played = play(RecurrentPPO("CartPole-v1", memory="gru", memory_size=4, memory_layers=2, **SMALL), "CartPole-v1", 6, 2)
    assert set(gates(played)) == {"reset", "update"}


def test_numbers_of_a_discrete_space_have_no_saliency():
    played = play(DQN("rlcourse/CliffWalk-v0", seed=0, buffer_size=100), "rlcourse/CliffWalk-v0", 5, 2)
    with pytest.raises(ValueError, match="saliency needs images or vectors"):
        saliency(played, [(0, 0)])
    parts = spaces.Dict({"camera": spaces.Box(0, 255, (12, 12, 1), np.uint8), "goal": spaces.Discrete(4)})
    with pytest.raises(ValueError, match="saliency needs images or vectors"):
        saliency(played._replace(network=played.network._replace(space=parts)), [(0, 0)])
    assert codes(played).points.shape == (10, 2)
