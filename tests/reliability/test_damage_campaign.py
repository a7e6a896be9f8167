"""Damaged and hostile files of every kind: the campaign at a small count, and a process that could not run what a file says."""

import importlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "benchmarks" / "reliability"))

damage = importlib.import_module("damage")
watching = importlib.import_module("watching")

LOADS = """
import sys
sys.path.insert(0, sys.argv[1])
import kinds_of_files
from pathlib import Path
room = Path(sys.argv[2]) / "room"
room.mkdir()
kinds = kinds_of_files.kinds(Path(sys.argv[2]) / "whole")
texts = kinds_of_files.texts(Path(sys.argv[2]) / "runs")
kinds_of_files.opened_all(kinds, room)  # imports and compiled code
kinds_of_files.opened_texts(texts)
import pickle, _pickle
class Nothing:
    def __getattr__(self, name):
        raise AssertionError(f"pickle.{name} was asked for")
poison = Nothing()
for name in ("load", "loads", "Unpickler"):
    setattr(pickle, name, poison.__getattr__)
sys.modules["pickle"] = sys.modules["_pickle"] = sys.modules["dill"] = sys.modules["cloudpickle"] = poison
noted = kinds_of_files.opened_all(kinds, room) + kinds_of_files.opened_texts(texts)
assert not noted, noted
for name in texts:
    print(name)
print(len(kinds), "kinds")
"""


def test_no_damaged_or_hostile_file_does_more_than_be_refused_in_one_sentence():
    counts = {"truncated": 15, "bit flips": 25, "forged headers": 8, "other files": 10, "forged states": 30, "environments": 60}
    outcomes = list(damage.campaign(counts.__getitem__, seed=1))
    assert [outcome.tried for outcome in outcomes] == list(counts.values())
    for outcome in outcomes:
        assert outcome.as_promised == outcome.tried, outcome.failures
        assert outcome.lost == 0


def test_every_kind_of_file_opens_where_pickle_is_disabled_and_nothing_may_be_run(tmp_path):
    command = [sys.executable, "-c", LOADS, str(HERE.parent.parent / "benchmarks" / "reliability"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-2]) >= 21
    texts = {"config.toml", "seeds.toml", "result.json", "episodes.csv", "metrics.csv", "evaluations.csv", "preset cartpole"}
    assert texts <= set(done.stdout.splitlines())


def test_the_watch_notes_what_a_pickle_would_do(tmp_path):
    import os
    import pickle

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    data = pickle.dumps(Evil())
    with watching.watched() as noted:
        pickle.loads(data)
        (tmp_path / "written").write_text("x")
    assert [event.split()[0] for event in noted] == ["pickle.find_class", "os.mkdir", "open"]
