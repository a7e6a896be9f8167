"""Make the golden files of the present format: small files of every kind, and what they predict (``python tests/golden/make.py``)."""

import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np

HERE = Path(__file__).resolve().parent
TABLES = list(range(16))
OBSERVATIONS = np.round(np.random.default_rng(0).uniform(-2.0, 2.0, (24, 4)), 3).astype(np.float32)

AGENTS = {
    "QLearning": ("FrozenLake-v1", {"alpha": 0.5}),
    "DynaQ": ("FrozenLake-v1", {}),
    "SemiGradientSarsa": ("FrozenLake-v1", {}),
    "PPO": ("CartPole-v1", {"n_envs": 2, "n_steps": 32, "batch_size": 32, "hidden": [8, 8], "normalize_observations": True}),
    "DQN": ("CartPole-v1", {"learning_starts": 20, "batch_size": 8, "buffer_size": 100, "hidden": [8], "device": "cpu"}),
    "RecurrentPPO": ("CartPole-v1", {"n_envs": 2, "n_steps": 32, "batch_size": 32, "hidden": [8], "memory_size": 8}),
}


def predicted(agent, env: str) -> list:
    """Return what an agent does where it is asked: greedily, one observation after the other."""
    state, actions = None, []
    for i, observation in enumerate(TABLES if env == "FrozenLake-v1" else OBSERVATIONS):
        action, state = agent.predict(observation, state, np.array([i == 0]) if state is not None else None, deterministic=True)
        actions.append(int(np.asarray(action).reshape(-1)[0]))
    return actions


def encoded(module) -> list:
    """Return the codes of an encoder for some of the observations."""
    import torch

    with torch.no_grad():
        return module(torch.from_numpy(OBSERVATIONS[:4])).double().numpy().round(5).tolist()


def main() -> int:
    """Write the files of this format."""
    from rlcourse import agents, pretraining
    from rlcourse.core.files import FORMAT
    from rlcourse.core.word_vectors import WordVectors

    folder = HERE / f"format-{FORMAT}"
    folder.mkdir(exist_ok=True)
    expected = {}
    for name, (env, settings) in AGENTS.items():
        agent = getattr(agents, name)(env, seed=1, **settings)
        agent.learn(1_024 if env == "CartPole-v1" else 5_000)
        agent.save(folder / f"{name}.safetensors")
        expected[name] = {
            "env": env,
            "num_timesteps": agent.num_timesteps,
            "episodes": len(agent.history),
            "actions": predicted(agent, env),
        }
    model = pretraining.Autoencoder(gym.spaces.Box(-1.0, 1.0, (4,), np.float32), "mlp", seed=1)
    model.save(folder / "autoencoder.safetensors")
    expected["autoencoder"] = {"codes": encoded(model.encoder)}
    WordVectors(np.eye(3), np.ones((3, 3)), np.arange(3), ("a", "b", "c")).save(folder / "vectors.safetensors")
    expected["vectors"] = {"names": ["a", "b", "c"], "vectors": np.eye(3).tolist()}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    print(sum(file.stat().st_size for file in folder.iterdir()), "bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
