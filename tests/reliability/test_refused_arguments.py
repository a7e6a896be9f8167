"""Arguments that are wrong, of what people call: one sentence names the argument, and nothing else happens."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from rlcourse.agents import PPO, QLearning, SemiGradientSarsa
from rlcourse.core.evaluation import evaluate
from rlcourse.core.mdp import MDP
from rlcourse.core.until_optimal import UntilOptimal
from rlcourse.envs import BanditTestbed, ConditioningTrials, Recorded, dyna_maze
from rlcourse.features import Aggregation, CoarseCoding, Dense, Fourier, HashedTiles, Polynomial, RadialBasis, Squashed, Stripes, Tiles
from rlcourse.nn_numpy import LSTM, Adam, BatchNorm, huber, softmax_cross_entropy

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "benchmarks" / "reliability"))
wrong_values = importlib.import_module("wrong_values")

FUNCTIONS = wrong_values.public_functions()
NOT_HERE = ("load", "MissionText")  # a file, and an environment of MiniGrid, are needed
TILES = Tiles.of([0.0], [1.0])
Y = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("tilings", lambda: Tiles.of([0.0], [1.0], tilings="x")),
        ("displacement", lambda: Tiles.of([0.0], [1.0], displacement=["x"])),
        ("wrap", lambda: Tiles.of([0.0], [1.0], wrap=1j)),
        ("size", lambda: HashedTiles.of([0.0], [1.0], size=10**30)),
        ("wrap", lambda: HashedTiles.of([0.0], [1.0], wrap=[])),
        ("c", lambda: Fourier.of([0.0], [1.0], c="x")),
        ("order", lambda: Polynomial.of([0.0], [1.0], order=None)),
        ("groups", lambda: Aggregation.of(10, float("nan"))),
        ("centres", lambda: CoarseCoding.of(np.array([None]), 0.5)),
        ("sigma", lambda: RadialBasis.of([0.0], [])),
        ("cuts", lambda: Stripes.of([[1.0]], b"x")),
        ("features", lambda: Dense.of(object())),
        ("scale", lambda: Squashed.of(TILES, "x")),
        ("values", lambda: BanditTestbed.of(np.array([None]), 3, [np.zeros(2)])),
        ("since", lambda: BanditTestbed.of(np.zeros((2, 2)), 3, [np.zeros(2)], since=3)),
        ("phases", lambda: ConditioningTrials.of([{"CSA": (0, 4)}], [1])),
        ("episodes", lambda: Recorded.of([["x"]])),
        ("world", lambda: UntilOptimal.of(None, np.zeros((2, 2)), 3, 10)),
        ("Q", lambda: UntilOptimal.of(dyna_maze(), np.zeros((2, 2)), 3, 10)),
        ("successor", lambda: MDP.from_arrays(np.ones((1, 1, 1)), None, np.ones((1, 1, 1)), np.ones((1, 1, 1)))),
        ("features", lambda: BatchNorm(-1)),
        ("hidden", lambda: LSTM(2, -1, np.random.default_rng(0))),
        ("parameters", lambda: Adam([1, 2])),
        ("target", lambda: huber(Y, np.zeros(2))),
        ("labels", lambda: softmax_cross_entropy(Y, np.array([0, 1, 2]))),
    ],
)
def test_what_crashed_within_numpy_is_refused_by_name(argument, call):
    with pytest.raises(ValueError, match=rf"\b{argument}\b") as refused:
        call()
    assert len(str(refused.value)) <= 400


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("total_timesteps", value) for value in (None, "x", -1, float("nan"), float("inf"), 1e30, 10**30, [], np.array([None]))),
        *(("callback", value) for value in (1, "x", [1], np.array([None]), np.array(None))),
        *(("callback_every", value) for value in (None, 0, float("nan"), 10**30, [])),
        *(("progress_bar", value) for value in (None, "x", [])),
    ],
)
@pytest.mark.parametrize("kind", [QLearning, SemiGradientSarsa, PPO])
def test_learn_refuses_what_is_no_budget_and_no_callback(kind, argument, value):
    env, settings = ("CartPole-v1", {}) if kind is not QLearning else ("FrozenLake-v1", {})
    agent = kind(env, **settings)
    with pytest.raises((ValueError, TypeError), match=argument):
        agent.learn(**{"total_timesteps": 8, argument: value})
    assert agent.num_timesteps == 0


def test_methods_of_agents_refuse_other_arguments_by_name(tmp_path):
    agent = QLearning("FrozenLake-v1")
    with pytest.raises(ValueError, match="deterministic must be true or false"):
        agent.predict(0, deterministic="x")
    with pytest.raises(ValueError, match="state must be what state_dict"):
        agent.load_state_dict({})
    with pytest.raises(ValueError, match="path must be"):
        agent.save(None)
    with pytest.raises(ValueError, match="whole must be true or false"):
        QLearning.load(agent.save(tmp_path / "q.safetensors"), whole="x")
    with pytest.raises(ValueError, match="stopped must be a function"):
        evaluate(agent, "FrozenLake-v1", 1, stopped=None)


@pytest.mark.parametrize("place", sorted({name.rpartition(".")[0] for name in FUNCTIONS if "." in name}))
def test_the_walk_has_right_arguments_of_every_public_function(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, function in FUNCTIONS.items():
        if name.rpartition(".")[0] == place and name.rpartition(".")[2] not in NOT_HERE:
            wrong_values.right_call(name, function)()


def test_the_walk_takes_every_maker_of_public_classes():
    assert {"features.Tiles.of", "features.HashedTiles.scaled", "envs.BanditTestbed.of", "core.until_optimal.UntilOptimal.of"} <= set(
        FUNCTIONS
    )
