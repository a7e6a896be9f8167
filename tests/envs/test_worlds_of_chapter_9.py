"""The worlds of chapter 9: their dynamics, and the numbers that the book prints of them."""

import numpy as np
import pytest

from rlcourse.core import exact, exact_linear
from rlcourse.envs import ThousandStates, four_states, square_wave
from rlcourse.features import Aggregation

WALK, RANDOM = ThousandStates(), np.full((1002, 2), 0.5)


def test_the_walk_of_1000_states_does_what_its_table_does():
    table = WALK.model()
    for seed, (n, longest) in enumerate([(1000, 100), (7, 3), (10, 20)]):
        world = ThousandStates(n, longest)
        table = world.model()
        ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
        for state in np.random.default_rng(9).integers(0, n + 2, 300):
            for action in (0, 1):
                assert world.step(int(state), action, ours) == table.step(int(state), action, theirs)
        assert world.reset(ours) == table.reset(theirs) == (n - 1) // 2


def test_the_walk_of_1000_states_has_the_values_and_visits_of_the_book():
    v, eta = exact.v_pi(WALK, RANDOM, 1.0)[:1000], exact_linear.visits(WALK, RANDOM)
    book = {1: -0.9220, 100: -0.7542, 500: -0.0009, 501: 0.0009, 900: 0.752, 1000: 0.922}
    for state, value in book.items():
        assert v[state - 1] == pytest.approx(value, abs=6e-4)
    np.testing.assert_allclose(v, -v[::-1], atol=1e-12)
    assert eta.sum() == pytest.approx(83.15, abs=0.005)
    D = exact_linear.mu(WALK, RANDOM)
    for state, share in {1: 0.000147, 100: 0.000463, 400: 0.00157, 499: 0.00173, 500: 0.01369, 1000: 0.000147}.items():
        assert D[state - 1] == pytest.approx(share, rel=0.005)
    assert D[1000:].sum() == 0.0
    assert np.sqrt(np.mean(v**2)) == pytest.approx(0.5435, abs=5e-5)
    assert np.sqrt(exact_linear.norm(v, D[:1000])) == pytest.approx(0.4054, abs=5e-5)


@pytest.mark.parametrize(("groups", "best", "td"), [(5, 0.1049, 0.2335), (10, 0.0544, None), (20, 0.0273, 0.0482)])
def test_groups_of_states_have_the_floors_of_the_reference(groups, best, td):
    v, D = exact.v_pi(WALK, RANDOM, 1.0), exact_linear.mu(WALK, RANDOM)
    X = np.zeros((1002, groups))
    X[np.arange(1000), np.arange(1000) * groups // 1000] = 1.0
    monte_carlo, fixed = exact_linear.best_weights(v, X, D), exact_linear.td_fixed_point(WALK, RANDOM, X, 1.0)
    assert np.sqrt(exact_linear.value_error(X @ monte_carlo, v, D)) == pytest.approx(best, abs=6e-5)
    if td is not None:
        assert np.sqrt(exact_linear.value_error(X @ fixed, v, D)) == pytest.approx(td, abs=6e-5)
    np.testing.assert_allclose(exact_linear.td_fixed_point(WALK, RANDOM, X, 1.0, lam=1.0), monte_carlo, atol=1e-9)


def test_the_limits_of_10_and_20_groups_are_those_of_the_reference():
    v, D = exact.v_pi(WALK, RANDOM, 1.0), exact_linear.mu(WALK, RANDOM)
    ten, twenty = (Aggregation.of(1000, n) for n in (10, 20))
    lower = [-0.8301, -0.6516, -0.4661, -0.2791, -0.0867]
    upper = [0.0928, 0.2791, 0.4661, 0.6516, 0.8301]  # not antisymmetric: the start state belongs to the fifth group
    np.testing.assert_allclose(exact_linear.best_weights(v, ten, D), lower + upper, atol=6e-5)
    half = [0.1410, 0.2350, 0.3291, 0.4233, 0.5174, 0.6114, 0.7048, 0.7993, 0.8840]
    best = [-value for value in half[::-1]] + [-0.0413, 0.0469] + half
    np.testing.assert_allclose(exact_linear.best_weights(v, twenty, D), best, atol=6e-5)
    below = [-0.8534, -0.7543, -0.6508, -0.5531, -0.4573, -0.3637, -0.2717, -0.1810, -0.0922, -0.0009]
    above = [0.0783, 0.1610, 0.2435, 0.3272, 0.4122, 0.4987, 0.5871, 0.6774, 0.7730, 0.8646]
    np.testing.assert_allclose(exact_linear.td_fixed_point(WALK, RANDOM, twenty, 1.0), below + above, atol=6e-5)


def test_the_optimal_walker_goes_right():
    assert np.all(exact.q_star(WALK, 1.0)[:900, 1] == pytest.approx(1.0))


def test_an_episode_of_the_square_wave_is_one_example():
    wave = square_wave()
    rng = np.random.default_rng(3)
    points = np.array([wave.reset(rng) for _ in range(4000)])
    assert set(points) == set(range(200))
    v = exact.v_pi(wave, np.ones((201, 1)), 1.0)
    assert v.sum() == 81.0
    np.testing.assert_array_equal(np.flatnonzero(v), np.arange(59, 140))
    assert wave.step(70, 0, rng) == (200, 1.0, True, False)
    with pytest.raises(ValueError, match="width"):
        square_wave(10, 11)


def test_the_four_states_are_worth_4_3_2_1():
    np.testing.assert_allclose(exact.v_pi(four_states(), np.ones((5, 1)), 1.0), [4, 3, 2, 1, 0])
