"""README's Python example runs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    namespace: dict = {}
    exec(compile(blocks[0], "README.md", "exec"), namespace)  # the reader would paste it
    assert float(capsys.readouterr().out) > 0.5
    assert (tmp_path / "lake.safetensors").exists()


def test_every_file_that_readme_names_exists():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r"benchmarks/\w+\.py", text):
        assert (ROOT / name).exists(), name
