"""Mutants of chapter 2: each mistaken update rule breaks a claim of its figure."""

import numpy as np
import pytest
from harness import broken_claims, mutated

from rlcourse.agents.bandits.epsilon_greedy import epsilon_greedy_bandit
from rlcourse.agents.bandits.gradient import gradient_bandit
from rlcourse.agents.bandits.ucb import ucb_bandit

FIRST_OF_EQUALS = "(int(len(Q) * rng.random()) if rng.random() < epsilon else int(np.argmax(Q)))"
BOUND = "upper_confidence(Q, N, t, c, rng)"
MUTANTS = {  # what is wrong: figure, box, text, its replacement
    "action values that prefer the first of equals": ("2.2", epsilon_greedy_bandit, "epsilon_greedy(Q, epsilon, rng)", FIRST_OF_EQUALS),
    "action values that never explore": ("2.2", epsilon_greedy_bandit, "epsilon_greedy(Q, epsilon", "epsilon_greedy(Q, 0.0"),
    "a sample average with a constant step": ("2.2", epsilon_greedy_bandit, "else 1.0 / N[A]", "else 0.5"),
    "a sample average that divides by the number of all steps": ("2.2", epsilon_greedy_bandit, "1.0 / N[A]", "1.0 / np.sum(N)"),
    "a step with the wrong sign": ("2.3", epsilon_greedy_bandit, "(R - Q[A])", "(Q[A] - R)"),
    "a constant step that is a sample average": ("2.3", epsilon_greedy_bandit, "alpha if alpha > 0.0 else 1.0 / N[A]", "1.0 / N[A]"),
    "a constant step that is a sample average, under drift": (
        "exercise-2.5",
        epsilon_greedy_bandit,
        "alpha if alpha > 0.0 else 1.0 / N[A]",
        "1.0 / N[A]",
    ),
    "UCB without its bonus": ("2.4", ucb_bandit, BOUND, "upper_confidence(Q, N, t, 0.0, rng)"),
    "UCB whose clock stands still": ("2.4", ucb_bandit, "t += 1.0", "t += 0.0"),
    "UCB that prefers the first of equals": (
        "2.4",
        ucb_bandit,
        BOUND,
        "int(np.argmax(Q + c * np.sqrt(np.log(t + 1e-9) / np.maximum(N, 1e-12))))",
    ),
    "UCB that begins with random actions": (
        "2.4",
        ucb_bandit,
        BOUND,
        "(int(10 * rng.random()) if t < 11.0 else upper_confidence(Q, N, t, c, rng))",
    ),
    "a gradient bandit with the sign of its baseline wrong": ("2.5", gradient_bandit, "R - mean[0] if", "R + mean[0] if"),
    "a gradient bandit whose baseline is the last reward": ("2.5", gradient_bandit, "(R - mean[0]) / mean[1]", "R - mean[0]"),
    "a gradient bandit that always subtracts": ("2.5", gradient_bandit, "if baseline else R", "if baseline else R - mean[0]"),
    "a gradient bandit that forgets pi": ("2.5", gradient_bandit, "(chosen - pi[a])", "(chosen - 0.1)"),
    "a gradient bandit that ignores its step size": ("2.5", gradient_bandit, "alpha * better", "0.1 * better"),
    "a gradient bandit that acts greedily": ("2.5", gradient_bandit, "sample(pi, rng)", "int(np.argmax(pi))"),
}


@pytest.mark.parametrize("what", sorted(MUTANTS))
def test_a_mutant_breaks_a_claim(what):
    figure, box, old, new = MUTANTS[what]
    with mutated(box, old, new):
        assert broken_claims(figure), what


def test_averages_fail_the_parameter_study_of_drifting_values():
    with mutated(epsilon_greedy_bandit, "alpha if alpha > 0.0 else 1.0 / N[A]", "1.0 / N[A]"):
        assert any("loses less than" in text for text in broken_claims("exercise-2.11"))


@pytest.mark.parametrize(("scale", "top"), [(0.02, 1.65), (1.0, 2.5)])
def test_the_curves_of_few_problems_are_not_cut_and_the_dashed_line_keeps_its_name(scale, top):
    from matplotlib.figure import Figure

    from rlcourse.figures.ch02 import figure_2_2

    rng, figure = np.random.default_rng(0), Figure()
    data = {"reward": 1.5 + scale * rng.uniform(-1, 1, (3, 1, 50)), "optimal": rng.uniform(0, 1, (3, 1, 50))}
    figure_2_2.draw(figure, data, figure_2_2.Settings())
    above = figure.axes[0]
    assert above.get_ylim()[1] == pytest.approx(top, abs=0.1)
    assert data["reward"].max() < above.get_ylim()[1]
    (name,) = [text for text in above.texts if "best arm" in text.get_text()]
    assert name.get_bbox_patch().get_alpha() > 0.5, "a light ground on curves"
    assert name.zorder > max(line.zorder for line in above.lines)
