"""Agents that learn as one program: each learns what it would alone, resumes bit for bit, and its update is the agent's own."""

import math
from dataclasses import replace
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.wrappers import ClipReward

from rlcourse.agents import DQN, PPO, QLearning
from rlcourse.agents.deep.programs.together import learn_together
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs.cartpole import CartPole
from rlcourse.envs.pendulum import Pendulum

SMALL = {"n_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2, "hidden": (16, 16)}
VARIANTS = {
    "discrete": (CartPole(), {}),
    "continuous": (Pendulum(), {}),
    "normalised, with every term": (
        CartPole(),
        {"normalize_observations": True, "normalize_rewards": True, "ent_coef": 0.01, "clip_range_vf": 0.3, "target_kl": 0.01},
    ),
}


def make(seed: int, world=None, **settings):
    return PPO(CartPole() if world is None else world, seed=seed, **SMALL | settings)


def far(a, b) -> float:
    return float((a.optimizer.parameters - b.optimizer.parameters).abs().max())


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_agent_learns_what_it_would_alone(variant):
    world, settings = VARIANTS[variant]
    rates = [3e-4, 1e-3, 3e-3]
    together = [make(s, world, learning_rate=rate, gamma=0.9 + 0.03 * s, **settings) for s, rate in enumerate(rates)]
    alone = [make(s, world, learning_rate=rate, gamma=0.9 + 0.03 * s, **settings) for s, rate in enumerate(rates)]
    learn_together(together, 333)  # the last rollout is shorter, and its last step is not taken by all copies
    for agent in alone:
        learn_together([agent], 333)
    for a, b in zip(together, alone, strict=True):
        assert far(a, b) < 1e-5
        assert a.num_timesteps == b.num_timesteps == 333
        assert np.array_equal(a.history.rows, b.history.rows)
        assert far(a, make(a.seed, world, **settings)) > 1e-4  # it has learned something
    assert far(together[0], together[1]) > 1e-3


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_agent_goes_on_bit_for_bit_from_its_file(variant, tmp_path):
    world, settings = VARIANTS[variant]
    whole, first = make(3, world, **settings), make(3, world, **settings)
    learn_together([whole], 256)
    learn_together([first], 128)
    second = PPO.load(first.save(tmp_path / "ppo.safetensors"), env=world)
    learn_together([second], 128)
    mine, theirs = second.state_dict(), whole.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine if isinstance(mine[name], np.ndarray))


def test_what_keeps_agents_apart_is_said_in_one_sentence():
    with pytest.raises(ValueError, match="n_epochs must be the same"):
        learn_together([make(0), make(1, n_epochs=3)], 64)
    with pytest.raises(ValueError, match="live in one world"):
        learn_together([make(0), make(1, CartPole()._replace(force=5.0))], 64)
    with pytest.raises(ValueError, match="have the same n_envs, not 4 and 2"):
        learn_together([make(0), make(1, n_envs=2)], 64)
    with pytest.raises(ValueError, match="agents: give a list of agents, not NoneType"):
        learn_together(None, 64)
    with pytest.raises(ValueError, match="steps on the host"):
        learn_together([PPO(ClipReward(gym.make("CartPole-v1"), 0, 1), **SMALL | {"n_envs": 1})], 64)


def test_a_callback_sees_each_agent_up_to_date_and_may_end_learning():
    seen = []

    def look(agent):
        seen.append((agent.seed, agent.num_timesteps, float(agent.optimizer.parameters.sum())))
        return agent.num_timesteps < 192

    learn_together([make(0), make(1)], 10_000, callback=look, callback_every=64)
    assert [each[:2] for each in seen] == [(0, 64), (1, 64), (0, 128), (1, 128), (0, 192), (1, 192)]
    assert len({each[2] for each in seen}) == 6


def test_nothing_in_a_terminal_observation_reaches_the_weights():
    class Spike(CartPole):
        def observe(self, state):
            fallen = abs(state[0]) > self.max_position or abs(state[2]) > self.max_angle
            return (math.nan, math.nan, math.nan, math.nan) if fallen else state

    agent = make(0, Spike())
    learn_together([agent], 256)
    assert len(agent.history) > 0
    assert torch.isfinite(agent.optimizer.parameters).all()


def test_a_file_from_a_gpu_is_loaded_where_there_is_none(tmp_path, monkeypatch):
    agent = make(5)
    learn_together([agent], 64)
    agent.config = replace(agent.config, device="cuda")
    file = agent.save(tmp_path / "ppo.safetensors")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="goes on on the CPU"):
        again = PPO.load(file, env=CartPole())
    assert again.device.type == "cpu"
    assert far(agent, again) == 0.0
    learn_together([again], 64)
    with pytest.raises(ValueError, match="take device='cpu'"):
        make(5, device="cuda")


def test_what_was_learned_is_not_lost_where_learning_is_broken_off():
    whole, broken = make(0), make(0)
    learn_together([whole], 192)

    def fail(agent):
        if agent.num_timesteps == 192:
            raise KeyboardInterrupt
        return True

    for every in (64, 192):
        broken = make(0)
        with pytest.raises(KeyboardInterrupt):
            learn_together([broken], 10_000, callback=fail, callback_every=every)
        assert broken.num_timesteps == 192
        assert far(broken, whole) < 1e-5
        assert np.array_equal(broken.history.rows, whole.history.rows)
    program = broken.program[0]
    before, program.done = program.done, lambda plan: (before(plan), 1 / 0)
    with pytest.raises(ZeroDivisionError):  # between two callbacks
        learn_together([broken], 10_000)
    assert broken.num_timesteps == 256
    assert far(broken, whole) > 1e-4


def test_an_agent_begins_beside_one_that_goes_on():
    whole, first, second, alone = make(0), make(0), make(1), make(1)
    learn_together([whole], 256)
    learn_together([first], 128)
    second.num_timesteps = alone.num_timesteps = 128  # as if it had learned on the host
    learn_together([first, second], 128)
    learn_together([alone], 128)
    assert far(first, whole) < 1e-5
    assert np.array_equal(first.history.rows, whole.history.rows)
    assert far(second, alone) < 1e-5


def test_draws_go_on_where_a_replay_memory_was_not_saved(tmp_path):
    settings = {"n_envs": 2, "learning_starts": 10_000, "buffer_size": 1000, "hidden": (8,)}
    agent = DQN(CartPole(), seed=0, **settings)
    learn_together([agent], 64)
    again = DQN.load(agent.save(tmp_path / "dqn.safetensors", replay=False), env=CartPole())
    drawn = agent.program[0].draws.drawn.clone()
    assert drawn.item() > 0
    learn_together([again], 64)
    assert again.program[0].draws.drawn.item() == 2 * drawn.item()
    assert again.program[0].ring.filled.item() == 32  # a new memory


def test_a_reward_that_is_no_number_is_said_to_be_the_environment_s():
    class Rewarded(NamedTuple):
        inside: CartPole = CartPole()
        observation_space, action_space = CartPole().observation_space, CartPole().action_space

        def reset(self, rng):
            return self.inside.reset(rng)

        def step(self, state, action, rng):
            after, reward, over, cut = self.inside.step(state, action, rng)
            return after, math.nan if over else reward, over, cut

        def observe(self, state):
            return state

    with pytest.raises(FloatingPointError, match="the environment gave a reward or a state that is no finite number"):
        learn_together([make(0, Rewarded())], 256)


def test_a_state_that_is_no_number_is_the_environments_fault():
    class Lost(NamedTuple):
        inside: CartPole = CartPole()
        observation_space, action_space = CartPole().observation_space, CartPole().action_space

        def reset(self, rng):
            return self.inside.reset(rng)

        def step(self, state, action, rng):
            after, reward, over, cut = self.inside.step(state, action, rng)
            x = math.nan if over else after[0]
            return (x, after[1], after[2], after[3]), reward, over, cut

        def observe(self, state):
            return state

    with pytest.raises(FloatingPointError, match="a reward or a state that is no finite number before step 64: mend it"):
        learn_together([make(0, Lost())], 256)


def test_whole_numbers_are_played_in_a_box_of_whole_numbers():
    class Told(NamedTuple):
        length: float = 5.0
        observation_space, action_space = gym.spaces.Box(-9, 9, (2,), np.float32), gym.spaces.Box(-3, 3, (1,), np.int64)

        def reset(self, rng):
            return 0.0, 0.0

        def step(self, state, action, rng):
            return (action[0], state[1] + 1.0), 0.0, state[1] + 1.0 >= self.length, False

        def observe(self, state):
            return state

    agent = make(0, Told())
    learn_together([agent], 64)
    seen = agent.program[0].copies.successors[..., 0]
    assert torch.equal(seen, seen.round())
    assert len(seen.unique()) > 2


def test_who_cannot_learn_together_is_told_in_one_sentence():
    agent = make(0)
    for agents, said in (
        ([agent, agent], "there twice"),
        (agent, "give a list"),
        ([], "at least one"),
        ([QLearning("CliffWalking-v1")], "no deep agent"),
    ):
        with pytest.raises(ValueError, match=said):
            learn_together(agents, 64)
    with pytest.raises(ValueError, match="callback_every"):
        learn_together([agent], 64, callback_every=0)


def test_a_wrapper_around_the_copies_is_never_stepped_over():
    class Tenfold(gym.vector.VectorWrapper):
        def step(self, actions):
            seen, rewards, *rest = self.env.step(actions)
            return seen, 10 * rewards, *rest

    wrapped = make(0, Tenfold(WorldVectorEnv(CartPole(), SMALL["n_envs"])))
    with pytest.raises(ValueError, match="steps the world itself, and not Tenfold around it: it steps on the host"):
        learn_together([wrapped], 64)
    with pytest.raises(ValueError, match="not Tenfold around it"):
        learn_together([make(0), wrapped], 64)
    learn_together([make(0, WorldVectorEnv(CartPole(), SMALL["n_envs"]))], 64)
