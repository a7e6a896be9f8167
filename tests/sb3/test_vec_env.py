"""Vectorised environments there and back: stable-baselines3's DummyVecEnv and Gymnasium's SyncVectorEnv are each other's oracles."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecMonitor, VecNormalize

from rlcourse import agents
from rlcourse.agents import PPO
from rlcourse.core.catalogue import ENVIRONMENTS, world_of
from rlcourse.core.copies import as_vector
from rlcourse.core.packing import Packed
from rlcourse.core.vector import WorldVectorEnv
from rlcourse.envs import CartPole
from rlcourse.sb3 import agent_class, from_vec_env, to_vec_env

SAME = AutoresetMode.SAME_STEP
PACKED = [entry.id for entry in ENVIRONMENTS if isinstance(world_of(entry.id).observation_space, Packed)]


class Counter(gym.Env):
    """The observation is the step of the episode; it terminates at `end`, or is truncated there by a TimeLimit around it."""

    action_space = gym.spaces.Discrete(2)
    observation_space = gym.spaces.Box(0, 100, (1,), np.float32)
    metadata = {"render_modes": ["rgb_array"]}
    render_mode = "rgb_array"

    def __init__(self, end: int) -> None:
        self.end, self.t, self.episodes, self.label = end, 0, 0, "plain"

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.episodes = 0, self.episodes + 1
        return np.zeros(1, np.float32), {"episode_number": self.episodes, "seed": -1 if seed is None else seed, "options": str(options)}

    def step(self, action):
        self.t += 1
        return np.full(1, self.t, np.float32), 0.1 * self.t, self.t == self.end, False, {"t": self.t, "half": {"t": self.t / 2}}

    def plus(self, number):
        return self.end + number

    def render(self):
        return np.full((4, 4, 3), self.t, np.uint8)


MAKERS = [lambda: Counter(3), lambda: TimeLimit(Counter(100), 4), lambda: TimeLimit(Counter(5), 7)]


def sync(mode=SAME, makers=MAKERS):
    return SyncVectorEnv(makers, autoreset_mode=mode)


def plain(value):
    """What can be compared by ==; two NaNs are equal."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return np.asarray(value).tolist() if np.ndim(value) == 0 or np.asarray(value).dtype != object else [plain(part) for part in value]


def assert_equal(a, b):
    assert plain(a) == plain(b)


def test_a_gymnasium_vector_environment_is_what_stable_baselines3_would_have_made():
    theirs, ours = DummyVecEnv(MAKERS), to_vec_env(sync())
    for venv in (theirs, ours):
        venv.seed(7)
        venv.set_options({"a": 1})
    assert_equal(theirs.reset(), ours.reset())
    assert_equal(theirs.reset_infos, ours.reset_infos)
    assert ours.reset_infos[1]["seed"] == 8
    for t in range(1, 20):
        actions = np.zeros(3, np.int64)
        wanted, got = theirs.step(actions), ours.step(actions)
        np.testing.assert_allclose(wanted[1], got[1], rtol=1e-6)
        for a, b in zip((wanted[0], wanted[2], wanted[3]), (got[0], got[2], got[3]), strict=True):
            assert_equal(a, b)
        assert_equal(theirs.reset_infos, ours.reset_infos)
        if t == 4:
            assert got[3][1]["terminal_observation"].tolist() == [4]
            assert got[3][1]["TimeLimit.truncated"] is True
            assert got[0][1].tolist() == [0], "the first observation of the next episode"


def test_there_and_back_again_is_the_identity_for_gymnasium():
    plain_env, round_trip = sync(), from_vec_env(to_vec_env(sync()))
    assert round_trip.metadata["autoreset_mode"] == SAME
    assert round_trip.observation_space == plain_env.observation_space
    assert round_trip.single_action_space == plain_env.single_action_space
    for a, b in zip(plain_env.reset(seed=3), round_trip.reset(seed=3), strict=True):
        assert_equal(a, b)
    ends = {"terminated": 0, "truncated": 0}
    for _ in range(40):
        wanted, got = plain_env.step(np.zeros(3, np.int64)), round_trip.step(np.zeros(3, np.int64))
        infos = {key: value for key, value in got[4].items() if key.removeprefix("_") != "episode"}
        for a, b in zip((*wanted[:4], wanted[4]), (*got[:4], infos), strict=True):
            assert_equal(a, b)
        ends = {"terminated": ends["terminated"] + got[2].sum(), "truncated": ends["truncated"] + got[3].sum()}
        assert ("_episode" in got[4]) == bool(got[2].any() or got[3].any())
    assert ends["terminated"] > 10
    assert ends["truncated"] >= 10


def test_there_and_back_again_is_the_identity_for_stable_baselines3():
    plain_env, round_trip = DummyVecEnv(MAKERS), to_vec_env(from_vec_env(DummyVecEnv(MAKERS)))
    for venv in (plain_env, round_trip):
        venv.seed(1)
    assert_equal(plain_env.reset(), round_trip.reset())
    for _ in range(40):
        wanted, got = plain_env.step(np.zeros(3, np.int64)), round_trip.step(np.zeros(3, np.int64))
        infos = [{key: value for key, value in info.items() if key != "episode"} for info in got[3]]
        for a, b in zip((*wanted[:3], wanted[3]), (*got[:3], infos), strict=True):
            assert_equal(a, b)
        assert_equal(plain_env.reset_infos, round_trip.reset_infos)


@pytest.mark.parametrize("make", [lambda: to_vec_env(sync()), lambda: to_vec_env(from_vec_env(DummyVecEnv(MAKERS)))])
def test_attributes_methods_and_wrappers_of_single_copies_are_reached(make):
    venv = make()
    venv.reset()
    assert venv.get_attr("end") == [3, 100, 5]
    assert venv.get_attr("end", indices=1) == [100]
    assert venv.env_method("plus", 2, indices=[0, 2]) == [5, 7]
    venv.set_attr("label", "painted", indices=[0, 2])
    assert venv.get_attr("label") == ["painted", "plain", "painted"]
    assert venv.env_is_wrapped(TimeLimit) == [False, True, True]
    assert venv.has_attr("label")
    assert not venv.has_attr("nothing")
    assert venv.render_mode == "rgb_array"
    assert venv.render().shape == (8, 8, 3)
    assert [picture.shape for picture in venv.get_images()] == [(4, 4, 3)] * 3
    venv.close()


def test_copies_of_a_world_share_their_attributes():
    venv = to_vec_env(WorldVectorEnv(CartPole(), 3, 500))
    before = venv.get_attr("gravity")
    assert before == [9.8] * 3
    venv.reset()
    venv.step(np.zeros(3, np.int64))
    venv.set_attr("gravity", 1.0)
    assert venv.get_attr("gravity", indices=[2]) == [1.0]
    with pytest.raises(AttributeError, match="all copies at once"):
        venv.set_attr("gravity", 2.0, indices=[0])
    assert venv.get_attr("render_mode") == [None] * 3
    assert venv.env_is_wrapped(TimeLimit) == [False] * 3
    venv.step(np.zeros(3, np.int64))


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_every_mode_of_resetting_looks_the_same_to_stable_baselines3(mode):
    reference, env = to_vec_env(sync()), to_vec_env(sync(mode))
    back = from_vec_env(to_vec_env(sync(mode)))
    assert back.metadata["autoreset_mode"] == SAME
    assert_equal(reference.reset(), env.reset())
    back.reset()
    for _ in range(20):
        wanted, got = (venv.step(np.zeros(3, np.int64)) for venv in (reference, env))
        assert_equal(wanted, got)
        told = ([{**info, "options": ""} for info in venv.reset_infos] for venv in (reference, env))  # by mask they are {}, not None
        assert_equal(*told)
        assert_equal(back.step(np.zeros(3, np.int64))[0], wanted[0])


def test_a_model_learns_the_same_in_every_mode_of_resetting():
    weights = []
    for mode in AutoresetMode:
        agent = agent_class("dqn")(sync(mode), learning_starts=20, buffer_size=200, batch_size=8, seed=0).learn(120)
        weights.append(agent.model.policy.state_dict())
        ended = agent.model.replay_buffer.next_observations[:40, :, 0]
        assert (ended == agent.model.replay_buffer.observations[:40, :, 0] + 1).all(), "no row leads into the next episode"
    for other in weights[1:]:
        assert all(torch.equal(one, other[key]) for key, one in weights[0].items())


def test_a_seed_makes_both_sides_the_same_cartpole():
    def makers():
        return [lambda: gym.make("CartPole-v1")] * 4

    theirs, ours = DummyVecEnv(makers()), to_vec_env(sync(makers=makers()))
    for venv in (theirs, ours):
        venv.seed(11)
    assert_equal(theirs.reset(), ours.reset())
    rng = np.random.default_rng(0)
    for _ in range(200):
        actions = rng.integers(2, size=4)
        wanted, got = theirs.step(actions), ours.step(actions)
        assert_equal(wanted[0], got[0])
        assert_equal(wanted[2], got[2])


def test_observations_that_stable_baselines3_keeps_are_not_overwritten():
    venv = to_vec_env(as_vector("CartPole-v1", 2))  # as_vector's copies write into one array
    venv.seed(0)
    first = venv.reset()
    kept = first.copy()
    venv.step(np.zeros(2, np.int64))
    assert (first == kept).all()


def test_dictionaries_and_tuples_pass():
    class Parts(Counter):
        observation_space = gym.spaces.Dict({"a": gym.spaces.Box(0, 9, (2,), np.float32), "b": gym.spaces.Discrete(4)})

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return {"a": np.zeros(2, np.float32), "b": 0}, {}

        def step(self, action):
            _, reward, terminated, truncated, _ = super().step(action)
            return {"a": np.full(2, self.t, np.float32), "b": self.t}, reward, terminated, truncated, {}

    theirs, ours = DummyVecEnv([lambda: Parts(3)] * 2), to_vec_env(sync(makers=[lambda: Parts(3)] * 2))
    back = from_vec_env(DummyVecEnv([lambda: Parts(3)] * 2))
    assert_equal(theirs.reset(), ours.reset())
    back.reset()
    for _ in range(7):
        wanted, got = theirs.step(np.zeros(2, np.int64)), ours.step(np.zeros(2, np.int64))
        assert_equal(wanted[0], got[0])
        assert_equal([info.get("terminal_observation", 0) for info in wanted[3]], [info.get("terminal_observation", 0) for info in got[3]])
        assert_equal(back.step(np.zeros(2, np.int64))[0], wanted[0])


def test_our_agents_learn_in_normalised_and_stacked_vec_envs_and_report_raw_returns():
    venv = DummyVecEnv([lambda: Monitor(gym.make("CartPole-v1"))] * 4)
    venv = VecNormalize(VecFrameStack(venv, 2))
    agent = PPO(from_vec_env(venv), n_steps=32, batch_size=64, n_epochs=2, seed=0).learn(2048)
    assert agent.observation_space.shape == (8,)
    assert agent.num_timesteps == 2048
    assert len(agent.history) > 10
    assert (agent.history["return"] == agent.history["length"]).all(), "CartPole's reward is one a step; the normalised one is not"
    rewards = from_vec_env(venv)
    rewards.reset(seed=0)
    assert (rewards.step(np.zeros(4, np.int64))[1] != 1.0).all()


def test_episodes_are_counted_also_without_a_monitor():
    env = from_vec_env(DummyVecEnv(MAKERS))
    env.reset()
    found = []
    for _ in range(8):
        infos = env.step(np.zeros(3, np.int64))[4]
        if "_episode" in infos:
            found += [(i, infos["episode"]["r"][i], infos["episode"]["l"][i]) for i in np.flatnonzero(infos["_episode"])]
    assert [(i, length) for i, _, length in found] == [(0, 3), (1, 4), (2, 5), (0, 3), (1, 4)]
    np.testing.assert_allclose([score for _, score, _ in found], [0.6, 1.0, 1.5, 0.6, 1.0], rtol=1e-6)


def test_a_compiled_world_reports_its_episodes_to_stable_baselines3():
    venv = VecMonitor(to_vec_env(as_vector("CartPole-v1", 8)))
    venv.seed(0)
    venv.reset()
    ended = []
    for _ in range(100):
        _, _, dones, infos = venv.step(np.ones(8, np.int64))
        ended += [info["episode"] for info, done in zip(infos, dones, strict=True) if done]
        assert all(info["TimeLimit.truncated"] is False for info in infos)
    assert len(ended) > 40
    assert all(each["r"] == each["l"] for each in ended)


@pytest.mark.parametrize("id", PACKED)
def test_vectors_of_several_parts_come_out_as_the_single_environment_shows_them(id):
    venv, single = to_vec_env(as_vector(id, 1)), gym.make(id)
    assert venv.observation_space == single.observation_space
    venv.seed(5)
    seen, alone = venv.reset(), single.reset(seed=int(np.random.SeedSequence([5]).generate_state(1)[0]))[0]
    rng, ends = np.random.default_rng(0), 0
    for _ in range(100):
        assert {key: (part.dtype, part.shape[1:]) for key, part in seen.items()} == {
            key: (part.dtype, part.shape) for key, part in venv.observation_space.items()
        }
        assert_equal({key: part[0] for key, part in seen.items()}, alone)
        action = rng.integers(venv.action_space.n)
        seen, _, dones, infos = venv.step(np.array([action]))
        alone, _, terminated, truncated, _ = single.step(action)
        assert dones[0] == (terminated or truncated)
        if dones[0]:
            ends += 1
            assert_equal(infos[0]["terminal_observation"], alone)
            assert venv.observation_space.contains(infos[0]["terminal_observation"])
            alone, _ = single.reset()
    assert ends >= 2


@pytest.mark.parametrize("id", PACKED)
def test_models_learn_in_vectors_of_several_parts_and_go_on_from_a_file(id, tmp_path):
    ppo = {"n_steps": 8, "batch_size": 8, "n_epochs": 1, "n_envs": 2, "seed": 0}
    for env in (id, WorldVectorEnv(world_of(id), 2, 40)):
        assert agent_class("ppo")(env, **ppo).learn(32).num_timesteps == 32
    assert agent_class("dqn")(id, learning_starts=4, buffer_size=50, batch_size=4, seed=0).learn(32).model.num_timesteps == 32
    whole, half = (agent_class("ppo")(id, **ppo).learn(steps) for steps in (64, 32))
    resumed = agents.load(half.save(tmp_path / "a.safetensors")).learn(32)
    for key, weights in whole.model.policy.state_dict().items():
        assert torch.equal(weights, resumed.model.policy.state_dict()[key]), key


def test_there_are_worlds_of_several_parts():
    assert {"rlcourse/ErrandsTokens-v0", "rlcourse/LingoBanditTokens-v0", "rlcourse/LingoGridTokens-v0"} <= set(PACKED)
