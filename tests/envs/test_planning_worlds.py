"""The worlds of chapters 3 and 4: their tables, by the book's own words, and the samples of their models."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.core.gymworld import model_of
from rlcourse.core.mdp import MDP
from rlcourse.envs import (
    CarRental,
    gamblers_problem,
    golf_hole,
    grid_world,
    left_or_right,
    recycling_robot,
    robot_room,
    small_gridworld,
)
from rlcourse.envs.car_rental import poisson
from rlcourse.envs.gambler import legal_stakes
from rlcourse.envs.golf import COLUMNS, DRIVER, HOLE, PUTTER, TEE, golf_course
from rlcourse.envs.room import robot_room_values
from rlcourse.envs.small_grid import CELLS

UP, RIGHT, DOWN, LEFT = range(4)


def step(world, state, action, seed=0):
    return world.step(state, action, np.random.default_rng(seed))[:3]


def uniform(world):
    S, A = world.successor.shape[:2]
    return np.full((S, A), 1.0 / A)


def test_the_gridworld_of_example_3_5_has_two_special_states_and_walls():
    world = grid_world()
    assert all(step(world, 1, a) == (21, 10.0, False) and step(world, 3, a) == (13, 5.0, False) for a in range(4))
    assert step(world, 0, UP) == (0, -1.0, False)
    assert step(world, 0, LEFT) == (0, -1.0, False)
    assert step(world, 4, RIGHT) == (4, -1.0, False)
    assert step(world, 22, DOWN) == (22, -1.0, False)
    assert step(world, 0, RIGHT) == (1, 0.0, False)
    assert not world.terminal.any()


def test_the_small_gridworld_has_the_books_states():
    world = small_gridworld()
    assert step(world, 1, LEFT) == (0, -1.0, True)
    assert step(world, 14, RIGHT) == (0, -1.0, True)
    assert step(world, 11, DOWN) == (0, -1.0, True)
    assert step(world, 7, DOWN) == (11, -1.0, False)
    assert step(world, 3, UP) == (3, -1.0, False)
    assert len(CELLS) == 16
    V = exact.v_pi(world, uniform(world), 1.0)
    np.testing.assert_allclose(V, [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14], atol=1e-9)


def test_the_new_state_of_exercise_4_2_has_the_same_value_in_both_parts():
    for changed in (False, True):
        world = small_gridworld(new_state=True, changed=changed)
        assert [step(world, 15, a)[0] for a in range(4)] == [13, 14, 15, 12]
        assert step(world, 13, DOWN)[0] == (15 if changed else 13)
        assert exact.v_pi(world, uniform(world), 1.0)[15] == pytest.approx(-20.0)
    with pytest.raises(ValueError, match="new_state"):
        small_gridworld(changed=True)


def test_the_robot_has_the_table_of_example_3_3():
    world = recycling_robot(alpha=0.7, beta=0.2, r_search=3.0, r_wait=0.5)
    outcomes = {
        (s, a): sorted(
            (round(p, 12), int(n), float(r)) for p, n, r in zip(*(part[s, a] for part in world[1:2] + world[3:5]), strict=True) if p
        )
        for s in range(2)
        for a in range(3)
    }
    assert outcomes == {
        (0, 0): [(0.3, 1, 3.0), (0.7, 0, 3.0)],
        (0, 1): [(1.0, 0, 0.5)],
        (0, 2): [(1.0, 0, 0.0)],
        (1, 0): [(0.2, 1, 3.0), (0.8, 0, -3.0)],
        (1, 1): [(1.0, 1, 0.5)],
        (1, 2): [(1.0, 0, 0.0)],
    }
    for wrong in ({"alpha": 1.5}, {"beta": -0.1}, {"r_wait": -1.0}):
        with pytest.raises(ValueError, match="must be"):
            recycling_robot(**wrong)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_the_room_has_the_values_26_minus_distance(n):
    np.testing.assert_allclose(exact.v_star(robot_room(n), 1.0), robot_room_values(n), atol=1e-12)
    assert robot_room_values(n)[n * (n - 1)] == 26 - 2 * (n - 1)


def test_left_or_right_has_the_closed_forms_of_exercise_3_22():
    for gamma in (0.0, 0.5, 0.9):
        left, right = (exact.v_pi(left_or_right(), np.array([a, 0, 0]), gamma)[0] for a in (0, 1))
        assert left == pytest.approx(1 / (1 - gamma**2))
        assert right == pytest.approx(2 * gamma / (1 - gamma**2))


def test_a_stake_is_won_or_lost_and_clipped_where_it_is_too_large():
    world = gamblers_problem(0.4)
    assert {step(world, 30, 20, seed)[:2] for seed in range(20)} == {(50, 0.0), (10, 0.0)}
    assert {step(world, 75, 50, seed) for seed in range(20)} == {(100, 1.0, True), (50, 0.0, False)}
    assert {step(world, 3, 50, seed) for seed in range(20)} == {(6, 0.0, False), (0, 0.0, True)}
    assert step(world, 100, 7) == (100, 0.0, True)
    assert legal_stakes().sum() == sum(min(s, 100 - s) for s in range(101))
    np.testing.assert_allclose(exact.v_star(world, 1.0)[[25, 50, 75]], [0.16, 0.4, 0.64], atol=1e-9)
    assert exact.v_star(gamblers_problem(0.3, goal=5), 1.0).shape == (6,)
    for wrong in ({"p_h": 2.0}, {"goal": 1}):
        with pytest.raises(ValueError, match="must be"):
            gamblers_problem(**wrong)


def test_golf_is_two_drives_and_a_putt():
    world, (green, sand) = golf_hole(), golf_course()
    tee = COLUMNS * TEE[0] + TEE[1]
    assert exact.v_star(world, 1.0)[tee] == pytest.approx(-3.0)
    for cell in np.flatnonzero(green):
        assert step(world, cell, PUTTER)[1:] == ((-1.0, True) if cell != COLUMNS * HOLE[0] + HOLE[1] else (0.0, True))
    for cell in np.flatnonzero(sand):
        assert step(world, cell, PUTTER) == (cell, -1.0, False)
        assert step(world, cell, DRIVER)[0] != cell
    assert not (green & sand).any()


def test_a_poisson_number_has_the_right_distribution_and_always_ends():
    rng = np.random.default_rng(0)
    drawn = np.array([poisson(3.0, rng) for _ in range(20_000)])
    assert drawn.mean() == pytest.approx(3.0, abs=0.05)
    assert drawn.var() == pytest.approx(3.0, abs=0.15)

    class Largest:
        def random(self):
            return 1.0 - 2.0**-53

    assert 15 < poisson(3.0, Largest()) < 1000


def test_the_model_of_the_car_rental_is_what_its_days_do_on_average():
    world, rng = CarRental(), np.random.default_rng(1)
    model = world.model()
    for state, action in ((21 * 10 + 10, 5), (21 * 20 + 0, 10), (21 * 1 + 20, 0), (22, 7)):
        days = np.array([world.step(state, action, rng)[:2] for _ in range(20_000)])
        reward = (model.probability[state, action] * model.reward[state, action]).sum()
        assert abs(days[:, 1].mean() - reward) <= 4 * days[:, 1].std() / np.sqrt(len(days))
        for location, cars in enumerate(np.divmod(days[:, 0].astype(int), 21)):
            exactly = np.divmod(np.arange(441), 21)[location] @ model.probability[state, action]
            assert abs(cars.mean() - exactly) < 4 * cars.std() / np.sqrt(len(days))
        evening = np.bincount(days[:, 0].astype(int), weights=days[:, 1], minlength=441)
        common = int(np.argmax(model.probability[state, action]))  # the reward on the way to the commonest next state
        times = (days[:, 0] == common).sum()
        assert evening[common] / times == pytest.approx(model.reward[state, action, common], abs=60 / np.sqrt(times))


def test_the_model_is_exact_where_it_can_be_summed_by_hand():
    model = CarRental().model()
    q = np.exp(-3.0)
    stays_empty = np.exp(-3.0) * np.exp(-2.0)  # no car at all: none comes back at either location
    assert model.probability[0, 5, 0] == pytest.approx(stays_empty, rel=1e-12)
    assert model.reward[0, 5, 0] == 0.0
    one = 1.0 - q  # one car at the first location is rented unless nobody comes
    assert (model.probability[21, 5] * model.reward[21, 5]).sum() == pytest.approx(10 * one, rel=1e-12)
    assert np.abs(model.probability.sum(axis=2) - 1.0).max() < 1e-12


def test_too_many_cars_to_move_are_clipped_and_cost_what_is_moved():
    world = CarRental()
    state = 21 * 2 + 1
    assert [world.cars_moved(state, a) for a in range(11)] == [-1, -1, -1, -1, -1, 0, 1, 2, 2, 2, 2]
    assert world.overnight(state, 10) == (0, 3, 4.0)
    assert world.overnight(21 * 18 + 20, 10) == (13, 20, 10.0)
    modified = CarRental.modified()
    assert modified.overnight(state, 10) == (0, 3, 2.0)
    assert modified.overnight(state, 5) == (2, 1, 0.0)
    assert modified.overnight(state, 0) == (3, 0, 2.0), "only the first location sends a car free of charge"
    assert modified.overnight(21 * 11 + 11, 5)[2] == 8.0
    assert modified.overnight(21 * 10 + 10, 5)[2] == 0.0, "more than ten, not ten"


def test_planners_get_the_model_of_the_car_rental_by_its_id():
    assert isinstance(model_of(gym.make("rlcourse/CarRental-v0")), MDP)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"probability": np.full((2, 1, 1), 0.5)}, "sum to 1"),
        ({"successor": np.full((2, 1, 1), 2)}, "successors must be states"),
        ({"reward": np.full((2, 1, 1), np.nan)}, "finite"),
        ({"terminal": np.zeros((2, 1, 2), bool)}, "one shape"),
        ({"start": np.ones(2)}, "start must be"),
    ],
)
def test_arrays_that_are_no_model_are_refused(change, sentence):
    arrays = {"probability": np.ones((2, 1, 1)), "successor": np.zeros((2, 1, 1), int), "reward": np.zeros((2, 1, 1))}
    arrays |= {"terminal": np.ones((2, 1, 1), bool), "start": 0}
    assert isinstance(MDP.from_arrays(**arrays), MDP)
    with pytest.raises(ValueError, match=sentence):
        MDP.from_arrays(**arrays | change)


def test_a_board_shows_values_arrows_and_paths():
    env = gym.make("rlcourse/RobotRoom-v0", render_mode="rgb_array").unwrapped
    draw, V = env._picture, robot_room_values()
    plain = draw(None, 7)
    assert not np.array_equal(draw(None, 7, values=V), plain)
    assert not np.array_equal(draw(None, 7, path=[7, 8, 9, 4]), plain)
    greedy, ties = np.full(25, RIGHT), np.zeros((25, 4), bool)
    ties[:, RIGHT] = True
    assert np.array_equal(draw(None, 7, arrows=greedy), draw(None, 7, arrows=ties))
    assert np.array_equal(draw(None, 7, arrows=np.full(25, -1)), plain)
    assert np.array_equal(draw(None, 7, values=np.full(25, np.nan)), plain)


def test_arrays_that_are_views_become_arrays_of_the_one_kind_that_boxes_are_compiled_for():
    ones = np.broadcast_to(1.0, (2, 1, 1))
    made = MDP.from_arrays(ones, np.zeros((2, 1, 1), np.int32), np.zeros((2, 1, 1), int), np.ones((2, 1, 1), int))
    assert [array.dtype.kind for array in made] == ["f", "f", "f", "i", "f", "b"]
    assert all(array.flags["C_CONTIGUOUS"] and array.flags["WRITEABLE"] for array in made)
