"""The book's experiments at the sizes at which the most used Python repository runs them; seconds, warm and cold.

    python benchmarks/book_speed.py            # a table
    python benchmarks/book_speed.py --json

The repository is github.com/ShangtongZhang/reinforcement-learning-an-introduction. What its scripts run was read off them: numbers of
runs, episodes, steps and all settings; no line of code is shared. Its seconds are quoted: they were measured elsewhere, on a machine
with two cores, by running its scripts, and include drawing. Ours are the experiments on one thread in one process. "Warm" is once
everything is compiled, the median of three rounds: seconds by the clock, and of the processor, for which waiting for a busy machine
does not count. "Cold" is a new process with an empty cache, by the clock, imports and compiling included. Where theirs is not 100 times
the processor's seconds, the exit code is 1.

bandits   chapter 2, Figures 2.2 to 2.5: 11 methods on 2,000 problems of 1,000 pulls. (The script goes on with Figure 2.6, but stops there
          with an error under any NumPy from 1.24 on, so that its seconds are of this part.)
cliff     Example 6.6: Sarsa and Q-learning, 50 runs of 500 episodes; Figure 6.3, which the repository calls 6.6: Sarsa, Expected Sarsa
          and Q-learning, 10 step sizes, 10 runs of 1,000 episodes.
walk      Figure 7.2: n = 1, 2, ... 512, 11 step sizes, 100 runs of 10 episodes.
mazes     Figure 8.2: 3 numbers of planning steps, 10 runs of 50 episodes; Figures 8.4 and 8.5: Dyna-Q and Dyna-Q+, 20 runs of 3,000 steps
          with n = 10, and 5 of 6,000 with n = 50; Example 8.4: prioritized sweeping and Dyna-Q in 5 mazes of 54 to 1,350 cells, 5 runs
          until the greedy path is at most 1.2 times the shortest, looked at after every episode.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from box_speed import machine

from rlcourse.agents.planning.dyna_q import dyna_q
from rlcourse.agents.planning.learned_model import LearnedModel, Predecessors
from rlcourse.agents.planning.prioritized_sweeping import prioritized_sweeping
from rlcourse.agents.planning.queue import PriorityQueue
from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.core.mdp import MDP
from rlcourse.core.runs import Runs
from rlcourse.core.trial import Trial
from rlcourse.envs import blocking_maze, cliff_walk, dyna_maze, shortcut_maze
from rlcourse.figures import mazes, testbed
from rlcourse.figures.ch07.figure_7_2 import BOOK, errors
from rlcourse.figures.experiment import Lab

THEIRS = {"bandits": 328.0, "cliff": 356.0, "walk": 243.0, "mazes": 446.0}  # seconds, quoted
ROUNDS, NEEDED = 3, 100.0
MAZE = (".......#.", "..#....#.", "..#....#.", "..#......", ".....#...", ".........")  # start (2, 0), goal (0, 8)
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))


def bandits(lab: Lab, runs: int = 2000) -> int:
    """Run the methods of Figures 2.2 to 2.5; return the pulls."""
    around_0 = [testbed.epsilon_greedy(epsilon) for epsilon in (0.0, 0.1, 0.01)]  # Figure 2.2
    around_0 += [testbed.epsilon_greedy(0.0, 0.1, 5.0), testbed.epsilon_greedy(0.1, 0.1)]  # 2.3
    around_0 += [testbed.ucb(2.0), testbed.epsilon_greedy(0.1)]  # 2.4
    around_4 = [testbed.gradient(alpha, baseline) for alpha in (0.1, 0.4) for baseline in (True, False)]  # 2.5
    testbed.compare(lab, around_0, runs, 1000)
    testbed.compare(lab, around_4, runs, 1000, mean=4.0)
    return (len(around_0) + len(around_4)) * runs * 1000


def cliff(lab: Lab, share: float = 1.0) -> int:
    """Run Example 6.6 and Figure 6.3; return the steps."""
    world, taken = cliff_walk(), 0

    def live(box, alpha: float, runs: int, episodes: int) -> int:
        trial = Runs.of(world, runs, episodes, [np.zeros((48, 4))])
        box(trial, *trial.tables((48, 4)), alpha, 1.0, 0.1, lab.rng(0))
        return int(trial.lengths().sum())

    for box in (sarsa, q_learning):
        taken += live(box, 0.5, 50, round(500 * share))
    for box in (sarsa, expected_sarsa, q_learning):
        taken += sum(live(box, alpha, 10, round(1000 * share)) for alpha in np.arange(1, 11) / 10)
    return taken


def walk(lab: Lab, runs: int = 100) -> int:
    """Run Figure 7.2; return the expected number of steps, 100 an episode."""
    alphas = np.arange(11) / 10
    errors(list(BOOK), alphas, runs, 10, lab)
    return len(BOOK) * len(alphas) * runs * 10 * 100


def maze_runs(lab: Lab, share: float = 1.0) -> int:
    """Run Figures 8.2, 8.4, 8.5 and Example 8.4; return the real steps."""
    world, taken, rng = dyna_maze(), 0, lab.rng(0)
    S, A = world.successor.shape[:2]
    for n in (0, 5, 50):
        for _ in range(10):
            trial = Trial.of(world, episodes=max(1, round(50 * share)))
            dyna_q(trial, LearnedModel.of(S, A), np.zeros((S, A)), 0.1, 0.95, 0.1, n, rng)
            taken += int(trial.take_rows()[-1, 3])
    for make, steps, runs, n, kappa in ((blocking_maze, 3000, 20, 10, 1e-4), (shortcut_maze, 6000, 5, 50, 1e-3)):
        settings = SimpleNamespace(alpha=1.0, gamma=0.95, epsilon=0.1, n=n, kappa=kappa)
        steps, runs = max(10, round(steps * share)), max(1, round(runs * share))
        for method in ("Dyna-Q", "Dyna-Q+"):
            mazes.cumulative(method, make, steps, settings, rng, runs)
            taken += steps * runs
    for factor in range(1, 6 if share == 1.0 else 2):
        taken += sum(until_good(method, factor, rng) for method in ("sweeping", "Dyna-Q") for _ in range(5 if share == 1.0 else 1))
    return taken


def until_good(method: str, factor: int, rng: np.random.Generator) -> int:
    """Learn in the maze whose cells are divided into factor x factor until its path is good enough; return the steps."""
    world = fine_maze(factor)
    S, A = world.successor.shape[:2]
    Q, model, predecessors, queue, taken = np.zeros((S, A)), LearnedModel.of(S, A), Predecessors.of(S, A), PriorityQueue.of(S * A), 0
    while not good_path(world, Q, 1.2 * 14 * factor):
        trial = Trial.of(world, episodes=1, capacity=1)
        if method == "Dyna-Q":
            dyna_q(trial, model, Q, 0.5, 0.95, 0.1, 5, rng)
        else:
            prioritized_sweeping(trial, model, predecessors, queue, Q, 0.5, 0.95, 0.1, 5, 1e-4, rng)
        taken += int(trial.take_rows()[-1, 3])
    return taken


def good_path(world: MDP, Q: np.ndarray, longest: float) -> bool:
    """Whether the greedy path, the first of equal actions taken, reaches a goal in time."""
    s, steps = int(np.argmax(world.start)), 0
    while steps < longest:
        a = int(np.argmax(Q[s]))
        steps += 1
        if world.terminal[s, a, 0]:
            return steps <= longest
        s = int(world.successor[s, a, 0])
    return False


def fine_maze(factor: int) -> MDP:
    """Make the maze of Example 8.1 with every cell divided into factor x factor; all pieces of the goal are goals."""
    rows = [[sign for sign in row for _ in range(factor)] for row in MAZE for _ in range(factor)]
    wall = np.array(rows) == "#"
    height, width = wall.shape
    y, x = np.divmod(np.arange(wall.size), width)
    goal = (y < factor) & (x >= 8 * factor)
    successor = np.empty((wall.size, 4, 1), np.int64)
    for a, (down, right) in enumerate(MOVES):
        y_, x_ = np.clip(y + down, 0, height - 1), np.clip(x + right, 0, width - 1)
        successor[:, a, 0] = np.where(wall[y_, x_], np.arange(wall.size), y_ * width + x_)
    over = goal[successor]
    return MDP.from_arrays(np.ones(over.shape), successor, over.astype(float), over, 2 * factor * width)


WORKLOADS = {"bandits": (bandits, 40), "cliff": (cliff, 0.01), "walk": (walk, 1), "mazes": (maze_runs, 0.02)}  # and a small size


def warm(name: str) -> dict[str, float]:
    """Measure in this process, after a small run that compiles."""
    function, small = WORKLOADS[name]
    function(Lab(workers=1), small)
    rounds, processor = [], []
    for _ in range(ROUNDS):
        before, used = time.perf_counter(), time.process_time()
        steps = function(Lab(workers=1))
        rounds.append(time.perf_counter() - before)
        processor.append(time.process_time() - used)
    return {"warm": statistics.median(rounds), "processor": statistics.median(processor), "steps": steps}


def cold(name: str) -> float:
    """Measure a new process with an empty cache, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        before = time.perf_counter()
        subprocess.run([sys.executable, __file__, "--once", name], check=True, env=os.environ | {"RLCOURSE_CACHE_DIR": folder})
        return time.perf_counter() - before


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--once", choices=sorted(WORKLOADS), help="run one workload and print nothing")
    arguments = parser.parse_args()
    if arguments.once:
        WORKLOADS[arguments.once][0](Lab(workers=1))
        return 0
    rows = [{"workload": name, "theirs": THEIRS[name], **warm(name), "cold": cold(name)} for name in WORKLOADS]
    if arguments.json:
        print(json.dumps({"rows": rows, "machine": machine()}, indent=1))
    else:
        print(f"{'seconds':9}{'theirs':>8}{'warm':>8}{'processor':>11}{'ratio':>7}{'cold':>8}{'ratio':>7}{'steps':>9}{'ns a step':>11}")
        for row in rows:
            warm_ratio, cold_ratio = row["theirs"] / row["processor"], row["theirs"] / row["cold"]
            print(
                f"{row['workload']:9}{row['theirs']:8.0f}{row['warm']:8.2f}{row['processor']:11.2f}{warm_ratio:7.0f}"
                f"{row['cold']:8.1f}{cold_ratio:7.0f}{row['steps'] / 1e6:8.1f}M{row['processor'] / row['steps'] * 1e9:11.0f}"
            )
        print("Theirs: quoted, measured elsewhere. Warm, processor: compiled, one thread, median of three rounds; the first ratio is")
        print("theirs to the processor's. Cold: a new process with an empty cache; the second ratio is theirs to it.")
        print(machine())
    return int(any(row["theirs"] < NEEDED * row["processor"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
