"""One source, two speeds: the book's boxes, compiled where the world is data and interpreted where it is not.

``@box`` marks an algorithm, ``@kernel`` a helper that boxes call. Neither needs numba until the first compiled call: then
every kernel, and every method of every named tuple among the arguments, is registered with numba, which compiles the same
Python source that the interpreter would run. Compiled code is kept in a private folder on disk, one per version of the
sources; a damaged or unwritable folder means compiling again, never a failure.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import platform
import shutil
import stat
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

__all__ = ["Box", "box", "is_data", "kernel", "method_finder", "register_for_cpu", "tuple_types", "typed_kernel"]

P = ParamSpec("P")
R = TypeVar("R")

_LOCK = threading.RLock()
KERNELS: set[Callable[..., Any]] = set()  # every decorated helper
CHOICES: dict[Callable[..., Any], Callable[..., Any]] = {}  # kernel: what picks its compiled form
_REGISTERED: set[Callable[..., Any]] = set()  # of those, the ones that numba knows
_NAMED: list[str] = []  # names of the classes that numba has met
_KNOWN_METHODS: set[str] = set()  # names of world methods that numba knows
_PACKAGE = Path(__file__).resolve().parent.parent
_COMPILED = ("core", "envs", "features", "wrappers", "agents")  # layers that hold boxes and worlds; the cache is keyed by their sources
_KEPT_CACHES = 4  # folders of older sources that stay on disk


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a pure helper function that boxes and other kernels may call, compiled or interpreted.

    The function itself is returned unchanged: plain Python calls plain Python, which is faster there than entering
    compiled code for a few operations.
    """
    KERNELS.add(function)
    return function


def typed_kernel(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a plain function a compiled form that depends on the types of its arguments.

    The decorated function gets numba types and returns the Python source to compile for them.
    """

    def remember(choose: Callable[..., Any]) -> Callable[..., Any]:
        CHOICES[function] = choose
        return choose

    return remember


def is_data(value: Any) -> bool:
    """Whether a value is data all the way down: numbers, arrays, generators, and tuples of them."""
    if isinstance(value, tuple):
        return all(is_data(item) for item in value)
    if isinstance(value, np.ndarray):
        return bool(value.dtype != object)
    return isinstance(value, bool | int | float | np.generic | np.random.Generator)


class Box(Generic[P, R]):
    """An algorithm as one function that runs at two speeds.

    Calling it compiles when every argument is data, and interprets the same source otherwise.

    Attributes
    ----------
    python : callable
        The plain function.
    compiled : callable
        The same function, compiled by numba with its disk cache (first use imports numba).
    """

    def __init__(self, function: Callable[P, R]) -> None:
        functools.update_wrapper(self, function)
        self.python = function
        self._dispatchers: dict[bool, Any] = {}
        self._uncompilable: set[Any] = set()

    def __repr__(self) -> str:
        return f"<box {self.python.__module__}.{self.python.__qualname__}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run compiled where every argument is data, interpreted otherwise."""
        if not all(is_data(value) for value in args):
            return self.python(*args, **kwargs)
        kinds = tuple(tuple_types(args))
        if kinds in self._uncompilable:
            return self.python(*args, **kwargs)
        try:
            return self.compiled(*args, **kwargs)
        except _numba_error() as error:
            self._uncompilable.add(kinds)
            names = ", ".join(sorted({kind.__name__ for kind in kinds})) or "these arguments"
            reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
            warnings.warn(f"{self.python.__name__} runs interpreted: numba cannot compile it for {names} ({reason})", stacklevel=2)
            return self.python(*args, **kwargs)

    def compiled(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run compiled, whatever it takes; numba's own errors pass through."""
        kinds = tuple_types(args)
        register_for_cpu(kinds)
        return self._dispatcher(_is_cached((self.python, *kinds)))(*args, **kwargs)

    def fastest(self, *args: P.args, **kwargs: P.kwargs) -> Callable[P, R]:
        """Return what to call for arguments of these types, without `__call__`'s checks: for a hot loop in Python.

        The example arguments are not used up: what is returned has not been called.
        """
        kinds = tuple_types(args)
        if not all(is_data(value) for value in args) or tuple(kinds) in self._uncompilable:
            return self.python
        register_for_cpu(kinds)
        dispatcher: Callable[P, R] = self._dispatcher(_is_cached((self.python, *kinds)))
        return dispatcher

    def _dispatcher(self, cached: bool) -> Any:
        """The numba dispatcher; only code of `_COMPILED` layers is cached, because the cache is keyed by their sources."""
        with _LOCK:
            if cached not in self._dispatchers:
                import numba

                dispatcher = numba.njit(nogil=True, error_model="numpy")(self.python)
                if cached and not numba.config.DISABLE_JIT:
                    _enable_cache(dispatcher, self.python)
                self._dispatchers[cached] = dispatcher
            return self._dispatchers[cached]


def box(function: Callable[P, R]) -> Box[P, R]:
    """Make an algorithm of the book runnable at two speeds (see `Box`).

    Inside a box: positional arguments only; no exceptions, dictionaries, f-strings or keyword-only arguments; randomness
    through ``rng.random()`` and ``rng.standard_normal()``; whatever outlives an episode is an argument array.
    """
    return Box(function)


def register_for_cpu(kinds: list[type]) -> None:
    """Tell numba of the methods of these named tuples, and of every kernel decorated since the last call."""
    with _LOCK:
        if len(_REGISTERED) == len(KERNELS) + len(CHOICES) and all(kind.__dict__.get("_rlcourse_known") for kind in kinds):
            return
        from numba.core.errors import NumbaIRAssumptionWarning
        from numba.extending import overload, register_jitable

        # numba's own check of inlined loops warns about a name that it renames itself; the results are right
        warnings.filterwarnings("ignore", category=NumbaIRAssumptionWarning)
        for function in KERNELS - _REGISTERED:
            register_jitable(error_model="numpy")(function)
        for function in CHOICES.keys() - _REGISTERED:
            overload(function, strict=False)(CHOICES[function])
        _REGISTERED.update(KERNELS, CHOICES)
        for kind in kinds:
            if kind.__dict__.get("_rlcourse_known"):
                continue
            for name, method in inspect.getmembers(kind, inspect.isfunction):
                if not name.startswith("_") and name not in _KNOWN_METHODS:
                    _register_method(name, method_finder(name, method))
                    _KNOWN_METHODS.add(name)
            kind._rlcourse_known = True  # type: ignore[attr-defined]
            _NAMED.append(kind.__name__)
            if (number := _NAMED.count(kind.__name__)) > 1:
                # numba tells named tuples apart by name: of two of one name, in two files or a cell run twice, the second would run
                # the code of the first
                kind.__name__ = f"{kind.__name__}#{number}"


def _register_method(name: str, find: Callable[..., Any]) -> None:
    """Do what numba's `overload_method` does for all named tuples, except that a field of this name stays a field."""
    from numba.core.typing.templates import _OverloadMethodTemplate, infer_getattr, make_overload_attribute_template
    from numba.extending import overload
    from numba.types import BaseNamedTuple

    class FieldsFirst(_OverloadMethodTemplate):
        def _resolve(self, typ: Any, attr: str) -> Any:
            return None if attr in getattr(typ, "fields", ()) else super()._resolve(typ, attr)

    options: Any = {"inline": "always" if name in ("reset", "step") else "never", "strict": False, "jit_options": {"error_model": "numpy"}}
    infer_getattr(make_overload_attribute_template(BaseNamedTuple, name, find, base=FieldsFirst, **options))
    overload(find, **options)(find)


def method_finder(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The typing function of a method name: it answers with the Python method of the class at hand."""

    def find(self: Any, *_args: Any, **_kwargs: Any) -> Any:
        return getattr(self.instance_class, name, None)

    find.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
    return find


def tuple_types(value: Any) -> list[type]:
    """Classes of all named tuples in a value, nested ones included."""
    found: list[type] = []
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            found.append(type(value))
        for item in value:
            found.extend(tuple_types(item))
    return found


def _is_cached(parts: tuple[Any, ...]) -> bool:
    """Whether all functions and classes are of the layers whose sources key the cache."""
    return all(part.__module__.startswith(tuple(f"rlcourse.{layer}." for layer in _COMPILED)) for part in parts)


def _numba_error() -> Any:
    from numba.core.errors import NumbaError

    return NumbaError


# The disk cache -------------------------------------------------------------------------------------------------------


@functools.cache
def cache_folder() -> Path | None:
    """The private folder of compiled code for exactly these sources; None where no folder can be written."""
    from numba import config

    flags = f"{sys.version}{platform.machine()}{config.BOUNDSCHECK}{config.OPT}"  # numba's own key lacks these
    digest = hashlib.sha256(flags.encode())
    for path in sorted(path for layer in _COMPILED for path in (_PACKAGE / layer).rglob("*.py")):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode())
        digest.update(path.read_bytes())
    root = os.environ.get("RLCOURSE_CACHE_DIR")
    try:
        base = Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rlcourse"
        folder = base / f"compiled-{digest.hexdigest()[:16]}"
        fresh = not folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = folder.lstat()  # the cache is pickled: nobody else may have made the folder, or led us to another
        if not stat.S_ISDIR(owner.st_mode) or (hasattr(os, "getuid") and owner.st_uid != os.getuid()):
            return None
        folder.chmod(0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            return None
        if fresh:
            others = sorted(base.glob("compiled-*"), key=lambda other: other.stat().st_mtime, reverse=True)
            for stale in others[_KEPT_CACHES:]:
                shutil.rmtree(stale, ignore_errors=True)
        return folder
    except (OSError, RuntimeError):
        return None


def _enable_cache(dispatcher: Any, function: Callable[..., Any]) -> None:
    """Give a dispatcher a disk cache in our folder that survives damage and checks what it reads."""
    folder = cache_folder()
    if folder is None:
        return
    from numba import config

    from rlcourse.core.boxcache import CheckedCache

    with _LOCK:
        before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
        try:
            dispatcher._cache = CheckedCache(function)
        except (OSError, RuntimeError):  # no place for it: compile in memory
            pass
        finally:
            config.CACHE_DIR = before
