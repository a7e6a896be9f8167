"""Agent files: whole or refused; and the cache of compiled code."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest

import rlcourse
from rlcourse.agents import Sarsa
from rlcourse.core import files
from rlcourse.envs import cliff_walk

ROOT = Path(rlcourse.__file__).resolve().parents[2]


@pytest.fixture
def saved(tmp_path):
    return files.write(
        tmp_path / "a.safetensors", {"x": np.arange(12.0), "y": np.zeros((0, 4)), "z": np.array([True])}, {"class": "A", "n": 10**30}
    )


def test_a_file_gives_back_what_was_written(saved):
    arrays, metadata = files.read(saved)
    assert arrays["x"].tolist() == list(range(12))
    assert arrays["y"].shape == (0, 4)
    assert arrays["z"].dtype == bool
    assert metadata["n"] == 10**30


def test_every_truncation_is_found(saved, tmp_path):
    data = saved.read_bytes()
    for percent in range(100):
        path = tmp_path / "cut"
        path.write_bytes(data[: len(data) * percent // 100])
        with pytest.raises(files.DamagedFile, match="cut"):
            files.read(path)


def test_every_flipped_bit_is_found(saved, tmp_path):
    data, rng = saved.read_bytes(), np.random.default_rng(0)
    for position in rng.integers(0, 8 * len(data), 400):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << (position % 8)
        path = tmp_path / "flipped"
        path.write_bytes(flipped)
        with pytest.raises(files.DamagedFile):
            files.read(path)


def test_a_failing_write_keeps_the_old_file_and_leaves_no_rest(saved, tmp_path, monkeypatch):
    before = saved.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="space"):
        files.write(saved, {"x": np.zeros(3)}, {})
    assert saved.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_what_is_being_written_lies_beside_what_it_will_replace(tmp_path, monkeypatch):
    """Elsewhere it might be on another disk, and a rename between disks is a copy that can end in the middle."""
    moved, replace = [], os.replace
    monkeypatch.setattr(os, "replace", lambda source, target: moved.append((Path(source), Path(target))) or replace(source, target))
    files.write(tmp_path / "a.safetensors", {"x": np.zeros(3)}, {})
    files.write_bytes(tmp_path / "b.toml", b"x = 1")
    assert [target.name for _, target in moved] == ["a.safetensors", "b.toml"]
    assert all(source.parent == tmp_path for source, _ in moved)


CODE = """
from rlcourse.agents import Sarsa
from rlcourse.envs import cliff_walk
print(Sarsa(cliff_walk(), seed=0).learn(2000).Q.sum())
"""


def run(code=CODE, **environment):
    full = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")} | environment
    done = subprocess.run([sys.executable, "-c", code], env=full, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_damaged_missing_or_unwritable_cache_only_costs_time(tmp_path):
    right = f"{Sarsa(cliff_walk(), seed=0).learn(2000).Q.sum()}\n"
    cache = tmp_path / "cache"
    assert run(RLCOURSE_CACHE_DIR=str(cache), HOME=str(tmp_path)) == right
    entries = list(cache.rglob("*.code"))
    assert entries
    assert all((folder.stat().st_mode & 0o777) == 0o700 for folder in cache.iterdir())
    for entry in entries:
        entry.write_bytes(entry.read_bytes()[:100])
    assert run(RLCOURSE_CACHE_DIR=str(cache), HOME=str(tmp_path)) == right
    for entry in cache.rglob("*.code"):
        data = bytearray(entry.read_bytes())
        data[len(data) // 2] ^= 255
        entry.write_bytes(data)
    assert run(RLCOURSE_CACHE_DIR=str(cache), HOME=str(tmp_path)) == right
    assert run(RLCOURSE_CACHE_DIR="/proc/nowhere", HOME=str(tmp_path)) == right
    assert run(HOME="/proc/nowhere") == right


@pytest.mark.parametrize("planted", ["a link", "another's"])
def test_a_cache_folder_that_is_a_link_or_somebody_elses_is_not_used(planted, tmp_path, monkeypatch):
    from rlcourse.core.box import cache_folder

    monkeypatch.setenv("RLCOURSE_CACHE_DIR", str(tmp_path / "cache"))
    own = cache_folder.__wrapped__()
    assert own.stat().st_mode & 0o777 == 0o700
    if planted == "a link":
        own.rmdir()
        (tmp_path / "planted").mkdir()
        own.symlink_to(tmp_path / "planted")
    else:
        monkeypatch.setattr(os, "getuid", lambda: own.stat().st_uid + 1)
    assert cache_folder.__wrapped__() is None


class Untypable(NamedTuple):
    """A world that numba cannot compile: its step builds a dictionary."""

    size: int = 3

    @property
    def observation_space(self):
        return gym.spaces.Discrete(3)

    @property
    def action_space(self):
        return gym.spaces.Discrete(2)

    def reset(self, rng):
        return {"start": 0}["start"]

    def step(self, state, action, rng):
        following = {"a": min(state + 1, 2), 3: "mixed"}["a"]
        return following, -1.0, following == 2, False

    def observe(self, state):
        return state


def test_a_world_that_numba_cannot_type_is_interpreted_with_one_warning():
    agent = Sarsa(Untypable(), seed=0)
    with pytest.warns(UserWarning, match="runs interpreted") as caught:
        agent.learn(200).learn(200)
    assert len([w for w in caught if "interpreted" in str(w.message)]) == 1
    assert agent.num_timesteps == 400


@pytest.mark.skipif(not (ROOT / "agents").is_symlink(), reason="only a checkout has the links")
def test_the_links_at_the_root_are_the_very_same_modules():
    code = (
        "import agents, envs, rlcourse.agents, rlcourse.envs\n"
        "from agents.temporal_difference.sarsa import Sarsa\nfrom agents.deep.losses import normalized\nimport envs.cartpole\n"
        "import rlcourse.agents.temporal_difference.sarsa as s, rlcourse.agents.deep.losses as l, rlcourse.envs.cartpole as c\n"
        "assert agents is rlcourse.agents and envs is rlcourse.envs and Sarsa is s.Sarsa is agents.Sarsa\n"
        "assert normalized is l.normalized and envs.cartpole is c and c.__spec__.name == 'rlcourse.envs.cartpole'\n"
        "print('same')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "same\n", done.stderr
    assert os.readlink(ROOT / "agents") == "src/rlcourse/agents"
    assert os.readlink(ROOT / "envs") == "src/rlcourse/envs"
