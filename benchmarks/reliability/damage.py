"""Files that are damaged or hostile: truncated, with a bit flipped, or forged with a right digest.

What a file is opened by: `rlcourse.agents.load` (its replay memory beside it), `rlcourse.encoders.files.load`, `WordVectors.load`,
`rlcourse.pretraining.load`. Promised is one sentence that names the file. Hostile ones are opened with an audit hook that notes whatever
would be an execution, a connection or a write; what they take is measured: time, and memory of Python and numpy.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import forged_environments
import kinds_of_files
import numpy as np
from kinds_of_files import placed
from outcome import Outcome
from watching import watched

from rlcourse import agents
from rlcourse.core import files

COUNTS = {"truncated": 400, "bit flips": 1_000, "forged headers": 100, "forged states": 1_500, "other files": 100, "environments": 500}
SENTENCE = "one sentence that names the file"
SECONDS, BYTES = 1.0, 200e6  # of a processor: another process may have the other
Case = tuple[str, Path, Callable[[Path], Any]]  # what was done, the file to open, and what opens it


def campaign(count: Callable[[str], int], seed: int) -> Iterator[Outcome]:
    """Damage files of every kind and open them."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="rlcourse-damage-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = kinds_of_files.kinds(Path(folder) / "whole")
        room = Path(folder) / "room"
        room.mkdir()
        kinds_of_files.opened_all(kinds, room)  # whatever is imported by the first one is no fault of a file
        tries: dict[str, tuple[str, Callable[[], Case]]] = {
            "truncated": ("checkpoints and other files truncated", lambda: _cut(draw, *draw.choice(kinds), room)),
            "bit flips": ("checkpoints and other files with one bit flipped", lambda: _flip(draw, *draw.choice(kinds), room)),
            "forged headers": ("files whose header says what cannot be", lambda: _forge_header(draw, room)),
            "other files": ("pickles, archives, pipes, devices instead of a file", lambda: _other(draw, room)),
            "forged states": (
                "files with a right digest and other arrays or settings",
                lambda: _forge_state(draw, *draw.choice(kinds), room),
            ),
        }
        for name, (what, case) in tries.items():
            yield _tried(what, (case() for _ in range(count(name))), may_load=name == "forged states")
        yield forged_environments.outcome(Path(folder) / "environments", count("environments"), seed)


# What is done to them -------------------------------------------------------------------------------------------------


def _cut(draw: random.Random, file: Path, load: Callable[[Path], Any], room: Path) -> Case:
    data, percent = file.read_bytes(), draw.randrange(100)
    return f"{file.name} cut at {percent} %", placed(file, data[: len(data) * percent // 100], room), load


def _flip(draw: random.Random, file: Path, load: Callable[[Path], Any], room: Path) -> Case:
    data = bytearray(file.read_bytes())
    header = 8 + int.from_bytes(data[:8], "little")
    bit = draw.randrange(8 * draw.choice((8, header, len(data))))
    data[bit // 8] ^= 1 << bit % 8
    return f"{file.name} bit {bit}", placed(file, bytes(data), room), load


def _forge_header(draw: random.Random, room: Path) -> Case:
    """A file whose header says what cannot be."""
    begin, length = draw.choice((0, -8, 4, 2**40, 2**63, 0.0, None)), draw.choice((8, 0, 16, 2**40, -8, "8"))
    shape = draw.choice(([1], [2**61], [-1], [0, 2**62], [1] * 1000, {"a": 1}, "1", [1.0], [True]))
    entry = {"dtype": draw.choice(("F64", "O", "V8", ["F64"], None, "F4")), "shape": shape, "data_offsets": [begin, length]}
    texts = {"format": '"rlcourse-1"', "class": draw.choice(('"PPO"', '"os.system"', '"../../x"', "[]", '"' + "x" * 10**6 + '"'))}
    texts["state"] = draw.choice(("{}", "NaN", "[" * 10**5, '{"a":1,"a":2}', "9" * 10**5, "[" + "[]," * 10**6 + "[]]"))
    header = json.dumps({"__metadata__": texts, "x": entry, "../../etc/passwd": entry}).encode()
    size = draw.choice((len(header), len(header), len(header), 2**63, 2**24, 7))
    body = draw.choice((header, header, b"[" * 10**6, b'{"a":' * 10**6, b'"' + b'\\"' * 10**6))
    path = placed(Path("x"), size.to_bytes(8, "little") + body + bytes(draw.choice((0, 8, 16, 10**6))), room)
    return f"header {texts['class'][:20]} {texts['state'][:10]} {entry}", path, agents.load


def _other(draw: random.Random, room: Path) -> Case:
    """Something that is no file of ours, and would run code if it were opened as what it is."""
    import io
    import pickle
    import zipfile

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {room.parent / 'executed'}",)

    what = draw.choice(("pickle", "zip", "zipped pickle", "npz of objects", "pipe", "device", "folder", "link to a device", "empty"))
    data = io.BytesIO()
    if what == "pickle":
        pickle.dump(Evil(), data)
    elif what == "npz of objects":
        np.save(data, np.array([Evil()], object), allow_pickle=True)
    elif "zip" in what:
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("../../executed", b"x")
            archive.writestr("data.pkl", pickle.dumps(Evil()))
    path = placed(Path("x"), data.getvalue(), room)
    if what in ("pipe", "folder", "link to a device"):
        path.unlink()
        {"pipe": os.mkfifo, "folder": os.mkdir, "link to a device": lambda path: os.symlink("/dev/zero", path)}[what](path)
    if what == "device":
        path = Path("/dev/zero")
    return what, path, agents.load


def _forge_state(draw: random.Random, file: Path, load: Callable[[Path], Any], room: Path) -> Case:
    """Another value somewhere in arrays or metadata, and a digest that fits it."""
    arrays, metadata = files.read(file)
    metadata.pop("format")
    if draw.random() < 0.5 and arrays:
        name = draw.choice(sorted(arrays))
        what, arrays[name] = f"{name}", _other_array(draw, arrays[name])
        if draw.random() < 0.1:
            del arrays[name]
    else:
        path = draw.choice([path for path in _paths(metadata) if path[0] != "versions"])
        value = draw.choice((None, -1, 0, 10**6, 1e308, 2**70, "x", "os.system", "../../x", "antigravity:Env-v0", [], {}, [[1]], True, 0.5))
        what = f"{path} = {value!r}"
        inner: Any = metadata
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
    forged = files.write(room.parent / "forged.tmp", arrays, metadata).read_bytes()
    return f"{file.name}: {what}", placed(file, forged, room), load


def _other_array(draw: random.Random, array: np.ndarray) -> np.ndarray:
    kind = array.dtype
    if draw.random() < 0.5:
        shape: Any = draw.choice(((), (0,), (7,), (*array.shape, 1), array.shape[1:], (1,) * array.ndim, (array.size,), (3, *array.shape)))
        return np.zeros(shape, kind)
    if draw.random() < 0.5:
        return array.astype(draw.choice([other for other in (np.float64, np.int64, np.uint8, np.bool_) if other != kind]))
    extremes: Any = {"b": (False, True), "f": (1e30, np.nan)}.get(kind.kind) or (np.iinfo(kind).max, np.iinfo(kind).min)
    return np.full(array.shape, draw.choice(extremes), kind)


def _paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return ([before] if before else []) + [path for key, part in inner for path in _paths(part, (*before, key))]


# What comes of it -----------------------------------------------------------------------------------------------------


def _tried(what: str, cases: Iterator[Case], may_load: bool = False) -> Outcome:
    """Open files; what may load holds other values that are as good as the right ones, and must not run or write anything either."""
    tried = kept = lost = loaded = 0
    failures: list[str] = []
    slowest, most = 0.0, 0.0
    tracemalloc.start()
    for label, path, load in cases:
        tried += 1
        tracemalloc.reset_peak()
        before, begun = tracemalloc.get_traced_memory()[0], time.process_time()
        with watched() as noted:
            trouble = _opened(path, load, may_load)
        seconds, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1] - before
        slowest, most = max(slowest, seconds), max(most, peak)
        loaded += trouble == "loaded"
        wrong = [*sorted(set(noted))[:3], *([trouble] if trouble not in ("", "loaded") else [])]
        wrong += [f"{seconds:.1f} s"] * (seconds > SECONDS) + [f"{peak / 1e6:.0f} MB"] * (peak > BYTES)
        kept += not wrong
        lost += bool(noted) or trouble == "in silence"
        failures += [f"{label}: {'; '.join(wrong)}"] if wrong else []
    tracemalloc.stop()
    taken = f"at most {slowest:.2f} s of a processor and {most / 1e6:.0f} MB"
    promise = f"{SENTENCE}, nothing run or written, {taken}" + (f" ({loaded} were as good as whole)" if may_load else "")
    return Outcome(what, tried, kept, lost, promise, tuple(failures))


def _opened(path: Path, load: Callable[[Path], Any], may_load: bool) -> str:
    """Return what went wrong; "loaded" where the file was opened and may be."""
    try:
        load(path)
    except (ValueError, OSError) as error:
        text = str(error)
        return "" if path.stem in text and "\n" not in text and len(text) < 2_000 else f"says {type(error).__name__}: {text[:200]}"
    except Exception as error:  # whatever else is a broken promise
        return f"{type(error).__name__}: {str(error)[:200]}"
    return "loaded" if may_load else "in silence"
