"""Discrete CrossQ as a program: each agent learns what it would alone, resumes bit for bit, and its update is the host agent's own."""

import numpy as np
import pytest
import torch
from graphs import ReplayedRounds
from programs_harness import as_batch

from rlcourse.agents import DiscreteCrossQ
from rlcourse.agents.deep.programs.together import learn_together, program_of
from rlcourse.envs.cartpole import CartPole

SMALL = {"n_envs": 3, "train_freq": 2, "learning_starts": 31, "batch_size": 8, "buffer_size": 90, "hidden": (12,), "exploration_steps": 100}
VARIANTS = {"plain": {}, "beyond the warmup": {"renorm_warmup": 10, "max_grad_norm": 5.0}, "masks": {"world": "Taxi-v4", "n_steps": 3}}


def make(seed: int, **settings):
    world = settings.pop("world", None) or CartPole()
    return DiscreteCrossQ(world, seed=seed, **SMALL | settings)


def made(variant):
    return [make(s, learning_rate=rate, gamma=0.9 + 0.03 * s, **VARIANTS[variant]) for s, rate in enumerate([1e-3, 3e-3])]


def same(a, b) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    assert mine.keys() == theirs.keys()
    return all(np.array_equal(mine[name], theirs[name]) for name in mine if isinstance(mine[name], np.ndarray))


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_agent_learns_what_it_would_alone_also_replayed(variant):
    together, alone, replayed = made(variant), made(variant), made(variant)
    rounds = program_of(replayed).rounds = ReplayedRounds(replayed[0].device)
    learn_together(together, 133)  # the last round is shorter, and its last step is not taken by all copies
    learn_together(replayed, 133)
    assert rounds.replayed >= 4
    for a, b, c in zip(together, alone, replayed, strict=True):
        learn_together([b], 133)
        assert (a.optimizer.parameters - b.optimizer.parameters).abs().max() < 1e-5
        assert np.array_equal(a.history.rows, b.history.rows)
        assert a.metrics == pytest.approx(b.metrics, abs=1e-5)
        assert same(a, c)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_agent_goes_on_bit_for_bit_from_its_file(variant, tmp_path):
    settings = VARIANTS[variant]
    whole, first = make(3, **settings), make(3, **settings)
    learn_together([whole], 180)
    learn_together([first], 150)
    second = DiscreteCrossQ.load(first.save(tmp_path / "crossq.safetensors"), env=settings.get("world") or CartPole())
    learn_together([second], 30)
    assert same(second, whole)


@pytest.mark.parametrize("variant", VARIANTS)
def test_its_update_is_the_host_agents_own_update(variant):
    agents = made(variant)
    learn_together(agents, 150)
    program = program_of(agents)
    drawn = program.ring.sample()
    masks = {} if program.masks is None else {"next_masks": program.masks[drawn.successors]}
    for s, agent in enumerate(agents):
        mine = as_batch(drawn, s)._replace(**{name: each[s].numpy() for name, each in masks.items()})
        agent.replay.sample = lambda *_, mine=mine: mine
        agent._update()
    program._update(drawn, program.step, True)
    for s, agent in enumerate(agents):
        torch.testing.assert_close(program.network.parameters[s].detach(), agent.optimizer.parameters, atol=1e-5, rtol=0)
        assert {name: float(value[s]) for name, value in program.metrics.items()} == pytest.approx(
            {name: float(value) for name, value in agent.metrics.items()}, abs=1e-5
        )
        for name, norm in program.network._norms[s].items():
            moved = program.network._statistics[f"network.{name}.mean"][s]
            torch.testing.assert_close(moved, norm.mean, atol=1e-6, rtol=0)
            assert int(program.network._updates[name][s]) == norm.updates
