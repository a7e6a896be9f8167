"""Prediction and double learning (chapter 6) against closed forms, exact solutions and one another."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import TD0, BatchMC, BatchTD0, DoubleExpectedSarsa, DoubleQLearning, MCPrediction, QLearning
from rlcourse.agents.temporal_difference.double_expected_sarsa import double_expected_sarsa, expected_under
from rlcourse.agents.temporal_difference.double_q_learning import double_q_learning
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.core import exact
from rlcourse.core.evaluation import evaluate
from rlcourse.core.policies import expected_value
from rlcourse.core.trial import Trial
from rlcourse.envs import MaximizationBias, Recorded, cliff_walk, driving_home, predictor, random_walk

WALK = np.arange(1, 6) / 6.0  # v_pi of the five states


def constant_alpha_mc(env, **settings):
    return MCPrediction(env, first_visit=False, **settings)


class Spy(gym.Wrapper):
    """Keeps what happens: (s, r, s', terminated), one list per episode; boxes run interpreted behind it."""

    def reset(self, **options):
        self.s, info = self.env.reset(**options)
        self.episodes = [*getattr(self, "episodes", []), []]
        return self.s, info

    def step(self, action):
        s, r, terminated, truncated, info = self.env.step(action)
        self.episodes[-1].append((self.s, r, s, terminated))
        self.s = s
        return s, r, terminated, truncated, info


def certainty_equivalence(episodes, S: int, gamma: float) -> np.ndarray:
    """Return the values of the Markov process with the observed frequencies, shape [S]; nan where a state was never seen."""
    n, r, P = np.zeros(S), np.zeros(S), np.zeros((S, S))
    for s, reward, s_next, terminated in (step for episode in episodes for step in episode):
        n[s] += 1
        r[s] += reward
        P[s, s_next] += not terminated
    seen = n > 0
    V = np.full(S, np.nan)
    V[seen] = np.linalg.solve(np.eye(seen.sum()) - gamma * P[np.ix_(seen, seen)] / n[seen, None], r[seen] / n[seen])
    return V


def mean_returns(episodes, S: int, gamma: float) -> np.ndarray:
    """Return the mean of the returns that followed each state, shape [S]; nan where a state was never seen."""
    returns = [[] for _ in range(S)]
    for episode in episodes:
        G = 0.0
        for s, r, _, _ in reversed(episode):
            G = r + gamma * G
            returns[s].append(G)
    return np.array([np.mean(each) if each else np.nan for each in returns])


@pytest.mark.parametrize("gamma", [1.0, 0.9])
@pytest.mark.parametrize(("kind", "oracle"), [(BatchTD0, certainty_equivalence), (BatchMC, mean_returns)])
def test_batch_updating_settles_at_certainty_equivalence_or_at_the_mean_return(kind, oracle, gamma):
    for seed in range(3):
        env = Spy(gym.make("rlcourse/RandomWalk-v0"))
        agent = kind(env, seed=seed, gamma=gamma, theta=1e-10).learn(episodes=12)
        right = oracle(env.episodes[-12:], 7, gamma)
        np.testing.assert_allclose(agent.V[~np.isnan(right)], right[~np.isnan(right)], atol=1e-6)
        assert np.all(agent.V[np.isnan(right)] == 0.0)


@pytest.mark.parametrize("alpha", [0.1, 0.7])
@pytest.mark.parametrize("kind", [BatchTD0, BatchMC])
def test_where_batch_updating_settles_does_not_depend_on_the_step_size(kind, alpha):
    agents = [kind(random_walk(), seed=1, alpha=a, theta=1e-11).learn(episodes=20) for a in (alpha, 1.0)]
    np.testing.assert_allclose(agents[0].V, agents[1].V, atol=1e-7)


def test_a_batch_return_cut_by_a_time_limit_ends_in_the_value_there():
    agent = BatchMC(gym.wrappers.TimeLimit(gym.make("rlcourse/RandomWalk-v0").unwrapped, 1), policy=np.ones(7, int), gamma=0.5)
    agent.V[:] = 8.0
    agent.learn(episodes=3)  # from C one step to D, and cut
    assert agent.V[2] == pytest.approx(0.5 * 8.0)
    assert np.all(np.delete(agent.V, 2) == 8.0)


def test_the_predictor_of_example_6_4():
    td, mc = BatchTD0(predictor()).learn(episodes=8), BatchMC(predictor()).learn(episodes=8)
    np.testing.assert_allclose(td.V[:2], [0.75, 0.75], atol=1e-7)
    np.testing.assert_allclose(mc.V[:2], [0.0, 0.75], atol=1e-7)


def test_recorded_episodes_come_in_order_and_an_episode_that_was_left_begins_again():
    world, rng = Recorded.of([[(0, 1.0), (1, 2.0)], [(1, 3.0)]]), np.random.default_rng(0)
    assert world.reset(rng) == 0
    assert world.step(0, 0, rng) == (1, 1.0, False, False)
    assert world.reset(rng) == 0
    assert [world.step(0, 0, rng), world.step(1, 0, rng)] == [(1, 1.0, False, False), (2, 2.0, True, False)]
    assert world.reset(rng) == 1
    assert world.step(1, 0, rng) == (2, 3.0, True, False)
    assert world.reset(rng) == 0


def test_one_drive_home_moves_each_guess_to_the_next_one_or_to_the_outcome():
    guesses = np.array([30.0, 35.0, 15.0, 10.0, 3.0, 0.0])
    td, mc = TD0(driving_home(), alpha=1.0), constant_alpha_mc(driving_home(), alpha=1.0)
    for agent in (td, mc):
        agent.V[:] = guesses
        agent.learn(episodes=1)
    assert td.V.tolist() == [40.0, 30.0, 20.0, 13.0, 3.0, 0.0]
    assert mc.V.tolist() == [43.0, 38.0, 23.0, 13.0, 3.0, 0.0]


@pytest.mark.parametrize(("kind", "alpha"), [(TD0, 0.05), (constant_alpha_mc, 0.01)])
def test_prediction_hovers_around_the_true_values_of_the_walk(kind, alpha):
    found = []
    for seed in range(12):
        agent = kind(random_walk(), seed=seed, alpha=alpha).learn(episodes=1000)
        found.append(np.mean([agent.learn(episodes=50).V[:5].copy() for _ in range(40)], axis=0))
    assert np.abs(np.mean(found, axis=0) - WALK).max() < 0.015
    assert np.abs(np.array(found) - WALK).max() < 0.06


def test_td_with_one_step_episodes_is_monte_carlo_bit_for_bit():
    for alpha in (0.1, 0.6):
        td, mc = (kind(random_walk(1, 2.0, 5.0), seed=4, alpha=alpha).learn(episodes=50) for kind in (TD0, constant_alpha_mc))
        assert np.array_equal(td.V, mc.V)


def test_true_error_is_the_distance_to_v_pi():
    agent = TD0(random_walk(), alpha=0.1)
    agent.V[:5] = 0.5
    assert agent.true_error() * np.sqrt(7 / 5) == pytest.approx(0.235702, abs=1e-6)  # the two ends have no error


def test_the_first_update_of_double_learning_from_equal_tables_is_that_of_q_learning():
    rng = np.random.default_rng(0)
    for seed in range(20):
        Q = rng.normal(size=(48, 4))
        single, one, two = Q.copy(), Q.copy(), Q.copy()
        q_learning.python(Trial.of(cliff_walk(), steps=1), single, 0.3, 0.9, 0.2, np.random.default_rng(seed))
        double_q_learning.python(Trial.of(cliff_walk(), steps=1), one, two, 0.3, 0.9, 0.2, np.random.default_rng(seed))
        assert np.array_equal(np.where(one != Q, one, two), single)
        assert (one != Q).sum() + (two != Q).sum() == 1, "one of them is updated"


def test_double_expected_sarsa_without_exploration_is_double_q_learning_bit_for_bit():
    for env in ("FrozenLake-v1", cliff_walk()):
        tables = []
        for box, kind in ((double_expected_sarsa, DoubleExpectedSarsa), (double_q_learning, DoubleQLearning)):
            agent = kind(env, seed=2, epsilon=0.0, alpha=0.3, gamma=0.9)
            agent.Q1[:], agent.Q2[:] = np.random.default_rng(1).normal(size=(2, *agent.Q.shape))
            agent.learn(4000)
            tables.append([agent.Q1, agent.Q2])
            assert box.python.__name__ in str(box)
        assert np.array_equal(*tables)


def test_the_expectation_of_one_table_under_the_policy_of_itself_is_expected_sarsas():
    values = np.array([1.0, 3.0, -2.0, 3.0])
    assert expected_under(values, values, 0.3) == pytest.approx(expected_value(values, 0.3))
    assert expected_under(values, np.array([0.0, 4.0, 0.0, 8.0]), 0.0) == 6.0, "ties share"


@pytest.mark.parametrize(("kind", "best"), [(DoubleQLearning, -13.0), (DoubleExpectedSarsa, -17.0)])
def test_double_learners_find_the_best_path_of_the_cliff(kind, best):
    """Along the edge, or around it; with epsilon = 0.1 the edge is seen so seldom that it takes far longer."""
    learned = [kind(cliff_walk(), seed=seed, epsilon=0.5).learn(episodes=3000) for seed in range(12)]
    solved = np.array([evaluate(agent, cliff_walk(), 1, max_steps=100)[0] for agent in learned])
    assert np.mean(solved == best) >= 0.9, solved


@pytest.mark.parametrize("kind", [QLearning, DoubleQLearning, DoubleExpectedSarsa])
def test_action_values_come_near_the_exact_ones_on_frozen_lake(kind):
    gamma, epsilon = 0.9, 0.3 if kind is DoubleExpectedSarsa else 1.0
    env = gym.make("FrozenLake-v1").unwrapped
    right = exact.soft_policy(env, epsilon, gamma) if kind is DoubleExpectedSarsa else exact.q_star(env, gamma)
    learned = []
    for seed in range(10):
        agent = kind(env, seed=seed, gamma=gamma, epsilon=epsilon, alpha=0.02).learn(800_000)
        learned.append(np.mean([agent.learn(25_000).Q.copy() for _ in range(20)], axis=0))
    error = np.abs(np.array(learned) - right).max(axis=(1, 2))
    assert np.mean(error < 0.06) >= 0.9, error


@pytest.mark.parametrize(("kind", "biased"), [(QLearning, True), (DoubleQLearning, False)])
def test_a_maximum_over_noise_is_biased_and_two_tables_are_not(kind, biased):
    """Left is worth -0.1. Actions are uniform: where they follow the estimates, what looks bad is not tried again and stays too low."""
    found = []
    for seed in range(12):
        agent = kind(MaximizationBias(), seed=seed, alpha=0.1, epsilon=1.0)
        for table in agent.tables:
            getattr(agent, table)[:] = MaximizationBias().initial_values()
        agent.learn(episodes=500)
        found.append(np.mean([agent.learn(episodes=20).Q[0, 0] for _ in range(1500)]))
        assert np.all(agent.Q[0, 2:] == -np.inf), "what does not exist is never learned"
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert (np.mean(found) > -0.1 + 5 * error) if biased else abs(np.mean(found) + 0.1) < 4 * error + 0.01, found


def test_the_mean_of_both_tables_is_q_also_after_loading(tmp_path):
    agent = DoubleQLearning(cliff_walk(), seed=1).learn(episodes=5)
    again = DoubleQLearning.load(agent.save(tmp_path / "q.safetensors"), env=cliff_walk())
    for each in (agent, again):
        assert np.array_equal(each.Q, (agent.Q1 + agent.Q2) / 2.0)
        assert np.array_equal(each.action_values(np.arange(48)), each.Q)
