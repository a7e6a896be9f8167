"""Mutants of chapter 12, prediction: each mistaken update rule breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated, mutated_kernel

from rlcourse.agents.traces.lambda_returns import lambda_return
from rlcourse.agents.traces.offline_lambda_return import offline_lambda_return
from rlcourse.agents.traces.online_lambda_return import online_lambda_return
from rlcourse.agents.traces.sarsa_lambda import sarsa_lambda
from rlcourse.agents.traces.td_lambda import td_lambda
from rlcourse.agents.traces.true_online_td_lambda import true_online_td_lambda

RUNS = 20
MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "lambda-returns that always value by the weights of the episode": ("12.3", offline_lambda_return, "w if current else", ""),
    "an off-line algorithm that forgets the last update": ("12.3", offline_lambda_return, "in range(T):", "in range(T - 1):"),
    "an off-line algorithm that halves the step size": ("12.3", offline_lambda_return, "alpha * (G", "0.5 * alpha * (G"),
    "TD(lambda) without lambda in its trace": ("12.6", td_lambda, "z *= gamma * lam", "z *= gamma"),
    "TD(lambda) without a trace": ("12.6", td_lambda, "z *= gamma * lam", "z *= 0.0"),
    "TD(lambda) whose trace fades too late": ("12.2", td_lambda, "add(z, 1.0, x)", "add(z, gamma * lam, x)"),
    "TD(lambda) that bootstraps from a terminal state": ("12.2", td_lambda, "R if terminated else", ""),
    "true online TD(lambda) with an accumulating trace": ("12.8", true_online_td_lambda, "dutch = 1.0 -", "dutch = 1.0 - 0.0 *"),
    "true online TD(lambda) that forgets V_old in the trace's part": ("12.8", true_online_td_lambda, "delta + V - V_old", "delta"),
    "true online TD(lambda) that forgets V_old in x's part": ("12.8", true_online_td_lambda, "-alpha * (V - V_old)", "0.0"),
    "true online TD(lambda) that keeps the wrong V_old": ("12.8", true_online_td_lambda, "V_old, x = V_, x_", "V_old, x = V, x_"),
    "an on-line algorithm that does not go back": ("12.8", online_lambda_return, "w[:] = w_0", "w[:] = w"),
    "an on-line algorithm that values by the first weights": ("12.8", online_lambda_return, "v_hat(xs[-1], w)", "v_hat(xs[-1], w_0)"),
}
OF_THE_EXAMPLE = {
    "Sarsa(lambda) whose trace fades by gamma alone": ("gamma * lam)", "gamma)"),
    "Sarsa(lambda) whose trace forgets": ("gamma * lam)", "0.0)"),
    "Sarsa(lambda) that marks the next pair": ("imprint(z, x, A, traces", "imprint(z, x_, A_, traces"),
}
OF_THE_RETURN = {
    "a lambda-return without 1 - lambda": ("12.2", "(1.0 - lam) * v", "v"),
    "a lambda-return that misses the last reward": ("12.2", "range(h - 1, t - 1, -1)", "range(h - 2, t - 1, -1)"),
    "a lambda-return that bootstraps from a terminal state": ("12.2", "0.0 if terminated else", ""),
    "a lambda-return with the state's own value": ("12.3", "v = v_hat(xs[k], w)", "v = v_hat(xs[k - 1], w)"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    options = {} if figure == "12.2" else {"runs": RUNS}
    with mutated(box, old, new):
        assert broken_claims(figure, **options), what


@pytest.mark.parametrize("what", sorted(OF_THE_RETURN))
def test_a_mutant_of_the_lambda_return_breaks_a_claim(what):
    figure, old, new = OF_THE_RETURN[what]
    options = {} if figure == "12.2" else {"runs": RUNS}
    with mutated_kernel(offline_lambda_return, lambda_return, old, new):
        assert broken_claims(figure, **options), what


@pytest.mark.parametrize("what", sorted(OF_THE_EXAMPLE))
def test_a_mutant_of_sarsa_lambda_breaks_a_claim_of_the_example(what):
    with mutated(sarsa_lambda, *OF_THE_EXAMPLE[what]):
        assert broken_claims("example-12.1"), what


@pytest.mark.parametrize("figure", ["12.3", "12.6", "12.8"])
def test_with_as_few_runs_and_no_mutant_all_claims_hold(figure):
    assert not broken_claims(figure, runs=RUNS)
