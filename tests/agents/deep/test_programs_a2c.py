"""A2C as a program: what it does is what the agent does on the host, for many agents at once, by either optimiser."""

import math

import numpy as np
import pytest
import torch
from on_policy_harness import far, give, same_moments, same_state
from one_step import OneStep

from rlcourse.agents import A2C
from rlcourse.agents.deep.programs.a2c import A2CProgram
from rlcourse.agents.deep.programs.together import learn_together
from rlcourse.core.evaluation import evaluate
from rlcourse.core.schedules import Linear
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.core.world import WorldEnv
from rlcourse.envs import CartPole
from rlcourse.envs.pendulum import Pendulum
from rlcourse.presets import load

SMALL = {"n_envs": 4, "n_steps": 5, "hidden": (16, 16)}
EVERY_TERM = {"normalize_observations": True, "normalize_rewards": True, "normalize_advantage": True, "ent_coef": Linear(0.02, 0.0, 300)}
VARIANTS = {
    "discrete": (CartPole(), {}),
    "RMSprop's epsilon matters": (CartPole(), {"optimizer_eps": 0.1}),
    "continuous, by Adam": (Pendulum(), {"optimizer": "adam", "gae_lambda": 0.9}),
    "normalised, with every term": (CartPole(), EVERY_TERM | {"max_grad_value": 0.1}),
}


def make(seed: int, world=None, **settings):
    return A2C(CartPole() if world is None else world, seed=seed, **SMALL | settings)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_agent_learns_what_it_would_alone(variant):
    world, settings = VARIANTS[variant]
    swept = [{"gamma": 0.9, "max_grad_norm": None}, {"gae_lambda": 0.8, "vf_coef": 1.0}, {"learning_rate": Linear(3e-3, 0.0, 500)}]
    together = [make(s, world, **settings | each) for s, each in enumerate(swept)]
    alone = [make(s, world, **settings | each) for s, each in enumerate(swept)]
    learn_together(together, 333)  # the last rollout is shorter, and its last step is not taken by all copies
    for agent in alone:
        learn_together([agent], 333)
    for a, b in zip(together, alone, strict=True):
        assert far(a, b) < 1e-5
        assert a.num_timesteps == b.num_timesteps == 333
        assert np.array_equal(a.history.rows, b.history.rows)
        assert a.metrics == pytest.approx(b.metrics, rel=1e-3, abs=1e-4)
        assert far(a, make(a.seed, world, **settings)) > 1e-4


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_agent_goes_on_bit_for_bit_from_its_file(variant, tmp_path):
    world, settings = VARIANTS[variant]
    whole, first = make(3, world, **settings), make(3, world, **settings)
    learn_together([whole], 200)
    learn_together([first], 100)
    second = A2C.load(first.save(tmp_path / "a2c.safetensors"), env=world)
    learn_together([second], 100)
    assert same_state(second, whole)


@pytest.mark.parametrize("budget", [10_000, 19])
@pytest.mark.parametrize("variant", VARIANTS)
def test_its_updates_are_the_agents_own(variant, budget):
    world, settings = VARIANTS[variant]
    world = WorldVectorEnv(world, 4, max_episode_steps=3)
    learner, host = make(1, world, **settings), make(1, world, **settings)
    program = A2CProgram([learner])
    for _ in range(3):  # the second step looks at the moments that the first one left
        plan = program.plan(budget)
        program.experience.gather(plan.rows)
        program.experience.estimate(plan)
        assert (program.copies.ended & ~program.copies.terminated)[: plan.rows].any(), "an episode is cut"
        give(host, program, plan, program.experience.actions)
        host._update()
        program._update(plan)
        program.see(plan.rows)
        program.copies.turn(plan.rows)
        program.step += plan.valid
        for part in program._learned():
            part.write([0])
        assert far(learner, host) < 1e-5
        assert same_moments(learner, host)
        host.metrics = {}  # of each update, not of one in a thousand steps
    assert far(host, make(1, world, **settings)) > 1e-4


def test_its_metrics_are_the_agents_own():
    learner, host = make(1, n_steps=32), make(1, n_steps=32)
    program = A2CProgram([learner])
    plan = program.plan(10_000)
    program.experience.gather(plan.rows)
    program.experience.estimate(plan)
    give(host, program, plan, program.experience.actions)
    host._update()
    program._update(plan)
    assert {name: float(each) for name, each in program.metrics.items()} == pytest.approx(host.metrics, abs=1e-4)


@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 2.0)])
def test_a_truncated_episode_bootstraps_and_a_terminated_one_does_not(terminates, value):
    env = WorldVectorEnv(OneStep(terminates), 4, max_episode_steps=1)
    agent = A2C(env, gamma=0.5, learning_rate=0.01, n_steps=4, hidden=(8,), optimizer="adam", max_grad_norm=None)
    learn_together([agent], 16 * 250)
    assert agent.policy(torch.tensor([[0.5]]))[1].item() == pytest.approx(value, abs=0.05)
    assert set(agent.history["terminated"]) == {float(terminates)}


def test_nothing_in_a_terminal_observation_reaches_the_weights():
    class Spike(CartPole):
        def observe(self, state):
            fallen = abs(state[0]) > self.max_position or abs(state[2]) > self.max_angle
            return (math.nan, math.nan, math.nan, math.nan) if fallen else state

    agent = make(0, Spike())
    learn_together([agent], 300)
    assert len(agent.history) > 0
    assert torch.isfinite(agent.optimizer.parameters).all()


def test_agents_of_different_optimisers_do_not_learn_together():
    with pytest.raises(ValueError, match="optimizer must be the same"):
        learn_together([make(0), make(1, optimizer="adam")], 64)


def test_it_learns_cartpole_with_the_preset():
    # seeds 0 to 9 reach 132 to 500 in as many steps, as one program; a random policy falls after 22
    agent = A2C("CartPole-v1", seed=0, **load("cartpole").agents["a2c"])
    learn_together([agent], 20_480)
    assert evaluate(agent, WorldEnv(CartPole()), 20, max_steps=500).mean() > 80
