"""Discrete SAC as a program: each agent learns what it would alone, resumes bit for bit, and its update is the host agent's own."""

import numpy as np
import pytest
import torch
from graphs import ReplayedRounds
from programs_harness import as_batch

from rlcourse.agents import DiscreteSAC
from rlcourse.agents.deep.programs.together import learn_together, program_of
from rlcourse.envs.cartpole import CartPole
from rlcourse.envs.catch import pixel_catch

SMALL = {"n_envs": 3, "train_freq": 2, "learning_starts": 31, "batch_size": 8, "buffer_size": 90, "gradient_steps": 2, "hidden": (12,)}
VARIANTS = {
    "plain": {},
    "several steps, clipped": {"n_steps": 3, "max_grad_norm": 0.5, "max_grad_value": 0.1, "gradient_steps": -1},
    "masks": {"world": "Taxi-v4"},
    "an encoder": {"world": pixel_catch(size=12), "learning_starts": 120},
}


def make(seed: int, **settings):
    world = settings.pop("world", None) or CartPole()
    return DiscreteSAC(world, seed=seed, **SMALL | settings)


def made(variant):
    """Three agents of different rates; the temperature of the last is fixed."""
    settings = [{"learning_rate": 1e-3}, {"learning_rate": 3e-3, "target_entropy": 0.6}, {"learning_rate": 1e-2, "ent_coef": 0.2}]
    return [make(s, gamma=0.9 + 0.03 * s, **VARIANTS[variant] | each) for s, each in enumerate(settings)]


def same(a, b) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    assert mine.keys() == theirs.keys()
    return all(np.array_equal(mine[name], theirs[name]) for name in mine if isinstance(mine[name], np.ndarray))


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_agent_learns_what_it_would_alone(variant):
    together, alone = made(variant), made(variant)
    learn_together(together, 133)  # the last round is shorter, and its last step is not taken by all copies
    for agent in alone:
        learn_together([agent], 133)
    for a, b in zip(together, alone, strict=True):
        assert (a.optimizer.parameters - b.optimizer.parameters).abs().max() < 1e-5
        assert (a._target.parameters - b._target.parameters).abs().max() < 1e-5
        assert np.array_equal(a.history.rows, b.history.rows)
        assert a.metrics == pytest.approx(b.metrics, abs=1e-5)
    assert float(together[2].networks.log_alpha.detach().exp()) == pytest.approx(0.2)
    assert len({float(agent.networks.log_alpha.detach()) for agent in together}) == 3


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_agent_goes_on_bit_for_bit_from_its_file(variant, tmp_path):
    settings = VARIANTS[variant]
    whole, first = make(3, **settings), make(3, **settings)
    learn_together([whole], 180)
    learn_together([first], 150)
    second = DiscreteSAC.load(first.save(tmp_path / "sac.safetensors"), env=settings.get("world") or CartPole())
    learn_together([second], 30)
    assert same(second, whole)


@pytest.mark.parametrize("variant", VARIANTS)
def test_replayed_rounds_equal_eager_ones(variant):
    eager, replayed = made(variant), made(variant)
    rounds = program_of(replayed).rounds = ReplayedRounds(replayed[0].device)
    for agents in (eager, replayed):
        learn_together(agents, 181, callback=lambda agent: None, callback_every=60)  # agents are read out between rounds
    assert rounds.replayed >= 4
    assert all(same(a, b) and a.metrics == b.metrics for a, b in zip(eager, replayed, strict=True))


@pytest.mark.parametrize("variant", VARIANTS)
def test_its_update_is_the_host_agents_own_update(variant):
    agents = made(variant)
    learn_together(agents, 150)
    program = program_of(agents)
    for _ in range(2):
        drawn = program.ring.sample()
        masks = {} if program.masks is None else {"masks": program.masks[drawn.observations], "next_masks": program.masks[drawn.successors]}
        drawn = drawn._replace(observations=program.seen(drawn.observations), successors=program.seen(drawn.successors))
        for s, agent in enumerate(agents):
            mine = as_batch(drawn, s)._replace(**{name: each[s].numpy() for name, each in masks.items()})
            agent.replay.sample = lambda *_, mine=mine: mine
            agent._update()
        program._update(drawn, program.step, True)
        for s, agent in enumerate(agents):
            torch.testing.assert_close(program.networks.parameters[s].detach(), agent.optimizer.parameters, atol=1e-5, rtol=0)
            torch.testing.assert_close(program.target.parameters[s], agent._target.parameters, atol=1e-5, rtol=0)
            mine = {name: float(value[s]) for name, value in program.metrics.items()}
            assert mine == pytest.approx({name: float(value) for name, value in agent.metrics.items()}, abs=1e-5)


def test_only_actions_that_exist_are_taken():
    agent = make(0, world="Taxi-v4", learning_starts=100)
    learn_together([agent], 300)
    ring, table = program_of([agent]).ring, np.array([agent.env.unwrapped.action_mask(s) for s in range(500)], bool)
    seen, taken = ring.observations.numpy(), ring.actions.numpy()
    assert table[seen, taken].all()
    assert {0, 1, 2, 3} <= set(taken.ravel().tolist())
