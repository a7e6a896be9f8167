"""The figure zeroshot: what is held out stays so, and what breaks its claims."""

import dataclasses

import numpy as np
import pytest

from rlcourse import figures
from rlcourse.figures.experiment import settings_of

MODULE, SETTINGS = figures.load("zeroshot"), settings_of("zeroshot")
AT = {arm: j for j, arm in enumerate(SETTINGS.arms)}
SPLIT = {split: i for i, split in enumerate(SETTINGS.splits)}


def data(**changes):
    """What the figure would be made of, had all come as it says; changes are zero-shot accuracies by "split arm"."""
    trained = np.array([MODULE.lingo_pairs(split) for split in SETTINGS.splits])
    zero = {split: {"token": 0.85, "late one-hot": 0.5, "no task": 0.05, "separate nets": 0.3, "token, LSTM": 0.1} for split in SPLIT}
    for name, accuracy in changes.items():
        split, arm = name.split("_", 1)
        zero[split][arm.replace("_", " ")] = accuracy
    accuracy = np.ones((len(SPLIT), len(AT), SETTINGS.runs, 4, 4))
    for i, split in enumerate(SPLIT):
        for j, arm in enumerate(AT):
            for run in range(SETTINGS.runs):
                accuracy[i, j, run][~trained[i]] = zero[split][arm] + 0.01 * (run % 2)
    return {"accuracy": accuracy, "trained": trained}


def broken(changed):
    return [claim.text for claim in MODULE.claims(changed, SETTINGS) if not claim.holds]


def test_zero_shot_as_it_should_be_keeps_every_claim():
    assert not broken(data())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"diagonal_token": 0.7}, "at least 0.79"),
        ({"diagonal_token": 0.6}, "above chance"),
        ({"diagonal_no_task": 0.4}, "no better than chance"),
        ({"diagonal_separate_nets": 0.9}, "separate ones do not: diagonal"),
        ({"english_separate_nets": 0.9}, "and English-centric"),
        ({"diagonal_token,_LSTM": 0.85}, "does less"),
    ],
)
def test_zero_shot_that_is_none_breaks_a_claim(change, words):
    assert [text for text in broken(data(**change)) if words in text], broken(data(**change))


def test_pairs_that_were_not_learned_break_a_claim():
    changed = data()
    changed["accuracy"][SPLIT["diagonal"], AT["token"]] *= 0.8
    assert "with the token, trained pairs are learned: 0.9" in broken(changed)


@pytest.mark.parametrize("split", SETTINGS.splits)
@pytest.mark.parametrize("arm", SETTINGS.arms)
def test_no_arm_ever_meets_a_held_out_pair_and_all_pairs_are_measured(split, arm, monkeypatch):
    met = []
    learn = MODULE.learned

    def noted(job, pairs, updates):
        agent = learn(job, pairs, updates)
        met.append(agent.venv.world.pairs)
        return agent

    monkeypatch.setattr(MODULE, "learned", noted)
    small = dataclasses.replace(SETTINGS, updates=4, batch=8)
    found = MODULE.accuracies(MODULE.Job(split, arm, 0, small))
    assert np.array_equal(np.logical_or.reduce(met), MODULE.lingo_pairs(split))
    assert len(met) == (4 if arm == "separate nets" else 1)
    assert (found > 0.02).all() or arm != "token", "an untrained policy is right now and then in every pair"


def test_the_task_reaches_the_arms_that_are_told_and_no_other():
    """Two states that differ in the task alone look the same only where it is not told."""
    for arm in SETTINGS.arms:
        world = MODULE.world(MODULE.Job("diagonal", arm, 0, SETTINGS), MODULE.lingo_pairs("all"))
        seen = [world.observe((1.0, task, 2.0, 0.0, 5.0, 7.0, 3.0)) for task in (0.0, 1.0)]
        assert np.array_equal(*seen) == (arm in ("no task", "separate nets"))
