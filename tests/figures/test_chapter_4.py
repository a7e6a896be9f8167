"""Mutants of chapter 4: each mistaken update rule, tie rule or model breaks a claim of its figure."""

from unittest import mock

import numpy as np
import pytest
from harness import broken_claims, mutated

from rlcourse.agents.dynamic_programming.policy_evaluation import policy_evaluation, policy_evaluation_synchronous
from rlcourse.agents.dynamic_programming.policy_iteration import policy_iteration
from rlcourse.agents.dynamic_programming.value_iteration import value_iteration, value_iteration_synchronous
from rlcourse.agents.temporal_difference.expected_sarsa import expected_sarsa
from rlcourse.agents.temporal_difference.q_learning import q_learning
from rlcourse.agents.temporal_difference.sarsa import sarsa
from rlcourse.envs import CarRental, car_rental

OPTIMIZE = "optimal_backup(model, s, V, gamma)"
MUTANTS = {  # what is wrong: figures, box, text, its replacement
    "two arrays are one": (("4.1",), policy_evaluation_synchronous, "s, old, gamma", "s, V, gamma"),
    "the discount is not one": (("4.1",), policy_evaluation_synchronous, "old, gamma)", "old, 0.9 * gamma)"),
    "evaluation in place ends too early": (("exercise-4.1", "exercise-4.2"), policy_evaluation, "< theta", "< 0.1"),
    "value iteration takes the first stake": (("4.3", "exercise-4.9"), value_iteration, OPTIMIZE, "model.expected(s, 1, V, gamma)"),
    "value iteration ends too early": (("4.3", "exercise-4.9"), value_iteration, "< theta", "< 0.001"),
    "the discount is forgotten where there is none": (("4.3", "robot-room"), value_iteration, OPTIMIZE, OPTIMIZE.replace("gamma", "0.99")),
    "policy iteration evaluates with a wrong discount": (("4.2",), policy_iteration, "pi[s], V, gamma)", "pi[s], V, 0.95 * gamma)"),
    "policy iteration improves by the immediate reward": (("4.2",), policy_iteration, "s, a, V, gamma)", "s, a, V, 0.0)"),
    "policy iteration takes an equally good action": (("4.2",), policy_iteration, "+ tolerance", "- tolerance"),
    "policy iteration never improves": (("4.2", "exercise-4.7"), policy_iteration, "pi[s] = a", "pi[s] = old_action"),
    "policy iteration stops at the first improvement": (("4.2",), policy_iteration, "policy_stable = False", "policy_stable = True"),
    "Sarsa forgets the terminal case": (("robot-room",), sarsa, "R if terminated else ", ""),
    "Sarsa has a wrong step size": (("robot-room",), sarsa, "alpha * (", "0.1 * alpha * ("),
    "Expected Sarsa expects the mean": (("robot-room",), expected_sarsa, "value(Q[S_], epsilon)", "value(Q[S_], 0.5)"),
    "Q-learning follows its exploration": (("robot-room",), q_learning, "np.max(Q[S_])", "Q[S_, epsilon_greedy(Q[S_], epsilon, rng)]"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim_of_each_figure(what):
    names, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        for figure in names:
            assert broken_claims(figure), f"{what}: {figure}"


def test_two_arrays_instead_of_one_break_the_claims_on_sweeps():
    with mock.patch("rlcourse.agents.dynamic_programming.value_iteration.value_iteration", value_iteration_synchronous):
        assert broken_claims("4.3")


def test_first_index_ties_break_the_claims_on_optimal_stakes_and_greedy_policies():
    def first(Q, tolerance=0.0):
        return np.arange(Q.shape[1]) == Q.argmax(axis=1)[:, None]

    with mock.patch("rlcourse.core.exact.optimal_actions", first):
        assert broken_claims("4.3")
    rounding = 0.0  # greedy by the accident of the last bit
    with mock.patch("rlcourse.figures.ch04.figure_4_3.solve.__defaults__", (rounding,)):
        assert broken_claims("4.3")


def few(mean, n, all_of=car_rental._masses):
    """Poisson probabilities that are cut off after 6; the tail goes where `_with_tail` puts it."""
    return all_of(mean, n) * (np.arange(n) <= 6)


def cut(masses, all_of=car_rental._with_tail):
    """No tail: what is beyond the table is left out, and the rest scaled."""
    whole = all_of(masses)
    return np.append(whole[:-1], 0.0) / max(whole[:-1].sum(), 1e-300) if len(masses) > 4 else whole


def constant_returns(self, i, day=CarRental._day):
    """Returns are replaced by their means, as a popular repository does to save time."""
    n = self.capacity + 1
    p, rented = np.zeros((n, n)), np.zeros((n, n))
    for cars in range(n):
        rentals = car_rental._with_tail(car_rental._masses(self.requests[i], n)[:cars])
        for r in range(cars + 1):
            evening = min(cars - r + int(self.returns[i]), self.capacity)
            p[cars, evening] += rentals[r]
            rented[cars, evening] += r * rentals[r]
    return p, np.divide(rented, p, out=np.zeros((n, n)), where=p > 0)


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        ("rlcourse.envs.car_rental._masses", few),
        ("rlcourse.envs.car_rental._with_tail", cut),
        ("rlcourse.envs.car_rental.CarRental._day", constant_returns),
    ],
    ids=["Poisson numbers end at 6", "the tail of rentals is left out", "returns are their means"],
)
def test_an_approximate_model_of_the_car_rental_breaks_claims(where, wrong):
    with mock.patch(where, wrong):
        assert broken_claims("4.2")


def test_a_second_car_park_of_ten_and_a_second_shuttle_break_claims():
    for wrong in (CarRental(free=1, parking=0.0), CarRental(free=0, parking=4.0), CarRental(free=1, parking=4.0, crowd=11)):
        with mock.patch.object(CarRental, "modified", lambda wrong=wrong: wrong):
            assert broken_claims("exercise-4.7"), wrong
