"""DRQN as one program: windows of its replay memory, updates that are the agent's own, and learning alone and together."""

import math

import numpy as np
import pytest
import torch
from graphs import ReplayedRounds
from on_policy_harness import far, same_state
from one_step import OneStep

from rlcourse.agents import DRQN
from rlcourse.agents.deep.programs.together import hindrance, learn_together, program_of
from rlcourse.agents.deep.sequence_replay import Windows, n_step_returns
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs.cartpole import CartPole
from rlcourse.envs.tmaze import TMaze

SMALL = {
    "n_envs": 3,
    "memory_size": 8,
    "hidden": (8,),
    "buffer_size": 120,
    "learning_starts": 40,
    "batch_size": 8,
    "sequence_length": 6,
    "burn_in": 3,
    "target_update_interval": 50,
    "exploration_steps": 200,
}
VARIANTS = {
    "lstm": {},
    "gru, everything": {"memory": "gru", "double": True, "dueling": True, "n_steps": 3, "half_masked": True, "start": "zero", "tau": 0.5},
    "attention, no burn-in": {"memory": "attention:4", "burn_in": 0, "loss": "mse"},
}
variants = pytest.mark.parametrize("variant", VARIANTS)


def copies():
    return WorldVectorEnv(CartPole(), 3, max_episode_steps=7)  # so short that most episodes are cut, some two within one window


def make(seed: int, variant: str = "lstm", **settings):
    return DRQN(copies(), seed=seed, **SMALL | VARIANTS[variant] | settings)


@variants
def test_each_agent_learns_what_it_would_alone(variant):
    def agents():
        return [make(s, variant, learning_rate=rate, gamma=0.9 + 0.03 * s) for s, rate in enumerate([3e-4, 1e-3, 3e-3])]

    together, alone = agents(), agents()
    learn_together(together, 217)
    for a, b in zip(together, alone, strict=True):
        learn_together([b], 217)
        assert far(a, b) < 1e-5
        assert np.array_equal(a.history.rows, b.history.rows)
        assert far(a, make(a.seed, variant)) > 1e-4
    assert far(together[0], together[1]) > 1e-3


@variants
def test_an_agent_goes_on_bit_for_bit_from_its_file_replay_included(variant, tmp_path):
    whole, first = make(3, variant), make(3, variant)
    learn_together([whole], 240)
    learn_together([first], 120)
    second = DRQN.load(first.save(tmp_path / "agent.safetensors", replay=True), env=copies())
    learn_together([second], 120)
    assert same_state(second, whole)


def on_the_host(program, windows) -> Windows:
    """Return drawn windows of one agent as the host's memory would give them: of K rows, masks none."""
    w = windows.window
    numbers = {name: part[:, 0].numpy() for name, part in w._asdict().items()}
    rows, columns = numbers["steps"] // program.N, numbers["steps"] % program.N
    terminated = program.ring.terminated.numpy()[rows, columns]
    rewards = program.ring.rewards.numpy()[rows, columns]
    return Windows(
        windows.warm[:, 0].numpy(),
        numbers["warm_starts"],
        windows.observations[:, 0].numpy(),
        numbers["starts"],
        numbers["at"],
        windows.actions[:, 0].numpy(),
        rewards,
        terminated,
        numbers["counted"],
        windows.states[0].numpy(),
    )


@variants
def test_the_update_of_a_program_is_the_agents_own(variant, monkeypatch):
    resident, host = make(5, variant), make(5, variant)
    program = program_of([resident])
    own, given = program._update, []

    def update(windows, step):
        w = on_the_host(program, windows)
        drawn = windows.window
        returns, discounts, after = n_step_returns(w, 0.99, host.config.n_steps)
        counted = w.counted
        np.testing.assert_allclose(drawn.rewards[:, 0].numpy()[counted], returns[counted], rtol=1e-5)
        np.testing.assert_allclose(drawn.discounts[:, 0].numpy()[counted], discounts[counted], rtol=1e-5)
        bootstraps = counted & (discounts > 0)
        assert np.array_equal(drawn.after[:, 0].numpy()[bootstraps], after[bootstraps])
        monkeypatch.setattr(host.replay, "windows", lambda *_: w)
        host._update()
        own(windows, step)
        given.append(w)

    follow = program.target.follow

    def both(tau):
        host._target.follow(host.optimizer, host.config.tau)
        follow(tau)

    monkeypatch.setattr(program, "_update", update)
    monkeypatch.setattr(program.target, "follow", both)
    learn_together([resident], 200)
    assert len(given) > 8
    assert any((w.at[-1] > len(w.at) - 1).any() for w in given)  # true successors were put in
    assert far(resident, host) < 1e-5
    assert far(resident, make(5, variant)) > 1e-3


def test_windows_are_consecutive_steps_of_one_copy_and_successors_follow_their_steps():
    agent = make(0)
    learn_together([agent], 400)  # the memory has been overwritten
    program = agent.program[0]
    ring, R = program.ring, program.ring.rows
    newest, filled = int(ring.newest), int(ring.filled)
    seen = set()
    for _ in range(30):
        windows = ring.windows()
        w = windows.window
        rows, columns = w.steps[:, 0] // 3, w.steps[:, 0] % 3
        age = (newest - rows) % R
        assert (age[:-1] - age[1:] == 1).all()
        assert (age < filled - 3).all()  # three rows before them warm the memory up
        assert (columns == columns[0]).all()
        at = w.at[:, 0]
        assert torch.equal(windows.observations[:, 0].gather(0, at[..., None].expand(-1, -1, 4)), ring.observations[rows, columns])
        cut = ring.ended[rows, columns] & ~ring.terminated[rows, columns]
        behind = windows.observations[:, 0].gather(0, (at + 1)[..., None].expand(-1, -1, 4))
        assert torch.equal(behind[cut], ring.successors[rows, columns][cut])
        goes_on = ~ring.ended[rows, columns]
        assert torch.equal(behind[goes_on], ring.successors[rows, columns][goes_on])
        seen |= set(age[0].tolist())
    assert seen == set(range(5, filled - 3))


def test_replayed_rounds_equal_eager_ones():
    eager, replayed = ([make(s) for s in (1, 2)] for _ in range(2))
    learn_together(eager, 300)
    program = program_of(replayed)
    rounds = program.rounds = ReplayedRounds(program.device)
    learn_together(replayed, 300)
    assert rounds.replayed >= 2
    assert all(same_state(a, b) for a, b in zip(eager, replayed, strict=True))


@pytest.mark.parametrize("terminates", [True, False])
def test_a_truncated_episode_bootstraps_from_its_memory_and_a_terminated_one_does_not(terminates):
    env = WorldVectorEnv(OneStep(terminates), 3, max_episode_steps=1)
    agent = DRQN(env, seed=0, gamma=0.5, **SMALL | {"learning_rate": 0.02, "buffer_size": 600, "sequence_length": 3, "burn_in": 1})
    learn_together([agent], 1800)
    values = agent.network(torch.full((2, 1, 1), 0.5), agent.network.memory.initial(1), torch.tensor([[True], [False]]))[:, 0].amax(1)
    assert values[0].item() == pytest.approx(1.0 if terminates else 1.0 + 0.5 * values[1].item(), abs=0.1)
    assert set(agent.history["terminated"]) == {float(terminates)}


def test_nothing_in_a_terminal_observation_reaches_the_weights():
    class Spike(CartPole):
        def observe(self, state):
            fallen = abs(state[0]) > self.max_position or abs(state[2]) > self.max_angle
            return (math.nan, math.nan, math.nan, math.nan) if fallen else state

    agent = DRQN(Spike(), seed=0, **SMALL)
    learn_together([agent], 150)
    assert agent.history["terminated"].any()
    assert torch.isfinite(agent.optimizer.parameters).all()


def test_what_it_does_not_do_on_the_device_is_said_in_one_sentence():
    assert "does not normalise observations" in hindrance([make(0, normalize_observations=True)])
    assert "action masks" in hindrance([DRQN("Taxi-v4", **SMALL)])
    assert not hindrance([DRQN(TMaze(3), **SMALL)])


def test_agents_together_learn_to_remember_a_sign():
    # seeds 0 to 9, measured once, in one program: after 10,048 steps all ten are at 0.97 or above (0.5 without memory)
    learning = {"learning_rate": 5e-3, "gamma": 0.9, "exploration_steps": 4_000, "target_update_interval": 200, "gradient_steps": 2}
    windows = {"sequence_length": 8, "burn_in": 4, "batch_size": 32, "learning_starts": 500, "buffer_size": 10_000}
    agents = [DRQN(TMaze(3), seed=s, n_envs=16, memory="gru", memory_size=16, hidden=(16,), **learning, **windows) for s in range(2)]
    learn_together(agents, 10_048)
    assert all(agent.history["return"][-200:].mean() > 0.9 for agent in agents)
