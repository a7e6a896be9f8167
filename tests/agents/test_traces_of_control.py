"""Control with eligibility traces: identities with one-step and tabular methods, forward views, fixed points."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import OneStep

from rlcourse.agents import (
    GQLambda,
    NStepTreeBackup,
    QLearning,
    SarsaLambda,
    SemiGradientSarsa,
    TreeBackupLambda,
    TrueOnlineSarsaLambda,
    WatkinsQLambda,
)
from rlcourse.agents.traces.gq_lambda import add_mean_action, gq_lambda, probabilities
from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.agents.traces.true_online_sarsa_lambda import true_online_sarsa_lambda
from rlcourse.core import exact
from rlcourse.core.linear import add, replace
from rlcourse.core.mdp import MDP
from rlcourse.core.traces import KINDS, imprint, inner, step_and_fade
from rlcourse.core.trial import Trial
from rlcourse.envs import MountainCar, cliff_walk, easy21_features, easy21_game, random_walk
from rlcourse.features import TableFeatures, Tiles

PAIRS = np.random.default_rng(5).normal(size=(48, 4, 6)) / 4
DENSE = np.random.default_rng(6).normal(size=(48, 7)) / 4
FEATURES = {"one per state": "one-hot", "vectors": DENSE, "vectors of pairs": PAIRS, "shared": np.arange(48).reshape(48, 1) // 3}


@pytest.mark.parametrize("traces", KINDS)
@pytest.mark.parametrize("features", sorted(FEATURES))
def test_lambda_zero_is_semi_gradient_sarsa_bit_for_bit(traces, features):
    if traces in ("replacing", "clearing") and "vectors" in features:
        return
    settings = {"features": FEATURES[features], "alpha": 0.1, "gamma": 0.9, "epsilon": 0.2, "seed": 4}
    ours = SarsaLambda(cliff_walk(), lam=0.0, traces=traces, **settings).learn(2000)
    theirs = SemiGradientSarsa(cliff_walk(), **settings).learn(2000)
    assert np.array_equal(ours.w, theirs.w)
    assert np.array_equal(ours.history.rows, theirs.history.rows)


def test_true_online_sarsa_with_lambda_zero_is_semi_gradient_sarsa():
    settings = {"features": DENSE, "alpha": 0.1, "gamma": 0.9, "epsilon": 0.2, "seed": 4}
    ours, theirs = TrueOnlineSarsaLambda(cliff_walk(), lam=0.0, **settings), SemiGradientSarsa(cliff_walk(), **settings)
    np.testing.assert_allclose(ours.learn(2000).w, theirs.learn(2000).w, atol=1e-10)


def test_watkins_q_with_lambda_zero_is_tabular_q_learning_bit_for_bit():
    settings = {"alpha": 0.3, "gamma": 0.9, "epsilon": 0.2, "seed": 4}
    ours, theirs = WatkinsQLambda(cliff_walk(), lam=0.0, **settings).learn(3000), QLearning(cliff_walk(), **settings).learn(3000)
    assert np.array_equal(ours.w.T, theirs.Q)
    assert np.array_equal(ours.history.rows, theirs.history.rows)


def test_tb_lambda_with_lambda_zero_is_the_one_step_tree_backup_bit_for_bit():
    settings = {"alpha": 0.3, "gamma": 0.9, "epsilon": 0.2, "target_epsilon": 0.1, "seed": 4}
    ours = TreeBackupLambda(cliff_walk(), lam=0.0, **settings).learn(episodes=40)
    theirs = NStepTreeBackup(cliff_walk(), n=1, **settings).learn(episodes=40)
    assert np.array_equal(ours.w.T, theirs.Q)


def ladder(levels: int = 6) -> MDP:
    """Level after level of three states, two actions, stochastic: no state comes back within an episode."""
    rng, table = np.random.default_rng(2), {}
    for s in range(3 * levels):
        last = s >= 3 * (levels - 1)
        chances = rng.dirichlet(np.ones(3), 2)
        table[s] = {a: [(chances[a, k], s if last else s - s % 3 + 3 + k, float(rng.normal()), last) for k in range(3)] for a in (0, 1)}
    return MDP.of(table, 0)


def test_tb_1_is_the_tree_backup_of_the_whole_episode_where_no_state_recurs():
    settings = {"alpha": 0.3, "gamma": 0.9, "epsilon": 0.4, "target_epsilon": 0.3, "seed": 4}
    ours = TreeBackupLambda(ladder(), lam=1.0, **settings).learn(episodes=60)
    theirs = NStepTreeBackup(ladder(), n=100, **settings).learn(episodes=60)
    assert np.ptp(ours.w) > 0.5
    np.testing.assert_allclose(ours.w.T, theirs.Q, atol=1e-12)


def stream(world, features, seed, T):
    """Draw at most T random steps of an episode: x_t, R_t+1, and whether it terminated."""
    rng = np.random.default_rng(seed)
    S = world.reset(rng)
    A = int(rng.integers(4))
    xs, rewards = [features.rows[S, A]], []
    for _ in range(T):
        S, R, terminated, _ = world.step(S, A, rng)
        A = int(rng.integers(4))
        xs.append(features.rows[S, A])
        rewards.append(R)
        if terminated:
            return np.array(xs), np.array(rewards), True
    return np.array(xs), np.array(rewards), False


class Played:
    """A stream of pairs played back: a world with one action whose states are places in the stream; the last may be terminal."""

    def __init__(self, rewards, terminated):
        self.rewards, self.terminated = rewards, terminated
        self.played = False

    def more(self):
        return not self.played

    def reset(self, rng):
        return 0

    def step(self, state, action, rng):
        end = state + 1 == len(self.rewards)
        self.played = end
        return state + 1, self.rewards[state], end and self.terminated, end and not self.terminated


def online_lambda_returns(xs, rewards, terminated, w0, alpha, gamma, lam):
    """The slow forward view: at each horizon h all updates of the episode anew, with lambda-returns up to h (Eq. 12.9, Sec. 12.4)."""
    T, history = len(rewards), [w0.copy()]  # history[t] = w_t, the last weights of horizon t
    for h in range(1, T + 1):
        w = w0.copy()
        for t in range(h):
            last = 0.0 if terminated and h == T else history[h - 1] @ xs[h]
            returns = []
            for n in range(1, h - t + 1):
                value = last if t + n == h else history[t + n - 1] @ xs[t + n]
                returns.append(sum(gamma**k * rewards[t + k] for k in range(n)) + gamma**n * value)
            weights = [(1 - lam) * lam ** (n - 1) for n in range(1, h - t)] + [lam ** (h - t - 1)]
            w = w + alpha * (np.dot(weights, returns) - w @ xs[t]) * xs[t]
        history.append(w)
    return history[-1]


@pytest.mark.parametrize("lam", [0.0, 0.4, 0.9, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_true_online_sarsa_lambda_is_the_online_lambda_return_algorithm(seed, lam):
    features = TableFeatures.of(PAIRS)
    w0 = np.random.default_rng(seed).normal(size=6)
    xs, rewards, terminated = stream(cliff_walk(), features, seed, 25)
    if seed % 2:
        terminated = True
    played = Played(rewards / 10, terminated)
    w = w0.copy()
    true_online_sarsa_lambda(played, TableFeatures.of(xs[:, None]), w, 0.1, 0.9, lam, 0.0, np.random.default_rng(0))
    expected = online_lambda_returns(xs, rewards / 10, terminated, w0, 0.1, 0.9, lam)
    np.testing.assert_allclose(w, expected, atol=1e-12)
    dutch = w0.copy()
    sarsa_lambda(Played(rewards / 10, terminated), TableFeatures.of(xs[:, None]), dutch, 0.1, 0.9, lam, 0.0, 3, np.random.default_rng(0))
    assert (np.abs(dutch - expected).max() > 1e-4) == (lam > 0.0), "dutch traces alone are another method"


def test_watkins_never_cuts_where_behaviour_is_greedy():
    """It is then the tree backup of the greedy policy without ties, and Sarsa(lambda) but for when the next action is chosen."""
    settings = {"alpha": 0.1, "gamma": 0.95, "lam": 0.9, "epsilon": 0.0, "seed": 2}
    rng = np.random.default_rng(3)
    agents = [WatkinsQLambda(cliff_walk(), **settings), TreeBackupLambda(cliff_walk(), **settings)]
    w = rng.normal(size=agents[0].w.shape)  # no ties
    for agent in agents:
        agent.w[:] = w
        agent.learn(2000)
    assert np.array_equal(agents[0].w, agents[1].w)
    world, features = cliff_walk(), agents[0].features
    slow, z, rng = w.copy(), np.zeros_like(w), np.random.default_rng(2)
    reference = WatkinsQLambda(cliff_walk(), **settings)
    reference.w[:] = w
    reference.learn(30)
    S = world.reset(rng)
    for _ in range(30):  # never cut
        rng.random()
        A = int(np.argmax(slow[:, S]))
        z[A, features.x(S)] += 1.0
        S_, R, terminated, _ = world.step(S, A, rng)
        slow += 0.1 * (R + (0.0 if terminated else 0.95 * slow[:, S_].max()) - slow[A, S]) * z
        z *= 0.95 * 0.9
        S = S_
    np.testing.assert_allclose(reference.w, slow, atol=1e-12)


def test_watkins_cuts_behind_an_exploratory_action():
    """Three states in a row, then the end; both actions lead on, and only the second one, taken in the middle, is not greedy."""
    table = {s: {a: [(1.0, min(s + 1, 2), float(s == 2), s == 2)] for a in (0, 1)} for s in range(3)}
    found = []
    for epsilon in (0.0, 1.0):
        for seed in range(200):
            agent = WatkinsQLambda(MDP.of(table), alpha=0.5, lam=1.0, epsilon=epsilon, seed=seed)
            agent.w[0] = 1e-3
            agent.learn(episodes=1)
            taken = np.abs(agent.w - [[1e-3], [0.0]]) > 1e-6
            found.append((epsilon, agent.w[0, 0] > 0.1 or agent.w[1, 0] > 0.1, taken[1, 2] or taken[1, 1]))
    assert all(reached for epsilon, reached, _ in found if epsilon == 0.0)
    assert all(reached != explored for epsilon, reached, explored in found if epsilon == 1.0)


@pytest.mark.parametrize("kind", [SarsaLambda, TrueOnlineSarsaLambda, WatkinsQLambda, TreeBackupLambda, GQLambda])
def test_a_truncated_end_bootstraps_also_with_features_of_pairs(kind):
    rows = np.zeros((2, 2, 2))
    rows[0, :, 0], rows[1, :, 1] = 1.0, 1.0
    for terminated, value in ((True, 1.0), (False, 1.0 + 0.9 * 10.0)):
        agent = kind(OneStep(terminated), features=rows, alpha=1.0, gamma=0.9)
        agent.w[1] = 10.0
        agent.learn(episodes=1)
        assert agent.w[0] == pytest.approx(value)


def test_replacing_traces_are_one_and_clearing_ends_those_of_the_other_actions():
    x = np.array([0, 2, -1])
    z = np.array([[0.5, 0.5, 0.5], [0.2, 0.2, 0.2]])
    for kind, expected in (
        ("accumulating", [[1.5, 0.5, 1.5], [0.2, 0.2, 0.2]]),
        ("replacing", [[1.0, 0.5, 1.0], [0.2, 0.2, 0.2]]),
        ("clearing", [[1.0, 0.5, 1.0], [0.0, 0.2, 0.0]]),
        ("dutch", [[1.4, 0.5, 1.4], [0.2, 0.2, 0.2]]),
    ):
        mine = z.copy()
        imprint(mine, x, 0, KINDS.index(kind), 0.1)
        np.testing.assert_allclose(mine, expected)
    mine = np.array([0.5, 0.5, 0.5, 0.5])
    imprint(mine, np.array([[0, 1], [1, 2]]), 1, KINDS.index("clearing"), 0.1)
    assert mine.tolist() == [0.0, 1.0, 1.0, 0.5], "a feature that both actions have stays on"
    vector = np.array([0.5, 0.5])
    replace(vector, np.array([0.0, 1.0]))
    assert vector.tolist() == [0.5, 1.0]


def test_a_step_along_the_trace_and_its_fading():
    w, z = np.ones((2, 3)), np.arange(6.0).reshape(2, 3)
    step_and_fade(w, 0.5, z, 0.1)
    np.testing.assert_allclose(w, 1.0 + 0.5 * np.arange(6.0).reshape(2, 3))
    np.testing.assert_allclose(z, 0.1 * np.arange(6.0).reshape(2, 3))
    assert inner(np.arange(6.0).reshape(2, 3), np.ones((2, 3))) == 15.0


def test_gq_without_correction_is_off_policy_expected_sarsa_lambda_by_hand():
    world, target, behavior = cliff_walk(), np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    w, v = np.zeros(6), np.zeros(6)
    features = TableFeatures.of(PAIRS)
    gq_lambda(Trial.of(world, steps=40), target, behavior, features, w, v, 0.05, 0.0, 0.9, 0.7, False, 0.0, 0.0, np.random.default_rng(1))
    rng, slow, z = np.random.default_rng(1), np.zeros(6), np.zeros(6)
    S = world.reset(rng)
    for _ in range(40):
        A = int(np.searchsorted(np.cumsum(behavior), rng.random(), side="right"))
        z = z * target[A] / behavior[A] + PAIRS[S, A]
        S_, R, terminated, _ = world.step(S, A, rng)
        slow = slow + 0.05 * (R + 0.9 * (target @ PAIRS[S_]) @ slow * (not terminated) - slow @ PAIRS[S, A]) * z
        z, S = 0.9 * 0.7 * z, S_
        if terminated:
            z, S = np.zeros(6), world.reset(rng)
    np.testing.assert_allclose(w, slow, atol=1e-12)
    assert not v.any()


def ring() -> MDP:
    """Five states in a ring, forth or back, rewards of their own; it ends one step in ten."""
    rewards = [1.0, 0.0, -1.0, 2.0, 0.5]
    return MDP.of(
        {s: {a: [(0.9, (s + 1 - 2 * a) % 5, rewards[s] + a, False), (0.1, s, rewards[s], True)] for a in (0, 1)} for s in range(5)}
    )


@pytest.mark.parametrize("lam", [0.0, 0.6])
def test_gq_comes_to_the_fixed_point_of_off_policy_td_lambda(lam):
    """Where sum over time of E_b[rho-weighted trace x delta] = 0: A w = b, here summed exactly over the chain of pairs."""
    world, gamma = ring(), 0.9
    target, behavior = np.array([0.8, 0.2]), np.array([0.5, 0.5])
    rows = np.random.default_rng(1).normal(size=(5, 2, 3))
    X = rows.reshape(10, 3)
    on = np.zeros((10, 10))  # [pair, next pair] under the target policy, ends left out
    reached = np.zeros((10, 10))  # the same under the behaviour
    R = np.zeros(10)
    for s in range(5):
        for a in (0, 1):
            step = (s + 1 - 2 * a) % 5
            on[2 * s + a, [2 * step, 2 * step + 1]] = 0.9 * target
            reached[2 * s + a, [2 * step, 2 * step + 1]] = 0.9 * behavior
            R[2 * s + a] = [1.0, 0.0, -1.0, 2.0, 0.5][s] + 0.9 * a
    start = np.zeros(10)
    start[:2] = behavior
    visits = np.linalg.solve(np.eye(10) - reached.T, start)  # expected visits of an episode
    M = np.linalg.inv(np.eye(10) - gamma * lam * on)  # sum of (gamma lam P_pi)^k
    A = X.T @ np.diag(visits) @ M @ (np.eye(10) - gamma * on) @ X
    solution = np.linalg.solve(A, X.T @ np.diag(visits) @ M @ R)
    agent = GQLambda(world, policy=target, behavior=behavior, features=rows, alpha=0.02, beta=0.02, gamma=gamma, lam=lam, seed=3)
    agent.learn(200_000)
    found = []
    for _ in range(100):
        found.append(agent.learn(5_000).w.copy())
    np.testing.assert_allclose(np.mean(found, axis=0), solution, atol=0.08)


def test_gq_stays_where_off_policy_values_explode():
    """w -> 2w (Sec. 11.2): a state with feature 1 leads to one with 2, which stays; pi always goes right, b mostly begins anew."""
    table = {0: {0: [(1.0, 0, 0.0, True)], 1: [(1.0, 1, 0.0, False)]}, 1: {0: [(1.0, 0, 0.0, True)], 1: [(1.0, 1, 0.0, False)]}}
    rows = np.array([[[0.0], [1.0]], [[0.0], [2.0]]])
    settings = {"policy": np.array([1, 1]), "behavior": np.array([[0.5, 0.5], [0.9, 0.1]]), "features": rows, "gamma": 0.99}
    ends = []
    for beta in (0.0, 0.1):
        agent = GQLambda(MDP.of(table, 0), alpha=0.02, beta=beta, lam=0.0, seed=1, **settings)
        agent.w[:] = 1.0
        ends.append(float(np.abs(agent.learn(20_000).w[0])))
    assert ends[0] > 10.0, ends
    assert ends[1] < 1.0, ends


def test_gq_as_control_finds_the_way_and_acts_by_its_values():
    agent = GQLambda(random_walk(5), control=True, alpha=0.1, beta=0.01, gamma=0.9, epsilon=0.3, seed=1).learn(episodes=500)
    assert [agent.predict(s)[0] for s in range(5)] == [1] * 5
    assert {agent.predict(0, deterministic=False)[0] for _ in range(200)} == {0, 1}
    q = np.array([1.0, 2.0])
    assert probabilities(True, np.array([1.0, 0.0]), 0, q, 0.2).tolist() == [0.1, 0.9]
    assert probabilities(False, np.array([1.0, 0.0]), 0, q, 0.2).tolist() == [1.0, 0.0]
    w = np.zeros(2)
    add_mean_action(w, 2.0, np.eye(2), np.array([0.25, 0.75]))
    assert w.tolist() == [0.5, 1.5]


@pytest.mark.parametrize("kind", [WatkinsQLambda, TreeBackupLambda, TrueOnlineSarsaLambda])
def test_traces_learn_the_cliff(kind):
    for seed in range(3):
        agent = kind(cliff_walk(), alpha=0.1, lam=0.7, seed=seed).learn(episodes=800)
        assert agent.history["return"][-100:].mean() > -60.0  # with exploration at the edge; at random -1000 and worse
        if kind is not TrueOnlineSarsaLambda:
            assert exact.exact_return(cliff_walk(), exact.greedy_policy(agent.values())) >= -17.0


@pytest.mark.parametrize("traces", KINDS)
def test_both_speeds_agree_with_traces_of_every_kind(traces):
    tiles = Tiles.of([-1.2, -0.07], [0.5, 0.07], 4, 2)
    for world, features, shape in (
        (MountainCar(), tiles, (3, tiles.size)),
        (easy21_game(), TableFeatures.of(easy21_features()), (36,)),
    ):
        results = []
        for run in (sarsa_lambda.python, sarsa_lambda.compiled):
            w = np.zeros(shape)
            run(Trial.of(world, steps=1500), features, w, 0.05, 0.99, 0.8, 0.1, KINDS.index(traces), np.random.default_rng(2))
            results.append(w)
        assert results[0].any()
        assert np.array_equal(*results)


def test_sarsa_lambda_runs_interpreted_on_any_gymnasium_environment():
    agent = SarsaLambda(gym.make("CartPole-v1"), features="vector", alpha=0.001, seed=0).learn(300)
    assert np.isfinite(agent.w).all()
    w = np.zeros(3)
    add(w, 1.0, np.array([1, -1]))
    assert w.tolist() == [0.0, 1.0, 0.0]
