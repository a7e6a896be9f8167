"""Agents that learn as one program stop each for itself, and go on from where they stopped."""

import numpy as np
import pytest
import torch

from rlcourse.agents import DQN, PPO
from rlcourse.agents.deep.programs.together import learn_together
from rlcourse.envs.cartpole import CartPole

SMALL = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "hidden": (16, 16), "normalize_observations": True}


def make(seed: int, **settings):
    return PPO(CartPole(), seed=seed, **SMALL | settings)


def far(a, b) -> float:
    return float((a.optimizer.parameters - b.optimizer.parameters).abs().max())


def same(a, b) -> bool:
    mine, theirs = a.state_dict(), b.state_dict()
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[key], theirs[key]) for key in mine if isinstance(mine[key], np.ndarray))


def test_an_agent_that_stops_is_final_while_the_others_go_on(tmp_path):
    together, alone = [make(s) for s in range(3)], [make(s) for s in range(3)]
    kept = {}

    def look(agent):
        if agent.seed == 1 and agent.num_timesteps >= 128:
            kept[1] = agent.save(tmp_path / "one.safetensors")
            return False
        return True

    learn_together(together, 320, callback=look, callback_every=64)
    for agent, steps in zip(alone, (320, 128, 320), strict=True):
        learn_together([agent], steps)
    for a, b in zip(together, alone, strict=True):
        assert a.num_timesteps == b.num_timesteps
        assert np.array_equal(a.history.rows, b.history.rows)
        assert far(a, b) < 1e-5
        assert np.allclose(a.normalizer.seen.data, b.normalizer.seen.data)
    assert same(PPO.load(kept[1], env=CartPole()), together[1])  # also where its copies were, and what its streams had drawn


def test_learning_ends_when_all_have_stopped():
    agents = [make(0), make(1)]
    learn_together(agents, 10_000, callback=lambda agent: agent.num_timesteps < 64 * (1 + agent.seed), callback_every=64)
    assert [agent.num_timesteps for agent in agents] == [64, 128]


def test_an_agent_stops_after_the_round_in_which_it_was_asked_to():
    agents = [make(0), make(1)]
    learn_together(agents, 10_000, callback=lambda agent: [each.stop() for each in agents] == [], callback_every=64)
    assert [agent.num_timesteps for agent in agents] == [64, 64]

    def ask(agent):
        if agent is agents[1] and agent.num_timesteps == 128:
            agents[0].stop()  # as from another thread; noticed after the next round, though nobody looks then
        return agent.num_timesteps < 500

    learn_together(agents, 10_000, callback=ask, callback_every=128)
    assert agents[0].num_timesteps == 192
    assert agents[1].num_timesteps == 512


def test_an_agent_that_stops_itself_while_it_is_looked_at_takes_no_further_step():
    agents = [make(0), make(1)]
    learn_together(agents, 10_000, callback=lambda agent: agent.stop() or True, callback_every=64)
    assert [agent.num_timesteps for agent in agents] == [64, 64]


def test_an_agent_that_learned_beside_others_goes_on_alone_and_as_a_program():
    whole, parted = make(0), [make(0), make(1)]
    learn_together([whole], 256)
    learn_together(parted, 128)
    parted[0].learn(128)  # on the CPU, where an agent that never was part of a program steps on the host
    assert parted[0].program is not None
    assert far(parted[0], whole) < 1e-5
    assert np.array_equal(parted[0].history.rows, whole.history.rows)


def test_an_agent_of_a_file_goes_on_as_a_program_bit_for_bit(tmp_path):
    agents = [make(0), make(1)]
    learn_together(agents, 128)
    file = agents[1].save(tmp_path / "one.safetensors")
    by_learn, together = PPO.load(file, env=CartPole()), PPO.load(file, env=CartPole())
    by_learn.learn(128)
    learn_together([together], 128)
    assert same(by_learn, together)
    assert far(by_learn, agents[1]) > 1e-4


def test_an_agent_that_learns_on_the_host_begins_anew_as_a_program():
    agent = make(0)
    learn_together([agent], 128)
    agent.learn(episodes=len(agent.history) + 1)  # a budget of episodes is the host's
    assert agent.program is None
    assert not any(name.startswith("device.") for name in agent.state_dict())


def test_an_agent_that_diverges_stops_alone():
    agents = [make(0), make(1)]

    def spoil(agent):
        if agent.seed == 0 and agent.num_timesteps == 64:
            agents[0].program[0].policy.parameters.data[0].fill_(torch.nan)
        return True

    with pytest.raises(FloatingPointError, match="seed 0: the weights are no longer finite at step 128"):
        learn_together(agents, 256, callback=spoil, callback_every=64)
    assert agents[1].num_timesteps == 256
    assert torch.isfinite(agents[1].optimizer.parameters).all()


@pytest.mark.parametrize("settings", [{}, {"learning_starts": 8, "target_update_interval": 8}, {"distributional": "c51", "v_max": 20.0}])
def test_an_agent_whose_priorities_diverge_stops_alone(settings):
    small = {"learning_starts": 50, "batch_size": 16, "hidden": (16,), "buffer_size": 500, "prioritized": True, "device": "cpu"}
    rates = (1e30, 1e-3)  # errors are infinite, or no numbers
    together = [DQN(CartPole(), seed=s, learning_rate=rate, **small | settings) for s, rate in enumerate(rates)]
    alone = DQN(CartPole(), seed=1, learning_rate=1e-3, **small | settings)
    with pytest.raises(FloatingPointError, match=r"^seed 0: [^;]* no longer finite at step \d+[^;]*$"):
        learn_together(together, 400)
    learn_together([alone], 400)
    assert same(together[1], alone)
    assert together[1].num_timesteps == 400
