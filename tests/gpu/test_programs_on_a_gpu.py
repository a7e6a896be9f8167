"""On a GPU: rounds wait for nothing, replayed ones equal eager ones bit for bit, and what is learned there is what the CPU learns."""

import math

import numpy as np
import pytest
import torch
from on_device import DEVICE, NAMES, arrays, budget, eager, far, make, waiting

from rlcourse import agents
from rlcourse.agents.deep.programs.together import learn_together, program_of
from rlcourse.envs.cartpole import CartPole

EVERY_TERM = {"normalize_observations": True, "normalize_rewards": True, "target_kl": 0.01, "ent_coef": 0.01}


class Watched:
    """Rounds in which waiting for the GPU is an error."""

    def __init__(self, rounds):
        self.rounds = rounds
        self.between = rounds.between

    def __call__(self, *given, **named):
        with waiting("error"):
            self.rounds(*given, **named)


@pytest.mark.parametrize("name", NAMES)
def test_no_round_waits_for_the_gpu(name):
    agent = make(name)
    program = program_of([agent])
    program.rounds = Watched(program.rounds)  # eager rounds, recordings and replays
    learn_together([agent], budget(agent, 20))
    if DEVICE == "cuda":
        assert program.rounds.rounds._replays  # some were replayed
        with pytest.raises(RuntimeError), waiting("error"):
            program.step.item()  # and waiting would have been an error


@pytest.mark.parametrize("settings", [{}, EVERY_TERM], ids=["plain", "with every term"])
@pytest.mark.parametrize("name", NAMES)
def test_replayed_rounds_equal_eager_ones(name, settings):
    pair = []
    for rounds in (10**9, 3):
        pair.append(make(name, seed=1, **settings))
        with eager(rounds):
            learn_together([pair[-1]], budget(pair[-1], 12))
    mine, theirs = arrays(pair[0]), arrays(pair[1])
    assert mine.keys() == theirs.keys()
    assert [key for key in mine if not np.array_equal(mine[key], theirs[key])] == []
    assert np.array_equal(pair[0].history.rows, pair[1].history.rows)
    assert DEVICE != "cuda" or program_of([pair[1]]).rounds._replays


@pytest.mark.parametrize("name", NAMES)
def test_three_together_learn_what_each_learns_alone(name):
    rates = [3e-4, 1e-3, 3e-3]
    together, alone = ([make(name, seed=s, learning_rate=rate) for s, rate in enumerate(rates)] for _ in range(2))
    learn_together(together, budget(together[0], 8))
    for a, b in zip(together, alone, strict=True):
        learn_together([b], budget(b, 8))
        assert far(a, b) < 1e-4
        assert far(a, make(name, seed=a.seed)) > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_the_first_rounds_are_those_of_the_cpu(name):
    here, there = make(name, seed=2), make(name, seed=2, device="cpu")
    for agent in (here, there):
        learn_together([agent], budget(agent, 2))
    assert far(here, there) < 1e-3  # rounding, which later rounds amplify
    assert far(here, make(name, seed=2)) > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_what_a_gpu_has_saved_goes_on_on_the_cpu(name, tmp_path, monkeypatch):
    agent = make(name, seed=3)
    learn_together([agent], budget(agent, 6))
    file = agent.save(tmp_path / "agent.safetensors")
    if DEVICE == "cuda":
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # a machine without one
        with pytest.warns(UserWarning, match="goes on on the CPU"):
            again = getattr(agents, name).load(file, env=agent.env)
    else:
        again = getattr(agents, name).load(file, env=agent.env)
    assert again.device.type == "cpu"
    assert far(agent, again) == 0.0
    observations = np.stack([agent.observation_space.sample() for _ in range(16)]).clip(-3, 3)
    if agent.discrete:
        assert (agent.predict(observations)[0] == again.predict(observations)[0]).mean() > 0.9  # near ties may be seen otherwise
    else:
        assert np.allclose(agent.predict(observations)[0], again.predict(observations)[0], atol=1e-3)
    learn_together([again], 256)
    assert again.num_timesteps == agent.num_timesteps + 256


def test_learning_curves_of_gpu_and_cpu_are_alike():
    """Means of 8 seeds over the last episodes differ by less than 4 standard errors; both have learned."""
    means = {}
    for device in (DEVICE, "cpu"):
        pool = [make("PPO", seed=100 + s, device=device, world=CartPole(), n_steps=32, batch_size=64, n_epochs=4) for s in range(8)]
        learn_together(pool, 20_000)
        means[device] = np.array([agent.history.rows[-20:, 0].mean() for agent in pool])
    mine, theirs = means.values() if len(means) == 2 else [means["cpu"]] * 2
    error = math.sqrt(mine.var(ddof=1) / len(mine) + theirs.var(ddof=1) / len(theirs))
    assert abs(mine.mean() - theirs.mean()) < 4 * error
    assert min(mine.mean(), theirs.mean()) > 60.0  # a random policy's episodes take 22 steps
    assert torch.isfinite(pool[0].optimizer.parameters).all()
