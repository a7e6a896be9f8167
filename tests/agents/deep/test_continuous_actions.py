"""Actions within bounds: the squashed Gaussian, any Box, and the noise of exploring."""

import math

import gymnasium as gym
import numpy as np
import pytest
import torch
from continuous_harness import AGENTS, agent_of
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from rlcourse.agents import PPO, CrossQ
from rlcourse.agents.deep.action_noise import ActionNoise, HeldNoise
from rlcourse.agents.deep.continuous_networks import Bounds, Critics, SquashedActor

SPACE = gym.spaces.Box(-1, 1, (3,))


def squashed(n=2, seed=0):
    return SquashedActor(SPACE, n, (16,), "flatten", torch.Generator().manual_seed(seed))


def test_the_log_probability_is_that_of_torchs_transformed_distribution():
    actor, x, noise = squashed(), torch.randn(7, 3), torch.randn(7, 2)
    actions, log_prob = actor(x, noise)
    mean, log_std = actor.net.alone(0, x).chunk(2, dim=1)
    theirs = TransformedDistribution(Normal(mean, log_std.exp()), TanhTransform(cache_size=1))
    torch.testing.assert_close(log_prob, theirs.log_prob(actions).sum(1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(actions, torch.tanh(mean + log_std.exp() * noise))
    torch.testing.assert_close(actor.mode(x), torch.tanh(mean))


def test_a_saturated_action_has_a_finite_log_probability_that_a_clipped_one_would_miss():
    actor = squashed(1)
    with torch.no_grad():
        actor.net.weights[-1].zero_()
        actor.net.biases[-1].copy_(torch.tensor([12.0, 0.0]))
    actions, log_prob = actor(torch.zeros(3, 3), torch.zeros(3, 1))
    assert torch.all(actions == 1.0), "tanh rounds to one"
    expected = -0.5 * math.log(2 * math.pi) - 2 * (math.log(2.0) - 12.0 - math.log1p(math.exp(-24.0)))
    torch.testing.assert_close(log_prob, torch.full((3,), expected))
    clipped = Normal(12.0, 1.0).log_prob(torch.atanh(torch.tensor(1 - 1e-6))) - math.log(1 - (1 - 1e-6) ** 2)
    assert abs(clipped.item() - expected) > 1.0


def test_the_first_critic_alone_is_the_first_of_all():
    critics = Critics(SPACE, 2, (16, 8), "flatten", torch.Generator().manual_seed(0), critics=5)
    S, A = torch.randn(6, 3), torch.rand(6, 2)
    assert critics(S, A).shape == (5, 6)
    torch.testing.assert_close(critics(S, A)[0], critics.first(S, A))


class Ranged(gym.Env):
    """Any Box of actions; it remembers what was done."""

    observation_space = gym.spaces.Box(-1, 1, (2,), dtype=np.float32)

    def __init__(self, space):
        self.action_space, self.seen = space, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.seen.append(action)
        return np.zeros(2, np.float32), 0.0, False, len(self.seen) % 10 == 0, {}


@pytest.mark.parametrize("kind", AGENTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_actions_fill_asymmetric_bounds_of_any_precision(kind, dtype):
    env = Ranged(gym.spaces.Box(-2, 3, (2, 2), dtype))
    agent = agent_of(kind, env).learn(60)
    seen = np.array(env.seen[:20])
    assert seen.min() < -1.5
    assert seen.max() > 2.5
    assert np.abs(agent.replay.actions[:20]).max() <= 1.0, "the memory holds scaled actions"
    np.testing.assert_allclose(2.5 * agent.replay.actions[:20, 0] + 0.5, seen, atol=1e-5)
    action = agent.predict(np.zeros(2, np.float32))[0]
    assert action.dtype == dtype
    assert action.shape == (2, 2)


def test_rounding_never_leaves_the_box():
    space = gym.spaces.Box(np.float32(0.1), np.float32(0.7), (1,))
    bounds = Bounds(space, "SAC")
    for end in (-1.0, 1.0):
        assert space.contains(bounds.taken(np.array([[end]], np.float32))[0])


@pytest.mark.parametrize("kind", AGENTS)
@pytest.mark.parametrize(("low", "high"), [(-np.inf, np.inf), (0.0, np.inf), (-np.inf, 1.0)])
def test_infinite_bounds_are_refused_with_the_fix(kind, low, high):
    with pytest.raises(ValueError, match=f"{kind.__name__} needs actions with finite bounds.*TransformAction"):
        agent_of(kind, Ranged(gym.spaces.Box(low, high, (1,))))


@pytest.mark.parametrize("kind", [*AGENTS, CrossQ, PPO])
def test_whole_numbers_are_rounded_to_and_what_is_no_number_is_never_taken(kind):
    env = Ranged(gym.spaces.Box(-3, 3, (2,), np.int8))
    agent = kind(env, seed=0, n_envs=1, hidden=(16, 16)).learn(60)
    assert {int(number) for action in env.seen for number in action} <= set(range(-3, 4))
    assert len({int(number) for action in env.seen for number in action}) > 2
    assert agent.predict(np.zeros(2, np.float32))[0].dtype == np.int8
    with torch.no_grad():
        for part in agent.parts().values():
            if isinstance(part, torch.nn.Module):
                for parameter in part.parameters():
                    parameter.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="no longer a number"):
        agent.predict(np.zeros(2, np.float32))


def test_an_ornstein_uhlenbeck_process_begins_anew_with_each_episode_and_drifts():
    noise, rng = ActionNoise("ornstein_uhlenbeck", 0.5, 2, 1), np.random.default_rng(0)
    path = np.array([noise(np.zeros(2, bool), rng)[:, 0] for _ in range(4000)])
    x, y = path[:-1].reshape(-1), path[1:].reshape(-1)
    assert np.corrcoef(x, y)[0, 1] > 0.99
    assert np.std(np.diff(path, axis=0)) == pytest.approx(0.05, rel=0.05)
    noise(np.array([True, False]), rng)
    assert abs(noise.x[0, 0]) < 0.3
    plain = ActionNoise("normal", 0.5, 2, 1)
    drawn = np.array([plain(np.zeros(2, bool), rng)[:, 0] for _ in range(4000)])
    assert drawn.std() == pytest.approx(0.5, rel=0.05)
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.05


def test_held_noise_changes_every_few_steps_and_resumes_within_them():
    generator = torch.Generator().manual_seed(0)
    noise = HeldNoise(4, 2, 1)
    drawn = [noise(generator).clone() for _ in range(6)]
    assert all(torch.equal(drawn[0], x) for x in drawn[1:4])
    assert not torch.equal(drawn[3], drawn[4])
    other = HeldNoise(4, 2, 1)
    other.load_state_dict({"x": noise.x.numpy(), "age": noise.age})
    assert [torch.equal(other(generator), drawn[4]) for _ in range(3)] == [True, True, False]
