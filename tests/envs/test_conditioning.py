"""Trials of conditioning: time lines, phases, and the US as a reward."""

import gymnasium as gym
import numpy as np
import pytest

from rlcourse.core import exact
from rlcourse.envs import ConditioningTrials, conditioning_trials
from rlcourse.envs.conditioning import EXPERIMENTS

RNG = np.random.default_rng(0)


def lived(world) -> tuple[list[int], list[float]]:
    """Live a trial; return its states and its rewards."""
    states, rewards, over = [world.reset(RNG)], [], False
    while not over:
        state, reward, over, truncated = world.step(states[-1], 0, RNG)
        assert not truncated
        states.append(state)
        rewards.append(reward)
    return states, rewards


def test_the_us_at_a_time_is_the_reward_of_the_step_that_leads_there():
    world = ConditioningTrials.of([{"CSA": (0, 2), "US": (3, 2, 0.5)}], steps=6)
    states, rewards = lived(world)
    assert states == list(range(7))
    assert rewards == [0.0, 0.0, 0.5, 0.5, 0.0, 0.0]
    assert world.stimuli[0, :, 0].tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_a_us_may_end_a_trial_of_one_step():
    world = ConditioningTrials.of([{"CSA": (0, 1), "US": (1, 1)}], steps=1)
    assert lived(world) == ([0, 1], [1.0])


def test_phases_follow_one_another_and_the_last_trial_goes_on():
    world = ConditioningTrials.of([{"CSA": (0, 1)}, {"CSB": (1, 1)}], [(1, 2), (0, 1)], steps=3)
    assert [lived(world)[0][0] for _ in range(5)] == [4, 4, 0, 0, 0]
    assert world.stimuli[1, :, 1].tolist() == [0, 1, 0, 0]


def test_a_seed_turns_the_schedule_back():
    env = gym.make("rlcourse/ConditioningTrials-v0", experiment="second-order")
    starts = []
    for trial in range(81):
        starts.append(env.reset(seed=1 if trial == 0 else None)[0])
        while not env.step(0)[2]:
            pass
    assert starts == [0] * 80 + [111]
    assert env.reset(seed=1)[0] == 0


def test_a_trial_that_was_left_begins_again():
    world = ConditioningTrials.of([{"CSA": (0, 1)}, {"CSB": (1, 1)}], [(1, 1), (0, 1)], steps=3)
    assert world.step(world.reset(RNG), 0, RNG)[0] == 5
    assert lived(world)[0][0] == 4
    assert lived(world)[0][0] == 0


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_model_is_what_is_lived(experiment):
    world = conditioning_trials(experiment)
    v = exact.v_pi(world.model(), np.ones((world.us.size, 1)), 0.9)
    states, rewards = lived(world)
    expected = sum(0.9**k * r for k, r in enumerate(rewards))
    assert v[states[0]] == pytest.approx(expected, abs=1e-12)
    assert v[states[-1]] == 0.0


@pytest.mark.parametrize(
    ("kinds", "phases", "sentence"),
    [
        ([{"CSA": (0, 9), "US": (1, 1)}], [(0, 1)], "CSA from 0 for 9"),
        ([{"CSA": (0, 1), "US": (0, 1)}], [(0, 1)], "US from 0"),
        ([{"CSA": (0, 1)}], [(1, 1)], "phases of its kinds"),
        ([{"US": (1, 1)}], [(0, 1)], "needs a CS"),
    ],
)
def test_wrong_time_lines_are_refused(kinds, phases, sentence):
    with pytest.raises(ValueError, match=sentence):
        ConditioningTrials.of(kinds, phases, steps=5)


def test_an_unknown_experiment_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="egger-miller"):
        conditioning_trials("pavlov")


def test_the_text_shows_time_lines_and_the_time():
    env = gym.make("rlcourse/ConditioningTrials-v0", experiment="delay", render_mode="ansi")
    env.reset(seed=0)
    env.step(0)
    assert env.render() == "CSA ####......\nUS  ....##....\n     ^ 1\n"


def test_predictions_show_in_the_picture():
    env = gym.make("rlcourse/ConditioningTrials-v0", render_mode="rgb_array").unwrapped
    env.reset(seed=0)
    plain = env.render()
    env.overlay = {"values": np.ones(env.world.us.size)}
    assert env.render().shape[0] > plain.shape[0]
