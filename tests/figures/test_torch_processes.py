"""Experiments in processes: `Lab.spread`."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from rlcourse.figures.experiment import Lab

SLOW = """
import time
from rlcourse.figures.experiment import Lab

if __name__ == "__main__":
    Lab(workers=2, progress=lambda *_: print("one is done", flush=True)).spread(time.sleep, [0.01, 60, 60, 60])
"""


def where(job):
    """Return what a job saw: itself, its process, torch's threads, and numbers of a seed of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job)
        return job, os.getpid(), torch.get_num_threads(), torch.randn(3).tolist()


def ends_at_once(job):
    os._exit(7)


def test_results_are_in_order_and_do_not_depend_on_the_number_of_processes():
    seen: list[tuple[int, int]] = []
    many = Lab(workers=2, progress=lambda *done: seen.append(done)).spread(where, [3, 1, 2])
    here = Lab(workers=1).spread(where, [3, 1, 2])
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [job for job, *_ in many] == [3, 1, 2]
    assert [numbers for *_, numbers in many] == [numbers for *_, numbers in here]
    assert {threads for _, _, threads, _ in many} == {threads for _, _, threads, _ in here} == {1}
    assert os.getpid() not in {process for _, process, *_ in many}
    assert {process for _, process, *_ in here} == {os.getpid()}


def test_no_process_is_started_where_all_takes_seconds_or_there_is_one_job():
    for found in (Lab(workers=2, processes=False).spread(where, [1, 2]), Lab(workers=2).spread(where, [1]), Lab().spread(where, [])):
        assert {process for _, process, *_ in found} <= {os.getpid()}


def test_torch_has_its_threads_back_afterwards():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert Lab(workers=1).spread(where, [1])[0][2] == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_killed_process_is_one_sentence():
    with pytest.raises(ChildProcessError, match="a process of the experiment was killed"):
        Lab(workers=2).spread(ends_at_once, [1, 2])


def started(*words):
    return subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def gone(group: int, seconds: float) -> bool:
    """Whether all processes of a group end in time; what is left is killed."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_signal_ends_the_processes_too(tmp_path, number):
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    process = started(str(script))
    assert process.stdout.readline() == "one is done\n"
    if number == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    else:
        process.send_signal(getattr(signal, number))
    _, error = process.communicate(timeout=30)  # waits for the children too: they hold the pipe
    assert gone(process.pid, 5)
    assert error.count("Traceback") <= 1, "the children print nothing"
    assert process.returncode != 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_figures_that_are_made_in_processes(tmp_path, number, code):
    process = started("-m", "rlcourse", "figure", "13.1", "13.2", "--workers", "2", "--out", str(tmp_path))
    time.sleep(2.5)  # where the processes have just begun, or already work
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == code
    assert error == "rlcourse: interrupted\n"
    assert gone(process.pid, 5)
