"""`rlcourse train --sweep`: every value with every seed in one program, a folder of seeds for each value, and what is refused."""

import json
import signal
import tomllib
from pathlib import Path

import numpy as np
import pytest
from shell import interrupted

from rlcourse.agents import PPO
from rlcourse.agents.deep.programs.together import PROGRAMS, learn_together
from rlcourse.cli import run
from rlcourse.cli.main import main
from rlcourse.cli.options import Parser, add_settings
from rlcourse.cli.settings import settings_of_agent
from rlcourse.cli.sweep import tell_best, values_of
from rlcourse.cli.train import _add_run_options, check
from rlcourse.core.schedules import Linear

SETTINGS = ("--n-envs", "4", "--n-steps", "16", "--batch-size", "32", "--n-epochs", "2", "--hidden", "8,8")
SWEEP = ("--sweep", "learning_rate=1e-4,1e-2")
WORDS = ("train", "cartpole", "--batched", "--seeds", "2", "--seed", "4", *SETTINGS, *SWEEP)
EVALUATED = ("--eval-every", "256", "--eval-episodes", "1")
RATES = {"1e-4": 1e-4, "1e-2": 1e-2}


def seed_folder(tmp_path: Path, rate: str, seed: int) -> Path:
    return next(tmp_path.glob(f"cartpole/ppo-2-seeds-learning_rate={rate}/*/*-seed{seed}"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    assert main([*WORDS, "-n", "512", *EVALUATED, "--out", str(folder), "-q"]) == 0
    return folder


def test_each_run_is_what_its_own_settings_make_alone_and_its_folder_tells_them(trained):
    for rate, value in RATES.items():
        for seed in (4, 5):
            folder = seed_folder(trained, rate, seed)
            config = tomllib.loads((folder / "config.toml").read_text())
            assert (config["agent"]["learning_rate"], config["run"]["seed"]) == (value, seed)
            last = PPO.load(folder / "last.safetensors")
            alone = PPO("CartPole-v1", seed=seed, config=last.config)
            assert alone.config.learning_rate == value
            learn_together([alone], 512)
            assert float((last.optimizer.parameters - alone.optimizer.parameters).abs().max()) < 1e-5
            assert np.array_equal(last.history.rows, alone.history.rows)


def test_the_command_in_a_folder_trains_its_value_again_without_a_sweep(trained):
    for rate, value in RATES.items():
        command = tomllib.loads((seed_folder(trained, rate, 4) / "config.toml").read_text())["run"]["command"]
        assert "--sweep" not in command
        agent, _ = check(command.split()[2:])
        assert agent.config.learning_rate == value


def test_each_value_has_the_folder_of_its_seeds(trained):
    for rate in RATES:
        parent = seed_folder(trained, rate, 4).parent
        assert json.loads((parent / "result.json").read_text())["seeds"].keys() == {"4", "5"}
        assert f"# PPO on cartpole, learning_rate={rate}, 2 seeds" in (parent / "card.md").read_text()
        assert (parent / "curve.png").exists()


def good_where_fast(agent, *_, **__):
    """Evaluate to what the learning rate and the seed say."""
    return np.full(1, 1000 * agent.config.learning_rate + agent.seed)


def test_a_line_for_each_value_is_printed_at_the_end_the_best_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run, "evaluate_agent", good_where_fast)
    assert main([*WORDS, "-n", "256", *EVALUATED, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "2 seeds and 2 values of PPO on cartpole as one program (cpu) -> " in said
    assert "   learning_rate=1e-4, 2 seeds: mean 4.60, worst 4.10\n" in said
    assert "learning_rate=1e-2, seed 5: 15.00   last 15.00   " in said
    title, *lines = said.splitlines()[-3:]
    assert title == "greedy return of the last checkpoints:"
    parents = [str(seed_folder(tmp_path, rate, 4).parent) for rate in ("1e-2", "1e-4")]
    assert [line.split() for line in lines] == [
        ["learning_rate=1e-2", "mean", "14.50", "worst", "14.00", "2", "seeds", parents[0]],
        ["learning_rate=1e-4", "mean", "4.60", "worst", "4.10", "2", "seeds", parents[1]],
    ]


def test_the_best_is_the_least_where_less_is_better_and_what_failed_is_last(capsys):
    def answer(*last: float) -> tuple[Path, dict]:
        return Path("x"), {"seeds": {str(seed): {"last": each} for seed, each in enumerate(last)}}

    for minimize, order, worst in [(True, "bac", "worst 3.00"), (False, "abc", "worst 2.00")]:
        tell_best({"c": answer(), "a": answer(2.0, 3.0), "b": answer(1.0)}, 2, minimize, quiet=True)
        lines = capsys.readouterr().out.splitlines()
        assert "".join(line[0] for line in lines) == order
        assert worst in lines[order.index("a")]
        assert "1 of 2 seeds" in lines[order.index("b")]
        assert lines[2].split() == ["c", "failed", "-", "0", "of", "2", "seeds", "x"]


def test_a_run_that_fails_is_named_by_its_value_and_the_others_end(tmp_path, monkeypatch, capsys):
    def evaluate(agent, *_, **__):
        if agent.seed == 4 and agent.config.learning_rate == 1e-2:
            raise FloatingPointError("no number")
        return np.ones(1)

    monkeypatch.setattr(run, "evaluate_agent", evaluate)
    assert main([*WORDS, "-n", "256", *EVALUATED, "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.err == "rlcourse: learning_rate=1e-2, seed 4 failed: no number\n"
    bad, good = (seed_folder(tmp_path, rate, 5).parent for rate in ("1e-2", "1e-4"))
    assert f"learning_rate=1e-2: 1 of 2 seeds failed; mend that, then go on with: rlcourse resume {bad}" in said.out
    assert json.loads((bad / "result.json").read_text())["failed"] == {"4": "no number"}
    assert "failed" not in json.loads((good / "result.json").read_text())


def test_a_run_of_a_sweep_is_resumed_bit_for_bit(tmp_path):
    assert main([*WORDS, "-n", "256", *EVALUATED, "--out", str(tmp_path), "-q"]) == 0
    folder = seed_folder(tmp_path, "1e-2", 5)
    expected = PPO.load(folder / "last.safetensors")
    learn_together([expected], 128)
    assert main(["resume", str(folder), "-n", "128", "-q"]) == 0
    resumed = PPO.load(folder / "last.safetensors")
    assert resumed.config.learning_rate == 1e-2
    assert np.array_equal(resumed.optimizer.parameters.detach(), expected.optimizer.parameters.detach())


def test_ctrl_c_saves_every_run_and_says_how_each_value_goes_on(tmp_path, capsys):
    words = [*WORDS, "-n", "100M", *EVALUATED, "--stop-at", "1000"]
    returned, _, error = interrupted(words, tmp_path, signal.SIGINT, after=0.5, file="best.safetensors", runs=4)
    assert returned == 130, error
    assert "every seed was saved below runs/cartpole\n" in error
    for rate, value in RATES.items():
        parent = seed_folder(tmp_path / "runs", rate, 4).parent
        assert f"go on with: rlcourse resume {parent.relative_to(tmp_path)}" in error
        reached = {seed: PPO.load(seed_folder(tmp_path / "runs", rate, seed) / "last.safetensors").num_timesteps for seed in (4, 5)}
        if rate == "1e-2":  # one of the ways on
            assert main(["resume", str(parent), "-n", "64", "-q"]) == 0
            for seed, steps in reached.items():
                agent = PPO.load(seed_folder(tmp_path / "runs", rate, seed) / "last.safetensors")
                assert (agent.num_timesteps, agent.config.learning_rate) == (steps + 64, value)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--sweep", "n_steps=16,32"), "'n_steps' cannot differ in one program of ppo, unlike clip_range, ent_coef, gae_lambda, gamma"),
        (("--sweep", "rate=1"), "'rate' cannot differ in one program"),
        (("--sweep", "learning_rate"), "'learning_rate' names no setting and values; write for example learning_rate=1e-4,1e-3"),
        (("--sweep", "learning_rate="), "write for example"),
        (("--sweep", "learning_rate=1e-4,fast"), "--learning-rate/--lr: 'fast' is no schedule"),
        (("--sweep", "learning_rate=1e-4,,1e-3"), "--learning-rate/--lr: '' is no schedule"),
        (("--sweep", "gamma=0.9,1.5"), "gamma must"),
        (("--sweep", "learning_rate=1e-3,0.001"), "0.001 is there twice"),
        (("--sweep", "gamma=0.9", "--gamma", "0.8"), "gamma is given once more"),
        (("--sweep", "gamma=0.9", "--sweep", "gamma=0.8"), "gamma is given once more"),
        (("--sweep", "gamma=0.9", "--algo", "sarsa"), "sarsa does not learn as a program"),
        (("--sweep", "gamma=0.9", "--episodes", "9"), "number of steps"),
    ],
)
def test_what_cannot_be_swept_is_said_in_one_sentence(words, sentence, tmp_path, capsys):
    assert main(["train", "cartpole", "--batched", "--seeds", "2", *words, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_sweep_needs_batched_and_a_world_that_a_program_can_step(tmp_path, capsys):
    assert main(["train", "cartpole", "--seeds", "2", *SWEEP, "--out", str(tmp_path)]) == 2
    assert "--sweep: all values train as one program; add --batched" in capsys.readouterr().err
    assert main(["train", "taxi", "--algo", "ppo", "--batched", "--seeds", "2", *SWEEP, "--out", str(tmp_path)]) == 2
    assert "leave --sweep and --batched out" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_two_sweeps_are_all_combinations():
    found = values_of("PPO", ["learning-rate=1e-3,linear(1e-3, 0, 100)", "max_grad_norm=0.5,none"], [])
    assert [value.label for value in found[:2]] == ["learning_rate=1e-3, max_grad_norm=0.5", "learning_rate=1e-3, max_grad_norm=none"]
    assert [value.settings["max_grad_norm"] for value in found] == [0.5, None, 0.5, None]
    assert [value.settings["learning_rate"] for value in found[1:3]] == [1e-3, Linear(1e-3, 0.0, 100.0)]
    for value in found:
        assert check(["cartpole", "--algo", "ppo", *value.words])[0].config.max_grad_norm == value.settings["max_grad_norm"]


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_what_a_program_sweeps_over_has_a_flag_of_its_name(name):
    parser = Parser(prog="x")
    _add_run_options(parser, None)  # an option of the run would keep its flag
    add_settings(parser, settings_of_agent(name), {}, "")
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert {f"--{setting.replace('_', '-')}" for setting in PROGRAMS[name].swept} <= flags
