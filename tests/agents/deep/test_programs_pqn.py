"""PQN as a program: what it does is what the agent does on the host, for many agents at once, with masks and both kinds of ends."""

import math

import gymnasium as gym
import numpy as np
import pytest
import torch
from on_policy_harness import far, give, orders, same_moments, same_state
from one_step import OneStep

from rlcourse.agents import PQN
from rlcourse.agents.deep.programs.pqn import PQNProgram
from rlcourse.agents.deep.programs.together import learn_together
from rlcourse.core.evaluation import evaluate
from rlcourse.core.schedules import Linear
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import CartPole
from rlcourse.presets import load

SMALL = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "hidden": (16,), "exploration_steps": 300}
VARIANTS = {
    "vectors": (CartPole(), {}),
    "states with masks": ("Taxi-v4", {"learning_rate": Linear(1e-2, 0.0, 500)}),
    "normalised": (CartPole(), {"normalize_observations": True, "normalize_rewards": True, "max_grad_value": 0.1}),
}


def make(seed: int, world=None, **settings):
    return PQN(CartPole() if world is None else world, seed=seed, **SMALL | settings)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_agent_learns_what_it_would_alone(variant):
    world, settings = VARIANTS[variant]
    swept = [
        {"gamma": 0.9, "max_grad_norm": None, "exploration_final_eps": 0.0},
        {"q_lambda": 0.3, "max_grad_norm": 0.1, "exploration_steps": 100},
        {"q_lambda": 0.9, "learning_rate": 3e-3, "exploration_initial_eps": 0.5},
    ]
    together = [make(s, world, **settings | each) for s, each in enumerate(swept)]
    alone = [make(s, world, **settings | each) for s, each in enumerate(swept)]
    learn_together(together, 333)  # the last rollout is shorter, and its last step is not taken by all copies
    for agent in alone:
        learn_together([agent], 333)
    for a, b in zip(together, alone, strict=True):
        assert far(a, b) < 1e-5
        assert a.num_timesteps == b.num_timesteps == 333
        assert np.array_equal(a.history.rows, b.history.rows)
        assert a.metrics == pytest.approx(b.metrics, abs=1e-5)
        assert far(a, make(a.seed, world, **settings)) > 1e-3
    assert [agent.metrics["epsilon"] for agent in together] == pytest.approx([0.0, 0.05, 0.05])


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_agent_goes_on_bit_for_bit_from_its_file(variant, tmp_path):
    world, settings = VARIANTS[variant]
    whole, first = make(3, world, **settings), make(3, world, **settings)
    learn_together([whole], 256)
    learn_together([first], 128)
    second = PQN.load(first.save(tmp_path / "pqn.safetensors"), env=world)
    learn_together([second], 128)
    assert same_state(second, whole)


@pytest.mark.parametrize("budget", [10_000, 61])
@pytest.mark.parametrize("variant", VARIANTS)
def test_its_update_is_the_agents_own(variant, budget, monkeypatch):
    world, settings = VARIANTS[variant]
    settings = settings | {"batch_size": 24, "q_lambda": 0.8}
    if not isinstance(world, str):
        world = WorldVectorEnv(world, 4, max_episode_steps=9)
    learner, host = make(1, world, **settings), make(1, world, **settings)
    program = PQNProgram([learner])
    plan = program.plan(budget)
    program._rollout(plan.rows)
    ended, terminated = program.copies.ended[: plan.rows], program.copies.terminated[: plan.rows]
    assert isinstance(world, str) or bool((ended & ~terminated).any()), "an episode is cut"
    give(host, program, plan, program.actions)
    orders(program, monkeypatch)
    host._update()
    program._estimate(plan)
    program._update(plan)
    program.see(plan.rows)
    for part in program._learned():
        part.write([0])
    assert far(learner, host) < 1e-5
    assert far(host, make(1, world, **settings)) > 1e-3
    assert same_moments(learner, host)
    assert {name: float(each) for name, each in program.metrics.items()} == pytest.approx(host.metrics, abs=1e-5)


def test_it_explores_with_its_own_epsilon_and_by_each_action_alike():
    agents = [make(s, n_envs=200, exploration_initial_eps=e, exploration_final_eps=e) for s, e in enumerate([0.0, 0.5, 1.0])]
    program = PQNProgram(agents)
    program._rollout(16)
    seen = program.copies.observations[:16].view(16, 3, 200, 4).transpose(0, 1)  # [S, T, N, 4]
    actions = program.actions.view(16, 3, 200).transpose(0, 1)
    for agent, x, a, epsilon in zip(agents, seen, actions, [0.0, 0.5, 1.0], strict=True):
        greedy = agent.network(x.reshape(-1, 4)).argmax(1)
        assert (a.flatten() != greedy).float().mean() == pytest.approx(epsilon / 2, abs=0.04)  # 3200 steps: deviation 0.009 at most
    assert actions[2].float().mean() == pytest.approx(0.5, abs=0.04)


def test_epsilon_follows_its_schedule_within_a_rollout():
    swept = [(1.0, 0.0, 16 * 50), (0.2, 0.9, 8 * 50), (0.6, 0.1, 40 * 50)]  # to the end of a rollout, within one, and over several
    names = ("exploration_initial_eps", "exploration_final_eps", "exploration_steps")
    agents = [make(s, n_envs=50, **dict(zip(names, each, strict=True))) for s, each in enumerate(swept)]
    program = PQNProgram(agents)
    for begun in (0, 16 * 50, 2 * 16 * 50):
        program.step.fill_(begun)
        program._rollout(16)
        explores, which = program.draws.out.view(16, 3, 50, 2).unbind(3)
        seen, actions = program.copies.observations[:16].view(16, 3, 50, 4), program.actions.view(16, 3, 50)
        for s, (agent, each) in enumerate(zip(agents, swept, strict=True)):
            for t in range(16):
                greedy = agent.network(seen[t, s]).argmax(1)
                epsilon = Linear(*each).at(begun + t * 50)
                assert torch.equal(actions[t, s], torch.where(explores[t, s] < epsilon, (2 * which[t, s]).long(), greedy))
        program.copies.turn(16)


def test_it_takes_only_actions_that_exist_and_each_of_them_alike():
    env = gym.make("Taxi-v4")
    agent = make(0, env, n_envs=300, exploration_initial_eps=0.9, exploration_final_eps=0.9, exploration_steps=1)
    program = PQNProgram([agent])
    program._rollout(16)
    states, actions = program.copies.observations[:16].flatten(), program.actions.flatten()
    masks = torch.as_tensor(agent.venv.unwrapped.action_masks)
    assert masks[states, actions].all()
    assert not masks[states].all(), "some actions do not exist"
    two = masks[states].sum(1) == 2
    q = agent.network(states[two]).masked_fill(~masks[states[two]], -math.inf)
    other = actions[two] != q.argmax(1)
    assert other.float().mean() == pytest.approx(0.45, abs=5 * 0.5 / math.sqrt(int(two.sum())))  # half of the random ones are greedy


def test_an_action_that_does_not_exist_values_nothing():
    learner = make(0, "Taxi-v4", q_lambda=0.0)
    program = PQNProgram([learner])
    plan = program.plan(10_000)
    program._rollout(plan.rows)
    program._estimate(plan)
    masks = torch.as_tensor(learner.venv.unwrapped.action_masks)
    after = program.copies.successors.flatten()
    best = learner.network(after).masked_fill(~masks[after], -math.inf).amax(1)
    torch.testing.assert_close(program.following.flatten(), best.detach())
    assert (learner.network(after).amax(1) > best + 1e-6).any(), "the mask matters"


@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 2.0)])
def test_a_truncated_episode_bootstraps_and_a_terminated_one_does_not(terminates, value):
    env = WorldVectorEnv(OneStep(terminates), 4, max_episode_steps=1)
    agent = PQN(env, gamma=0.5, learning_rate=0.01, n_steps=16, batch_size=64, hidden=(16,), exploration_final_eps=1.0)
    learn_together([agent], 64 * 60)
    assert agent.network(torch.tensor([[0.5]])).detach().numpy() == pytest.approx(np.full((1, 2), value), abs=0.1)
    assert set(agent.history["terminated"]) == {float(terminates)}


def test_nothing_in_a_terminal_observation_reaches_the_weights():
    class Spike(CartPole):
        def observe(self, state):
            fallen = abs(state[0]) > self.max_position or abs(state[2]) > self.max_angle
            return (math.nan, math.nan, math.nan, math.nan) if fallen else state

    agent = make(0, Spike())
    learn_together([agent], 256)
    assert len(agent.history) > 0
    assert torch.isfinite(agent.optimizer.parameters).all()


def test_it_learns_cartpole_with_the_preset():
    # seeds 0 to 9 reach 186 to 435 in as many steps, as one program; a random policy falls after 22
    agent = PQN("CartPole-v1", seed=0, **load("cartpole").agents["pqn"])
    learn_together([agent], 20_480)
    assert evaluate(agent, WorldEnv(CartPole()), 20, max_steps=500).mean() > 120
