"""Presets as the command line finds, lists and explains them."""

import csv
import dataclasses
import importlib.util
import json
import math
import re
import sys
import tomllib

import gymnasium as gym
import pytest
from shell import train

from rlcourse import agents, presets
from rlcourse.cli.main import main


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


def test_the_notes_preset_is_their_network_their_hyper_parameters_and_their_duration(capsys):
    notes = presets.load("cartpole-notes")
    assert (notes.env, notes.algo, notes.episodes) == ("CartPole-v0", "dqn", 1_000)
    assert notes.total_timesteps == notes.episodes * gym.spec("CartPole-v0").max_episode_steps == 200_000  # never spent before the episodes
    agent = agents.DQN(notes.env, **notes.agents["dqn"])
    assert [tuple(part.shape) for part in agent.network.parameters()] == [(64, 4), (64,), (64, 64), (64,), (2, 64), (2,)]
    assert agent.target_network is agent.network
    assert [agent.epsilon.at(step) for step in (0, 10_000)] == pytest.approx([1.0, 0.01 + 0.99 * math.exp(-1.0)])
    c = agent.config
    assert (c.learning_rate, c.buffer_size, c.batch_size, c.gamma, c.learning_starts) == (1e-4, 10_000, 20, 0.99, 20)
    assert (c.train_freq, c.gradient_steps, c.loss, c.init, c.max_grad_norm) == (1, 1, "mse", "xavier", None)
    assert main(["list", "presets"]) == 0
    assert re.search(r"cartpole-notes .* 1,000 episodes", capsys.readouterr().out)


def test_a_preset_s_budget_of_episodes_ends_training_with_an_evaluation_and_steps_on_the_command_line_replace_it(tmp_path):
    words = ("cartpole", "--preset", "notes", "--eval-every", "500", "--eval-episodes", "1")
    folder = train(tmp_path / "episodes", *words, "--episodes", "30")
    plan = tomllib.loads((folder / "config.toml").read_text())["plan"]
    assert (plan["episodes"], plan["total_timesteps"]) == (30, 200_000)
    episodes, evaluations = (list(csv.DictReader((folder / name).open())) for name in ("episodes.csv", "evaluations.csv"))
    result = json.loads((folder / "result.json").read_text())
    assert len(episodes) == result["episodes"] == 30
    assert int(episodes[-1]["timesteps"]) == int(evaluations[-1]["timesteps"]) == result["steps"]
    assert main(["resume", str(folder)]) == 2, "nothing is left"
    assert main(["resume", str(folder), "-n", "100", "-q"]) == 0
    steps = train(tmp_path / "steps", *words, "-n", "600")
    assert "episodes" not in tomllib.loads((steps / "config.toml").read_text())["plan"]
    assert json.loads((steps / "result.json").read_text())["steps"] == 600


def test_presets_are_listed_for_each_agent_with_its_target_budget_and_pass_rate(capsys):
    assert main(["list", "presets", "--json"]) == 0
    rows = {(row["preset"], row["algo"]): row for row in json.loads(capsys.readouterr().out)}
    for name in presets.names():
        preset = presets.load(name)
        for algo in preset.agents:
            mine, row = preset.of(algo), rows[name, algo]
            assert (row["target"], row["total_timesteps"], row["episodes"]) == (mine.target, mine.total_timesteps, mine.episodes)
            assert row["pass_rate"] == preset.pass_rates.get(algo, "unverified")
    assert main(["list", "presets"]) == 0
    assert capsys.readouterr().out.startswith("PRESET")


def test_every_preset_names_an_environment_and_right_settings():
    from rlcourse.cli.targets import agent_class, agent_name, find_environment
    from rlcourse.core.config import build

    for name in presets.names():
        preset = presets.load(name)
        needs = {"halfcheetah": "mujoco", "hopper": "mujoco", "lunarlander": "Box2D"}
        needs |= {
            "pong": "cv2",
            "minatar-asterix": "minatar",
            "minatar-breakout": "minatar",
            "gotodoor": "minigrid",
            "memorys7": "minigrid",
        }
        if name not in needs or importlib.util.find_spec(needs[name]):  # what need not be installed may be missing
            find_environment(name).make()
        assert preset.agents
        for algo, settings in preset.agents.items():
            build(agent_class(agent_name(algo)).Config, settings)


@pytest.mark.parametrize("words", ["--n-envs 2 --n-steps 32", "--algo dqn --learning-starts 32 --buffer-size 100"])
def test_pong_trains_on_its_last_four_frames_and_is_listed_as_unverified(words, tmp_path, monkeypatch, capsys):
    for module in ("ale_py", "cv2"):
        pytest.importorskip(module)
    monkeypatch.setattr(gym.spec("rlcourse/Pong-v0"), "max_episode_steps", 40)  # a game takes 800 steps
    folder = train(tmp_path, "pong", "-n", "128", "--eval-every", "128", "--eval-episodes", "1", *words.split())
    result = json.loads((folder / "result.json").read_text())
    assert (result["steps"], len(result["best_returns"])) == (128, 5)
    assert agents.load(folder / "last.safetensors", env="rlcourse/Pong-v0").observation_space == gym.spaces.Box(
        0, 255, (4, 84, 84), "uint8"
    )
    capsys.readouterr()
    assert main(["list", "presets"]) == 0
    listed = [line for line in capsys.readouterr().out.splitlines() if line.split()[0] in ("pong", "hopper", "halfcheetah")]
    assert len(listed) >= 4
    assert all(line.endswith("unverified") for line in listed)


def test_without_opencv_pong_says_in_one_sentence_what_to_install(monkeypatch, capsys):
    pytest.importorskip("ale_py")
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main(["train", "pong"]) == 2
    said = capsys.readouterr().err
    assert "pip install opencv-python-headless" in said
    assert said.count("\n") == 1


def test_help_of_train_shows_the_presets_values(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "cliffwalk", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert re.search(r"--alpha NUMBER\s+step size \[0.1\]", text)
    assert "[200,000]" in text


def test_without_box2d_lunarlander_says_in_one_sentence_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "Box2D", None)
    for module in [name for name in sys.modules if name.startswith("gymnasium.envs.box2d")]:
        monkeypatch.delitem(sys.modules, module)
    assert main(["train", "lunarlander"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "box2d" in said
