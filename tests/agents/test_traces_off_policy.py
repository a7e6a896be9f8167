"""Off-policy prediction with eligibility traces: equations written out as sums, exact fixed points, and the methods of chapter 11."""

import numpy as np
import pytest
from test_traces_of_prediction import KINDS, STATES, Situation, a_world, as_vector

from rlcourse.agents.off_policy.emphatic_td import emphatic_td
from rlcourse.agents.off_policy.tdc import tdc
from rlcourse.agents.traces.emphatic_td_lambda import emphatic_td_lambda
from rlcourse.agents.traces.gtd_lambda import gtd_lambda
from rlcourse.agents.traces.htd_lambda import htd_lambda
from rlcourse.agents.traces.off_policy_td_lambda import off_policy_td_lambda
from rlcourse.core.recorder import Recorder
from rlcourse.core.trial import Trial
from rlcourse.features import TableFeatures

ALPHA, BETA, GAMMA = 0.1, 0.2, 0.9


def a_behavior() -> np.ndarray:
    return np.random.default_rng(99).dirichlet(np.full(2, 5.0), STATES)


def one_episode(kind, seed, limit, box, *arguments):
    """Run a box for one episode; return its situation, its last weights, and (features, rewards, ratios, terminated) of the episode."""
    situation, behavior = Situation(kind, seed, limit, episodes=1), a_behavior()
    recorder, w = Recorder.of(situation.world, limit), situation.w.copy()
    trial = Trial.of(recorder, episodes=1, limit=limit)
    box.python(trial, situation.policy, behavior, situation.features, w, *arguments, np.random.default_rng(seed))
    rows = recorder.transitions()
    states, actions = rows[:, 0].astype(int), rows[:, 1].astype(int)
    X = np.array([as_vector(situation.features.x(s), len(w)) for s in [*states, int(rows[-1, 3])]])
    over = rows[-1, 4] == 1.0
    if over:
        X[-1] = 0.0  # a terminal state has no features
    return situation, w, (X, rows[:, 2], situation.policy[states, actions] / behavior[states, actions])


def trace(X, rho, t, lam, emphasis=None):
    """z_t as the sum over the past that its recursion stands for."""
    weights = [(GAMMA * lam) ** (t - k) * np.prod(rho[k : t + 1]) * (1.0 if emphasis is None else emphasis[k]) for k in range(t + 1)]
    return np.array(weights) @ X[: t + 1]


EPISODES = [(kind, seed, limit) for kind in KINDS for seed, limit in ((21, 100), (22, 3), (23, 6))]


@pytest.mark.parametrize(("kind", "seed", "limit"), EPISODES)
@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
def test_td_lambda_and_emphatic_td_lambda_do_what_their_equations_say(kind, seed, limit, lam):
    for box, emphatic in ((off_policy_td_lambda, False), (emphatic_td_lambda, True)):
        situation, learned, (X, R, rho) = one_episode(kind, seed, limit, box, ALPHA, GAMMA, lam)
        F = [sum(GAMMA ** (k - j) * np.prod(rho[j:k]) for j in range(k + 1)) for k in range(len(R))]
        M = [lam + (1.0 - lam) * f for f in F]
        w = situation.w.copy()
        for t in range(len(R)):
            delta = R[t] + GAMMA * w @ X[t + 1] - w @ X[t]
            w += ALPHA * delta * trace(X, rho, t, lam, M if emphatic else None)
        np.testing.assert_allclose(learned, w, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("kind", "seed", "limit"), EPISODES)
@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
def test_gtd_lambda_and_htd_lambda_do_what_their_equations_say(kind, seed, limit, lam):
    for box in (gtd_lambda, htd_lambda):
        d = len(Situation(kind, seed, limit).w)
        first = np.random.default_rng(3).normal(size=d)
        v_learned = first.copy()
        situation, learned, (X, R, rho) = one_episode(kind, seed, limit, box, v_learned, ALPHA, BETA, GAMMA, lam)
        w, v = situation.w.copy(), first.copy()
        for t in range(len(R)):
            z, z_b = trace(X, rho, t, lam), trace(X, np.ones(len(rho)), t, lam)
            delta, change = R[t] + GAMMA * w @ X[t + 1] - w @ X[t], X[t] - GAMMA * X[t + 1]
            if box is gtd_lambda:
                w, v = (
                    w + ALPHA * delta * z - ALPHA * GAMMA * (1 - lam) * (z @ v) * X[t + 1],
                    v + BETA * delta * z - BETA * (v @ X[t]) * X[t],
                )
            else:
                w, v = w + ALPHA * (delta * z + ((z - z_b) @ v) * change), v + BETA * (delta * z - (z_b @ v) * change)
        np.testing.assert_allclose(learned, w, rtol=1e-10, atol=1e-11)
        np.testing.assert_allclose(v_learned, v, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_lambda_0_is_the_method_of_chapter_11(kind):
    for seed, limit in ((24, 100), (25, 3)):
        situation = Situation(kind, seed, limit, episodes=10)
        both, apart = (situation.policy, situation.policy), (situation.policy, a_behavior())
        d = len(situation.w)
        one_step = situation.after(tdc, np.zeros(d), ALPHA, BETA, GAMMA, policies=both)
        traces = situation.after(gtd_lambda, np.zeros(d), ALPHA, BETA, GAMMA, 0.0, policies=both)
        np.testing.assert_allclose(traces, one_step, rtol=1e-12, atol=1e-12, err_msg="GTD(0) is TDC on-policy")
        one_step = situation.after(emphatic_td, 1.0, 0.01, GAMMA, policies=apart)
        traces = situation.after(emphatic_td_lambda, 0.01, GAMMA, 0.0, policies=apart)
        np.testing.assert_allclose(traces, one_step, rtol=1e-12, atol=1e-12, err_msg="emphatic TD(0) is emphatic TD")


def test_lambda_1_leaves_no_emphasis():
    situation = Situation("dense", 26, 50, episodes=10)
    policies = (situation.policy, a_behavior())
    emphatic = situation.after(emphatic_td_lambda, 0.01, GAMMA, 1.0, policies=policies)
    assert np.array_equal(emphatic, situation.after(off_policy_td_lambda, 0.01, GAMMA, 1.0, policies=policies))


@pytest.mark.parametrize("lam", [0.0, 0.6, 1.0])
def test_at_the_exact_fixed_point_no_change_is_expected(lam):
    """A w = b with A = X' W (I - gamma lambda P)^-1 (I - gamma P) X; W the visits under b, or the emphasis (Sutton et al., 2016)."""
    rng, identity = np.random.default_rng(27), np.eye(STATES)
    world, X = a_world(rng), rng.normal(size=(STATES, 3)) / 2
    policy, behavior = rng.dirichlet(np.full(2, 3.0), STATES), a_behavior()

    def goes_to(actor):
        P = np.zeros((STATES, STATES))
        np.add.at(P, (np.arange(STATES)[:, None, None], world.successor), actor[:, :, None] * world.probability * ~world.terminal)
        return P

    P, r = goes_to(policy), np.sum(policy * world.expected_reward(), axis=1)
    visits = np.linalg.solve(identity - goes_to(behavior).T, np.full(STATES, 1.0 / STATES))
    emphasis = lam * visits + (1.0 - lam) * np.linalg.solve(identity - GAMMA * P.T, visits)
    for box, weights, second in (
        (off_policy_td_lambda, visits, False),
        (emphatic_td_lambda, emphasis, False),
        (gtd_lambda, visits, True),
        (htd_lambda, visits, True),
    ):
        half = X.T @ np.diag(weights) @ np.linalg.inv(identity - GAMMA * lam * P)
        w = np.linalg.solve(half @ (identity - GAMMA * P) @ X, half @ r)
        v, changes, stream, tiny = np.zeros(3), [], np.random.default_rng(28), 1e-7
        steps = (tiny, tiny) if second else (tiny,)
        for _ in range(1000):
            before = np.concatenate([w, v])
            trial = Trial.of(world, episodes=1, capacity=1)
            box.python(trial, policy, behavior, TableFeatures.of(X), w, *((v,) if second else ()), *steps, GAMMA, lam, stream)
            changes.append((np.concatenate([w, v]) - before)[: 6 if second else 3] / tiny)
        z_score = np.mean(changes, axis=0) / (np.std(changes, axis=0) / np.sqrt(len(changes)))
        assert np.all(np.abs(z_score) < 4.0), f"{box}: {z_score}"
