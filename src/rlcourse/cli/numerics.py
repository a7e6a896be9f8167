"""What a run's numbers depend on beside its settings: threads that sum them, operations of a GPU, and seeds."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

from rlcourse import agents
from rlcourse.core.seeds import environment_seed

__all__ = ["EVAL_SEEDS", "FINAL_SEEDS", "in_force", "seeds_of", "settled"]

EVAL_SEEDS, FINAL_SEEDS = 10_000_000, 20_000_000  # evaluations choose the best; the final ones were never used for choosing


@contextlib.contextmanager
def settled(name: str, threads: int | None, deterministic: bool) -> Iterator[None]:
    """Within, torch computes for an agent with so many threads, and on a GPU in a fixed order if asked; then as before.

    Sums in several threads are added in another order than in one, so that weights differ in the last bits, and soon in all. Agents
    without a network compute in one thread in any case.
    """
    if not _has_network(name):
        yield
        return
    from rlcourse.agents.deep.arithmetic import deterministic_operations, threads_of_torch

    with deterministic_operations() if deterministic else contextlib.nullcontext(), threads_of_torch(threads):
        yield


def in_force(name: str) -> dict[str, Any]:
    """Return how torch computes for an agent now, for config.toml; nothing of an agent without a network."""
    if not _has_network(name):
        return {}
    from rlcourse.agents.deep import arithmetic

    return arithmetic.in_force()


def _has_network(name: str) -> bool:
    return ".deep." in agents.MODULES.get(name, ".deep.")  # models of stable-baselines3 are not among them


def seeds_of(agent: Any) -> dict[str, Any]:
    """Return the seeds of a run that begins, for config.toml: all follow from the agent's.

    ``environment`` is what the copies of a deep agent are reset with, and their action spaces seeded (Gymnasium's copy i with i more);
    a tabular or linear agent lends its own generator to its environment. Evaluations take one number more in each episode.
    """
    name = type(agent).__name__
    environment: Any = "the agent's generator"
    if name in agents.MODULES and _has_network(name):
        environment = environment_seed(copy.deepcopy(agent.rng))
    elif name not in agents.MODULES:  # a model of stable-baselines3
        environment = agent.seed
    return {
        "agent": agent.seed,
        "environment": environment,
        "action_space": environment,
        "evaluation": EVAL_SEEDS,
        "final": FINAL_SEEDS,
    }
