"""A run says before it starts, and when it goes on, where it does not resume exactly; and nothing where it does."""

import gymnasium as gym
import pytest
from shell import train

from rlcourse import agents
from rlcourse.cli.main import main

ENVS = """
import random
import gymnasium as gym

class Hidden(gym.Wrapper):
    def step(self, action):
        seen, reward, *rest = self.env.step(action)
        return seen, reward + random.random(), *rest

def hidden():
    return Hidden(gym.make("{id}"))

def open_():
    return gym.wrappers.NormalizeReward(gym.make("{id}"))
"""

FORESEEN = "resume will begin new episodes: this environment draws or keeps something outside itself"


@pytest.mark.parametrize(("algo", "id"), [("a2c", "CartPole-v1"), ("q-learning", "FrozenLake-v1")])
def test_what_cannot_be_captured_is_said_before_the_run_and_when_it_goes_on(tmp_path, capsys, algo, id):
    (tmp_path / "mine.py").write_text(ENVS.format(id=id))
    words = ("--algo", algo, "-n", "60", "--eval-episodes", "1")
    run = train(tmp_path, f"{tmp_path / 'mine.py'}:hidden", *words)
    assert FORESEEN not in capsys.readouterr().out  # quiet, as tests train
    assert main(["train", f"{tmp_path / 'mine.py'}:hidden", *words, "--no-progress", "-o", str(tmp_path / "said")]) == 0
    out = capsys.readouterr().out
    assert out.index(FORESEEN) < out.index("step")
    assert main(["resume", str(run), "-n", "40", "--no-progress"]) == 0
    assert "new episodes begin: this environment draws or keeps something outside itself" in capsys.readouterr().err
    assert main(["resume", str(run), "-n", "40", "-q"]) == 0  # nor is it forgotten, nor does --quiet hide it
    assert "new episodes begin" in capsys.readouterr().err


@pytest.mark.parametrize(("algo", "id"), [("a2c", "CartPole-v1"), ("q-learning", "FrozenLake-v1")])
def test_what_can_be_captured_resumes_exactly_and_nothing_is_said(tmp_path, capsys, algo, id):
    (tmp_path / "mine.py").write_text(ENVS.format(id=id))
    words = ("--algo", algo, "-n", "60", "--eval-episodes", "1", "--no-progress", "-o", str(tmp_path))
    assert main(["train", f"{tmp_path / 'mine.py'}:open_", *words]) == 0
    assert "new episodes" not in capsys.readouterr().out
    (run,) = [path.parent for path in tmp_path.rglob("config.toml")]
    assert main(["resume", str(run), "--verify", "60"]) == 0
    assert "new episodes" not in capsys.readouterr().out


@pytest.mark.parametrize(("made", "said"), [("hidden", 1), ("open_", 0)])
def test_seeds_in_other_processes_are_spoken_for(tmp_path, capsys, made, said):
    (tmp_path / "mine.py").write_text(ENVS.format(id="FrozenLake-v1"))
    words = ("--algo", "q-learning", "-n", "60", "--eval-episodes", "1", "--seeds", "2", "--jobs", "1", "-o", str(tmp_path))
    assert main(["train", f"{tmp_path / 'mine.py'}:{made}", *words]) == 0
    assert capsys.readouterr().out.count(FORESEEN) == said


def test_an_agent_in_another_environment_than_its_own_begins_new_episodes_there(tmp_path):
    def pole(length):
        env = gym.wrappers.NormalizeReward(gym.make("CartPole-v1"))
        env.unwrapped.length = length
        return env

    path = agents.A2C(pole(0.5), n_envs=1, hidden=(4,)).learn(60).save(tmp_path / "a.safetensors")
    assert agents.load(path, env=pole(0.5)).resume_note == ""
    other = agents.load(path, env=pole(0.25))
    assert "new episodes begin: this environment differs from the saved one in" in other.resume_note
    assert other.resume_note.endswith("length")
    assert other.learn(60).venv.unwrapped.envs[0].unwrapped.length == 0.25


def test_a_file_without_its_replay_memory_says_so(tmp_path):
    from rlcourse.envs import CartPole

    settings = {"learning_starts": 10, "batch_size": 8, "buffer_size": 100, "hidden": (8,), "seed": 0}
    for env in (CartPole(), gym.wrappers.NormalizeReward(gym.make("CartPole-v1"))):
        agent = agents.DQN(env, **settings).learn(60)
        bare = agents.load(agent.save(tmp_path / "bare.safetensors", replay=False), env=env)
        assert bare.resume_note == "the replay memory is empty, and fills in new episodes: the file came without it"
        assert len(bare.parts()["replay"]) == 0
        assert agents.load(agent.save(tmp_path / "whole.safetensors"), env=env).resume_note == ""
        (tmp_path / "whole.replay.safetensors").unlink()
        assert "replay memory is empty" in agents.load(tmp_path / "whole.safetensors", env=env).resume_note
    unborn = agents.DQN(CartPole(), **settings)
    assert agents.load(unborn.save(tmp_path / "unborn.safetensors", replay=False), env=CartPole()).resume_note == "", "it had none"
    policy = agents.A2C(CartPole(), hidden=(4,)).learn(60)
    assert agents.load(policy.save(tmp_path / "policy.safetensors", replay=False), env=CartPole()).resume_note == ""
