"""`rlcourse resume`: go on from the newest checkpoint that is whole, as if the run had never stopped."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rlcourse.cli.config_file import plan_of, read_config
from rlcourse.cli.folder import RunFolder
from rlcourse.cli.numerics import settled
from rlcourse.cli.options import Parser, count
from rlcourse.cli.plan import Plan
from rlcourse.cli.resuming import load
from rlcourse.cli.run import Run
from rlcourse.cli.targets import SEEDS, Target, agent_class, agent_name, find_environment, find_run, run_of, seeds_of
from rlcourse.cli.torchrun import follow, rank, together
from rlcourse.cli.usage import UsageError, printable

__all__ = ["resume"]


def resume(argv: Sequence[str]) -> int:
    """Go on with a saved run; see ``rlcourse resume --help``."""
    parser = Parser(prog="rlcourse resume", description="Go on exactly where a run was saved.")
    parser.add_argument("run", help="run folder, or latest; one of its files, to go on from that one; or a folder of --seeds")
    parser.add_argument("--total-timesteps", "-n", type=count, metavar="N", help="further steps [what is left of the budget]")
    parser.add_argument(
        "--verify",
        type=count,
        nargs="?",
        const=1000,
        metavar="N",
        help="learn N steps [1000] without a stop and with one, say whether they are equal, and leave the run as it is",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="print only the result")
    parser.add_argument("--no-progress", action="store_true", help="no live display")
    parsed = parser.parse(argv)
    if parsed.verify and parsed.total_timesteps:
        raise UsageError(f"-n: --verify takes its own steps and leaves the run as it is; write --verify {parsed.total_timesteps}")
    if not parsed.verify and (several := seeds_of(parsed.run)) is not None:
        from rlcourse.cli.many import resume_many

        return resume_many(several, parsed.total_timesteps, parsed.quiet)
    _require_one(parsed.run)
    with together(None):
        return _resume(parsed)


def _require_one(text: str) -> None:
    """Raise UsageError where a folder holds several runs and is to be gone on with as one."""
    path = find_run(text)
    runs = sorted(file.parent for file in path.glob("*-seed*/config.toml"))
    if runs and not (path / "config.toml").exists():
        what = "is a folder of seeds" if (path / SEEDS).exists() else f"holds runs, and no {SEEDS} that says how they belong together"
        raise UsageError(f"{text} {what}: name one of them, such as {runs[-1]}")


def _resume(parsed: Any) -> int:
    path = run_of(parsed.run)
    config, plan = read_config(path), plan_of(path)
    with settled(config["run"]["algo"], config["run"].get("threads"), config["run"].get("deterministic") is True):
        return _go_on(parsed, path, config, plan)


def _go_on(parsed: Any, path: Path, config: dict[str, Any], plan: Plan) -> int:
    def found() -> Target:
        return find_environment(config["run"]["env"]).timed(config["run"].get("env_timeout"))

    folder = RunFolder(path, keep=plan.keep)
    file = None if parsed.run == "latest" or Path(parsed.run).is_dir() else Path(parsed.run).absolute()
    target = found()  # may change the working folder
    if parsed.verify:
        from rlcourse.cli.verify import verify

        return verify(folder, found, file, parsed.verify, plan.total_timesteps)
    if not rank():
        folder.lock()
    try:
        agent, notes = load(folder, target, file)
        plan = _plan(plan, agent, parsed.total_timesteps, folder, file is not None)
        if rank():
            return follow(agent, plan)
        _require_same(agent, config["run"]["algo"], path)
        notes += folder.resume_after(agent)
        _say(notes, agent)
        return Run(agent, target, folder, plan, quiet=parsed.quiet, progress=not parsed.no_progress).execute()
    finally:
        folder.close()


def _require_same(agent: Any, algo: str, path: Path) -> None:
    """Raise UsageError where config.toml names another agent than the file holds: the settings are the file's."""
    file = path / "config.toml"
    if agent_class(agent_name(algo, f"{file}: algo")).__name__ != (saved := type(agent).__name__):
        raise UsageError(
            f"{file} says algo = {algo!r}, and the saved agent is {saved}: write that, or begin another run with rlcourse train"
        )


def _say(notes: list[str], agent: Any) -> None:
    for note in notes:
        print(printable(note), file=sys.stderr)
    if getattr(agent, "resume_note", ""):
        print(f"rlcourse: {agent.resume_note}", file=sys.stderr)


def _plan(plan: Plan, agent: Any, further: int | None, folder: RunFolder, named: bool) -> Plan:
    """Return how long the run goes on; raises UsageError where it has ended, unless an earlier file of it was named."""
    if further:  # then the steps alone are the budget
        plan = plan._replace(total_timesteps=agent.num_timesteps + further, episodes=None)
    elif (folder.path / "result.json").exists() and (plan.spent(agent) or not named):
        budget = f"{plan.total_timesteps:,} steps" + (f" or {plan.episodes:,} episodes" if plan.episodes else "")
        how = f"has spent its budget of {budget}" if plan.spent(agent) else "was stopped early by its evaluations, as it was asked to be"
        raise UsageError(f"the run {how}; give more with -n")
    return plan
