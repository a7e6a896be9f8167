"""`rlcourse train` and `rlcourse resume`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rlcourse import agents
from rlcourse.cli.folder import RunFolder
from rlcourse.cli.options import Parser, add_settings, count, finite, natural, settings_of
from rlcourse.cli.run import Plan, Run
from rlcourse.cli.settings import algo_key, settings_of_agent
from rlcourse.cli.targets import Target, agent_class, agent_name, default_algo, find_environment, find_file, read_config
from rlcourse.cli.usage import UsageError

__all__ = ["check", "resume", "train"]


def train(argv: Sequence[str]) -> int:
    """Train an agent; see ``rlcourse train --help``."""
    argv = _with_file(argv)
    target, name, settings, parsed = _read(argv)
    if parsed.seeds is not None:
        from rlcourse.cli.many import train_many

        return train_many(list(argv), target, name, parsed)
    plan = _plan(parsed, target)
    agent = _make_agent(name, target, parsed.seed, settings)
    folder = RunFolder.create(parsed.out, target.label, algo_key(name).replace(":", "-"), parsed.seed)
    folder.write_config(
        {
            "run": {"env": _lasting(target.text), "algo": name, "seed": parsed.seed, "command": " ".join(["rlcourse train", *argv])},
            "plan": plan._asdict(),
            "agent": agent.config.as_dict(),
            "versions": _versions(),
        }
    )
    return Run(agent, target, folder, plan, quiet=parsed.quiet, progress=not parsed.no_progress).execute()


def check(argv: Sequence[str]) -> None:
    """Raise UsageError where `train` would, and write nothing."""
    target, name, settings, parsed = _read(_with_file(argv))
    _plan(parsed, target)
    _make_agent(name, target, parsed.seed, settings)


def _with_file(argv: Sequence[str]) -> list[str]:
    """Return the words with the run after ``--encoder-from`` replaced by its file, which stays the same whenever it is read."""
    words = [part for word in argv for part in (word.split("=", 1) if word.startswith("--encoder-from=") else [word])]
    for i in range(1, len(words)):
        if words[i - 1] == "--encoder-from" and words[i] != "none":
            words[i] = str(find_file(words[i]).resolve())
    return words


def _read(argv: Sequence[str]) -> tuple[Target, str, dict[str, Any], Any]:
    """Return the environment, the agent's name, its settings, and all that was parsed."""
    target, name = _scan(argv)
    if target and target.preset and name:
        target = replace(target, preset=target.preset.of(algo_key(name)))
    parser = Parser(prog="rlcourse train", description="Train an agent and write a run folder.")
    parser.add_argument("env", help="preset (rlcourse list presets), Gymnasium id, or file.py:Class")
    parser.add_argument("--algo", "-a", help=f"agent (rlcourse list agents) [{name or 'by environment'}]")
    _add_run_options(parser, target)
    defaults: dict[str, Any] = {}
    if name:
        defaults = dict(target.preset.agents.get(algo_key(name), {})) if target and target.preset else {}
        add_settings(parser, settings_of_agent(name), defaults, f"settings of {name}")
    parsed = parser.parse(argv, lambda flag: _of_others(flag, name))
    if target is None or name is None:
        raise UsageError("train: name an environment, for example: rlcourse train cartpole")
    if parsed.jobs is not None and parsed.seeds is None:
        raise UsageError("--jobs: one seed is trained in one process; say how many seeds with --seeds")
    return target, name, defaults | settings_of(parsed), parsed


def _scan(argv: Sequence[str]) -> tuple[Target | None, str | None]:
    """Find the two words that decide which flags there are, wherever they stand: every agent's flags are known here."""
    scan = Parser(prog="rlcourse train", add_help=False)
    scan.add_argument("--algo", "-a")
    scan.add_argument("env", nargs="?")
    _add_run_options(scan, None)
    for name in _candidates(argv):
        add_settings(scan, settings_of_agent(name), {}, name)
    asked = {"-h", "--help"} & set(argv)
    found = scan.parse([word for word in argv if word not in ("-h", "--help")])
    if found.env is None and not asked:
        raise UsageError("train: name an environment, for example: rlcourse train cartpole")
    target = find_environment(found.env, found.preset) if found.env else None
    algo = found.algo or (default_algo(target) if target else None)
    return target, agent_name(algo) if algo else None


def _of_others(flag: str, name: str | None) -> str:
    """Return a sentence about a flag that an agent lacks and others have; nothing where none has it."""
    setting = flag.removeprefix("--").removeprefix("agent-").replace("-", "_")
    owners = [algo_key(each) for each in agents.MODULES if setting in {mine.name for mine in settings_of_agent(each)}]
    if name is None or not owners:
        return ""
    some = ", ".join(owners[:3]) + " and others" * (len(owners) > 3)
    return f"{algo_key(name)} has no setting {setting!r}, unlike {some}: take for example --algo {owners[0]}"


def _candidates(argv: Sequence[str]) -> list[str]:
    """Return the agents whose flags may follow: all of ours, or the one of stable-baselines3 that was named."""
    words = [part for word in argv for part in word.split("=", 1)]
    named = [after for word, after in itertools.pairwise(words) if word in ("--algo", "-a")]
    return [agent_name(named[-1])] if named and named[-1].lower().startswith("sb3:") else list(agents.MODULES)


def resume(argv: Sequence[str]) -> int:
    """Go on with a saved run; see ``rlcourse resume --help``."""
    from rlcourse.cli.targets import find_agent

    parser = Parser(prog="rlcourse resume", description="Go on exactly where a run was saved.")
    parser.add_argument("run", help="run folder, or latest")
    parser.add_argument("--total-timesteps", "-n", type=count, metavar="N", help="further steps [what is left of the budget]")
    parser.add_argument("--quiet", "-q", action="store_true", help="print only the result")
    parser.add_argument("--no-progress", action="store_true", help="no live display")
    parsed = parser.parse(argv)
    agent, target, file = find_agent(parsed.run, which="last")
    folder = RunFolder(file.parent)
    if target is None or not (folder.path / "config.toml").exists():
        raise UsageError(f"{parsed.run} is no run folder (it has no config.toml)")
    plan = Plan(**read_config(folder.path)["plan"])
    if parsed.total_timesteps:  # then the steps alone are the budget
        plan = plan._replace(total_timesteps=agent.num_timesteps + parsed.total_timesteps, episodes=None)
    if plan.spent(agent):
        budget = f"{plan.total_timesteps:,} steps" + (f" or {plan.episodes:,} episodes" if plan.episodes else "")
        raise UsageError(f"the run has spent its budget of {budget}; give more with -n")
    folder.resume_after(agent)
    if getattr(agent, "resume_note", "") and not parsed.quiet:
        print(agent.resume_note)
    return Run(agent, target, folder, plan, quiet=parsed.quiet, progress=not parsed.no_progress).execute()


def _add_run_options(parser: Parser, target: Target | None) -> None:
    preset = target.preset if target else None
    group = parser.add_argument_group("the run")

    def default(value: Any) -> str:
        return "" if value is None else f"[{value}]"

    total, episodes = (preset.total_timesteps, preset.episodes) if preset else (100_000, None)
    group.add_argument(
        "--total-timesteps", "-n", "--timesteps", "--n-timesteps", type=count, metavar="N", help=f"environment steps [{total:,}]"
    )
    group.add_argument("--episodes", type=count, metavar="N", help=f"or this many episodes, if those end first {default(episodes)}")
    group.add_argument("--preset", metavar="NAME", help="another preset of this environment (rlcourse list presets)")
    group.add_argument("--seed", type=natural, default=0, metavar="N", help="seed of everything random [0]")
    group.add_argument("--seeds", type=count, metavar="N", help="train this many seeds in parallel, with one curve")
    group.add_argument("--jobs", type=count, metavar="N", help="of --seeds: processes at once [one per core]")
    group.add_argument("--out", "-o", default="runs", metavar="DIR", help="folder for runs [runs]")
    every = preset.eval_every if preset else "a tenth of the steps"
    group.add_argument(
        "--eval-every", "--every-n-steps", "--eval-freq", type=count, metavar="N", help=f"steps between evaluations [{every}]"
    )
    group.add_argument(
        "--eval-episodes", type=count, metavar="N", help=f"episodes per evaluation [{preset.eval_episodes if preset else 20}]"
    )
    group.add_argument("--target", type=finite, metavar="X", help=f"mean return that counts as solved {default(preset and preset.target)}")
    group.add_argument("--stop-at", type=finite, metavar="X", help=f"stop early at this evaluation {default(preset and preset.stop_at)}")
    group.add_argument("--early-stopping-rounds", type=count, metavar="N", help="stop after this many evaluations without improvement")
    group.add_argument("--metric", default="mean", choices=["mean", "min", "median"], help="what an evaluation is judged by [mean]")
    group.add_argument("--minimize", action="store_true", help="smaller is better")
    group.add_argument("--quiet", "-q", action="store_true", help="print only the result")
    group.add_argument("--no-progress", action="store_true", help="no live display")


def _plan(parsed: Any, target: Target) -> Plan:
    preset = target.preset
    total = parsed.total_timesteps or (preset.total_timesteps if preset else 100_000)
    return Plan(
        total_timesteps=total,
        eval_every=parsed.eval_every or (preset.eval_every if preset else max(1, total // 10)),
        eval_episodes=parsed.eval_episodes or (preset.eval_episodes if preset else 20),
        target=parsed.target if parsed.target is not None else (preset.target if preset else None),
        stop_at=parsed.stop_at if parsed.stop_at is not None else (preset.stop_at if preset else None),
        early_stopping_rounds=parsed.early_stopping_rounds,
        metric=parsed.metric,
        minimize=parsed.minimize,
        episodes=parsed.episodes or (preset.episodes if preset and not parsed.total_timesteps else None),
    )


def _make_agent(name: str, target: Target, seed: int, settings: dict[str, Any]) -> Any:
    kind = agent_class(name)
    try:
        return kind(target.env, seed=seed, **settings)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _lasting(text: str) -> str:
    """Return a name of the environment that holds from any working folder."""
    if ".py:" not in text:
        return text
    path, _, name = text.rpartition(":")
    return f"{Path(os.path.abspath(os.path.expanduser(path)))}:{name}"


def _versions() -> dict[str, str]:
    import platform
    import sys

    from rlcourse import __version__

    found = {"rlcourse": __version__, "python": platform.python_version()}
    for module in ("numpy", "gymnasium", "numba", "torch", "stable_baselines3", "sb3_contrib"):
        if module in sys.modules:
            found[module] = str(sys.modules[module].__version__)
    return found
