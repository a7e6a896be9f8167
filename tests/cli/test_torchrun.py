"""``torchrun -m rlcourse train``: one run folder, one voice, one end."""

import json
import signal
import subprocess
import time

from shell import ENV, torchrun

from rlcourse.agents import PPO
from rlcourse.cli.main import main

SMALL = ["--algo", "ppo", "--n-envs", "4", "--n-steps", "16", "--batch-size", "32", "--n-epochs", "1", "--hidden", "8", "--no-progress"]


def test_a_run_is_written_once_and_goes_on_in_one_process(tmp_path, capsys):
    words = ["train", "CartPole-v1", *SMALL, "-n", "331", "--eval-every", "128", "--eval-episodes", "2", "-o", str(tmp_path)]
    done = subprocess.run(torchrun(*words), env=ENV, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (config,) = tmp_path.rglob("config.toml")
    run = config.parent
    assert {"last.safetensors", "best.safetensors", "curve.png", "card.md"} <= {file.name for file in run.iterdir()}
    assert json.loads((run / "result.json").read_text())["steps"] == 331
    assert done.stdout.count("PPO on CartPole-v1") == done.stdout.count("evaluation") // 3 == 1, done.stdout
    agent = PPO.load(run / "last.safetensors", env="CartPole-v1")
    assert agent.num_timesteps == 331
    assert main(["evaluate", str(run), "--episodes", "2"]) == 0
    assert main(["resume", str(run), "-n", "69", "--quiet"]) == 0
    assert PPO.load(run / "last.safetensors", env="CartPole-v1").num_timesteps == 400
    rows = (run / "episodes.csv").read_text().splitlines()
    times = [float(row.split(",")[-1]) for row in rows[1:]]
    assert times == sorted(times)
    assert times[-1] <= 400


def test_ctrl_c_ends_all_and_saves_once(tmp_path):
    words = ["train", "CartPole-v1", *SMALL, "-n", "100M", "--eval-every", "128", "--eval-episodes", "1", "-o", str(tmp_path)]
    process = subprocess.Popen(torchrun(*words), env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.time() + 120
        while time.time() < deadline and not list(tmp_path.rglob("best.safetensors")):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert error.count("interrupted at step") == 1, error[-3000:]
    assert "rlcourse/agents" not in error, "no frame of ours: the rest is torchrun's own report"
    (file,) = tmp_path.rglob("last.safetensors")
    assert PPO.load(file, env="CartPole-v1").num_timesteps % 64 == 0
