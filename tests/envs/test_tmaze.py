"""The T-maze: what can be had with a memory, and what without one."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.core.mdp import MDP
from rlcourse.envs import TMaze, t_maze

LENGTHS = pytest.mark.parametrize("length", [1, 2, 10, 30])


def in_sight(world):
    """Return the model of the maze with its states in sight, and what is observed in each of them."""
    states = [(sign, float(at)) for at in range(world.length + 3) for sign in (0.0, 1.0)]
    number = {state: s for s, state in enumerate(states)}
    table = {}
    for s, state in enumerate(states):
        ended = state[1] > world.length
        outcomes = [(state, 0.0, True, False) if ended else world.step(state, a, None) for a in range(3)]
        table[s] = {a: [(1.0, number[after], reward, terminated)] for a, (after, reward, terminated, _) in enumerate(outcomes)}
    return MDP.of(table, [0.5, 0.5] + [0.0] * (len(states) - 2)), np.array([world.observe(state) for state in states])


@LENGTHS
def test_who_remembers_the_sign_always_succeeds(length):
    model, _ = in_sight(t_maze(length))
    assert exact.v_star(model, 1.0)[:2].tolist() == [1.0, 1.0]
    assert exact.v_star(model, 0.9)[0] == pytest.approx(0.9**length), "the pay comes with step length + 1"


@LENGTHS
def test_who_does_not_succeeds_half_of_the_time_whatever_the_policy(length):
    model, seen = in_sight(t_maze(length))
    rng = np.random.default_rng(0)
    for _ in range(20):
        policy = rng.dirichlet(np.ones(3) * rng.choice([0.3, 1.0, 3.0]), 4).clip(1e-3)
        policy /= policy.sum(axis=1, keepdims=True)
        assert exact.exact_return(model, policy[seen]) == pytest.approx(0.5, abs=1e-9)


def test_who_does_not_and_stays_in_the_corridor_succeeds_less_often():
    model, seen = in_sight(t_maze(3))
    best = 0.0
    for policy in np.ndindex(3, 3, 3, 3):  # all that know their mind
        score = exact.exact_return(model, np.array(policy)[seen], 1 - 1e-9)
        best = max(best, score)
        assert any(score == pytest.approx(expected, abs=1e-6) for expected in (0.0, 0.5))
    assert best == pytest.approx(0.5, abs=1e-6)
    one_way = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 1], [0.5, 0.5, 0]])  # walks on from one of the signs only
    assert exact.exact_return(model, one_way[seen], 1 - 1e-9) == pytest.approx(0.25, abs=1e-6)


def test_an_observation_tells_the_sign_only_at_the_beginning():
    world = t_maze(3)
    assert [world.observe((0.0, at)) for at in range(4)] == [0, 2, 2, 3]
    assert [world.observe((1.0, at)) for at in range(4)] == [1, 2, 2, 3]


def test_walls_cost_a_step_and_the_right_arm_pays():
    world, rng = TMaze(2), np.random.default_rng(0)
    assert world.step((1.0, 0.0), 0, rng) == ((1.0, 0.0), 0.0, False, False)
    assert world.step((1.0, 1.0), 2, rng) == ((1.0, 2.0), 0.0, False, False)
    assert world.step((1.0, 2.0), 2, rng) == ((1.0, 2.0), 0.0, False, False)
    assert world.step((1.0, 2.0), 1, rng) == ((1.0, 4.0), 1.0, True, False)
    assert world.step((1.0, 2.0), 0, rng) == ((1.0, 3.0), 0.0, True, False)


def test_both_signs_are_as_likely_and_the_length_is_an_option():
    envs = gym.make_vec("rlcourse/TMaze-v0", num_envs=4000, length=4)
    assert envs.reset(seed=0)[0].mean() == pytest.approx(0.5, abs=0.03)
    assert gym.make("rlcourse/TMaze-v0", length=4).unwrapped.world == TMaze(10)._replace(length=4)
    with pytest.raises(ValueError, match="at least 1"):
        t_maze(0)


def test_its_text_shows_agent_arms_and_sign():
    env = gym.make("rlcourse/TMaze-v0", length=2, render_mode="ansi")
    env.reset(seed=0, options={"state": (1.0, 1.0)})
    assert env.render() == "    #\nv A .\n    G   the sign is down\n"
