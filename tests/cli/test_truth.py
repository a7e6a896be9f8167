"""Ground truth beside a run: true error, exact return, optimum."""

import csv
import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from PIL import Image

from rlcourse import agents
from rlcourse.cli import truth
from rlcourse.cli.main import main
from rlcourse.cli.truth import Truth
from rlcourse.core import exact, horizon
from rlcourse.core.work import TooMuchWork, at_most, spend
from rlcourse.envs import cliff_walk


def train(tmp_path, *words: str) -> Path:
    assert main(["train", *words, "--out", str(tmp_path), "--quiet"]) == 0
    return max(tmp_path.rglob("config.toml"), key=lambda path: path.stat().st_mtime).parent


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return train(tmp_path_factory.mktemp("runs"), "frozenlake", "--algo", "q-learning", "-n", "60k", "--eval-every", "10k", "--seed", "1")


def test_a_run_logs_the_true_error_at_its_start_and_at_each_evaluation(run):
    rows = list(csv.DictReader((run / "metrics.csv").open()))
    steps = [int(row["timesteps"]) for row in rows]
    assert steps[0] == 0
    assert len(rows) == 1 + len(list(csv.DictReader((run / "evaluations.csv").open())))
    assert float(rows[-1]["true_error"]) < float(rows[0]["true_error"])
    last = agents.load(run / "last.safetensors")
    assert float(rows[-1]["true_error"]) == pytest.approx(last.true_error())
    assert float(rows[0]["true_error"]) == pytest.approx(np.sqrt(np.mean(exact.q_star("FrozenLake-v1", 0.99) ** 2)))


def test_card_and_evaluate_tell_the_exact_return_within_the_time_limit(run, capsys):
    assert "optimum within 100 steps 0.7442" in (run / "card.md").read_text()
    capsys.readouterr()
    assert main(["evaluate", str(run), "--episodes", "50", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["optimum"] == pytest.approx(0.74419, abs=1e-5)
    played = agents.load(run / "best.safetensors").predict(np.arange(16))[0]
    assert answer["exact_return"] == pytest.approx(horizon.policy_return("FrozenLake-v1", played, steps=100))
    assert abs(answer["mean"] - answer["exact_return"]) < 4 * answer["standard_error"]
    assert main(["evaluate", str(run), "--episodes", "5"]) == 0
    assert "optimum within 100 steps, exact 0.7442" in capsys.readouterr().out
    assert main(["evaluate", str(run), "--episodes", "5", "--stochastic"]) == 0
    assert "exact" not in capsys.readouterr().out


def test_the_curve_has_a_panel_for_the_true_error(run, tmp_path):
    two = Image.open(run / "curve.png").size
    one = Image.open(train(tmp_path, "Blackjack-v1", "-n", "500", "--eval-episodes", "1") / "curve.png").size
    assert two[1] > one[1]


def test_resuming_goes_on_with_the_metrics(run, tmp_path):
    whole = train(tmp_path, "cliffwalk", "-n", "4k", "--eval-every", "1k")
    before = (whole / "metrics.csv").read_text()
    assert main(["resume", str(whole), "-n", "1k", "-q"]) == 0
    assert (whole / "metrics.csv").read_text().startswith(before)


def test_where_no_model_is_known_or_it_changes_or_hides_nothing_is_said():
    class Opaque(gym.Wrapper):
        pass

    for agent in (agents.QLearning("Blackjack-v1"), agents.QLearning(Opaque(gym.make("FrozenLake-v1")))):
        known = Truth(agent)
        assert (known.error(agent), known.policy_return(agent), known.optimum()) == (None, None, None)


def test_a_model_that_is_large_or_takes_long_is_left_out(monkeypatch):
    agent = agents.QLearning(cliff_walk())
    asked = []
    monkeypatch.setattr(agent, "true_error", lambda: asked.append(spend(2 * truth.PATIENCE)))
    slow = Truth(agent)
    assert slow.error(agent) is None
    assert slow.error(agent) is None
    assert slow.optimum() is None
    assert asked == [], "the first try ends before it is over, and there is no second"
    monkeypatch.setattr(truth, "PAIRS", 100)
    assert Truth(agent).optimum() is None


@pytest.mark.parametrize(
    "solve",
    [
        lambda: exact.v_star("Taxi-v4", 0.9),
        lambda: exact.v_star("FrozenLake-v1", 1.0),
        lambda: exact.v_pi(cliff_walk(), np.full((48, 4), 0.25), 1.0),
        lambda: horizon.best_return("FrozenLake-v1", steps=1000),
        lambda: agents.MCTS("FrozenLake-v1").action_values(np.arange(16)),
        lambda: agents.Rollout("FrozenLake-v1").action_values(np.arange(16)),
    ],
)
def test_what_is_exact_is_bounded_by_work_that_is_counted_and_not_by_a_clock(solve):
    with pytest.raises(TooMuchWork), at_most(10_000):
        solve()
    with at_most(1e9):
        first = solve()
    assert np.array_equal(first, solve(), equal_nan=True)


def test_a_busy_machine_leaves_nothing_out(monkeypatch):
    agent = agents.QLearning("FrozenLake-v1")
    clock = iter(range(10**9))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock) * 1000.0)
    assert Truth(agent).error(agent) == pytest.approx(agent.true_error())


def test_a_policy_that_never_ends_has_no_return_without_a_limit_and_one_within():
    agent = agents.QLearning(cliff_walk())  # all zero: up, for ever
    assert Truth(agent).policy_return(agent) is None
    limited = agents.QLearning("rlcourse/CliffWalk-v0")
    assert Truth(limited).policy_return(limited) == -1000.0
    assert Truth(limited).optimum() == (-13.0, "optimum, exact")


def test_the_best_return_of_frozen_lake_depends_on_the_limit():
    returns = [horizon.best_return("FrozenLake-v1", steps=steps) for steps in (99, 100, None)]
    assert returns == pytest.approx([0.7422, 0.7442, 14 / 17], abs=5e-5)
    uniform = np.full((16, 4), 0.25)
    assert horizon.policy_return("FrozenLake-v1", uniform, steps=10_000) == pytest.approx(exact.exact_return("FrozenLake-v1", uniform))


@pytest.mark.parametrize("name", sorted(name for name in agents.MODULES if ".deep." not in agents.MODULES[name]))
def test_no_tabular_agent_disturbs_it_nor_is_disturbed(name, monkeypatch):
    errors = []
    monkeypatch.setattr("threading.excepthook", errors.append)
    try:
        agent = getattr(agents, name)("FrozenLake-v1", seed=1)
    except ValueError:
        pytest.skip("not for this environment")
    before = agent.rng.bit_generator.state
    known = Truth(agent)
    known.error(agent)
    known.policy_return(agent)
    assert known.optimum() is None or known.optimum()[0] == pytest.approx(0.74419, abs=1e-5)
    assert errors == []
    assert agent.rng.bit_generator.state == before
