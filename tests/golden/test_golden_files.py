"""Files that a release has written load for ever, and predict what they predicted then."""

import importlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from rlcourse import agents, pretraining
from rlcourse.core import files
from rlcourse.core.word_vectors import WordVectors

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
make = importlib.import_module("make")

FORMATS = sorted(HERE.glob("format-*"))
CASES = [(folder, name) for folder in FORMATS for name in json.loads((folder / "expected.json").read_text())]


def test_there_are_golden_files_of_every_format_and_they_are_small():
    assert [folder.name for folder in FORMATS] == [f"format-{number}" for number in range(1, files.FORMAT + 1)]
    for folder in FORMATS:
        assert {file.stem for file in folder.glob("*.safetensors")} >= {*make.AGENTS, "DQN.replay", "autoencoder", "vectors"}
        assert sum(file.stat().st_size for file in folder.iterdir()) < 150_000


@pytest.mark.parametrize(("folder", "name"), CASES, ids=[f"{folder.name}-{name}" for folder, name in CASES])
def test_a_golden_file_loads_and_predicts_what_it_did(folder, name, tmp_path):
    expected = json.loads((folder / "expected.json").read_text())[name]
    for file in folder.glob(f"{name}*.safetensors"):
        shutil.copy(file, tmp_path)
    path = tmp_path / f"{name}.safetensors"
    if name == "vectors":
        vectors = WordVectors.load(path)
        assert list(vectors.names) == expected["names"]
        assert vectors.vectors.tolist() == expected["vectors"]
    elif name == "autoencoder":
        codes = make.encoded(pretraining.load(path).encoder)
        assert np.allclose(codes, expected["codes"], atol=2e-5)
    else:
        agent = agents.load(path)
        assert (agent.num_timesteps, len(agent.history)) == (expected["num_timesteps"], expected["episodes"])
        assert make.predicted(agent, expected["env"]) == expected["actions"]
        if name == "DQN":
            assert len(agent.replay) == 100
        agent.learn(64)
        assert agent.num_timesteps == expected["num_timesteps"] + 64
