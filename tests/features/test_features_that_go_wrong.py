"""Features that are wrong or too many, and learning that diverges, end in one sentence."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import LSTD, ActorCriticLambda, GaussianActorCritic, GQLambda, SarsaLambda, SemiGradientSarsa
from rlcourse.cli.main import main
from rlcourse.core import exact
from rlcourse.envs import baird_counterexample, baird_features
from rlcourse.features import Aggregation, Bias, Boxes, Fourier, Tiles, make, stack


class Longer(NamedTuple):
    """Says that it is shorter than it is."""

    n: int

    @property
    def size(self):
        """Number of features, it says."""
        return 3

    def x(self, state):
        """Return more."""
        return np.ones(self.n)


class Beyond(NamedTuple):
    """Has indices beyond its size, in most states."""

    scale: int

    @property
    def size(self):
        """Number of features, it says."""
        return 3

    def x(self, state):
        """Return the index of a place."""
        return np.array([int(abs(state[0]) * self.scale)])


@pytest.mark.parametrize("features", [Longer(500), Beyond(100)])
def test_features_that_do_not_keep_to_their_size_are_refused(features):
    with pytest.raises(ValueError, match="size is 3"):
        SemiGradientSarsa("MountainCar-v0", features=features)


@pytest.mark.parametrize("text", ["tiles:1x65535", "tiles:8x100", "fourier:99", "poly:99", "rbf:60", "coarse:30", "aggregate:65536"])
def test_more_features_than_fit_are_refused_before_they_are_made(text):
    with pytest.raises(ValueError, match=r"more than"):
        make(text, gym.spaces.Box(0.0, 1.0, (4,)))


def test_sizes_do_not_overflow():
    assert Tiles.of([0.0], [1.0], 7, 8).size == 64
    with pytest.raises(ValueError, match=r"features, more than"):
        Aggregation.box([0.0] * 4, [1.0] * 4, 65536)
    with pytest.raises(ValueError, match=r"features, more than"):
        Tiles.of([0.0] * 20, [1.0] * 20)


def test_a_number_that_is_none_lies_in_the_first_tile():
    for features in (Tiles.of([0.0, 0.0], [1.0, 1.0], 4, 4), Aggregation.box([0.0, 0.0], [1.0, 1.0], 5)):
        x = features.x((np.nan, 0.5))
        assert np.all((x >= 0) & (x < features.size))
        np.testing.assert_array_equal(x, features.x((0.0, 0.5)))


def test_learning_that_diverges_stops_and_says_so(tmp_path, capsys):
    with pytest.raises(FloatingPointError, match=r"diverged: w .* smaller alpha"):
        SarsaLambda("CartPole-v1", features="vector", alpha=1.0, lam=1.0, seed=0).learn(20_000)
    with pytest.raises(FloatingPointError, match="diverged"):
        GaussianActorCritic("Pendulum-v1", alpha_theta=1.0, alpha_w=1.0, seed=0).learn(20_000)
    words = ["train", "CartPole-v1", "--algo", "sarsa-lambda", "--features", "vector", "--alpha", "1", "--lam", "1", "-n", "20k"]
    assert main([*words, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "learning has diverged" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(("kind", "env"), [(ActorCriticLambda, "MountainCar-v0"), (GaussianActorCritic, "Pendulum-v1")])
def test_predictions_enter_nothing_into_a_table_of_tiles(kind, env):
    agent = kind(env, features="hashed:8x4:4096", seed=0).learn(300)
    before = agent.features.used
    for observation in np.random.default_rng(0).uniform(
        agent.observation_space.low, agent.observation_space.high, (200, *agent.observation_space.shape)
    ):
        agent.predict(observation.astype(np.float32), deterministic=False)
    assert agent.features.used == before


def test_a_matrix_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr("rlcourse.core.memory.free_memory", lambda: 10_000_000)
    with pytest.raises(ValueError, match="features: the matrix of LSTD would take"):
        LSTD("MountainCar-v0", features="tiles:8x40")


def test_gq_knows_what_it_is_after():
    world = baird_counterexample()
    agent = GQLambda(world, features=np.repeat(baird_features()[:, None], 2, axis=1), gamma=0.9)
    assert agent.exact_values().shape == agent.values().shape
    assert np.isfinite(agent.true_error())
    control = GQLambda("FrozenLake-v1", control=True, gamma=0.9)
    np.testing.assert_array_equal(control.exact_values(), exact.q_star("FrozenLake-v1", 0.9))


def test_boxes_are_stacked():
    both = stack(Bias(), Boxes.of_the_pole())
    assert both.size == 163
    assert Fourier.of([0.0], [1.0], 3).size == 4
