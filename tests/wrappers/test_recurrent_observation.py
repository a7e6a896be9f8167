"""A memory along the episode: what it shows, when it is emptied, and where it comes from."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from image_world import Pictures
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.agents import DRQN, PPO, RecurrentPPO
from rlcourse.encoders import make, make_memory
from rlcourse.wrappers import EncodeObservation, Flicker, RecurrentObservation

CART = gym.make("CartPole-v1").observation_space


def expected(memory, observations, starts):
    """Return what a memory shows of one sequence [T, ...], in one go."""
    x = torch.as_tensor(np.stack(observations))
    with torch.no_grad():
        features, _ = memory(x[:, None], memory.initial(1), torch.as_tensor(np.array(starts))[:, None])
        return torch.cat([memory.encoder(x), features[:, 0]], dim=1).numpy()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("env", "memory", "encoder", "width"),
    [
        (lambda: gym.make("CartPole-v1"), "lstm", "auto", 4 + 16),
        (lambda: gym.make("CartPole-v1"), "gru", "mlp:8", 8 + 16),
        (lambda: gym.make("FrozenLake-v1"), "gru", "embedding:8", 8 + 16),
        (lambda: Pictures((12, 12, 1)), "lstm", "minatar:8", 8 + 16),
    ],
)
def test_features_come_first_then_the_memory_and_both_checkers_pass(env, memory, encoder, width):
    wrapped = RecurrentObservation(env(), memory, features_dim=16, encoder=encoder, seed=3)
    check_env(wrapped, skip_render_check=True)
    sb3_check_env(wrapped)
    assert wrapped.observation_space.shape == (width,)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_what_is_shown_is_what_the_memory_makes_of_the_whole_sequence(name):
    memory = make_memory(name, CART, 8, "mlp:8", layers=2)
    env = RecurrentObservation(gym.make("CartPole-v1", max_episode_steps=6), memory)
    seen, shown, starts = [], [], []
    for seed in range(3):
        observation, done = env.reset(seed=seed)[0], False
        starts.append(True)
        while True:
            shown.append(observation)
            seen.append(np.float32(env.unwrapped.state))
            if done:
                break
            observation, _, terminated, truncated, _ = env.step(0)
            done = terminated or truncated
            starts.append(False)
    assert sum(starts) == 3
    assert np.allclose(shown, expected(memory, seen, starts), atol=1e-6)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_the_memory_is_emptied_where_a_vector_environment_begins_an_episode(mode):
    memory = make_memory("gru", CART, 8)
    limits = (3, 5)
    makers = [lambda limit=limit: RecurrentObservation(gym.make("CartPole-v1", max_episode_steps=limit), memory) for limit in limits]
    venv = SyncVectorEnv(makers, autoreset_mode=mode)
    shown = [venv.reset(seed=0)[0].copy()]
    last = [[], []]  # the observations that end an episode, which SAME_STEP hands over apart
    seen, starts = [[row[:4].copy()] for row in shown[0]], [[True], [True]]
    rows = [[row.copy()] for row in shown[0]]
    fresh = [False, False]  # whether the next step only resets (NEXT_STEP)
    for step in range(17):
        observations, _, terminated, truncated, infos = venv.step(np.array([step % 2, 1]))
        for i in range(2):
            over = bool(terminated[i] or truncated[i])
            if over and mode == AutoresetMode.SAME_STEP:
                final = infos["final_obs"][i]
                rows[i].append(final.copy())
                seen[i].append(final[:4].copy())
                starts[i].append(False)
                last[i].append(len(rows[i]) - 1)
            rows[i].append(observations[i].copy())
            seen[i].append(observations[i][:4].copy())
            starts[i].append(fresh[i] if mode == AutoresetMode.NEXT_STEP else over)
            fresh[i] = over
    for i, limit in enumerate(limits):
        assert sum(starts[i]) > 17 // (limit + 1)
        assert np.allclose(rows[i], expected(memory, seen[i], starts[i]), atol=1e-6)


@pytest.mark.parametrize("kind", [DRQN, RecurrentPPO])
def test_the_memory_of_an_agents_file_is_the_agents(tmp_path, kind):
    agent = kind("CartPole-v1", encoder="mlp:16", memory_size=8, seed=1)
    path = agent.save(tmp_path / "agent.safetensors")
    env = RecurrentObservation(gym.make("CartPole-v1"), path)
    memory = agent.network.memory if kind is DRQN else agent.policy.memory
    shown = [env.reset(seed=0)[0]]
    seen = [np.float32(env.unwrapped.state)]
    for _ in range(5):
        shown.append(env.step(0)[0])
        seen.append(np.float32(env.unwrapped.state))
    assert np.allclose(shown, expected(memory, seen, [True] + [False] * 5), atol=1e-6)
    copies = SyncVectorEnv([lambda: gym.make(env.spec)] * 2)
    assert np.allclose(copies.reset(seed=0)[0][0], shown[0])


def test_a_frozen_memory_is_a_copy_and_a_live_one_follows_its_training():
    env, memory = gym.make("CartPole-v1"), make_memory("gru", CART, 8)
    frozen, live = RecurrentObservation(env, memory), RecurrentObservation(env, memory, frozen=False)
    before = frozen.reset(seed=0)[0]
    assert np.array_equal(before, live.reset(seed=0)[0])
    with torch.no_grad():
        for weight in memory.parameters():
            weight.add_(0.1)
    assert np.array_equal(before, frozen.reset(seed=0)[0])
    assert not np.array_equal(before, live.reset(seed=0)[0])
    assert live.spec is None


def test_vision_and_memory_stack_and_what_flickers_is_remembered():
    """The two models of World Models; after a blank image the memory still differs by what was seen before."""
    env = EncodeObservation(Flicker(gym.make("rlcourse/PixelCatch-v0"), 0.5), "lenet5:16")
    env = RecurrentObservation(env, "gru", features_dim=8)
    assert env.observation_space.shape == (24,)
    blank = env.env.observation(np.zeros((28, 28, 1), np.uint8))
    memories = set()
    for seed in range(30):
        env.reset(seed=seed)
        for _ in range(4):
            shown = env.step(1)[0]
        if np.array_equal(shown[:16], blank):
            memories.add(shown[16:].tobytes())
    assert len(memories) > 5


@pytest.mark.parametrize(
    ("make_it", "sentence"),
    [
        (lambda env: RecurrentObservation(env, "transformer"), "memory must be 'attention', 'gru'"),
        (lambda env: RecurrentObservation(env, "gru", frozen=False), "pass the module itself"),
        (lambda env: RecurrentObservation(env, make("mlp", CART)), "or use EncodeObservation"),
        (
            lambda env: RecurrentObservation(env, make_memory("gru", gym.spaces.Box(-1, 1, (7,)))),
            "does not take observations of",
        ),
        (lambda env: RecurrentObservation(env, "missing.safetensors"), "there is no file 'missing.safetensors'"),
    ],
)
def test_what_cannot_remember_is_refused_in_one_sentence(make_it, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_it(gym.make("CartPole-v1"))


def test_a_file_without_a_memory_is_refused_in_one_sentence(tmp_path):
    path = PPO("CartPole-v1", encoder="mlp:16").save(tmp_path / "ppo.safetensors")
    with pytest.raises(ValueError, match="which has no memory; take the file of a DRQN or a RecurrentPPO"):
        RecurrentObservation(gym.make("CartPole-v1"), path)
