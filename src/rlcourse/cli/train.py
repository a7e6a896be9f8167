"""`rlcourse train`."""

from __future__ import annotations

import argparse
import itertools
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rlcourse import agents
from rlcourse.cli.devices import where_it_trains
from rlcourse.cli.folder import RunFolder
from rlcourse.cli.numerics import in_force, seeds_of, settled
from rlcourse.cli.options import Parser, add_settings, count, finite, natural, seconds, settings_of
from rlcourse.cli.outputs import held, working_folder
from rlcourse.cli.plan import Plan
from rlcourse.cli.rehearsing import how_it_resumes
from rlcourse.cli.run import Run
from rlcourse.cli.settings import algo_key, settings_of_agent
from rlcourse.cli.targets import Target, agent_class, agent_name, default_algo, find_environment, find_file
from rlcourse.cli.torchrun import follow, processes, rank, together
from rlcourse.cli.usage import UsageError

__all__ = ["check", "make_agent", "run_folder", "scan", "train"]

_FILES = ("--encoder-from", "--init-from")
_MOST_SEEDS, _MOST_JOBS = 100_000, 1_000  # a slip of the finger is not to fill the memory, nor the table of processes


def train(argv: Sequence[str], within: bool = False) -> int:
    """Train an agent; see ``rlcourse train --help``. A seed among others lies directly in the folder that ``--out`` names."""
    here, argv = working_folder(), _with_file(argv)
    target, name, settings, parsed = _read(argv)
    parsed.out = held(parsed.out, here)
    plan = _plan(parsed, target)
    if parsed.seeds is not None:
        if processes() > 1:
            raise UsageError("--seeds trains agents apart, each in one process: leave torchrun out")
        from rlcourse.cli.many import train_many

        with settled(name, parsed.threads, parsed.deterministic):
            return train_many(list(argv), target, name, settings, plan, parsed)
    with together(name), settled(name, parsed.threads, parsed.deterministic):
        agent = make_agent(name, target, parsed.seed, settings, parsed.init_from)
        if rank():
            return follow(agent, plan)
        folder = run_folder(held(parsed.out, here), name, target, agent, plan, argv, within)
        said = [where_it_trains(agent, plan.episodes) if not parsed.quiet else "", how_it_resumes(agent, target.make)]
        if not parsed.quiet and any(said):
            print("\n".join(filter(None, said)))
        return Run(agent, target, folder, plan, quiet=parsed.quiet, progress=not parsed.no_progress).execute()


def check(argv: Sequence[str]) -> tuple[Any, Target]:
    """Return the agent that `train` would make, and its environment; raise UsageError where `train` would, and write nothing."""
    target, name, settings, parsed = _read(_with_file(argv))
    _plan(parsed, target)
    return make_agent(name, target, parsed.seed, settings, parsed.init_from), target


def run_folder(out: str, name: str, target: Target, agent: Any, plan: Plan, argv: Sequence[str], within: bool = False) -> RunFolder:
    """Make the folder of a run, with its config.toml."""
    label, algo = ("", "") if within else (target.label, algo_key(name).replace(":", "-"))
    folder = RunFolder.create(out, label, algo, agent.seed, keep=plan.keep)
    folder.write_config(
        {
            "run": {"env": target.lasting, "algo": name, "seed": agent.seed, "command": shlex.join(["rlcourse", "train", *argv])}
            | in_force(name)
            | {"env_timeout": target.env_timeout},
            "seeds": seeds_of(agent),
            "plan": plan._asdict(),
            "agent": agent.config.as_dict(),
            "versions": _versions(),
        }
    )
    return folder


def _with_file(argv: Sequence[str]) -> list[str]:
    """Return the words with a run after ``--encoder-from`` or ``--init-from`` replaced by its file, the same whenever it is read."""
    words = [part for word in argv for part in (word.split("=", 1) if word.startswith(tuple(f"{flag}=" for flag in _FILES)) else [word])]
    for i in range(1, len(words)):
        if words[i - 1] in _FILES and words[i] != "none":
            words[i] = str(find_file(words[i]).resolve())
    return words


def _read(argv: Sequence[str]) -> tuple[Target, str, dict[str, Any], Any]:
    """Return the environment, the agent's name, its settings, and all that was parsed."""
    target, name = scan(argv)
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
    if parsed.env_timeout is not None and "n_envs" not in {setting.name for setting in settings_of_agent(name)}:
        raise UsageError(f"--env-timeout: {algo_key(name)} steps one environment in this process; take an agent with --n-envs, such as ppo")
    target = target.timed(parsed.env_timeout)
    if parsed.jobs is not None and parsed.seeds is None:
        raise UsageError("--jobs: one seed is trained in one process; say how many seeds with --seeds")
    for flag, most in (("seeds", _MOST_SEEDS), ("jobs", _MOST_JOBS)):
        if (getattr(parsed, flag) or 0) > most:
            raise UsageError(f"--{flag} must be at most {most:,}, not {getattr(parsed, flag):,}")
    if parsed.sweep and not parsed.batched:
        raise UsageError("--sweep: all values train as one program; add --batched, or train each value by a command of its own")
    if parsed.batched and parsed.seeds is None:
        raise UsageError("--batched: one seed is no batch; say how many seeds with --seeds")
    if parsed.batched and parsed.jobs is not None:
        raise UsageError("--batched: all seeds are one program in one process; leave out --jobs")
    return target, name, defaults | settings_of(parsed), parsed


def scan(argv: Sequence[str], env: str | None = None) -> tuple[Target | None, str | None]:
    """Find the two words that decide which flags there are, wherever they stand: every agent's flags are known here.

    Without an environment it is `env`; without that, a UsageError.
    """
    scan = Parser(prog="rlcourse train", add_help=False)
    scan.add_argument("--algo", "-a")
    scan.add_argument("env", nargs="?")
    _add_run_options(scan, None)
    for name in _candidates(argv):
        add_settings(scan, settings_of_agent(name), {}, name)
    asked = {"-h", "--help"} & set(argv)
    found = scan.parse([word for word in argv if word not in ("-h", "--help")])
    env = found.env or env
    if env is None and not asked:
        raise UsageError("train: name an environment, for example: rlcourse train cartpole")
    target = find_environment(env, found.preset) if env else None
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


def _threads(text: str) -> int:
    """Read a number of threads."""
    if (number := count(text)) > 1024:
        raise argparse.ArgumentTypeError(f"{text} threads are more than any machine has; write for example 4")
    return number


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
    group.add_argument("--batched", action="store_true", help="of --seeds: as one program on one device, as on a GPU")
    sweep = "of --batched: a setting and its values, each trained with all seeds: learning_rate=1e-4,1e-3; once more: all combinations"
    group.add_argument("--sweep", action="append", default=[], metavar="SETTING=VALUES", help=sweep)
    group.add_argument("--init-from", metavar="FILE", help="begin with the weights in a run or an agent file, and nothing else of it")
    group.add_argument("--threads", type=_threads, default=1, metavar="N", help="of torch on the CPU: more help some large networks [1]")
    group.add_argument("--deterministic", action="store_true", help="on a GPU only operations that repeat bit for bit")
    group.add_argument(
        "--env-timeout", type=seconds, metavar="SECONDS", help="step copies in processes of their own, which must answer in this time"
    )
    group.add_argument("--out", "-o", default="runs", metavar="DIR", help="folder for runs [runs]")
    group.add_argument("--keep", type=count, default=2, metavar="N", help="newest checkpoints that stay, beside best and last [2]")
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
        keep=parsed.keep,
        episodes=parsed.episodes or (preset.episodes if preset and not parsed.total_timesteps else None),
    )


def make_agent(name: str, target: Target, seed: int, settings: dict[str, Any], init_from: str | None = None) -> Any:
    """Make an agent, with the weights in a file where one is given; raises UsageError where it says that it cannot serve."""
    kind = agent_class(name)
    try:
        agent = kind(target.env, seed=seed, **settings)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if init_from is not None:
        from rlcourse.agents.weights import take_weights

        try:
            take_weights(agent, init_from)
        except (ValueError, OSError) as error:
            raise UsageError(f"--init-from: {error}") from error
    return agent


def _versions() -> dict[str, str]:
    import platform
    import sys

    from rlcourse import __version__

    found = {"rlcourse": __version__, "python": platform.python_version()}
    for module in ("numpy", "gymnasium", "numba", "torch", "stable_baselines3", "sb3_contrib"):
        if module in sys.modules:
            found[module] = str(sys.modules[module].__version__)
    return found
