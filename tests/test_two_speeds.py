"""Every box of the package, found and not listed: compiled and interpreted it does the same, bit for bit."""

import copy
import importlib
import inspect
import pkgutil
from typing import NamedTuple

import numba
import numpy as np
import pytest

import rlcourse
from rlcourse.agents import ExpectedSarsa, QLearning, Sarsa
from rlcourse.agents.planning.learned_model import LearnedModel, Predecessors
from rlcourse.agents.planning.queue import PriorityQueue
from rlcourse.core import policies
from rlcourse.core.box import Box, register_for_cpu
from rlcourse.core.gymworld import as_world
from rlcourse.core.observed import observed
from rlcourse.core.sum_tree import new_tree, tree_set
from rlcourse.core.trial import Trial
from rlcourse.envs import CartPole, Pendulum, cliff_walk, tic_tac_toe, windy_gridworld
from rlcourse.features import TableFeatures, Vector

T, N, S, A = 12, 3, 48, 4
OF_STATES = (  # boxes whose features are of states alone
    "emphatic_td",
    "emphatic_td_lambda",
    "expected_emphatic_td",
    "expected_gtd2",
    "expected_naive_residual_gradient",
    "expected_residual_gradient",
    "expected_td",
    "expected_tdc",
    "gradient_mc",
    "gtd2",
    "gtd_lambda",
    "htd_lambda",
    "lstd",
    "n_step_emphatic_td",
    "n_step_off_policy_semi_gradient_td",
    "n_step_semi_gradient_td",
    "naive_residual_gradient",
    "off_policy_td_lambda",
    "offline_lambda_return",
    "online_lambda_return",
    "rescorla_wagner",
    "residual_gradient",
    "semi_gradient_off_policy_td0",
    "semi_gradient_td0",
    "td_lambda",
    "td_model",
    "tdc",
    "true_online_td_lambda",
    "truncated_td_lambda",
)
ACTORS = ("actor_critic_lambda", "continuing_actor_critic", "linear_reinforce_baseline", "one_step_actor_critic")  # and theta is [A, d]


def boxes() -> dict[str, Box]:
    found = {}
    for layer in ("core", "agents"):
        package = importlib.import_module(f"rlcourse.{layer}")
        for info in pkgutil.walk_packages(package.__path__, f"rlcourse.{layer}."):
            module = importlib.import_module(info.name)
            found |= {
                f"{info.name}.{name}": value
                for name, value in vars(module).items()
                if isinstance(value, Box) and value.__module__ == info.name
            }
    return found


def trial(steps: int = 3000) -> Trial:
    return Trial.of(cliff_walk(), steps=steps, limit=200)


def argument(name: str, function: str, rng: np.random.Generator):
    """Make an argument of a box by its name; a new name needs a line here."""
    if function == "_fill_keys":
        return {"seed": 5, "keys": np.zeros(9, np.int64)}[name]
    vector, bandit = function.startswith("vector_"), function.endswith("_bandit")
    planning = function.startswith(("dyna_q", "prioritized_sweeping"))  # with a model that they learn
    data = {
        "world": lambda: CartPole() if vector else trial(),
        "model": lambda: LearnedModel.of(S, A) if planning else cliff_walk(),
        "predecessors": lambda: Predecessors.of(S, A),
        "queue": lambda: PriorityQueue.of(S * A),
        "last": lambda: np.zeros((S, A), np.int64),
        "time": lambda: np.zeros(1, np.int64),
        "kappa": lambda: 0.05,
        "untried": lambda: True,
        "Q": lambda: np.zeros(A) if bandit else np.zeros((S, A)),
        "V": lambda: np.zeros(S),
        "Q1": lambda: np.zeros((S, A)),
        "Q2": lambda: np.zeros((S, A)),
        "visits": lambda: np.zeros(S),
        "totals": lambda: np.zeros(S),
        "followed": lambda: np.zeros((S, S)),
        "tails": lambda: np.zeros((S, S)),
        "alpha": lambda: 0.3,
        "gamma": lambda: 0.97,
        "epsilon": lambda: 0.2,
        "theta": lambda: 1e-6,
        "pi": lambda: np.zeros(A) if bandit else np.zeros(S, np.int64),
        "count": lambda: np.zeros(1, np.int64),
        "sweeps": lambda: 40,
        "tolerance": lambda: 1e-8,
        "lam": lambda: 0.8,
        "beta": lambda: 0.05 if "differential" in function else 1.0,
        "beta_without": lambda: 0.5,
        "clip": lambda: True,
        "sigma": lambda: 0.6,
        "N0": lambda: 10.0,
        "episodes": lambda: np.zeros(1),
        "noise": lambda: 1.0,
        "w": lambda: np.zeros(40),
        "online": lambda: True,
        "current": lambda: True,
        "A_inv": lambda: np.eye(40),
        "b": lambda: np.zeros(40),
        "interest": lambda: 1.0 if function in ("emphatic_td", "expected_emphatic_td") else rng.random(S),
        "v": lambda: np.zeros(40),
        "control": lambda: False,
        "features": lambda: TableFeatures.of(rng.integers(-1, 40, (S, A, 3))),
        "traces": lambda: 2,
        "R_bar": lambda: np.zeros(1),
        "mu": lambda: np.full(S, 1.0 / S),
        "M": lambda: np.full(S, 1.0 / S),
        "path": lambda: np.zeros((30, 40)),
        "draw": lambda: True,
        "control_variates": lambda: True,
        "policy": lambda: np.full((S, A), 1.0 / A),
        "behavior": lambda: rng.dirichlet(np.ones(A), S),
        "target_epsilon": lambda: 0.1,
        "n": lambda: 2 if vector else 3,
        "H": lambda: np.zeros(A),
        "N": lambda: np.zeros(A) if bandit else np.zeros(S) if function == "mc_prediction" else np.zeros((S, A)),
        "C": lambda: np.zeros(S) if function == "importance_sampling" else np.zeros((S, A)),
        "starts": lambda: np.arange(0, S, 5),
        "first_visit": lambda: True,
        "weighted": lambda: False,
        "baseline": lambda: True,
        "c": lambda: 2.0,
        "mean": lambda: np.zeros(2),
        "rng": lambda: np.random.default_rng(7),
        "rewards": lambda: np.zeros(N) if vector else rng.normal(size=(T, N)),
        "values": lambda: rng.normal(size=(T, N)),
        "next_values": lambda: rng.normal(size=(T, N)),
        "terminated": lambda: np.zeros(N, bool) if vector else rng.random((T, N)) < 0.2,
        "ended": lambda: rng.random((T, N)) < 0.4,
        "states": lambda: rng.uniform(-0.05, 0.05, (N, 4)),
        "like": lambda: (0.0, 0.0, 0.0, 0.0),
        "observations": lambda: np.zeros((N, 4), np.float32),
        "final": lambda: np.zeros((N, 4), np.float32),
        "truncated": lambda: np.zeros(N, bool),
        "lengths": lambda: np.zeros(N, np.int64),
        "scores": lambda: np.zeros(N),
        "mask": lambda: np.array([True, False, True]),
        "actions": lambda: np.array([0, 1, 1]),
        "limit": lambda: 1,
        "pairs": lambda: np.arange(S * A),
        "updates": lambda: np.zeros(S, np.int64),
        "base": lambda: np.full((S, A), 1.0 / A),
        "depth": lambda: 20,
        "keep": lambda: True,
        "S": lambda: 36,
        "stored": lambda: rng.random((T, N)) < 0.9,
        "returns": lambda: np.zeros(T * N, np.float32),
        "discounts": lambda: np.zeros(T * N, np.float32),
        "ends": lambda: np.zeros(T * N, np.int64),
        "slots": lambda: np.arange(T * N),
        "priorities": lambda: rng.random(T * N),
        "masses": lambda: rng.random(T * N),
        "tree": lambda: a_tree(T * N, rng),
        "mode": lambda: 0,
        "alpha_theta": lambda: 0.01,
        "alpha_w": lambda: 0.1,
        "alpha_r": lambda: 0.05,
        "lam_theta": lambda: 0.8,
        "lam_w": lambda: 0.6,
        "theta_mu": lambda: np.zeros((1, 4)),
        "theta_sigma": lambda: np.zeros((1, 4)),
        "low": lambda: np.full(1, -2.0),
        "high": lambda: np.full(1, 2.0),
    }
    if function == "skip_gram":
        words = {"tokens": rng.integers(0, 6, 60), "begins": np.arange(60) % 20 == 0, "vectors": rng.normal(size=(6, 5))}
        words |= {"outputs": rng.normal(size=(6, 5)), "noise": np.arange(1, 7) / 6, "kept": np.linspace(0.5, 1.1, 6)}
        words |= {"window": 3, "shrink": True, "negative": 2, "epochs": 2, "min_alpha": 0.05}
        data |= {word: lambda word=word: words[word] for word in words}
    if function == "uniform_walk":
        walk = {"world": trial(), "n": A, "limit": 50, "states": np.zeros(2000, np.int64), "begins": np.zeros(2000, np.bool_)}
        data |= {part: lambda part=part: walk[part] for part in walk}
    if function == "linear_reinforce":  # the preferences of pairs share their parameters
        data |= {"theta": lambda: np.zeros(40), "alpha": lambda: 0.001}
    if function in ACTORS:
        data |= {"theta": lambda: np.zeros((A, 40))}
    if function.startswith("gaussian_"):  # actions that are numbers
        pendulum, steps = observed(Pendulum(), finite_only=False), 1000
        data |= {"world": lambda: Trial.of(pendulum, steps=steps, limit=50), "features": lambda: Vector(3), "w": lambda: np.zeros(4)}
        data |= {"alpha": lambda: 1e-5, "alpha_theta": lambda: 1e-4, "alpha_w": lambda: 1e-3}
    if function in OF_STATES or function in ACTORS:  # values of states, over vectors
        data |= {"features": lambda: TableFeatures.of(rng.normal(size=(S, 40)) / 10), "w": lambda: np.zeros(40)}
    if function.startswith("afterstate_"):
        game, codes = tic_tac_toe("self"), 3**9
        data |= {
            "game": lambda: game,
            "world": lambda: Trial.of(game, steps=3000),
            "V": lambda: np.full(codes, 0.5),
            "states": lambda: np.arange(200),
            "Q": lambda: np.zeros((200, 9)),
            "learn_from_exploration": lambda: False,
        }
    if name not in data:
        pytest.fail(f"box {function} has a parameter {name!r} that tests/test_two_speeds.py cannot make: add a line to argument()")
    return data[name]()


def a_tree(leaves: int, rng: np.random.Generator) -> np.ndarray:
    """A sum tree with priorities, some of them zero."""
    tree = new_tree(leaves)
    tree_set.python(tree, np.arange(0, leaves, 2), rng.random(len(range(0, leaves, 2))))
    return tree


def same(a, b) -> bool:
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.random.Generator):
        return a.bit_generator.state == b.bit_generator.state
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


LOOPS = {name for name, box in boxes().items() if list(inspect.signature(box.python).parameters) == ["count", "arguments"]}  # of kernels


@pytest.mark.parametrize("name", sorted(boxes().keys() - LOOPS))  # the loops: tests/core/test_kernels_on_threads.py
def test_a_box_does_the_same_compiled_and_interpreted(name):
    box = boxes()[name]
    made = [argument(p, box.__name__, np.random.default_rng(3)) for p in inspect.signature(box.python).parameters]
    slow, fast = copy.deepcopy(made), copy.deepcopy(made)
    answer_slow, answer_fast = box.python(*slow), box.compiled(*fast)
    assert same(tuple(slow), tuple(fast)), "the arguments differ afterwards"
    assert answer_slow is answer_fast is None or same(answer_slow, answer_fast)


@pytest.mark.parametrize("world", [cliff_walk(), windy_gridworld(kings_moves=True, stochastic=True)])
@pytest.mark.parametrize("kind", [Sarsa, QLearning, ExpectedSarsa])
def test_an_agent_learns_the_same_table_at_both_speeds(kind, world):
    fast, slow = kind(world, seed=5), kind(world, seed=5)
    module = importlib.import_module(kind.__module__)
    box = next(value for value in vars(module).values() if isinstance(value, Box))
    fast.learn(4000)
    try:
        box.compiled, original = box.python, box.compiled
        slow.learn(4000)
    finally:
        del box.compiled
    assert original is not None
    assert np.array_equal(fast.Q, slow.Q)
    assert np.array_equal(fast.history.rows, slow.history.rows)


class WithMethod(NamedTuple):
    """Has a method of a name that is a field elsewhere."""

    a: int

    def outcome(self, k):
        """Return a number."""
        return self.a + k


class WithField(NamedTuple):
    """Has a field of a name that is a method elsewhere."""

    outcome: np.ndarray


def test_a_method_of_one_named_tuple_may_be_a_field_of_another():
    total = Box(lambda first, second: first.outcome(1) + second.outcome[0])
    assert total.compiled(WithMethod(2), WithField(np.array([4]))) == 7


def test_time_limits_are_carried_over():
    assert as_world("FrozenLake-v1")[1] == 100
    assert as_world("Taxi-v4")[1] == 200
    assert as_world("rlcourse/CliffWalk-v0")[1] == 1000


def test_the_package_has_boxes():
    assert len(boxes()) >= 9, "discovery is broken"
    assert rlcourse.__version__


@pytest.mark.parametrize("name", sorted(name for name in boxes() if ".core.returns." in name))
def test_estimates_in_single_precision_differ_by_rounding_only(name):
    """Compiled code computes in float64 and rounds when it stores; the interpreter stays in float32."""
    box, rng = boxes()[name], np.random.default_rng(3)
    made = [argument(p, box.__name__, rng) for p in inspect.signature(box.python).parameters]
    made = [part.astype(np.float32) if getattr(part, "dtype", None) == np.float64 else part for part in made]
    slow, fast = box.python(*made), box.compiled(*made)
    assert slow.dtype == fast.dtype == np.float32
    np.testing.assert_allclose(slow, fast, rtol=1e-5, atol=1e-5)


def test_a_box_with_a_parameter_that_cannot_be_made_is_reported_with_what_to_add():
    with pytest.raises(pytest.fail.Exception, match=r"parameter 'zeta' .* add a line to argument\(\)"):
        argument("zeta", "new_box", np.random.default_rng(0))


KERNELS = {  # arguments of what draws or computes over a vector; `test_every_kernel_is_known_here` insists on all of them
    "epsilon_greedy": lambda v, rng: (v, 0.3, rng),
    "epsilon_greedy_probabilities": lambda v, rng: (v, 0.3),
    "expected_value": lambda v, rng: (v, 0.3),
    "greedy": lambda v, rng: (v, rng),
    "sample": lambda v, rng: (np.full(len(v), 1.0 / len(v)), rng),
    "softmax": lambda v, rng: (v, 0.7),
    "uniform": lambda v, rng: (len(v), rng),
}


def test_every_kernel_is_known_here():
    assert set(policies.__all__) == set(KERNELS), "add the arguments of the new policy to KERNELS"


@pytest.mark.parametrize("size", [1, 2, 9, 130])
@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_policy_does_the_same_compiled_and_interpreted(name, size):
    function = getattr(policies, name)
    values = np.round(np.random.default_rng(size).normal(size=size), 1)  # rounded, so that there are ties
    slow, fast = KERNELS[name](values, np.random.default_rng(7)), KERNELS[name](values, np.random.default_rng(7))
    register_for_cpu([])
    compiled = numba.njit(error_model="numpy")(function)
    for _ in range(20):
        assert np.array_equal(function(*slow), compiled(*fast))
    assert same(slow, fast)
