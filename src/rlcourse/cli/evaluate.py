"""`rlcourse evaluate`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rlcourse.cli.judging import judge, time_of
from rlcourse.cli.numerics import FINAL_SEEDS
from rlcourse.cli.options import Parser, count, finite, natural, seconds
from rlcourse.cli.outputs import working_folder
from rlcourse.cli.report import plain, spread
from rlcourse.cli.targets import find_agent, find_environment
from rlcourse.cli.truth import Truth
from rlcourse.cli.usage import UsageError, printable
from rlcourse.core.evaluation import other_sight
from rlcourse.core.files import sha256_of
from rlcourse.core.gymworld import id_of

__all__ = ["evaluate"]


def evaluate(argv: Sequence[str]) -> int:
    """Measure a saved agent; see ``rlcourse evaluate --help``."""
    parser = Parser(prog="rlcourse evaluate", description="Returns of a saved agent on fresh episodes.")
    parser.add_argument("run", help="run folder (its best checkpoint), agent file, or latest")
    parser.add_argument("--env", help="another environment than it was trained in")
    parser.add_argument("--last", action="store_true", help="the last checkpoint instead of the best")
    parser.add_argument("--episodes", type=count, default=100, help="episodes [100]")
    parser.add_argument("--seed", type=natural, default=FINAL_SEEDS, help="seed of the first episode")
    parser.add_argument("--stochastic", action="store_true", help="act as the agent explores, not greedily")
    parser.add_argument("--target", type=finite, help="exit with 3 where the mean return is below this")
    parser.add_argument(
        "--env-timeout", type=seconds, metavar="SECONDS", help="step it in a process of its own, which must answer in this time [the run's]"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parsed, here = parser.parse(argv), working_folder()
    agent, target, file = find_agent(parsed.run, "last" if parsed.last else "best", parsed.env, "name one with --env")
    target = find_environment(parsed.env) if parsed.env else target or find_environment(str(id_of(agent.env)))
    env = target.make()
    if wrong := other_sight(agent, env.observation_space):
        raise UsageError(f"--env: {wrong}")
    target = target.timed(parsed.env_timeout or time_of(here / file))
    returns = judge(agent, target, parsed.episodes, seed=parsed.seed, deterministic=not parsed.stochastic)
    mean, deviation = spread(returns)
    error = deviation / len(returns) ** 0.5
    truth = Truth(agent, env)
    known = None if parsed.stochastic else truth.policy_return(agent)
    best = None if known is None else truth.optimum()
    if parsed.json:
        around = {"std": deviation, "min": float(returns.min()), "max": float(returns.max())}
        exactly = {} if known is None else {"exact_return": known} | ({} if best is None else {"optimum": best[0]})
        measured = {"episodes": len(returns), "mean": mean, "standard_error": error}
        print(json.dumps(plain({"file": str(file), "sha256": sha256_of(here / file), **measured, **around, **exactly}), allow_nan=False))
    else:
        print(printable(str(file)))
        print(f"mean return {mean:.2f} ± {error:.2f} over {len(returns)} episodes (min {returns.min():g}, max {returns.max():g})")
        if known is not None:
            print(f"exact return of its greedy policy {known:.4f}" + ("" if best is None else f"; {best[1]} {best[0]:.4f}"))
    return 3 if parsed.target is not None and mean < parsed.target else 0
