"""Tile coding, plain and hashed: the published convention of the tile coding software in plain Python is the oracle."""

import math

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import SemiGradientSarsa
from rlcourse.core.box import Box
from rlcourse.features import Dense, HashedPairTiles, HashedTiles, Stripes, Tiles
from rlcourse.features.parts import copied, reading


class Oracle:
    """Index hash table and tilings by a dictionary."""

    def __init__(self, size):
        self.size, self.known, self.overfull = size, {}, 0

    def number(self, tile):
        if tile not in self.known:
            if len(self.known) >= self.size:
                self.overfull += 1
                return None
            self.known[tile] = len(self.known)
        return self.known[tile]

    def tiles(self, tilings, floats, whole=(), widths=()):
        widths = list(widths) or [0] * len(floats)
        found = []
        for t in range(tilings):
            tile = [t]
            for i, (f, width) in enumerate(zip(floats, widths, strict=True)):
                c = (math.floor(f * tilings) + t * (1 + 2 * i)) // tilings
                tile.append(c % width if width else c)
            found.append(self.number((*tile, *whole)))
        return found


OF = Box(lambda features, state: features.x(state))


def test_hashed_tiles_are_those_of_the_published_convention_compiled_and_interpreted():
    scale = np.array([8 / 1.7, 8 / 0.14])
    oracle, slow, fast = Oracle(4096), HashedTiles.scaled(scale, 8, 4096), HashedTiles.scaled(scale, 8, 4096)
    for state in np.random.default_rng(0).uniform([-1.2, -0.07], [0.5, 0.07], (500, 2)):
        expected = oracle.tiles(8, (state[0] * scale[0], state[1] * scale[1]))
        assert slow.x(state).tolist() == expected
        assert OF.compiled(fast, tuple(state.tolist())).tolist() == expected
    assert slow.used == fast.used == len(oracle.known)
    np.testing.assert_array_equal(slow.keys, fast.keys)
    np.testing.assert_array_equal(slow.slots, fast.slots)


def test_the_action_is_one_more_whole_number_and_makes_a_row_for_each_action():
    oracle, features = Oracle(4096), HashedTiles.scaled([8 / 1.7, 8 / 0.14], 8, 4096, actions=3)
    compiled = copied(features)
    assert isinstance(features, HashedPairTiles)
    for state in np.random.default_rng(1).uniform([-1.2, -0.07], [0.5, 0.07], (200, 2)):
        scaled = state * features.tiles.scale
        expected = [oracle.tiles(8, scaled, (a,)) for a in range(3)]
        assert features.x(state).tolist() == expected
        assert OF.compiled(compiled, state).tolist() == expected


def test_wrapped_coordinates_and_whole_numbers_follow_the_convention_too():
    oracle, features = Oracle(10_000), HashedTiles.scaled([1.0, 2.0, 0.5], 16, 10_000, wrap=(0, 4, 7), whole=2)
    compiled = copied(features)
    assert features.coordinates == 5
    rng = np.random.default_rng(2)
    for _ in range(300):
        state = np.r_[rng.normal(size=3) * 5, rng.integers(-3, 3, 2)]
        expected = oracle.tiles(16, state[:3] * (1.0, 2.0, 0.5), tuple(state[3:].astype(int)), (0, 4, 7))
        assert features.x(state).tolist() == expected
        assert OF.compiled(compiled, state).tolist() == expected


def test_a_full_table_keeps_what_it_knows_shares_the_rest_and_counts():
    oracle, features = Oracle(50), HashedTiles.of([0, 0], [1, 1], 8, 8, 50)
    compiled, seen = copied(features), {}
    for state in np.random.default_rng(3).random((400, 2)):
        expected, x = oracle.tiles(8, state * 8), features.x(state)
        assert OF.compiled(compiled, state).tolist() == x.tolist()
        for number, found in zip(expected, x, strict=True):
            assert 0 <= found < 50
            assert number is None or number == found
        assert seen.setdefault(tuple(np.floor(state * 64)), x.tolist()) == x.tolist()
    assert features.used == 50
    assert features.collisions == compiled.collisions == oracle.overfull > 1000


def test_reading_enters_nothing():
    features = HashedTiles.of([0, 0], [1, 1], 8, 4, 400)
    read = reading(Dense.of(features)).features
    assert read.x((0.5, 0.5)).tolist() == [-1] * 4
    assert OF.compiled(read, (0.5, 0.5)).tolist() == [-1] * 4
    assert features.used == 0
    known = features.x((0.5, 0.5))
    assert read.x((0.5, 0.5)).tolist() == known.tolist() == [0, 1, 2, 3]
    small = HashedTiles.of([0], [1], 8, 1, 2)
    full = [small.x((s,))[0] for s in (0.1, 0.3, 0.6, 0.9)]
    assert [reading(small).x((s,))[0] for s in (0.1, 0.3, 0.6, 0.9)] == full
    assert small.collisions == 2


def test_a_state_has_a_tile_in_each_tiling_and_its_neighbours_share_some():
    tiles = Tiles.of([0, 0], [1, 1], 4, 8)
    here, near, far = (set(tiles.x(s).tolist()) for s in ((0.51, 0.51), (0.55, 0.55), (0.9, 0.1)))
    assert len(here) == 8
    assert 0 < len(here & near) < 8
    assert not here & far


def test_plain_and_hashed_tiles_divide_a_box_alike():
    low, high = [-1.2, -0.07], [0.5, 0.07]
    plain, hashed = Tiles.of(low, high, 8, 8), HashedTiles.of(low, high, 8, 8, 1000)
    states = np.random.default_rng(4).uniform(low, high, (400, 2))
    pairs = {(a, b) for s in states for a, b in zip(plain.x(s).tolist(), hashed.x(s).tolist(), strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_angles_wrap_around():
    tiles = Tiles.of([-math.pi, -1], [math.pi, 1], (6, 3), 4, wrap=(True, False))
    assert tiles.size == 4 * 6 * 4
    for angle in np.linspace(-3, 3, 40):
        for turn in (-2 * math.pi, 2 * math.pi, 4 * math.pi):
            np.testing.assert_array_equal(tiles.x((angle, 0.3)), tiles.x((angle + turn, 0.3)))
            np.testing.assert_array_equal(OF.compiled(tiles, (angle, 0.3)), tiles.x((angle + turn, 0.3)))
    active = {int(i) for a in np.linspace(-math.pi, math.pi, 100) for v in np.linspace(-1, 1, 60) for i in tiles.x((a, v))}
    assert active == set(range(tiles.size)) or len(active) > 0.95 * tiles.size
    just_below, just_above = tiles.x((math.pi - 1e-3, 0.0)), tiles.x((-math.pi + 1e-3, 0.0))
    assert np.count_nonzero(just_below == just_above) >= 2


def test_displacements_can_be_given():
    uniform = Tiles.of([0, 0], [1, 1], 8, 8, displacement=(1, 1))
    q = np.array([3, 5])  # tilings' fractions of a tile from the corner of tile (2, 2)
    state = (2 + (q + 0.5) / 8) / 8
    for t, index in enumerate(uniform.x(state)):
        column, row = 2 + (q[0] + t) // 8, 2 + (q[1] + t) // 8
        assert index == (t * 9 + column) * 9 + row


def test_stripes_count_the_cuts_below():
    stripes = Stripes.of([(1, 0), (1, 1)], [(0.2, 0.5), (0.4, 0.9, 1.6)])
    assert stripes.size == 7
    assert stripes.x((0.3, 0.3)).tolist() == [1, 4]
    assert stripes.x((0.9, 0.9)).tolist() == [2, 6]
    assert OF.compiled(stripes, (0.0, 0.0)).tolist() == [0, 3]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Tiles.of([0], [1], 0), "tiles must be at least 1"),
        (lambda: Tiles.of([0], [1], 4, 0), "tilings must be a whole number in"),
        (lambda: Tiles.of([0, 0], [1, 1], (1, 2, 3)), "tiles must be a whole number, or one for each of 2 coordinates"),
        (lambda: Tiles.of([0, 0], [1, 1], displacement=(1, 2, 3)), "displacement must be a whole number, or one for each of 2 coordinates"),
        (lambda: Tiles.of([0], [1], wrap=(True, False)), "wrap must be"),
        (lambda: HashedTiles.scaled([0.0]), "scale must be positive"),
        (lambda: HashedTiles.of([0], [1], size=0), "size must be a whole number from 1"),
        (lambda: HashedTiles.of([0], [1], actions=-1), "actions must be a whole number from 0"),
        (lambda: Stripes.of([(1, 0)], [(0.5, 0.2)]), "cuts must be in order"),
        (lambda: Stripes.of([(1, 0)], [(0.5,), (0.2,)]), "directions must have a row for each of the 2 cuts"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(made, message):
    with pytest.raises(ValueError, match=message):
        made()


def sarsa(**settings):
    features = HashedTiles.of([-1.2, -0.07], [0.5, 0.07], 8, 8, 4096, actions=3)
    return SemiGradientSarsa(gym.make("rlcourse/MountainCar-v0"), features=features, alpha=0.5 / 8, epsilon=0.0, **settings)


def test_hashed_features_of_an_agent_resume_exactly_and_predictions_leave_them_alone(tmp_path):
    whole, half = sarsa(seed=2).learn(episodes=4), sarsa(seed=2).learn(episodes=2)
    used = half.features.tiles.used
    assert used > 300
    half.predict(np.array([0.49, 0.069], np.float32))
    assert half.features.tiles.used == used
    loaded = SemiGradientSarsa.load(half.save(tmp_path / "a.safetensors"), env=gym.make("rlcourse/MountainCar-v0"))
    assert isinstance(loaded.features, HashedPairTiles)
    for agent in (half, loaded):
        agent.learn(episodes=2)
        np.testing.assert_array_equal(agent.w, whole.w)
        np.testing.assert_array_equal(agent.features.tiles.keys, whole.features.tiles.keys)


def test_agents_that_are_given_the_same_features_do_not_share_a_table():
    features = HashedTiles.of([-1.2, -0.07], [0.5, 0.07], 8, 8, 4096, actions=3)
    first = SemiGradientSarsa("MountainCar-v0", features=features, seed=0).learn(50)
    assert first.features.tiles.used > 0
    assert features.tiles.used == 0


def test_hashed_features_of_pairs_learn_what_plain_tiles_learn():
    """Without collisions both divide the same box; only ties and the order of sums may differ, so learning is compared by its returns."""
    plain = SemiGradientSarsa(
        gym.make("rlcourse/MountainCar-v0"), features=Tiles.of([-1.2, -0.07], [0.5, 0.07], 8, 8), alpha=0.5 / 8, epsilon=0.0, seed=2
    ).learn(episodes=100)
    hashed = sarsa(seed=2).learn(episodes=100)
    assert hashed.features.tiles.collisions == 0
    a, b = (np.asarray([row["return"] for row in agent.history])[50:].mean() for agent in (plain, hashed))
    assert -170 < a < -110
    assert -170 < b < -110
