"""README's Python examples run."""

import re
from pathlib import Path

from rlcourse import figures

ROOT = Path(__file__).resolve().parents[1]


def test_the_python_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tabular, deep = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    exec(compile(tabular, "README.md", "exec"), {})  # the reader would paste it
    assert float(capsys.readouterr().out) > 0.5
    assert (tmp_path / "lake.safetensors").exists()
    found: dict = {}
    exec(compile(deep, "README.md", "exec"), found)
    assert found["agent"].num_timesteps == 5_000
    assert found["action"] in (0, 1)


def test_every_file_that_readme_names_exists():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r"benchmarks/\w+\.py", text):
        assert (ROOT / name).exists(), name


def test_it_says_how_many_figures_there_are():
    told = re.search(r"rlcourse figure all --fast +# all (\d+) in", (ROOT / "README.md").read_text())
    assert int(told[1]) == len(figures.names())
