"""Recurrent PPO as one program: each agent learns what it would alone, resumes bit for bit, and its update is the agent's own."""

import math

import numpy as np
import pytest
import torch
from graphs import ReplayedRounds
from on_policy_harness import far, give, orders, same_state
from one_step import OneStep

from rlcourse.agents import RecurrentPPO
from rlcourse.agents.deep.programs.together import hindrance, learn_together, program_of
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs.cartpole import CartPole
from rlcourse.envs.pendulum import Pendulum
from rlcourse.envs.tmaze import TMaze

SMALL = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "hidden": (8,), "memory_size": 8}
WINDOWS = {"sequence_length": 6, "burn_in": 11, "half_masked": True}
EVERY_TERM = {"normalize_observations": True, "normalize_rewards": True, "ent_coef": 0.01, "clip_range_vf": 0.3, "target_kl": 0.05}
VARIANTS = {
    "whole rollouts": (CartPole(), {}),
    "windows": (CartPole(), {"memory": "gru"} | WINDOWS),
    "windows from zero, with every term": (CartPole(), {"sequence_length": 5, "start": "zero"} | EVERY_TERM),
    "two layers, continuous": (Pendulum(), {"memory": "rnn", "memory_layers": 2, "sequence_length": 8}),
    "attention": (TMaze(3), {"memory": "attention:4", "sequence_length": 7, "burn_in": 2}),
}
variants = pytest.mark.parametrize("variant", VARIANTS)


def make(seed: int, variant: str = "whole rollouts", **settings):
    world, mine = VARIANTS[variant]
    return RecurrentPPO(world, seed=seed, **SMALL | mine | settings)


@variants
def test_each_agent_learns_what_it_would_alone(variant):
    def agents():
        return [make(s, variant, learning_rate=rate, gamma=0.9 + 0.03 * s) for s, rate in enumerate([3e-4, 1e-3, 3e-3])]

    together, alone = agents(), agents()
    learn_together(together, 233)  # the last rollout is shorter, and its last step is not taken by all copies
    for a, b in zip(together, alone, strict=True):
        learn_together([b], 233)
        assert far(a, b) < 1e-5
        assert a.num_timesteps == b.num_timesteps == 233
        assert np.array_equal(a.history.rows, b.history.rows)
        assert far(a, make(a.seed, variant)) > 1e-4  # it has learned something
    assert far(together[0], together[1]) > 1e-3


@variants
def test_an_agent_goes_on_bit_for_bit_from_its_file_memories_and_past_included(variant, tmp_path):
    whole, first = make(3, variant), make(3, variant)
    learn_together([whole], 256)
    learn_together([first], 128)
    second = RecurrentPPO.load(first.save(tmp_path / "agent.safetensors"), env=VARIANTS[variant][0])
    assert second.resident["memories"].any()
    learn_together([second], 128)
    assert same_state(second, whole)


def live_through(host: RecurrentPPO, program, plan) -> None:
    """Let an agent on the host have lived through the rollout of a program, and update."""
    lived, T = program.experience, plan.rows
    P = lived.P
    give(host, program, plan, lived.actions)
    host._starts[: T + 1] = lived.starts[P : P + T + 1].numpy()
    begin, *host._states[:] = [tuple(row[0].clone().unbind(0)) for row in lived.states[P : P + T + 1]]
    host._update(begin)
    host.past.extend(host.rollout.observations, host._starts, [begin, *host._states[:-1]])


@variants
def test_the_update_of_a_program_is_the_agents_own(variant, monkeypatch):
    settings = {"learning_rate": "linear(0.003, 0.001, 300)"}
    resident, host = make(5, variant, **settings), make(5, variant, **settings)
    program, updates = program_of([resident]), []
    own = program._update
    orders(program, monkeypatch)

    def update(plan):
        live_through(host, program, plan)
        own(plan)
        updates.append(plan)

    monkeypatch.setattr(program, "_update", update)
    learn_together([resident], 230)
    assert [plan.valid for plan in updates] == [64, 64, 64, 38]
    assert far(resident, host) < 2e-5
    assert far(resident, make(5, variant)) > 1e-3
    for name, value in resident.metrics.items():
        assert value == pytest.approx(float(host.metrics[name]), rel=2e-3, abs=2e-4), name


@pytest.mark.parametrize("variant", ["whole rollouts", "windows", "attention"])
def test_replayed_rounds_equal_eager_ones(variant):
    eager, replayed = ([make(s, variant) for s in (1, 2)] for _ in range(2))
    learn_together(eager, 400)
    program = program_of(replayed)
    rounds = program.rounds = ReplayedRounds(program.device)
    learn_together(replayed, 400)
    assert rounds.replayed >= 2
    assert all(same_state(a, b) for a, b in zip(eager, replayed, strict=True))


@pytest.mark.parametrize("terminates", [True, False])
def test_a_truncated_episode_bootstraps_from_its_memory_and_a_terminated_one_does_not(terminates):
    env = WorldVectorEnv(OneStep(terminates), 16, max_episode_steps=1)
    agent = RecurrentPPO(env, seed=0, gamma=0.5, learning_rate=0.02, n_steps=4, batch_size=64, n_epochs=5, memory_size=8, hidden=(8,))
    learn_together([agent], 64 * 60)
    _, v = agent.policy(torch.full((2, 1, 1), 0.5), agent.policy.memory.initial(1), torch.tensor([[True], [False]]))
    assert v[0].item() == pytest.approx(1.0 if terminates else 1.0 + 0.5 * v[1].item(), abs=0.1)
    assert terminates or v[1].item() > 0.5
    assert set(agent.history["terminated"]) == {float(terminates)}


@pytest.mark.parametrize("memory", ["lstm", "attention:4"])
def test_nothing_in_a_terminal_observation_reaches_weights_or_memories(memory):
    class Spike(CartPole):
        def observe(self, state):
            fallen = abs(state[0]) > self.max_position or abs(state[2]) > self.max_angle
            return (math.nan, math.nan, math.nan, math.nan) if fallen else state

    agent = RecurrentPPO(Spike(), seed=0, **SMALL | {"memory": memory})
    learn_together([agent], 256)
    assert len(agent.history) > 0
    assert torch.isfinite(agent.optimizer.parameters).all()
    assert torch.isfinite(agent.program[0].experience.states).all()


def test_what_no_stack_takes_is_refused_in_one_sentence_and_every_memory_is_taken():
    agent = RecurrentPPO("CartPole-v1", encoder="mlp+bn", **SMALL)
    assert "cannot be batched over agents" in hindrance([agent])
    for memory in ("lstm", "gru", "rnn", "attention:3"):
        assert not hindrance([RecurrentPPO("CartPole-v1", **SMALL | {"memory": memory})])


def test_agents_together_learn_to_remember_a_sign():
    # seeds 0 to 9, measured once, in one program: after 20,480 steps all ten are at 0.98 or above (0.5 without memory)
    settings = {"n_envs": 32, "n_steps": 16, "n_epochs": 4, "learning_rate": 5e-3, "gamma": 0.95, "ent_coef": 0.01}
    agents = [RecurrentPPO(TMaze(4), seed=s, memory="gru", memory_size=16, hidden=(16,), **settings) for s in range(2)]
    learn_together(agents, 20_480)
    assert all(agent.history["return"][-200:].mean() > 0.9 for agent in agents)
