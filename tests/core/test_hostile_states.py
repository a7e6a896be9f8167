"""A forged state of an environment is refused in a sentence: nothing runs, nothing is written, no memory is taken."""

import enum
import json
import logging
import os
import sys
import types

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces, wrappers

from rlcourse.agents import PPO, QLearning
from rlcourse.core import files
from rlcourse.core.env_state import EnvState, Unfitting, Unreadable, cannot, capture, restore
from rlcourse.core.generators import remade, told
from rlcourse.core.rehearsal import rehearse


def blackjack():
    env = gym.make("Blackjack-v1")
    env.reset(seed=0)
    return env


class Colour(enum.Enum):
    RED, BLUE = range(2)


class Part:
    def __init__(self):
        self.size = 1


class Exploding(Part):
    def __del__(self):
        os.system("touch exploded")


class Own(gym.Env):
    """It has what a state may not touch, and some that it may."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Discrete(2)

    def __init__(self):
        self.part, self.colour, self.name, self.count = Part(), Colour.RED, "a", 0
        self.mean, self.queue, self.called = np.zeros(2), [1], self.look

    def look(self):
        return 0, {}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.look()

    def step(self, action):
        self.count += 1
        self.part.size += 1
        return 0, 0.0, False, False, {}


def own():
    env = Own()
    env.reset(seed=0)
    env.step(0)
    return env


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch, tmp_path):
    """Fail where a command would run, or a file would be written."""
    ran = []
    monkeypatch.setattr(os, "system", ran.append)
    monkeypatch.chdir(tmp_path)
    yield
    assert ran == []
    assert os.listdir(tmp_path) == []


def node_of(node, name):
    """Return the node of a layer or an object within another, by its class."""
    if isinstance(node, dict) and node.get("class") == name and "vars" in node:
        return node
    within = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    return next((found for each in within if (found := node_of(each, name))), None)


def forged(state, change):
    layout = json.loads(state["layout"].tobytes())
    change(layout)
    return state | {"layout": np.frombuffer(json.dumps(layout).encode(), np.uint8)}


def refused(env, make, change, match=None):
    """Assert that a forged state is refused, and that the environment is then as it was."""
    other = make()
    before = capture(other)
    with pytest.raises(Unfitting, match=match):
        restore(other, forged(capture(env), change))
    assert {name: array.tobytes() for name, array in capture(other).items()} == {name: array.tobytes() for name, array in before.items()}


def put(name, value, within="BlackjackEnv"):
    """Return a forgery: an attribute of a class."""

    def change(layout):
        node = node_of(layout["env"], within)
        node["vars"] = [each for each in node["vars"] if each[0] != name] + [[name, value]]

    return change


SPEC = {
    **{"is": "layer", "class": "EnvSpec", "id": 900, "shared": [["make", {"is": "fixed", "class": "function", "id": 901}]]},
    "vars": [["id", "Blackjack-v1"], ["entry_point", "os:system"], ["kwargs", {"is": "dict", "items": [["command", "touch pwned"]]}]],
}


def a_command_by_the_spec(layout):
    put("spec", SPEC)(layout)
    put("load_state_dict", {"is": "same", "id": 901})(layout)
    node_of(layout["env"], "PassiveEnvChecker")["vars"].append(
        ["env", {"is": "own", "class": "BlackjackEnv", "state": {"is": "same", "id": 900}}]
    )


def a_function_of_the_class_noted(layout):
    node_of(layout["env"], "BlackjackEnv")["shared"] = [["close", {"is": "fixed", "class": "function", "id": 77}]]
    put("step", {"is": "same", "id": 77})(layout)


def told_as_own(layout):
    node = node_of(layout["env"], "BlackjackEnv")
    node |= {"is": "own", "state": {"is": "dict", "items": []}}


ARRAY = {"is": "array", "dtype": "|u1", "writeable": True, "offset": 0, "strides": [1], "shape": [1], "block": [0, 1]}
FORGERIES = {
    "a command": a_command_by_the_spec,
    "a function noted": a_function_of_the_class_noted,
    "own": told_as_own,
    "a spec as a layer": put("spec", SPEC),
    "a layer where there is none": put("thing", SPEC),
    "a fixed thing noted": lambda layout: (
        put("thing", {"is": "fixed", "class": "function", "id": 5})(layout),
        put("step", {"is": "same", "id": 5})(layout),
    ),
    "a method of a module": put("thing", {"is": "method", "name": "system", "of": {"is": "fixed", "class": "module"}}),
    "a number for a method": put("step", 7),
    "a name of the interpreter": put("__class__", 7),
    "a name that is none": put("a b", 7),
    "a class of Gymnasium's": put("thing", {"is": "object", "class": "EnvSpec", "vars": []}),
    "a class of typing's": put("thing", {"is": "object", "class": "Generic", "vars": []}),
    "the environment as an object": put("thing", {"is": "object", "class": "BlackjackEnv", "vars": []}),
    "another environment within": put("env", None, "OrderEnforcing"),
    "no generator": put("_np_random", 7),
    "a kind of the decoder's": put("thing", {"is": "_init__"}),
    "a space of another kind": lambda layout: node_of(layout["env"], "BlackjackEnv")["shared"].append(
        ["metadata", {"is": "list", "items": []}]
    ),
    "blocks that overlap": put("x", {"is": "list", "items": [ARRAY | {"block": [i, 1 << 20]} for i in range(4)]}),
    "many objects": put("x", {"is": "objects", "shape": [2**27], "items": []}),
    "a letter that is none": put("dealer_top_card_suit", {"is": "number", "dtype": "<U1", "bytes": "ffffffff"}),
    "a text for a list": put("player", "abc"),
    "a list of JSON": put("player", [1, 2]),
    "an unknown id": put("player", {"is": "same", "id": []}),
    "a root that is a list": lambda layout: layout.update(env=[]),
    "a root that is a number": lambda layout: layout.update(env=1),
    "a root that is a list of numbers": lambda layout: layout.update(env={"is": "list", "items": []}),
    "depth": lambda layout: layout.update(env=json.loads("[" * 500 + "]" * 500)),
    "parts": lambda layout: layout.update(env=[{}] * 200_001),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_state_is_refused_and_nothing_has_run_or_changed(name):
    refused(blackjack(), blackjack, FORGERIES[name])


def test_what_is_captured_honestly_still_goes_back():
    assert rehearse(blackjack) == rehearse(Own) == ""
    first, second = own(), Own()
    first.colour, first.name, first.part.size = Colour.BLUE, "b", 5
    restore(second, capture(first))
    assert (second.colour, second.name, second.part.size, second.called.__self__) == (Colour.BLUE, "b", 5, second)


OWN = {
    "a class that does something when it goes": put("part", {"is": "object", "class": "Exploding", "vars": [["size", 1]]}, "Own"),
    "a class of another package": put("part", {"is": "object", "class": "EnvState", "vars": []}, "Own"),
    "a method of an object": put("called", {"is": "method", "name": "reset", "of": {"is": "same", "id": 1}}, "Own"),
    "something else for a method": put("called", 7, "Own"),
    "a text for a number": put("count", "7", "Own"),
    "a number for a text": put("name", 7, "Own"),
    "a number for a list": put("queue", 7, "Own"),
    "texts for numbers": put("mean", ARRAY | {"dtype": "|S1"}, "Own"),
    "a number for a member": put("colour", 0, "Own"),
    "a class that is no enumeration": put("colour", {"is": "enum", "class": "Part", "name": "RED"}, "Own"),
    "an object as a key": put("x", {"is": "dict", "items": [[{"is": "object", "class": "Part", "vars": []}, 1]]}, "Own"),
    "no stride": put("mean", ARRAY | {"shape": [2**39], "strides": [0]}, "Own"),
    "a shape without end": put("mean", ARRAY | {"shape": [2**62, 0]}, "Own"),
    "texts that are addresses": put("mean", ARRAY | {"dtype": "T"}, "Own"),
    "objects that are addresses": put("mean", ARRAY | {"dtype": "O"}, "Own"),
    "an array beyond its block": put("mean", ARRAY | {"offset": 1}, "Own"),
    "a truth that is neither": put("x", {"is": "number", "dtype": "|b1", "bytes": "02"}, "Own"),
}


@pytest.mark.parametrize("name", OWN)
def test_an_environment_of_ones_own_keeps_its_kinds_and_classes(name):
    refused(own(), own, OWN[name])


def test_what_a_wrapper_of_gymnasiums_writes_and_where_is_its_own(tmp_path_factory, monkeypatch):
    monkeypatch.setitem(sys.modules, "moviepy", types.ModuleType("moviepy"))  # no video is written
    folder = str(tmp_path_factory.mktemp("videos"))

    def recorded():
        env = wrappers.RecordVideo(gym.make("FrozenLake-v1", render_mode="rgb_array"), folder, episode_trigger=lambda _: False)
        env.reset(seed=0)
        return env

    refused(recorded(), recorded, put("video_folder", "/tmp/elsewhere", "RecordVideo"), "video_folder")
    refused(recorded(), recorded, put("_video_name", "/tmp/elsewhere", "RecordVideo"), "_video_name is no state")
    env = recorded()
    restore(recorded(), capture(env))


@pytest.mark.parametrize("number", [1e30, -1e9, float("inf"), float("nan")])
def test_no_environment_of_gymnasiums_is_put_where_it_would_step_for_ever(number):
    def acrobot():
        env = gym.make("Acrobot-v1")
        env.reset(seed=0)
        return env

    state = {"is": "tuple", "class": "tuple", "items": [{"is": "float", "parts": [number.hex(), "0x0p+0"]}, 0.0, 0.0, 0.0]}
    refused(acrobot(), acrobot, put("state", state, "AcrobotEnv"), "a number that no environment")
    refused(acrobot(), acrobot, put("dt", 1e30, "AcrobotEnv"), "dt is a part of its class")


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4", "CliffWalking-v1"])
def test_an_environment_of_a_table_is_put_into_one_of_its_states(name):
    def begun():
        env = gym.make(name)
        env.reset(seed=0)
        return env

    for state in (-1, 10**6, None, []):
        refused(begun(), begun, put("s", state, type(begun().unwrapped).__name__), r"\.s was")


@pytest.mark.parametrize("number", [0, 3, True, None])
def test_how_many_copies_there_are_is_the_environments_own(number):
    def copies():
        envs = gym.vector.SyncVectorEnv([lambda: gym.make("Blackjack-v1")] * 2)
        envs.reset(seed=0)
        return envs

    refused(copies(), copies, put("num_envs", number, "SyncVectorEnv"), "num_envs")


def test_an_agent_that_holds_a_forged_state_begins_new_episodes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agents")
    for agent in (PPO("Blackjack-v1", n_envs=1, n_steps=32, batch_size=32).learn(32), QLearning("Blackjack-v1").learn(episodes=2)):
        arrays, metadata = files.read(agent.save(folder / "agent.safetensors"))
        metadata.pop("format", None)
        for change in (a_command_by_the_spec, FORGERIES["a root that is a list"], lambda layout: layout.update(moved=7)):
            layout = json.loads(arrays["env.layout"].tobytes())
            change(layout)
            hostile = arrays | {"env.layout": np.frombuffer(json.dumps(layout).encode(), np.uint8)}
            files.write(folder / "forged.safetensors", hostile, metadata)
            assert "new episodes begin" in type(agent).load(folder / "forged.safetensors").resume_note


@pytest.mark.parametrize("name", ["_elapsed_steps", "episode_count", "num_envs", "_numbers", "gravity", "steps_beyond_terminated"])
def test_a_state_that_lacks_a_name_of_the_environment_begins_new_episodes(name):
    def make():
        return PPO(wrappers.RecordEpisodeStatistics(gym.make("CartPole-v1")), n_envs=1, n_steps=32, batch_size=32, hidden=(4,))

    agent = make().learn(32)
    state, layout = agent.state_dict(), agent.state_dict()["env.layout"].tobytes()
    assert f'"{name}"'.encode() in layout
    same, other = make(), make()
    same.load_state_dict(state)
    other.load_state_dict(state | {"env.layout": np.frombuffer(layout.replace(f'"{name}"'.encode(), b'"zz"'), np.uint8)})
    assert same.resume_note == ""
    assert f"was without {name}" in other.resume_note
    other.learn(300)


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"[" * 200_000, b"{}", b"[]", b'{"env":1}', b'{"env":{},"env":{}}'])
def test_a_layout_that_is_none_is_refused(text):
    with pytest.raises(Unfitting, match="damaged"):
        restore(blackjack(), capture(blackjack()) | {"layout": np.frombuffer(text, np.uint8)})
    place = EnvState(blackjack())
    assert not place.load_state_dict(place.state_dict() | {"layout": np.frombuffer(text, np.uint8)})
    assert "damaged" in place.missed


BITS = {name: np.random.Generator(getattr(np.random, name)(3)) for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")}
WRONG = [
    *[("Philox", ("buffer_pos",), value) for value in (-(2**31), -1, 5, 1.0, "1")],
    ("Philox", ("buffer",), [0, 0, 0, 0]),
    ("Philox", ("state", "key"), np.zeros(3, np.uint64)),
    ("Philox", ("state", "counter"), np.zeros(4, np.int64)),
    *[("MT19937", ("state", "pos"), value) for value in (-1, 625, 10**9)],
    ("MT19937", ("state", "key"), np.zeros(624, np.uint32)),
    ("MT19937", ("state", "key"), np.ones(3, np.uint32)),
    *[("PCG64", ("state", "inc"), value) for value in (2, -1, 2**128 + 1)],
    ("PCG64", ("uinteger",), 2**32),
    ("PCG64DXSM", ("state", "state"), 2**128),
    ("PCG64DXSM", ("bit_generator",), "PCG64"),
    ("SFC64", ("state", "state"), np.zeros(2, np.uint64)),
    ("SFC64", ("has_uint32",), 2),
]


@pytest.mark.parametrize("name", BITS)
def test_every_generator_of_numpys_goes_on(name):
    BITS[name].integers(9, size=3)
    again = remade(*told(BITS[name]))
    assert again.random(700).tolist() == BITS[name].random(700).tolist()


@pytest.mark.parametrize(("name", "path", "value"), WRONG)
def test_a_generator_in_a_state_that_it_cannot_be_in_is_refused(name, path, value):
    state = told(BITS[name])[1]
    within = state
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = value
    with pytest.raises(ValueError, match="cannot be in this state"):
        remade(name, state)


def test_what_could_not_be_put_back_is_not_captured_either():
    for name, value, match in (
        ("draw", np.random.default_rng(0).random, "a method of a Generator"),
        ("wide", np.broadcast_to(np.zeros(1), (9,)), "more than once"),
        ("keyed", {Part(): 1}, "as a key"),
        ("log", logging.NullHandler(), "NullHandler, whose state cannot be read"),
    ):
        env = own()
        setattr(env, name, value)
        assert match in cannot(env)
        with pytest.raises(Unreadable, match=match):
            capture(env)
