"""Every encoder as the feature extractor of stable-baselines3's models: it sees the same there, and survives their files."""

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
import torch
from gymnasium import spaces

from rlcourse import encoders
from rlcourse.core.packing import packed
from rlcourse.wrappers import Window

SPACES = {
    "vector": spaces.Box(-1, 1, (3,), np.float32),
    "number": spaces.Discrete(5),
    "numbers": spaces.MultiDiscrete([3, 3, 3]),
    "switches": spaces.MultiBinary(4),
    "picture": spaces.Box(0, 255, (12, 14, 3), np.uint8),
    "large picture": spaces.Box(0, 255, (36, 36, 3), np.uint8),
    "grey picture": spaces.Box(0, 255, (12, 12), np.uint8),
    "board": spaces.Box(0, 1, (10, 10, 4), np.uint8),  # no picture for stable-baselines3, which leaves it as it is
    "categories": spaces.Box(0, np.full((7, 8, 3), [10, 5, 3], np.uint8), dtype=np.uint8),  # nor is this
    "instructed": spaces.Dict(
        {
            "image": spaces.Box(0, np.full((7, 7, 3), [10, 5, 3], np.uint8), dtype=np.uint8),
            "mission": spaces.MultiDiscrete([6] * 4),
            "direction": spaces.Discrete(4),
        }
    ),
    "parts": spaces.Dict(
        {"camera": spaces.Box(0, 255, (12, 14, 3), np.uint8), "goal": spaces.Discrete(3), "speed": spaces.Box(-1, 1, (2,))}
    ),
    "window": Window(gym.make("CartPole-v1"), 4).observation_space,
}
SETTINGS = {
    "PPO": {"n_steps": 8, "batch_size": 4, "n_epochs": 1},
    "DQN": {"learning_starts": 4, "batch_size": 4, "buffer_size": 20, "train_freq": 2},
}


class Sampled(gym.Env):
    """Random observations of a space; an episode has five steps."""

    action_space = spaces.Discrete(2)

    def __init__(self, space):
        self.observation_space = space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        if seed is not None:
            self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        self.t += 1
        return self.observation_space.sample(), 1.0, self.t == 5, False, {}


def seen(name):
    """Return the observations that an encoder is tried with."""
    if name == "merge":
        return ["parts", "instructed"]
    if name == "minigrid":
        return ["categories", "picture"]
    if name.startswith("window-"):
        return ["window"]
    if name == "flatten":
        return ["vector", "number", "numbers", "switches", "board", "picture", "grey picture"]
    if name == "notes-mnist":
        return ["picture", "grey picture", "board"]
    taken = []
    for key in ("picture", "board", "vector", "number", "numbers", "switches", "instructed", "large picture"):
        try:
            encoders.class_of(name)(SPACES[key], features_dim=16)
        except (ValueError, AssertionError):
            continue
        taken.append(key)
    return [key for key in taken if key != "large picture" or taken == [key]]


def build(model, name, space):
    kwargs = {"features_extractor_class": encoders.class_of(name), "net_arch": [8]}
    if name != "merge":
        kwargs["features_extractor_kwargs"] = {"features_dim": 16}
    policy = "MultiInputPolicy" if isinstance(space, spaces.Dict) else "MlpPolicy"
    return getattr(stable_baselines3, model)(policy, Sampled(space), policy_kwargs=kwargs, device="cpu", seed=0, **SETTINGS[model])


def raw(space, observations):
    """Return a batch as our agents hand it over."""
    if packed(space) is not None:
        return torch.as_tensor(np.stack([packed(space).pack(each) for each in observations]))
    return torch.as_tensor(np.stack([np.asarray(each) for each in observations]))


@pytest.mark.parametrize(("name", "key"), [(name, key) for name in encoders.names() if name != "auto" for key in seen(name)])
@pytest.mark.parametrize("model", ["PPO", "DQN"])
def test_an_encoder_sees_the_same_in_its_models_and_survives_their_files(name, key, model, tmp_path):
    space = SPACES[key]
    learned = build(model, name, space).learn(16)
    learned.save(tmp_path / "model")
    loaded = getattr(stable_baselines3, model).load(tmp_path / "model", device="cpu")
    extractors = [(each.policy if model == "PPO" else each.policy.q_net).features_extractor.eval() for each in (learned, loaded)]
    assert isinstance(extractors[0], encoders.class_of(name))
    space.seed(3)
    observations = [space.sample() for _ in range(4)]
    batch = (
        {part: np.stack([each[part] for each in observations]) for part in space}
        if isinstance(space, spaces.Dict)
        else np.stack(observations)
    )
    own = encoders.make(name, packed(space) or space, None if name == "merge" else 16)  # it sees what the environment shows
    own.load_state_dict(extractors[0].state_dict())
    with torch.no_grad():
        mine = own.eval()(raw(space, observations))
        for each, extractor in zip((learned, loaded), extractors, strict=True):
            tensors = each.policy.obs_to_tensor(batch)[0]  # channels first, divided, one-hot
            theirs = each.policy.extract_features(tensors, *([extractor] if model == "DQN" else []))
            torch.testing.assert_close(mine, theirs)
    assert mine.shape == (4, own.features_dim)


def test_every_encoder_is_tried():
    assert all(seen(name) for name in encoders.names() if name != "auto")


def test_encoders_by_name_are_extractors_through_make():
    kwargs = {"features_extractor_class": lambda space: encoders.make("camera=notes-mnist:8+ln,goal=embedding:3", space), "net_arch": [8]}
    env = Sampled(SPACES["parts"])
    model = stable_baselines3.PPO("MultiInputPolicy", env, policy_kwargs=kwargs, device="cpu", **SETTINGS["PPO"]).learn(16)
    assert model.policy.features_extractor.features_dim == 8 + 3 + 2


@pytest.mark.parametrize("name", [name for name in encoders.names() if name.startswith("window-")])
def test_windows_with_rows_from_before_the_episode_have_the_same_features_there(name):
    kwargs = {"features_extractor_class": encoders.class_of(name), "features_extractor_kwargs": {"features_dim": 8}, "net_arch": [8]}
    env = Window(gym.make("CartPole-v1"), 4)
    model = stable_baselines3.PPO("MlpPolicy", env, policy_kwargs=kwargs, device="cpu", seed=0, **SETTINGS["PPO"]).learn(16)
    own = encoders.make(f"{name}:8", env.observation_space)
    own.load_state_dict(model.policy.features_extractor.state_dict())
    windows = np.stack([env.reset(seed=0)[0], *(env.step(t % 2)[0] for t in range(5))])
    assert (windows[:, :, -1] == 0).any()
    with torch.no_grad():
        theirs = model.policy.extract_features(model.policy.obs_to_tensor(windows)[0])
        torch.testing.assert_close(own(torch.from_numpy(windows)), theirs)
    windows[..., :-1] += 9.0 * (windows[..., -1:] == 0.0)
    assert torch.equal(model.policy.extract_features(model.policy.obs_to_tensor(windows)[0]), theirs), "they do not count"
