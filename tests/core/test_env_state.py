"""Environments are captured, and restored into copies that then go on as they would have."""

import collections
import enum
import itertools
import json
import random

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces, wrappers
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from rlcourse.core.copies import as_vector
from rlcourse.core.env_state import EnvState, Unfitting, Unreadable, cannot, capture, restore
from rlcourse.core.rehearsal import rehearse
from rlcourse.core.world import WorldEnv
from rlcourse.envs.mountain_car import MountainCar
from rlcourse.wrappers import Flicker, MaskVelocity, PreviousActionReward, RandomShift, RecurrentObservation, Window

IDS = [
    id
    for id, spec in gym.registry.items()
    if str(spec.entry_point).startswith(("gymnasium.envs.classic_control", "gymnasium.envs.toy_text")) and "vector" not in str(spec.kwargs)
]


def newest(ids):
    """Return ids without their older versions, which Gymnasium refuses to make."""
    return sorted({id.rsplit("-v", 1)[0]: id for id in sorted(ids)}.values())


WRAPPED = {
    "TimeLimit": lambda env: wrappers.TimeLimit(env, 7),
    "RecordEpisodeStatistics": wrappers.RecordEpisodeStatistics,
    "NormalizeObservation": wrappers.NormalizeObservation,
    "NormalizeReward": wrappers.NormalizeReward,
    "FrameStackObservation": lambda env: wrappers.FrameStackObservation(env, 3),
    "DelayObservation": lambda env: wrappers.DelayObservation(env, 2),
    "TimeAwareObservation": wrappers.TimeAwareObservation,
    "TransformReward": lambda env: wrappers.TransformReward(env, lambda reward: 2 * reward),
    "StickyAction": lambda env: wrappers.StickyAction(env, 0.3),
    "several": lambda env: wrappers.NormalizeObservation(wrappers.NormalizeReward(wrappers.StickyAction(env, 0.2))),
    "Flicker": Flicker,
    "MaskVelocity": MaskVelocity,
    "PreviousActionReward": PreviousActionReward,
    "Window": lambda env: Window(env, 3),
    "RecurrentObservation": lambda env: RecurrentObservation(env, "lstm", features_dim=4),
}


@pytest.mark.parametrize("id", newest(IDS))
def test_gymnasiums_small_environments_go_on_exactly_also_behind_wrappers(id):
    assert rehearse(lambda: gym.make(id)) == ""
    assert rehearse(lambda: wrappers.RecordEpisodeStatistics(wrappers.TimeLimit(wrappers.NormalizeReward(gym.make(id)), 5))) == ""


def test_all_small_environments_of_gymnasium_are_tried():
    assert len(newest(IDS)) >= 9


@pytest.mark.parametrize("name", WRAPPED)
def test_wrappers_go_on_exactly(name):
    assert rehearse(lambda: WRAPPED[name](gym.make("CartPole-v1"))) == ""


@pytest.mark.parametrize("make", [lambda: RandomShift(gym.make("rlcourse/SmallBreakout-v0")), lambda: WorldEnv(MountainCar())])
def test_worlds_behind_wrappers_go_on_exactly(make):
    assert rehearse(make) == ""


def playing(env, steps, seed=1):
    """Yield what copies show and pay."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        seen, rewards, *ends, infos = env.step(rng.integers(2, size=env.num_envs))
        yield [part.tobytes() for part in (seen, rewards, *ends)], infos.get("episode", {}).get("r", np.zeros(1)).tobytes()


@pytest.mark.parametrize("mode", AutoresetMode.__members__.values())
def test_copies_go_on_exactly_in_every_mode_of_resetting(mode):
    def copies():
        makers = [lambda: wrappers.TimeLimit(gym.make("CartPole-v1"), 9)] * 3
        return as_vector(SyncVectorEnv(makers, autoreset_mode=mode), 3)

    first, second = copies(), copies()
    first.reset(seed=5)
    list(playing(first, 13))
    state = capture(first)
    restore(second, state)
    assert list(playing(second, 40, 2)) == list(playing(first, 40, 2))


class Mood(enum.Enum):
    CALM, WILD = range(2)


class Limb:
    """A part of a creature; all its state is in Python."""

    def __init__(self, body, length):
        self.body, self.length, self.mood = body, length, Mood.CALM


Place = collections.namedtuple("Place", "x y")


class Creature(gym.Env):
    """It holds whatever Python has."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Box(-np.inf, np.inf, (6,))

    def __init__(self, strength=1.0):
        self.strength = strength
        self.board = np.zeros((3, 4))
        self.row = self.board[1]  # a part of the board
        self.dice, self.old = random.Random(0), np.random.RandomState(0)
        self.log = collections.deque(maxlen=3)
        self.seen, self.counts, self.found = set(), collections.Counter(), collections.defaultdict(list)
        self.limbs = []
        self.moves = {0: self._left, 1: lambda: None}

    def _left(self):
        self.row[0] += self.strength

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.dice.seed(seed)
            self.old.seed(seed)
        self.place, self.limbs = Place(0, np.float32(0.5)), [Limb(self, 1.0)]
        return self._observe(), {}

    def _observe(self):
        return np.array([self.board.sum(), self.place.x, len(self.seen), len(self.limbs), self.limbs[0].length, sum(self.counts.values())])

    def step(self, action):
        self.moves[int(action)]()
        roll = self.dice.randrange(6) + self.old.randint(3) + self.np_random.random() + float(self.action_space.sample())
        self.place = Place(self.place.x + roll, self.place.y)
        self.log.append(self.limbs[-1])
        self.seen.add(("at", int(roll)))
        self.counts[int(roll)] += 1
        self.found[int(roll)].append(self.log[0])
        self.limbs.append(Limb(self, roll))
        self.log[0].length += 0.125  # the same limb, wherever it is held
        self.limbs[-1].mood = Mood.WILD if roll > 4 else Mood.CALM
        calm = sum(limb.mood is Mood.CALM for limb in self.limbs)
        return self._observe(), float(calm + self.found[int(roll)][0].length), len(self.limbs) > 20, False, {}


def test_parts_of_a_part_stay_what_they_were_one_object_held_twice_included():
    assert rehearse(Creature) == ""
    first, second = Creature(), Creature()
    first.reset(seed=3)
    for action in (0, 1, 0, 0, 1):
        first.step(action)
    restore(second, capture(first))
    assert np.shares_memory(second.row, second.board)
    assert second.row[0] == first.row[0] == second.board[1, 0] > 0
    assert second.log[-1] is next(limb for limb in second.limbs if limb is second.log[-1])
    assert second.limbs[0].body is second
    assert second.moves[0].__self__ is second
    assert second.found.default_factory is list
    assert type(second.place.y) is np.float32
    second.limbs[0].mood = Mood.WILD
    assert first.limbs[0].mood is Mood.CALM


def test_a_state_is_arrays_of_bytes_and_a_table_of_the_model_is_not_in_it():
    env = gym.make("Taxi-v4")
    env.reset(seed=0)
    state = capture(env)
    assert {array.dtype for array in state.values()} == {np.dtype(np.uint8)}
    assert sum(map(len, state.values())) < 10_000
    json.loads(state["layout"].tobytes())


def test_capturing_changes_nothing_and_what_is_captured_is_a_copy():
    env, other = Creature(), Creature()
    for each in (env, other):
        each.action_space.seed(0)
        each.reset(seed=1)
    state = capture(env)
    before = [array.tobytes() for array in state.values()]
    env.step(0)
    assert [array.tobytes() for array in state.values()] == before
    restore(env, state)
    assert [array.tobytes() for array in capture(env).values()] == before


def test_numbers_that_are_none_and_infinite_ones_come_back():
    env = Creature()
    env.reset(seed=0)
    env.odd = (float("nan"), float("-inf"), np.float64("nan"), 2**80, -0.0, b"\x00\xff", 1 + 2j, frozenset({1}), np.array(["ab"]))
    env.stacked = np.array([None, Mood.WILD, [1]], dtype=object)
    env.columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    env.columns.flags.writeable = False
    other = Creature()
    restore(other, capture(env))
    assert repr(other.odd) == repr(env.odd)
    assert other.stacked.tolist() == [None, Mood.WILD, [1]]
    assert other.columns.flags.f_contiguous
    assert not other.columns.flags.writeable


class Told(gym.Wrapper):
    """A wrapper that tells its state by itself; the engine inside could not be read."""

    def __init__(self, env):
        super().__init__(env)
        self.engine = itertools.count()

    def reset(self, **options):
        self.engine = itertools.count()
        return self.env.reset(**options)

    def step(self, action):
        seen, reward, *rest = self.env.step(action)
        return seen, reward + next(self.engine), *rest

    def state_dict(self):
        return {"next": self.engine.__reduce__()[1][0]}

    def load_state_dict(self, state):
        self.engine = itertools.count(state["next"])


def test_a_layer_with_state_dict_is_asked_and_the_environment_inside_is_captured_still():
    assert rehearse(lambda: Told(wrappers.NormalizeReward(gym.make("CartPole-v1")))) == ""


class Hidden(gym.Wrapper):
    def step(self, action):
        seen, reward, *rest = self.env.step(action)
        return seen, reward + random.random(), *rest


class Reading(gym.Wrapper):
    def __init__(self, env):
        super().__init__(env)
        self.file = open(__file__)  # noqa: SIM115

    def close(self):
        self.file.close()


def test_what_cannot_be_captured_is_named_in_one_sentence():
    for env in (wrappers.NormalizeReward(Reading(gym.make("CartPole-v1"))),):
        assert cannot(env) == "Reading.file holds a value of class TextIOWrapper, whose state cannot be read"
        with pytest.raises(Unreadable, match=r"Reading\.file"):
            capture(env)
        env.close()
    copies = AsyncVectorEnv([lambda: gym.make("CartPole-v1")])
    assert "AsyncVectorEnv has its copies in other processes" in cannot(copies)
    copies.close()


def test_a_rehearsal_finds_what_an_environment_draws_elsewhere_and_leaves_that_as_it_is():
    python, numpy = random.getstate(), np.random.get_state()[1].tobytes()  # noqa: NPY002
    assert "rewards differ from step 1 on" in rehearse(lambda: Hidden(gym.make("CartPole-v1")))
    assert random.getstate() == python
    assert np.random.get_state()[1].tobytes() == numpy  # noqa: NPY002
    Creature.action_space.seed(4)
    before = Creature.action_space.np_random.bit_generator.state
    rehearse(Creature)
    assert Creature.action_space.np_random.bit_generator.state == before


def test_a_rehearsal_that_fails_says_how():
    def make():
        raise OSError("no licence")

    assert rehearse(make) == "a rehearsal ended with OSError: no licence"


@pytest.mark.parametrize("id", ["LunarLander-v3", "InvertedPendulum-v5", "ale_py:ALE/Pong-v5"])
def test_physics_engines_and_emulators_hide_their_state(id):
    try:
        env = gym.make(id)
    except (gym.error.Error, ImportError):
        pytest.skip(f"{id} is not installed")
    assert "whose state cannot be read" in cannot(env)
    assert "whose state cannot be read" in rehearse(lambda: gym.make(id))
    env.close()


def test_an_environment_that_was_made_otherwise_is_refused_and_left_alone():
    first = wrappers.NormalizeReward(gym.make("CartPole-v1"))
    first.reset(seed=0)
    other = gym.make("CartPole-v1")
    other.reset(seed=1)
    before = capture(other)
    with pytest.raises(Unfitting, match="where the state has a NormalizeReward, this environment has a TimeLimit"):
        restore(other, capture(first))
    assert capture(other)["layout"].tobytes() == before["layout"].tobytes()


def test_an_environment_with_other_constants_begins_new_episodes():
    saved, stronger, same = EnvState(Creature(1.0)), EnvState(Creature(2.0)), EnvState(Creature(1.0))
    saved.env.reset(seed=0)
    saved.env.step(0)
    state = saved.state_dict()
    assert not stronger.load_state_dict(state)
    assert stronger.missed == "this environment differs from the saved one in strength"
    assert stronger.env.strength == 2.0
    assert same.load_state_dict(state)
    assert same.missed == ""


def test_a_generator_that_is_an_agents_is_the_agents_again():
    agents, others = np.random.default_rng(1), np.random.default_rng(2)
    first, second = gym.make("FrozenLake-v1"), gym.make("FrozenLake-v1")
    first.reset(seed=0)
    first.unwrapped.np_random = agents
    restore(second, capture(first, {"rng": agents}), {"rng": others})
    assert second.unwrapped.np_random is others


def test_bytes_of_a_file_are_never_taken_for_addresses():
    env = gym.make("CartPole-v1")
    env.reset(seed=0)
    state = capture(env)
    text = state["layout"].tobytes().decode()
    hostile = text.replace('"dtype":"float64"', '"dtype":"O"').replace('"dtype":"<f8"', '"dtype":"O"')
    assert hostile != text
    with pytest.raises(Unfitting, match="array of object"):
        restore(gym.make("CartPole-v1"), state | {"layout": np.frombuffer(hostile.encode(), np.uint8)})


@pytest.mark.parametrize(
    "hurt", [{"is": "array"}, {"is": "nothing"}, {"is": "same", "id": 9}, {"is": "layer", "class": "TimeLimit", "vars": [[1, 2, 3]]}, {}]
)
def test_a_state_that_is_not_whole_is_refused_in_a_sentence_and_nothing_has_changed(hurt):
    env = gym.make("CartPole-v1")
    env.reset(seed=0)
    state = capture(env)
    before = env.unwrapped.state.copy()
    layout = json.loads(state["layout"].tobytes())
    layout["env"]["vars"][-1][1] = hurt
    with pytest.raises(Unfitting):
        restore(env, state | {"layout": np.frombuffer(json.dumps(layout).encode(), np.uint8)})
    np.testing.assert_array_equal(env.unwrapped.state, before)


class DrawsWhereEpisodesBegin(gym.Env):
    """A generator of a module decides only where an episode begins, and episodes are longer than a rehearsal."""

    observation_space, action_space = spaces.Box(0, 1, (1,)), spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.start = random.random()
        return np.full(1, self.start, np.float32), {}

    def step(self, action):
        return np.full(1, self.start, np.float32), 1.0, False, False, {}


def test_a_rehearsal_looks_at_the_next_beginning_too():
    assert "its next episode begins otherwise" in rehearse(DrawsWhereEpisodesBegin)
