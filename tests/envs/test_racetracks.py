"""The racetracks of Figure 5.5: their outlines, how a car moves, and their exact model."""

import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.core.gymworld import model_of
from rlcourse.envs import racetrack
from rlcourse.envs.racetracks import COAST, CRASH, FINISH, TRACKS, Racetrack, make_env

LITTLE = ("..G", "..#", "SS#")


def state_of(world: Racetrack, *place: int) -> int:
    """Return the number of (column, row, vx, vy)."""
    return int(np.flatnonzero((world.places == place).all(axis=1))[0])


@pytest.mark.parametrize(
    ("name", "shape", "starts", "finish", "states", "unlimited"),
    [("left", (32, 17), 6, 6, 2360, 2893), ("right", (30, 32), 23, 9, 7793, 10715)],
)
def test_both_tracks_are_those_of_the_figure(name, shape, starts, finish, states, unlimited):
    world = racetrack(name)
    assert world.track.shape == shape
    assert len(world.starts) == (world.track[0] == 2).sum() == starts
    assert (world.track[:, -1] == 3).sum() == (world.track == 3).sum() == finish
    assert len(world.successor) == world.observation_space.n == states
    assert len(racetrack(name, max_velocity=None).successor) == unlimited


def test_components_of_the_velocity_are_0_to_4_and_both_0_on_the_starting_line_only():
    for name in TRACKS:
        x, y, vx, vy = racetrack(name).places.T
        assert set(vx) == set(vy) == {0, 1, 2, 3, 4}
        assert np.all(y[(vx == 0) & (vy == 0)] == 0)
        assert np.all(racetrack(name).track[y, x] > 0)


def test_without_a_limit_and_backwards_the_car_may_stop_anywhere():
    world = racetrack(max_velocity=None, backwards=True)
    _, y, vx, vy = world.places.T
    assert vx.min() == -5
    assert vy.max() == 7
    assert np.any(y[(vx == 0) & (vy == 0)] > 0)


def test_a_car_accelerates_finishes_and_crashes():
    world = racetrack(LITTLE, noise=0.0)
    rng = np.random.default_rng(0)
    start = state_of(world, 1, 0, 0, 0)
    up = state_of(world, 1, 1, 0, 1)
    assert world.step(start, 3 * 1 + 2, rng) == (up, -1.0, False, False)
    assert world.step(start, COAST, rng) == (start, -1.0, False, False), "it may wait on the line"
    assert world.step(up, 3 * 2 + 1, rng) == (up, -1.0, True, False), "(1, 1) leads to the finish"
    s, reward, terminated, truncated = world.step(up, 3 * 2 + 0, rng)  # (1, 0): off to the right
    assert (reward, terminated, truncated) == (-1.0, False, False)
    assert s in world.starts
    assert world.successor[up, 3 * 1 + 0] == state_of(world, 1, 2, 0, 1), "what would stop the car leaves its velocity as it was"


def test_what_the_path_meets_first_counts():
    world = racetrack(("S.G#",), max_velocity=3, noise=0.0)
    s = state_of(world, 1, 0, 1, 0)
    assert world.successor[s, 3 * 2 + 1] == FINISH, "also where the car would come to rest beyond the line"
    world = racetrack(("...G", "#...", "S.#."), max_velocity=3, noise=0.0)
    s = state_of(world, 1, 0, 1, 0)
    assert world.successor[s, 3 * 2 + 1] == CRASH, "a gap is not jumped over"


def test_one_action_in_ten_has_no_effect():
    world, rng = racetrack(), np.random.default_rng(0)
    start = int(world.starts[2])
    stayed = np.mean([world.step(start, 5, rng)[0] == start for _ in range(20_000)])
    assert stayed == pytest.approx(0.1, abs=0.007)  # three standard errors


@pytest.mark.parametrize("options", [{}, {"noise": 0.0}, {"max_velocity": 2, "backwards": True}])
def test_the_model_is_what_the_steps_do(options):
    world = racetrack(LITTLE, **options)
    model, rng = world.model(), np.random.default_rng(1)
    V = rng.normal(size=len(world.successor))
    backup = world.action_values(V, 0.9)
    for s in range(len(V)):
        for a in range(9):
            assert world.expected(s, a, V, 0.9) == pytest.approx(model.expected(s, a, V, 0.9), abs=1e-12)
            assert backup[s, a] == pytest.approx(model.expected(s, a, V, 0.9), abs=1e-12)
    for s, a in [(0, 5), (3, 8), (len(V) - 1, 7)]:
        ends = [world.step(s, a, rng) for _ in range(4000)]
        sampled = np.mean([0.0 if over else V[s_next] for s_next, _, over, _ in ends])
        assert sampled == pytest.approx(model.expected(s, a, V, 1.0) + 1.0, abs=3 * V.std() / 60)
    assert np.array_equal(np.flatnonzero(np.diff(model.start, prepend=0.0)), world.starts)


def test_the_optimum_of_the_left_track_by_two_ways():
    world = racetrack()
    V = np.zeros(len(world.successor))
    for _ in range(300):
        V = world.action_values(V).max(axis=1)
    v_star = exact.v_star(model_of(make_env()), 1.0)
    np.testing.assert_allclose(V, v_star, atol=1e-9)
    assert -20 < v_star[world.starts].mean() < -8


@pytest.mark.parametrize("wrong", [{"track": "middle"}, {"track": ("..", "S")}, {"track": ("x.S",)}, {"noise": 1.0}, {"max_velocity": 0}])
def test_what_is_no_track_is_refused(wrong):
    with pytest.raises(ValueError, match=r"track must be|noise must be"):
        racetrack(**wrong)


def test_the_picture_shows_car_path_values_and_arrows():
    env = make_env(render_mode="rgb_array", track="right")
    world = env.world
    env.reset(seed=0)
    draw, V = env._picture, -np.arange(len(world.successor), dtype=float)
    plain = draw(world, 0)
    assert draw(world, 0, values=V).shape[0] > plain.shape[0]
    moving = int(np.flatnonzero(world.places[:, 3] == 3)[0])
    for other in (draw(world, None), draw(world, moving), draw(world, 0, path=[0, moving]), draw(world, 0, arrows=np.full(len(V), 5))):
        assert not np.array_equal(other, plain)
    assert make_env(render_mode="ansi")._text(racetrack(), 0).endswith("###ASSSSS########\nvelocity (0, 0)\n")
