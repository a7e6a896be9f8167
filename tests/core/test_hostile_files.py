"""Files that lie: whatever a header says, it is refused in one sentence that names the file, quickly and without much memory."""

import hashlib
import json
import os
import resource
import stat
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rlcourse.agents import DQN, QLearning
from rlcourse.core import files, header


def forged(path, entries, data=b"", texts=None, raw=None):
    """Write a file by hand; the digest is right where the arrays can be told."""
    texts = {"format": '"rlcourse-1"', "class": '"Sarsa"'} if texts is None else texts
    digest = hashlib.sha256()
    for name in sorted(entries):
        try:
            begin, end = entries[name]["data_offsets"]
            dtype = {"F64": "float64", "I64": "int64", "BOOL": "bool", "U8": "uint8"}[entries[name]["dtype"]]
            digest.update(json.dumps([name, dtype, entries[name]["shape"]]).encode() + data[begin:end])
        except (KeyError, TypeError, ValueError):
            pass
    digest.update(json.dumps(dict(sorted(texts.items()))).encode())
    body = json.dumps({"__metadata__": texts | {"sha256": digest.hexdigest()}, **entries}).encode() if raw is None else raw
    path.write_bytes(len(body).to_bytes(8, "little") + body + data)
    return path


def entry(shape, begin, end, dtype="F64"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def metadata(**texts):
    return {"format": '"rlcourse-1"', **texts}


HOSTILE = {
    "an array beyond the end": ({"x": entry([100], 0, 800)}, bytes(80), None, "80 are there"),
    "an array without end": ({"x": entry([2**61], 0, 2**64)}, bytes(80), None, "cannot be"),
    "a negative offset": ({"x": entry([10], -80, 0)}, bytes(80), None, "cannot be"),
    "a negative axis": ({"x": entry([-10], 0, 80)}, bytes(80), None, "cannot be"),
    "an axis that is true": ({"x": entry([True], 0, 8)}, bytes(8), None, "cannot be"),
    "an axis that is a fraction": ({"x": entry([1.0], 0, 8)}, bytes(8), None, "cannot be"),
    "an absurd empty array": ({"x": entry([0, 2**62, 2**62], 0, 0)}, b"", None, "cannot be"),
    "a thousand axes": ({"x": entry([1] * 1000, 0, 8)}, bytes(8), None, "cannot be"),
    "a shape that is an object": ({"x": entry({"0": 1}, 0, 8)}, bytes(8), None, "cannot be"),
    "objects": ({"x": entry([1], 0, 8, "O")}, bytes(8), None, "cannot be"),
    "a dtype that is a list": ({"x": entry([1], 0, 8, ["F64"])}, bytes(8), None, "cannot be"),
    "an entry that is a text": ({"x": "F64"}, bytes(8), None, "cannot be"),
    "an entry with more than it has": ({"x": {**entry([1], 0, 8), "url": "http://localhost"}}, bytes(8), None, "cannot be"),
    "a shape for other bytes": ({"x": entry([3], 0, 8)}, bytes(8), None, "does not fit"),
    "arrays that overlap": ({"x": entry([1], 0, 8), "y": entry([1], 4, 12)}, bytes(12), None, "overlap"),
    "one array twice": ({"x": entry([1], 0, 8), "y": entry([1], 0, 8)}, bytes(8), None, "overlap"),
    "a gap": ({"x": entry([1], 8, 16)}, bytes(16), None, "gaps"),
    "bytes that nobody claims": ({"x": entry([1], 0, 8)}, bytes(16), None, "16 are there"),
    "neither true nor false": ({"x": entry([2], 0, 2, "BOOL")}, b"\x01\x02", None, "neither true nor false"),
    "too many arrays": ({f"x{i}": entry([0], 0, 0) for i in range(10_001)}, b"", None, "10,001 arrays"),
    "no metadata": ({}, b"", {}, "no rlcourse file"),
    "another format": ({}, b"", {"format": '"pytorch"'}, "no rlcourse file"),
    "a format that is code": ({}, b"", {"format": "__import__('os').system('true')"}, "no rlcourse file"),
    "a newer format": ({}, b"", {"format": '"rlcourse-2"'}, r"newer rlcourse \(format 2; this one reads 1\): pip install -U rlcourse$"),
    "infinity": ({}, b"", metadata(state="Infinity"), "Infinity is no number"),
    "nan": ({}, b"", metadata(state='{"alpha": NaN}'), "NaN is no number"),
    "deep lists": ({}, b"", metadata(state="[" * 65 + "]" * 65), "nested deeper"),
    "very deep lists": ({}, b"", metadata(state="[" * 100_000 + "]" * 100_000), "damaged"),
    "many lists": ({}, b"", metadata(state="[" + "[]," * 1_000_000 + "[]]"), "parts"),
    "a name twice": ({}, b"", metadata(state='{"seed": 1, "seed": 2}'), "a name twice"),
    "a number of many digits": ({}, b"", metadata(state="9" * 1_000_000), "damaged"),
    "no JSON": ({}, b"", metadata(state="{'a': 1}"), "damaged"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_that_lies_is_refused_in_one_sentence(what, tmp_path):
    entries, data, texts, message = HOSTILE[what]
    path = forged(tmp_path / "liar.safetensors", entries, data, texts)
    begun = time.process_time()
    with pytest.raises(files.DamagedFile, match=message) as raised:
        files.read(path)
    assert time.process_time() - begun < 1.0
    assert "liar.safetensors" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300 + len(str(path))


RAW = {
    "a header of an array twice": b'{"__metadata__":{"format":"\\"rlcourse-1\\""},"x":{"dtype":"F64","shape":[],"data_offsets":[0,8]},'
    b'"x":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}',
    "a header that is a list": b"[]",
    "a deep header": b"[" * 4_000_000,
    "a header of empty objects": b"[" + b"{}," * 2_000_000 + b"{}]",
    "a header of unclosed texts": b'"' + b'\\"' * 3_000_000,
    "a header that is no text": b"\xff\xfe" * 100,
    "nothing": b"",
}


@pytest.mark.parametrize("what", RAW)
def test_a_header_that_is_none_is_refused_quickly_and_in_little_memory(what, tmp_path):
    path = forged(tmp_path / "liar.safetensors", {}, bytes(8), raw=RAW[what])
    tracemalloc.start()
    begun = time.process_time()
    with pytest.raises(files.DamagedFile, match=r"liar\.safetensors"):
        files.read(path)
    assert time.process_time() - begun < 1.0
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


@pytest.mark.parametrize("length", [2**63, 2**40, 8_000_001, 10_000])
def test_a_header_longer_than_the_file_or_than_the_limit_is_not_read(length, tmp_path):
    path = tmp_path / "liar.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b"{}")
    if length == 8_000_001:
        os.truncate(path, 9_000_000)
    with pytest.raises(files.DamagedFile, match="truncated or no rlcourse file"):
        files.read(path)


def test_a_sparse_file_larger_than_the_memory_is_refused_at_once(tmp_path):
    size = 2**40
    path = forged(tmp_path / "bomb.safetensors", {"x": entry([size], 0, size, "U8")})
    try:
        os.truncate(path, path.stat().st_size + size)
    except OSError:
        pytest.skip("no such files here")
    with pytest.raises(files.DamagedFile, match="GB of memory are free"):
        files.read(path)


@pytest.mark.parametrize("suffix", [".zip", ".pkl", ".txt"])
def test_other_kinds_of_files_are_no_rlcourse_files(suffix, tmp_path):
    import pickle
    import zipfile

    path = tmp_path / f"other{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../../escaped", b"x")
    else:
        path.write_bytes(pickle.dumps([os.getcwd]) if suffix == ".pkl" else b"once upon a time\n" * 10)
    with pytest.raises(files.DamagedFile, match="no rlcourse file"):
        files.read(path)
    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name]


def test_pipes_devices_sockets_and_folders_are_refused_and_nobody_waits(tmp_path):
    import socket

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    bound = socket.socket(socket.AF_UNIX)
    there = os.getcwd()
    os.chdir(tmp_path)  # a socket's name must be short
    bound.bind("socket")
    os.chdir(there)
    for name, message in {
        "pipe": "no regular file",
        "link": "no regular file",
        "socket": "no regular file",
        "/dev/zero": "no regular file",
        ".": "is a folder",
        "loop": "loop",
        "absent": "there is no file",
        "a\0b": "there is no file",
    }.items():
        with pytest.raises(OSError, match=message):
            files.read(tmp_path / name)
    bound.close()


def test_a_link_to_a_file_is_read_and_neither_it_nor_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    real = files.write(tmp_path / "elsewhere" / "a.safetensors", {"x": np.arange(3)}, {})
    link = tmp_path / "a.safetensors"
    link.symlink_to(real)
    assert files.read(link)[0]["x"].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=rf"^{link} is a link to {real}, not a regular file: name another"):
        files.write(link, {"x": np.zeros(3)}, {})
    assert link.is_symlink()
    assert files.read(real)[0]["x"].tolist() == [0, 1, 2]


def test_files_are_those_of_the_safetensors_library_both_ways(tmp_path):
    arrays = {name: np.arange(6).reshape(2, 3).astype(name) for name in ("float64", "float32", "float16", "int64", "uint8", "bool")}
    arrays |= {"empty": np.zeros((0, 4)), "number": np.array(2.5), "turned": np.arange(6).reshape(2, 3).T}
    path = files.write(tmp_path / "ours.safetensors", arrays, {"class": "A"})
    theirs, ours = load_file(path), files.read(path)[0]
    assert theirs.keys() == ours.keys() == arrays.keys()
    for name, array in arrays.items():
        for read in (theirs[name], ours[name]):
            assert read.dtype == array.dtype
            assert read.shape == array.shape
            assert (read == array).all()
        assert ours[name].flags.writeable
    save_file(arrays, tmp_path / "theirs.safetensors", {"format": "pt"})
    with pytest.raises(files.DamagedFile, match="no rlcourse file"):
        files.read(tmp_path / "theirs.safetensors")


def test_what_a_file_could_not_give_back_is_not_written(tmp_path):
    for arrays, values, message in (
        ({"x": np.array([None])}, {}, "dtype object"),
        ({"x": np.zeros(2, complex)}, {}, "dtype complex128"),
        ({}, {"state": float("nan")}, "state"),
        ({}, {"names": "x" * header.MAX_BYTES}, "more than a file can hold"),
        ({f"x{i}": np.zeros(1) for i in range(10_001)}, {}, "more than a file can hold"),
    ):
        with pytest.raises(ValueError, match=message):
            files.write(tmp_path / "a.safetensors", arrays, values)
    assert list(tmp_path.iterdir()) == []


# Writing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a folder", "a link"])
def test_what_is_no_regular_file_is_not_replaced_by_one(kind, tmp_path, monkeypatch):
    import socket

    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    path, bound = tmp_path / "a.safetensors", socket.socket(socket.AF_UNIX)
    {
        "a pipe": lambda: os.mkfifo(path),
        "a socket": lambda: bound.bind(path.name),
        "a folder": path.mkdir,
        "a link": lambda: path.symlink_to(tmp_path / "absent"),
    }[kind]()
    before = os.lstat(path)
    agent = QLearning("rlcourse/CliffWalk-v0", seed=0)
    for write in (lambda: agent.save(path), lambda: files.write_bytes(path, b"x")):
        with pytest.raises(ValueError, match=path.name) as raised:
            write()
        assert "\n" not in str(raised.value)
        assert kind.split()[-1] in str(raised.value)
    bound.close()
    assert os.path.samestat(os.lstat(path), before)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_no_replay_memory_is_written_beside_a_pipe(tmp_path):
    agent = DQN("CartPole-v1", seed=0, learning_starts=8, buffer_size=32).learn(16)
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=r"a\.safetensors is a pipe"):
        agent.save(tmp_path / "a.safetensors")
    assert [each.name for each in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_new_file_has_the_permissions_that_the_umask_leaves_and_a_replaced_one_keeps_its_own(tmp_path):
    path, before = tmp_path / "a", os.umask(0o027)
    try:
        files.write_bytes(path, b"1")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o600)
        files.write_bytes(path, b"2")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("error", [5, 13, 28, 30, 122])  # EIO, EACCES, ENOSPC, EROFS, EDQUOT
def test_whatever_fails_while_writing_the_old_file_stays_and_no_rest_does(step, error, tmp_path, monkeypatch):
    path = files.write_bytes(tmp_path / "a", b"old")

    def fail(*_, **__):
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        with pytest.raises(OSError, match=r"'.*a'") as raised:
            files.write_bytes(path, b"new")
    assert raised.value.errno == error
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_disk_that_is_full_after_any_number_of_bytes_loses_nothing(tmp_path):
    arrays = {"x": np.arange(3000.0), "y": np.zeros(5, bool)}
    path = files.write(tmp_path / "a", {"x": np.zeros(2)}, {})
    old, whole = path.read_bytes(), len(files.write(tmp_path / "b", arrays, {}).read_bytes())
    (tmp_path / "b").unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 7, 8, 100, 4096, 8192, whole - 5, whole - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))  # Python ignores the signal, so a write fails
        try:
            with pytest.raises(OSError, match="large"):
                files.write(path, arrays, {})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.read_bytes() == old
        assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    sync = os.fsync

    def only_files(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    assert files.write_bytes(tmp_path / "a", b"x").read_bytes() == b"x"


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    path = tmp_path / ("é" * 127)
    assert files.write_bytes(path, b"x").read_bytes() == b"x"


KILLED = """
import os, sys
from rlcourse.core import files
with files.replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_only_temporaries_of_processes_that_have_ended_are_swept(tmp_path):
    def writer():
        command = [sys.executable, "-c", KILLED, str(tmp_path / "a")]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        return process

    alive, killed = writer(), writer()
    killed.kill()
    killed.wait()
    for name in (".a.safetensors.abcdef.tmp", ".rlcourse-notours.tmp", "a.tmp", ".rlcourse-00000000-1-0123456789ab.tmp"):
        (tmp_path / name).touch()
    (tmp_path / ".rlcourse-00000000-2-0123456789ab.tmp").symlink_to(tmp_path / "a.tmp")
    (tmp_path / ".rlcourse-00000000-3-0123456789ab.tmp").mkdir()
    (tmp_path / ".rlcourse-00000000-4-0123456789ab.tmp").touch()  # of another machine, two days old
    os.utime(tmp_path / ".rlcourse-00000000-4-0123456789ab.tmp", (time.time() - 2 * 86400,) * 2)
    names = {each.name for each in tmp_path.iterdir()}
    try:
        assert files.sweep(tmp_path) == 2
        gone = names - {each.name for each in tmp_path.iterdir()}
        assert any(f"-{killed.pid}-" in name for name in gone)
        assert ".rlcourse-00000000-4-0123456789ab.tmp" in gone
        alive.communicate()
        assert (tmp_path / "a").read_bytes() == b"half"
    finally:
        alive.kill()
        alive.wait()
        for process in (alive, killed):
            process.stdout.close()
    assert files.sweep(tmp_path / "absent") == 0


def test_writing_and_reading_take_no_more_memory_than_the_arrays(tmp_path):
    arrays = {f"x{i}": np.full(2_000_000, i, np.float64) for i in range(4)}  # 64 MB
    tracemalloc.start()
    path = files.write(tmp_path / "a.safetensors", arrays, {})
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    read, _ = files.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written < 1e6
    assert peak < 64e6 + 1e6
    assert all((read[name] == array).all() for name, array in arrays.items())
