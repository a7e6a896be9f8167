"""Discrete SAC."""

import math

import gymnasium as gym
import numpy as np
import pytest
import torch
from one_step import OneStep
from torch import nn

from rlcourse.agents import DiscreteSAC
from rlcourse.agents.deep.discrete_sac import actor_loss, soft_value, temperature_loss
from rlcourse.agents.deep.q_losses import critic_loss, taken
from rlcourse.core.evaluation import evaluate
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import CartPole

TINY = {"n_envs": 2, "batch_size": 8, "learning_starts": 16, "buffer_size": 500, "hidden": (8,)}


def test_the_soft_value_is_the_enumeration_of_all_actions():
    q, logits, alpha = torch.randn(2, 5, 3), torch.randn(5, 3), torch.tensor(0.3)
    value = soft_value(q, logits.log_softmax(1), alpha)
    for b in range(5):
        weights = [math.exp(logits[b, a]) for a in range(3)]
        total = 0.0
        for a in range(3):
            p = weights[a] / sum(weights)
            total += p * (min(q[0, b, a].item(), q[1, b, a].item()) - 0.3 * math.log(p))
        assert value[b].item() == pytest.approx(total, abs=1e-5)


def test_the_losses_are_those_computed_by_hand():
    q = torch.tensor([[[1.0, 2.0]], [[3.0, 0.0]]])  # two critics, one state, two actions
    log_pi = torch.log(torch.tensor([[0.25, 0.75]]))
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert critic_loss(taken(q, torch.tensor([1])), torch.tensor([1.5])).item() == pytest.approx(0.5 * (0.5**2 + 1.5**2))
    assert actor_loss(q, log_pi, torch.tensor(0.2)).item() == pytest.approx(-(0.25 * 1.0 + 0.75 * 0.0 + 0.2 * entropy))
    log_alpha = torch.tensor(-0.5, requires_grad=True)
    loss = temperature_loss(log_alpha, torch.tensor(entropy), 0.3)
    loss.backward()
    assert loss.item() == pytest.approx(-0.5 * (entropy - 0.3))
    assert log_alpha.grad.item() == pytest.approx(entropy - 0.3), "too much entropy lowers alpha"


def test_the_actors_optimum_is_the_softmax_of_q_over_alpha():
    q, alpha = torch.tensor([[[0.3, -0.2, 0.9]]]), torch.tensor(0.5)
    logits = (q[0] / alpha).clone().requires_grad_()
    gradient = torch.autograd.grad(actor_loss(q, logits.log_softmax(1), alpha), logits)[0]
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-7, rtol=0)
    value = soft_value(q, logits.log_softmax(1), alpha)
    torch.testing.assert_close(value, alpha * torch.logsumexp(q[0] / alpha, 1))


def test_with_temperature_near_zero_and_a_greedy_policy_the_value_is_q_learnings():
    q = torch.randn(1, 4, 3)
    log_pi = (q[0] * 1e4).log_softmax(1).clamp(min=-1e3)
    torch.testing.assert_close(soft_value(q, log_pi, torch.tensor(1e-9)), q[0].amax(1))


def ready(**settings) -> DiscreteSAC:
    """An agent with some experience, before its first update."""
    return DiscreteSAC("CartPole-v1", seed=1, **(TINY | {"learning_starts": 200} | settings)).learn(198)


def test_one_update_is_the_textbooks_three_steps_written_out():
    agent = ready(learning_rate=0.01, tau=0.1, ent_coef_init=0.5, gamma=0.9)
    state = agent.rng.bit_generator.state
    batch = agent.replay.sample(8, agent.rng, 0.9)
    agent.rng.bit_generator.state = state

    def perceptron(module, k):
        layers = []
        for i, (weight, bias) in enumerate(zip(module.heads.weights, module.heads.biases, strict=True)):
            linear = nn.Linear(*weight.shape[1:])
            linear.weight.data, linear.bias.data = weight[k].detach().T.clone(), bias[k, 0].detach().clone()
            layers += [*([nn.ReLU()] if i else []), linear]
        return nn.Sequential(*layers)

    actor, q1, q2 = (perceptron(agent.networks, k) for k in range(3))
    t1, t2 = (perceptron(agent.target, k) for k in (1, 2))
    log_alpha = torch.tensor(math.log(0.5), requires_grad=True)
    s, s_, a = torch.as_tensor(batch.observations), torch.as_tensor(batch.next_observations), torch.as_tensor(batch.actions)
    with torch.no_grad():
        p = torch.softmax(actor(s_), 1)
        v = (p * (torch.minimum(t1(s_), t2(s_)) - 0.5 * torch.log(p))).sum(1)
        y = torch.as_tensor(batch.rewards) + torch.as_tensor(batch.discounts) * v
    rows = torch.arange(8)
    loss_q = 0.5 * ((q1(s)[rows, a] - y) ** 2).mean() + 0.5 * ((q2(s)[rows, a] - y) ** 2).mean()
    p = torch.softmax(actor(s), 1)
    loss_pi = (p * (0.5 * torch.log(p) - torch.minimum(q1(s), q2(s)).detach())).sum(1).mean()
    entropy = -(p * torch.log(p)).sum(1).mean().detach()
    loss_alpha = log_alpha * (entropy - 0.3 * math.log(2))
    for loss in (loss_q, loss_pi, loss_alpha):
        loss.backward()
    agent._update()
    for layer, position in ((0, 0), (1, 2)):
        for k, net in enumerate((actor, q1, q2)):
            torch.testing.assert_close(agent.networks.heads.weights[layer].grad[k], net[position].weight.grad.T, atol=1e-6, rtol=1e-4)
            torch.testing.assert_close(agent.networks.heads.biases[layer].grad[k, 0], net[position].bias.grad, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(agent.networks.log_alpha.grad, log_alpha.grad, atol=1e-6, rtol=1e-4)
    assert float(agent.metrics["critic_loss"]) == pytest.approx(loss_q.item(), rel=1e-4)
    assert float(agent.metrics["actor_loss"]) == pytest.approx(loss_pi.item(), rel=1e-4)
    old = t1[0].weight.detach().T
    new = agent.networks.heads.weights[0].detach()[1]
    torch.testing.assert_close(agent.target.heads.weights[0][1], 0.9 * old + 0.1 * new)


def test_an_encoder_with_weights_is_trained_by_the_critics_and_not_by_the_actor():
    class Images(gym.Env):
        observation_space, action_space = gym.spaces.Box(0, 255, (40, 40, 3), np.uint8), gym.spaces.Discrete(3, start=-1)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return self.np_random.integers(0, 256, (40, 40, 3), np.uint8), {}

        def step(self, action):
            assert self.action_space.contains(action)
            return self.np_random.integers(0, 256, (40, 40, 3), np.uint8), 1.0, False, False, {}

    agent = DiscreteSAC(Images(), **(TINY | {"n_envs": 1, "buffer_size": 30})).learn(20)
    agent.optimizer.gradient.zero_()
    logits, q = agent.networks(torch.zeros(2, 40, 40, 3, dtype=torch.uint8))
    logits.square().sum().backward(retain_graph=True)
    assert all(torch.all(parameter.grad == 0) for parameter in agent.networks.encoder.parameters())
    q.square().sum().backward()
    assert any(torch.any(parameter.grad != 0) for parameter in agent.networks.encoder.parameters())
    assert agent.predict(np.zeros((40, 40, 3), np.uint8))[0] in (-1, 0, 1)


@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 2.0)])
def test_a_truncated_episode_bootstraps_and_a_terminated_one_does_not(terminates, value):
    env = WorldVectorEnv(OneStep(terminates), 4, max_episode_steps=1)
    agent = DiscreteSAC(env, **(TINY | {"gamma": 0.5, "learning_rate": 0.01, "tau": 0.1, "ent_coef": 1e-4, "n_envs": 4})).learn(2000)
    q = agent.networks(torch.tensor([[0.5]]))[1].detach().numpy()
    assert q == pytest.approx(np.full((2, 1, 2), value), abs=0.1)
    assert set(agent.history["terminated"]) == {float(terminates)}


def test_sampling_follows_the_policy_and_predicting_takes_its_mode():
    agent = DiscreteSAC("CartPole-v1", **TINY)
    x = np.tile(np.array([0.01, 0.02, 0.03, 0.04], np.float32), (20_000, 1))
    p = torch.softmax(agent.networks.logits(torch.as_tensor(x[:1])), 1)[0]
    drawn = agent.predict(x, deterministic=False)[0]
    assert drawn.mean() == pytest.approx(p[1].item(), abs=0.015)
    assert set(agent.predict(x)[0]) == {int(p.argmax())}


def test_the_temperature_goes_where_the_entropy_is_wanted_or_stays_as_told():
    fixed = DiscreteSAC("CartPole-v1", **TINY, ent_coef=0.7).learn(200)
    assert fixed.networks.log_alpha.item() == pytest.approx(math.log(0.7))
    agent = DiscreteSAC("CartPole-v1", **TINY, target_entropy=0.98, learning_rate=0.01, seed=0).learn(200)
    assert agent.networks.log_alpha.item() != 0.0
    assert agent.entropy_wanted == pytest.approx(0.98 * math.log(2))


@pytest.mark.parametrize("env", ["CartPole-v1", "FrozenLake-v1"])
def test_it_resumes_bit_for_bit(env, tmp_path):
    whole = DiscreteSAC(env, seed=3, **TINY).learn(400)
    DiscreteSAC(env, seed=3, **TINY).learn(200).save(tmp_path / "half")
    half = DiscreteSAC.load(tmp_path / "half", env=env).learn(200)
    assert torch.equal(whole.optimizer.parameters, half.optimizer.parameters)
    assert torch.equal(whole._target.parameters, half._target.parameters)
    assert np.array_equal(whole.history.rows, half.history.rows)


def test_box_actions_are_refused():
    with pytest.raises(ValueError, match="DiscreteSAC acts in Discrete spaces"):
        DiscreteSAC("Pendulum-v1")


def test_it_learns_cartpole_with_the_preset():
    from rlcourse.presets import load

    agent = DiscreteSAC("CartPole-v1", seed=0, **(load("cartpole").agents["discrete_sac"] | {"batch_size": 64, "hidden": (64, 64)})).learn(
        4_000
    )
    assert evaluate(agent, WorldEnv(CartPole()), 20, max_steps=500).mean() > 120
