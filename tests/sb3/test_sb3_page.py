"""The Python on the page of stable-baselines3 runs."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "stable-baselines3.md"


def test_every_python_example_of_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        exec(compile(block.replace("20_000", "1024"), PAGE.name, "exec"), {})  # the reader would paste it
    assert (tmp_path / "ppo.safetensors").exists()
