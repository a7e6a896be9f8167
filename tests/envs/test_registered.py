"""Every registered environment, as its users and their tools meet it."""

import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3 import DQN
from stable_baselines3 import PPO as SB3PPO
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from rlcourse.core import vector
from rlcourse.core.catalogue import ENVIRONMENTS, world_of
from rlcourse.core.mdp import MDP

IDS = [entry.id for entry in ENVIRONMENTS]


@pytest.mark.parametrize("id", IDS)
def test_it_passes_both_checkers(id):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(gym.make(id).unwrapped)
        sb3_check_env(gym.make(id))


@pytest.mark.parametrize("id", IDS)
def test_its_entry_names_its_world(id):
    env = gym.make(id).unwrapped
    assert type(world_of(id)) is type(getattr(env, "world", world_of(id)))
    space = world_of(id).observation_space
    assert getattr(space, "original", space) == env.observation_space, "an environment shows the parts that a world's vectors stand for"


@pytest.mark.parametrize("id", IDS)
def test_illegal_actions_are_refused_and_change_nothing(id):
    env = gym.make(id).unwrapped
    env.reset(seed=0)
    before, generator = env.state, env.np_random.bit_generator.state
    illegal = (
        [-1, 99, env.action_space.n, 0.5, 1.0, np.nan, None, "left", [0, 1], True, {}]
        if isinstance(env.action_space, gym.spaces.Discrete)
        else [[np.nan], [0.0, 0.0], np.inf, "left", None, [[0.0]], {}]
    )
    for action in illegal:
        with pytest.raises(ValueError, match=r"action|could not convert"):
            env.step(action)
        assert env.state == before
        assert env.last_action is None
        assert env.np_random.bit_generator.state == generator


@pytest.mark.parametrize("id", IDS)
def test_it_draws_itself(id):
    for mode in gym.make(id).unwrapped.metadata["render_modes"]:
        env = gym.make(id, render_mode=mode)
        env.reset(seed=0)
        first = env.render()
        env.step(env.action_space.sample())
        picture = env.render()
        if mode == "rgb_array":
            assert picture.dtype == np.uint8
            assert picture.ndim == 3
            assert picture.std() > 1
        else:
            assert first.endswith("\n")
            assert picture.endswith("\n")


@pytest.mark.parametrize("id", [id for id in IDS if "ansi" in gym.make(id).unwrapped.metadata["render_modes"]])
def test_its_text_follows_its_state(id):
    env = gym.make(id, render_mode="ansi")
    texts: dict = {}

    def note():
        texts.setdefault(env.unwrapped.state, set()).add(env.render().split(";")[0].strip())  # after ";": what was done

    for seed in range(20):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        note()
        for _ in range(5):
            ended = any(env.step(env.action_space.sample())[2:4])
            note()
            if ended:
                break
    assert len(set().union(*texts.values())) > 1 or env.observation_space == gym.spaces.Discrete(1)
    assert all(len(each) == 1 for each in texts.values())


def test_every_registered_environment_has_a_picture_and_the_finite_ones_have_text():
    modes = {id: gym.make(id).unwrapped.metadata["render_modes"] for id in IDS}
    assert all("rgb_array" in found for found in modes.values())
    finite = [id for id in IDS if isinstance(world_of(id), MDP)]
    assert all("ansi" in modes[id] for id in finite)


def test_an_unknown_render_mode_is_refused():
    with pytest.raises(ValueError, match="render_mode"):
        gym.make("rlcourse/CartPole-v1", render_mode="ansi")


def test_the_text_of_the_cliff_is_its_map():
    env = gym.make("rlcourse/CliffWalk-v0", render_mode="ansi")
    env.reset(seed=0)
    env.step(0)
    free = " ".join("." * 12)
    assert env.render() == f"{free}\n{free}\nA {' '.join('.' * 11)}\nS {' '.join('#' * 10)} G\n"


@pytest.mark.parametrize("id", ["rlcourse/CliffWalk-v0", "rlcourse/WindyGridworld-v0"])
def test_values_arrows_and_path_show_in_the_picture_of_a_grid(id):
    env = gym.make(id, render_mode="rgb_array")
    env.reset(seed=0)
    draw, S = env.unwrapped._picture, env.observation_space.n
    plain = draw(None, 0)
    V = np.linspace(-9.0, 0.0, S)
    V[5] = np.nan
    valued = draw(None, 0, values=V)
    assert valued.shape[0] > plain.shape[0], "a scale below"
    assert np.array_equal(valued[:96, 5 * 48 : 6 * 48][:48], plain[:48, 5 * 48 : 6 * 48]), "no shade where there is no value"
    assert not np.array_equal(draw(None, 0, path=[0, 1, 2]), plain)
    assert not np.array_equal(draw(None, None), plain), "without the agent"
    greedy = np.full(S, 1)
    ties = np.zeros((S, 4), bool)
    ties[:, 1] = True
    assert np.array_equal(draw(None, 0, arrows=greedy), draw(None, 0, arrows=ties))
    assert np.array_equal(draw(None, 0, arrows=np.full(S, -1)), plain)


def lived(id, monkeypatch, interpreted):
    """Copies that the vector entry point makes, and what they show, at one of the two speeds."""
    envs = gym.make_vec(id, num_envs=4)
    envs.action_space.seed(0)
    with monkeypatch.context() as patch:
        if interpreted:
            patch.setattr(vector, "vector_reset", vector.vector_reset.python)
            patch.setattr(vector.vector_step, "compiled", vector.vector_step.python, raising=False)
            patch.setattr(vector.vector_step, "fastest", lambda *_: vector.vector_step.python, raising=False)
        shown = [(envs.reset(seed=0)[0],)]
        shown += [envs.step(envs.action_space.sample())[:4] for _ in range(12)]
    return envs, shown, envs.unwrapped.state_dict()


@pytest.mark.parametrize("id", IDS)
def test_the_vector_entry_point_makes_copies_that_live_the_same_life_compiled_and_interpreted(id, monkeypatch):
    envs, compiled, end = lived(id, monkeypatch, interpreted=False)
    assert envs.unwrapped.max_episode_steps == gym.spec(id).max_episode_steps
    _, interpreted, same_end = lived(id, monkeypatch, interpreted=True)
    for ours, theirs in zip(compiled, interpreted, strict=True):
        assert len(ours[0]) == 4
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    assert str(end["rng"]) == str(same_end["rng"]), "one has drawn more numbers"


SIZES = [
    ("BernoulliBandit-v0", {"n": 2.5}),
    ("BernoulliBandit-v0", {"k": 2.5}),
    ("RL2Bandit-v0", {"n": 2.5}),
    ("TMaze-v0", {"length": 2.5}),
    ("TMaze-v0", {"length": "3"}),
    ("TMaze-v0", {"length": True}),
    ("DelayedCopy3-v0", {"lag": 2.5}),
    ("SortSequence-v0", {"letters": 2.5}),
    ("SortSequence-v0", {"longest": "6"}),
    ("SortSequence-v0", {"shortest": 1.5}),
    ("LingoBandit-v0", {"languages": 2.5}),
    ("LingoBanditTokens-v0", {"kinds": "2"}),
    ("LingoGrid-v0", {"side": 4.5}),
]


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_size_that_is_no_whole_number_is_refused_by_its_name(name, size):
    for make in (gym.make, gym.make_vec):
        with pytest.raises(ValueError, match=f"^{next(iter(size))} must be a whole number[ ,]"):
            make(f"rlcourse/{name}", **size)


def test_a_fresh_process_and_a_spawned_worker_find_the_environments():
    code = (
        "import gymnasium as gym\n"
        "if __name__ == '__main__':\n"
        "    env = gym.make('rlcourse:rlcourse/CliffWalk-v0'); assert env.reset(seed=0)[0] == 36\n"
        "    make = [lambda: gym.make('rlcourse:rlcourse/CliffWalk-v0')] * 2\n"
        "    envs = gym.vector.AsyncVectorEnv(make, context='spawn'); print(envs.reset(seed=0)[0].tolist()); envs.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[36, 36]", done.stderr


def test_stable_baselines3_trains_on_our_environments():
    SB3PPO("MlpPolicy", gym.make("rlcourse/Pendulum-v1"), n_steps=64, batch_size=32, n_epochs=1, device="cpu").learn(128)
    DQN("MlpPolicy", gym.make("rlcourse/CliffWalk-v0"), learning_starts=50, buffer_size=500, device="cpu").learn(150)
    SB3PPO("MlpPolicy", gym.make("rlcourse/CartPole-v1"), n_steps=64, batch_size=32, n_epochs=1, device="cpu").learn(128)
