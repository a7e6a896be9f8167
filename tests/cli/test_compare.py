"""`rlcourse compare`: tabular agents, deep agents and those of stable-baselines3 side by side."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rlcourse import agents
from rlcourse.cli.compare import _interval, _short
from rlcourse.cli.main import main
from rlcourse.plotting import compare_curves


def train(out: Path, *words: str) -> Path:
    assert main(["train", *words, "--out", str(out), "-q"]) == 0
    return max(out.rglob("config.toml"), key=lambda path: path.stat().st_mtime).parent


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("runs")
    quick = ("-n", "512", "--eval-every", "512", "--eval-episodes", "1")
    cliff = ("cliffwalk", "-n", "2000", "--eval-every", "1000", "--eval-episodes", "1")
    found = {
        "ppo": train(out / "a", "cartpole", *quick),
        "slow": train(out / "b", "cartpole", *quick, "--learning-rate", "1e-5"),
        "sb3": train(out / "c", "CartPole-v1", "--algo", "sb3:a2c", *quick),
    }
    for algo in ("sarsa", "q-learning"):
        for seed in ("0", "1", "2"):
            train(out / "cliff", *cliff, "--algo", algo, "--seed", seed)
    train(out / "cliff", *cliff, "--algo", "sarsa", "--alpha", "0.3")
    return found | {"cliff": out / "cliff"}


def answer(capsys, *words: str) -> dict:
    capsys.readouterr()
    assert main(["compare", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_seeds_of_one_agent_are_one_line_and_other_settings_another(runs, capsys, tmp_path):
    found = answer(capsys, str(runs["cliff"]), "-o", str(tmp_path / "a.png"))
    by_label = {row["label"]: row for row in found["agents"]}
    assert found["env"] == "rlcourse/CliffWalk-v0"
    assert "sarsa (alpha 0.3)" in by_label
    assert len(by_label) == 3
    three = by_label["q_learning"]
    assert (three["seeds"], three["interval_over"], three["steps"]) == ([0, 1, 2], "seeds", 2000)
    results = [json.loads((Path(path) / "result.json").read_text()) for path in three["runs"]]
    assert three["best"] == pytest.approx(np.mean([result["best"] for result in results]))
    assert three["best_interval"][0] <= three["best"] <= three["best_interval"][1]
    assert three["passed"] == sum(result["met"] for result in results)
    assert [row["best"] for row in found["agents"]] == sorted((row["best"] for row in found["agents"]), reverse=True)
    assert Image.open(tmp_path / "a.png").size[0] > 600


def test_ours_and_those_of_stable_baselines3_stand_in_one_table(runs, capsys, tmp_path):
    words = [str(runs[name]) for name in ("ppo", "slow", "sb3")]
    assert main(["compare", *words, "-o", str(tmp_path / "a.png")]) == 0
    text = capsys.readouterr().out
    assert text.startswith("CartPole-v1: greedy return")
    assert "sb3:a2c" in text
    assert "ppo (learning_rate 1e-05)" in text
    assert "says nothing of other seeds" in text
    assert (tmp_path / "a.png").exists()


def test_a_run_without_a_result_is_judged_now(runs, capsys, tmp_path):
    result = json.loads((runs["ppo"] / "result.json").read_text())
    (runs["ppo"] / "result.json").rename(tmp_path / "result.json")
    try:
        row = answer(capsys, str(runs["ppo"]), "-o", str(tmp_path / "a.png"))["agents"][0]
    finally:
        (tmp_path / "result.json").rename(runs["ppo"] / "result.json")
    assert (row["seconds"], row["steps"]) == (None, 512)
    assert abs(row["best"] - result["best"]) < 20, "100 episodes instead of 5"


def test_a_seed_that_has_not_begun_to_learn_is_named_and_left_out(runs, capsys, tmp_path):
    shutil.copytree(runs["cliff"], tmp_path / "cliff")
    seeds = sorted(path.parent for path in (tmp_path / "cliff").rglob("sarsa/*-seed*/config.toml"))
    alike = [path for path in seeds if "alpha = 0.3" not in (path / "config.toml").read_text()]
    for path in alike[:2]:  # killed at its first step, and before it
        for file in ("result.json", "best.safetensors", "last.safetensors"):
            (path / file).unlink()
        for file in (path / "checkpoints").iterdir():
            file.unlink()
    begun = agents.load(alike[2] / "last.safetensors")
    type(begun)(begun.env, config=begun.config).save(alike[0] / "checkpoints" / f"{0:012d}.safetensors")
    capsys.readouterr()
    assert main(["compare", *map(str, alike), "--json", "-o", str(tmp_path / "a.png")]) == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)["agents"][0]["seeds"]) == 1
    assert said.err.count("has not begun to learn: it is left out") == 2
    assert main(["compare", *map(str, alike[:2]), "-o", str(tmp_path / "a.png")]) == 2
    assert f"no run has begun to learn; go on with: rlcourse resume {alike[0]}" in capsys.readouterr().err


def test_a_setting_that_no_agent_has_is_only_a_name_here(runs, capsys, tmp_path):
    run = next(iter(runs.values()))
    config = tmp_path / run.name / "config.toml"
    shutil.copytree(run, config.parent)
    config.write_text(config.read_text().replace("[agent]", "[agent]\nborn = 1926-11-30"))
    assert len(answer(capsys, str(run), str(config.parent), "--out", str(tmp_path / "c.png"))["agents"]) == 2


def test_a_seed_that_was_run_twice_counts_once_and_the_run_that_does_not_count_is_named(runs, capsys, tmp_path):
    shutil.copytree(runs["ppo"], tmp_path / "again")
    assert main(["compare", str(runs["ppo"]), str(tmp_path / "again"), "-o", str(tmp_path / "a.png"), "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == f"rlcourse: ppo: left out is {runs['ppo']}: its seed is there once more, and that run counts\n"
    row = json.loads(said.out)["agents"][0]
    assert (row["seeds"], row["interval_over"]) == ([0], "episodes")
    assert row["runs"] == [str(tmp_path / "again")]


def test_seeds_that_are_in_two_folders_are_said_in_one_line_and_so_is_what_counts(runs, capsys, tmp_path):
    shutil.copytree(runs["cliff"], tmp_path / "first")
    shutil.copytree(runs["cliff"], tmp_path / "second")
    rows = answer(capsys, str(tmp_path / "second"), "-o", str(tmp_path / "a.png"))["agents"]
    assert capsys.readouterr().err == ""
    assert main(["compare", str(tmp_path), "--json", "-o", str(tmp_path / "a.png")]) == 0
    said = capsys.readouterr()
    assert [row["seeds"] for row in json.loads(said.out)["agents"]] == [row["seeds"] for row in rows]
    assert all("second" in path for row in json.loads(said.out)["agents"] for path in row["runs"])
    assert "q_learning: left out are " in said.err
    assert said.err.count("the last run of a seed counts") == 2
    assert said.err.count("\n") == 3


def test_the_help_says_what_becomes_of_a_seed_that_is_there_twice(capsys):
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    assert "where a seed is among them twice, the last run of it counts" in " ".join(capsys.readouterr().out.split())


def test_the_interval_is_that_of_the_mean():
    sample = np.random.default_rng(1).normal(3.0, 2.0, 400)
    low, high = _interval(sample)
    assert low == pytest.approx(sample.mean() - 1.96 * 0.1, abs=0.03)
    assert high == pytest.approx(sample.mean() + 1.96 * 0.1, abs=0.03)


def test_what_cannot_be_compared_is_refused_in_one_sentence(runs, capsys, tmp_path):
    for words, sentence in [
        ([str(runs["ppo"]), str(runs["cliff"])], "runs of different environments cannot be compared: CartPole-v1"),
        ([str(tmp_path)], "holds no run"),
        (["nowhere"], "there is no run 'nowhere'"),
        ([], "RUN"),
        ([str(runs["ppo"]), "-o", "/no/such/a.png"], "--out"),
    ]:
        assert main(["compare", *words]) == 2
        error = capsys.readouterr().err
        assert sentence in error
        assert error.count("\n") == 1


DAMAGED = {
    "not = [toml": "config.toml is damaged",
    'title = "of another tool"': "config.toml is not that of a run: it lacks agent, plan, run",
    'run.env = "cartpole"\nplan = {}\nagent = {}': "it lacks algo, seed",
}


@pytest.mark.parametrize("text", DAMAGED)
def test_a_folder_of_something_else_ends_in_one_sentence(text, tmp_path, capsys):
    (tmp_path / "config.toml").write_text(text)
    assert main(["compare", str(tmp_path), "--out", str(tmp_path / "a.png")]) == 2
    error = capsys.readouterr().err
    assert DAMAGED[text] in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"best": ', "Expecting value"),
        ("[1]", "it must hold one JSON object, not list"),
        ('{"env": 3, "best": "x"}', "it lacks seed"),
        ('{"seed": 0, "steps": 512, "best": "x"}', "best must be a number or null, not 'x'"),
        ('{"seed": 0, "steps": 512, "best": 1, "last": 1, "best_returns": []}', "best_returns must be a list of at least one number"),
        ('{"seed": true}', "seed must be a whole number, not True"),
    ],
)
def test_a_result_that_is_cut_off_or_none_ends_in_one_sentence(runs, tmp_path, capsys, text, said):
    shutil.copytree(runs["ppo"], tmp_path / "run")
    (tmp_path / "run/result.json").write_text(text)
    assert main(["compare", str(tmp_path / "run"), "--out", str(tmp_path / "a.png")]) == 2
    assert f"result.json is damaged: {said}" in (error := capsys.readouterr().err)
    assert error.count("\n") == 1


def test_a_file_in_a_label_is_named_by_its_run():
    assert _short("/home/ada/runs/pixelcatch/ppo/2026-seed0/best.safetensors") == "ppo/2026-seed0"
    assert _short("/home/ada/features.safetensors") == "features.safetensors"
    assert _short("notes-mnist") == "notes-mnist"


def test_long_names_stand_below_the_panel_and_leave_it_its_room(tmp_path):
    curve = (np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.5]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib's, where the layout does not work out
        compare_curves(tmp_path / "a.png", "title", [(f"{i} {'a long name ' * 7}", [curve]) for i in range(9)])
    assert Image.open(tmp_path / "a.png").size[1] > 700
