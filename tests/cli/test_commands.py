"""The command line as its users meet it."""

import csv
import dataclasses
import importlib.util
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from rlcourse import agents, presets
from rlcourse.cli.main import main
from rlcourse.cli.options import count
from rlcourse.core.files import read

ENV = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")} | {"OMP_NUM_THREADS": "1"}
RLCOURSE = [sys.executable, "-m", "rlcourse"]

ENDLESS = """
from typing import NamedTuple
import gymnasium as gym

class Endless(NamedTuple):
    size: int = 4

    @property
    def observation_space(self):
        return gym.spaces.Discrete(self.size)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return 0

    def step(self, state, action, rng):
        return (state + 1) % self.size, 1.0, False, False

    def observe(self, state):
        return state


class Broken(gym.Env):
    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        raise ZeroDivisionError("the bug of the user")
"""


def train(tmp_path, *words: str) -> Path:
    assert main(["train", *words, "--out", str(tmp_path), "--quiet"]) == 0
    return max(tmp_path.rglob("config.toml"), key=lambda path: path.stat().st_mtime).parent


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return train(tmp_path_factory.mktemp("runs"), "cliffwalk", "-n", "20k", "--seed", "3", "--alpha", "0.4", "--eval-every", "5k")


def test_a_run_folder_has_everything(run):
    names = {path.name for path in run.iterdir()}
    assert {"config.toml", "episodes.csv", "evaluations.csv", "best.safetensors", "last.safetensors", "curve.png", "card.md"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    config = tomllib.loads((run / "config.toml").read_text())
    assert config["agent"]["alpha"] == 0.4
    assert config["run"]["seed"] == 3
    with (run / "episodes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["length"]) for row in rows) == 20_000 == int(rows[-1]["timesteps"])
    assert Image.open(run / "curve.png").size[0] > 600
    assert "Greedy return" in (run / "card.md").read_text()


def test_the_last_checkpoint_is_judged_beside_the_best_in_the_same_episodes(tmp_path, capsys):
    folder = train(tmp_path, "cartpole", "-n", "3072", "--eval-every", "1024", "--eval-episodes", "2", "--target", "480", "--seed", "1")
    assert capsys.readouterr().out.split()[1] == str(folder)
    result = json.loads((folder / "result.json").read_text())
    assert (result["steps"], result["seed"], result["target"], result["met"]) == (3072, 1, 480.0, result["best"] >= 480)
    assert len(result["best_returns"]) == len(result["last_returns"]) == 10
    for which in ("best", "last"):
        flags = ["--last"] if which == "last" else []
        assert main(["evaluate", str(folder), "--episodes", "10", "--json", *flags]) == 0
        assert json.loads(capsys.readouterr().out)["mean"] == pytest.approx(result[which])
    assert ("The last checkpoint" in (folder / "card.md").read_text()) == (result["best_step"] != 3072)


def test_evaluate_prints_json_and_checks_a_target(run, capsys):
    assert main(["evaluate", str(run), "--episodes", "3", "--json", "--target", "-200"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["episodes"] == 3
    assert answer["mean"] <= -13
    assert main(["evaluate", str(run), "--episodes", "3", "--target", "0"]) == 3


def test_enjoy_writes_a_gif_without_a_display(run, tmp_path):
    words = ["enjoy", str(run), "--gif", "a.gif", "--max-steps", "30"]
    done = subprocess.run([*RLCOURSE, *words], env=ENV, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "a.gif").n_frames > 5
    done = subprocess.run([*RLCOURSE, "enjoy", str(run)], env=ENV, check=False, capture_output=True, text=True)
    assert (done.returncode, "--gif" in done.stderr) == (2, True)


def test_resume_goes_on_exactly(tmp_path):
    options = ("--algo", "q-learning", "--eval-every", "1000")
    whole = train(tmp_path / "whole", "cliffwalk", "-n", "3000", *options)
    steps = [int(row["timesteps"]) for row in csv.DictReader((whole / "episodes.csv").open())]
    cut = next(step for step in steps if step >= 1500)  # an episode's end, where a run can be cut exactly
    half = train(tmp_path / "half", "cliffwalk", "-n", str(cut), *options)
    assert main(["resume", str(half), "-n", str(3000 - cut), "-q"]) == 0
    assert (half / "episodes.csv").read_text() == (whole / "episodes.csv").read_text()
    assert (agents.load(half / "last.safetensors").Q == agents.load(whole / "last.safetensors").Q).all()
    assert main(["resume", str(whole)]) == 2


def test_several_seeds_make_one_curve(tmp_path, capsys):
    assert main(["train", "cliffwalk", "-n", "5k", "--seeds", "2", "--jobs", "1", "--out", str(tmp_path)]) == 0
    assert "mean" in capsys.readouterr().out
    parent = next(tmp_path.glob("cliffwalk/*/*"))
    assert (parent / "curve.png").exists()
    assert len(list(parent.rglob("last.safetensors"))) == 2
    result = json.loads((parent / "result.json").read_text())
    assert [each["seed"] for each in result["seeds"].values()] == [0, 1]


def test_seeds_that_share_a_process_are_trained_as_each_alone(tmp_path, capsys):
    words = ("cartpole", "-n", "1024", "--eval-every", "512", "--eval-episodes", "1")
    assert main(["train", *words, "--seeds", "3", "--seed", "4", "--out", str(tmp_path / "many"), "-q"]) == 0
    parent = Path(capsys.readouterr().out.split()[1])
    for seed in (4, 5, 6):
        alone, shared = train(tmp_path / str(seed), *words, "--seed", str(seed)), next(parent.glob(f"*/*/*-seed{seed}"))
        for table in ("episodes.csv", "evaluations.csv"):
            assert (alone / table).read_text() == (shared / table).read_text()


def test_a_seed_that_fails_keeps_its_traceback_and_its_exit_code(tmp_path):
    (tmp_path / "mine.py").write_text(ENDLESS)
    words = ["train", "mine.py:Broken", "-n", "100", "--seeds", "2"]
    done = subprocess.run([*RLCOURSE, *words], env=ENV, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("ZeroDivisionError: the bug of the user") == 2


def test_ctrl_c_saves_every_seed(tmp_path):
    from rlcourse.cli.many import _cores

    words = ["train", "cartpole", "-n", "100M", "--stop-at", "1000", "--eval-every", "512", "--eval-episodes", "1", "--seeds", "3"]
    running = min(3, _cores())
    returned, _, error = interrupted(words, tmp_path, signal.SIGINT, after=1.0, file="best.safetensors", runs=running)
    assert returned == 130, error
    assert "every seed was saved" in error
    assert len(list(tmp_path.rglob("last.safetensors"))) >= running


def test_a_variant_of_a_preset_is_found_by_its_ending_or_its_name(monkeypatch):
    from rlcourse.cli.targets import find_environment
    from rlcourse.cli.usage import UsageError

    load = presets.load
    monkeypatch.setattr(presets, "names", lambda: ["cartpole", "cartpole-notes", "cartpole-masked", "pendulum"])
    monkeypatch.setattr(presets, "load", lambda name: dataclasses.replace(load(name.partition("-")[0]), name=name))
    for text, preset in [("cartpole", "notes"), ("CartPole-v1", "notes"), ("cartpole", "cartpole-notes"), ("cartpole-notes", None)]:
        found = find_environment(text, preset)
        assert (found.text, found.label, found.preset.name) == ("cartpole-notes",) * 3
    for text, preset, sentence in [("cartpole", "nots", "did you mean 'notes'"), ("Acrobot-v1", "notes", "see rlcourse list presets")]:
        with pytest.raises(UsageError, match=sentence):
            find_environment(text, preset)


def test_presets_are_listed_for_each_agent_with_its_target_budget_and_pass_rate(capsys):
    assert main(["list", "presets", "--json"]) == 0
    rows = {(row["preset"], row["algo"]): row for row in json.loads(capsys.readouterr().out)}
    for name in presets.names():
        preset = presets.load(name)
        for algo in preset.agents:
            mine, row = preset.of(algo), rows[name, algo]
            assert (row["target"], row["total_timesteps"]) == (mine.target, mine.total_timesteps)
            assert row["pass_rate"] == preset.pass_rates.get(algo, "unverified")
    assert main(["list", "presets"]) == 0
    assert capsys.readouterr().out.startswith("PRESET")


def test_early_stopping_counts_evaluations_without_improvement(tmp_path):
    folder = train(tmp_path, "cliffwalk", "-n", "100k", "--every-n-steps", "1k", "--early-stopping-rounds", "4")
    rows = list(csv.DictReader((folder / "evaluations.csv").open()))
    means = [float(row["mean"]) for row in rows]
    assert len(rows) < 100
    assert max(means) == max(means[:-4])


def test_a_world_of_a_file_and_an_id_without_a_preset_train(tmp_path):
    (tmp_path / "mine.py").write_text(ENDLESS)
    folder = train(tmp_path, f"{tmp_path / 'mine.py'}:Endless", "-n", "2000", "--gamma", "0.9", "--eval-episodes", "1")
    assert (folder / "last.safetensors").exists()
    assert train(tmp_path, "CliffWalking-v1", "-n", "2000", "--eval-episodes", "1").exists()


def test_an_environment_of_a_file_trains_with_the_agent_and_the_copies_that_are_taken_by_default(tmp_path):
    (tmp_path / "mine.py").write_text(FOREIGN)
    folder = train(tmp_path, f"{tmp_path / 'mine.py'}:Foreign", "-n", "1100", "--eval-episodes", "1")
    assert (folder / "last.safetensors").exists()


def test_learning_that_diverges_ends_in_one_sentence_and_code_2(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(FOREIGN)
    for words in (["--algo", "dqn", "--distributional", "c51"], ["--algo", "a2c"]):
        env = f"{tmp_path / 'mine.py'}:NoNumber"
        assert main(["train", env, "-n", "2000", "--eval-episodes", "1", "--out", str(tmp_path / "runs"), "--quiet", *words]) == 2
        error = capsys.readouterr().err
        assert "no longer finite" in error
        assert error.count("\n") == 1


def test_list_and_show_answer(capsys):
    for what in ("envs", "agents", "presets"):
        assert main(["list", what, "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)) >= 5
    for agent, words in [("sarsa", "def sarsa(world, Q, alpha"), ("Q-Learning", "np.max(Q[S_])"), ("ppo", "class PPOConfig")]:
        assert main(["show", agent]) == 0
        assert words in capsys.readouterr().out


def test_an_agent_is_found_by_its_class_and_by_its_file():
    from rlcourse.cli.settings import algo_key
    from rlcourse.cli.targets import agent_name

    for name in agents.MODULES:
        assert agent_name(name) == agent_name(algo_key(name)) == agent_name(algo_key(name).replace("_", "-")) == name


def test_every_preset_names_an_environment_and_right_settings():
    from rlcourse.cli.targets import agent_class, agent_name, find_environment
    from rlcourse.core.config import build

    for name in presets.names():
        preset = presets.load(name)
        needs = {"halfcheetah": "mujoco", "hopper": "mujoco", "lunarlander": "Box2D"}
        needs |= {"pong": "cv2", "minatar-asterix": "minatar", "minatar-breakout": "minatar"}
        if name not in needs or importlib.util.find_spec(needs[name]):  # what need not be installed may be missing
            find_environment(name).make()
        assert preset.agents
        for algo, settings in preset.agents.items():
            build(agent_class(agent_name(algo)).Config, settings)


def test_a_setting_that_is_named_as_an_option_of_the_run_has_a_longer_flag():
    from rlcourse.cli.options import Parser, add_settings, settings_of
    from rlcourse.cli.settings import Setting

    parser = Parser(prog="x")
    parser.add_argument("--target", type=float)
    add_settings(parser, [Setting("target", str, "network", "where targets come from")], {}, "agent")
    parsed = parser.parse(["--target", "3", "--agent-target", "none"])
    assert (parsed.target, settings_of(parsed)) == (3.0, {"target": "none"})


def test_every_agent_s_settings_are_flags_beside_those_of_the_run(capsys):
    from rlcourse.cli.settings import algo_key

    for name in agents.MODULES:
        with pytest.raises(SystemExit) as stop:
            main(["train", "cartpole", "--algo", algo_key(name), "--help"])
        assert stop.value.code == 0
    capsys.readouterr()


def test_counts_are_read_as_people_write_them():
    for text, number in [("1e5", 100_000), ("100k", 100_000), ("100_000", 100_000), ("1.5M", 1_500_000), ("7", 7)]:
        assert count(text) == number


def test_help_of_train_shows_the_presets_values(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "cliffwalk", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert re.search(r"--alpha NUMBER\s+step size \[0.1\]", text)
    assert "[200,000]" in text


FOREIGN = """
import gymnasium as gym
import numpy as np

class Foreign(gym.Env):
    observation_space, action_space = gym.spaces.Box(-1, 1, (2,), np.float32), gym.spaces.Discrete(2)
    reward = 1.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.count += 1
        return np.zeros(2, np.float32), self.reward, self.count == 9, False, {}

class NoNumber(Foreign):
    reward = float("nan")
"""

BAD = [
    ("train cartpole --algo ppo --n-steps 10000000000", "n_steps: a rollout of 10,000,000,000 steps in"),
    ("train FrozenLake-v1 --algo ppo --normalize-observations true", "normalize_observations scales observations in a Box"),
    ("train cartpol", "did you mean 'cartpole'"),
    ("train CartPole", "did you mean 'CartPole-v1'"),
    ("train", "name an environment"),
    ("trian cartpole", "did you mean 'train'"),
    ("train cliffwalk --algo sarza", "did you mean 'sarsa'"),
    ("train cartpole --algo sarsa", "finite observations"),
    ("train Pendulum-v1 --algo q-learning", "finite"),
    ("train cartpole --algo value-iteration", "finite"),
    ("train cliffwalk --alpha 2", "alpha must be a number in (0, 1]"),
    ("train cliffwalk --alpha nan", "alpha"),
    ("train cliffwalk --alpha much", "--alpha"),
    ("train cliffwalk --alhpa 0.1", "did you mean '--alpha'"),
    ("train cliffwalk -n 0", "whole number >= 1"),
    ("train cliffwalk -n many", "whole number >= 1"),
    ("train cliffwalk --seed -1", "--seed"),
    ("train cliffwalk --gamma 1.5", "gamma"),
    ("train cliffwalk --out /proc/none", "--out"),
    ("train nofile.py:World", "no file"),
    ("train cartpole --device tpu", "device"),
    ("train cartpole --preset nonsense", "cartpole has no preset 'nonsense'"),
    ("train cartpole --seeds 2 --gama 0.9", "did you mean '--gamma'"),
    ("train cartpole --seeds 2 --gamma 1.5", "gamma"),
    ("evaluate nowhere", "no run or agent file"),
    ("enjoy nowhere --gif a.gif", "no run or agent file"),
    ("resume nowhere", "no run or agent file"),
    ("list everything", "invalid choice"),
    ("show sarsas", "did you mean 'sarsa'"),
]


@pytest.mark.parametrize(("command", "sentence"), BAD)
def test_bad_input_ends_in_one_sentence_and_code_2(command, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_bad_files_end_in_one_sentence_and_code_2(run, tmp_path, capsys):
    data = (run / "last.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.safetensors").write_text("no agent")
    for name in ("cut", "text"):
        assert main(["evaluate", str(tmp_path / f"{name}.safetensors")]) == 2
        error = capsys.readouterr().err
        assert name in error
        assert error.count("\n") == 1
    with pytest.raises(ValueError, match="holds a Sarsa, not a QLearning"):
        agents.QLearning.load(run / "last.safetensors")


def interrupted(words: list[str], cwd: Path, number: signal.Signals, after: float = 6.0, file: str = "config.toml", runs: int = 1):
    process = subprocess.Popen([*RLCOURSE, *words], env=ENV, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 40
    while time.time() < deadline and len(list(cwd.rglob(file))) < runs:
        time.sleep(0.1)
    time.sleep(after)
    process.send_signal(number)
    asked = time.time()
    try:
        _, error = process.communicate(timeout=20)
    finally:
        process.kill()  # where it did not end, nothing goes on behind the tests
    return process.returncode, time.time() - asked, error


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_of_a_compiled_box_saves_and_ends_in_two_seconds(tmp_path, number, code):
    (tmp_path / "mine.py").write_text(ENDLESS)
    words = ["train", "mine.py:Endless", "-n", "1000000M", "--algo", "sarsa", "--gamma", "0.9"]
    returned, seconds, error = interrupted(words, tmp_path, number)
    assert returned == code, error
    assert seconds < 3.0  # two seconds to save, and one for a busy machine to end the process
    assert "rlcourse resume" in error
    arrays, metadata = read(next(tmp_path.rglob("last.safetensors")))
    assert arrays["Q"].any()
    assert metadata["state"]["num_timesteps"] > 1_000_000


def test_an_error_in_the_users_environment_keeps_its_traceback(tmp_path):
    (tmp_path / "mine.py").write_text(ENDLESS)
    words = ["train", "mine.py:Broken", "-n", "100"]
    done = subprocess.run([*RLCOURSE, *words], env=ENV, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "the bug of the user" in done.stderr
    assert "mine.py" in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["list", "agents"], ["list", "envs"], ["list", "presets"], ["show", "ppo"]])
def test_light_commands_import_nothing_heavy(words):
    code = (
        "import sys\nfrom rlcourse.cli.main import main\n"
        f"assert main({words!r}) == 0\n"
        "heavy = {'torch', 'numba', 'matplotlib', 'stable_baselines3', 'tensorboardX'} & set(sys.modules)\nassert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENV, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_tabular_run_never_imports_torch(tmp_path):
    code = (
        "import sys\nfrom rlcourse.cli.main import main\n"
        f"assert main(['train', 'cliffwalk', '-n', '2000', '-q', '--out', {str(tmp_path)!r}]) == 0\n"
        "assert not {'torch', 'stable_baselines3'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENV, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_help_takes_half_a_second_of_the_processor():
    def spent() -> float:  # by finished children: waiting for a busy machine does not count
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    times = []
    for _ in range(3):
        before = spent()
        subprocess.run([*RLCOURSE, "--help"], env=ENV, check=True, capture_output=True)
        times.append(spent() - before)
    assert min(times) < 0.5


def test_without_box2d_lunarlander_says_in_one_sentence_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "Box2D", None)
    for module in [name for name in sys.modules if name.startswith("gymnasium.envs.box2d")]:
        monkeypatch.delitem(sys.modules, module)
    assert main(["train", "lunarlander"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "box2d" in said
