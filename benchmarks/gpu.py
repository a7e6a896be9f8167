"""Training on one GPU, in one command: steps/s, seconds to a threshold, many seeds at once, beside the CPU, and beside JAX where it is.

    python benchmarks/gpu.py                            # under 10 minutes on one GPU
    python benchmarks/gpu.py --quick --json gpu.json    # a few minutes, smaller
    python benchmarks/gpu.py --device cpu --quick       # tiny sizes: shows that it runs, says nothing of a GPU

Each case trains S agents as one program for a fixed number of steps. Preparation (kernels compile, rounds are recorded) is timed apart:
steps/s and seconds are those of replayed rounds. Seconds to the threshold are steps to the threshold over steps/s; the threshold is
reached by the round after which the mean return over the latest rounds that together hold at least as many episodes as there are copies
is as high (fewer would favour short episodes, or those of lucky copies). Medians are over all seeds: one that does not get there counts
as infinitely late. JAX runs the same algorithm, settings and measure (`jax_ppo.py`, in a process of its own). What fails is printed with
its reason, and the rest goes on; `--json` is written anew after every measurement. It needs torch, numba, numba-cuda and this package, and
no network.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch

import rlcourse
from rlcourse import agents
from rlcourse.agents.deep.programs.capture import Rounds
from rlcourse.agents.deep.programs.together import PROGRAMS, learn_together, program_of

WARM = 7  # rounds until all are replayed
PATIENCE = 120.0  # seconds for a process of JAX
CARTPOLE: dict[str, Any] = {  # chosen by steps to the threshold on a CPU: see benchmarks/README.md
    "n_envs": 1024,
    "n_steps": 32,
    "batch_size": 4096,
    "n_epochs": 4,
    "learning_rate": 2e-3,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "hidden": (64, 64),
}
BOARDS: dict[str, Any] = {"n_envs": 1024, "n_steps": 16, "batch_size": 4096, "n_epochs": 2, "exploration_steps": 500_000, "hidden": (128,)}
PIXELS: dict[str, Any] = {"n_envs": 512, "n_steps": 16, "batch_size": 2048, "n_epochs": 4, "learning_rate": 5e-4, "hidden": (64,)}


class Case(NamedTuple):
    """What is trained: an agent's class, a world, settings, steps of each agent, and the mean return that counts as learned."""

    name: str
    agent: str
    env: str
    options: dict[str, Any]
    settings: dict[str, Any]
    steps: int
    threshold: float


CASES = (
    Case("CartPole PPO", "PPO", "CartPole-v1", {}, CARTPOLE, 2_000_000, 475.0),
    Case("SmallBreakout PQN", "PQN", "rlcourse/SmallBreakout-v0", {}, BOARDS, 3_000_000, 10.0),
    Case("84x84 PixelCatch PPO", "PPO", "rlcourse/PixelCatch-v0", {"size": 84}, PIXELS, 400_000, 0.9),
)
TINY = {"n_envs": 8, "n_steps": 4, "batch_size": 16, "n_epochs": 1, "hidden": (8,)}


def tiny(case: Case) -> Case:
    """Return a case of sizes that a CPU does in a second."""
    options = {"size": 36} if "size" in case.options else {}
    return case._replace(settings=case.settings | TINY, steps=32 * (WARM + 9), options=options)


def make(case: Case, seed: int, device: str) -> Any:
    """Return an agent of a case."""
    return getattr(agents, case.agent)(gym.make(case.env, **case.options), seed=seed, device=device, **case.settings)


def wait(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


# Training -------------------------------------------------------------------------------------------------------------


def per_round(rows: np.ndarray, size: int, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of returns and the count of the episodes that ended in each round of `size` steps, from an agent's history."""
    index = np.minimum((rows[:, 3].astype(int) - 1) // size, rounds - 1)
    return np.bincount(index, rows[:, 0], rounds), np.bincount(index, minlength=rounds).astype(float)


def reached(sums: np.ndarray, counts: np.ndarray, threshold: float, copies: int) -> int | None:
    """Return after how many rounds the mean return over the latest rounds with at least `copies` episodes is the threshold, or None."""
    for last in range(len(sums)):
        total = episodes = 0.0
        for k in range(last, -1, -1):
            total, episodes = total + sums[k], episodes + counts[k]
            if episodes >= copies:
                break
        if episodes >= copies and total / episodes >= threshold:
            return last + 1
    return None


def train(case: Case, seeds: int, device: str) -> dict[str, Any]:
    """Train S agents as one program; return steps/s of all, seconds of a round, of preparation and to the threshold, and who reached it."""
    pool = [make(case, seed, device) for seed in range(seeds)]
    size = case.settings["n_envs"] * case.settings["n_steps"]
    rounds = -(-case.steps // size)
    began = time.perf_counter()
    learn_together(pool, WARM * size)
    wait(device)
    prepared = time.perf_counter()
    learn_together(pool, (rounds - WARM) * size)
    wait(device)
    each = (time.perf_counter() - prepared) / (rounds - WARM)
    after = [reached(*per_round(agent.history.rows, size, rounds), case.threshold, case.settings["n_envs"]) for agent in pool]
    return summary(seeds, size, each, prepared - began, after)


def summary(seeds: int, size: int, each: float, preparation: float, after: list[int | None]) -> dict[str, Any]:
    """Return the figures of a training whose rounds took `each` seconds, `after` so many of which agents reached the threshold.

    What leads to the threshold is the median over all seeds; None where it is not reached by half of them.
    """
    median = statistics.median(float("inf") if count is None else count for count in after)
    there = median < float("inf")
    return {
        "seeds": seeds,
        "steps_per_second": seeds * size / each,
        "seconds_of_a_round": each,
        "preparation": preparation,
        "reached": sum(count is not None for count in after),
        "steps_to_threshold": median * size if there else None,
        "seconds_to_threshold": median * each if there else None,
    }


def on_the_host(case: Case, seconds: float) -> float:
    """Return steps/s of the CPU path: one agent's own `learn`, all threads of torch."""
    agent = make(case, 0, "cpu")
    size = case.settings["n_envs"] * case.settings["n_steps"]
    agent.learn(size)  # boxes compile
    began, rounds = time.perf_counter(), 0
    while rounds == 0 or time.perf_counter() - began < seconds:
        agent.learn(size)
        rounds += 1
    return rounds * size / (time.perf_counter() - began)


# Step by step, beside the CPU ------------------------------------------------------------------------------------------


def timed(do: Callable[[], Any], device: str, seconds: float) -> float:
    """Return seconds of one call, after some that warm up."""
    for _ in range(WARM):
        do()
    wait(device)
    began, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - began < seconds:
        for _ in range(10 if device == "cuda" else 1):
            do()
            calls += 1
        wait(device)
    return (time.perf_counter() - began) / calls


def pieces(case: Case, device: str, seconds: float) -> dict[str, float]:
    """Return seconds of a vector step of the environment, of acting, and of an update from a rollout on, in a program on the device."""
    agent: Any = make(case, 0, device)
    program: Any = program_of([agent])
    learn_together([agent], case.settings["n_envs"] * case.settings["n_steps"])
    plan, rounds = program.plan(2**40), Rounds(torch.device(device))
    experience = program.experience

    @torch.no_grad()
    def act() -> None:
        program.policy(experience._act, program.seen(program.copies.observations[0]), program.draws.out[0].view(1, program.N, -1))

    def update() -> None:  # with the advantages, as the CPU path's
        experience.estimate(plan)
        program._update(plan)

    doings = {"environment": lambda: program.copies.step(0), "inference": act, "update": update}
    return {name: timed(lambda name=name, do=do: rounds(name, do), device, seconds) for name, do in doings.items()}


def host_pieces(case: Case, seconds: float) -> dict[str, float]:
    """Return the same of the CPU path: an agent's own code."""
    agent: Any = make(case, 0, "cpu")
    agent.learn(case.settings["n_envs"] * case.settings["n_steps"])
    noise = agent.policy.noise((agent.venv.num_envs,), agent.generator)
    chosen = agent._act(agent._observation, noise)[1]
    doings = {
        "environment": lambda: agent.venv.step(chosen),
        "inference": lambda: agent._act(agent._observation, noise),
        "update": agent._update,
    }
    return {name: timed(do, "cpu", seconds) for name, do in doings.items()}


# The report ------------------------------------------------------------------------------------------------------------


def machine(device: str) -> dict[str, str]:
    """Return what the figures were measured on."""
    found = {"python": platform.python_version(), "torch": torch.__version__, "rlcourse": rlcourse.__version__, "cpu": platform.processor()}
    found["threads of torch"] = str(torch.get_num_threads())
    if device == "cuda":
        from importlib.metadata import version

        asked = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        try:
            found["gpu, driver"] = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            found["gpu, driver"] = torch.cuda.get_device_name()
        found |= {"numba-cuda": version("numba-cuda"), "cuda of torch": str(torch.version.cuda)}
    return found


def with_jax(case: Case, seeds: int, device: str) -> dict[str, Any]:
    """Return the figures of an equal PPO written in JAX, or {"failed": why}."""
    size = case.settings["n_envs"] * case.settings["n_steps"]
    asked = {"settings": case.settings, "rounds": -(-case.steps // size), "seeds": seeds, "device": device}
    script = Path(__file__).with_name("jax_ppo.py")
    alone = os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # torch keeps some of the GPU's memory
    command = [sys.executable, str(script), json.dumps(asked)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, env=alone, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {"failed": f"JAX took more than {PATIENCE:.0f} s"}
    if run.returncode:
        return {"failed": reason(run.stderr) or f"the process ended with {run.returncode} and said nothing"}
    got = json.loads(run.stdout.splitlines()[-1])
    if device == "cuda" and "cpu" in got["on"].lower():
        return {"failed": f"JAX found no GPU, only {got['on']}"}
    pairs = zip(np.array(got["sums"]), np.array(got["counts"]), strict=True)
    after = [reached(sums, counts, case.threshold, case.settings["n_envs"]) for sums, counts in pairs]
    return summary(seeds, size, got["seconds_of_a_round"], got["preparation"], after)


def reason(said: str) -> str:
    """Return the line of a process's last words that names its error; notes may follow it."""
    lines = [each for each in said.splitlines() if each.strip()]
    named = [each for each in lines if re.match(r"[\w.]+(Error|Exception|Exit)\b", each)]
    return (named or lines or [""])[-1][:150]


def line(what: str, found: dict[str, Any]) -> str:
    """Return one training in words."""
    if "failed" in found:
        return f"  {what:28s} not measured: {found['failed']}"
    to = found["seconds_to_threshold"]
    there = "not reached" if to is None else f"{to:8.3f} s, {found['steps_to_threshold']:,.0f} steps"
    return (
        f"  {what:28s} {found['steps_per_second']:14,.0f} steps/s  {1e3 * found['seconds_of_a_round']:9.2f} ms a round  to the threshold"
        f" (median): {there}; {found['reached']} of {found['seeds']} reached; prepared in {found['preparation']:.1f} s"
    )


def attempt(measure: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    """Return a measurement, or {"failed": why}: what does not fit one GPU must not hide the rest."""
    try:
        return measure(*given)
    except Exception as error:  # numba-cuda's errors have no base in common with torch's
        return {"failed": f"{type(error).__name__}: {' '.join(str(error).split())}"[:150]}
    finally:
        gc.collect()  # agents and their programs hold each other
        if torch.cuda.is_available():
            with contextlib.suppress(Exception):  # where an error has broken the context, this meets it again
                torch.cuda.empty_cache()


def targets(found: dict[str, Any]) -> list[str]:
    """Return each target of the project with the figure that was measured, and whether it is met."""
    one, many = (found.get("CartPole PPO", {}).get(str(seeds), {}) for seeds in (1, 32))
    pixels, steps = found.get("84x84 PixelCatch PPO", {}), found.get("steps", {})
    cartpole = [each["steps_per_second"] for each in found.get("CartPole PPO", {}).values() if "steps_per_second" in each]
    pixel = [each["steps_per_second"] for each in pixels.values() if "steps_per_second" in each]
    both = "seconds_of_a_round" in one and "seconds_of_a_round" in many
    ratio = many["seconds_of_a_round"] / one["seconds_of_a_round"] if both else None
    measured = [sizes for sizes in steps.values() if "failed" not in sizes]
    slower = max((each["gpu"] / each["cpu"] for sizes in measured for each in sizes.values()), default=None)
    late = float("inf") if "steps_per_second" in one else None  # it was trained, and did not get there
    to = one.get("seconds_to_threshold") or late
    asked: list[tuple[str, float | None, Callable[[float], bool]]] = [
        ("CartPole PPO, steps/s in training, best number of seeds (15,000,000)", max(cartpole, default=None), lambda x: x >= 15e6),
        (f"CartPole PPO, seed 0 alone, seconds of training to the threshold (under 1){beside(one, many)}", to, lambda x: x < 1.0),
        ("CartPole PPO, 32 seeds over one seed, times (1.3)", ratio, lambda x: x <= 1.3),
        ("84x84 pixels PPO, steps/s, best number of seeds (200,000)", max(pixel, default=None), lambda x: x >= 200e3),
        ("a piece on the GPU over that of the CPU path, the worst at 4,096 copies and more, times (1)", slower, lambda x: x <= 1.0),
    ]
    return [f"  {what}: " + ("not measured" if x is None else f"{shown(x)}, {'met' if good(x) else 'missed'}") for what, x, good in asked]


def shown(x: float) -> str:
    """Return a figure in words."""
    return f"{x:,.3g}" if x < float("inf") else "not reached"


def beside(one: dict[str, Any], many: dict[str, Any]) -> str:
    """Return what must be known beside the seconds of one seed: preparation, and how many of many seeds get there."""
    said = ", without preparation (compilation and recording)"
    said += f" of {one['preparation']:.1f} s" if "preparation" in one else ""
    return said + (f"; {many['reached']} of {many['seeds']} seeds reached it" if "reached" in many else "")


def save(found: dict[str, Any], file: Path | None) -> None:
    """Write the figures so far; a file that is there is whole at all times."""
    if file is not None:
        beside = file.with_name(file.name + ".part")
        beside.write_text(json.dumps(found, indent=1))
        beside.replace(file)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer seeds and steps")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: tiny sizes; its figures are a CPU's")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--no-jax", action="store_true", help="leave JAX out")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no CUDA device here; --device cpu --quick shows that the script runs")
    report(args.device, args.quick, not args.no_jax, args.json)


def report(device: str, quick: bool, jax: bool, file: Path | None = None) -> dict[str, Any]:
    """Measure everything; print as it comes, and write all so far into the file."""
    began, real = time.perf_counter(), device == "cuda"
    found: dict[str, Any] = {"machine": machine(device), "device": device, "quick": quick}
    print("\n".join(f"{name}: {value}" for name, value in found["machine"].items()))
    if not real:
        print("\nTHESE ARE FIGURES OF A CPU, at tiny sizes: they say that the script runs, and nothing of a GPU.")
    counts = ((1, 32) if quick else (1, 32, 256)) if real else (1, 3)
    for case in CASES if real else map(tiny, CASES):
        print(f"\n{case.name}: {case.env}, threshold {case.threshold:g}, {case.steps:,} steps of each seed, {case.settings}", flush=True)
        if case.agent not in PROGRAMS:
            print(f"  {case.agent} does not learn as a program yet: not measured")
            continue
        mine = found[case.name] = {}
        for seeds in counts:
            mine[str(seeds)] = attempt(train, case, seeds, device)
            print(line(f"{seeds} seed{'s' * (seeds > 1)}, {device}", mine[str(seeds)]), flush=True)
            save(found, file)
        host = attempt(lambda case=case: {"steps_per_second": on_the_host(case, 2.0 if real else 0.0)})
        found.setdefault("host", {})[case.name] = host
        failed = f"not measured: {host.get('failed')}"
        pace = f"{host['steps_per_second']:14,.0f} steps/s" if "steps_per_second" in host else failed
        print(f"  {'1 seed, the CPU path':28s} {pace}", flush=True)
        save(found, file)
        if jax and case.name == "CartPole PPO":
            for seeds in counts:
                other = found.setdefault("jax", {})[str(seeds)] = attempt(with_jax, case, seeds, device)
                print(line(f"{seeds} seed{'s' * (seeds > 1)}, JAX", other), flush=True)
                save(found, file)
    for copies in (4096, 16384) if real else (16,):
        found.setdefault("steps", {})[str(copies)] = attempt(step_by_step, copies, device, 0.5 if real else 0.0)
        print(table(copies, device, found["steps"][str(copies)]), flush=True)
        save(found, file)
    if real:
        print("\nTargets\n" + "\n".join(targets(found)))
    else:
        print("\nTargets: not measured, there is no GPU in this")
    print(f"\nall in {time.perf_counter() - began:.0f} s")
    return found


def step_by_step(copies: int, device: str, seconds: float) -> dict[str, Any]:
    """Measure environment, inference and update on the device and on the CPU path."""
    case = CASES[0]._replace(settings=CARTPOLE | {"n_envs": copies, "n_steps": 8, "batch_size": copies, "n_epochs": 1})
    here, there = pieces(case, device, seconds), host_pieces(case, seconds)
    return {name: {"gpu": here[name], "cpu": there[name]} for name in here}


WORK = {
    "environment": "the program's kernel; on the CPU path `venv.step`, a compiled call with Gymnasium's checks and infos",
    "inference": "actions; the program's also values and log-probabilities, which the CPU path has in its update",
    "update": "advantages of a rollout of 8 steps, and an epoch; the CPU path's also values and log-probabilities",
}


def table(copies: int, device: str, found: dict[str, Any]) -> str:
    """Return the pieces in words, with what differs between the two sides."""
    head = f"\nCartPole PPO, {copies:,} copies: ms on {device} as a program, and of the CPU path"
    if "failed" in found:
        return f"{head}\n  not measured: {found['failed']}"
    lines = [
        f"  {name:12s} {1e3 * x['gpu']:10.4f} {1e3 * x['cpu']:10.4f}  {x['cpu'] / x['gpu']:8.1f} times as fast  ({WORK[name]})"
        for name, x in found.items()
    ]
    return "\n".join([head, *lines])


if __name__ == "__main__":
    main()
