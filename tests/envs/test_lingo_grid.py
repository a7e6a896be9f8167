"""LingoGrid: who understands the mission always earns 1, nobody else does; text and tokens are one."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from lingo_worlds import reader, same_behind_tokens
from pixel_worlds import two_speeds_agree
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import lingo_grid
from rlcourse.wrappers import TextTokens

ID = "rlcourse/LingoGrid-v0"
TASKS = ("2go", "2take", "2avoid", "2opposite")


def path_to(seen, wanted):
    """The moves that lead the agent onto an object, as a person would read them from the planes."""
    color, kind = wanted
    here = np.argwhere((seen["scene"][:, :, color] == 1) & (seen["scene"][:, :, 2 + kind] == 1))
    assert len(here) == 1
    down, right = here[0] - (4, 4)
    return [2 if down > 0 else 0] * abs(down) + [1 if right > 0 else 3] * abs(right)


def play(env, seed, obeys=True):
    """Read and do what is asked, or the contrary; return the return and the task."""
    seen, _ = env.reset(seed=seed)
    task, (color, kind) = reader(seen["mission"])
    named, opposite = (color, kind), (1 - color, 1 - kind)
    wanted = {"2go": named, "2take": named, "2avoid": opposite, "2opposite": opposite}[task]
    if not obeys:
        wanted = named if task in ("2avoid", "2opposite") else opposite
    total = 0.0
    for move in [*path_to(seen, wanted), 5 if task == "2take" else 4]:
        _, reward, over, _, _ = env.step(move)
        total += reward
    assert over
    return total, task


def test_whoever_understands_all_languages_earns_one_and_whoever_does_the_contrary_nothing():
    env = gym.make(ID, languages=6)
    played = [play(env, seed) for seed in range(200)]
    assert {total for total, _ in played} == {1.0}
    assert {task for _, task in played} == set(TASKS)
    assert {play(env, seed, obeys=False)[0] for seed in range(200)} == {0.0}


def test_stop_and_take_are_told_apart_and_do_nothing_on_an_empty_cell():
    grid = lingo_grid()
    here = (0.0, 0.0, 1.0, 7.0, 3.0, 7.0, 20.0, 21.0)
    assert grid.step(here, 4, None)[1:] == (1.0, True, False), "go: stop at object 1"
    assert grid.step(here, 5, None)[1:] == (0.0, True, False)
    assert grid.step((0.0, 1.0, *here[2:]), 5, None)[1:] == (1.0, True, False), "take"
    assert grid.step((0.0, 1.0, *here[2:]), 4, None)[1:] == (0.0, True, False)
    assert grid.step((0.0, 2.0, *here[2:]), 4, None)[1] == 0.0, "avoid"
    assert all(grid.step((0.0, 2.0, n, *here[3:]), 4, None)[1] == 1.0 for n in (0.0, 2.0, 3.0))
    assert [grid.step((0.0, 3.0, n, *here[3:]), 4, None)[1] for n in (0.0, 1.0, 2.0, 3.0)] == [0, 0, 1, 0], "opposite: blue ball, red key"
    empty = (0.0, 0.0, 1.0, 8.0, 3.0, 7.0, 20.0, 21.0)
    assert grid.step(empty, 4, None) == grid.step(empty, 5, None) == (empty, 0.0, False, False)
    assert grid.step((*empty[:3], 0.0, *empty[4:]), 3, None)[0][3] == 0.0, "the border"
    assert grid.step((*empty[:3], 24.0, *empty[4:]), 0, None)[0][3] == 19.0


def test_agent_and_objects_begin_in_five_different_cells_all_alike_and_held_out_pairs_are_never_drawn():
    envs = WorldVectorEnv(lingo_grid(pairs="english"), 20_000)
    envs.reset(seed=0)
    states = envs.states.astype(int)
    assert all(len(set(row)) == 5 for row in states[:500, 3:].tolist())
    for column in states[:, 3:].T:
        assert np.bincount(column, minlength=25) == pytest.approx(800, abs=160)
    assert not ((states[:, 0] > 0) & (states[:, 1] > 0)).any()


@pytest.mark.parametrize("tell", ["token", "onehot", "none"])
def test_both_speeds_agree_to_the_bit_on_the_lingo_grid(tell):
    assert two_speeds_agree(lingo_grid(tell=tell, pairs="diagonal"))


@pytest.mark.filterwarnings("ignore")
def test_its_text_passes_gymnasiums_checker_and_its_tokens_both_on_the_grid():
    check_env(gym.make(ID).unwrapped, skip_render_check=True)
    tokens = TextTokens(gym.make(ID), gym.make(ID).unwrapped.world.vocabulary, 5)
    check_env(tokens, skip_render_check=True)
    sb3_check_env(tokens)


@pytest.mark.parametrize("options", [{}, {"tell": "onehot", "languages": 3, "side": 4}])
def test_copies_of_the_grid_behind_text_tokens_are_compiled_and_see_the_very_same(options):
    assert same_behind_tokens(gym.make(ID, **options), length=5)
    assert same_behind_tokens(gym.make(ID, **options), length=7, shuffled=True, known=30)


def test_what_is_seen_moves_against_the_agent():
    grid = lingo_grid(side=3)
    for agent in range(9):
        scene = grid.observation_space.unpack(grid.observe((0.0, 0.0, 0.0, float(agent), 0.0, 2.0, 6.0, 8.0)))["scene"]
        corner = scene[2 - agent // 3 :, 2 - agent % 3 :][:3, :3]
        assert corner[[0, 0, 2, 2], [0, 2, 0, 2]].tolist() == [[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]]
        assert scene.sum() == 8


def test_its_time_limit_holds_behind_text_tokens():
    from rlcourse.core.copies import as_vector

    assert as_vector(TextTokens(gym.make(ID), gym.make(ID).unwrapped.world.vocabulary, 5), 2).max_episode_steps == 40


def test_the_text_of_the_grid_is_mission_and_map():
    env = gym.make(ID, render_mode="ansi")
    env.reset(seed=0, options={"state": (0.0, 1.0, 2.0, 7.0, 3.0, 7.0, 20.0, 24.0)})
    lines = ["  .  .  . RB  .", "  .  .Ark  .  .", "  .  .  .  .  .", "  .  .  .  .  .", " GB  .  .  . GK", ""]
    assert env.render() == "2take please the green ball (task 1)\n" + "\n".join(lines)


@pytest.mark.parametrize(("options", "word"), [({"side": 2}, "side"), ({"languages": 0}, "languages"), ({"tell": "x"}, "tell")])
def test_a_lingo_grid_that_cannot_be_is_refused(options, word):
    with pytest.raises(ValueError, match=f"^{word} must"):
        lingo_grid(**options)
