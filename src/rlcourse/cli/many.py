"""``rlcourse train --seeds K``: one curve with a confidence band.

On a GPU all seeds train as one program (`rlcourse.cli.batched`); else a process per core (or ``--jobs``) trains one after another.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from rlcourse.cli.batched import Batch, seeds_in_words
from rlcourse.cli.devices import as_program
from rlcourse.cli.options import settings_of
from rlcourse.cli.outputs import held, working_folder
from rlcourse.cli.plan import Plan
from rlcourse.cli.report import result_of
from rlcourse.cli.run import Run
from rlcourse.cli.seeds import Seeds
from rlcourse.cli.settings import settings_of_agent
from rlcourse.cli.signals import number_of
from rlcourse.cli.sweep import tell_best, values_of
from rlcourse.cli.targets import Target
from rlcourse.cli.usage import UsageError, printable
from rlcourse.cli.ways import way_on
from rlcourse.cli.workers import Asked, Workers

__all__ = ["cores", "resume_many", "train_many"]


def train_many(argv: list[str], target: Target, name: str, settings: dict[str, Any], plan: Plan, parsed: Any) -> int:
    """Train several seeds, as one program or in as many processes as there are cores or `--jobs`, then draw all of them."""
    from rlcourse.cli.train import make_agent

    values = values_of(name, parsed.sweep, settings_of(parsed))
    argv = _without(argv, {"--sweep"}, set())
    words = _without(argv, {"--seeds", "--seed", "--jobs", "--out", "-o"}, {"-q", "--quiet", "--no-progress", "--batched"})
    words = [target.lasting if word == target.text else word for word in words]  # whoever resumes may be in another folder
    seeds = list(range(parsed.seed, parsed.seed + parsed.seeds))
    if not name.startswith("sb3:") and "device" in {setting.name for setting in settings_of_agent(name)}:
        every = [(seed, settings | value.settings) for value in values for seed in seeds]
        agents, device = as_program(lambda i: make_agent(name, target, *every[i], parsed.init_from), len(every), plan.episodes, parsed)
        if agents:
            groups = [Seeds(target, name, [*words, *value.words], seeds, value.label) for value in values]
            return _train_as_program([[*argv, *value.words] for value in values], groups, agents, plan, parsed)
        words += [] if device is None else ["--device", device]
    elif parsed.batched:
        raise UsageError(f"--batched: {name} has no program; leave it out")
    return _train_in_processes(Seeds(target, name, words, seeds), None, parsed.out, parsed.jobs, parsed.quiet)


def _train_as_program(commands: list[list[str]], groups: list[Seeds], agents: list[Any], plan: Plan, parsed: Any) -> int:
    """Train groups of seeds, of which each has its own command and its own part of the agents; without a sweep there is one."""
    from rlcourse.cli.train import run_folder

    (target, name, _, seeds, _), waiting = groups[0], iter(agents)
    parents = [group.create(parsed.out) for group in groups]
    runs: dict[str, list[Run]] = {}
    for command, group, parent in zip(commands, groups, parents, strict=True):
        mine = [next(waiting) for _ in seeds]
        folders = [run_folder(str(parent), name, target, agent, plan, command, within=True) for agent in mine]
        pairs = zip(mine, folders, strict=True)
        runs[group.label] = [Run(agent, target, folder, plan, quiet=True, progress=False) for agent, folder in pairs]
    if not parsed.quiet:
        what = seeds_in_words(len(seeds)) + (f" and {len(groups)} value{'s' * (len(groups) > 1)}" if parsed.sweep else "")
        print(f"{what} of {name} on {target.text} as one program ({agents[0].device.type}) -> {printable(os.path.commonpath(parents))}")
    batch = Batch(runs, parsed.quiet)
    code = batch.execute()
    if code >= 128:
        return _interrupted(parents, code, {batch.name(run): why for run, why in batch.failed.items()})
    failed = {label: {run.agent.seed: batch.failed[run] for run in mine if run in batch.failed} for label, mine in runs.items()}
    if not parsed.sweep:
        groups[0].conclude(parents[0], failed[""], parsed.quiet)
        return code
    told = [(group, parent, *group.summarise(parent, failed[group.label])) for group, parent in zip(groups, parents, strict=True)]
    for group, _, _, lines in told:
        if failed[group.label] and not parsed.quiet:
            print(f"{group.label}: {lines[-1]}")
    tell_best({group.label: (parent, answer) for group, parent, answer, _ in told}, len(seeds), plan.minimize, parsed.quiet)
    for group, parent, answer, lines in told:
        group.keep(parent, answer, lines)
    return code


def resume_many(parent: Path, further: int | None, quiet: bool) -> int:
    """Go on with every seed of a folder that has not ended, or with all of them for further steps."""
    here, seeds = working_folder(), Seeds.read(parent)
    return _train_in_processes(seeds, Path(held(str(parent), here)), "", None, quiet, further)


def _train_in_processes(seeds: Seeds, parent: Path | None, out: str, jobs: int | None, quiet: bool, further: int | None = None) -> int:
    unfinished = seeds.seeds if parent is None else seeds.unfinished(parent, further)
    failed: dict[int, str] = {}
    first = 0
    try:
        with Workers(seeds.words, min(len(unfinished), jobs or cores())) as workers:
            workers.wait_until_ready()
            if parent is None and not quiet and (line := workers.how_they_resume()):
                print(line)
            parent = parent or seeds.create(out)
            for seed, code, why in workers.train([Asked(seed, seeds.command(parent, seed, further)) for seed in unfinished]):
                first = first or code
                if code:
                    failed[seed] = why
                _tell(seed, parent, why, quiet)
    except KeyboardInterrupt as error:
        lost = {f"seed {seed}": why for seed, why in sorted((failed | workers.unsaved()).items())}
        return _interrupted([parent] if parent else [], 128 + number_of(error), lost)
    seeds.conclude(parent, failed, quiet)
    return first


def _tell(seed: int, parent: Path, why: str, quiet: bool) -> None:
    """Say how a seed ended."""
    folder = Seeds.folder(parent, seed)
    if why:
        way = "" if folder is None or str(folder) in why else f"; what was saved is in {printable(str(folder))}"
        print(f"rlcourse: seed {seed} failed: {why}{way}", file=sys.stderr, flush=True)
    elif not quiet and folder is not None and (ended := result_of(folder)):
        print(f"seed {seed}: {ended['best']:.2f}   last {ended['last']:.2f}   {printable(str(folder))}", flush=True)


def _interrupted(parents: list[Path], code: int, failed: dict[str, str]) -> int:
    """Say what was saved of seeds that were interrupted; `failed` says why some were not. Return the code."""
    lost = "".join(f"\n          {name} goes on from its newest checkpoint: {why}" for name, why in failed.items())
    saved = "every other seed" if failed else "every seed"
    ways = "".join(f"\n          {way_on(parent)}" for parent in parents)
    where = f"; {saved} was saved below {printable(os.path.commonpath(parents))}{lost}{ways}" if parents else ""
    print(f"rlcourse: interrupted{where}", file=sys.stderr)
    return code


def cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _without(argv: list[str], with_value: set[str], alone: set[str]) -> list[str]:
    """Return the words without some options."""
    kept: list[str] = []
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word in with_value:
            skip = True
        elif word not in alone and word.split("=")[0] not in with_value:
            kept.append(word)
    return kept
