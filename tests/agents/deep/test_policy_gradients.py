"""REINFORCE and A2C, and what they share with PPO: losses, advantages, identities between them."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from one_step import OneStep

from rlcourse.agents import A2C, PPO, REINFORCE
from rlcourse.agents.deep.losses import approximate_kl, clip_fraction, clipped_value_loss, policy_gradient_loss
from rlcourse.core.evaluation import evaluate
from rlcourse.core.returns import discounted_returns, gae
from rlcourse.core.schedules import Linear
from rlcourse.core.vector import WorldVectorEnv


def test_the_policy_gradients_loss_by_hand():
    log_prob = torch.tensor([-0.5, -2.0, -1.0], requires_grad=True)
    loss = policy_gradient_loss(log_prob, torch.tensor([2.0, -1.0, 3.0]))
    assert loss.item() == pytest.approx(-(-1.0 + 2.0 - 3.0) / 3)
    loss.backward()
    torch.testing.assert_close(log_prob.grad, torch.tensor([-2.0, 1.0, -3.0]) / 3)


def test_a_clipped_value_by_hand_and_without_gradient_beyond_its_range():
    v = torch.tensor([1.5, 0.95, -2.0], requires_grad=True)
    loss = clipped_value_loss(v, torch.tensor([1.0, 1.0, -1.0]), torch.tensor([2.0, 2.0, 0.0]), 0.1)
    assert loss.item() == pytest.approx((0.9**2 + 1.05**2 + 1.1**2) / 3, rel=1e-6)
    loss.backward()
    torch.testing.assert_close(v.grad, torch.tensor([0.0, -2.1 / 3, 0.0]))


def test_the_kl_estimate_by_hand_and_on_average_the_exact_one():
    old, new = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.4, 0.4, 0.2])
    estimate = approximate_kl(new.log()[:1], old.log()[:1]).item()
    assert estimate == pytest.approx(0.8 - 1 - np.log(0.8), abs=1e-6)
    terms = torch.stack([approximate_kl(new.log()[i : i + 1], old.log()[i : i + 1]) for i in range(3)])
    assert (old * terms).sum().item() == pytest.approx((old * (old / new).log()).sum().item(), abs=1e-6)
    assert clip_fraction(new.log(), old.log(), 0.25).item() == pytest.approx(1 / 3)


def by_episodes(rewards, values, following, terminated, ended, gamma, lam):
    """Advantages by the sum of every step's own TD errors, within its episode."""
    T, N = rewards.shape
    found = np.zeros((T, N))
    for i in range(N):
        for t in range(T):
            for k in range(t, T):
                delta = rewards[k, i] + (0.0 if terminated[k, i] else gamma * following[k, i]) - values[k, i]
                found[t, i] += (gamma * lam) ** (k - t) * delta
                if ended[k, i]:
                    break
    return found


def random_rollout(seed):
    rng = np.random.default_rng(seed)
    terminated, truncated = rng.random((12, 3)) < 0.2, rng.random((12, 3)) < 0.2
    return rng.normal(size=(12, 3)), rng.normal(size=(12, 3)), rng.normal(size=(12, 3)) + 100, terminated, terminated | truncated


@pytest.mark.parametrize("seed", range(3))
def test_advantages_with_ends_in_the_middle_are_the_sums_within_each_episode(seed):
    rollout = random_rollout(seed)
    assert rollout[-1][1:-1].any()
    np.testing.assert_allclose(gae(*rollout, 0.9, 0.8), by_episodes(*rollout, 0.9, 0.8), rtol=1e-9)


def test_advantages_with_lambda_one_are_returns_less_values_and_with_lambda_zero_one_step_errors():
    rewards, values, following, terminated, ended = random_rollout(5)
    following[:-1] = np.where(ended[:-1], following[:-1], values[1:])  # within an episode the next row is the successor
    returns = discounted_returns(rewards, following, terminated, ended, 0.9)
    np.testing.assert_allclose(gae(rewards, values, following, terminated, ended, 0.9, 1.0), returns - values)
    one_step = rewards + np.where(terminated, 0.0, 0.9 * following) - values
    np.testing.assert_allclose(gae(rewards, values, following, terminated, ended, 0.9, 0.0), one_step)


@pytest.mark.parametrize("terminates", [True, False])
def test_nothing_flows_from_one_episode_to_the_one_before(terminates):
    rewards, zeros, over = np.array([[0.0], [100.0]]), np.zeros((2, 1)), np.array([[terminates], [terminates]])
    assert gae(rewards, zeros, zeros, over, np.ones((2, 1), bool), 0.99, 0.95).tolist() == [[0.0], [100.0]]


def whole_episodes(kind, **settings):
    return kind("CartPole-v1", n_envs=1, gamma=0.97, hidden=(8,), seed=1, **settings)


def test_reinforce_with_a_learned_value_has_a2cs_gradient_on_whole_episodes():
    reinforce = whole_episodes(REINFORCE, baseline="value", episodes_per_update=3)
    reinforce._observation = reinforce.venv.reset(seed=0)[0]
    reinforce._collect(reinforce.episodes, reinforce._act, 10_000)
    e, T = reinforce.episodes, reinforce.episodes.length
    assert e.complete
    a2c = whole_episodes(A2C, gae_lambda=1.0, n_steps=T)
    a2c.policy.load_state_dict(reinforce.policy.state_dict())
    r = a2c.rollout
    r.length = r.valid = T
    for name in ("observations", "actions", "rewards", "terminated", "ended"):
        getattr(r, name)[:T] = getattr(e, name)[:T]
    reinforce.loss()[0].backward()
    a2c.loss()[0].backward()
    torch.testing.assert_close(reinforce.optimizer.gradient, a2c.optimizer.gradient, atol=1e-5, rtol=1e-5)


def test_ppo_at_ratio_one_has_a2cs_gradient():
    same = {"n_steps": 64, "gae_lambda": 0.9}
    ppo, a2c = whole_episodes(PPO, normalize_advantage=False, **same), whole_episodes(A2C, **same)
    ppo._observation = ppo.venv.reset(seed=0)[0]
    noise = ppo.policy.noise((64, 1), ppo.generator)
    ppo._collect(ppo.rollout, lambda t, seen: ppo._act(seen, noise[t]), 64)
    a2c.policy.load_state_dict(ppo.policy.state_dict())
    a2c.rollout = ppo.rollout
    ppo.loss(ppo._prepare(), 0.2)[0].backward()
    a2c.loss()[0].backward()
    torch.testing.assert_close(ppo.optimizer.gradient, a2c.optimizer.gradient, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", [A2C, REINFORCE])
@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 2.0)])
def test_a_truncated_episode_bootstraps_and_a_terminated_one_does_not(kind, terminates, value):
    env = WorldVectorEnv(OneStep(terminates), 4, max_episode_steps=1)
    settings = {"n_steps": 16, "optimizer": "adam"} if kind is A2C else {"episodes_per_update": 16}
    agent = kind(env, gamma=0.5, learning_rate=0.02, seed=0, **settings).learn(16 * 400)
    assert agent.policy(torch.tensor([[0.5]]))[1].item() == pytest.approx(value, abs=0.1)


@pytest.mark.parametrize("baseline", ["none", "mean"])
def test_without_a_critic_the_return_up_to_the_cut_is_taken_for_the_whole(baseline):
    agent = REINFORCE(WorldVectorEnv(OneStep(False), 1, max_episode_steps=1), baseline=baseline, episodes_per_update=4, gamma=0.5, seed=0)
    agent._observation = agent.venv.reset(seed=0)[0]
    agent._collect(agent.episodes, agent._act, 100)
    assert agent.returns().tolist() == [[1.0]] * 4
    loss = agent.loss()[0].item()
    assert loss == pytest.approx(0.0 if baseline == "mean" else np.log(2), abs=0.01)


def test_an_episode_cut_by_the_budget_waits_and_is_played_to_its_end():
    agent = REINFORCE("CartPole-v1", episodes_per_update=1, hidden=(8,), seed=0)
    before = agent.policy.state_dict()["weights.0"].clone()
    agent.learn(5)
    assert agent.episodes.length == 5
    assert torch.equal(agent.policy.weights[0], before)
    agent.learn(episodes=1)
    assert agent.episodes.length == 0
    assert agent.history["length"][0] == agent.num_timesteps
    assert not torch.equal(agent.policy.weights[0], before)


def test_copies_learn_from_the_episodes_that_began_first_not_from_those_that_ended_first():
    agent = REINFORCE("CartPole-v1", n_envs=4, episodes_per_update=6, hidden=(8,), seed=0)
    agent._observation = agent.venv.reset(seed=0)[0]
    agent._collect(agent.episodes, agent._act, 10_000)
    e, T = agent.episodes, agent.episodes.length
    assert e.complete
    assert set(range(6)) <= set(e.numbers[:T].ravel())
    for number in range(6):  # each of them whole, in one copy
        rows, copies = np.nonzero(e.numbers[:T] == number)
        assert len(set(copies)) == 1
        assert e.ended[:T][rows, copies].tolist() == [False] * (len(rows) - 1) + [True]
    agent = REINFORCE("CartPole-v1", n_envs=4, episodes_per_update=6, hidden=(8,), seed=0).learn(1001)
    assert agent.num_timesteps == 1001
    assert np.isfinite(agent.metrics["mean_return"])


def test_target_kl_ends_the_epochs_and_metrics_say_how_far_the_policy_moved():
    settings = {"n_envs": 4, "n_steps": 32, "batch_size": 64, "n_epochs": 20, "learning_rate": 0.03, "seed": 0}
    held, free = PPO("CartPole-v1", target_kl=0.01, **settings).learn(128), PPO("CartPole-v1", **settings).learn(128)
    assert free.metrics["updates"] == 40
    assert 0 < held.metrics["updates"] < 40
    assert free.metrics["approx_kl"] > 0
    assert 0 <= free.metrics["clip_fraction"] <= 1


def test_the_entropy_weight_follows_its_schedule_and_values_are_clipped():
    settings = {"n_envs": 4, "n_steps": 16, "batch_size": 64, "n_epochs": 2, "seed": 0}
    scheduled = PPO("CartPole-v1", ent_coef=Linear(0.1, 0.0, 64), **settings).learn(64)
    without = PPO("CartPole-v1", **settings).learn(64)
    assert torch.equal(scheduled.optimizer.parameters, without.optimizer.parameters), "at step 64 the weight is zero"
    with_entropy = PPO("CartPole-v1", ent_coef=0.1, **settings).learn(64)
    assert not torch.equal(with_entropy.optimizer.parameters, without.optimizer.parameters)
    clipped = PPO("CartPole-v1", clip_range_vf=1e-3, **settings).learn(64)
    assert not torch.equal(clipped.optimizer.parameters, without.optimizer.parameters)
    with pytest.raises(ValueError, match="target_kl"):
        PPO("CartPole-v1", target_kl=-1.0)


@pytest.mark.parametrize("kind", [A2C, PPO, REINFORCE])
def test_evaluation_does_not_move_the_normalisation_and_loading_keeps_every_bit_of_it(kind, tmp_path):
    extra = {} if kind is REINFORCE else {"normalize_rewards": True}
    agent = kind("CartPole-v1", normalize_observations=True, hidden=(8,), seed=0, **extra).learn(3000)
    moments = {name: np.copy(part) for name, part in agent.normalizer.state_dict().items()}
    assert moments["observations"][2].max() > 0
    evaluate(agent, gym.make("CartPole-v1"), 2)
    observations = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    seen = agent._tensor(observations)
    agent.predict(observations)
    loaded = kind.load(agent.save(tmp_path / "agent"))
    for name, part in agent.normalizer.state_dict().items():
        assert np.array_equal(part, moments[name])
        assert np.array_equal(part, loaded.normalizer.state_dict()[name])
    assert torch.equal(loaded._tensor(observations), seen)
    assert torch.equal(loaded.policy(seen)[0], agent.policy(seen)[0])
    assert np.array_equal(loaded.predict(observations)[0], agent.predict(observations)[0])


@pytest.mark.parametrize("name", ["a2c", "reinforce"])
def test_they_learn_cartpole_with_the_preset(name):
    # 10 of 10 seeds of both reach 475 by benchmarks/pass_rates.py cartpole:a2c cartpole:reinforce; here a share of the budget
    from rlcourse.presets import load

    kind = {"a2c": A2C, "reinforce": REINFORCE}[name]
    agent = kind("CartPole-v1", seed=0, **load("cartpole").agents[name]).learn(16_000)
    assert evaluate(agent, "CartPole-v1", 20).mean() > 50, "an untrained one falls after some 10 to 20 steps"
