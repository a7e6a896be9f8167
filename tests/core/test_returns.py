"""Returns and advantages against their definitions."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.buffers import RolloutBuffer

from rlcourse.core.returns import discounted_returns, gae, importance_ratios, lambda_returns, n_step_returns


@st.composite
def experience(draw):
    T, N = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    terminated = rng.random((T, N)) < draw(st.floats(0, 0.5))
    ended = terminated | (rng.random((T, N)) < draw(st.floats(0, 0.5)))
    return rng.normal(size=(T, N)), rng.normal(size=(T, N)), rng.normal(size=(T, N)), terminated, ended


def slow_n_step(r, v_next, terminated, ended, gamma, t, n):
    """The sum of Eq. 7.1, written out for one copy."""
    total = 0.0
    for k in range(t, min(t + n, len(r))):
        total += gamma ** (k - t) * r[k]
        if ended[k] or k == min(t + n, len(r)) - 1:
            return total + (0.0 if terminated[k] else gamma ** (k - t + 1) * v_next[k])
    raise AssertionError


def columns(data):
    return zip(*(part.T for part in data), strict=True)


@settings(deadline=None, max_examples=60)
@given(experience(), st.floats(0, 1), st.integers(1, 6))
def test_n_step_and_discounted_returns_are_the_written_out_sums(data, gamma, n):
    r, _, v_next, terminated, ended = data
    short = n_step_returns(r, v_next, terminated, ended, gamma, n)
    full = discounted_returns(r, v_next, terminated, ended, gamma)
    for i, (ri, vi, ti, ei) in enumerate(columns((r, v_next, terminated, ended))):
        for t in range(len(ri)):
            assert short[t, i] == pytest.approx(slow_n_step(ri, vi, ti, ei, gamma, t, n), abs=1e-9)
            assert full[t, i] == pytest.approx(slow_n_step(ri, vi, ti, ei, gamma, t, len(ri)), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(experience(), st.floats(0, 1), st.floats(0, 0.99))
def test_the_lambda_return_is_the_mixture_of_n_step_returns(data, gamma, lam):
    r, _, v_next, terminated, ended = data
    fast = lambda_returns(r, v_next, terminated, ended, gamma, lam)
    for i, (ri, vi, ti, ei) in enumerate(columns((r, v_next, terminated, ended))):
        for t in range(len(ri)):
            last = next((k for k in range(t, len(ri)) if ei[k]), len(ri) - 1)  # Eq. 12.3: what lies beyond the end has all the rest
            parts = [slow_n_step(ri, vi, ti, ei, gamma, t, n) for n in range(1, last - t + 2)]
            weights = [(1 - lam) * lam**n for n in range(len(parts) - 1)] + [lam ** (len(parts) - 1)]
            assert fast[t, i] == pytest.approx(float(np.dot(weights, parts)), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(experience(), st.floats(0, 1), st.floats(0, 1))
def test_the_identities_of_gae_hold(data, gamma, lam):
    r, v, v_next, terminated, ended = data
    one_step = r + gamma * np.where(terminated, 0.0, v_next) - v
    np.testing.assert_allclose(gae(r, v, v_next, terminated, ended, gamma, 0.0), one_step, atol=1e-9)
    np.testing.assert_allclose(n_step_returns(r, v_next, terminated, ended, gamma, 1) - v, one_step, atol=1e-9)
    # where values are those of the states met, GAE is the lambda-return minus the value
    v_next = np.where(ended, v_next, np.concatenate([v[1:], v_next[-1:]]))
    advantage = gae(r, v, v_next, terminated, ended, gamma, lam)
    np.testing.assert_allclose(advantage, lambda_returns(r, v_next, terminated, ended, gamma, lam) - v, atol=1e-9)
    full = discounted_returns(r, v_next, terminated, ended, gamma)
    np.testing.assert_allclose(gae(r, v, v_next, terminated, ended, gamma, 1.0), full - v, atol=1e-9)


def test_nothing_flows_back_over_an_episodes_end():
    ends = np.ones((2, 1), bool)
    for terminated in (np.ones((2, 1), bool), np.zeros((2, 1), bool)):
        advantage = gae(np.array([[0.0], [100.0]]), np.zeros((2, 1)), np.zeros((2, 1)), terminated, ends, 0.99, 0.95)
        assert advantage.ravel().tolist() == [0.0, 100.0]


def test_an_end_in_the_middle_does_not_pay_the_next_episodes_value():
    values = np.array([[5.0], [5.0], [100.0], [100.0]])
    ended = np.array([[False], [True], [False], [False]])
    following = np.array([[5.0], [0.0], [100.0], [100.0]])
    advantage = gae(np.ones((4, 1)), values, following, ended, ended, 1.0, 1.0)
    assert advantage[:2].ravel().tolist() == [-3.0, -4.0]


def test_terminated_and_truncated_at_once_does_not_bootstrap():
    one = np.ones((1, 1), bool)
    assert gae(np.ones((1, 1)), np.zeros((1, 1)), np.full((1, 1), 7.0), one, one, 0.9, 0.9)[0, 0] == 1.0
    assert gae(np.ones((1, 1)), np.zeros((1, 1)), np.full((1, 1), 7.0), ~one, one, 0.9, 0.9)[0, 0] == pytest.approx(7.3)


def test_gae_is_stable_baselines3s_where_both_are_defined():
    T, N, rng = 16, 4, np.random.default_rng(0)
    buffer = RolloutBuffer(T, spaces.Box(-1, 1, (1,)), spaces.Discrete(2), gae_lambda=0.9, gamma=0.97, n_envs=N)
    rewards, values = rng.normal(size=(T, N)).astype(np.float32), rng.normal(size=(T + 1, N)).astype(np.float32)
    starts = rng.random((T + 1, N)) < 0.2
    for t in range(T):
        zero = np.zeros((N, 1), np.float32)
        buffer.add(zero, zero, rewards[t], starts[t], torch.as_tensor(values[t]), torch.zeros(N))
    buffer.compute_returns_and_advantage(torch.as_tensor(values[T]), starts[T])
    ours = gae(rewards, values[:T], values[1:], starts[1:], starts[1:], 0.97, 0.9)
    np.testing.assert_allclose(ours, buffer.advantages, atol=1e-5)


def test_importance_ratios_have_mean_one_and_need_coverage():
    b, pi = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.9, 0.0])
    assert (b * importance_ratios(pi, b)).sum() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="behaviour"):
        importance_ratios([0.5], [0.0])
