"""Runs that had learned enough, and were killed before they said so."""

from pathlib import Path

from shell import train

from rlcourse.cli.main import main
from rlcourse.core.files import read


def steps(folder: Path) -> int:
    return read(folder / "last.safetensors")[1]["state"]["num_timesteps"]


def test_a_run_that_had_learned_enough_and_was_killed_before_it_was_judged_does_not_learn_on(tmp_path):
    folder = train(tmp_path, "cliffwalk", "-n", "5k", "--eval-every", "1k", "--eval-episodes", "1", "--stop-at", "-1000000")
    assert steps(folder) < 5000
    ended = steps(folder)
    (folder / "result.json").unlink()
    assert main(["resume", str(folder), "-q"]) == 0
    assert steps(folder) == ended
    assert (folder / "result.json").exists()
    assert main(["resume", str(folder), "-q"]) == 2, "it has ended"
    assert main(["resume", str(folder), "-q", "-n", "1k"]) == 0
    assert steps(folder) > ended
