"""Mutants of chapter 13: each mistake in a policy gradient breaks a claim of its figure."""

import pytest
from harness import broken_claims, mutated

from rlcourse.agents.policy_gradient.actor_critic_lambda import actor_critic_lambda
from rlcourse.agents.policy_gradient.gaussian_actor_critic import gaussian_actor_critic
from rlcourse.agents.policy_gradient.gaussian_reinforce import gaussian_reinforce
from rlcourse.agents.policy_gradient.linear_reinforce import linear_reinforce
from rlcourse.agents.policy_gradient.linear_reinforce_baseline import linear_reinforce_baseline
from rlcourse.agents.policy_gradient.one_step_actor_critic import one_step_actor_critic

MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "REINFORCE with the reward of the step instead of the return": ("13.1", linear_reinforce, "G[t]", "R"),
    "REINFORCE that learns half as fast": ("13.1", linear_reinforce, "alpha * discount", "0.5 * alpha * discount"),
    "a baseline that is never learned": ("13.2", linear_reinforce_baseline, "alpha_w * delta", "0.0 * delta"),
    "a baseline that is added": ("13.2", linear_reinforce_baseline, "G[t] - v_hat(x, w)", "G[t] + v_hat(x, w)"),
    "a baseline that is left out of the policy's step": ("13.2", linear_reinforce_baseline, "discount * delta", "discount * G[t]"),
    "an actor that follows the target instead of the error": (
        "section-13.5",
        one_step_actor_critic,
        "alpha_theta * delta",
        "alpha_theta * R",
    ),
    "a mean that learns half as fast": (
        "section-13.7",
        gaussian_reinforce,
        "add_mean_score(theta_mu, step,",
        "add_mean_score(theta_mu, 0.5 * step,",
    ),
    "a deviation that is never learned": (
        "section-13.7",
        gaussian_reinforce,
        "add_deviation_score(theta_sigma, step,",
        "add_deviation_score(theta_sigma, 0.0,",
    ),
    "a Gaussian actor that follows the reward alone": (
        "section-13.7",
        gaussian_actor_critic,
        "alpha_theta * delta, z_mu",
        "0.5 * alpha_theta * R, z_mu",
    ),
    "a terminal state that has a value": ("section-13.5", actor_critic_lambda, "R if terminated else R + gamma", "R + gamma"),
    "traces that do not fade": ("section-13.5", actor_critic_lambda, "gamma * lam_theta)", "gamma)"),
    "traces that fade at once": ("section-13.5", actor_critic_lambda, "gamma * lam_theta)", "0.0)"),
}


RUNS = {"13.1": 16, "13.2": 16, "section-13.5": 10, "section-13.7": 20}  # enough for a mistake


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure, runs=RUNS[figure]), what
