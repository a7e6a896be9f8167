"""Environments that go wrong in an evaluation: as in learning, one sentence or the environment's traceback, and nothing is lost."""

import json
import multiprocessing
import re
import subprocess
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from rlcourse import agents
from rlcourse.cli.main import main
from rlcourse.core.evaluation import evaluate
from rlcourse.core.faults import EnvironmentFault
from rlcourse.core.files import read
from rlcourse.core.subprocesses import InSubprocesses

# Episodes of five steps; something goes wrong in step 3 of those with the seeds of evaluations.
FILE = """
import os, threading, time
import gymnasium as gym
import numpy as np

class Fine(gym.Env):
    observation_space, action_space = gym.spaces.Box(-9, 9, (2,)), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        if seed is not None:
            self.judged = 10_000_000 <= seed < 30_000_000
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        answer = np.zeros(2, np.float32), 1.0, self.t == 5, False, {}
        return self.wrong(*answer) if self.judged and self.t == 3 and os.path.exists(__file__ + ".wrong") else answer

class Reward(Fine):
    def wrong(self, observation, reward, *rest):
        return observation, float("nan"), *rest

class Seen(Fine):
    def wrong(self, observation, *rest):
        return observation + np.float32("inf"), *rest

class Outside(Fine):
    def wrong(self, observation, *rest):
        return np.zeros(3, np.float32), *rest

class Huge(Fine):
    def wrong(self, observation, reward, *rest):
        return observation, 1.7e308, *rest

class Bug(Fine):
    def wrong(self, *answer):
        return 1 / 0

class Exits(Fine):
    def wrong(self, *answer):
        raise SystemExit(0)

class Memory(Fine):
    def wrong(self, *answer):
        raise MemoryError

class Hangs(Fine):
    def wrong(self, *answer):
        time.sleep(10_000)

class Dies(Fine):
    def wrong(self, *answer):
        os._exit(3)

class Two(Exception):
    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")

class TwoArguments(Fine):
    def wrong(self, *answer):
        raise Two("cat", "dog")

class Holds(Fine):
    def wrong(self, *answer):
        error = ValueError("held")
        error.lock = threading.Lock()
        raise error

class Local(Fine):
    def wrong(self, *answer):
        class Here(Exception):
            pass
        raise Here("here")

class Lacks(Fine):
    def wrong(self, *answer):
        open("/nowhere/at/all")
"""
WHERE = r"in an evaluation after 2(0\d|1\d),? steps of learning, at step 3 of the episode with seed 10000000, the environment "
SAID = {
    "Reward": "gave a reward that is no finite number, nan, in copy 0: mend the environment",
    "Seen": r"gave an observation that is no finite number, inf in entry \[0\], in copy 0: mend the environment",
    "Outside": r"gave an observation of shape \(3,\) where Box\(.*\) says \(2,\) from step\(\), in copy 0: mend the environment",
    "Exits": r"ended the program \(SystemExit: 0\) in step\(\), in copy 0: mend the environment",
}
WORDS = ["--algo", "a2c", "-n", "600", "--n-envs", "1", "--eval-every", "200", "--eval-episodes", "2", "-q"]


@pytest.fixture
def mine(tmp_path) -> Path:
    (tmp_path / "mine.py").write_text(FILE)
    (tmp_path / "mine.py.wrong").touch()
    return tmp_path / "mine.py"


def folder_of(tmp_path: Path) -> Path:
    return next(tmp_path.rglob("config.toml")).parent


def goes_on_as_if_nothing_had_been(mine: Path, name: str) -> None:
    """Mend the environment, resume, and compare with a run that met no fault."""
    (mine.parent / "mine.py.wrong").unlink()
    folder = folder_of(mine.parent)
    assert main(["resume", str(folder), "-q"]) == 0
    assert main(["train", f"{mine}:{name}", *WORDS, "--out", str(mine.parent / "alone")]) == 0
    alone = folder_of(mine.parent / "alone")
    for table in ("episodes.csv", "evaluations.csv"):
        assert (folder / table).read_text() == (alone / table).read_text()
    one, other = (read(path / "last.safetensors")[0] for path in (folder, alone))
    assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", SAID)
def test_a_bad_answer_in_an_evaluation_is_one_sentence_and_what_was_learned_before_it_stays(name, mine, capsys, monkeypatch):
    monkeypatch.chdir(mine.parent)  # short paths: what is longer than 400 characters is cut in its middle
    assert main(["train", f"{mine}:{name}", *WORDS, "--out", "runs"]) == 2
    error = capsys.readouterr().err
    folder = folder_of(Path("runs"))
    assert error.count("\n") == 1
    assert re.search(WHERE + SAID[name], error), error
    assert error.rstrip().endswith(f"go on with: rlcourse resume {folder}")
    assert read(folder / "last.safetensors")[1]["state"]["num_timesteps"] >= 200
    assert main(["resume", str(folder), "-q"]) == 2, "it is evaluated where it goes on"
    assert "in an evaluation after 2" in capsys.readouterr().err
    goes_on_as_if_nothing_had_been(mine, name)


def test_a_bug_in_an_evaluation_keeps_its_traceback_and_what_was_learned(mine):
    with pytest.raises(ZeroDivisionError) as caught:
        main(["train", f"{mine}:Bug", *WORDS, "--out", str(mine.parent)])
    where, way = caught.value.__notes__
    said = r"rlcourse: in an evaluation after 2.., at step 3 of the episode with seed 10000000, the environment or the agent raised this "
    assert re.fullmatch(said.replace("2..", r"2\d\d steps of learning") + "ZeroDivisionError", where)
    assert "rlcourse resume" in way
    goes_on_as_if_nothing_had_been(mine, "Bug")


def test_too_little_memory_in_an_evaluation_is_one_sentence_that_says_where_and_the_way_on(mine, capsys):
    assert main(["train", f"{mine}:Memory", *WORDS, "--out", str(mine.parent)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("rlcourse: there is too little memory for this: take smaller sizes; in an evaluation after 2"), error
    assert error.endswith(f"raised this MemoryError; go on with: rlcourse resume {folder_of(mine.parent)}\n"), error
    goes_on_as_if_nothing_had_been(mine, "Memory")


PLACES = {
    "at once": ("import gymnasium as gym", "raise SystemExit(0)"),
    "being made": ("class Exits(Fine):", "class Exits(Fine):\n    def __init__(self):\n        raise SystemExit(0)\n"),
}


@pytest.mark.parametrize("where", PLACES)
def test_an_environment_that_ends_the_program_while_it_is_made_is_named(where, mine, capsys):
    mine.write_text(mine.read_text().replace(*PLACES[where]))
    assert main(["train", f"{mine}:Exits", *WORDS, "--out", str(mine.parent)]) == 2
    error = capsys.readouterr().err
    assert "SystemExit: 0" in error
    assert "mine.py" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("algo", ["a2c", "semi-gradient-sarsa"])
def test_an_environment_that_ends_the_program_while_it_is_learned_in_ends_no_program(algo, mine, capsys):
    mine.write_text(mine.read_text().replace("if self.judged and self.t == 3", "if not self.judged and self.count() == 400"))
    mine.write_text(
        mine.read_text().replace(
            "    def step", "    steps = 0\n    def count(self):\n        self.steps += 1\n        return self.steps\n\n    def step", 1
        )
    )
    words = [algo if word == "a2c" else word for word in WORDS if algo == "a2c" or word not in ("--n-envs", "1")]
    assert main(["train", f"{mine}:Exits", *words, "--eval-episodes", "1", "--out", str(mine.parent)]) == 2
    error = capsys.readouterr().err
    assert re.search(r"at step \d+ the environment ended the program \(SystemExit: 0\) in step\(\), in copy 0: mend", error), error
    assert error.rstrip().endswith(f"go on with: rlcourse resume {folder_of(mine.parent)}")


def test_a_bad_answer_in_the_last_evaluation_of_all_is_one_sentence(mine, capsys):
    assert main(["train", f"{mine}:Reward", *WORDS, "--out", str(mine.parent), "--eval-episodes", "1"]) == 2
    capsys.readouterr()
    text = mine.read_text()
    mine.write_text(text.replace("10_000_000 <= seed", "20_000_000 <= seed"))  # those of the evaluations on the way are fine
    folder = folder_of(mine.parent)
    assert main(["resume", str(folder), "-q"]) == 2
    error = capsys.readouterr().err
    assert "in an evaluation after 200 steps of learning, at step 3 of the episode with seed 20000000, the environment gave a rew" in error
    assert f"go on with: rlcourse resume {folder}" in error
    mine.write_text(text)
    (mine.parent / "mine.py.wrong").unlink()
    assert main(["resume", str(folder), "-q"]) == 0
    assert (folder / "result.json").exists()


@pytest.mark.filterwarnings("error:overflow:RuntimeWarning", "error:invalid value:RuntimeWarning")
def test_finite_rewards_whose_returns_are_too_large_are_null_in_json(mine, capsys):
    assert main(["train", f"{mine}:Huge", *WORDS, "--out", str(mine.parent)]) == 0
    folder = folder_of(mine.parent)
    result = json.loads((folder / "result.json").read_text(), parse_constant=pytest.fail)
    assert result["best"] is None
    assert main(["resume", str(folder), "-n", "200", "-q"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--episodes", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["mean"] is None


@pytest.mark.parametrize("verb", ["evaluate", "compare"])
def test_other_verbs_say_it_in_one_sentence_too(verb, mine, capsys, monkeypatch):
    monkeypatch.chdir(mine.parent)
    (mine.parent / "mine.py.wrong").unlink()
    assert main(["train", f"{mine}:Reward", *WORDS, "--out", str(mine.parent)]) == 0
    capsys.readouterr()
    (mine.parent / "mine.py.wrong").touch()
    folder = folder_of(mine.parent)
    (folder / "result.json").unlink()
    assert main([verb, str(folder)]) == 2
    error = capsys.readouterr().err
    assert "in an evaluation after" in error
    assert "a reward that is no finite number, nan, in copy 0: mend the environment" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(("name", "sentence"), [("Hangs", "did not answer to step() within 2 s"), ("Dies", "has lost its process in step")])
def test_the_time_of_copies_is_that_of_evaluations_too(name, sentence, mine, capsys):
    began = time.perf_counter()
    assert main(["train", f"{mine}:{name}", *WORDS, "--env-timeout", "2", "--out", str(mine.parent)]) == 2
    error = capsys.readouterr().err
    assert "in an evaluation after 2" in error
    assert f"at step 3 of the episode with seed 10000000, the environment {sentence}" in error
    folder = folder_of(mine.parent)
    assert read(folder / "last.safetensors")[1]["state"]["num_timesteps"] >= 200
    assert main(["evaluate", str(folder), "--episodes", "1"]) == 2, "with the time of the run"
    assert sentence in capsys.readouterr().err
    assert main(["evaluate", str(folder), "--episodes", "1", "--env-timeout", "1.5"]) == 2
    assert sentence.replace("2 s", "1.5 s") in capsys.readouterr().err
    (mine.parent / "mine.py.wrong").unlink()
    assert main(["evaluate", str(folder), "--episodes", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mean"] == 5.0
    assert time.perf_counter() - began < 120


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("Bug", ZeroDivisionError, "division by zero"),
        ("Lacks", FileNotFoundError, "/nowhere/at/all"),
        ("TwoArguments", RuntimeError, "the environment raised mine.Two: cat and dog, in copy 0: mend the environment"),
        ("Holds", RuntimeError, "the environment raised ValueError: held, in copy 0"),
        ("Local", RuntimeError, "Local.wrong.<locals>.Here: here, in copy 0"),
    ],
)
def test_a_bug_in_a_subprocess_comes_with_its_traceback_also_where_it_cannot_be_pickled(name, kind, said, mine):
    with pytest.raises(kind, match=re.escape(said)) as caught:
        main(["train", f"{mine}:{name}", *WORDS, "--env-timeout", "10", "--out", str(mine.parent)])
    trace, where, way = caught.value.__notes__
    assert "in wrong" in trace
    assert "rlcourse: in an evaluation after 2" in where
    assert "rlcourse resume" in way


def test_a_bad_answer_in_a_subprocess_is_one_sentence_and_nothing_before_it(mine, capfd, monkeypatch):
    monkeypatch.chdir(mine.parent)
    assert main(["train", f"{mine}:Outside", *WORDS, "--env-timeout", "10", "--out", "runs"]) == 2
    error = capfd.readouterr().err
    assert re.search(WHERE + SAID["Outside"], error), error
    assert error.count("\n") == 1


def test_pythons_end_does_not_wait_for_copies_that_nobody_has_closed(tmp_path):
    (tmp_path / "open.py").write_text(
        "import gymnasium as gym\nfrom rlcourse.core.subprocesses import InSubprocesses\n"
        "if __name__ == '__main__':\n    copies = InSubprocesses(gym.make('CartPole-v1'), 20).copies(2)\n    copies.reset()\n"
    )
    subprocess.run([sys.executable, str(tmp_path / "open.py")], check=True, timeout=60)


def test_an_evaluation_in_a_subprocess_is_that_in_this_one_and_leaves_no_process():
    agent = agents.PPO("CartPole-v1", n_envs=1, n_steps=32, hidden=(8,), seed=0).learn(64)
    agent.evaluation_envs = 1
    others = set(multiprocessing.active_children())  # of commands that ran in this process before
    env = InSubprocesses(gym.make("CartPole-v1"), 20)
    assert np.array_equal(evaluate(agent, env, 4), evaluate(agent, "CartPole-v1", 4))
    assert len(set(multiprocessing.active_children()) - others) == 1
    assert np.array_equal(evaluate(agent, env, 4), evaluate(agent, "CartPole-v1", 4))
    env.close()
    assert set(multiprocessing.active_children()) <= others


def test_an_action_that_is_no_number_is_not_the_environments_fault():
    class Lost:
        def predict(self, observation, **how):
            return np.array([np.nan], np.float32), None

    with pytest.raises(FloatingPointError, match=r"in an evaluation, at step 1 of .* the agent took an action that is no finite number"):
        evaluate(Lost(), "Pendulum-v1", 1)


def test_a_world_is_looked_at_too():
    from rlcourse.envs import cliff_walk

    world = cliff_walk()
    reward = world.reward.copy()
    reward[36] = np.nan
    agent = agents.QLearning(world, seed=0)
    with pytest.raises(EnvironmentFault, match="in an evaluation after 0 steps of learning, at step 1 of the episode with seed 7, the env"):
        evaluate(agent, world._replace(reward=reward), 1, seed=7)


SLOW = """
import multiprocessing, time
import gymnasium as gym

SLOWLY = multiprocessing.parent_process() is not None
time.sleep(4 * SLOWLY)

class Imported(gym.Env):
    observation_space, action_space = gym.spaces.Discrete(2), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

class Made(Imported):
    def __init__(self):
        time.sleep(60 * SLOWLY)
"""


def test_starting_a_process_and_importing_are_not_the_time_of_an_environment_and_making_it_is(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("Imported", "Made"):
        gym.register(f"Slow{name}-v0", f"slow_to_import:{name}", disable_env_checker=True)
    copies = InSubprocesses(gym.make("SlowImported-v0"), 3).copies(1)
    assert copies.reset(seed=0)[0].tolist() == [0]
    copies.close()
    env = InSubprocesses(gym.make("SlowMade-v0"), 2)
    with pytest.raises(EnvironmentFault, match="did not answer to being made within 2 s, in copy 0"):
        env.copies(1)
