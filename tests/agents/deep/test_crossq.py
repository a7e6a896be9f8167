"""CrossQ."""

import math
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
import torch
from crossq_harness import TINY, ready, upcoming

from rlcourse.agents import CrossQ
from rlcourse.agents.deep.crossq import joint_loss
from rlcourse.core.evaluation import evaluate
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import Pendulum


class OneThrow(NamedTuple):
    """An episode of one step with reward 1 from a random place: terminated, or endless but for the time limit."""

    terminates: bool = True

    @property
    def observation_space(self):
        return gym.spaces.Box(-1, 1, (1,), dtype=np.float32)

    @property
    def action_space(self):
        return gym.spaces.Box(-2, 3, (1,), dtype=np.float32)

    def reset(self, rng):
        return (rng.random(),)

    def step(self, state, action, rng):
        return state, 1.0, self.terminates, False

    def observe(self, state):
        return state


def statistics(agent) -> dict:
    """The running statistics of an agent, copied."""
    parts = {**agent.critics.state_dict(prefix="critics."), **agent.actor.state_dict(prefix="actor.")}
    return {name: part.clone() for name, part in parts.items() if "mean" in name or "variance" in name}


def test_the_loss_is_the_one_computed_by_hand():
    q = torch.tensor([[5.0, 1.0, 3.0, 1e6], [7.0, 2.0, 4.0, 1e6]])
    loss = joint_loss(q, torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.0]), torch.tensor([0.4, 9.0]))
    y = [1.0 + 0.5 * (3.0 - 0.4), 2.0]
    assert loss.item() == pytest.approx(sum(0.5 * ((a - y[0]) ** 2 + (b - y[1]) ** 2) / 2 for a, b in ((5.0, 1.0), (7.0, 2.0))))


def test_nothing_flows_back_through_the_target():
    q = torch.randn(2, 8, requires_grad=True)
    joint_loss(q, torch.ones(4), torch.full((4,), 0.9), torch.zeros(4)).backward()
    assert torch.all(q.grad[:, 4:] == 0)
    assert torch.all(q.grad[:, :4] != 0)


def test_statistics_are_those_of_both_halves_together_and_not_of_either():
    agent = ready(batch_norm_momentum=1.0)
    batch = upcoming(agent)
    agent._update()
    norm = agent.critics.heads.norms[0]
    both = np.concatenate([batch.observations, batch.next_observations])
    np.testing.assert_allclose(norm.mean[0, 0, :3], both.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.variance[1, 0, :3], both.var(0), rtol=1e-4, atol=1e-5)
    assert not np.allclose(norm.mean[0, 0, :3], batch.observations.mean(0), rtol=1e-3)


def test_the_actor_waits_and_while_it_learns_the_critics_and_their_statistics_stay():
    agent = ready(policy_delay=3)
    for update in range(1, 7):
        agent._update()
        assert agent.actor_optimizer.steps == update // 3
        assert agent.actor.net.norms[0].updates == update // 3
        assert agent.critics.heads.norms[0].updates == update
    before, weights = statistics(agent), agent.optimizer.parameters.clone()
    agent._update_actor(torch.randn(8, 3), torch.tensor(0.1), 1e-3)
    assert torch.equal(weights, agent.optimizer.parameters)
    assert all(parameter.requires_grad for parameter in agent.critics.parameters())
    changed = {name for name, part in statistics(agent).items() if not torch.equal(part, before[name])}
    assert changed
    assert all(name.startswith("actor.") for name in changed)


def test_acting_moves_no_statistics_and_a_prediction_does_not_depend_on_its_batch():
    agent = CrossQ("Pendulum-v1", **TINY, seed=0).learn(300)
    before = statistics(agent)
    x = np.random.default_rng(0).uniform(-1, 1, (40, 3)).astype(np.float32)
    together = agent.predict(x)[0]
    np.testing.assert_allclose(together, [agent.predict(each)[0] for each in x], rtol=1e-5, atol=1e-6)
    agent.predict(x, deterministic=False)
    evaluate(agent, "Pendulum-v1", 2)
    assert all(torch.equal(before[name], part) for name, part in statistics(agent).items())


@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 2.0)])
def test_a_truncated_episode_bootstraps_and_a_terminated_one_does_not(terminates, value):
    env = WorldVectorEnv(OneThrow(terminates), 4, max_episode_steps=1)
    settings = TINY | {"gamma": 0.5, "learning_rate": 0.003, "batch_size": 32, "ent_coef": 1e-4}
    agent = CrossQ(env, **settings).learn(3600)
    with torch.no_grad():
        q = agent.critics(torch.tensor([[0.3], [0.7]]), torch.tensor([[0.1], [-0.1]]), train=False).numpy()
    assert q == pytest.approx(np.full((2, 2), value), abs=0.2)
    assert set(agent.history["terminated"]) == {float(terminates)}


@pytest.mark.parametrize(
    "space", [gym.spaces.Box(-2, 3, (2,)), gym.spaces.Box(np.array([[0.0, -5.0]]), np.array([[1.0, 9.0]]), dtype=np.float64)]
)
def test_actions_fill_any_bounded_box_and_no_more(space):
    class Any(gym.Env):
        observation_space, action_space = gym.spaces.Discrete(3), space

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return 0, {}

        def step(self, action):
            assert space.contains(np.asarray(action, space.dtype))
            seen.append(np.asarray(action))
            return 1, 0.0, False, False, {}

    seen = []
    agent = CrossQ(Any(), **(TINY | {"n_envs": 1, "learning_starts": 400})).learn(420)
    np.testing.assert_allclose(np.min(seen, 0), space.low, atol=0.2 * np.max(space.high - space.low))
    np.testing.assert_allclose(np.max(seen, 0), space.high, atol=0.2 * np.max(space.high - space.low))
    assert np.abs(agent.replay.actions).max() <= 1.0
    assert space.contains(agent.predict(2)[0])


def test_what_it_cannot_do_it_says_at_construction():
    class Endless(gym.Env):
        observation_space, action_space = gym.spaces.Discrete(3), gym.spaces.Box(0, np.inf, (1,))

    with pytest.raises(ValueError, match="finite bounds"):
        CrossQ(Endless(), n_envs=1)
    with pytest.raises(ValueError, match="CrossQ acts in Box spaces"):
        CrossQ("CartPole-v1")
    with pytest.raises(ValueError, match=r"batch_size must be a whole number in \[2"):
        CrossQ("Pendulum-v1", batch_size=1)


def test_the_temperature_goes_where_the_entropy_is_wanted_or_stays_as_told():
    assert CrossQ("Pendulum-v1", **TINY, ent_coef=0.7).learn(100).actor.log_alpha.item() == pytest.approx(math.log(0.7))
    agent = CrossQ("Pendulum-v1", **TINY)
    assert agent.entropy_wanted == -1.0
    for wanted, sign in ((-50.0, -1), (50.0, 1)):
        moved = ready(target_entropy=wanted, policy_delay=1)
        for _ in range(20):
            moved._update()
        assert math.copysign(1, moved.actor.log_alpha.item()) == sign


def test_it_resumes_bit_for_bit_with_its_statistics_and_beyond_the_warmup(tmp_path):
    settings = TINY | {"renorm_warmup": 60}
    whole = CrossQ("Pendulum-v1", seed=3, **settings).learn(400)
    CrossQ("Pendulum-v1", seed=3, **settings).learn(200).save(tmp_path / "half")
    half = CrossQ.load(tmp_path / "half", env="Pendulum-v1")
    assert half.critics.heads.norms[0].updates == 93
    half.learn(200)
    assert torch.equal(whole.optimizer.parameters, half.optimizer.parameters)
    assert torch.equal(whole.actor_optimizer.parameters, half.actor_optimizer.parameters)
    assert all(torch.equal(part, statistics(half)[name]) for name, part in statistics(whole).items())
    assert np.array_equal(whole.history.rows, half.history.rows)


def test_it_learns_pendulum_with_the_preset():
    from rlcourse.presets import load

    agent = CrossQ("Pendulum-v1", seed=0, **(load("pendulum").agents["crossq"] | {"hidden": (64, 64), "batch_size": 64})).learn(2_000)
    assert evaluate(agent, WorldEnv(Pendulum()), 20, max_steps=200).mean() > -900
