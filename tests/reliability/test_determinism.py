"""The same command twice gives the same bits, wherever it runs; nobody else's random numbers are read or moved."""

import contextlib
import copy
import hashlib
import json
import os
import random
import tomllib

import gymnasium as gym
import numpy as np
import pytest
import torch
from every_agent import DEEP, EVERY, acts_in, differences, learn, make

from rlcourse import agents
from rlcourse.agents.deep.arithmetic import deterministic_operations
from rlcourse.agents.deep.programs.prioritized import _sums
from rlcourse.cli.main import main
from rlcourse.cli.numerics import seeds_of, settled
from rlcourse.core.evaluation import evaluate


def globals_of():
    """The states of all generators that belong to nobody."""
    numpys = copy.deepcopy(np.random.get_state(legacy=False))  # noqa: NPY002
    return random.getstate(), numpys, torch.get_rng_state().tolist()


def plain(state):
    return repr(state[0]), state[1]["state"]["key"].tolist(), state[1]["state"]["pos"], state[2]


@pytest.fixture
def poisoned():
    """Other global generators than in any other run."""
    before = globals_of()
    seed = int.from_bytes(os.urandom(3), "little")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
    yield
    random.setstate(before[0])
    np.random.set_state(before[1])  # noqa: NPY002
    torch.set_rng_state(torch.tensor(before[2], dtype=torch.uint8))


@pytest.mark.parametrize("name", EVERY)
def test_an_agent_neither_reads_nor_moves_the_global_generators(name, poisoned):
    reference = learn(make(name), 3).state_dict()
    torch.rand(7), np.random.rand(7), random.random()  # noqa: NPY002
    before = plain(globals_of())
    agent = learn(make(name), 3)
    assert differences(reference, agent.state_dict()) == []
    evaluate(agent, agent.env, 2, deterministic=False, max_steps=30)
    assert plain(globals_of()) == before


@pytest.mark.parametrize("name", DEEP)
def test_another_seed_is_another_run_and_a_foreign_environment_repeats_too(name):
    def foreign(seed):
        env = gym.make("CartPole-v1" if acts_in(name, gym.spaces.Discrete) else "Pendulum-v1", max_episode_steps=19)
        return make(name, gym.wrappers.RecordEpisodeStatistics(env), seed=seed, n_envs=1).learn(64).state_dict()

    first = foreign(3)
    assert differences(first, foreign(3)) == []
    assert any("rewards" in what or "history" in what for what in differences(first, foreign(4)))


class Sampling(gym.Env):
    """An environment that moves by itself, as its own action space says: that space needs a seed too."""

    def __init__(self, finite=False):
        self.action_space = gym.spaces.Discrete(3)
        self.observation_space = gym.spaces.Discrete(3) if finite else gym.spaces.Box(0, 3, (1,), np.float32)
        self.seeds, self.spaces = [], []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seeds.append(seed)
        self.spaces.append(self.action_space.np_random.bit_generator.state)
        self.t = 0
        return self._seen(0), {}

    def _seen(self, at):
        return at if self.observation_space.shape == () else np.full(1, at, np.float32)

    def step(self, action):
        self.t += 1
        moved = self.action_space.sample()
        return self._seen(moved), float(moved == action), self.t == 5, False, {}


def test_spaces_that_an_environment_samples_from_are_seeded_in_learning_and_in_evaluation():
    deep, boxed = [], []
    for _ in range(2):
        agent = agents.PPO(Sampling(), n_envs=1, n_steps=8, batch_size=8, hidden=(4,), seed=1).learn(40)
        deep.append((agent.history.rows.tolist(), evaluate(agent, Sampling(), 3).tolist()))
        boxed.append(agents.QLearning(Sampling(finite=True), seed=1).learn(episodes=6).history.rows.tolist())
    assert deep[0] == deep[1]
    assert boxed[0] == boxed[1]


def test_the_seeds_that_are_recorded_are_those_that_are_used():
    for kind in (agents.PPO, agents.DQN, agents.REINFORCE):
        env = Sampling()
        agent = kind(env, seed=5, n_envs=1)
        told = seeds_of(agent)
        agent.learn(12)
        assert env.seeds[0] == told["environment"] == told["action_space"]
        assert env.spaces[0] == gym.spaces.Discrete(3, seed=told["action_space"]).np_random.bit_generator.state
    assert seeds_of(agents.QLearning("FrozenLake-v1", seed=5))["environment"] == "the agent's generator"
    from rlcourse.sb3 import agent_class

    env = Sampling()
    model = agent_class("ppo")(env, seed=6, n_envs=1, n_steps=8, batch_size=8)
    assert seeds_of(model)["environment"] == 6
    assert 6 in {*model.learn(8).venv.unwrapped.envs[0].unwrapped.seeds}


@pytest.mark.parametrize("name", DEEP)
def test_deterministic_operations_change_nothing_on_the_cpu_and_none_is_missing(name):
    plain_state = make(name).learn(64).state_dict()
    with deterministic_operations():
        assert differences(plain_state, make(name).learn(64).state_dict()) == []


def test_deterministic_operations_are_set_and_undone():
    def now():
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.backends.cudnn.benchmark,
            os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
            torch.get_num_threads(),
        )

    before = now()
    torch.backends.cudnn.benchmark = True
    within = []
    with contextlib.suppress(ZeroDivisionError), settled("PPO", 2, deterministic=True):
        within.append(now())
        raise ZeroDivisionError
    assert within == [(True, False, ":4096:8", 2)]
    assert now() == (False, True, before[2], before[3])
    torch.backends.cudnn.benchmark = before[1]
    with settled("QLearning", 2, deterministic=True):
        assert now() == before


def test_cumulative_sums_in_a_fixed_order_are_those_of_priorities():
    each = torch.rand(3, 1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    each[:, 100:900:3] = 0.0
    with deterministic_operations():
        sums = _sums(each)
    torch.testing.assert_close(sums, each.cumsum(1), rtol=1e-13, atol=0.0)
    assert (sums.diff(dim=1) >= 0).all()


def test_a_run_tells_its_threads_its_seeds_and_its_hashes_and_resumes_with_them(tmp_path, capsys):
    words = ["train", "CartPole-v1", "--algo", "a2c", "-n", "320", "--eval-episodes", "2", "-q", "--deterministic", "--out", str(tmp_path)]
    assert main(words) == 0
    folder = next(tmp_path.rglob("config.toml")).parent
    config = tomllib.loads((folder / "config.toml").read_text())
    assert (config["run"]["threads"], config["run"]["deterministic"]) == (1, True)
    assert config["seeds"] == {**config["seeds"], "agent": 0, "evaluation": 10_000_000, "final": 20_000_000}
    assert config["seeds"] == seeds_of(agents.A2C("CartPole-v1", seed=0))
    told = json.loads((folder / "result.json").read_text())["sha256"]
    assert told == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("last.safetensors", "episodes.csv")}
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--last", "--episodes", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sha256"] == told["last.safetensors"]
    seen = []
    original = agents.A2C._update

    def spy(self):
        seen.append((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))
        original(self)

    agents.A2C._update = spy
    try:
        assert main(["resume", str(folder), "-n", "160", "-q"]) == 0
    finally:
        agents.A2C._update = original
    assert set(seen) == {(1, True)}


def test_a_number_of_threads_that_no_machine_has_is_refused(capsys):
    assert main(["train", "cartpole", "--threads", "5000"]) == 2
    assert "5000 threads are more than any machine has" in capsys.readouterr().err
