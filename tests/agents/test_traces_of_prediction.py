"""Prediction with eligibility traces: identities between the methods, and sums over whole episodes written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlcourse.agents.approximation.semi_gradient_td0 import semi_gradient_td0
from rlcourse.agents.monte_carlo.mc_prediction import mc_prediction
from rlcourse.agents.n_step.n_step_td import n_step_td
from rlcourse.agents.traces.htd_lambda import htd_lambda
from rlcourse.agents.traces.off_policy_td_lambda import off_policy_td_lambda
from rlcourse.agents.traces.offline_lambda_return import offline_lambda_return
from rlcourse.agents.traces.online_lambda_return import online_lambda_return
from rlcourse.agents.traces.td_lambda import td_lambda
from rlcourse.agents.traces.true_online_td_lambda import true_online_td_lambda
from rlcourse.agents.traces.truncated_td_lambda import truncated_td_lambda
from rlcourse.core.mdp import MDP
from rlcourse.core.recorder import Recorder
from rlcourse.core.trial import Trial
from rlcourse.features import OneHot, TableFeatures

STATES, D = 6, 4
SITUATIONS = {
    "seed": st.integers(0, 10**6),
    "kind": st.sampled_from(["dense", "sparse", "one-hot"]),
    "alpha": st.floats(0.01, 0.5),
    "gamma": st.floats(0.0, 1.0),
    "lam": st.floats(0.0, 1.0),
    "limit": st.integers(1, 12),  # short: most episodes of some of them are truncated
}
KINDS = ("dense", "sparse", "one-hot")


def a_world(rng) -> MDP:
    """A random world: two actions, two outcomes each, a fifth of which terminate."""
    p = rng.dirichlet(np.ones(2), (STATES, 2))
    successor, reward = rng.integers(0, STATES, p.shape), rng.normal(size=p.shape)
    return MDP.from_arrays(p, successor, reward, rng.random(p.shape) < 0.2, np.full(STATES, 1.0 / STATES))


def features(kind: str, rng):
    if kind == "one-hot":
        return OneHot(STATES)
    return TableFeatures.of(rng.normal(size=(STATES, D)) / 2 if kind == "dense" else np.sort(rng.integers(-1, D, (STATES, 2))))


class Situation:
    """A world, features, first weights and a policy from one seed; each box lives through the same episodes."""

    def __init__(self, kind="dense", seed=0, limit=12, world=None, episodes=3):
        rng = np.random.default_rng(seed)
        self.world, self.features = world or a_world(rng), features(kind, rng)
        self.w, self.policy = rng.normal(size=self.features.size), rng.dirichlet(np.ones(2), STATES)
        self.limit, self.seed, self.episodes = limit, seed, episodes

    def after(self, box, *arguments, policies=()):
        """Return the weights after the episodes."""
        w = self.w.copy()
        trial = Trial.of(self.world, episodes=self.episodes, limit=self.limit)
        box.python(trial, *(policies or (self.policy,)), self.features, w, *arguments, np.random.default_rng(self.seed))
        return w

    def episode(self):
        """Return (features [T + 1, d], rewards [T], terminated) of the first episode."""
        recorder = Recorder.of(self.world, self.limit)
        trial = Trial.of(recorder, episodes=1, limit=self.limit)
        semi_gradient_td0.python(trial, self.policy, self.features, self.w.copy(), 0.1, 1.0, np.random.default_rng(self.seed))
        rows = recorder.transitions()
        states = [*rows[:, 0].astype(int), int(rows[-1, 3])]
        return np.array([as_vector(self.features.x(s), len(self.w)) for s in states]), rows[:, 2], rows[-1, 4] == 1.0


def as_vector(x, d):
    if x.dtype.kind == "f":
        return x
    vector = np.zeros(d)
    np.add.at(vector, x[x >= 0], 1.0)
    return vector


def lambda_returns(X, R, terminated, w, gamma, lam):
    """Every lambda-return of an episode by its definition, a weighted sum of n-step returns (Eq. 12.3)."""
    T, V = len(R), X @ w
    V[T] = 0.0 if terminated else V[T]

    def n_step(t, n):
        return sum(gamma**i * R[t + i] for i in range(n)) + gamma**n * V[t + n]

    return [
        (1 - lam) * sum(lam ** (n - 1) * n_step(t, n) for n in range(1, T - t)) + lam ** (T - t - 1) * n_step(t, T - t) for t in range(T)
    ]


@given(**SITUATIONS)
@settings(max_examples=60, deadline=None)
def test_true_online_td_lambda_is_the_online_lambda_return_algorithm(seed, kind, alpha, gamma, lam, limit):
    situation = Situation(kind, seed, limit)
    ideal, fast = (situation.after(box, alpha, gamma, lam) for box in (online_lambda_return, true_online_td_lambda))
    np.testing.assert_allclose(fast, ideal, rtol=1e-12, atol=1e-12)


@given(**SITUATIONS)
@settings(max_examples=40, deadline=None)
def test_changes_of_offline_td_lambda_sum_to_those_of_the_lambda_returns(seed, kind, alpha, gamma, lam, limit):
    situation = Situation(kind, seed, limit, episodes=1)
    X, R, terminated = situation.episode()
    errors = np.array(lambda_returns(X, R, terminated, situation.w, gamma, lam)) - X[:-1] @ situation.w
    changed = situation.after(td_lambda, False, alpha, gamma, lam) - situation.w
    np.testing.assert_allclose(changed, alpha * errors @ X[:-1], rtol=1e-11, atol=1e-12)


@given(**SITUATIONS)
@settings(max_examples=40, deadline=None)
def test_the_offline_algorithm_makes_the_updates_of_its_equation(seed, kind, alpha, gamma, lam, limit):
    situation = Situation(kind, seed, limit, episodes=1)
    X, R, terminated = situation.episode()
    for current in (True, False):
        w, first = situation.w.copy(), situation.w.copy()
        for t in range(len(R)):
            G = lambda_returns(X, R, terminated, w if current else first, gamma, lam)[t]
            w += alpha * (G - w @ X[t]) * X[t]
        learned = situation.after(offline_lambda_return, current, alpha, gamma, lam)
        np.testing.assert_allclose(learned, w, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_lambda_0_is_td_0(kind):
    for seed, limit in ((1, 100), (2, 5), (3, 1)):
        situation = Situation(kind, seed, limit, episodes=20)
        expected = situation.after(semi_gradient_td0, 0.1, 0.9)
        for box, arguments in ((td_lambda, (True,)), (offline_lambda_return, (True,)), (truncated_td_lambda, (1,))):
            assert np.array_equal(situation.after(box, *arguments, 0.1, 0.9, 0.0), expected), f"{box} is TD(0) to the last bit"
        for box in (online_lambda_return, true_online_td_lambda):
            np.testing.assert_allclose(situation.after(box, 0.1, 0.9, 0.0), expected, rtol=1e-12, atol=1e-12)
        any_lambda = situation.after(truncated_td_lambda, 1, 0.1, 0.9, 0.7)
        np.testing.assert_allclose(any_lambda, expected, rtol=1e-12, err_msg="with n = 1 lambda does not matter")


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_td_lambda_beyond_the_episode_is_the_forward_view_at_its_end(kind):
    situation = Situation(kind, 4, 12, episodes=1)
    X, R, terminated = situation.episode()
    w = situation.w.copy()
    for x, G in zip(X[:-1], lambda_returns(X, R, terminated, situation.w, 0.9, 0.7), strict=True):
        w += 0.1 * (G - w @ x) * x
    np.testing.assert_allclose(situation.after(truncated_td_lambda, 50, 0.1, 0.9, 0.7), w, rtol=1e-12)
    frozen = situation.after(offline_lambda_return, False, 0.1, 0.9, 0.7)
    np.testing.assert_allclose(frozen, w, rtol=1e-12)


def test_lambda_1_is_monte_carlo_and_n_step_td():
    for seed, limit in ((5, 10_000), (6, 4)):
        situation = Situation("one-hot", seed, limit, episodes=20)
        V = situation.w.copy()
        trial = Trial.of(situation.world, episodes=20, limit=limit)
        n_step_td.python(trial, situation.policy, V, 10_000, 0.1, 0.9, np.random.default_rng(seed))
        assert np.array_equal(situation.after(offline_lambda_return, True, 0.1, 0.9, 1.0), V), "n beyond the episode, bit for bit"
    situation = Situation("one-hot", 5, 10_000, episodes=20)
    for n in (2, 3, 7):
        V = situation.w.copy()
        n_step_td.python(Trial.of(situation.world, episodes=20), situation.policy, V, n, 0.1, 0.9, np.random.default_rng(5))
        np.testing.assert_allclose(situation.after(truncated_td_lambda, n, 0.1, 0.9, 1.0), V, rtol=1e-12)


def test_td_1_offline_is_constant_step_every_visit_monte_carlo():
    """In episodes that visit no state twice; with repeated visits Monte Carlo would see its own changes of the same episode."""
    rng = np.random.default_rng(0)
    last = STATES - 1

    def outcomes(s, a):
        return [(0.5, s_, rng.normal(), s_ == last) for s_ in (s + 1, min(s + 1 + a, last))]

    table = {s: {a: outcomes(s, a) for a in (0, 1)} for s in range(last)} | {last: {a: [(1.0, last, 0.0, True)] for a in (0, 1)}}
    for limit in (100, 2):
        situation = Situation("one-hot", 7, limit, MDP.of(table), episodes=30)
        V, N = situation.w.copy(), np.zeros(STATES)
        trial = Trial.of(situation.world, episodes=30, limit=limit)
        mc_prediction.python(trial, situation.policy, V, N, False, 0.1, 0.9, np.random.default_rng(7))
        for box, arguments in ((td_lambda, (False,)), (offline_lambda_return, (True,)), (true_online_td_lambda, ())):
            np.testing.assert_allclose(situation.after(box, *arguments, 0.1, 0.9, 1.0), V, rtol=1e-12, err_msg=str(box))


@pytest.mark.parametrize("kind", KINDS)
def test_on_policy_off_policy_methods_are_td_lambda_bit_for_bit(kind):
    for seed, limit in ((8, 100), (9, 3)):
        situation = Situation(kind, seed, limit, episodes=10)
        both = (situation.policy, situation.policy)
        expected = situation.after(td_lambda, True, 0.1, 0.9, 0.7)
        assert np.array_equal(situation.after(off_policy_td_lambda, 0.1, 0.9, 0.7, policies=both), expected)
        v = np.random.default_rng(1).normal(size=len(situation.w))
        assert np.array_equal(situation.after(htd_lambda, v, 0.1, 0.2, 0.9, 0.7, policies=both), expected), "whatever v is"


def test_at_the_fixed_point_of_td_lambda_no_change_is_expected():
    """Exact linear algebra: A w = b with A = X' D (I - gamma lambda P)^-1 (I - gamma P) X, D the expected visits of an episode."""
    rng = np.random.default_rng(10)
    world, X = a_world(rng), rng.normal(size=(STATES, D)) / 2
    policy, gamma = rng.dirichlet(np.ones(2), STATES), 0.9
    goes_on = world.probability * ~world.terminal
    P = np.zeros((STATES, STATES))
    np.add.at(P, (np.arange(STATES)[:, None, None], world.successor), policy[:, :, None] * goes_on)
    r = np.sum(policy * world.expected_reward(), axis=1)
    visits = np.linalg.solve(np.eye(STATES) - P.T, np.full(STATES, 1.0 / STATES))
    for lam in (0.0, 0.7, 1.0):
        M = X.T @ np.diag(visits) @ np.linalg.inv(np.eye(STATES) - gamma * lam * P)
        fixed = np.linalg.solve(M @ (np.eye(STATES) - gamma * P) @ X, M @ r)
        w, changes, before = fixed.copy(), [], fixed.copy()
        stream = np.random.default_rng(11)
        for _ in range(1500):
            trial = Trial.of(world, episodes=1, capacity=1)
            td_lambda.python(trial, policy, TableFeatures.of(X), w, True, 1e-7, gamma, lam, stream)
            changes.append((w - before) / 1e-7)
            before = w.copy()
        z_score = np.mean(changes, axis=0) / (np.std(changes, axis=0) / np.sqrt(len(changes)))
        assert np.all(np.abs(z_score) < 4.0), f"lambda = {lam}: {z_score}"
