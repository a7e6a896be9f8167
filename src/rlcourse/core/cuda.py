"""The same sources on a GPU: worlds' methods and kernels, registered with numba-cuda, and run on one thread per index.

Everything here needs the extra ``cuda`` (numba-cuda); with NUMBA_ENABLE_CUDASIM=1 set before numba is imported, numba's simulator runs it
without a GPU. Compiled code never allocates: a world that shows an array paints it in place.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

from numba import config, cuda

from rlcourse.core import box
from rlcourse.core.kernels import Each
from rlcourse.core.rows import replaced, unpack

__all__ = ["compile_to_ptx", "register_for_cuda", "threads"]

_BLOCK = 128  # threads of a block: many small blocks keep all multiprocessors busy where there are few copies
_REGISTERED: set[Any] = set()


def simulated() -> bool:
    """Whether numba's simulator takes the place of a GPU."""
    return bool(config.ENABLE_CUDASIM)


def register_for_cuda(values: tuple[Any, ...]) -> None:
    """Tell numba-cuda of the methods of all named tuples among these values, and of every kernel of the package so far imported."""
    if simulated():  # runs plain Python
        return
    from numba.cuda.extending import overload, register_jitable

    box.register_for_cpu(kinds := box.tuple_types(values))  # also makes the names of the classes unique
    for function in box.KERNELS - _REGISTERED:
        register_jitable(function)
        _REGISTERED.add(function)
    for function, choose in box.CHOICES.items():
        if function not in _REGISTERED:
            overload(function, strict=False)(_CHOICES.get(function, choose))
            _REGISTERED.add(function)
    for kind in kinds:
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_") and name not in _REGISTERED:
                _register_method(name, box.method_finder(name, method))
                _REGISTERED.add(name)


def _register_method(name: str, find: Callable[..., Any]) -> None:
    """Do what numba-cuda's `overload_method` does for all named tuples, except that a field of this name stays a field."""
    from numba.cuda.extending import infer_getattr, overload
    from numba.cuda.types import BaseNamedTuple
    from numba.cuda.typing.templates import _OverloadMethodTemplate, make_overload_attribute_template

    class FieldsFirst(_OverloadMethodTemplate):
        def _resolve(self, typ: Any, attr: str) -> Any:
            return None if attr in getattr(typ, "fields", ()) else super()._resolve(typ, attr)

    options: Any = {"strict": False, "inline": "never", "target": "cuda"}
    infer_getattr(make_overload_attribute_template(BaseNamedTuple, name, find, base=FieldsFirst, **options))
    overload(find, **options)(find)


def _unpack(states: Any, i: Any, like: Any) -> Any:
    from numba.cuda.np.unsafe.ndarray import to_fixed_tuple

    if states.ndim == 1:
        return lambda states, i, like: int(states[i])
    length = len(like)
    return lambda states, i, like: to_fixed_tuple(states[i], length)


def _replaced(values: Any, i: Any, value: Any) -> Any:
    from numba.cuda.cpython.unsafe.tuple import tuple_setitem

    return lambda values, i, value: tuple_setitem(values, i, value)


_CHOICES = {replaced: _replaced, unpack: _unpack}  # kernels that are made of what numba and numba-cuda each have for themselves


def _on_thread(one: Callable[..., None]) -> Callable[[int, tuple[Any, ...]], None]:
    """Return the body of a CUDA kernel that runs a function of one index."""

    def body(count, arguments):
        i = cuda.grid(1)
        if i < count:
            one(i, *arguments)

    return body


@functools.cache
def _jitted(one: Callable[..., None]) -> Any:
    return cuda.jit(_on_thread(one))


def threads(each: Each, count: int, arguments: tuple[Any, ...]) -> Callable[..., None]:
    """Return a launch: called with a stream's address (0: the default one), it runs ``each.one(i, *arguments)`` on a thread for i < count.

    Parameters
    ----------
    each : Each
    count : int
    arguments : tuple
        Numbers, and arrays on the device (anything with ``__cuda_array_interface__``), also within named tuples. They are taken as they
        are now: what the launch reads and writes is always their memory.
    """
    register_for_cuda(arguments)
    kernel, prepared = _jitted(each.one), device_arguments(arguments)
    block = min(_BLOCK, count)
    blocks = -(-count // block)
    configured: dict[int, Any] = {}  # numba-cuda's own cache of these is smaller than a rollout is long

    def launch(stream: int = 0) -> None:
        if stream not in configured:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that few copies leave a GPU idle: `rlcourse doctor` says it in numbers
                configured[stream] = kernel[blocks, block, cuda.external_stream(stream) if stream else 0]
        configured[stream](count, prepared)

    return launch


def device_arguments(value: Any) -> Any:
    """Return a value with every array as numba-cuda takes it; the simulator takes arrays of numpy."""
    if isinstance(value, tuple):
        items = [device_arguments(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if hasattr(value, "__cuda_array_interface__"):
        return cuda.as_cuda_array(value, sync=False)
    return value


def compile_to_ptx(each: Each, arguments: tuple[Any, ...], capability: tuple[int, int] = (8, 0)) -> str:
    """Return the PTX of a kernel for arguments of these types (arrays of numpy will do); needs NVVM, and no GPU.

    Parameters
    ----------
    each : Each
    arguments : tuple
    capability : tuple of int
        Compute capability of the GPU.
    """
    from types import SimpleNamespace

    from numba.cuda import dispatcher, types
    from numba.cuda.typing.typeof import typeof

    register_for_cuda(arguments)
    before = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)  # device functions ask the GPU at hand
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            signature = types.void(types.int64, typeof(arguments))
            ptx, _ = cuda.compile_ptx(_on_thread(each.one), signature, cc=capability, device=False)
    finally:
        dispatcher.get_current_device = before
    return str(ptx)
