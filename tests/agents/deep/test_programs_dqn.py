"""DQN as a program: each agent learns what it would alone, resumes bit for bit, and its update is the host agent's own."""

import math

import numpy as np
import pytest
import torch
from graphs import ReplayedRounds

from rlcourse.agents import DQN
from rlcourse.agents.deep.programs.together import learn_together, program_of
from rlcourse.agents.deep.replay import Batch
from rlcourse.envs.cartpole import CartPole

SMALL = {
    "n_envs": 3,
    "train_freq": 4,
    "learning_starts": 32,
    "batch_size": 8,
    "buffer_size": 120,
    "gradient_steps": 2,
    "target_update_interval": 20,
    "exploration_steps": 200,
    "hidden": (12,),
}
VARIANTS = {
    "plain": {},
    "quantiles, soft targets": {"distributional": "qr", "n_atoms": 5, "tau": 0.3, "exploration_decay": "exponential"},
    "no target, clipped, every step": {
        "target_network": False,
        "loss": "mse",
        "max_grad_norm": 0.5,
        "max_grad_value": 0.1,
        "gradient_steps": -1,
        "train_freq": 1,
    },
    "Rainbow": {
        "double": True,
        "dueling": True,
        "n_steps": 3,
        "distributional": "c51",
        "n_atoms": 7,
        "v_max": 20.0,
        "noisy": True,
        "prioritized": True,
        "priority_beta_steps": 300,
    },
    "priorities, noise, no target": {"target_network": False, "noisy": True, "prioritized": True, "gradient_steps": 1},
    "masks": {"world": "Taxi-v4", "double": True},
}


def make(seed: int, **settings):
    world = settings.pop("world", None) or CartPole()
    return DQN(world, seed=seed, **SMALL | settings)


def far(a, b) -> float:
    return float((a.optimizer.parameters - b.optimizer.parameters).abs().max())


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_agent_learns_what_it_would_alone(variant):
    settings = VARIANTS[variant]

    def made():
        return [make(s, learning_rate=rate, gamma=0.9 + 0.03 * s, **settings) for s, rate in enumerate([3e-4, 1e-3, 3e-3])]

    together, alone = made(), made()
    learn_together(together, 205)  # the last round is shorter, and its last step is not taken by all copies
    for agent in alone:
        learn_together([agent], 205)
    for a, b in zip(together, alone, strict=True):
        assert far(a, b) < 1e-5
        assert a.num_timesteps == b.num_timesteps == 205
        assert np.array_equal(a.history.rows, b.history.rows)
        assert far(a, make(a.seed, **settings)) > 1e-3  # it has learned something
        assert a.metrics == pytest.approx(b.metrics, abs=1e-5)
    assert far(together[0], together[1]) > 1e-3


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_agent_goes_on_bit_for_bit_from_its_file(variant, tmp_path):
    settings = VARIANTS[variant]
    whole, first = make(3, **settings), make(3, **settings)
    learn_together([whole], 240)
    learn_together([first], 120)
    second = DQN.load(first.save(tmp_path / "dqn.safetensors"), env=settings.get("world") or CartPole())
    learn_together([second], 120)
    mine, theirs = second.state_dict(), whole.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine if isinstance(mine[name], np.ndarray))


@pytest.mark.parametrize("variant", VARIANTS)
def test_replayed_rounds_equal_eager_ones(variant):
    eager, replayed = ([make(s, **VARIANTS[variant]) for s in (1, 2)] for _ in range(2))
    rounds = program_of(replayed).rounds = ReplayedRounds(replayed[0].device)
    for agents in (eager, replayed):
        learn_together(agents, 205, callback=lambda agent: None, callback_every=60)  # agents are read out between rounds
    assert rounds.replayed >= 4
    for a, b in zip(eager, replayed, strict=True):
        mine, theirs = a.state_dict(), b.state_dict()
        assert mine.keys() == theirs.keys()
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine if isinstance(mine[name], np.ndarray))
        assert np.array_equal(a.history.rows, b.history.rows)
        assert a.metrics == b.metrics


def batch_of(program, s: int) -> Batch:
    """Draw a batch, and return agent s's as its own memory would have drawn it."""
    drawn = program.ring.sample()
    parts = {name: None if part is None else part[s].numpy() for name, part in drawn._asdict().items()}
    successors = parts.pop("successors")
    masks = None if program.masks is None else program.masks[torch.from_numpy(successors)].numpy()
    return drawn, Batch(next_observations=successors, next_masks=masks, **parts)


def share(host, program, mine):
    """Give the host agent, the second of the program, a batch to draw and the noise that the program drew; list what it corrects."""
    corrected = []
    host.replay.sample = lambda *_: mine
    host.replay.correct = lambda slots, errors: corrected.append(errors)
    if program.noise is not None:
        own, other = program.noise[1].out[:, 1]
        for network, numbers in [(host.target_network, other), (host.network, own)]:  # one and the same without a target network
            network.reset_noise = lambda generator: None
            parts = numbers.split([layer.in_features + layer.out_features for layer in network._noisy])
            for layer, part in zip(network._noisy, parts, strict=True):
                layer.noise = layer.factors(part)
    return host, corrected


@pytest.mark.parametrize("variant", VARIANTS)
def test_its_update_is_the_host_agents_own_update(variant):
    settings = VARIANTS[variant]
    agents = [make(s, learning_rate=rate, **settings) for s, rate in enumerate([1e-3, 1e-2])]
    learn_together(agents, 160)
    program = program_of(agents)
    for _ in range(3):
        drawn, mine = batch_of(program, 1)
        program._update(drawn, program.step, True)
        host, corrected = share(agents[1], program, mine)
        host._update()
        if host.config.prioritized:
            (errors,) = corrected
            place = program.ring._places[1]
            expected = (np.abs(errors.astype(np.float64)) + 1e-6) ** 0.6
            np.testing.assert_allclose(program.ring.priorities[1].flatten()[place], expected, atol=1e-5)
        if program.target is not None:
            program.target.follow((1.0 - (1.0 - program.tau) ** 2).float())
            agents[1]._target.follow(agents[1].optimizer, 1.0 - (1.0 - agents[1].config.tau) ** 2)
            torch.testing.assert_close(program.target.parameters[1], agents[1]._target.parameters, atol=1e-5, rtol=0)
        torch.testing.assert_close(program.network.parameters[1].detach(), agents[1].optimizer.parameters, atol=1e-5, rtol=0)
    assert {name: float(value[1]) for name, value in program.metrics.items()} == pytest.approx(
        {name: float(value) for name, value in agents[1].metrics.items()}, abs=1e-5
    )


def test_only_actions_that_exist_are_taken():
    agent = make(0, world="Taxi-v4", exploration_final_eps=0.5)
    learn_together([agent], 400)
    ring, table = program_of([agent]).ring, np.array([agent.env.unwrapped.action_mask(s) for s in range(500)], bool)
    assert ring.filled == len(ring.counts)
    seen, taken = ring.observations.numpy(), ring.actions.numpy()
    assert table[seen, taken].all()
    assert not table[seen].all()
    assert {0, 1, 2, 3} <= set(taken.ravel().tolist())  # passengers are seldom there to be picked up


def test_nothing_in_a_terminal_observation_reaches_the_weights():
    class Spike(CartPole):
        def observe(self, state):
            fallen = abs(state[0]) > self.max_position or abs(state[2]) > self.max_angle
            return (math.nan, math.nan, math.nan, math.nan) if fallen else state

    for settings in VARIANTS.values():
        if "world" not in settings:
            agent = make(0, world=Spike(), **settings)
            learn_together([agent], 240)
            assert len(agent.history) > 0
            assert torch.isfinite(agent.optimizer.parameters).all()
