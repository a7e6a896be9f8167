"""SmallBreakout: what always holds, each rule by hand, and how it looks."""

import gymnasium as gym
import numpy as np
import pytest
from pixel_worlds import two_speeds_agree

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import SmallBreakout

GAME = SmallBreakout(sticky=0.0)
FULL = float((1 << 30) - 1)


def state(ball, down, side, paddle, bricks=FULL, last=1):
    """A state with the ball where it would be after a step of this direction."""
    row, column = ball
    return float(row), float(column), float(down), float(side), float(row - down), float(column - side), float(paddle), bricks, float(last)


def random_steps(game, n=20_000):
    """Transitions of a random player who sees better than most: half of the moves follow the ball."""
    rng = np.random.default_rng(0)
    now = game.reset(rng)
    for _ in range(n):
        action = int(3 * rng.random()) if rng.random() < 0.5 else int(np.sign(now[1] - now[6])) + 1
        after, reward, over, cut = game.step(now, action, rng)
        yield now, action, after, reward, over, cut
        now = game.reset(rng) if over else after


def test_what_always_holds():
    broken = refilled = missed = 0
    for before, _, after, reward, over, cut in random_steps(SmallBreakout()):
        mirrored = after[1] == before[1] == (0 if after[3] == 1 else 9)
        assert abs(after[0] - before[0]) == 1, "the ball always moves"
        assert mirrored or abs(after[1] - before[1]) == 1, "along a diagonal, except at a side wall"
        assert after[4:6] == before[:2], "the trail is its last place"
        assert abs(after[6] - before[6]) <= 1
        seen = GAME.observe(after)
        assert GAME.observation_space.contains(seen)
        assert seen[:, :, :3].sum(axis=(0, 1)).tolist() == [1, 1, 1]
        assert seen[int(after[0]), int(after[1]), 3] == 0, "no ball is inside a brick"
        left, gone = int(before[7]), int(before[7]) & ~int(after[7])
        refilled += left == 0 and after[7] == FULL
        broken += reward == 1.0
        assert reward == gone.bit_count() in (0, 1), "a brick vanishes for a reward of 1"
        assert int(after[7]) & ~left == 0 or left == 0, "bricks appear only where none is left"
        assert over == (after[0] == 9), "an episode ends where the ball is below, and only there"
        assert not cut
        missed += over
    assert broken > 1000
    assert missed > 100


def test_a_ball_begins_below_the_bricks_in_any_column():
    rng = np.random.default_rng(0)
    starts = {GAME.reset(rng) for _ in range(500)}
    assert len(starts) == 20, "each column, to either side"
    for start in starts:
        assert start[0] == 5
        assert start[6] in (4, 5)
        assert start[7] == FULL


@pytest.mark.parametrize(
    ("before", "action", "ball", "direction", "reward", "over"),
    [
        (state((6, 4), 1, 1, 5), 1, (7, 5), (1, 1), 0, False),  # through the air
        (state((6, 9), 1, 1, 5), 1, (7, 9), (1, -1), 0, False),  # off the right wall
        (state((6, 0), 1, -1, 5), 1, (7, 0), (1, 1), 0, False),  # off the left wall
        (state((0, 4), -1, 1, 5), 1, (1, 5), (-1, 1), 1, False),  # off the top, and into a brick
        (state((4, 4), -1, 1, 5), 1, (3, 5), (1, 1), 1, False),  # a brick turns it
        (state((8, 4), 1, 1, 4), 1, (7, 5), (-1, 1), 0, False),  # from above: on to the same side
        (state((8, 4), 1, 1, 5), 1, (7, 3), (-1, -1), 0, False),  # ahead: back
        (state((8, 4), 1, 1, 5), 0, (7, 5), (-1, 1), 0, False),  # the paddle moves first
        (state((8, 4), 1, 1, 3), 1, (9, 5), (1, 1), 0, True),  # missed
        (state((8, 0), 1, -1, 0), 1, (7, 0), (-1, 1), 0, False),  # off wall and paddle at once
        (state((8, 0), 1, 1, 1), 1, (7, 0), (-1, 1), 0, False),  # ahead: back, but there is the wall
        (state((8, 0), 1, -1, 1), 1, (9, 0), (1, 1), 0, True),  # the wall comes first: missed
        (state((8, 4), 1, 1, 6), 2, (9, 5), (1, 1), 0, True),
    ],
)
def test_each_rule(before, action, ball, direction, reward, over):
    after, got, ended, _ = GAME.step(before, action, None)
    assert after[:2] == ball
    assert after[2:4] == direction
    assert (got, ended) == (reward, over)


def test_new_bricks_appear_when_the_ball_leaves_the_paddle():
    last_brick = float(1 << (2 * 10 + 5))
    after, reward, *_ = GAME.step(state((4, 4), -1, 1, 5, last_brick), 1, None)
    assert (reward, after[7]) == (1.0, 0.0)
    assert GAME.step(state((7, 4), 1, 1, 4, 0.0), 1, None)[0][7] == 0
    assert GAME.step(state((8, 4), 1, 1, 4, 0.0), 1, None)[0][7] == FULL


def test_every_brick_can_be_broken_and_more_come():
    envs = WorldVectorEnv(GAME, 200)
    envs.reset(seed=0)
    total, rng = np.zeros(200), np.random.default_rng(0)
    for _ in range(5000):
        wanted = envs.states[:, 1] + envs.states[:, 3] * (rng.random(200) < 0.3)  # now and then with the near side
        _, rewards, *_ = envs.step((np.sign(wanted - envs.states[:, 6]) + 1).astype(int))
        total += rewards
    assert total.mean() > 60


def test_a_sticky_action_is_the_one_before_in_a_tenth_of_the_steps():
    envs = WorldVectorEnv(SmallBreakout(), 20_000)
    envs.reset(seed=0)
    before = envs.states[:, 6].copy()
    envs.step(np.zeros(20_000, int))
    stayed = (envs.states[:, 6] == before).mean()
    assert stayed == pytest.approx(0.1, abs=0.01), "nothing was done before: the paddle stays"
    envs.step(np.full(20_000, 2))
    assert (envs.states[:, 8] != 2).mean() == pytest.approx(0.1, abs=0.01)


def test_one_who_sees_where_the_ball_will_land_never_misses_without_sticky_actions():
    envs = WorldVectorEnv(GAME, 200)
    envs.reset(seed=0)
    for _ in range(2000):
        row, column, down, side, *_, paddle = envs.states[:, :7].T
        lands = np.where(down > 0, column + side * (8 - row), column)  # beyond a side wall: mirrored
        lands = np.where(lands < 0, -1 - lands, np.where(lands > 9, 19 - lands, lands))
        _, _, over, *_ = envs.step((np.sign(lands - paddle) + 1).astype(int))
        assert not over.any()


@pytest.mark.parametrize("sticky", [0.0, 0.1])
def test_both_speeds_agree_to_the_bit_on_the_board(sticky):
    assert two_speeds_agree(SmallBreakout(sticky))


def test_the_layers_are_paddle_ball_trail_and_bricks():
    seen = GAME.observe(state((6, 4), 1, 1, 7, float(1 << 13)))
    assert np.argwhere(seen).tolist() == [[2, 3, 3], [5, 3, 2], [6, 4, 1], [9, 7, 0]]


def test_its_text_is_the_board_of_bricks():
    env = gym.make("rlcourse/SmallBreakout-v0", render_mode="ansi")
    env.reset(seed=0, options={"state": state((6, 4), 1, 1, 5)})
    lines = env.render().splitlines()
    assert lines[0] == lines[4] == " ".join("." * 10)
    assert lines[1] == lines[3] == " ".join("#" * 10)
    assert (lines[5], lines[6], lines[9]) == (". . . ' . . . . . .", ". . . . o . . . . .", ". . . . . = . . . .")


def test_a_probability_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"^sticky must be a probability"):
        gym.make("rlcourse/SmallBreakout-v0", sticky=1.5)
