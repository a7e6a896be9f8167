"""REINFORCE as a program: whole episodes in windows of fixed length, chosen as the agent chooses them, and its own update."""

import math

import numpy as np
import pytest
import torch
from on_policy_harness import far, same_state
from one_step import OneStep

from rlcourse.agents import REINFORCE
from rlcourse.agents.deep.programs.reinforce import REINFORCEProgram
from rlcourse.agents.deep.programs.together import learn_together
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import CartPole
from rlcourse.envs.pendulum import Pendulum

VARIANTS = {
    "learned value, some copies": (CartPole(), 3, {"baseline": "value", "episodes_per_update": 7}),
    "mean, one copy": (CartPole(), 1, {"baseline": "mean", "episodes_per_update": 2, "ent_coef": 0.01}),
    "none, more copies than episodes": (CartPole(), 4, {"baseline": "none", "episodes_per_update": 3, "max_grad_norm": 0.5}),
    "continuous": (Pendulum(), 2, {"episodes_per_update": 3}),
}


def make(seed: int, variant: str, **settings):
    world, copies, given = VARIANTS[variant]
    env = WorldVectorEnv(world, copies, max_episode_steps=24)  # CartPole falls earlier or later
    return REINFORCE(env, seed=seed, **{"hidden": (16,)} | given | settings)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_agent_learns_what_it_would_alone(variant):
    swept = [{"learning_rate": 1e-2, "gamma": 0.9}, {"vf_coef": 1.0}, {"max_grad_norm": 0.1}]
    together = [make(s, variant, **each) for s, each in enumerate(swept)]
    alone = [make(s, variant, **each) for s, each in enumerate(swept)]
    learn_together(together, 701)  # the last window is shorter, and its last step is not taken by all copies
    for agent in alone:
        learn_together([agent], 701)
    for a, b in zip(together, alone, strict=True):
        assert far(a, b) < 1e-5
        assert a.num_timesteps == b.num_timesteps == 701
        assert np.array_equal(a.history.rows, b.history.rows)
        assert a.metrics == pytest.approx(b.metrics, rel=1e-3, abs=1e-4)
        assert a.optimizer.steps > 1
        assert far(a, make(a.seed, variant)) > 1e-3


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_agent_goes_on_bit_for_bit_from_its_file_amid_a_batch(variant, tmp_path):
    whole, first = make(3, variant), make(3, variant)
    learn_together([whole], 768)
    learn_together([first], 384)  # whole windows in all variants
    second = REINFORCE.load(first.save(tmp_path / "reinforce.safetensors"), env=make(0, variant).venv)
    learn_together([second], 384)
    assert same_state(second, whole)


def numbers_of(ended, copies):
    """The number of each step's episode, in the order of beginning, as `Episodes` counts them."""
    running, numbers = np.arange(copies), []
    for row in ended:
        numbers.append(running.copy())
        for i in np.flatnonzero(row):
            running[i] = running.max() + 1
    return np.array(numbers), running


def give(agent, batch, successors, numbers) -> None:
    """Give an agent the batch that a program of it alone has gathered."""
    e, length = agent.episodes, len(numbers)
    e._reserve(max(256, length))
    e.length = length
    for name in ("observations", "actions", "rewards", "terminated", "ended"):
        mine = getattr(e, name)
        mine[:length] = batch[name].numpy().reshape(mine[:length].shape)
    e.numbers[:length] = numbers
    cuts = np.argwhere((e.ended & ~e.terminated)[:length])
    assert len(cuts) or agent.config.baseline != "value", "an episode is cut"
    e.cuts = [(int(t), int(i), successors[t, i].numpy()) for t, i in cuts]


@pytest.mark.parametrize("variant", VARIANTS)
def test_its_episodes_and_its_update_are_the_agents_own(variant):
    learner, host = make(1, variant), make(1, variant)
    program = REINFORCEProgram([learner])
    for _ in range(2):
        complete, successors = torch.zeros(1, dtype=torch.bool), []
        program._begin()
        while not complete:
            plan = program.plan(10_000)
            program._play(plan.rows)
            program._store(plan.rows)
            successors.append(program.copies.successors[: plan.rows].clone())
            program.copies.turn(plan.rows)
            program.step += plan.valid
            complete = program.running.amin(1) >= program.wanted
        length = int(program.filled)
        batch = {name: part[0, :length] for name, part in program.batch.items()}
        numbers, running = numbers_of(batch["ended"].numpy(), program.N)
        assert np.array_equal(batch["chosen"].numpy(), numbers < program.wanted)
        assert np.array_equal(program.running[0].numpy(), running)
        give(host, batch, torch.cat(successors), numbers)
        host.num_timesteps = int(program.step)
        host._update()
        program._update(plan._replace(valid=0), complete)
        program.begins.fill_(True)
        for part in program._learned():
            part.write([0])
        assert far(learner, host) < 1e-5
        if learner.discrete:  # the host takes a Gaussian's entropy after the step
            assert {name: float(each) for name, each in program.metrics.items()} == pytest.approx(host.metrics, rel=1e-4, abs=1e-4)
    assert far(host, make(1, variant)) > 1e-3


@pytest.mark.parametrize(("terminates", "value"), [(True, 1.0), (False, 2.0)])
def test_a_truncated_episode_bootstraps_and_a_terminated_one_does_not(terminates, value):
    env = WorldVectorEnv(OneStep(terminates), 2, max_episode_steps=1)
    agent = REINFORCE(env, gamma=0.5, learning_rate=0.02, hidden=(8,), baseline="value", episodes_per_update=8)
    learn_together([agent], 64 * 250)
    assert agent.policy(torch.tensor([[0.5]]))[1].item() == pytest.approx(value, abs=0.05)
    assert set(agent.history["terminated"]) == {float(terminates)}


def test_nothing_in_a_terminal_observation_reaches_the_weights():
    class Spike(CartPole):
        def observe(self, state):
            fallen = abs(state[0]) > self.max_position or abs(state[2]) > self.max_angle
            return (math.nan, math.nan, math.nan, math.nan) if fallen else state

    agent = REINFORCE(WorldVectorEnv(Spike(), 2, 50), seed=0, hidden=(8,), episodes_per_update=3)
    learn_together([agent], 500)
    assert agent.history["terminated"].sum() > 3
    assert agent.optimizer.steps > 1
    assert torch.isfinite(agent.optimizer.parameters).all()


def test_what_it_cannot_do_it_says_in_one_sentence():
    with pytest.raises(ValueError, match="needs a time limit"):
        learn_together([REINFORCE(WorldVectorEnv(CartPole(), 2))], 64)
    with pytest.raises(ValueError, match="does not normalise observations"):
        learn_together([make(0, "continuous", normalize_observations=True)], 64)
