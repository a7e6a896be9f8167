"""`rlcourse enjoy --values`: what a tabular agent thinks, drawn under it."""

import gymnasium as gym
import numpy as np
import pytest
from PIL import Image

from rlcourse import agents
from rlcourse.cli import enjoy
from rlcourse.cli.main import main


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for env, steps in (("cliffwalk", "20k"), ("frozenlake", "1k"), ("rlcourse/Easy21-v0", "5k")):
        assert main(["train", env, "--algo", "sarsa", "-n", steps, "--eval-episodes", "1", "--out", str(folder), "-q"]) == 0
    return {path.parent.parent.parent.name: path.parent for path in folder.rglob("config.toml")}


@pytest.mark.parametrize("env", ["cliffwalk", "rlcourse-Easy21-v0"])
def test_a_gif_with_values_is_larger_than_one_without(runs, tmp_path, env):
    words = ["enjoy", str(runs[env]), "--max-steps", "20", "--gif"]
    assert main([*words, str(tmp_path / "plain.gif")]) == 0
    assert main([*words, str(tmp_path / "values.gif"), "--values"]) == 0
    plain, values = (Image.open(tmp_path / f"{name}.gif") for name in ("plain", "values"))
    assert values.size[1] > plain.size[1], "a scale, or a table, below"
    assert values.n_frames >= 1


def test_the_pictures_show_values_greedy_arrows_and_the_path_so_far(runs):
    agent = agents.load(runs["cliffwalk"] / "best.safetensors")
    env = gym.make("rlcourse/CliffWalk-v0", render_mode="rgb_array")
    enjoy._lay_values(agent, env, None)
    frames = []
    list(enjoy._play(agent, env, 0, 5, frames))
    path = [36, *(env.unwrapped.overlay["path"][1:])]
    assert len(path) == 6
    arrows = env.unwrapped.overlay["arrows"]
    assert arrows[36].tolist() == (agent.Q[36] == agent.Q[36].max()).tolist()
    draw = env.unwrapped._picture
    assert np.array_equal(frames[4], draw(None, path[4], values=agent.Q.max(axis=1), arrows=arrows, path=path[:5]))
    list(enjoy._play(agent, env, 0, 2, frames))
    assert len(env.unwrapped.overlay["path"]) == 3, "a new episode begins a new path"


@pytest.mark.parametrize(
    ("env", "words", "sentence"),
    [("cliffwalk", ["--values"], "add --gif"), ("frozenlake", ["--values", "--gif", "a.gif"], "draws itself without values")],
)
def test_where_values_cannot_be_drawn_it_says_so(runs, env, words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["enjoy", str(runs[env]), *words]) == 2
    assert sentence in capsys.readouterr().err
