"""Models of stable-baselines3 behind our face: the same as theirs, saved without pickle, resumed exactly, heard by our callbacks."""

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv

from rlcourse import agents
from rlcourse.core import files
from rlcourse.core.evaluation import evaluate
from rlcourse.core.faults import EnvironmentFault
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.encoders.flatten import Flatten
from rlcourse.sb3 import agent_class, model_names

ON = {"n_steps": 16, "n_envs": 2}
OFF = {"learning_starts": 20, "buffer_size": 500, "batch_size": 8, "train_freq": 1}
SMALL = {
    "a2c": ON | {"n_steps": 8},
    "ppo": ON | {"batch_size": 16, "n_epochs": 2, "learning_rate": "linear(0.001, 0, 1000)"},
    "recurrentppo": ON | {"batch_size": 16, "n_epochs": 1},
    "trpo": ON | {"batch_size": 16},
    "dqn": OFF | {"target_update_interval": 10},
    "qrdqn": OFF | {"target_update_interval": 10},
    "sac": OFF,
    "td3": OFF | {"noise_std": 0.1},
    "ddpg": OFF | {"noise_std": 0.1},
    "tqc": OFF,
    "crossq": OFF,
}
DISCRETE = ("a2c", "dqn", "ppo", "qrdqn", "recurrentppo", "trpo")
SIZE = 64  # steps: whole rollouts of all of them


class Opaque(gym.Wrapper):
    """A wrapper that rlcourse does not know: copies are Gymnasium's own."""


gym.register("test/Opaque-v0", lambda: Opaque(gym.make("CartPole-v1")))
gym.register("test/OpaquePendulum-v0", lambda: Opaque(gym.make("Pendulum-v1")))


def make(name: str, env=None, seed: int = 3, **settings):
    env = ("CartPole-v1" if name in DISCRETE else "Pendulum-v1") if env is None else env
    return agent_class(name)(env, seed=seed, **(SMALL[name] | {"hidden": (8,)} | settings))


def weights(agent) -> dict[str, np.ndarray]:
    return {name: value for name, value in agent.state_dict().items() if isinstance(value, np.ndarray) and name != "history"}


def assert_same(a, b):
    a, b = a.state_dict(), b.state_dict()
    assert a.keys() == b.keys()
    different = [name for name in a if not np.array_equal(np.asarray(a[name]), np.asarray(b[name]))]
    assert different == []


def test_every_model_that_is_installed_is_tested():
    assert set(model_names()) <= set(SMALL)
    assert {"a2c", "ddpg", "dqn", "ppo", "sac", "td3"} <= set(model_names())


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_it_learns_what_the_model_itself_learns_bit_for_bit(name):
    kind = getattr(stable_baselines3, name.upper())
    settings = {key: value for key, value in SMALL[name].items() if key not in ("n_envs", "learning_rate")}
    theirs = kind("MlpPolicy", DummyVecEnv([lambda: gym.make("test/Opaque-v0")] * 2), seed=3, device="cpu", **settings).learn(256)
    ours = agent_class(name)("test/Opaque-v0", seed=3, n_envs=2, **settings).learn(256)
    assert ours.num_timesteps == theirs.num_timesteps
    for (key, a), b in zip(theirs.policy.state_dict().items(), ours.model.policy.state_dict().values(), strict=True):
        assert torch.equal(a, b), key


@pytest.mark.parametrize("name", model_names())
def test_learning_saving_loading_and_learning_on_is_learning_in_one_go(name, tmp_path):
    """In copies of ours; what counts in fractions of a budget (DQN's exploration) needs the same budget in the end."""
    whole = make(name).learn(2 * SIZE)
    half = make(name).learn(2 * SIZE, callback=lambda agent: agent.num_timesteps < SIZE, callback_every=SIZE)
    assert half.num_timesteps == SIZE
    resumed = agents.load(half.save(tmp_path / "agent.safetensors"))
    assert type(resumed).__name__ == type(half).__name__
    assert_same(resumed, half)
    assert_same(resumed.learn(SIZE), whole)
    assert isinstance(resumed.venv, WorldVectorEnv)


@pytest.mark.parametrize("name", ["a2c", "sac"])
def test_a_file_is_safetensors_and_json_and_predicts_as_before_also_without_its_memory(name, tmp_path):
    agent = make(name).learn(2 * SIZE)
    agent.save(tmp_path / "agent.safetensors", replay=False)
    arrays, _ = files.read(tmp_path / "agent.safetensors")
    module = "policy/actor.mu.weight" if name == "sac" else "policy/action_net.weight"
    assert arrays[module].dtype == np.float32
    assert any("optimizer/" in array for array in arrays)
    loaded = agents.load(tmp_path / "agent.safetensors")
    assert ("the replay memory is empty" in loaded.resume_note) == (name == "sac")
    batch = np.stack([agent.observation_space.sample() for _ in range(5)])
    np.testing.assert_array_equal(loaded.predict(batch)[0], agent.predict(batch)[0])
    assert loaded.learn(SIZE).num_timesteps == 3 * SIZE


@pytest.mark.parametrize("name", model_names())
def test_in_a_foreign_environment_it_goes_on_exactly_too(name, tmp_path):
    env = "test/Opaque-v0" if name in DISCRETE else "test/OpaquePendulum-v0"
    whole = make(name, env).learn(2 * SIZE)
    half = make(name, env).learn(2 * SIZE, callback=lambda agent: agent.num_timesteps < SIZE, callback_every=SIZE)
    resumed = agents.load(half.save(tmp_path / "agent.safetensors"), env=env)
    assert_same(resumed.learn(SIZE), whole)
    assert "new episodes" not in resumed.resume_note
    assert not isinstance(resumed.venv, WorldVectorEnv)


def test_where_the_environment_cannot_be_captured_a_resumed_agent_begins_other_episodes(tmp_path):
    agent = make("ppo", "test/Opaque-v0")
    agent.env_state.note = "its state hides somewhere"
    loaded = agents.load(agent.learn(SIZE).save(tmp_path / "a.safetensors"), env="test/Opaque-v0")
    assert "new episodes begin: its state hides somewhere" in loaded.resume_note
    first = make("ppo", "test/Opaque-v0").model.env.reset()
    assert loaded.learn(SIZE).num_timesteps == 2 * SIZE
    assert not np.array_equal(agents.load(tmp_path / "a.safetensors", env="test/Opaque-v0").model.env.reset(), first)


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_episodes_are_kept_as_ours_are(name):
    agent = make(name, n_envs=4).learn(1000)
    history = agent.history
    assert len(history) > 10
    assert (history["return"] == history["length"]).all()
    assert (history["terminated"] == 1).all()
    assert np.all(np.diff(history["timesteps"]) >= 0)
    assert history["length"].sum() <= agent.num_timesteps
    assert history["timesteps"][-1] <= agent.num_timesteps


def test_a_time_limit_is_a_truncation_and_the_memory_knows_it():
    agent = make("dqn", gym.make("CartPole-v1", max_episode_steps=4)).learn(100)
    assert (agent.history["terminated"] == 0).all()
    memory = agent.model.replay_buffer
    assert memory.timeouts[:100].sum() == 25
    assert (memory.timeouts[:100] == memory.dones[:100]).all()
    np.testing.assert_array_less(0, np.abs(memory.next_observations[3] - memory.observations[4]).sum())


def test_budgets_are_rounded_up_to_whole_rollouts_and_told():
    assert make("ppo").learn(40).num_timesteps == 64
    assert make("sac").learn(41).num_timesteps == 41
    assert len(make("a2c").learn(episodes=5).history) in (5, 6)
    for bad in ({}, {"total_timesteps": 0}, {"episodes": True}):
        with pytest.raises(ValueError, match=r"total_timesteps|episodes"):
            make("ppo").learn(**bad)


@pytest.mark.parametrize("name", ["ppo", "sac"])
def test_callbacks_hear_of_updates_and_stop_them(name):
    steps = []
    agent = make(name)

    def call(one):
        assert one is agent
        steps.append(one.num_timesteps)
        return len(steps) < 3

    agent.learn(10_000, callback=call, callback_every=32)
    assert steps == [32, 64, 96]
    assert agent.num_timesteps == 96
    assert set(agent.metrics) >= {"learning_rate", "n_updates"}
    names = list(agent.metrics)
    agent.learn(32)
    assert list(agent.metrics) == names


@pytest.mark.parametrize("gently", [True, False])
def test_stop_ends_learning_from_a_callback_of_any_thread(gently, tmp_path):
    agent = make("ppo", n_steps=64)
    agent.learn(1280, callback=lambda one: one.stop(at_episode_end=gently))
    assert agent.num_timesteps in (128, 130)
    assert_same(agents.load(agent.save(tmp_path / "a.safetensors")), agent)
    np.testing.assert_array_equal(agent.model._last_obs, agent.venv.observations)


def test_the_global_generators_stay_as_they_were():
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002
    first, second = make("ppo"), make("dqn", seed=4)
    first.learn(SIZE)
    second.learn(SIZE)
    first.learn(SIZE)
    first.predict(first.observation_space.sample(), deterministic=False)
    assert torch.equal(torch_before, torch.get_rng_state())
    assert np.array_equal(numpy_before, np.random.get_state(legacy=False)["state"]["key"])  # noqa: NPY002
    undisturbed = make("ppo").learn(SIZE).learn(SIZE)
    assert all(np.array_equal(a, weights(first)[name]) for name, a in weights(undisturbed).items() if name.startswith("policy"))


@pytest.mark.parametrize("name", [name for name in ("ppo", "sac", "recurrentppo") if name in model_names()])
def test_predict_answers_as_our_agents_do_and_everybody_can_evaluate_it(name):
    agent = make(name)
    one = agent.observation_space.sample()
    action, _ = agent.predict(one)
    assert type(action) is int if name in DISCRETE else action.shape == agent.action_space.shape
    assert agent.action_space.contains(action)
    batch = np.stack([one] * 3)
    assert agent.predict(batch)[0].shape == (3, *agent.action_space.shape)
    mean, _ = evaluate_policy(agent, gym.make(agent.env.spec.id), 2, warn=False)
    assert np.isfinite(mean)
    assert np.isfinite(evaluate(agent, agent.env.spec.id, 3)).all()


def test_what_is_wrong_is_said_in_one_sentence():
    refused = [("ars", "cannot be trained here"), ("maskableppo", "action_mask")]
    for name, sentence in [("ppa", "did you mean 'ppo'"), *(refused if "trpo" in model_names() else [])]:
        with pytest.raises(ValueError, match=sentence):
            agent_class(name)
    for settings in ({"n_stepz": 3}, {"gamma": "high"}, {"device": "tpu"}, {"learning_rate": -1.0}, {"policy": "Mlp"}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            make("ppo", **settings)
    with pytest.raises(ValueError, match="SB3SAC"):
        make("sac", "CartPole-v1")
    with pytest.raises(ValueError, match="SB3DQN"):
        make("dqn", "Pendulum-v1")

    class Shifted(gym.Env):
        observation_space, action_space = spaces.Discrete(2), spaces.Discrete(2, start=1)

    with pytest.raises(ValueError, match="begin at 1"):
        make("dqn", Shifted())


@pytest.mark.parametrize("validates", [True, False])  # torch.compile, in any test before, tells distributions not to
def test_a_reward_that_is_no_number_is_named_before_a_model_learns_from_it(validates, monkeypatch):
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", validates)

    class Poison(gym.Env):
        observation_space, action_space = spaces.Box(-1, 1, (2,)), spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            return np.zeros(2, np.float32), {}

        def step(self, action):
            return np.zeros(2, np.float32), float("nan"), False, False, {}

    with pytest.raises(EnvironmentFault, match="a reward that is no finite number, nan, at step 1 in copy 0"):
        make("a2c", Poison(), n_envs=1).learn(200)


def test_an_encoder_is_a_setting_and_dictionaries_are_seen(tmp_path):
    class Parts(gym.Env):
        observation_space = spaces.Dict({"a": spaces.Box(-1, 1, (2,), np.float32), "b": spaces.Discrete(3)})
        action_space = spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return {"a": np.zeros(2, np.float32), "b": 1}, {}

        def step(self, action):
            return {"a": np.ones(2, np.float32), "b": 2}, 1.0, bool(self.np_random.random() < 0.2), False, {}

    agent = make("dqn", Parts(), n_envs=1).learn(SIZE)
    loaded = agents.load(agent.save(tmp_path / "a.safetensors"), env=Parts())
    assert loaded.predict(Parts().reset()[0]) == agent.predict(Parts().reset()[0])
    assert loaded.model.replay_buffer.pos == SIZE
    assert isinstance(make("ppo", encoder="flatten").model.policy.features_extractor, Flatten)
    with pytest.raises(ValueError, match="encoder"):
        make("ppo", encoder="natur")
