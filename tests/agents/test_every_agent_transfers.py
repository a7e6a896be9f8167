"""Every deep agent takes an encoder over: frozen, fine-tuned or as a beginning; from then on its own file is all that it needs."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from every_agent import DEEP, ROLLOUT, differences, make, small_env
from gymnasium import spaces
from torch import nn

from rlcourse import agents
from rlcourse.agents.deep.transfer import FINETUNE, encoders_of
from rlcourse.encoders import make as make_encoder
from rlcourse.encoders.files import stored
from rlcourse.pretraining import Autoencoder, Classifier

ENCODER = "mlp:8+bn"
SOME = ["DRQN", "PPO", "SAC"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Agents that have learned a little, by the environment whose observations their encoders take."""
    folder = tmp_path_factory.mktemp("sources")
    return {
        id: agents.PPO(id, encoder=ENCODER, seed=8, n_envs=2, n_steps=16).learn(64).save(folder / id)
        for id in ("CartPole-v1", "Pendulum-v1")
    }


def parts_of(agent):
    """The encoders of an agent, by the name of its network."""
    networks = {name: part for name, part in agent.parts().items() if isinstance(part, nn.Module)}
    return {name: encoder for name, network in networks.items() for encoder in encoders_of(network)}


def weights(encoder):
    return {name: value.numpy().copy() for name, value in encoder.state_dict().items()}


@pytest.mark.parametrize(
    ("name", "mode"), [(name, "frozen") for name in DEEP] + [(name, mode) for name in SOME for mode in ("finetune", "warmstart")]
)
def test_it_begins_with_the_sources_encoder_and_resumes_exactly_without_the_source(name, mode, sources, tmp_path):
    source = tmp_path / "source.safetensors"
    source.write_bytes(sources[small_env(name)].read_bytes())
    settings = {"encoder": ENCODER, "encoder_mode": mode, "encoder_from": str(source)}
    agent, whole = make(name, **settings), make(name, **settings)
    held = stored(source).arrays
    assert parts_of(agent)
    assert all(differences(weights(encoder), held) == [] for encoder in parts_of(agent).values())
    agent.learn(2 * ROLLOUT)
    for key, encoder in parts_of(agent).items():
        changed = differences(weights(encoder), held)
        learns = mode != "frozen" and not (key == "target_actor" or key.startswith("target"))
        assert bool(changed) == learns or (changed and mode != "frozen"), (key, changed)
    source.unlink()
    resumed = type(agent).load(agent.save(tmp_path / "agent.safetensors")).learn(2 * ROLLOUT)
    assert resumed.config == agent.config
    assert differences(resumed.state_dict(), whole.learn(2 * ROLLOUT).learn(2 * ROLLOUT).state_dict()) == []
    with pytest.raises(ValueError, match=r"encoder_from: there is no file .*source\.safetensors"):
        make(name, **settings)


@pytest.mark.parametrize("name", SOME)
def test_what_does_not_fit_is_refused_in_one_sentence(name, sources, tmp_path):
    source = str(sources[small_env(name)])
    for settings, sentence in [
        ({"encoder_mode": "frozen"}, "encoder_mode 'frozen' needs encoder_from"),
        ({"encoder_from": source}, "encoder_from is for an encoder_mode: say 'frozen', 'finetune' or 'warmstart'"),
        ({"encoder_mode": "frozen", "encoder_from": source, "encoder": "mlp:9+bn"}, "encoder_from: .* does not fit here: its array"),
        ({"encoder_mode": "frozen", "encoder_from": source, "encoder": "mlp:8"}, "encoder_from: .* does not fit here: its array"),
        ({"encoder_mode": "warmstart", "encoder_from": source, "encoder": "flatten"}, "encoder 'flatten' has no weights to take over"),
        ({"encoder_mode": "frozen", "encoder_from": str(tmp_path), "encoder": ENCODER}, "encoder_from: .* is a folder"),
        ({"encoder_mode": "froze"}, "encoder_mode must be one of"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            make(name, **settings)


@pytest.mark.parametrize("name", ["DQN", "SAC"])
def test_what_is_frozen_has_no_gradient_no_moment_and_is_shared_with_the_target(name, sources):
    settings = {"encoder": ENCODER, "encoder_mode": "frozen", "encoder_from": str(sources[small_env(name)])}
    frozen, free = make(name, **settings), make(name, encoder=ENCODER)
    encoders = parts_of(frozen)
    size = sum(parameter.numel() for parameter in next(iter(encoders.values())).parameters())
    optimizer = "optimizer" if name == "DQN" else "critic_optimizer"
    assert len(getattr(free, optimizer).parameters) - len(getattr(frozen, optimizer).parameters) == size
    assert not any(parameter.requires_grad for encoder in encoders.values() for parameter in encoder.parameters())
    assert encoders["target"] is encoders["network" if name == "DQN" else "critics"]
    frozen.learn(2 * ROLLOUT)
    assert not any(parameter.requires_grad for encoder in parts_of(frozen).values() for parameter in encoder.parameters())


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_a_fine_tuned_encoder_learns_at_a_tenth_of_the_rate(optimizer, sources):
    settings = {"encoder": ENCODER, "encoder_from": str(sources["CartPole-v1"]), "optimizer": optimizer, "max_grad_norm": None}
    moved = []
    for mode in ("warmstart", "finetune"):
        agent = make("A2C", encoder_mode=mode, **settings)
        before = {name: value.detach().clone() for name, value in agent.policy.named_parameters()}
        agent.learn(16)
        moved.append({name: value.detach() - before[name] for name, value in agent.policy.named_parameters()})
    for name in before:
        pace = FINETUNE if name.startswith("encoder.") else 1.0
        torch.testing.assert_close(moved[1][name], pace * moved[0][name], rtol=1e-3, atol=1e-7)


def test_ppo_on_frozen_features_is_ppo_that_looks_through_the_encoder_each_time(sources):
    settings = {"encoder": ENCODER, "encoder_mode": "frozen", "encoder_from": sources["CartPole-v1"]}
    once, always = make("PPO", **settings), make("PPO", **settings)
    always._frozen = False
    torch.testing.assert_close(once.learn(64).optimizer.parameters, always.learn(64).optimizer.parameters)
    assert once.config.encoder_from == str(sources["CartPole-v1"])


class Image(gym.Env):
    """A bright column among seven says which way to go."""

    observation_space, action_space = spaces.Box(0, 255, (7, 7, 1), np.uint8), spaces.Discrete(7)

    def _seen(self):
        self.column, image = int(self.np_random.integers(7)), np.zeros((7, 7, 1), np.uint8)
        image[:, self.column] = 255
        return image

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._seen(), {}

    def step(self, action):
        reward = float(action == self.column)
        return self._seen(), reward, self.np_random.random() < 0.1, False, {}


@pytest.mark.parametrize("kind", ["autoencoder", "classifier", "DRQN", "SAC"])
def test_autoencoders_classifiers_and_every_agent_are_sources(kind, tmp_path):
    path = tmp_path / "source.safetensors"
    env, encoder = Image(), "minatar:16"
    if kind == "autoencoder":
        Autoencoder(env.observation_space, encoder, seed=1).save(path)
    elif kind == "classifier":
        Classifier(env.observation_space, encoder, 7, seed=1).save(path)
    else:
        if kind == "SAC":
            env.action_space = spaces.Box(-1, 1, (1,))
        make(kind, env, encoder=encoder, n_envs=1).save(path)
        env = Image()
    agent = make("DQN", env, encoder=encoder, encoder_mode="frozen", encoder_from=str(path)).learn(40)
    assert differences(weights(agent.network.encoder), stored(path).arrays) == []
    assert agent.network.encoder.features_dim == make_encoder(encoder, env.observation_space).features_dim
