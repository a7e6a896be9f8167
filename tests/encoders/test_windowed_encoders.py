"""Memories over a window, against the same memories carried along an episode."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rlcourse import encoders
from rlcourse.agents import DQN, PPO
from rlcourse.wrappers import Window

K, H = 5, 8
KINDS = ("lstm", "gru", "rnn", "attention")
kinds = pytest.mark.parametrize("kind", KINDS)


def made(kind, env_id="CartPole-v1", k=K):
    env = Window(gym.make(env_id), k)
    torch.manual_seed(0)
    return env, encoders.make(f"window-{kind}:{H}", env.observation_space)


def episode(env, steps):
    """Return the windows of an episode [T, k, n + 1], and its observations [T, n]."""
    windows = [env.reset(seed=3)[0]]
    for t in range(steps - 1):
        windows.append(env.step(t % 2)[0])
    windows = torch.from_numpy(np.stack(windows))
    return windows, windows[:, -1, :-1]


@kinds
def test_within_a_window_it_is_the_memory_that_is_carried_along(kind):
    env, encoder = made(kind)
    windows, observations = episode(env, K)  # as a batch, windows of 1 to K rows
    expected, _ = encoder.memory(observations.unsqueeze(1), encoder.memory.initial(1))
    torch.testing.assert_close(encoder(windows), expected[:, 0], atol=1e-6, rtol=1e-5)


@kinds
def test_beyond_it_it_is_the_memory_of_the_last_observations(kind):
    env, encoder = made(kind)
    windows, observations = episode(env, 9)
    last, _ = encoder.memory(observations[-K:].unsqueeze(1), encoder.memory.initial(1))
    torch.testing.assert_close(encoder(windows)[-1], last[-1, 0], atol=1e-6, rtol=1e-5)
    whole, _ = encoder.memory(observations.unsqueeze(1), encoder.memory.initial(1))
    if kind == "attention":  # whose memory is that window
        torch.testing.assert_close(encoder(windows), whole[:, 0], atol=1e-6, rtol=1e-5)
    else:
        assert not torch.allclose(encoder(windows)[-1], whole[-1, 0])


@kinds
def test_rows_from_before_the_episode_do_not_count(kind):
    env, encoder = made(kind)
    windows, _ = episode(env, K)
    other = windows.clone()
    other[..., :-1] += 100.0 * (other[..., -1:] == 0.0)
    assert not torch.equal(windows, other)
    torch.testing.assert_close(encoder(windows), encoder(other), atol=0, rtol=0)
    other.requires_grad_()
    (gradient,) = torch.autograd.grad(encoder(other).square().sum(), other)
    assert torch.all(gradient[other[..., -1] == 0.0] == 0.0)


@kinds
def test_marks_that_an_agent_has_normalised_still_tell(kind):
    env, encoder = made(kind)
    windows, _ = episode(env, K)
    mean, deviation = windows[..., -1].mean(0), windows[..., -1].std(0) + 1e-4
    normalised = windows.clone()
    normalised[..., -1] = (windows[..., -1] - mean) / deviation  # the newest row, which is always there, becomes zero
    assert normalised[0, -1, -1] == 0.0
    torch.testing.assert_close(encoder(windows), encoder(normalised))


@kinds
@pytest.mark.parametrize("id", ["CartPole-v1", "rlcourse/TMaze-v0"])
def test_agents_without_memory_take_them(kind, id, tmp_path):
    env = Window(gym.make(id), 4)
    small = {"encoder": f"window-{kind}:8", "hidden": (8,), "seed": 0}
    agent = PPO(env, n_envs=2, n_steps=16, batch_size=16, n_epochs=1, **small).learn(64)
    again = PPO.load(agent.save(tmp_path / "agent.safetensors"), env=env)
    window, _ = env.reset(seed=0)
    assert agent.predict(window)[0] == again.predict(window)[0]
    DQN(env, n_envs=2, learning_starts=20, batch_size=8, buffer_size=200, **small).learn(64)


def test_what_shows_no_windows_is_refused_in_one_sentence():
    for space in (gym.spaces.Box(-1, 1, (4,)), gym.spaces.Box(-1, 1, (4, 3)), gym.spaces.Discrete(4)):
        with pytest.raises(ValueError, match=r"'window-gru' needs windows: wrap the environment in rlcourse.wrappers.Window"):
            encoders.make("window-gru", space)
    with pytest.raises(ValueError, match="no layers to normalise"):
        encoders.make("window-lstm+bn", made("lstm")[0].observation_space)
