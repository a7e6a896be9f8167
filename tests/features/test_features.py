"""Features as data: numbers that can be computed by hand, both speeds, and what is refused."""

import itertools
import math

import gymnasium as gym
import numpy as np
import pytest
from kinds import HIGH, KINDS, LOW, POINTS, states

from rlcourse.agents import SemiGradientSarsa, SemiGradientTD0
from rlcourse.core.box import Box
from rlcourse.core.linear import add, v_hat
from rlcourse.features import (
    Aggregation,
    Bias,
    CoarseCoding,
    Dense,
    Fourier,
    OneHot,
    Polynomial,
    RadialBasis,
    TableFeatures,
    Tiles,
    Vector,
    grid,
    stack,
)
from rlcourse.features.parts import copied, described, rebuilt


def of(features, state):
    """Return features of a state; the function of the box below."""
    return features.x(state)


OF = Box(of)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_features_are_the_same_compiled_and_interpreted_of_tuples_and_of_arrays(kind):
    features = KINDS[kind]
    for state in states(50):
        slow, fast = features.x(state), OF.compiled(features, tuple(state.tolist()))
        assert slow.dtype == fast.dtype
        np.testing.assert_array_equal(slow, fast)
        np.testing.assert_array_equal(fast, OF.compiled(features, state))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_features_have_the_size_that_they_say(kind):
    features = KINDS[kind]
    for x in (features.x(state) for state in states(500)):
        if x.dtype == np.float64:
            assert x.shape == (features.size,)
        else:
            assert x.dtype == np.int64
            assert x.ndim == 1
            assert -1 <= x.min() <= x.max() < features.size


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_features_are_taken_apart_and_put_together_again(kind):
    features = KINDS[kind]
    again = rebuilt(*described(features), known=None)
    assert type(again) is type(features)
    for state in states(20):
        np.testing.assert_array_equal(features.x(state), again.x(state))
        np.testing.assert_array_equal(features.x(state), copied(features).x(state))


def test_aggregation_puts_a_thousand_states_into_ten_groups_of_a_hundred():
    features = Aggregation.of(1000, 10)
    groups = np.array([features.x(s)[0] for s in range(1002)])
    np.testing.assert_array_equal(groups[:1000], np.arange(1000) // 100)
    assert set(groups[1000:]) == {9}  # terminal states, which are never updated
    assert features.size == 10


def test_groups_of_a_box_count_the_last_coordinate_fastest():
    features = Aggregation.box(LOW, HIGH, (4, 3))
    assert features.x((-1.0, 0.0))[0] == 0
    assert features.x((-1.0, 1.5))[0] == 1
    assert features.x((0.99, 2.99))[0] == features.x((5.0, 9.0))[0] == 11


def test_polynomials_are_products_of_powers_of_scaled_coordinates():
    features = Polynomial.of(LOW, HIGH, 2)
    s, t = 0.75, 1 / 3  # of the state (0.5, 1)
    np.testing.assert_allclose(features.x((0.5, 1.0)), [s**a * t**b for a, b in itertools.product(range(3), repeat=2)])
    np.testing.assert_allclose(Polynomial.of(LOW, HIGH, exponents=[(1, 3)]).x((0.5, 1.0)), [s * t**3])


def test_fourier_features_are_cosines_of_half_waves():
    features = Fourier.of(LOW, HIGH, 2)
    assert features.size == 9
    s, t = 0.75, 1 / 3
    expected = [math.cos(math.pi * (a * s + b * t)) for a, b in itertools.product(range(3), repeat=2)]
    np.testing.assert_allclose(features.x((0.5, 1.0)), expected)
    np.testing.assert_array_equal(Fourier.of([0], [1], 5).x((0.0,)), np.ones(6))
    np.testing.assert_allclose(Fourier.of([0], [1], 5).x((1.0,)), [1, -1, 1, -1, 1, -1])


def test_a_fourier_basis_is_orthogonal():
    features = Fourier.of([0], [1], 6)
    middle = (np.arange(1000) + 0.5) / 1000
    X = np.array([features.x((s,)) for s in middle])
    np.testing.assert_allclose(X.T @ X / 1000, np.diag([1, *[0.5] * 6]), atol=1e-12)


def test_scaled_fourier_features_are_step_sizes_of_konidaris():
    plain, scaled = Fourier.of(LOW, HIGH, 3), Fourier.of(LOW, HIGH, 3, scaled=True)
    norms = np.linalg.norm(plain.c, axis=1)
    alphas = 0.1 / np.where(norms == 0, 1, norms)
    w, v = np.zeros(plain.size), np.zeros(plain.size)
    for state, target in zip(states(300), np.random.default_rng(1).normal(size=300), strict=True):
        x = plain.x(state)
        w += alphas * (target - w @ x) * x
        add(v, 0.1 * (target - v_hat(scaled.x(state), v)), scaled.x(state))
    for state in states(20, seed=2):
        assert v_hat(scaled.x(state), v) == pytest.approx(w @ plain.x(state), abs=1e-12)


def test_coarse_coding_finds_the_fields_that_hold_a_state():
    features = CoarseCoding.of(POINTS, (0.6, 1.1))
    for state in states(200):
        inside = np.flatnonzero((((state - POINTS) / (0.6, 1.1)) ** 2).sum(axis=1) <= 1)
        x = features.x(state)
        np.testing.assert_array_equal(x[x >= 0], inside)
    intervals = CoarseCoding.of([0.0, 1.0, 2.0], 1.0)
    assert intervals.most == 3  # at 1 all three meet
    np.testing.assert_array_equal(intervals.x((1.0,)), [0, 1, 2])
    np.testing.assert_array_equal(intervals.x((9.0,)), [-1, -1, -1])


@pytest.mark.parametrize("k", [1, 2, 3])
def test_no_state_has_more_fields_than_coarse_coding_has_room_for(k):
    rng = np.random.default_rng(k)
    for n in (1, 5, 60):
        features = CoarseCoding.of(rng.random((n, k)), 0.3)
        for state in [*features.centres, *rng.random((300, k))]:
            x = features.x(state)  # an IndexError would say that there was no room
            assert np.count_nonzero(x >= 0) == np.count_nonzero(np.linalg.norm(features.centres - state, axis=1) <= 0.3)


def test_radial_features_are_gaussian_and_normalised_ones_sum_to_one_everywhere():
    centres = grid([0.0], [10.0], 11)
    x = RadialBasis.of(centres, 2.0).x((3.0,))
    np.testing.assert_allclose(x, np.exp(-((np.arange(11) - 3.0) ** 2) / 8))
    for state in (3.2, -5.0, 1e6):
        x = RadialBasis.of(centres, 0.1, normalised=True).x((state,))
        assert x.sum() == pytest.approx(1)
        assert x.argmax() == np.abs(np.arange(11) - state).argmin()


def test_dense_features_are_the_vector_of_the_indices():
    tiles = KINDS["tiles"]
    for state in states(50):
        expected = np.zeros(tiles.size)
        expected[tiles.x(state)] = 1
        np.testing.assert_array_equal(Dense.of(tiles).x(state), expected)
    rows = TableFeatures.of([[[0, 2], [1, -1]]])
    np.testing.assert_array_equal(Dense.of(rows).x(0), [[1, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(OF.compiled(Dense.of(rows), 0), [[1, 0, 1], [0, 1, 0]])


def test_stacked_features_follow_one_another():
    tiles, coarse, fourier = KINDS["tiles"], KINDS["coarse"], KINDS["fourier"]
    both, mixed = stack(tiles, coarse), stack(Bias(), tiles, fourier)
    assert both.size == tiles.size + coarse.size
    assert mixed.coordinates == 2
    for state in states(20):
        np.testing.assert_array_equal(Dense.of(both).x(state), np.r_[Dense.of(tiles).x(state), Dense.of(coarse).x(state)])
        np.testing.assert_array_equal(mixed.x(state), np.r_[1, Dense.of(tiles).x(state), fourier.x(state)])


def test_stacked_features_of_pairs_are_too():
    both = stack(TableFeatures.of([[[0], [1]]]), TableFeatures.of([[[-1], [0]]]))
    np.testing.assert_array_equal(both.x(0), [[0, -1], [1, 2]])
    np.testing.assert_array_equal(OF.compiled(both, 0), [[0, -1], [1, 2]])


def test_points_of_a_grid_hold_the_corners():
    assert POINTS.shape == (20, 2)
    assert POINTS[0].tolist() == LOW
    assert POINTS[-1].tolist() == HIGH
    assert grid([0.0], [4.0], 1).tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Aggregation.of(5, 6), "groups must be between 1 and the number of states, 5"),
        (lambda: Aggregation.box([0], [math.inf], 3), "low and high must be finite"),
        (lambda: Aggregation.box([0], [1], 2.5), "groups must be a whole number"),
        (lambda: Polynomial.of([0], [1], -1), "order must be a whole number"),
        (lambda: Polynomial.of([0, 0], [1, 1], exponents=[(1,)]), r"exponents must have shape \[d, 2\]"),
        (lambda: Fourier.of([0], [0], 3), "low < high"),
        (lambda: Fourier.of([0], [1], -2), "order must be a whole number"),
        (lambda: Fourier.of([0], [1], c=[(1, 2)]), r"c must have shape \[d, 1\]"),
        (lambda: CoarseCoding.of([[np.nan]], 1), "centres must be finite"),
        (lambda: CoarseCoding.of([0.0, 1.0], 0.0), "radius must be positive"),
        (lambda: RadialBasis.of([0.0], -1), "sigma must be positive"),
        (lambda: RadialBasis.of(np.zeros((2, 2, 2)), 1), "centres must have shape"),
        (lambda: stack(Vector(2), Vector(3)), "must read the same state, and these read 2 and 3 numbers"),
        (lambda: stack(), "features must be one or more"),
        (lambda: grid([0], [1], 0), "counts must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(made, message):
    with pytest.raises(ValueError, match=message):
        made()


@pytest.mark.parametrize(
    ("env", "features", "message"),
    [
        ("FrozenLake-v1", Tiles.of([0, 0], [1, 1]), r"Tiles take 2 numbers of a state, not the 1 of Discrete\(16\)"),
        ("MountainCar-v0", Tiles.of([0], [1]), "Tiles take 1 numbers of a state, not the 2 of Box"),
        ("MountainCar-v0", OneHot(5), "OneHot take 1 numbers of a state"),
        ("CartPole-v1", Vector(3), "Vector take 3 numbers of a state, not the 4"),
    ],
)
def test_an_agent_refuses_features_of_other_states(env, features, message):
    with pytest.raises(ValueError, match=message):
        SemiGradientSarsa(env, features=features)


def test_features_of_the_number_of_a_state_are_welcome():
    agent = SemiGradientTD0("FrozenLake-v1", features=stack(Bias(), Aggregation.of(16, 4), Fourier.of([0], [15], 3)), seed=0)
    assert agent.learn(500).w.shape == (9,)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_agent_learns_over_features_of_each_kind_and_its_file_holds_them(kind, tmp_path):
    features = KINDS[kind]
    env = gym.make("MountainCar-v0")
    if features.size > 1:
        features = features if not hasattr(features, "high") else features._replace(low=np.array([-1.2, -0.07]), high=np.array([0.6, 0.07]))
    agent = SemiGradientSarsa(env, features=features, alpha=0.01, seed=1).learn(episodes=1)
    loaded = SemiGradientSarsa.load(agent.save(tmp_path / "agent.safetensors"), env=env)
    assert type(loaded.features) is type(features)
    np.testing.assert_array_equal(loaded.w, agent.w)
    np.testing.assert_array_equal(loaded.action_values((-0.5, 0.0)), agent.action_values((-0.5, 0.0)))
