"""Policy gradients: updates against the exact gradient, neighbours against each other, ends of episodes, and what is learned."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import OneStep

from rlcourse import agents
from rlcourse.agents import (
    ActorCriticLambda,
    ContinuingActorCritic,
    GaussianActorCritic,
    GaussianREINFORCE,
    LinearREINFORCE,
    LinearREINFORCEBaseline,
    OneStepActorCritic,
)
from rlcourse.agents.policy_gradient.actor_critic_lambda import actor_critic_lambda
from rlcourse.agents.policy_gradient.continuing_actor_critic import continuing_actor_critic
from rlcourse.agents.policy_gradient.linear_reinforce import linear_reinforce
from rlcourse.agents.policy_gradient.linear_reinforce_baseline import linear_reinforce_baseline
from rlcourse.agents.policy_gradient.one_step_actor_critic import one_step_actor_critic
from rlcourse.core import exact
from rlcourse.core.actors import softmax_policy
from rlcourse.core.mdp import MDP
from rlcourse.core.trial import Trial
from rlcourse.envs import corridor_features, hidden_corridor, short_corridor
from rlcourse.features import OneHot, TableFeatures

TINY = 1e-9  # a step size at which parameters stand still while updates are counted
GAMMA = 0.8


def ring(ends: float) -> MDP:
    """Four states, two actions, random rewards; every step ends the episode with a probability, and else leads anywhere."""
    rng, table = np.random.default_rng(8), {}
    for s in range(4):
        table[s] = {}
        for a in range(2):
            to = (1.0 - ends) * rng.dirichlet(np.ones(4))
            table[s][a] = [(float(p), n, float(rng.normal()), False) for n, p in enumerate(to)]
            table[s][a] += [(ends, s, float(rng.normal()), True)] if ends else []
    return MDP.of(table, [0.5, 0.5, 0.0, 0.0])


def policy_of(features, theta) -> np.ndarray:
    return np.array([softmax_policy(features.x(s), theta) for s in range(4)])


def gradient_of(J, theta, eps=1e-5) -> np.ndarray:
    """Return the gradient of J(theta) by central differences."""
    found = np.zeros_like(theta)
    for i in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[i] = eps
        found[i] = (J(theta + step) - J(theta - step)) / (2 * eps)
    return found


def sampled(run, theta, batches=60, episodes=400) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean update per episode in units of the step size, and its standard error: ``run(trial, theta, rng)``."""
    means = []
    for seed in range(batches):
        moved = theta.copy()
        run(lambda world: Trial.of(world, episodes=episodes), moved, np.random.default_rng(seed))
        means.append((moved - theta) / TINY / episodes)
    return np.mean(means, axis=0), np.std(means, axis=0, ddof=1) / np.sqrt(batches)


CORRIDOR, SHARED = short_corridor(), TableFeatures.of(corridor_features())
DENSE = TableFeatures.of(np.random.default_rng(2).normal(size=(4, 3)))
ALIKE = TableFeatures.of(np.ones((4, 1)))


def unbiased_updates():
    """Name the updates whose expectation is the gradient: world, features, theta, gamma, run."""
    theta = np.random.default_rng(4).normal(size=(2, 3))
    value = exact.v_pi(ring(0.2), policy_of(DENSE, theta), GAMMA)
    one_hot_theta = np.random.default_rng(5).normal(size=(2, 4))
    value_hot = exact.v_pi(ring(0.2), policy_of(OneHot(4), one_hot_theta), GAMMA)
    assert value.shape == value_hot.shape

    def critic(box, *lams):
        return lambda trial, theta, rng: box(trial(ring(0.2)), OneHot(4), theta, value_hot.copy(), TINY, 0.0, GAMMA, *lams, rng)

    return {
        "REINFORCE in the corridor": (
            CORRIDOR, SHARED, np.array([0.5, -0.5]), 1.0,
            lambda trial, theta, rng: linear_reinforce(trial(CORRIDOR), SHARED, theta, TINY, 1.0, rng),
        ),
        "REINFORCE with discount": (
            ring(0.2), DENSE, theta, GAMMA, lambda trial, theta, rng: linear_reinforce(trial(ring(0.2)), DENSE, theta, TINY, GAMMA, rng),
        ),
        "REINFORCE with any baseline": (
            ring(0.2), DENSE, theta, GAMMA,
            lambda trial, theta, rng: linear_reinforce_baseline(
                trial(ring(0.2)), DENSE, theta, np.array([1.0, -2.0, 0.5]), TINY, 0.0, GAMMA, rng
            ),
        ),
        "REINFORCE with baseline in the corridor": (
            CORRIDOR, ALIKE, np.array([[-0.5], [0.5]]), 1.0,
            lambda trial, theta, rng: linear_reinforce_baseline(trial(CORRIDOR), ALIKE, theta, np.array([-12.0]), TINY, 0.0, 1.0, rng),
        ),
        "the one-step actor-critic with the true values": (ring(0.2), OneHot(4), one_hot_theta, GAMMA, critic(one_step_actor_critic)),
        "traces with the true values": (ring(0.2), OneHot(4), one_hot_theta, GAMMA, critic(actor_critic_lambda, 0.6, 0.6)),
        "full traces with any values in the corridor": (
            CORRIDOR, ALIKE, np.array([[-0.5], [0.5]]), 1.0,
            lambda trial, theta, rng: actor_critic_lambda(trial(CORRIDOR), ALIKE, theta, np.array([-5.0]), TINY, 0.0, 1.0, 1.0, 1.0, rng),
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", unbiased_updates())
def test_the_expected_update_is_the_exact_gradient(name):
    world, features, theta, gamma, run = unbiased_updates()[name]
    gradient = gradient_of(lambda t: exact.exact_return(world, policy_of(features, t), gamma), theta)
    mean, error = sampled(run, theta)
    assert np.all(np.abs(mean - gradient) < 4.5 * error + 1e-6), (mean, gradient, error)
    assert np.all(error < 0.12 * np.abs(gradient).max()), "too noisy to tell"


def test_a_good_baseline_takes_most_of_the_noise_away():
    theta, noise = np.array([[0.0], [0.0]]), []
    for baseline in (0.0, -12.0):

        def run(trial, theta, rng, baseline=baseline):
            linear_reinforce_baseline(trial(CORRIDOR), ALIKE, theta, np.array([baseline]), TINY, 0.0, 1.0, rng)

        noise.append(sampled(run, theta, 40)[1].max())
    assert noise[1] < 0.7 * noise[0]


def test_without_its_critic_seeing_states_the_one_step_update_is_biased():
    """In the corridor at the best p the gradient is zero, and the one-step update still goes right."""
    theta = np.array([[0.0], [np.log((2 - np.sqrt(2)) / (np.sqrt(2) - 1))]])
    w = np.array([-6 - 4 * np.sqrt(2)])
    mean, error = sampled(lambda trial, t, rng: one_step_actor_critic(trial(CORRIDOR), ALIKE, t, w.copy(), TINY, 0.0, 1.0, rng), theta)
    assert mean[1, 0] > 10 * error[1, 0]


@pytest.mark.parametrize("features", [OneHot(4), DENSE], ids=["one-hot", "dense"])
def test_without_traces_the_actor_critic_is_the_one_step_one(features):
    found = []
    for kind, more in ((OneStepActorCritic, {}), (ActorCriticLambda, {"lam_theta": 0.0, "lam_w": 0.0})):
        for gamma in (1.0, GAMMA):
            agent = kind(ring(0.1), seed=3, features=features, alpha_theta=0.1, alpha_w=0.2, gamma=gamma, **more)
            found.append(agent.learn(2000))
    assert (features is DENSE) or np.array_equal(found[0].theta, found[2].theta), "bit for bit"
    for one, traced in (found[0], found[2]), (found[1], found[3]):
        np.testing.assert_allclose(traced.theta, one.theta, rtol=1e-9)
        np.testing.assert_allclose(traced.w, one.w, rtol=1e-9)


def test_full_traces_are_reinforce_with_baseline_where_parameters_stand_still():
    w, moved = np.random.default_rng(1).normal(size=3), []
    for box, more in ((linear_reinforce_baseline, ()), (actor_critic_lambda, (1.0, 1.0))):
        theta = np.zeros((2, 3))
        box(Trial.of(ring(0.1), episodes=50, limit=7), DENSE, theta, w.copy(), TINY, 0.0, GAMMA, *more, np.random.default_rng(5))
        moved.append(theta / TINY)
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-5)  # the limit of 7 steps: both complete the return by a value


@pytest.mark.parametrize("terminated", [True, False])
def test_reinforce_takes_the_return_up_to_a_cut_for_the_whole(terminated):
    agent = LinearREINFORCE(OneStep(terminated), seed=1, alpha=0.5)
    agent.learn(episodes=1)
    assert np.abs(agent.theta[:, 0]).tolist() == [0.25, 0.25]  # alpha G (1 - 1/2)


def test_the_powers_of_gamma_discount_later_steps():
    """Two steps of one action value each: the second moves theta by gamma times as much."""
    chain = MDP.of({0: {a: [(1.0, 1, 0.0, False)] for a in (0, 1)}, 1: {a: [(1.0, 1, 1.0, True)] for a in (0, 1)}})
    for kind, settings in ((LinearREINFORCE, {"alpha": 0.1}), (LinearREINFORCEBaseline, {"alpha_theta": 0.1, "alpha_w": 1e-12})):
        agent = kind(chain, gamma=0.5, **settings).learn(episodes=1)
        np.testing.assert_allclose(np.abs(agent.theta), [[0.1 * 0.5 * 0.5, 0.5 * 0.1 * 1.0 * 0.5]] * 2, rtol=1e-9)
    agent = OneStepActorCritic(chain, gamma=0.5, alpha_theta=0.1, alpha_w=1e-12).learn(episodes=1)
    np.testing.assert_allclose(np.abs(agent.theta), [[0.0, 0.5 * 0.1 * 0.5]] * 2, atol=1e-9)


@pytest.mark.parametrize("terminated", [True, False])
def test_the_continuing_critic_bootstraps_where_truncated_and_not_where_terminated(terminated):
    agent = ContinuingActorCritic(OneStep(terminated), alpha_w=1.0, alpha_r=0.25)
    agent.R_bar[0], agent.w[1] = 0.5, 10.0
    agent.learn(episodes=1)
    delta = 0.5 if terminated else 10.5
    assert agent.w[0] == delta
    assert agent.R_bar[0] == 0.5 + 0.25 * delta


def average_reward(world, policy) -> tuple[float, np.ndarray]:
    """Return r(pi) and the differential values of an ergodic world, by linear algebra."""
    r, P = (policy * world.expected_reward()).sum(axis=1), np.zeros((4, 4))
    for s in range(4):
        for a in range(2):
            np.add.at(P[s], world.successor[s, a], policy[s, a] * world.probability[s, a])
    mu = np.linalg.lstsq(np.vstack([P.T - np.eye(4), np.ones(4)]), np.array([0, 0, 0, 0, 1.0]), rcond=None)[0]
    average = float(mu @ r)
    return average, np.linalg.lstsq(np.vstack([np.eye(4) - P, mu]), np.append(r - average, 0.0), rcond=None)[0]


def test_the_expected_update_of_a_continuing_task_is_the_gradient_of_the_average_reward():
    world, features, theta = ring(0.0), OneHot(4), np.random.default_rng(6).normal(size=(2, 4))
    gradient = gradient_of(lambda t: average_reward(world, policy_of(features, t))[0], theta)
    average, values = average_reward(world, policy_of(features, theta))
    means = []
    for seed in range(60):
        moved, rng, R_bar = theta.copy(), np.random.default_rng(seed), np.array([average])
        continuing_actor_critic(Trial.of(world, steps=4000), features, moved, values.copy(), R_bar, TINY, 0.0, 0.0, 0.0, 0.0, rng)
        means.append((moved - theta) / TINY / 4000)
    error = np.std(means, axis=0, ddof=1) / np.sqrt(60)
    assert np.all(np.abs(np.mean(means, axis=0) - gradient) < 4.5 * error + 0.002), "within errors, and the start's transient"
    assert np.all(error < 0.12 * np.abs(gradient).max())


def test_the_continuing_agent_finds_average_reward_and_a_better_policy():
    world = ring(0.0)
    best = max(average_reward(world, np.eye(2)[[(k >> s) & 1 for s in range(4)]])[0] for k in range(16))
    agent = ContinuingActorCritic(world, alpha_theta=0.02, alpha_w=0.05, alpha_r=0.005, lam_theta=0.5, lam_w=0.5).learn(200_000)
    average = average_reward(world, agent.learned_policy())[0]
    assert average > average_reward(world, np.full((4, 2), 0.5))[0] + 0.9 * (best - average_reward(world, np.full((4, 2), 0.5))[0])
    assert agent.R_bar[0] == pytest.approx(average, abs=0.15)


def test_they_find_the_random_policy_of_the_corridor_and_a_table_of_values_does_not():
    for kind, alpha_theta, alpha_w in ((LinearREINFORCEBaseline, 0.001, 0.02), (ActorCriticLambda, 0.0005, 0.01)):
        agent = kind(hidden_corridor(), seed=2, alpha_theta=alpha_theta, alpha_w=alpha_w)
        agent.limit = 1000
        agent.learn(episodes=3000)
        assert agent.probabilities(0)[1] == pytest.approx(2 - np.sqrt(2), abs=0.12)
    greedy = agents.Sarsa(hidden_corridor(), seed=2, epsilon=0.1, alpha=0.05)
    greedy.limit = 1000
    assert greedy.learn(episodes=500).history["return"][-100:].mean() < -25.0


def test_values_are_those_of_its_own_policy_where_there_is_a_model():
    agent = LinearREINFORCEBaseline("FrozenLake-v1", gamma=0.9).learn(episodes=200)
    assert agent.learned_policy().shape == (16, 4)
    assert agent.values().shape == agent.exact_values().shape == (16,)
    assert agent.true_error() < 1.0
    with pytest.raises(ValueError, match="critic and a model"):
        LinearREINFORCE("FrozenLake-v1").true_error()
    with pytest.raises(ValueError, match="critic and a model"):
        LinearREINFORCEBaseline("MountainCar-v0").exact_values()


def test_features_of_pairs_are_for_policies_without_a_critic():
    with pytest.raises(ValueError, match="features of states"):
        ActorCriticLambda(short_corridor(), features=corridor_features())


class Asks(gym.Env):
    """One step, whose reward is minus the squared distance of the action from a target; it refuses what is out of bounds."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float64)

    def __init__(self, bound=3.0, k=1):
        self.action_space = gym.spaces.Box(-bound, bound, (k,), np.float64)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        return np.zeros(1), -float(np.sum((action - 1.0) ** 2)), True, False, {}


@pytest.mark.parametrize("k", [1, 3])
def test_gaussian_policies_find_a_known_optimum_and_become_sure_of_it(k):
    first = GaussianREINFORCE(Asks(k=k), seed=1, features="bias", alpha=0.002).learn(episodes=6000)
    second = GaussianActorCritic(Asks(k=k), seed=1, features="bias", alpha_theta=0.01, alpha_w=0.1).learn(episodes=4000)
    for agent in (first, second):
        mu, sigma = agent.mean_and_deviation(np.zeros(1))
        np.testing.assert_allclose(mu, 1.0, atol=0.15)
        assert np.all(sigma < 0.4)
        assert agent.predict(np.zeros(1))[0] == pytest.approx(mu)
        assert agent.predict(np.zeros((4, 1)))[0].shape == (4, k)


def test_actions_are_clipped_on_their_way_and_learned_from_as_they_were_drawn():
    for kind, settings in ((GaussianREINFORCE, {"alpha": 1e-6}), (GaussianActorCritic, {"alpha_theta": 1e-6, "alpha_w": 1e-12})):
        agent = kind(Asks(bound=0.01), seed=4, features="bias", **settings)  # every action is out of bounds; Asks refuses such
        agent.learn(episodes=1)
        reward = -(((0.01 if agent.theta_mu[0, 0] < 0 else -0.01) - 1.0) ** 2)  # a reward below zero pushes away from the action
        score = agent.theta_mu[0, 0] / 1e-6 / reward
        assert abs(score) > 0.02, "beyond the bounds"
        assert agent.theta_sigma[0, 0] / 1e-6 / reward == pytest.approx(score * score - 1.0, rel=1e-3)


def test_what_they_cannot_do_is_said_in_one_sentence():
    with pytest.raises(ValueError, match="take ActorCriticLambda"):
        GaussianActorCritic("CartPole-v1")
    with pytest.raises(ValueError, match="take GaussianActorCritic"):
        ActorCriticLambda("Pendulum-v1")
    agent = GaussianActorCritic("Pendulum-v1", features="vector")
    with pytest.raises(ValueError, match="mean_and_deviation"):
        agent.action_values(np.zeros(3))
    with pytest.raises(ValueError, match="finitely many actions"):
        agent.exact_values()
