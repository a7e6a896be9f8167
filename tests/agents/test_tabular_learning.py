"""Do the tabular agents learn what they should? Exact solutions are the judges; every rate is over ten seeds or more."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import ExpectedSarsa, QLearning, Sarsa, ValueIteration
from rlcourse.core.evaluation import evaluate
from rlcourse.core.gymworld import model_of
from rlcourse.envs import cliff_walk

SEEDS = range(12)


def exact(model, policy: np.ndarray, gamma: float) -> np.ndarray:
    """Return v_pi [S] by solving the Bellman equations (Eq. 4.4) as a linear system; policy [S] of actions."""
    s = np.arange(len(policy))
    p, following, r, over = (part[s, policy] for part in (model.probability, model.successor, model.reward, model.terminal))
    transition = np.zeros((len(s), len(s)))
    for k in range(p.shape[1]):
        np.add.at(transition, (s, following[:, k]), np.where(over[:, k], 0.0, p[:, k]))
    return np.linalg.solve(np.eye(len(s)) - gamma * transition, (p * r).sum(axis=1))


def optimal_q(model, V: np.ndarray, gamma: float) -> np.ndarray:
    """Return q [S, A] one step ahead of V."""
    beyond = np.where(model.terminal, 0.0, V[model.successor])
    return (model.probability * (model.reward + gamma * beyond)).sum(axis=-1)


def greedy_path(agent) -> list[int]:
    """Return the states that the greedy policy walks through, at most 100."""
    model, s, path = cliff_walk(), 36, [36]
    while len(path) < 100:
        a = agent.predict(s)[0]
        s = int(model.successor[s, a, 0])
        path.append(s)
        if model.terminal[path[-2], a, 0]:
            break
    return path


def test_q_learning_finds_the_optimal_path_along_the_cliff():
    solved = [evaluate(QLearning(cliff_walk(), seed=seed).learn(episodes=1500), cliff_walk(), 1, max_steps=100)[0] for seed in SEEDS]
    assert np.mean(np.array(solved) == -13.0) >= 0.9, solved


def test_sarsa_walks_a_longer_and_safer_path_than_q_learning():
    sarsa = [greedy_path(Sarsa(cliff_walk(), seed=seed, alpha=0.1).learn(episodes=5000)) for seed in SEEDS]
    q_learning = [greedy_path(QLearning(cliff_walk(), seed=seed, alpha=0.1).learn(episodes=5000)) for seed in SEEDS]
    longer = [len(ours) > len(theirs) for ours, theirs in zip(sarsa, q_learning, strict=True)]
    assert np.mean(longer) >= 0.8
    on_the_edge = [sum(24 < s < 35 for s in path) for path in sarsa]
    assert np.mean(on_the_edge) < np.mean([sum(24 < s < 35 for s in path) for path in q_learning])


def test_sarsa_and_expected_sarsa_earn_more_online_than_q_learning_as_in_example_6_6():
    def online(kind):
        return np.mean([kind(cliff_walk(), seed=seed).learn(episodes=500).history["return"][100:].mean() for seed in SEEDS])

    assert online(Sarsa) > online(QLearning) + 5
    assert online(ExpectedSarsa) > online(QLearning) + 5


@pytest.mark.parametrize("env", ["FrozenLake-v1", "CliffWalking-v1"])
def test_expected_sarsa_without_exploration_is_q_learning_bit_for_bit(env):
    ours, theirs = (kind(env, seed=4, epsilon=0.0, alpha=0.3, gamma=0.9).learn(5000) for kind in (ExpectedSarsa, QLearning))
    assert np.array_equal(ours.Q, theirs.Q)
    assert np.array_equal(ours.history.rows, theirs.history.rows)


def test_value_iteration_satisfies_the_bellman_optimality_equation_and_its_policy_has_that_value():
    for env, gamma in (("FrozenLake-v1", 0.95), ("Taxi-v4", 0.9), (cliff_walk(), 1.0)):
        agent = ValueIteration(env, gamma=gamma).learn()
        model = agent.model
        np.testing.assert_allclose(optimal_q(model, agent.V, gamma).max(axis=1), agent.V, atol=1e-8)
        if gamma < 1.0:
            policy = agent.predict(np.arange(len(agent.V)))[0]
            np.testing.assert_allclose(exact(model, policy, gamma), agent.V, atol=1e-7)
    assert agent.V[36] == pytest.approx(-13.0)


def test_value_iteration_counts_sweeps_and_stops_by_itself():
    agent = ValueIteration("FrozenLake-v1", gamma=0.9).learn(episodes=3)
    assert len(agent.history) == 3
    assert agent.num_timesteps == 3 * 16
    agent.learn()
    deltas = agent.history["delta"]
    assert deltas[-1] < agent.config.theta <= deltas[-2]
    assert np.all(deltas[1:] <= 0.9 * deltas[:-1] + 1e-12), "each sweep is a contraction by gamma"


def test_the_optimum_of_frozen_lake_without_a_time_limit_is_fourteen_seventeenths():
    agent = ValueIteration(gym.make("FrozenLake-v1").unwrapped, gamma=1.0, theta=1e-13).learn()
    assert agent.V[0] == pytest.approx(14 / 17, abs=1e-9)
    assert agent.V[0] == pytest.approx(0.8235, abs=1e-4)
    # the policy of a slightly discounted problem is proper, so its value without discount is one linear solve
    near = ValueIteration(gym.make("FrozenLake-v1").unwrapped, gamma=0.9999, theta=1e-13).learn()
    policy = near.predict(np.arange(16))[0]
    p = np.zeros((16, 16))
    won = np.zeros(16)
    table = gym.make("FrozenLake-v1").unwrapped.P
    for s in range(16):
        for probability, following, reward, over in table[s][int(policy[s])]:
            won[s] += probability * reward
            p[s, following] += 0.0 if over else probability
    assert np.linalg.solve(np.eye(16) - p, won)[0] == pytest.approx(14 / 17, abs=1e-9)


def test_value_iteration_refuses_what_has_no_model_or_hides_it():
    class Halved(gym.RewardWrapper):
        def reward(self, reward):
            return reward / 2

    for env in ("Blackjack-v1", Halved(gym.make("FrozenLake-v1"))):
        with pytest.raises(ValueError, match="needs a model"):
            ValueIteration(env)
    assert model_of(gym.make("Taxi-v4", fickle_passenger=True)) is None


@pytest.mark.parametrize("kind", [QLearning, ExpectedSarsa, Sarsa])
def test_action_values_come_near_the_exact_ones_on_frozen_lake(kind):
    gamma, epsilon = 0.9, 1.0 if kind is QLearning else 0.3
    env = gym.make("FrozenLake-v1").unwrapped
    model = model_of(env)
    if kind is QLearning:
        right = optimal_q(model, ValueIteration(env, gamma=gamma).learn().V, gamma)
    else:  # the fixed point of an epsilon-greedy policy, by sweeps of expected backups
        right = np.zeros((16, 4))
        for _ in range(2000):
            right = optimal_q(model, (1 - epsilon) * right.max(axis=1) + epsilon * right.mean(axis=1), gamma)
    learned = []
    for seed in range(10):
        agent = kind(env, seed=seed, gamma=gamma, epsilon=epsilon, alpha=0.02).learn(500_000)
        learned.append(np.mean([agent.learn(25_000).Q.copy() for _ in range(20)], axis=0))  # averages over the noise of a constant step
    error = np.abs(np.array(learned) - right).max(axis=(1, 2))
    assert np.mean(error < 0.06) >= 0.9, error  # measured over 20 seeds: at most 0.051
