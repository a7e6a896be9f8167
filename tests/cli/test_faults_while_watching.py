"""Environments that go wrong while an agent is shown or looked into: one sentence, and no file."""

import pytest

from rlcourse.cli.main import main

FILE = """
import os
import gymnasium as gym
import numpy as np

class Fine(gym.Env):
    observation_space, action_space = gym.spaces.Box(-9, 9, (2,)), gym.spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"]}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def render(self):
        return np.zeros((40, 40, 3), np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        answer = np.zeros(2, np.float32), 1.0, self.t == 5, False, {}
        return self.wrong(*answer) if self.t == 3 and os.path.exists(__file__ + ".wrong") else answer

class Reward(Fine):
    def wrong(self, observation, reward, *rest):
        return observation, float("nan"), *rest

class Seen(Fine):
    def wrong(self, observation, *rest):
        return observation + np.float32("inf"), *rest

class Outside(Fine):
    def wrong(self, observation, *rest):
        return np.zeros(3, np.float32), *rest

class Four(Fine):
    def wrong(self, *answer):
        return answer[:4]
"""
SAID = {
    "Reward": "gave a reward that is no finite number, nan, in copy 0: mend the environment",
    "Seen": "gave an observation that is no finite number, inf in entry [0], in copy 0: mend the environment",
    "Outside": "gave an observation of shape (3,) where Box(-9, 9, (2,), float32) says (2,) from step(), in copy 0: mend the environment",
    "Four": "returned 4 values from step(), which must return five",
}


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(FILE)

    def made(name, algo):
        words = ["train", f"mine.py:{name}", "--algo", algo, "-n", "64", "--eval-episodes", "1", "-q", "--out", "runs"]
        assert main(words + ["--n-envs", "1"] * (algo == "a2c")) == 0
        (tmp_path / "mine.py.wrong").touch()
        return str(next(tmp_path.rglob("config.toml")).parent)

    return made


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("algo", ["a2c", "semi-gradient-sarsa"])
def test_what_goes_wrong_while_an_agent_is_shown_is_one_sentence(name, algo, trained, capsys, tmp_path):
    run = trained(name, algo)
    capsys.readouterr()
    assert main(["enjoy", run, "--gif", "a.gif"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert SAID[name] in error, error
    assert not (tmp_path / "a.gif").exists()


@pytest.mark.parametrize("name", ["Seen", "Outside"])
def test_what_goes_wrong_while_an_agent_is_looked_into_is_one_sentence(name, trained, capsys):
    run = trained(name, "a2c")
    capsys.readouterr()
    assert main(["inspect", run]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "observation" in error
