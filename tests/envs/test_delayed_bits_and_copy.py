"""DelayedBits and DelayedCopy: what a memory of w observations is worth, by enumeration and by living in them."""

import itertools
import math

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import DelayedBits, DelayedCopy, bits_cross_entropy, bits_streams, delayed_copy


def entropy(p):
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


@pytest.mark.parametrize(("lags", "nats"), [((), 0.6616), ((3,), 0.5192), ((8,), 0.6277), ((3, 8), 0.4545), ((0, 5), 0.6616)])
def test_the_cross_entropies_are_those_of_the_exercise(lags, nats):
    assert bits_cross_entropy(lags) == pytest.approx(nats, abs=5e-5)


@pytest.mark.parametrize("window", range(13))
def test_a_memory_of_w_observations_is_worth_what_all_its_histories_say(window):
    world, expected = DelayedBits(), 0.0
    for seen in itertools.product((0, 1), repeat=min(window, 9)):  # X_t, X_{t-1}, ...
        rest = [sum(coin << lag for lag, coin in enumerate(seen + older)) for older in itertools.product((0, 1), repeat=9 - len(seen))]
        expected += entropy(np.mean([world.probability((float(history),)) for history in rest])) / 2 ** len(seen)
    assert bits_cross_entropy(range(window)) == pytest.approx(expected, abs=1e-12)


def test_the_reward_is_the_log_score_of_a_bit_that_falls_with_the_stated_probability():
    env = WorldVectorEnv(DelayedBits(), 20_000)
    env.reset(seed=0)
    histories = env.states[:, 0].astype(int)
    _, rewards, *_ = env.step(np.full((20_000, 1), 0.8, np.float32))
    assert set(np.round(rewards, 5)) == {round(math.log(np.float32(0.8)), 5), round(math.log(1 - np.float32(0.8)), 5)}
    for near, far in itertools.product((0, 1), repeat=2):
        mine = ((histories >> 3 & 1) == near) & ((histories >> 8 & 1) == far)
        assert (rewards[mine] > -1).mean() == pytest.approx(0.5 + near / 2 - far / 4, abs=0.03)


def test_the_best_forecasts_earn_minus_the_cross_entropy_of_what_has_been_seen():
    env, steps = WorldVectorEnv(DelayedBits(), 40_000), 10
    coin, _ = env.reset(seed=1)
    seen, scores = [coin.copy()], []
    for _ in range(steps):
        forecast = np.full(40_000, 0.625)
        forecast += (seen[-4] - 0.5) / 2 if len(seen) > 3 else 0.0
        forecast -= (seen[-9] - 0.5) / 4 if len(seen) > 8 else 0.0
        coin, rewards, *_ = env.step(forecast.astype(np.float32)[:, None])
        seen.append(coin.copy())
        scores.append(-rewards.mean())
    np.testing.assert_allclose(scores, [bits_cross_entropy(range(t + 1)) for t in range(steps)], atol=0.01)


@pytest.mark.parametrize("forecast", [-0.0, 1.0])
def test_a_certain_forecast_that_fails_costs_a_finite_amount(forecast):
    world, rng = DelayedBits(), np.random.default_rng(0)
    rewards = [world.step((0.0,), [forecast], rng)[1] for _ in range(50)]
    assert min(rewards) == pytest.approx(math.log(0.001))
    assert max(rewards) == pytest.approx(math.log(0.999))


def test_streams_are_those_of_the_world():
    coins, probabilities = bits_streams(50, 400, np.random.default_rng(0))
    np.testing.assert_array_equal(probabilities[8:], 0.5 + coins[5:-3] / 2 - coins[:-8] / 4)
    assert coins.mean() == pytest.approx(0.5, abs=0.02)
    assert np.mean([entropy(p) for p in probabilities[:3].flat]) == pytest.approx(bits_cross_entropy((3, 8)), abs=0.03), "stationary"


@pytest.mark.parametrize("lag", [1, 3, 8, 50])
def test_who_remembers_the_coin_is_always_right_and_other_coins_say_nothing(lag):
    env = WorldVectorEnv(DelayedCopy(lag), 500, max_episode_steps=lag + 30)
    coin, _ = env.reset(seed=0)
    seen = [coin.copy()]
    for t in range(lag + 29):
        named = seen[-1 - lag] if t >= lag else np.zeros(500, np.int64)
        coin, rewards, *_ = env.step(named)
        assert (rewards == (t >= lag)).all()
        seen.append(coin.copy())
    every = np.array(seen)  # [T, copies]
    assert all(np.corrcoef(every[lag:].ravel(), np.roll(every, lag - k, axis=0)[lag:].ravel())[0, 1] < 0.05 for k in range(lag)), (
        "independent"
    )


def test_text_shows_the_coins_that_have_been_seen():
    env = gym.make("rlcourse/DelayedCopy3-v0", render_mode="ansi")
    coins = [int(env.reset(seed=0)[0])]
    assert env.render() == f"[.] . . {coins[0]}\n"
    coins += [int(env.step(0)[0]) for _ in range(4)]
    assert env.render() == f"[{coins[1]}] {' '.join(map(str, coins[2:]))}\n"
    env = gym.make("rlcourse/DelayedBits-v0", render_mode="ansi")
    env.reset(options={"state": (0b000001000 + 0.0,)})
    assert env.render() == "0 0 0 0 0 1 0 0 0   P(Y = 1) = 1.00\n"


def test_a_lag_that_does_not_fit_is_refused():
    for lag in (0, 51):
        with pytest.raises(ValueError, match="lag must be a whole number from 1 to 50"):
            delayed_copy(lag)
    assert gym.make("rlcourse/DelayedCopy8-v0").unwrapped.world.lag == 8
