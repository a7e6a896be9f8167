"""A2C and PPO beside stable-baselines3's own code: the same weights and rollout give the same advantages, losses, gradients and steps."""

import numpy as np
import pytest
import stable_baselines3 as sb3
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike

from rlcourse.agents import A2C, PPO
from rlcourse.agents.deep.losses import normalized
from rlcourse.agents.deep.networks import ActorCritic
from rlcourse.agents.deep.optimizer import FlatRMSprop

T, N = 32, 4


class Nothing(BaseCallback):
    def _on_step(self):
        return True


def pairs(ours: ActorCritic, theirs) -> list[tuple]:
    """Our parameters and where in them beside theirs, and whether theirs are transposed."""
    actor = [theirs.mlp_extractor.policy_net[0], theirs.mlp_extractor.policy_net[2], theirs.action_net]
    critic = [theirs.mlp_extractor.value_net[0], theirs.mlp_extractor.value_net[2], theirs.value_net]
    found = []
    for half, layers in enumerate((actor, critic)):
        for weight, bias, layer in zip(ours.weights, ours.biases, layers, strict=True):
            out = layer.out_features
            found += [((weight, (half, slice(None), slice(out))), layer.weight, True), ((bias, (half, 0, slice(out))), layer.bias, False)]
    return found if ours.log_std is None else [*found, ((ours.log_std, (slice(None),)), theirs.log_std, False)]


@torch.no_grad()
def copy(theirs, ours: ActorCritic) -> None:
    for (mine, where), their, transposed in pairs(ours, theirs):
        mine[where] = their.T if transposed else their


def their_model(kind, env: str, **settings):
    """A model of stable-baselines3 with a rollout in its buffer; its optimiser is plain gradient descent at rate 1."""
    policy = {"net_arch": [8, 8], "optimizer_class": torch.optim.SGD, "optimizer_kwargs": {}}
    settings |= {"n_steps": T, "learning_rate": 1.0, "policy_kwargs": policy}
    model = kind("MlpPolicy", make_vec_env(env, N, seed=0), device="cpu", seed=0, **settings)
    _, callback = model._setup_learn(T * N, Nothing())
    model.collect_rollouts(model.env, callback, model.rollout_buffer, T)
    return model


def take_over(agent, model) -> None:
    """Give our agent their weights and rollout."""
    copy(model.policy, agent.policy)
    b, r = model.rollout_buffer, agent.rollout
    r.length, r.valid = T, T * N
    r.observations[:T], r.observations[T] = b.observations, model._last_obs
    r.actions[...] = b.actions.reshape(r.actions.shape)
    r.rewards[...] = b.rewards
    r.terminated[...] = r.ended[...] = np.concatenate([b.episode_starts[1:], model._last_episode_starts[None]]).astype(bool)


def their_gradient(model) -> dict[int, torch.Tensor]:
    """Run their `train`: one step of rate 1, so that what the parameters lose is the gradient."""
    before = [parameter.detach().clone() for parameter in model.policy.parameters()]
    model.train()
    return {id(p): old - p.detach() for p, old in zip(model.policy.parameters(), before, strict=True)}


def compare(agent, model, gradients) -> None:
    for (mine, where), their, transposed in pairs(agent.policy, model.policy):
        theirs = gradients[id(their)]
        torch.testing.assert_close(mine.grad[where], theirs.T if transposed else theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
def test_a2cs_loss_and_gradient_are_stable_baselines3s(env, normalise):
    same = {"ent_coef": 0.01, "vf_coef": 0.4, "gae_lambda": 0.9, "gamma": 0.97, "max_grad_norm": 1e9}
    model = their_model(sb3.A2C, env, normalize_advantage=normalise, use_rms_prop=False, **same)
    agent = A2C(env, n_envs=N, n_steps=T, hidden=(8, 8), normalize_advantage=normalise, **same)
    take_over(agent, model)
    if env == "CartPole-v1":
        assert agent.rollout.terminated.any()
    loss, policy_term, value_term, table, *_ = agent.loss(0.01)
    loss.backward()
    compare(agent, model, their_gradient(model))
    logged = model.logger.name_to_value
    assert policy_term.item() == pytest.approx(logged["train/policy_loss"], rel=1e-5, abs=1e-5)
    assert value_term.item() == pytest.approx(logged["train/value_loss"], rel=1e-5)
    assert agent.policy.entropy(table).item() == pytest.approx(-logged["train/entropy_loss"], rel=1e-5)


@pytest.mark.parametrize("clip_range_vf", [None, 0.05])
@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
def test_ppos_loss_and_gradient_are_stable_baselines3s_off_ratio_one_and_with_clipped_values(env, clip_range_vf):
    same = {"ent_coef": 0.01, "vf_coef": 0.4, "gae_lambda": 0.9, "gamma": 0.97, "max_grad_norm": 1e9, "n_epochs": 1, "batch_size": T * N}
    model = their_model(sb3.PPO, env, clip_range_vf=clip_range_vf, **same)
    agent = PPO(env, n_envs=N, n_steps=T, hidden=(8, 8), clip_range_vf=clip_range_vf, **same)
    take_over(agent, model)
    samples = agent._prepare()
    np.testing.assert_allclose(samples.advantage.numpy(), model.rollout_buffer.advantages.reshape(-1), atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(samples.target.numpy(), model.rollout_buffer.returns.reshape(-1), atol=1e-4, rtol=1e-4)
    with torch.no_grad():  # as if some steps had been taken since the rollout
        for parameter in model.policy.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    copy(model.policy, agent.policy)
    loss, policy_term, value_term, log_prob, *_ = agent.loss(
        samples._replace(advantage=normalized(samples.advantage)), 0.2, clip_range_vf, ent_coef=0.01
    )
    loss.backward()
    compare(agent, model, their_gradient(model))
    logged = model.logger.name_to_value
    ratio = torch.exp(log_prob - samples.log_prob)
    assert ((ratio - 1).abs() > 0.2).float().mean().item() == pytest.approx(logged["train/clip_fraction"])
    assert logged["train/clip_fraction"] > 0
    assert (ratio - 1 - torch.log(ratio)).mean().item() == pytest.approx(logged["train/approx_kl"], rel=1e-3, abs=1e-6)
    assert loss.item() == pytest.approx(logged["train/loss"], rel=1e-5, abs=1e-5)
    assert value_term.item() == pytest.approx(logged["train/value_loss"], rel=1e-5)
    assert policy_term.item() == pytest.approx(logged["train/policy_gradient_loss"], rel=1e-4, abs=1e-5)


def test_rmsprop_is_the_one_of_a3c():
    ours, theirs = (torch.nn.Linear(3, 2) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    flat = FlatRMSprop(ours, max_grad_norm=0.5, eps=1e-5, decay=0.99)
    other = RMSpropTFLike(theirs.parameters(), lr=0.01, alpha=0.99, eps=1e-5)
    for seed in range(6):
        x = torch.randn(9, 3, generator=torch.Generator().manual_seed(seed))
        flat.step(ours(x).square().sum(), 0.01)
        other.zero_grad()
        theirs(x).square().sum().backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        other.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)
