"""The documentation: a page for every deep agent, its generated tables as the sources say, and links that lead somewhere."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("build_tables", ROOT / "docs/build_tables.py")
build_tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build_tables)


def test_the_generated_tables_are_up_to_date():
    stale = [file.name for file, text in build_tables.wanted().items() if not file.exists() or file.read_text() != text]
    assert not stale, "run: python docs/build_tables.py"


@pytest.mark.parametrize("name", build_tables.DEEP)
def test_every_deep_agent_has_a_page(name):
    key = build_tables.algo_key(name)
    text = (ROOT / f"docs/agents/{key}.md").read_text()
    assert f"--algo {key}" in text or "rlcourse train" in text
    assert "bad at" in text
    for setting in re.findall(r"^\| `(\w+)` \|", text.partition("## Defaults")[2].partition("\n## ")[0], re.MULTILINE):
        assert setting in {each.name for each in build_tables.settings_of_agent(name)}


def test_a_changed_default_makes_a_page_stale():
    text = (ROOT / "docs/agents/ppo.md").read_text()
    assert build_tables.page("PPO", text) == text
    assert build_tables.page("PPO", text.replace("0.95", "0.96")) == text


def test_the_sweep_of_the_page_on_scaling_runs(capsys):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/scaling.md").read_text(), re.DOTALL)
    (sweep,) = [block for block in blocks if "learn_together(" in block]
    exec(compile(sweep, "scaling.md", "exec"), {})  # the reader would paste it
    assert len(capsys.readouterr().out.splitlines()) == 7


def test_links_between_pages_lead_somewhere():
    for page in (ROOT / "docs").rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+\.md)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page}: {link}"
