"""Two processes that train one PPO, real ones over gloo: what they compute is what one process computes, and both have the same."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ranks_script import GIVEN, LEARN, N, T, copies, updated

from rlcourse.agents import PPO
from rlcourse.agents.deep import boundary
from rlcourse.agents.deep.ranks import Ranks, shares


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What the two ranks of the script have come to, and the folder with their files."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", f"--master-port={port}"]
    script = Path(__file__).with_name("ranks_script.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([*torchrun, str(script), str(folder)], env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [dict(np.load(folder / f"{rank}.npz")) for rank in (0, 1)], folder


def test_an_update_of_two_ranks_is_that_of_one_process_on_all_samples(ranks):
    (zero, one), _ = ranks
    alone = updated(0, N, [T * N])
    assert alone.rollout.cuts
    before = PPO(copies(N), seed=5, **GIVEN).optimizer.parameters
    assert (alone.optimizer.parameters - before).abs().max() > 0.01, "six steps of 0.01"
    np.testing.assert_allclose(zero["given"], alone.optimizer.parameters.numpy(), atol=1e-6, rtol=0.0)
    np.testing.assert_array_equal(zero["given"], one["given"])
    np.testing.assert_allclose(zero["given_moments"], alone.normalizer.seen.data, rtol=1e-6)  # means of float32
    np.testing.assert_allclose(zero["given_metrics"], [alone.metrics["value_loss"], alone.metrics["approx_kl"]], rtol=1e-4, atol=1e-7)


def test_both_ranks_hold_the_same_to_the_bit_and_have_lived_through_different_things(ranks):
    (zero, one), _ = ranks
    for name in ("learned", "moments", "rows", "steps", "given_metrics"):
        np.testing.assert_array_equal(zero[name], one[name], err_msg=name)
    assert not np.array_equal(zero["seen"], one["seen"])
    assert not np.array_equal(zero["drawn"], one["drawn"])
    started = PPO(copies(N), seed=3, **LEARN)
    assert not np.array_equal(zero["learned"], np.concatenate([part.numpy().reshape(-1) for part in started.policy.state_dict().values()]))


def test_budgets_are_exact_over_all_ranks_and_who_stops_stops_all(ranks):
    (zero, _), _ = ranks
    steps, updates, by_episodes, episodes, stopped = zero["steps"].tolist()
    assert steps == 204
    assert 0 < updates <= 3 * 2 * 4 + 2 + 2
    assert by_episodes % 64 == 0
    assert episodes >= 3
    assert stopped == 128
    assert (np.diff(zero["rows"][:, -1]) >= 0).all()
    assert zero["rows"][-1, -1] <= 204
    assert zero["rows"][:, 1].sum() <= 204, "no step is in two episodes"


def test_the_file_of_a_rank_goes_on_in_one_process_with_all_copies(ranks):
    (zero, _), folder = ranks
    agent = PPO.load(folder / "0.safetensors", env="CartPole-v1")
    assert agent.num_timesteps == 204
    assert agent.venv.num_envs == N
    assert np.array_equal(np.concatenate([part.numpy().reshape(-1) for part in agent.policy.state_dict().values()]), zero["learned"])
    assert agent.learn(64).num_timesteps == 268


def test_what_cannot_be_divided_or_trained_so_is_refused_in_one_sentence(ranks):
    (zero, one), _ = ranks
    assert zero["refused"].tolist() == one["refused"].tolist()
    assert zero["refused"].tolist() == [
        "n_envs must be a multiple of the 2 processes that share them, not 3",
        "batch_size must be a multiple of the 2 processes that share them, not 9",
        "DQN trains in one process, and here are 2: take PPO, or leave torchrun out",
    ]


@pytest.mark.parametrize("budget", [1, 2, 7, 8, 9, 31, 32, 33, 1000])
def test_shares_of_a_budget_add_up_and_are_even(budget):
    found = shares(budget, steps=4, copies=2, ranks=3)
    assert sum(found) == min(budget, 24)
    assert max(found) - min(found) <= 1
    assert max(found) <= 8


def test_every_rank_has_as_many_minibatches_and_their_shares_add_up_to_one():
    ranks = [Ranks(rank, 2) for rank in (0, 1)]
    for each in ranks:
        each.counts = [9, 8]
    parts = [each.split(torch.arange(count), 8) for each, count in zip(ranks, (9, 8), strict=True)]
    assert [[len(part) for part in mine] for mine in parts] == [[4, 4, 1], [4, 4, 0]]
    assert [[each.share(k, 8) for k in range(3)] for each in ranks] == [[0.5, 0.5, 1.0], [0.5, 0.5, 0.0]]
    assert [ranks[0].whole(size) for size in (16, 18)] == [False, True]
    alone = Ranks()
    alone.counts = [9]
    assert [len(part) for part in alone.split(torch.arange(9), 4)] == [4, 4, 1]
    assert [alone.share(k, 4) for k in range(3)] == [1.0] * 3


def test_a_rank_has_the_gpu_that_is_current_where_it_was_made(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert boundary.device_for("cuda") == torch.device("cuda", 1)
