"""Rounds that are recorded and replayed, as on a GPU, equal rounds that run: N eager iterations equal N replayed ones, bit for bit."""

from dataclasses import fields

import numpy as np
import pytest
from graphs import ReplayedRounds

from rlcourse.agents import A2C, PPO, PQN, REINFORCE
from rlcourse.agents.deep.programs.together import learn_together, program_of
from rlcourse.core.schedules import Linear
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs.cartpole import CartPole
from rlcourse.envs.pendulum import Pendulum

SMALL = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "hidden": (8, 8)}
EVERY_TERM = {"normalize_observations": True, "normalize_rewards": True, "clip_range_vf": 0.3, "target_kl": 0.01}
MOVING = {"learning_rate": Linear(3e-3, 1e-4, 600), "clip_range": Linear(0.3, 0.1, 600), "ent_coef": Linear(0.02, 0.0, 600)}
NORMALIZED = {"normalize_observations": True, "normalize_rewards": True}
AFTER_EACH_ROLLOUT = {"n_envs": 4, "n_steps": 5, "hidden": (8, 8)}
VALUES = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "hidden": (8,), "exploration_steps": 300}
CASES = {  # class, world, settings, steps of each agent: at least 6 rounds, of which 3 are replayed
    "PPO, discrete": (PPO, CartPole(), SMALL, 500),
    "PPO, continuous": (PPO, Pendulum(), SMALL | {"max_grad_value": 0.1}, 500),
    "PPO, with every term": (PPO, CartPole(), SMALL | EVERY_TERM | {"ent_coef": 0.01}, 500),
    "A2C": (A2C, CartPole(), SMALL | EVERY_TERM, 500),
    "PQN": (PQN, CartPole(), SMALL | EVERY_TERM | {"exploration_steps": 300}, 500),
    "PPO, all schedules moving, one batch": (PPO, CartPole(), SMALL | MOVING | {"batch_size": 64}, 500),
    "A2C, continuous, by RMSprop": (A2C, Pendulum(), AFTER_EACH_ROLLOUT, 200),
    "A2C, by Adam, with every term": (A2C, CartPole(), AFTER_EACH_ROLLOUT | NORMALIZED | {"optimizer": "adam", "ent_coef": 0.01}, 200),
    "PQN, exploration falling": (PQN, CartPole(), VALUES | NORMALIZED | {"learning_rate": Linear(3e-3, 1e-4, 600)}, 500),
    "PQN, states with masks": (PQN, "Taxi-v4", VALUES, 500),
    "REINFORCE": (REINFORCE, WorldVectorEnv(CartPole(), 2, 40), {"hidden": (8, 8), "episodes_per_update": 3, "ent_coef": 0.01}, 500),
}


@pytest.mark.parametrize("case", CASES)
def test_replayed_rounds_equal_eager_ones(case):
    kind, world, chosen, budget = CASES[case]
    settings = {name: value for name, value in chosen.items() if name in {field.name for field in fields(kind.Config)}}
    eager, replayed = ([kind(world, seed=s, **settings) for s in (1, 2)] for _ in range(2))
    learn_together(eager, budget, callback=lambda agent: None, callback_every=100)  # agents are read out between rounds
    program = program_of(replayed)
    rounds = program.rounds = ReplayedRounds(program.device)
    learn_together(replayed, budget, callback=lambda agent: None, callback_every=100)
    assert rounds.replayed >= 2  # it was no eager run
    for a, b in zip(eager, replayed, strict=True):
        mine, theirs = a.state_dict(), b.state_dict()
        assert mine.keys() == theirs.keys()
        different = [name for name in mine if not np.array_equal(mine[name], theirs[name])]
        assert not different
        assert np.array_equal(a.history.rows, b.history.rows)
        assert len(a.history) > 0 or not isinstance(world, CartPole)  # the others end later
        assert a.metrics == b.metrics
