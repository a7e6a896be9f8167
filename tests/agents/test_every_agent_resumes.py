"""Every agent resumes exactly, and its files and states are its own."""

import gymnasium as gym
import pytest
from every_agent import (
    BOXED,
    DEEP,
    DETERMINISTIC,
    EVERY,
    LEARNERS,
    ROLLOUT,
    SUITED,
    Opaque,
    acts_in,
    differences,
    known,
    learn,
    learned,
    make,
    small_env,
)
from gymnasium import spaces
from resuming import CASES, VARIANTS, differences_by_stop

from rlcourse import agents
from rlcourse.core.evaluation import evaluate
from rlcourse.core.files import DamagedFile
from rlcourse.envs import cliff_walk


@pytest.mark.parametrize("name", EVERY)
def test_learning_saving_loading_and_learning_on_is_learning_in_one_go(name, tmp_path):
    interrupted, whole = learn(make(name), 6), learn(learn(make(name), 6), 6)
    resumed = learn(type(interrupted).load(interrupted.save(tmp_path / "agent.safetensors")), 6)
    assert differences(resumed.state_dict(), whole.state_dict()) == []
    assert resumed.history.columns == whole.history.columns
    if name in BOXED:  # for them a call of learn leaves no trace: one call of 12 episodes is the same too
        assert differences(learn(make(name), 12).state_dict(), whole.state_dict()) == []
    else:
        assert differences(make(name).learn(2 * 6 * ROLLOUT).state_dict(), whole.state_dict()) == []


@pytest.mark.parametrize("name", [name for name in DEEP if acts_in(name, spaces.Box)])
def test_deep_agents_also_resume_exactly_with_box_actions_schedules_and_normalisation(name, tmp_path):
    wanted = {"normalize_observations": True, "normalize_rewards": True, "learning_rate": "linear(0.001234567, 0, 1234567)"}
    settings = known(name, **wanted)
    first = make(name, "Pendulum-v1", **settings).learn(4 * ROLLOUT)
    resumed = type(first).load(first.save(tmp_path / "agent.safetensors"))
    assert resumed.config == first.config
    assert differences(resumed.learn(4 * ROLLOUT).state_dict(), make(name, "Pendulum-v1", **settings).learn(8 * ROLLOUT).state_dict()) == []


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_stopped_at_three_points_an_agent_goes_on_exactly_in_worlds_in_foreign_environments_and_in_copies(name, kind, tmp_path):
    found = differences_by_stop(name, kind, tmp_path)
    assert len(found) == 3
    assert not any(found.values()), found


@pytest.mark.parametrize("what", VARIANTS)
def test_priorities_noise_schedules_masks_and_windows_go_on_exactly_in_foreign_environments_too(what, tmp_path):
    name, settings, *around = VARIANTS[what]
    found = differences_by_stop(name, "gymnasium", tmp_path, None, {"n_envs": 2} | settings, *around)
    assert len(found) == 3
    assert not any(found.values()), found


@pytest.mark.parametrize("name", LEARNERS)
def test_evaluating_in_the_environment_it_learns_in_changes_nothing_for_a_learner(name):
    undisturbed, disturbed = (make(name, Opaque(gym.make("FrozenLake-v1"))) for _ in range(2))
    undisturbed.learn(episodes=20)
    disturbed.learn(episodes=10)
    evaluate(disturbed, disturbed.env, 3)
    disturbed.learn(episodes=10)
    assert differences(learned(undisturbed), learned(disturbed)) == []


@pytest.mark.parametrize("name", EVERY)
def test_one_seed_gives_one_result_and_another_seed_another(name):
    def run(seed):
        return {k: v for k, v in learn(make(name, seed=seed), 20).state_dict().items() if k != "rng"}

    assert differences(run(1), run(1)) == []
    assert name in DETERMINISTIC or differences(run(1), run(2)) != []


@pytest.mark.parametrize("name", EVERY)
def test_a_file_that_is_not_the_agents_is_refused(name, tmp_path):
    agent, path = make(name), tmp_path / "agent.safetensors"
    agent.save(path)
    other = getattr(agents, next(other for other in EVERY if other != name))
    with pytest.raises(ValueError, match=f"holds a {name}, not a {other.__name__}"):
        other.load(path)
    others = {"FrozenLake-v1": "CliffWalking-v1", "CartPole-v1": "Acrobot-v1", "Pendulum-v1": "MountainCarContinuous-v0"}
    with pytest.raises(ValueError, match="needs a game" if name in SUITED else "was trained on"):
        type(agent).load(path, env=others.get(small_env(name), "CliffWalking-v1"))
    assert type(agents.load(path)) is type(agent)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DamagedFile):
        type(agent).load(path)
    with pytest.raises(FileNotFoundError):
        type(agent).load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("name", EVERY)
def test_a_state_is_a_copy_and_of_one_class_only(name):
    agent = learn(make(name), 3)
    state = agent.state_dict()
    learn(agent, 3)
    other = make(name, seed=9)
    other.load_state_dict(state)
    assert differences(learn(other, 3).state_dict(), agent.state_dict()) == []
    with pytest.raises(ValueError, match="state of a Stranger"):
        agent.load_state_dict(state | {"class": "Stranger"})


def test_an_agent_that_names_no_environment_asks_for_one(tmp_path):
    path = agents.QLearning(cliff_walk()).save(tmp_path / "q.safetensors")
    with pytest.raises(ValueError, match="pass env="):
        agents.QLearning.load(path)
    assert agents.QLearning.load(path, env=cliff_walk()).Q.shape == (48, 4)


@pytest.mark.parametrize("name", EVERY)
def test_a_file_names_its_environment_only_where_the_id_alone_makes_it(name, tmp_path):
    id = small_env(name)
    variants = {"FrozenLake-v1": {"is_slippery": False}, "CartPole-v1": {"sutton_barto_reward": True}, "Pendulum-v1": {"g": 5.0}}
    options = variants.get(id, {"draw": 0.25})
    path = tmp_path / "agent.safetensors"
    make(name, gym.make(id, render_mode="rgb_array")).save(path)
    assert getattr(agents, name).load(path).env.spec.id == id
    for other in (gym.make(id, **options), gym.make(id, max_episode_steps=7)):
        make(name, other).save(path)
        with pytest.raises(ValueError, match="pass env="):
            getattr(agents, name).load(path)
