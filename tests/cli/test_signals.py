"""Ctrl-C and SIGTERM: what every verb answers."""

import os
import signal
import subprocess
import sys
import time

import pytest
from shell import ENV, RLCOURSE, train

SLOW = """
import time
from typing import NamedTuple
import gymnasium as gym

class Slow(gym.Env):
    observation_space, action_space = gym.spaces.Discrete(2), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        print("a step", flush=True)
        time.sleep(0.05)
        return 0, 1.0, False, False, {}
"""

# What takes long in compiled code never returns to Python in time
COMPILED = """
import sys, threading
import numba
from rlcourse.cli import main

@numba.njit(nogil=True)
def endless(n):
    total = 0.0
    for i in range(n):
        total = total * 0.5 + i
    return total

endless(1)
main._run = lambda verb, rest: print("a step", flush=True) or endless(10**12)
sys.exit(main.main())
"""


def answered(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, float]:
    assert process.stdout.readline() == "a step\n"
    process.send_signal(number)
    began = time.perf_counter()
    _, error = process.communicate(timeout=60)
    return process.returncode, error, time.perf_counter() - began


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_verb_that_saves_nothing_ends_in_one_line(tmp_path, number, code):
    (tmp_path / "slow.py").write_text(SLOW)
    folder = train(tmp_path, "cliffwalk", "-n", "500")
    words = ["evaluate", str(folder / "last.safetensors"), "--env", "slow.py:Slow"]
    process = subprocess.Popen([*RLCOURSE, *words], env=ENV, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert answered(process, number)[:2] == (code, "rlcourse: interrupted\n")


@pytest.mark.parametrize("more", [[], ["--seeds", "2", "--jobs", "1"]])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_copies_in_subprocesses_leave_a_signal_to_the_one_that_saves(tmp_path, number, code, more):
    (tmp_path / "slow.py").write_text(SLOW.replace('print("a step", flush=True)', 'open(f"{__file__}.stepped", "w").close()'))
    words = ["train", "slow.py:Slow", "--algo", "a2c", "--n-envs", "2", "--env-timeout", "30", "--out", "out", "-q", *more]
    process = subprocess.Popen([*RLCOURSE, *words], env=ENV, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until = time.perf_counter() + 60
    while not (tmp_path / "slow.py.stepped").exists() and time.perf_counter() < until:
        time.sleep(0.05)
    time.sleep(1)
    os.killpg(process.pid, number)  # as a terminal does
    _, error = process.communicate(timeout=60)
    assert process.returncode == code, error
    assert "Traceback" not in error
    assert "UserWarning" not in error
    assert "rlcourse: interrupted" in error
    assert "saved" in error
    assert list(tmp_path.rglob("last.safetensors"))


def test_compiled_code_that_does_not_return_does_not_keep_the_process(tmp_path):
    words = [sys.executable, "-c", COMPILED, "figure", "6.3"]
    process = subprocess.Popen(words, env=ENV, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    code, error, seconds = answered(process, signal.SIGTERM)
    assert (code, error) == (143, "rlcourse: interrupted\n")
    assert seconds < 10
