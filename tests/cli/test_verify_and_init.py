"""`resume --verify` compares both ways, and `train --init-from` takes weights and nothing else."""

import tomllib

import numpy as np
import pytest
from shell import train

from rlcourse import agents
from rlcourse.agents.weights import take_weights
from rlcourse.cli.main import main
from rlcourse.core.files import read

HIDDEN = """
import random
import gymnasium as gym
import numpy as np

class Hidden(gym.Env):
    observation_space, action_space = gym.spaces.Box(-1, 1, (2,), np.float32), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.full(2, random.random(), np.float32), random.random(), random.random() < 0.1, False, {}
"""


@pytest.mark.parametrize(("algo", "env"), [("sarsa", "cliffwalk"), ("ppo", "CartPole-v1")])
def test_verify_finds_both_ways_equal_and_leaves_the_run_alone(tmp_path, capsys, algo, env):
    words = ("--hidden", "8", "--n-steps", "32") if algo == "ppo" else ()
    run = train(tmp_path, env, "--algo", algo, "-n", "600", "--eval-episodes", "1", *words)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert main(["resume", str(run), "--verify", "300"]) == 0
    out = capsys.readouterr().out
    assert "equal, bit for bit" in out
    hashes = [line.split()[-1] for line in out.splitlines() if "sha256" in line]
    assert hashes[0] == hashes[1]
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_verify_says_what_differs_where_an_environment_hides_its_state(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(HIDDEN)
    run = train(tmp_path, f"{tmp_path / 'mine.py'}:Hidden", "--algo", "a2c", "-n", "80", "--eval-episodes", "1", "--hidden", "4")
    assert main(["resume", str(run), "--verify", "100"]) == 3
    assert "they differ in" in capsys.readouterr().out


def test_init_from_takes_the_weights_and_nothing_else(tmp_path):
    words = ("CartPole-v1", "--algo", "dqn", "--hidden", "8", "--eval-episodes", "1")
    first = train(tmp_path, *words, "-n", "600", "--learning-starts", "100")
    second = train(tmp_path, *words, "-n", "50", "--learning-starts", "100", "--init-from", str(first), "--seed", "5")
    mine, theirs = (agents.load(run / f"{name}.safetensors") for run, name in ((second, "last"), (first, "best")))
    for name, array in theirs.network.state_dict().items():
        assert (mine.network.state_dict()[name] == array).all(), "nothing was learned in 50 steps"
    assert (mine.num_timesteps, mine.optimizer.steps, mine.seed) == (50, 0, 5)
    config = tomllib.loads((second / "config.toml").read_text())
    assert f"--init-from {(first / 'best.safetensors').resolve()}" in config["run"]["command"]


def test_tables_and_scales_of_observations_are_weights_too(tmp_path):
    double = agents.DoubleQLearning("CliffWalking-v1", seed=1).learn(2000)
    other = agents.DoubleQLearning("CliffWalking-v1", seed=2)
    take_weights(other, double.save(tmp_path / "q.safetensors"))
    assert (other.Q == double.Q).all()
    assert (other.num_timesteps, len(other.history)) == (0, 0)
    ppo = agents.PPO("CartPole-v1", normalize_observations=True, n_steps=16, n_envs=2, hidden=(4,)).learn(64)
    path = ppo.save(tmp_path / "ppo.safetensors")
    fresh = agents.PPO("CartPole-v1", normalize_observations=True, hidden=(4,), seed=3)
    take_weights(fresh, path)
    seen = np.full(4, 0.1, np.float32)
    assert fresh.predict(seen)[0] == ppo.predict(seen)[0]
    assert (fresh.normalizer.seen.data == ppo.normalizer.seen.data).all()
    plain = agents.PPO("CartPole-v1", n_steps=16, n_envs=2, hidden=(4,)).learn(64).save(tmp_path / "plain.safetensors")
    with pytest.raises(ValueError, match="trained without normalize_observations"):
        take_weights(fresh, plain)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: agents.DQN("CartPole-v1", hidden=(4,)), "of shape"),
        (lambda: agents.A2C("CartPole-v1", hidden=(8,)), "holds a DQN without"),
        (lambda: agents.Sarsa("CliffWalking-v1"), "holds a DQN without Q"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_one_sentence(tmp_path, make, sentence):
    path = agents.DQN("CartPole-v1", hidden=(8,)).save(tmp_path / "dqn.safetensors")
    agent = make()
    before = agent.state_dict()
    with pytest.raises(ValueError, match=sentence):
        take_weights(agent, path)
    assert read(agent.save(tmp_path / "again.safetensors"))[1]["state"]["rng"] == before["rng"]
