"""The Dyna mazes: their distances, how they change, and how they look."""

import copy

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import DynaQ
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.core import exact
from rlcourse.core.evaluation import evaluate
from rlcourse.core.mdp import MDP
from rlcourse.core.trial import Trial
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import blocking_maze, dyna_maze, shortcut_maze

SIZES = [47, 94, 188, 376, 752, 1504, 3008, 6016]  # Example 8.4; its axis says 186


def distance(model: MDP) -> int:
    """Breadth-first search: the number of moves from the start to the goal."""
    start = int(np.argmax(np.diff(model.start, prepend=0.0)))
    seen, edge, moves = {start}, [start], 0
    while edge:
        moves += 1
        reached = {(int(model.successor[s, a, 0]), bool(model.terminal[s, a, 0])) for s in edge for a in range(4)}
        if any(terminal for _, terminal in reached):
            return moves
        edge = [s for s, _ in reached if s not in seen]
        seen |= set(edge)
    raise AssertionError("the goal cannot be reached")


def free_cells(model: MDP) -> int:
    """Goals and the cells that are entered from another one."""
    cells = np.arange(len(model.successor))
    after = model.successor[:, :, 0]
    goals = np.flatnonzero(model.terminal[:, 0, 0] & (after[:, 0] == cells))
    return len(set(after[after != cells[:, None]].tolist()) | set(goals.tolist()))


def test_the_maze_of_example_8_1_has_47_states_and_an_optimum_of_14_steps():
    maze = dyna_maze()
    assert free_cells(maze) == 47
    assert distance(maze) == 14
    assert exact.v_star(maze, 0.95)[18] == pytest.approx(0.95**13, abs=1e-12)


def test_a_random_walk_takes_868_7_steps_to_the_goal():
    maze = dyna_maze()
    steps = maze._replace(reward=np.where(np.arange(54)[:, None, None] == 8, 0.0, -1.0) * np.ones_like(maze.reward))
    assert -exact.v_pi(steps, np.full((54, 4), 0.25), 1.0)[18] == pytest.approx(868.7, abs=0.05)


@pytest.mark.parametrize("halvings", range(8))
def test_each_halving_doubles_the_states_and_keeps_the_layout(halvings):
    maze = dyna_maze(halvings)
    assert free_cells(maze) == SIZES[halvings]
    assert distance(maze) == [14, 21, 25, 40, 49, 79, 97, 157][halvings]
    high, wide = 2 ** (halvings // 2), 2 ** ((halvings + 1) // 2)
    assert len(maze.successor) == 6 * high * 9 * wide
    blocked = (maze.successor[:, 3, 0] == np.arange(len(maze.successor))).reshape(6 * high, 9 * wide)
    assert blocked[2 * high, 3 * wide], "a wall to the left"
    assert not blocked[2 * high, 3 * wide + 1] or wide == 1


@pytest.mark.parametrize(("make", "before", "after"), [(blocking_maze, 10, 16), (shortcut_maze, 16, 10)])
def test_the_walls_change_when_the_clock_says_so_over_episodes(make, before, after):
    maze, rng = make(when=5), np.random.default_rng(0)
    old = maze.model().successor[:, :, 0]
    assert distance(maze.model()) == before
    state = maze.reset(rng)
    for t in range(5):
        assert maze.clock[0] == t
        state = maze.step(state, 0, rng)[0]
        state = maze.reset(rng)
    assert distance(maze.model()) == after
    changed = np.argwhere(maze.model().successor[:, :, 0] != old)
    s, a = changed[0]
    assert maze.step(int(s), int(a), rng)[0] == maze.model().successor[s, a, 0] != old[s, a]
    assert maze.step(int(old[17, 0]), 0, rng) == (8, 1.0, True, False), "the cell below the goal"


def test_the_book_s_mazes_change_after_1000_and_3000_steps():
    assert (blocking_maze().when, shortcut_maze().when) == (1000, 3000)
    with pytest.raises(ValueError, match="when must be"):
        blocking_maze(-1)
    with pytest.raises(ValueError, match="halvings must be"):
        dyna_maze(11)


def test_the_path_under_a_new_wall_can_be_left():
    maze = blocking_maze(when=0)
    under = 3 * 9 + 8  # free before, a wall after
    assert {maze.step(under, a, None)[0] for a in range(4)} == {2 * 9 + 8, 4 * 9 + 8, under}


def test_a_changing_maze_is_the_same_compiled_and_interpreted():
    slow, fast = (
        (Trial.of(maze, steps=4000), np.zeros((54, 4)), np.random.default_rng(2)) for maze in (shortcut_maze(500), shortcut_maze(500))
    )
    q_learning.python(slow[0], slow[1], 0.5, 0.95, 0.1, slow[2])
    q_learning.compiled(fast[0], fast[1], 0.5, 0.95, 0.1, fast[2])
    assert np.array_equal(slow[1], fast[1])
    assert slow[0].world.clock[0] == fast[0].world.clock[0] == 4000


def test_an_agent_saves_the_clock_of_its_maze(tmp_path):
    whole = DynaQ(blocking_maze(when=150), seed=1).learn(episodes=12)
    half = DynaQ(blocking_maze(when=150), seed=1).learn(episodes=6)
    resumed = DynaQ.load(half.save(tmp_path / "dyna.safetensors"), env=blocking_maze(when=150)).learn(episodes=6)
    assert whole.world.clock[0] == resumed.world.clock[0] == whole.num_timesteps > 150
    assert np.array_equal(whole.Q, resumed.Q)
    assert np.array_equal(whole.history.rows, resumed.history.rows)


def test_evaluating_in_the_environment_of_a_learner_does_not_move_its_clock():
    alone, watched = (DynaQ(gym.make("rlcourse/BlockingMaze-v0", when=150), seed=1) for _ in range(2))
    alone.learn(episodes=6)
    watched.learn(episodes=3)
    evaluate(watched, watched.env, 3)
    watched.learn(episodes=3)
    assert np.array_equal(alone.Q, watched.Q)


def test_a_seed_turns_the_clock_back_and_a_reset_without_does_not():
    env = gym.make("rlcourse/BlockingMaze-v0", when=2)
    world = env.unwrapped.world
    env.reset(seed=0)
    env.step(3)
    env.step(3)
    env.reset()
    assert (world.clock[0], distance(world.model())) == (2, 16)
    env.reset(seed=0)
    assert (world.clock[0], distance(world.model())) == (0, 10)


def test_copies_share_a_clock_that_counts_the_steps_of_all():
    envs = gym.make_vec("rlcourse/BlockingMaze-v0", num_envs=4, vector_kwargs={}, when=10)
    assert isinstance(envs.unwrapped, WorldVectorEnv)
    envs.reset(seed=0)
    before = distance(envs.unwrapped.world.model())
    for _ in range(9):
        envs.step(np.full(4, 3))
    saved = copy.deepcopy(envs.unwrapped.state_dict())
    assert distance(envs.unwrapped.world.model()) == before == 10
    envs.step(np.full(4, 3))
    assert distance(envs.unwrapped.world.model()) == 16
    envs.unwrapped.load_state_dict(saved)
    assert envs.unwrapped.world.clock[0] == 36


def test_the_picture_and_the_text_show_the_walls_of_the_moment():
    env = gym.make("rlcourse/BlockingMaze-v0", render_mode="ansi", when=1)
    env.reset(seed=0)
    before = env.render().splitlines()
    env.step(3)
    after = env.render().splitlines()
    assert before[0].endswith("G")
    assert (before[3], after[3]) == ("# # # # # # # # .", ". # # # # # # # #")
    assert after[5] == ". . A S . . . . ."
    env = gym.make("rlcourse/DynaMaze-v0", render_mode="ansi", halvings=2)
    env.reset(seed=0)
    lines = env.render().split("\n")
    assert (len(lines), lines[0].count("G"), lines[1].count("G")) == (13, 2, 2)
    assert "".join(lines).count("#") == 7 * 4


def test_a_fine_maze_fits_on_a_screen():
    env = gym.make("rlcourse/DynaMaze-v0", render_mode="rgb_array", halvings=7)
    env.reset(seed=0)
    assert env.render().shape == (288, 864, 3)
