"""Observations of several parts and of text: every deep agent learns from them, predicts, saves, loads and goes on."""

import gymnasium as gym
import numpy as np
import pytest
from every_agent import DEEP, ROLLOUT, acts_in, differences, learn, make
from gymnasium import spaces
from stable_baselines3.common.evaluation import evaluate_policy

from rlcourse import agents
from rlcourse.agents.deep.boundary import PackedVectorEnv
from rlcourse.core.copies import as_vector
from rlcourse.core.packing import packed

DICT = spaces.Dict({"at": spaces.Box(-1, 1, (2, 2)), "goal": spaces.Discrete(3, start=4), "board": spaces.Box(0, 255, (7, 7, 3), np.uint8)})
TUPLE = spaces.Tuple((spaces.MultiDiscrete([3, 2]), spaces.Dict({"bits": spaces.MultiBinary(3), "word": spaces.Text(4)})))
TEXT = spaces.Text(5, charset="abc")
ONE_OF = spaces.OneOf((spaces.Discrete(3), spaces.Box(-1, 1, (2,))))
PLAIN = [spaces.Box(-1, 1, (3, 2)), spaces.Discrete(4), spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(4)]


class Sampler(gym.Env):
    """Observations drawn from a space; episodes of 4 steps, every second one cut by a time limit."""

    def __init__(self, space, discrete=True):
        self.observation_space = space
        self.action_space = spaces.Discrete(2) if discrete else spaces.Box(-1, 1, (1,))
        self.episodes = 0

    def _seen(self):
        self.observation_space.seed(int(self.np_random.integers(1000)))
        return self.observation_space.sample()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.episodes = 0, self.episodes + 1
        return self._seen(), {}

    def step(self, action):
        self.t += 1
        ended = self.t == 4
        return self._seen(), float(np.sum(action)), ended and self.episodes % 2 == 0, ended and self.episodes % 2 == 1, {}


def small(name, space, **settings):
    return make(name, Sampler(space, acts_in(name, spaces.Discrete)), n_envs=1, **settings)


def goes_on_exactly(agent, path, env):
    """Save, load twice and learn: the two are one, and what was loaded is what was saved."""
    agent.save(path)
    one, two = (type(agent).load(path, env=env()) for _ in range(2))
    assert differences(agent.state_dict(), one.state_dict()) == []
    assert differences(learn(one, 2).state_dict(), learn(two, 2).state_dict()) == []
    return one


@pytest.mark.parametrize("name", DEEP)
def test_every_agent_learns_from_a_dictionary_and_goes_on_exactly(name, tmp_path):
    discrete = acts_in(name, spaces.Discrete)
    agent = small(name, DICT).learn(3 * ROLLOUT + 1)
    assert agent.observation_space == DICT
    assert agent.num_timesteps == 3 * ROLLOUT + 1
    again = goes_on_exactly(agent, tmp_path / "agent.safetensors", lambda: Sampler(DICT, discrete))
    one, state = again.predict(DICT.sample())
    assert again.action_space.contains(one)
    assert (state is None) == (not again.recurrent)
    many = {key: np.stack([part.sample() for _ in range(5)]) for key, part in DICT.spaces.items()}
    actions = again.predict(many)[0]
    np.testing.assert_allclose(actions[2], again.predict({key: part[2] for key, part in many.items()})[0], rtol=1e-4, atol=1e-5)
    mean, _ = evaluate_policy(again, Sampler(DICT, discrete), n_eval_episodes=3, warn=False)
    assert np.isfinite(mean)


@pytest.mark.parametrize("space", [TUPLE, TEXT, ONE_OF, *PLAIN], ids=lambda space: type(space).__name__)
@pytest.mark.parametrize("name", ["DQN", "PPO"])
def test_every_space_of_gymnasium_that_has_a_size_is_learned_from(name, space, tmp_path):
    agent = small(name, space).learn(2 * ROLLOUT)
    again = goes_on_exactly(agent, tmp_path / "agent.safetensors", lambda: Sampler(space))
    assert again.action_space.contains(again.predict(space.sample())[0])
    batch = [space.sample() for _ in range(3)]
    if isinstance(space, spaces.Tuple):
        batch = (np.stack([each[0] for each in batch]), {key: [each[1][key] for each in batch] for key in ("bits", "word")})
    elif not isinstance(space, spaces.OneOf | spaces.Text):
        batch = np.stack(batch)
    assert again.predict(batch)[0].shape == (3,)


def test_stable_baselines3_evaluates_an_agent_that_sees_a_tuple():
    space = spaces.Tuple((spaces.Discrete(3), spaces.Box(-1, 1, (2,))))
    assert np.isfinite(evaluate_policy(small("PPO", space).learn(ROLLOUT), Sampler(space), n_eval_episodes=2, warn=False)).all()


@pytest.mark.parametrize("name", DEEP)
def test_what_has_no_size_is_refused_in_one_sentence_and_so_is_scaling_a_dictionary(name):
    for space in (spaces.Sequence(spaces.Discrete(3)), spaces.Graph(spaces.Box(-1, 1, (2,)), None)):
        with pytest.raises(ValueError, match=rf"{name} cannot see what it is given: an observation of .* has no fixed size"):
            small(name, space)
    if hasattr(getattr(agents, name).Config, "normalize_observations"):
        with pytest.raises(ValueError, match="normalize_observations scales observations in a Box, not Dict"):
            small(name, DICT, normalize_observations=True)


def test_a_file_describes_the_space_that_the_vectors_stand_for(tmp_path):
    path = small("DQN", DICT).save(tmp_path / "agent.safetensors")
    with pytest.raises(ValueError, match="was trained on"):
        agents.DQN.load(path, env=Sampler(spaces.Dict({key: DICT[key] for key in ("at", "goal")})))


def test_the_last_observations_of_episodes_arrive_packed_too():
    packing = packed(TUPLE)
    copies = PackedVectorEnv(as_vector(Sampler(TUPLE), 1), packing)
    first, _ = copies.reset(seed=3)
    twin = Sampler(TUPLE)
    np.testing.assert_array_equal(first[0], packing.pack(twin.reset(seed=3)[0]))
    for t in range(4):
        seen, _, terminated, truncated, infos = copies.step(np.zeros(1, np.int64))
        wanted = packing.pack(twin.step(0)[0])
        assert bool(terminated[0] or truncated[0]) == (t == 3)
        if t < 3:
            np.testing.assert_array_equal(seen[0], wanted)
    np.testing.assert_array_equal(infos["final_obs"][0], wanted)
    np.testing.assert_array_equal(seen[0], packing.pack(twin.reset()[0]))
    assert copies.observation_space.contains(seen)


def test_masks_are_heeded_with_a_dictionary_too():
    class Masked(Sampler):
        def __init__(self):
            super().__init__(spaces.Dict({"at": spaces.Box(-1, 1, (2,))}))
            self.only = 0

        def _info(self):
            self.only = int(self.np_random.integers(2))
            return {"action_mask": np.arange(2) == self.only}

        def reset(self, **options):
            return super().reset(**options)[0], self._info()

        def step(self, action):
            assert action == self.only
            return *super().step(action)[:-1], self._info()

    make("DQN", Masked(), n_envs=1).learn(100)
    make("PQN", Masked(), n_envs=1).learn(100)
