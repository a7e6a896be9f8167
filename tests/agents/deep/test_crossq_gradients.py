"""CrossQ's losses and gradients beside sb3-contrib's and plain torch's."""

import pytest
import torch
from crossq_harness import ready, upcoming
from sb3_contrib import CrossQ as ContribCrossQ
from sb3_contrib.common.torch_layers import BatchRenorm1d
from stable_baselines3.common.distributions import SquashedDiagGaussianDistribution
from torch import nn

from rlcourse.agents.deep.continuous_networks import squashed


def test_the_squashed_gaussian_is_stable_baselines3s_and_finite_where_tanh_is_one():
    generator = torch.Generator().manual_seed(0)
    parameters, noise = torch.rand((50, 4), generator=generator) * 2.0 - 1.0, torch.randn((50, 2), generator=generator)
    actions, log_prob = squashed(parameters, noise)
    mean, log_std = parameters.chunk(2, 1)
    theirs = SquashedDiagGaussianDistribution(2).proba_distribution(mean, log_std)
    theirs.epsilon = 0.0  # they keep ln 0 away by it, we by another form of the same
    near = actions.abs().amax(1) < 0.99
    torch.testing.assert_close(log_prob[near], theirs.log_prob(actions, mean + noise * log_std.exp())[near], atol=1e-4, rtol=1e-4)
    assert torch.isfinite(squashed(parameters, noise + 1e4)[1]).all()


class OneBatch:
    """A replay buffer of stable-baselines3 that always gives one batch."""

    def __init__(self, data) -> None:
        self.data = data

    def sample(self, size, env=None):
        return self.data


def twin_of(agent, batch) -> ContribCrossQ:
    """sb3-contrib's CrossQ with the weights of an agent, torch's batch normalisation, and one batch to learn from.

    Their own layer divides by the unbiased variance, the paper and torch normalise by the biased one.
    """
    from stable_baselines3.common.logger import configure
    from stable_baselines3.common.type_aliases import ReplayBufferSamples

    c = agent.config
    arch = {"pi": list(c.actor_hidden), "qf": list(c.hidden)}
    model = ContribCrossQ("MlpPolicy", "Pendulum-v1", policy_kwargs={"net_arch": arch}, policy_delay=1, learning_rate=c.learning_rate)
    model.set_logger(configure(None, []))

    def fill(sequence, module, k, last=()):
        """Copy network k; a last layer may be split into several."""
        position = 0
        for weight, bias, norm in zip(module.weights, module.biases, module.norms, strict=True):
            layer = nn.BatchNorm1d(weight.shape[1], eps=1e-3, momentum=c.batch_norm_momentum)
            layer.weight.data, layer.bias.data = norm.scale[k, 0].detach().clone(), norm.shift[k, 0].detach().clone()
            assert isinstance(sequence[position], BatchRenorm1d)
            sequence[position] = layer
            ends = position + 1 == len(sequence)
            linears = last if ends else [sequence[position + 1]]
            for linear, w, b in zip(linears, weight[k].chunk(len(linears), 1), bias[k, 0].chunk(len(linears)), strict=True):
                linear.weight.data, linear.bias.data = w.detach().T.clone(), b.detach().clone()
            position += 3
        return sequence

    for k, sequence in enumerate(model.critic.q_networks):
        fill(sequence, agent.critics.heads, k)
    fill(model.actor.latent_pi, agent.actor.net, 0, (model.actor.mu, model.actor.log_std))

    def set_mode(self, mode):
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm1d):
                layer.train(mode)

    for part in (model.actor, model.critic):
        part.set_bn_training_mode = set_mode.__get__(part)
    parts = (batch.observations, batch.actions, batch.next_observations, (batch.discounts == 0)[:, None], batch.rewards[:, None])
    tensors = [torch.as_tensor(part, dtype=torch.float32) for part in parts]
    model.replay_buffer = OneBatch(ReplayBufferSamples(*tensors))
    model.actor.action_dist.epsilon = 0.0
    return model


def test_losses_and_gradients_of_critics_actor_and_temperature_are_sb3_contribs():
    # A rate so small that the critics are the same when the actor climbs; torch's running variance, being unbiased, would differ
    agent = ready(learning_rate=1e-9, policy_delay=1, batch_size=32, batch_norm_momentum=0.0)
    model = twin_of(agent, upcoming(agent))
    noises = [agent._noise(32), agent._noise(32)]
    mine, queue = list(noises), list(noises)
    agent._noise = lambda size: mine.pop(0)
    draw = torch.distributions.Normal.rsample
    torch.distributions.Normal.rsample = lambda self, shape=(): self.loc + self.scale * queue.pop(0)
    try:
        model.train(1, 32)
    finally:
        torch.distributions.Normal.rsample = draw
    agent._update()
    logged = model.logger.name_to_value
    assert float(agent.metrics["critic_loss"]) == pytest.approx(logged["train/critic_loss"], rel=1e-5)
    assert float(agent.metrics["actor_loss"]) == pytest.approx(logged["train/actor_loss"], abs=1e-4), "their ln(1 - a^2) rounds"
    torch.testing.assert_close(agent.actor.log_alpha.grad, model.log_ent_coef.grad[0], atol=1e-5, rtol=1e-4)
    actor, theirs = agent.actor.net, model.actor
    torch.testing.assert_close(actor.weights[0].grad[0], theirs.latent_pi[1].weight.grad.T, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(actor.norms[1].scale.grad[0, 0], theirs.latent_pi[3].weight.grad, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(actor.weights[1].grad[0, :, :1], theirs.mu.weight.grad.T, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(actor.weights[1].grad[0, :, 1:], theirs.log_std.weight.grad.T, atol=1e-5, rtol=1e-3)


def test_gradients_of_the_critics_are_those_of_plain_torch_on_the_joint_batch():
    agent = ready(gamma=0.9, policy_delay=1000)
    batch, noise = upcoming(agent), agent._noise(8)
    agent._noise = lambda size: noise
    networks = []
    for k in range(2):
        layers = []
        for i, (weight, bias) in enumerate(zip(agent.critics.heads.weights, agent.critics.heads.biases, strict=True)):
            linear = nn.Linear(*weight.shape[1:])
            linear.weight.data, linear.bias.data = weight[k].detach().T.clone(), bias[k, 0].detach().clone()
            layers += [*([nn.ReLU()] if i else []), nn.BatchNorm1d(weight.shape[1], eps=1e-3), linear]
        networks.append(nn.Sequential(*layers))
    s, s_, a = (torch.as_tensor(part) for part in (batch.observations, batch.next_observations, batch.actions))
    with torch.no_grad():
        a_, log_prob = agent.actor(s_, noise)
    out = [net(torch.cat([torch.cat([s, s_]), torch.cat([a, a_])], 1))[:, 0] for net in networks]
    y = torch.as_tensor(batch.rewards) + torch.as_tensor(batch.discounts) * (torch.minimum(out[0][8:], out[1][8:]).detach() - log_prob)
    loss = sum(0.5 * nn.functional.mse_loss(each[:8], y) for each in out)
    loss.backward()
    agent._update()
    assert float(agent.metrics["critic_loss"]) == pytest.approx(loss.item(), rel=1e-5)
    heads = agent.critics.heads
    for k, net in enumerate(networks):
        torch.testing.assert_close(heads.weights[0].grad[k], net[1].weight.grad.T, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(heads.weights[1].grad[k], net[4].weight.grad.T, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(heads.norms[1].shift.grad[k, 0], net[3].bias.grad, atol=1e-4, rtol=1e-4)
