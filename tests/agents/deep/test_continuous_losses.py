"""Losses of DDPG, TD3 and SAC: by hand, beside stable-baselines3's, and broken line by line."""

from types import SimpleNamespace

import numpy as np
import pytest
import stable_baselines3
import torch
from continuous_harness import AGENTS, B, agent_of, batch_of, feed, record
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch.distributions import Normal

from rlcourse.agents import DDPG, SAC, TD3
from rlcourse.agents.deep.q_losses import critic_loss, td_targets


def test_the_critics_loss_is_the_written_out_one():
    values, y = torch.tensor([[1.0, 2.0], [0.0, -1.0]]), torch.tensor([3.0, 1.0])
    assert critic_loss(values, y).item() == pytest.approx(0.5 * ((4 + 1) / 2 + (9 + 4) / 2))


def test_a_target_counts_the_reward_alone_after_a_termination_whatever_the_network_says():
    y = td_targets(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([0.5, 0.0, 0.0]), torch.tensor([4.0, 4.0, float("nan")]))
    assert y.tolist() == [3.0, 1.0, 1.0]


def as_theirs(model, batch, gamma=0.9):
    """Give a model of stable-baselines3 the same batch, and collect its losses and gradients."""
    done = (batch.discounts == 0).astype(np.float32)
    parts = [batch.observations, batch.actions, batch.next_observations, done, batch.rewards]
    tensors = [torch.as_tensor(part).reshape(B, -1) for part in parts]
    model.replay_buffer = SimpleNamespace(sample=lambda *_, **__: ReplayBufferSamples(*tensors, None))
    logged, gradients = {}, {}
    model._logger = SimpleNamespace(record=lambda key, value, **_: logged.update({key: value}))

    def still(name, optimizer, parameters):
        optimizer.step = lambda: gradients.update({name: [part.grad.clone() for part in parameters]})

    still("actor", model.actor.optimizer, list(model.actor.parameters()))
    still("critic", model.critic.optimizer, list(model.critic.parameters()))
    if getattr(model, "ent_coef_optimizer", None) is not None:
        still("temperature", model.ent_coef_optimizer, [model.log_ent_coef])
    model.train(1, B)
    return logged, gradients


def copy_linears(nets, batched):
    """Copy the weights of stable-baselines3's perceptrons into a batched one; return their linear layers, [network][layer]."""
    layers = [[part for part in net if isinstance(part, torch.nn.Linear)] for net in nets]
    with torch.no_grad():
        for k, net in enumerate(layers):
            for i, linear in enumerate(net):
                batched.weights[i][k] = linear.weight.T
                batched.biases[i][k, 0] = linear.bias
    return layers


def assert_same_gradient(layers, batched, tolerance=1e-5):
    for k, net in enumerate(layers):
        for i, linear in enumerate(net):
            torch.testing.assert_close(batched.weights[i].grad[k], linear.weight.grad.T, atol=tolerance, rtol=tolerance)
            torch.testing.assert_close(batched.biases[i].grad[k, 0], linear.bias.grad, atol=tolerance, rtol=tolerance)


def td3_beside_theirs(monkeypatch, policy_delay=1):
    model = stable_baselines3.TD3(
        "MlpPolicy", "Pendulum-v1", gamma=0.9, policy_delay=policy_delay, policy_kwargs={"net_arch": [16, 16]}, seed=1, device="cpu"
    )
    agent = agent_of(TD3, gamma=0.9, policy_delay=policy_delay)
    noise = torch.randn(B, 1)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: noise)
    monkeypatch.setattr(torch.Tensor, "normal_", lambda self, mean, std: self.copy_(mean + std * noise))
    layers = {
        "actor": copy_linears([model.actor.mu], agent.actor.net),
        "critic": copy_linears([model.critic.qf0, model.critic.qf1], agent.critics.net),
    }
    copy_linears([model.actor_target.mu], agent.target_actor.net)
    copy_linears([model.critic_target.qf0, model.critic_target.qf1], agent.target_critics.net)
    return model, agent, layers


def test_td3s_losses_and_gradients_are_stable_baselines3s(monkeypatch):
    model, agent, layers = td3_beside_theirs(monkeypatch)
    batch = batch_of(agent)
    theirs, gradients = as_theirs(model, batch)
    feed(agent, batch)
    record(agent)
    agent._update()
    assert agent.metrics["critic_loss"].item() == pytest.approx(theirs["train/critic_loss"], abs=1e-5)
    assert agent.metrics["actor_loss"].item() == pytest.approx(theirs["train/actor_loss"], abs=1e-5)
    for part, name in ((agent.actor, "actor"), (agent.critics, "critic")):
        for linear, gradient in zip([x for net in layers[name] for y in net for x in y.parameters()], gradients[name], strict=True):
            linear.grad = gradient
        assert_same_gradient(layers[name], part.net)


@pytest.mark.parametrize("ent_coef", [None, 0.2])
def test_sacs_losses_and_gradients_are_stable_baselines3s(monkeypatch, ent_coef):
    model = stable_baselines3.SAC(
        "MlpPolicy",
        "Pendulum-v1",
        gamma=0.9,
        ent_coef="auto_0.7" if ent_coef is None else ent_coef,
        policy_kwargs={"net_arch": [16, 16]},
        seed=1,
        device="cpu",
    )
    agent = agent_of(SAC, gamma=0.9, ent_coef=ent_coef, ent_coef_init=0.7)
    noise = torch.randn(B, 1)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: noise)
    monkeypatch.setattr(Normal, "rsample", lambda self, *_: self.loc + self.scale * noise)
    actor = model.actor
    whole = torch.nn.Sequential(*actor.latent_pi, torch.nn.Linear(16, 2))
    with torch.no_grad():
        whole[-1].weight.copy_(torch.cat([actor.mu.weight, actor.log_std.weight]))
        whole[-1].bias.copy_(torch.cat([actor.mu.bias, actor.log_std.bias]))
    layers = copy_linears([whole], agent.actor.net)
    critics = copy_linears([model.critic.qf0, model.critic.qf1], agent.critics.net)
    copy_linears([model.critic_target.qf0, model.critic_target.qf1], agent.target_critics.net)
    batch = batch_of(agent)
    theirs, gradients = as_theirs(model, batch)
    feed(agent, batch)
    ours = record(agent)
    agent._update()
    assert agent.metrics["critic_loss"].item() == pytest.approx(theirs["train/critic_loss"], abs=1e-5)
    assert agent.metrics["actor_loss"].item() == pytest.approx(theirs["train/actor_loss"], abs=1e-5)
    for linear, gradient in zip([x for net in critics for y in net for x in y.parameters()], gradients["critic"], strict=True):
        linear.grad = gradient
    assert_same_gradient(critics, agent.critics.net)
    mine = dict(zip([name for name, _ in actor.named_parameters()], gradients["actor"], strict=True))
    for i, name in ((0, "latent_pi.0"), (1, "latent_pi.2")):
        layers[0][i].weight.grad, layers[0][i].bias.grad = mine[f"{name}.weight"], mine[f"{name}.bias"]
    layers[0][2].weight.grad = torch.cat([mine["mu.weight"], mine["log_std.weight"]])
    layers[0][2].bias.grad = torch.cat([mine["mu.bias"], mine["log_std.bias"]])
    assert_same_gradient(layers, agent.actor.net)
    assert ("temperature_optimizer" in ours) == (ent_coef is None)
    if ent_coef is None:
        torch.testing.assert_close(ours["temperature_optimizer"], gradients["temperature"][0], atol=1e-5, rtol=1e-5)


def first_loss(kind, **settings):
    agent = agent_of(kind, gamma=0.9, **settings)
    feed(agent, batch_of(agent))
    record(agent)
    agent._update()
    return agent.metrics["critic_loss"].item()


def test_the_smaller_critic_counts_and_not_their_mean(monkeypatch):
    for kind in (TD3, SAC):
        right = first_loss(kind)
        with monkeypatch.context() as m:
            m.setattr(torch.Tensor, "amin", lambda self, dim: self.mean(dim))
            assert abs(first_loss(kind) - right) > 1e-4


def test_a_discount_of_zero_is_seen_by_the_target(monkeypatch):
    for kind in AGENTS:
        right = first_loss(kind)
        module = __import__(kind.__module__, fromlist=["td_targets"])
        with monkeypatch.context() as m:
            m.setattr(module, "td_targets", lambda R, discount, V: R + 0.9 * V)
            assert abs(first_loss(kind) - right) > 1e-4


def test_td3_with_one_critic_no_noise_and_no_delay_is_ddpg():
    ddpg, td3 = agent_of(DDPG), agent_of(TD3, policy_delay=1, target_policy_noise=0.0)
    for net in (ddpg.critic.net, td3.critics.net):
        for part in (*net.weights, *net.biases):
            part.data[:] = part.data[:1]
    with torch.no_grad():
        for mine, theirs in zip(ddpg.critic.net.parameters(), td3.critics.net.parameters(), strict=True):
            theirs.copy_(mine.expand_as(theirs))
    td3.actor.load_state_dict(ddpg.actor.state_dict())
    td3.target_critics.load_state_dict(td3.critics.state_dict())
    td3.target_actor.load_state_dict(td3.actor.state_dict())
    ddpg.target_critic.load_state_dict(ddpg.critic.state_dict())
    batch = batch_of(ddpg)
    for agent in (ddpg, td3):
        feed(agent, batch)
        for _ in range(3):
            agent._update()
    torch.testing.assert_close(ddpg.actor_optimizer.parameters, td3.actor_optimizer.parameters, atol=1e-6, rtol=1e-5)
    assert td3.metrics["critic_loss"].item() == pytest.approx(2 * ddpg.metrics["critic_loss"].item(), rel=1e-4), "two equal critics"
