"""What a user installs: version, types, registration, links, and that importing it costs nothing."""

import os
import subprocess
import sys
import tomllib
from importlib import metadata, resources
from pathlib import Path

import gymnasium as gym
import pytest

import rlcourse
from rlcourse.core.catalogue import ENVIRONMENTS, register_all

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HEAVY = ("torch", "numba", "matplotlib", "stable_baselines3")


def test_the_installed_version_is_the_packages_own():
    assert metadata.version("rlcourse") == rlcourse.__version__


def test_the_package_is_typed_and_carries_its_presets():
    files = resources.files("rlcourse")
    assert (files / "py.typed").is_file()
    assert any(file.name.endswith(".toml") for file in (files / "presets").iterdir())


def test_registering_again_changes_nothing():
    before = {entry.id: gym.registry[entry.id] for entry in ENVIRONMENTS}
    size = len(gym.registry)
    register_all()
    assert len(gym.registry) == size
    assert all(gym.registry[id] is spec for id, spec in before.items())


@pytest.mark.parametrize("entry", ENVIRONMENTS, ids=lambda entry: entry.id)
def test_an_environment_is_registered_by_text_so_that_nothing_is_imported_before_it_is_made(entry):
    spec = gym.registry[entry.id]
    assert isinstance(spec.entry_point, str)
    assert isinstance(spec.vector_entry_point, str)


def test_importing_the_package_its_agents_and_its_environments_imports_nothing_heavy():
    code = f"import sys, rlcourse, rlcourse.agents, rlcourse.envs; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["agents", "envs"])
def test_a_link_at_the_root_is_relative_and_leads_into_the_package(name):
    target = os.readlink(ROOT / name)
    assert target == f"src/rlcourse/{name}"
    assert (ROOT / name / "__init__.py").is_file()


def test_the_source_distribution_takes_the_package_and_no_link():
    listed = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    assert "src/rlcourse" in listed
    assert all((ROOT / path).exists() and not (ROOT / path).is_symlink() for path in listed)


def test_readme_asks_for_the_torch_that_the_package_asks_for():
    torch = next(line for line in PROJECT["project"]["dependencies"] if line.startswith("torch"))
    assert f'pip install "{torch}"' in (ROOT / "README.md").read_text()


def test_the_command_is_installed():
    scripts = metadata.distribution("rlcourse").entry_points.select(group="console_scripts")
    assert {script.name: script.value for script in scripts} == {"rlcourse": "rlcourse.cli.main:main"}
    assert callable(next(iter(scripts)).load())


def test_no_two_test_files_have_one_name():
    """Pytest imports them by their names alone."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert len(names) == len(set(names))
