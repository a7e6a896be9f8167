"""``torchrun --nproc-per-node N -m rlcourse train ...``: N processes that train one agent; rank 0 looks, writes and speaks for all."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rlcourse.cli.usage import UsageError
from rlcourse.core.ended import ProcessEnded

__all__ = ["follow", "leave", "let_rank_0_speak", "processes", "rank", "together"]

_SPEAKING = 5.0  # seconds after which another rank says itself what is wrong


def processes() -> int:
    """Return how many processes torchrun has started, or 1."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def rank() -> int:
    """Return which of them this is."""
    return int(os.environ["RANK"]) if processes() > 1 else 0


@contextmanager
def together(name: str | None) -> Iterator[None]:
    """Join the others, where there are any, for the time of a training.

    Parameters
    ----------
    name : str, optional
        Of the agent, where it is known.

    Raises
    ------
    UsageError
        Where several processes cannot train that.
    """
    if processes() == 1:
        yield
        return
    if name not in ("PPO", None):
        raise UsageError(f"{name} trains in one process: take --algo ppo under torchrun, or leave torchrun out")
    import torch
    from torch import distributed

    from rlcourse.agents.deep.ranks import PATIENCE

    device = int(os.environ["LOCAL_RANK"])
    has_gpu = device < torch.cuda.device_count()
    if has_gpu:
        torch.cuda.set_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if has_gpu else "gloo", timeout=PATIENCE)
    try:
        yield
    finally:
        leave()


def leave() -> None:
    """Leave the others: from now on this process acts alone."""
    if processes() > 1:
        from torch import distributed

        if distributed.is_initialized():
            distributed.destroy_process_group()


def follow(agent: Any, plan: Any) -> int:
    """Train beside rank 0, which looks and decides; return the exit code."""
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        agent.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    episodes = None if plan.episodes is None else plan.episodes - len(agent.history)
    try:
        agent.learn(plan.total_timesteps - agent.num_timesteps, episodes=episodes, callback_every=plan.eval_every)
    except ProcessEnded:  # it has said why
        return 1
    return 128 + asked[0] if asked else 0


def let_rank_0_speak() -> None:
    """Wait, on another rank, until torchrun ends it because rank 0 has ended; where it has not, the error is this rank's own."""
    if rank():
        time.sleep(_SPEAKING)
