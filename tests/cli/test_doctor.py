"""`rlcourse doctor`: what it measures, what it says of it, and what it refuses."""

import io
import json
import math

import pytest
from rich.console import Console

from rlcourse.agents import DQN, PPO
from rlcourse.agents.deep.stages import Stages, pace, staged
from rlcourse.cli import doctor as command
from rlcourse.cli.diagnosis import bottleneck, duration, rounded, show
from rlcourse.cli.main import main

SMALL = ("--n-envs", "4", "--n-steps", "16", "--batch-size", "32", "--n-epochs", "1", "--hidden", "8,8")
GPU = {"name": "NVIDIA Imaginary 9000 with a name that is long", "bytes": 80_000_000_000}
FOUND = {
    "machine": {
        "cores": 16,
        "load": 0.1,
        "torch": "2.12.0+cu128",
        "threads": 16,
        "gpus": [GPU],
        "numba_cuda": False,
        "driver": False,
        "advice": "worlds on the GPU need numba-cuda: pip install 'rlcourse[cuda]'",
    },
    "env": "pong",
    "algo": "DQN",
    "copies": 8,
    "environment": {"one copy": 1234.0, "SyncVectorEnv of 8": 1111.0},
    "stages": {
        "cpu": {"environment": 1e-4, "inference": 1e-4, "update": 2e-3},
        "cuda": {"environment": 1e-4, "inference": 1e-4, "update": 5e-5},
    },
    "training": {"host, network on the CPU": 450.0, "host, network on the GPU": 4000.0},
    "lacking": {
        "program on the CPU": "steps on the host",
        "program on the GPU": "worlds on a GPU need numba-cuda: pip install 'rlcourse[cuda]'",
    },
    "budget": 10_000_000,
    "seconds": {"host, network on the CPU": 22222.0, "host, network on the GPU": 2500.0},
    "bottleneck": "the environment takes 40% of the time with the network on the GPU",
    "replay": {"bytes": 7_100_000_000, "free": 30_000_000_000},
    "auto": {
        "device": "cuda",
        "mode": "host, network on the GPU",
        "because": "training makes 4e+03 steps/s on the GPU and 4.5e+02 on the CPU",
    },
    "why_not_gpu": "worlds on a GPU need numba-cuda: pip install 'rlcourse[cuda]'",
}


def page(found, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(found, console)
    return console.file.getvalue()


def test_the_answer_has_every_speed_and_the_reasons(capsys):
    assert main(["doctor", "cartpole", *SMALL, "-n", "1M", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["machine"]["cores"] >= 1
    assert found["copies"] == 4
    assert found["environment"].keys() == {
        "one copy",
        "SyncVectorEnv of 4",
        "compiled, 4 copies",
        "program on the CPU, 4 copies",
    }
    assert found["training"].keys() == {"host, network on the CPU", "program on the CPU"}
    for mode, speed in found["training"].items():
        assert speed > 50.0
        assert found["seconds"][mode] == pytest.approx(1e6 / speed)
    whole = sum(found["stages"]["cpu"].values())  # seconds of a step, stage by stage, are those of training
    assert whole == pytest.approx(1 / found["training"]["host, network on the CPU"], rel=0.1)
    assert found["auto"]["device"] == "cpu"
    assert found["auto"]["mode"] == "host, network on the CPU"
    assert found["why_not_gpu"] == found["machine"]["advice"] != ""
    assert found["replay"] is None
    assert "Infinity" not in json.dumps(found)


def test_an_agent_with_a_memory_is_told_its_size_and_why_it_is_no_program(monkeypatch):
    from rlcourse.cli.targets import find_environment

    monkeypatch.setattr("rlcourse.agents.deep.stages.hindrance", lambda agents: "it steps on the host")
    agent = DQN("CartPole-v1", buffer_size=50_000, hidden=(8,), batch_size=8)
    found = command.diagnose(agent, find_environment("cartpole"), 1000)
    assert found["replay"]["bytes"] == 50_001 * (4 * 4 + 8 + 4 + 4)
    assert found["training"].keys() == {"host, network on the CPU"}
    assert found["lacking"] == {"program on the CPU": "it steps on the host"}


def test_a_gpu_that_fails_is_told_of_and_everything_else_is_measured(monkeypatch):
    from rlcourse.agents.deep import machine as module
    from rlcourse.agents.deep import measure
    from rlcourse.cli.targets import find_environment

    monkeypatch.setattr(measure, "_chosen", {})
    monkeypatch.setattr(module, "machine", lambda: FOUND["machine"])  # it has a GPU, says the fake; torch says otherwise at every use
    agent = PPO("CartPole-v1", n_envs=4, n_steps=16, batch_size=32, n_epochs=1, hidden=(8,))
    found = command.diagnose(agent, find_environment("cartpole"), 1000)
    assert found["training"].keys() == {"host, network on the CPU", "program on the CPU"}
    assert found["lacking"].keys() == {"host, network on the GPU", "program on the GPU"}
    assert found["auto"]["device"] == "cpu"
    assert "measuring on cuda failed: device 'cuda': no CUDA device is available here" in found["auto"]["because"]
    assert "no CUDA device" in found["why_not_gpu"]
    assert "no CUDA device" in page(found)


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_fits_a_terminal_and_says_it_all(width):
    text = page(FOUND, width)
    assert max(map(len, text.splitlines())) <= width
    flat = " ".join(text.split())
    for part in (
        "host, network on the GPU <- auto",
        "4,000",
        "42 min",
        "6.2 hours",
        "10,000,000 steps take",
        "a memory of 7.1 GB; 30.0 GB are free",
    ):
        assert part in flat
    assert "pip install 'rlcourse[cuda]'" in flat
    assert "takes the GPU" in flat


def test_the_bottleneck_is_the_stage_that_takes_longest():
    assert bottleneck("cpu", Stages(1e-5, 2e-5, 7e-5)).startswith("the update takes 70% of the time with the network on the CPU")
    assert bottleneck("cuda", Stages(8e-5, 1e-5, 1e-5)).startswith("the environment takes 80% of the time with the network on the GPU")


def test_numbers_have_the_digits_that_were_measured():
    assert [rounded(number) for number in (1234567.0, 987.0, 10.4, 3.14159)] == ["1,200,000", "990", "10", "3.1"]
    assert [duration(seconds) for seconds in (3.0, 119.0, 600.0, 30_000.0, 400_000.0)] == [
        "3 s",
        "120 s",
        "10 min",
        "8.3 hours",
        "4.6 days",
    ]


def test_the_pace_is_the_median_of_five_stretches_after_a_warm_up():
    now, costs = [0.0], iter([9.0, 1.0, 1.0, 30.0, 1.0, 1.0])  # the first compiles; another process takes the core in the fourth

    def work() -> int:
        now[0] += next(costs)
        return 10

    assert pace(work, seconds=1.0, clock=lambda: now[0]) == pytest.approx(10.0)


def test_the_stages_of_training_sum_up_to_the_whole():
    agent = PPO("CartPole-v1", n_envs=4, n_steps=16, batch_size=32, n_epochs=1, hidden=(8,))
    speed, stages = staged(agent)
    assert all(math.isfinite(each) and each > 0 for each in stages)
    assert sum(stages) == pytest.approx(1 / speed, rel=0.1)
    assert stages.environment < stages.update  # four copies in one compiled call


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("cartpool",), "did you mean 'cartpole'"),
        (("cartpole", "--algo", "pppo"), "did you mean 'ppo'"),
        (("cliffwalk", "--algo", "sarsa"), "for example: rlcourse doctor cliffwalk --algo dqn"),
        (("cartpole", "--clip-rnge", "0.1"), "did you mean '--clip-range'"),
        (("cartpole", "--seeds", "3"), "unknown argument '--seeds'"),
        (("cartpole", "--device", "cuda"), "no CUDA device is available here"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(words, sentence, capsys):
    assert main(["doctor", *words]) == 2
    assert sentence in capsys.readouterr().err


FAULTY = """
import gymnasium as gym
import numpy as np

class Fine(gym.Env):
    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        answer = np.zeros(2, np.float32), 1.0, self.t == 20, False, {}
        return self.wrong(*answer) if self.t == 13 else answer

class Seen(Fine):
    def wrong(self, observation, *rest):
        return np.full(2, np.nan, np.float32), *rest

class Four(Fine):
    def wrong(self, *answer):
        return answer[:4]

class Bug(Fine):
    def wrong(self, *answer):
        raise RuntimeError("boom in step")
"""


@pytest.mark.parametrize(
    ("name", "sentence"), [("Seen", "an observation that is no finite number, nan"), ("Four", "returned 4 values from step()")]
)
def test_an_environment_at_fault_is_one_sentence_as_in_training(tmp_path, capsys, name, sentence):
    (tmp_path / "faulty.py").write_text(FAULTY)
    assert main(["doctor", f"{tmp_path / 'faulty.py'}:{name}", "--algo", "dqn"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("rlcourse: ")
    assert error.count("\n") == 1


def test_a_fault_that_only_the_measurement_meets_is_one_sentence_too(monkeypatch, tmp_path, capsys):
    (tmp_path / "faulty.py").write_text(FAULTY)
    monkeypatch.setattr(command, "_rehearse", lambda target: None)
    assert main(["doctor", f"{tmp_path / 'faulty.py'}:Seen", "--algo", "dqn"]) == 2
    assert "nan in entry [0]" in capsys.readouterr().err


def test_a_bug_of_an_environment_keeps_its_traceback(tmp_path):
    (tmp_path / "faulty.py").write_text(FAULTY)
    with pytest.raises(RuntimeError, match="boom in step"):
        main(["doctor", f"{tmp_path / 'faulty.py'}:Bug", "--algo", "dqn"])
