"""Autoencoders and classifiers: objectives, learning, files."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from rlcourse.agents import DQN
from rlcourse.agents import load as load_agent
from rlcourse.core import files
from rlcourse.core.world import WorldEnv
from rlcourse.envs import pixel_catch
from rlcourse.pretraining import Autoencoder, Classifier, fit, fit_sparse, gather, load, sparse_objective
from rlcourse.pretraining.sparse import mean_activations

SPACE = spaces.Box(0, 255, (10, 10, 1), np.uint8)


@pytest.fixture(scope="module")
def frames():
    return gather(pixel_catch(size=10), 600, seed=1)


def test_frames_are_what_a_world_shows_and_the_states_behind_them(frames):
    assert frames.observations.shape == (600, 10, 10, 1)
    world = pixel_catch(size=10)
    for i in (0, 17, 599):
        assert np.array_equal(frames.observations[i], world.observe(tuple(frames.states[i])))
    again = gather(pixel_catch(size=10), 600, seed=1)
    assert np.array_equal(frames.observations, again.observations)
    assert not np.array_equal(frames.observations, gather(pixel_catch(size=10), 600, seed=2).observations)


def test_frames_come_from_any_environment_and_from_a_policy():
    assert gather("CartPole-v1", 50, copies=3).observations.shape == (50, 4)
    assert gather("rlcourse/CliffWalk-v0", 50).observations.shape == (50,)
    assert gather("Taxi-v4", 20).observations.shape == (20,)
    agent = DQN("CartPole-v1", seed=0)
    assert gather("CartPole-v1", 33, agent=agent).observations.shape == (33, 4)

    class Pair(gym.Env):
        observation_space, action_space = spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Box(-1, 1, (3,))}), spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return {"a": 1, "b": np.zeros(3, np.float32)}, {}

        def step(self, action):
            return {"a": 0, "b": np.ones(3, np.float32)}, 0.0, False, False, {}

    pairs = gather(Pair(), 10, copies=1)
    assert pairs.observations.shape == (10, 4)
    assert fit(Autoencoder(pairs.space, "ae-dense"), pairs.observations, epochs=1)[-1].number == 1
    Pair.observation_space = spaces.Dict({"a": spaces.Sequence(spaces.Discrete(2))})
    with pytest.raises(ValueError, match="Sequence"):
        gather(Pair(), 10, copies=1)


def test_the_sparse_objective_is_that_of_the_tutorial_and_its_gradient_that_of_differences():
    generator = torch.Generator().manual_seed(0)
    x, W1, b1, W2, b2 = (torch.rand(*shape, generator=generator).double() - 0.4 for shape in [(6, 4), (3, 4), (3,), (4, 3), (4,)])
    J = 0.0
    a = 1 / (1 + np.exp(-(x.numpy() @ W1.numpy().T + b1.numpy())))
    out = 1 / (1 + np.exp(-(a @ W2.numpy().T + b2.numpy())))
    for i in range(6):
        J += 0.5 * np.sum((out[i] - x[i].numpy()) ** 2) / 6
    J += 0.5 * 0.01 * (np.sum(W1.numpy() ** 2) + np.sum(W2.numpy() ** 2))
    for mean in a.mean(0):
        J += 2.0 * (0.1 * np.log(0.1 / mean) + 0.9 * np.log(0.9 / (1 - mean)))
    assert float(sparse_objective(x, W1, b1, W2, b2, 0.1, 0.01, 2.0)) == pytest.approx(J, rel=1e-12)
    inputs = [part.requires_grad_() for part in (W1, b1, W2, b2)]
    assert torch.autograd.gradcheck(lambda *parts: sparse_objective(x, *parts), inputs)


def test_the_units_of_a_sparse_autoencoder_are_active_as_seldom_as_asked(frames):
    model = Autoencoder(SPACE, "ae-sparse")
    epochs = fit_sparse(model, frames.observations, patches=2_000, iterations=200)
    assert epochs[-1].train < epochs[0].train
    assert np.abs(mean_activations(model.encoder, frames.observations, 2_000, seed=9) - 0.01).max() <= 0.02
    with pytest.raises(ValueError, match="blank"):
        fit_sparse(model, np.zeros((20, 10, 10, 1), np.uint8))
    with pytest.raises(ValueError, match="take fit"):
        fit_sparse(Autoencoder(SPACE, "ae-dense"), frames.observations)


@pytest.mark.parametrize("name", ["ae-dense", "ae-conv", "ae-denoising:40", "minatar:16", "notes-cifar-bn:16"])
def test_an_autoencoder_of_any_encoder_learns_and_survives_its_file(name, frames, tmp_path):
    model = Autoencoder(SPACE, name, noise=0.5 if "denoising" in name else 0.0)
    epochs = fit(model, frames.observations, epochs=2, batch_size=32)
    assert epochs[-1].test < 0.9 * float(np.log(2.0)), "a network that knows nothing has ln 2"
    file = model.save(tmp_path / "a.safetensors", {"epochs": 2})
    x = torch.from_numpy(frames.observations[:7])
    assert model.reconstruct(x).shape == (7, 1, 10, 10)
    again = load(file)
    assert torch.equal(again.reconstruct(x), model.reconstruct(x))
    arrays, metadata = files.read(file)
    assert {key.split(".")[0] for key in arrays} == {"encoder", "decoder", "mean", "scale"}
    assert (metadata["class"], metadata["encoder"], metadata["settings"]) == ("Autoencoder", name, {"epochs": 2})
    with pytest.raises(ValueError, match="holds a Autoencoder, not a Classifier"):
        Classifier.load(file)
    with pytest.raises(ValueError, match="holds an Autoencoder, which is no agent"):
        load_agent(file)
    with pytest.raises(ValueError, match="was trained on"):
        load(file, spaces.Box(0, 255, (11, 11, 1), np.uint8))


def test_training_is_the_same_for_the_same_seed_and_leaves_the_global_generator_alone(frames):
    before = torch.random.get_rng_state()
    losses = []
    for seed in (3, 3, 4):
        model = Autoencoder(SPACE, "ae-dense", noise=0.3, seed=seed)
        losses.append(fit(model, frames.observations[:100], epochs=1, seed=seed)[-1])
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_observations_that_are_no_images_have_autoencoders_too():
    moves = gather("CartPole-v1", 500)
    model = Autoencoder(moves.space, "ae-dense:8")
    assert fit(model, moves.observations, epochs=40, batch_size=50, learning_rate=1e-2)[-1].test < 0.5, "in squared deviations"
    assert model.reconstruct(torch.from_numpy(moves.observations[:3])).shape == (3, 4)
    cells = gather("rlcourse/CliffWalk-v0", 100)
    assert fit(Autoencoder(cells.space, "ae-dense"), cells.observations, epochs=1)[-1].test < 1.0


def test_noise_stays_in_the_range_of_the_pixels_and_is_not_in_the_target():
    model = Autoencoder(SPACE, "ae-dense", noise=0.5)
    x = torch.randint(0, 256, (50, 10, 10, 1), dtype=torch.uint8)
    noisy = model.noisy(x, torch.Generator().manual_seed(0))
    assert noisy.min() == 0.0
    assert noisy.max() == 1.0
    assert 0.2 < (noisy - x / 255).std() < 0.5
    grey = Autoencoder(spaces.Box(0, 255, (10, 10), np.uint8), "ae-dense", noise=0.5)
    assert grey.noisy(x[..., 0], torch.Generator().manual_seed(0)).max() == 255.0


def test_a_classifier_learns_the_column_of_the_ball_and_its_file_has_the_encoder(frames, tmp_path):
    model = Classifier(SPACE, "minatar:32", 5)
    columns = frames.states[:, 0].astype(int)
    epochs = fit(model, frames.observations, columns, epochs=6, batch_size=32, learning_rate=3e-3)
    assert epochs[-1].accuracy > 0.9
    file = model.save(tmp_path / "c.safetensors")
    x = torch.from_numpy(frames.observations[:7])
    assert torch.equal(load(file)(x), model(x))
    assert {key.split(".")[0] for key in files.read(file)[0]} == {"encoder", "head"}
    with pytest.raises(ValueError, match="at least 2"):
        Classifier(SPACE, "minatar", 1)


def test_a_space_of_uneven_bounds_has_to_be_given(tmp_path):
    space = gym.make("CartPole-v1").observation_space
    file = Autoencoder(space, "ae-dense:3").save(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="give observation_space"):
        Autoencoder.load(file)
    assert Autoencoder.load(file, space).name == "ae-dense:3"
    world = WorldEnv(pixel_catch(size=10))
    assert spaces.Box(0, 255, (10, 10, 1), np.uint8) == world.observation_space
