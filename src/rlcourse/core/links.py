"""The links ``agents`` and ``envs`` at the root of a checkout: other names of the very same modules."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

__all__ = ["follow_link"]


class _Link(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``agents.tabular`` as the module ``rlcourse.agents.tabular``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> Any:
        if fullname.startswith(f"{self._name}."):
            return importlib.machinery.ModuleSpec(fullname, self)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        module = importlib.import_module(f"rlcourse.{spec.name}")
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own_spec  # the import system has just put the link's name there


def follow_link(name: str) -> None:
    """Let ``import {name}`` and everything below mean ``rlcourse.{name}``."""
    if not any(isinstance(finder, _Link) and finder._name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _Link(name))
    sys.modules[name] = importlib.import_module(f"rlcourse.{name}")
