"""Environments and numbers that go wrong: one sentence with step, copy and quantity, before anything is learned from it."""

import importlib
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from rlcourse import agents
from rlcourse.cli.main import main
from rlcourse.core.faults import EnvironmentFault, Watched

HERE = Path(__file__).resolve().parents[2] / "benchmarks" / "reliability"
SAME = {"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP}
FILE = """
import gymnasium as gym
import numpy as np


class Late(gym.Env):
    observation_space, action_space = gym.spaces.Box(-9, 9, (2,)), gym.spaces.Discrete(2)
    taken, bad = 0, float("nan")

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        type(self).taken += 1
        reward = self.reward() if self.taken > 700 else 1.0
        return np.zeros(2, np.float32), reward, self.t == 5, False, {}

    def reward(self):
        return self.bad


class Bug(Late):
    def reward(self):
        return 1 / 0
"""


@pytest.fixture(scope="module")
def bad():
    sys.path.insert(0, str(HERE))
    yield importlib.import_module("bad_environments")
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def campaign(bad):
    return importlib.import_module("environments")


def test_a_few_of_each_case_are_as_promised(campaign):
    few = {"NaN or infinity": 10, "bad environments": 12, "odd environments": 5, "subprocesses": 1}
    for outcome in campaign.campaign(lambda what: few.get(what, campaign.COUNTS[what]), 1):
        assert outcome.failures == ()
        assert outcome.tried == outcome.as_promised == few.get(outcome.what, campaign.COUNTS[outcome.what])
        assert outcome.lost == 0


def test_a_number_is_named_by_step_copy_and_entry(bad):
    good = bad.Bad()
    wrong = bad.Bad(lambda o, *rest: (np.array([0, np.inf], np.float32), *rest), at=5)
    venv = gym.vector.SyncVectorEnv([lambda: good, lambda: wrong], **SAME)
    with pytest.raises(EnvironmentFault, match=r"observation that is no finite number, inf in entry \[1\], at step 10 in copy 1: mend"):
        agents.A2C(venv, n_envs=2, n_steps=4, hidden=(8,), seed=0).learn(100)


def test_an_action_that_is_no_number_never_reaches_the_environment(bad):
    env = bad.Bad(acted=gym.spaces.Box(-1, 1, (1,)))
    watched = Watched(gym.vector.SyncVectorEnv([lambda: env], **SAME))
    watched.reset(seed=0)
    with pytest.raises(FloatingPointError, match=r"an action that is no finite number, nan in entry \[0\], at step 1 in copy 0"):
        watched.step(np.array([[np.nan]], np.float32))
    assert env.taken == 0


def test_values_beyond_the_bounds_of_a_box_are_warned_of_once(bad):
    env = bad.Bad(shown=np.array([0.0, 1.5], np.float32))
    with pytest.warns(UserWarning, match=r"beyond Box\(-1, 1, \(2,\), float32\), 1.5 in entry \[1\], at step 0 in copy 0") as caught:
        agents.A2C(env, n_envs=1, n_steps=4, hidden=(8,), seed=0).learn(40)
    assert sum("beyond" in str(each.message) for each in caught) == 1


def test_large_numbers_whose_squares_are_infinite_are_numbers(bad):
    env = bad.Bad(lambda o, r, *rest: (o, 1e30, *rest), seen=gym.spaces.Box(-np.inf, np.inf, (2,)), shown=np.full(2, 1e30, np.float32))
    watched = Watched(gym.vector.SyncVectorEnv([lambda: env], **SAME))
    watched.reset()
    assert watched.step(np.array([0]))[1] == 1e30


def test_what_gymnasiums_own_checker_finds_is_the_environments_fault(bad):
    env = gym.wrappers.TimeLimit(gym.wrappers.PassiveEnvChecker(bad.INVALID["four values from step, as gym had"]()), 9)
    with pytest.raises(EnvironmentFault, match=r"interface in step\(\): it returned no five values .*expected 5, got 4"):
        agents.A2C(env, n_envs=1, n_steps=4, hidden=(8,), seed=0).learn(40)


def test_a_box_stops_at_the_step_of_a_bad_reward_at_both_speeds():
    from rlcourse.agents.temporal_difference.q_learning import q_learning
    from rlcourse.core.trial import Trial
    from rlcourse.envs import cliff_walk

    world = cliff_walk()
    reward = world.reward.copy()
    reward[24, 0] = np.nan  # a step up from the cell above the start
    tables = []
    for box in (q_learning.python, q_learning.compiled):
        trial, Q = Trial.of(world._replace(reward=reward), steps=5000, states=48), np.zeros((48, 4))
        box(trial, Q, 0.5, 1.0, 0.1, np.random.default_rng(0))
        assert "reward" in trial.fault()
        assert np.isfinite(Q).all()
        tables.append((Q, trial.sheet))
    assert np.array_equal(tables[0][0], tables[1][0])
    assert np.array_equal(tables[0][1], tables[1][1])
    with pytest.raises(EnvironmentFault, match=r"a reward that is no finite number, at step \d+ in copy 0"):
        agents.QLearning(world._replace(reward=reward), seed=0).learn(5000)


def test_the_command_line_says_how_to_go_on_and_keeps_what_was_learned(tmp_path, capsys):
    (tmp_path / "late.py").write_text(FILE)
    words = ["--algo", "a2c", "-n", "2000", "--n-envs", "1", "--eval-every", "200", "--eval-episodes", "1", "--out", str(tmp_path), "-q"]
    assert main(["train", f"{tmp_path / 'late.py'}:Late", *words]) == 2
    error = capsys.readouterr().err
    assert "a reward that is no finite number, nan, at step" in error
    assert "rlcourse resume" in error
    folder = Path(error.split()[-1])
    saved = sorted(int(path.name.partition(".")[0]) for path in (folder / "checkpoints").iterdir())
    assert 0 < saved[-1] < 2000
    with pytest.raises(ZeroDivisionError) as caught:
        main(["train", f"{tmp_path / 'late.py'}:Bug", *words])
    assert "rlcourse resume" in caught.value.__notes__[0]


@pytest.mark.parametrize("fault", ["is killed", "sleeps for ever"])
def test_a_copy_that_dies_or_hangs_in_its_process_ends_learning_and_leaves_none(campaign, fault):
    assert campaign.subprocess(fault, "in the middle") == ""


def test_the_time_of_a_copy_is_refused_where_there_are_no_copies_or_no_time(capsys):
    assert main(["train", "cliffwalk", "--algo", "q_learning", "--env-timeout", "3"]) == 2
    assert "--env-timeout: q_learning steps one environment" in capsys.readouterr().err
    assert main(["train", "cartpole", "--algo", "ppo", "--env-timeout", "0"]) == 2
    assert "'0' is no time" in capsys.readouterr().err
