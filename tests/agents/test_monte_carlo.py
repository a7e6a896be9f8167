"""Monte Carlo methods against exact values, against each other, and at the edges: coverage, exploring starts, time limits."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.agents import ImportanceSampling, MCControl, MCExploringStarts, MCPrediction, OffPolicyMCControl, OffPolicyMCPrediction
from rlcourse.agents.monte_carlo.importance_sampling import importance_sampling
from rlcourse.agents.monte_carlo.mc_exploring_starts import mc_exploring_starts, states_of
from rlcourse.core import exact
from rlcourse.core.gymworld import GymWorld
from rlcourse.core.runs import Runs
from rlcourse.core.trial import Trial
from rlcourse.envs import CartPole, blackjack_game, blackjack_state, cliff_walk, infinite_variance, racetrack, staying
from rlcourse.envs.blackjack import sticks_from

GAME, TWENTY, SEEDS = blackjack_game(), sticks_from(20), range(10)


class Corridor(NamedTuple):
    """Rewards 1, 2, 3, ... for going right through states 0, 1, 2, ...; it ends after `length` steps, terminated or truncated."""

    length: int = 3
    terminates: bool = True

    @property
    def observation_space(self):
        return gym.spaces.Discrete(10)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return 0

    def step(self, state, action, rng):
        s, over = state + 1, state + 1 == self.length
        return s, float(s), over and self.terminates, over and not self.terminates

    def observe(self, state):
        return state


def test_averages_of_returns_are_the_values_of_blackjack_within_their_standard_errors():
    worst = []
    for seed in SEEDS:
        agent = MCPrediction(GAME, policy=TWENTY, seed=seed).learn(episodes=100_000)
        seen = agent.N > 0
        worst.append(np.max(np.abs(agent.V - agent.exact_values())[seen] * np.sqrt(agent.N[seen])))
    assert np.max(worst) < 5.0, worst  # standard errors of returns in [-1, 1]; measured at 300,000 episodes: 2.0 to 3.5


@pytest.mark.parametrize("first_visit", [True, False])
def test_the_only_state_is_counted_once_or_at_every_visit(first_visit):
    for seed in range(20):
        agent = MCPrediction(staying(), first_visit=first_visit, seed=seed).learn(episodes=1)
        steps = agent.history[0]["length"]
        assert agent.N[0] == (1 if first_visit else steps)
        assert agent.V[0] == pytest.approx(steps if first_visit else (steps + 1) / 2)


def test_first_visit_is_unbiased_and_every_visit_is_not():
    for first, expected in ((True, 4.0), (False, 2.5)):  # v, and (v + 1) / 2
        values = np.array([MCPrediction(staying(0.75), first_visit=first, seed=s).learn(episodes=1).V[0] for s in range(600)])
        assert values.mean() == pytest.approx(expected, abs=3.5 * values.std() / np.sqrt(600))


def test_first_visit_and_every_visit_are_one_where_no_state_comes_twice():
    one, other = (MCPrediction(GAME, policy=TWENTY, first_visit=first, seed=1).learn(episodes=3000) for first in (True, False))
    assert np.array_equal(one.V, other.V)


def test_a_step_size_replaces_the_average():
    agent = MCPrediction(Corridor(), alpha=0.5).learn(episodes=1)
    assert agent.V[:4].tolist() == [3.0, 2.5, 1.5, 0.0]
    assert agent.learn(episodes=1).V[:4].tolist() == [4.5, 3.75, 2.25, 0.0]


@pytest.mark.parametrize("weighted", [True, False])
def test_importance_sampling_from_the_policy_itself_is_plain_monte_carlo(weighted):
    plain = MCPrediction(GAME, policy=TWENTY, seed=2).learn(episodes=3000)
    ours = ImportanceSampling(GAME, policy=TWENTY, behavior=TWENTY, weighted=weighted, seed=2).learn(episodes=3000)
    np.testing.assert_allclose(ours.V, plain.V, rtol=0, atol=1e-13)
    assert not weighted or np.array_equal(ours.V, plain.V)


def test_ordinary_importance_sampling_is_unbiased_with_the_exact_variance_and_weighted_never_leaves_the_range():
    s = blackjack_state(13, 2, True)
    game, behavior, truth = blackjack_game(s), np.full((200, 2), 0.5), exact.v_pi(GAME, TWENTY, 1.0)[s]
    policy = exact.as_policy(TWENTY, 200, 2)
    first = {}
    for weighted in (False, True):
        rng, estimates = np.random.default_rng(5), []
        for _ in range(4000):
            V, trial = np.zeros(200), Trial.of(game, episodes=1, capacity=1)
            importance_sampling(trial, policy, behavior, V, np.zeros(200), weighted, True, 1.0, rng)
            estimates.append(V[s])
        first[weighted] = np.array(estimates)
    assert first[False].mean() == pytest.approx(truth, abs=3.5 * np.sqrt(10.1562 / 4000))
    assert first[False].var() == pytest.approx(10.1562, rel=0.25)
    assert set(first[True]) <= {-1.0, 0.0, 1.0}


def test_weighted_importance_sampling_of_example_5_5_is_exact_from_the_first_episode_of_left_moves_only():
    left, both = np.array([0]), np.array([[0.5, 0.5]])
    agent = ImportanceSampling(infinite_variance(), policy=left, behavior=both, seed=0)
    while agent.history["return"].sum() == 0:
        assert agent.V[0] == 0.0
        agent.learn(episodes=1)
    assert agent.V[0] == 1.0
    assert agent.learn(episodes=2000).V[0] == pytest.approx(1.0, abs=1e-12)


def test_every_visit_counts_each_time_with_its_own_ratio():
    left, both = np.array([0]), np.array([[0.5, 0.5]])
    for seed in range(30):
        agent = ImportanceSampling(infinite_variance(), policy=left, behavior=both, seed=seed, weighted=False, first_visit=False)
        agent.learn(episodes=1)
        n, won = int(agent.history[0]["length"]), agent.history[0]["return"]
        assert agent.V[0] == pytest.approx(won * sum(2.0**k for k in range(1, n + 1)) / n)


def test_action_values_from_other_episodes_come_near_the_exact_ones():
    errors = [OffPolicyMCPrediction(GAME, policy=TWENTY, seed=seed).learn(episodes=300_000).true_error() for seed in SEEDS]
    assert np.max(errors) < 0.13, errors  # measured: 0.071 to 0.096
    more = OffPolicyMCPrediction(GAME, policy=TWENTY, seed=0).learn(episodes=3_000_000).true_error()
    assert more < 0.5 * np.mean(errors)


def test_nothing_is_learned_before_the_last_action_that_the_policy_would_not_take():
    policy, both = np.eye(2)[np.zeros(10, int)], np.full((10, 2), 0.5)
    for seed in range(20):
        agent = OffPolicyMCPrediction(Corridor(5), policy=policy, behavior=both, seed=seed).learn(episodes=1)
        learned = np.flatnonzero(agent.C.sum(axis=1))
        assert learned.tolist() == list(range(learned[0], 5))
        assert agent.C[learned, agent.C[learned].argmax(axis=1)].tolist() == [2.0 ** (4 - t) for t in learned]
        assert learned[0] == 0 or agent.C[learned[0], 1] > 0, "it ends with an action of b alone"


@pytest.mark.parametrize("kind", [MCExploringStarts, OffPolicyMCControl])
def test_control_finds_a_policy_for_blackjack_that_is_nearly_worth_the_optimum(kind):
    best = exact.exact_return(GAME, exact.greedy_policy(exact.q_star(GAME, 1.0)))
    found = [exact.exact_return(GAME, kind(GAME, seed=seed).learn(episodes=1_000_000).pi) for seed in SEEDS]
    assert np.min(found) > best - 0.0025, found  # measured: within 0.0005 (exploring starts) and 0.0015 (off-policy)
    assert np.max(found) <= best + 1e-12


def test_on_policy_control_earns_nearly_what_the_best_soft_policy_does():
    soft = exact.exact_return(GAME, exact.greedy_policy(exact.soft_policy(GAME, 0.1, 1.0), 0.1))
    found = [exact.exact_return(GAME, exact.greedy_policy(MCControl(GAME, seed=seed).learn(episodes=1_000_000).Q, 0.1)) for seed in SEEDS]
    assert np.min(found) > soft - 0.003, found  # measured: within 0.0015
    assert np.max(found) <= soft + 1e-12


def test_exploring_starts_reach_every_state_and_action():
    agent = MCExploringStarts(GAME, initial=TWENTY).learn(episodes=20_000)
    assert agent.N.min() > 30
    from_reset = MCExploringStarts(GAME, initial=TWENTY, start_anywhere=False).learn(episodes=20_000)
    assert from_reset.N.min() < 5, "a pair of aces against an ace is rare where cards are dealt"


def test_states_that_an_episode_can_be_put_into():
    assert states_of(GAME).tolist() == list(range(200))
    assert len(states_of(racetrack())) == 2360
    lake = states_of(MCExploringStarts("FrozenLake-v1").world).tolist()
    assert lake == [s for s in range(16) if s not in (5, 7, 11, 12, 15)], "not in a hole, not on the goal"
    assert states_of(CartPole()).tolist() == states_of(GymWorld(gym.make("Blackjack-v1"))).tolist() == []


def test_with_reset_only_the_first_action_is_random_and_then_the_policy_acts():
    class Watched(GymWorld):
        def step(self, state, action, rng):
            taken.append(action)
            return super().step(state, action, rng)

    first, later = [], []
    pi, Q, N, rng = np.zeros(704, np.int64), np.zeros((704, 2)), np.zeros((704, 2)), np.random.default_rng(0)
    world = Watched(gym.make("Blackjack-v1"))
    for _ in range(300):
        taken: list[int] = []
        Q[:], pi[:] = 0.0, 1  # hit
        mc_exploring_starts(Trial.of(world, episodes=1), pi, Q, N, np.zeros(0, np.int64), 1.0, rng)
        first.append(taken[0])
        later += taken[1:]
    assert 120 < sum(first) < 180
    assert set(later) == {1}


def test_the_policy_of_exploring_starts_begins_as_given_and_is_saved(tmp_path):
    agent = MCExploringStarts(GAME, initial=TWENTY)
    assert np.array_equal(agent.pi, TWENTY)
    agent.learn(episodes=500)
    loaded = MCExploringStarts.load(agent.save(tmp_path / "a.safetensors"), env=GAME)
    assert np.array_equal(loaded.pi, agent.pi)
    assert np.array_equal(loaded.initial, agent.initial)


def test_many_runs_in_one_call_are_as_good_as_one_after_the_other():
    runs = Runs.of(GAME, 3, 50, [np.zeros((200, 2)), np.zeros((200, 2)), TWENTY])
    Q, N, pi = runs.tables((200, 2), (200, 2), (200,))
    mc_exploring_starts(runs, pi, Q, N, states_of(GAME), 1.0, np.random.default_rng(0))
    assert set(pi) == {0.0, 1.0}
    assert N.sum() >= 50


@pytest.mark.parametrize("kind", [ImportanceSampling, OffPolicyMCPrediction])
def test_a_behavior_that_does_not_cover_the_policy_is_refused(kind):
    with pytest.raises(ValueError, match="behavior never takes action 1 in state 0"):
        kind(GAME, policy=np.full((200, 2), 0.5), behavior=np.zeros(200, int))


@pytest.mark.parametrize("terminates", [True, False])
def test_what_a_time_limit_cuts_off_is_what_the_tables_say_of_the_state_where_it_struck(terminates):
    left = 0.0 if terminates else 0.5**3 * 8.0
    for kind in (MCPrediction, ImportanceSampling):
        agent = kind(Corridor(3, terminates), gamma=0.5)
        agent.V[3] = 8.0
        assert agent.learn(episodes=1).V[0] == pytest.approx(1 + 0.5 * 2 + 0.25 * 3 + left)
    for kind in (MCControl, MCExploringStarts, OffPolicyMCControl, OffPolicyMCPrediction):
        agent = kind(Corridor(3, terminates), gamma=0.5, **({"start_anywhere": False} if kind is MCExploringStarts else {}))
        agent.Q[3] = 8.0
        agent.learn(episodes=1)
        assert agent.Q[2].max() == pytest.approx(3 + left * 4)


def test_the_targets_of_off_policy_control_keep_their_action_while_it_is_among_the_best():
    agent = OffPolicyMCControl(cliff_walk(), epsilon=0.0)
    agent.learn(30)
    tried = agent.C.sum(axis=1) > 0
    assert np.all(agent.Q[tried, agent.pi[tried]] == agent.Q[tried].max(axis=1))
    assert np.all(agent.pi[~tried] == 0)
