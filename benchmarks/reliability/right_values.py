"""Arguments that public functions take, by the function's name or else by the parameter's: the others of a call whose one is wrong."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["by_parameter", "of"]

Arguments = dict[str, Any]
BOX = {"low": [0.0], "high": [1.0]}


def of(name: str, parameters: list[str]) -> Arguments:
    """Return right arguments of a function: what is known of it, and of its parameters without a default."""
    known = _BY_FUNCTION.get(name)
    general = by_parameter()
    if name.startswith("wrappers."):
        general = {**general, "env": general["pole"], "world": general["pole_world"]}
    if name.startswith("inspection."):
        general = {**general, "env": "CartPole-v1"}
    return {parameter: general.get(parameter, 1) for parameter in parameters} | (known() if known else {})


@functools.cache
def by_parameter() -> Arguments:
    """Return right arguments by the names of parameters."""
    import gymnasium as gym

    from rlcourse import agents, envs, features, inspection

    env = gym.make("CartPole-v1")
    ppo = agents.PPO(env, n_envs=1, device="cpu", hidden=(4,))
    played = inspection.play(ppo, "CartPole-v1", 3, 2)
    return {
        "env": "FrozenLake-v1", "pole": env, "pole_world": envs.CartPole(), "world": envs.random_walk(), "space": env.observation_space,
        "observation_space": env.observation_space, "action_space": env.action_space, "gamma": 0.9, "policy": np.full((16, 4), 0.25),
        "epsilon": 0.1, "name": "mlp", "text": "0.1", "agent": ppo, "Q": np.zeros((3, 2)), "V": np.zeros(16), "seed": 0, "steps": 3,
        "table": {0: {0: [(1.0, 0, 0.0, True)]}}, "path": "/nonexistent/x", "num_envs": 2, "size": 3, "n": 3, "low": [0.0], "high": [1.0],
        "rng": np.random.default_rng(0), "played": played, "network": played.network,
        "features": features.Tiles.of([0.0] * 4, [1.0] * 4, 2, 2),
        "a": np.arange(4.0), "b": np.arange(4.0) + 1, "distinct": True, "present": np.ones((1, 3, 2)), "steps_of": 3,
        "y": np.ones((4, 2)), "target": np.zeros((4, 2)), "parameters": [np.zeros((2, 2))], "corpus": ["a b", "b c"],
    }  # fmt: skip


def _images() -> Arguments:
    import gymnasium as gym

    return {"env": gym.make("rlcourse/PixelCatch-v0")}


def _texts() -> Arguments:
    import gymnasium as gym

    space = gym.spaces.Text(5, charset="ab ")
    return {"env": gym.wrappers.TransformObservation(by_parameter()["pole"], str, space), "vocabulary": ["a", "b"], "length": 2}


def _sentences() -> Arguments:
    import gymnasium as gym

    return {"observation_space": gym.spaces.MultiDiscrete([6, 6, 6, 6]), "hidden": 4, "embedding": 4, "layers": 2}


def _recurrent() -> Arguments:
    from rlcourse import agents, inspection

    agent = agents.RecurrentPPO("CartPole-v1", n_envs=1, device="cpu", hidden=(4,))
    return {"played": inspection.play(agent, "CartPole-v1", 4, 2)}


def _fit() -> Arguments:
    from rlcourse.pretraining import Classifier

    space = by_parameter()["observation_space"]
    observations = np.zeros((8, 4), np.float32)
    return {"module": Classifier(space, "mlp", 2), "observations": observations, "labels": np.arange(8) % 2, "epochs": 1, "batch_size": 4}


def _pixels() -> Any:
    import gymnasium as gym

    return gym.spaces.Box(0, 255, (12, 12, 1), np.uint8)


def _fit_sparse() -> Arguments:
    from rlcourse.pretraining import Autoencoder

    images = np.random.default_rng(0).integers(0, 256, (4, 12, 12, 1)).astype(np.uint8)
    return {"model": Autoencoder(_pixels(), "ae-sparse"), "observations": images, "patches": 20, "iterations": 1}


def _fit_forecaster() -> Arguments:
    import gymnasium as gym

    from rlcourse.pretraining import Forecaster

    model, zeros = Forecaster(gym.spaces.Discrete(2)), np.zeros((9, 2), np.int64)
    return {
        "model": model,
        "draw": lambda rng: (zeros, zeros),
        "updates": 1,
        "sequence_length": 3,
    }


def _until() -> Arguments:
    from rlcourse.envs import dyna_maze

    world = dyna_maze()
    return {"world": world, "Q": np.zeros(world.successor.shape[:2]), "shortest": 14, "budget": 10.0}


def _sparse() -> Arguments:
    import torch

    return {"x": torch.rand(5, 3), "W1": torch.rand(2, 3), "b1": torch.rand(2), "W2": torch.rand(3, 2), "b2": torch.rand(3)}


def _curves() -> Arguments:
    import tempfile

    picture = Path(tempfile.gettempdir()) / "rlcourse-curve.png"
    steps, returns = np.arange(1.0, 5.0), np.arange(4.0)
    return {"path": picture, "title": "x", "steps": steps, "returns": returns, "runs": [(steps, returns)] * 2}


def _groups() -> Arguments:
    curves = _curves()
    return {"path": curves["path"], "title": "x", "groups": [("a", curves["runs"])]}


def _venv() -> Arguments:
    from stable_baselines3.common.vec_env import DummyVecEnv

    return {"venv": DummyVecEnv([lambda: by_parameter()["pole"]])}


def _copies() -> Arguments:
    import gymnasium as gym

    return {"env": gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")}


def _outcomes() -> Arguments:
    one = np.ones((1, 1, 1))
    return {"probability": one, "successor": one.astype(int) * 0, "reward": one, "terminal": one.astype(bool)}


def _vectors() -> Arguments:
    return {"vectors": np.ones((3, 2)), "outputs": np.ones((3, 2)), "counts": np.ones(3, int)}


def _constant(**arguments: Any) -> Callable[[], Arguments]:
    return lambda: arguments


_BY_FUNCTION: dict[str, Callable[[], Arguments]] = {
    "core.evaluation.evaluate": lambda: {"env": "CartPole-v1", "episodes": 1},
    "core.evaluation.masks": _constant(infos=[{}]),
    "core.horizon.policy_return": _constant(steps=3),
    "core.mdp.MDP.from_arrays": _outcomes,
    "core.schedules.value": _constant(schedule=0.1),
    "core.until_optimal.UntilOptimal.of": _until,
    "core.word_vectors.WordVectors": _vectors,
    "encoders.make_memory": _constant(name="lstm"),
    "envs.BanditTestbed.of": _constant(values=np.zeros((2, 3)), steps=4, tables=[np.zeros(3), np.zeros(3)]),
    "envs.ConditioningTrials.of": _constant(kinds=[{"CSA": (0, 4), "US": (4, 2)}], phases=[(0, 2)], steps=10),
    "envs.Recorded.of": _constant(episodes=[[(0, 1.0), (1, 0.0)]]),
    "envs.bits_cross_entropy": _constant(lags=[1, 2]),
    "envs.bits_streams": _constant(copies=2),
    "envs.blackjack_state": _constant(total=12, dealer=1, usable_ace=False),
    "envs.lingo_pairs": _constant(),
    "envs.ring": _constant(rewards=[0.0, 1.0]),
    "features.Aggregation.box": _constant(**BOX, groups=2),
    "features.Aggregation.of": _constant(n=10, groups=2),
    "features.Boxes.of": _constant(edges=[[0.0, 1.0], []]),
    "features.CoarseCoding.of": _constant(centres=[[0.0], [1.0]], radius=0.5),
    "features.HashedTiles.scaled": _constant(scale=[8.0]),
    "features.RadialBasis.of": _constant(centres=[[0.0], [1.0]], sigma=0.5),
    "features.Squashed.of": _constant(scale=[1.0] * 4),
    "features.Stripes.of": _constant(directions=[[1.0, 0.0]], cuts=[[0.0, 1.0]]),
    "features.TableFeatures.of": _constant(rows=[[0.0, 1.0]]),
    "features.make": _constant(text="vector"),
    "features.state2vec": _constant(steps=50),
    "figures.find": _constant(text="6.3"),
    "figures.in_chapter": _constant(chapter=6),
    "figures.in_folder": _constant(folder="easy21"),
    "figures.load": _constant(name="3.2"),
    "figures.make": _constant(name="3.2"),
    "figures.path_of": _constant(name="3.2"),
    "figures.title": _constant(name="3.2"),
    "inspection.mass_within": lambda: {"maps": np.ones((2, 4, 4)), "boxes": [[(0, 2, 0, 2)]] * 2},
    "inspection.feature_maps": lambda: {"x": by_parameter()["played"].observations[0][:1]},
    "inspection.gates": _recurrent,
    "inspection.probe": _recurrent,
    "inspection.play": _constant(steps=2, copies=2),
    "inspection.saliency": _constant(moments=[(0, 0)]),
    "nn_numpy.BatchNorm": _constant(features=3),
    "nn_numpy.LSTM": _constant(inputs=3, hidden=2),
    "nn_numpy.MLP": _constant(sizes=(2, 3, 1)),
    "nn_numpy.numeric_gradient": lambda: {"loss": lambda: 0.0, "array": np.zeros(2)},
    "nn_numpy.softmax_cross_entropy": lambda: {"logits": np.zeros((3, 2)), "labels": np.array([0, 1, 0])},
    "plotting.compare_curves": _groups,
    "plotting.learning_curve": _curves,
    "plotting.seeds_curve": _curves,
    "presets.Preset": _constant(name="x", env="CartPole-v1", algo="ppo", total_timesteps=10),
    "presets.load": _constant(name="cartpole"),
    "pretraining.Autoencoder": lambda: {"observation_space": _pixels()},
    "pretraining.Classifier": _constant(encoder="mlp", classes=2),
    "pretraining.Translator": _sentences,
    "pretraining.fit": _fit,
    "pretraining.fit_forecaster": _fit_forecaster,
    "pretraining.fit_sparse": _fit_sparse,
    "pretraining.gather": _constant(frames=4),
    "pretraining.sparse_objective": _sparse,
    "sb3.agent_class": _constant(name="ppo"),
    "sb3.from_vec_env": _venv,
    "sb3.to_vec_env": _copies,
    "wrappers.EncodeObservation": _constant(encoder="mlp"),
    "wrappers.FeatureObservation": _constant(features="vector"),
    "wrappers.TextTokens": _texts,
    "wrappers.Occlude": _images,
    "wrappers.RandomFlip": _images,
    "wrappers.RandomShift": _images,
    "wrappers.RecurrentObservation": _constant(memory="lstm"),
    "wrappers.Tint": _images,
}
