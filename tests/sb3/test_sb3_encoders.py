"""Our encoders as feature extractors of stable-baselines3's models."""

import importlib
import inspect
import pkgutil

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
import torch
from gymnasium import spaces

import rlcourse.encoders
from rlcourse.encoders.flatten import Flatten


class Images(gym.Env):
    """Random pictures, height-width-channel; an episode has five steps."""

    observation_space, action_space = spaces.Box(0, 255, (36, 36, 3), np.uint8), spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._picture(), {}

    def _picture(self):
        return self.np_random.integers(0, 256, (36, 36, 3), dtype=np.uint8)

    def step(self, action):
        self.t += 1
        return self._picture(), 1.0, self.t == 5, False, {}


class Board(Images):
    """Ten by ten cells in four layers, each 0 or 1: no picture for stable-baselines3, which leaves it as it is."""

    observation_space = spaces.Box(0, 1, (10, 10, 4), np.uint8)

    def _picture(self):
        return self.np_random.integers(0, 2, (10, 10, 4), dtype=np.uint8)


def encoders() -> list[type]:
    """Return every encoder of the package."""
    found = []
    for info in pkgutil.iter_modules(rlcourse.encoders.__path__):
        module = importlib.import_module(f"rlcourse.encoders.{info.name}")
        kinds = [getattr(module, name) for name in module.__all__]
        found += [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, torch.nn.Module) and not inspect.isabstract(kind)]
    return found


SEEN = {"vector": lambda: gym.make("CartPole-v1"), "number": lambda: gym.make("FrozenLake-v1"), "picture": Images, "board": Board}


def fits(encoder, seen: str) -> bool:
    """Whether an encoder takes such observations; flattened pictures are not the same, channels first or last."""
    if encoder is Flatten and seen == "picture":
        return False
    try:
        encoder(SEEN[seen]().observation_space, features_dim=16)
    except (ValueError, TypeError):
        return False
    return True


@pytest.mark.parametrize(("encoder", "seen"), [(encoder, seen) for encoder in encoders() for seen in SEEN if fits(encoder, seen)])
@pytest.mark.parametrize("name", ["PPO", "DQN"])
def test_our_encoders_are_feature_extractors_of_its_models_and_see_the_same(encoder, seen, name):
    env = SEEN[seen]()
    settings = (
        {"n_steps": 16, "batch_size": 8, "n_epochs": 1} if name == "PPO" else {"learning_starts": 8, "batch_size": 4, "buffer_size": 50}
    )
    kwargs = {"features_extractor_class": encoder, "features_extractor_kwargs": {"features_dim": 16}, "net_arch": [8]}
    model = getattr(stable_baselines3, name)("MlpPolicy", env, policy_kwargs=kwargs, device="cpu", seed=0, **settings).learn(32)
    extractor = (model.policy if name == "PPO" else model.policy.q_net).features_extractor
    assert isinstance(extractor, encoder)
    own = encoder(env.observation_space, features_dim=16)  # it sees what the environment shows; theirs channels first, divided, one-hot
    own.load_state_dict(extractor.state_dict())
    for network in (own, extractor):
        network.eval()
    batch = np.stack([np.asarray(env.reset(seed=seed)[0]) for seed in range(4)])
    with torch.no_grad():
        mine = own(torch.as_tensor(batch))
        theirs = model.policy.extract_features(model.policy.obs_to_tensor(batch)[0], *([extractor] if name == "DQN" else []))
    assert mine.shape == (4, own.features_dim)
    torch.testing.assert_close(mine, theirs)
