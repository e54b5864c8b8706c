"""Kernels: plain loops over arrays that Numba compiles to machine code. Not pure: machine code is kept on disk.

Kernels are compiled when the program is installed (`anpr compile`) and are kept in a folder of the installation. Its
name is a digest of all that their machine code depends on: a function that another file's kernel calls, the versions
of the compiler, the processor, and whether bounds are checked. Numba by itself would not notice most of these. So
code that does not fit is never run: where the folder is missing, kernels are compiled at their first use, and the log
says so. A folder that cannot be written is read; if it has no code, each process compiles for itself.

Importing Numba takes a third of a second and 60 MB. So services that do not match import no file with a kernel.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import caching, config, event

from anpr.runtime.logs import get_logger

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE: Final = Path(__file__).parents[1]
# All files whose functions or constants are compiled into kernels.
_SOURCES: Final = (
    *sorted((_PACKAGE / "matching").rglob("*.py")),
    _PACKAGE / "contracts" / "plates.py",
    _PACKAGE / "reference_data" / "limits.py",
)
# Written last: all kernels are there.
_COMPLETE: Final = "complete"

# Without counts of references (`_nrt`): counting takes longer than the search itself. So a kernel makes no arrays.
_OPTIONS: Final = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}

# The whole number of an element of an array. To mypy it is not a number of its own kind.
as_int: Final[Any] = np.int64

log = get_logger(__name__)


def digest() -> str:
    """Return a digest of all that the machine code depends on."""
    content = hashlib.sha256()
    for path in _SOURCES:
        content.update(path.relative_to(_PACKAGE).as_posix().encode())
        content.update(path.read_bytes())
    features = _host_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    processor = config.CPU_NAME or llvm.get_host_cpu_name(), features
    versions = [sys.version, *(version(package) for package in ("numba", "llvmlite", "numpy"))]
    content.update(repr((versions, processor, config.BOUNDSCHECK, config.OPT)).encode())
    return content.hexdigest()[:20]


def _host_features() -> str:
    return str(llvm.get_host_cpu_features().flatten())


FOLDER: Final = Path(sys.prefix) / "share" / "anpr" / "kernels" / digest()


def are_compiled() -> bool:
    """Whether the machine code of all kernels is on disk."""
    return (FOLDER / _COMPLETE).exists()


def note_complete() -> None:
    """Note that all kernels have been compiled, where their code can be kept."""
    if _IS_KEPT and not _KeptCode.is_disk_full and not are_compiled():
        (FOLDER / _COMPLETE).touch()


def _can_be_written() -> bool:
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(FOLDER, os.W_OK)


_IS_KEPT: Final = are_compiled() or _can_be_written()


class Locator(caching.UserProvidedCacheLocator):  # type: ignore[misc]  # mypy does not follow Numba
    """Tells Numba where machine code is kept. Its own locators refuse a folder that cannot be written."""

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "Locator":
        """Return the locator of a function."""
        locator: Locator = cls(py_func, py_file)
        return locator

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(FOLDER)

    def ensure_cache_path(self) -> None:
        """Do nothing: the folder is there."""


config.CACHE_LOCATOR_CLASSES = f"{__name__}.{Locator.__name__}"


class _KeptCode(caching.FunctionCache):  # type: ignore[misc]  # mypy does not follow Numba
    """Takes machine code from disk without first loading all that Numba can compile: half a second for each process.

    Where there is no code, the compiler loads that itself. On a full disk the process runs what it has compiled.
    """

    is_disk_full = False

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _KeptCode.is_disk_full = True
            log.warning("machine code cannot be kept", error=error.strerror)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


class _CompileNote(event.Listener):  # type: ignore[misc]  # mypy does not follow Numba
    """Logs once that kernels are compiled now, when somebody waits for them."""

    def __init__(self) -> None:
        self._is_noted = False

    def on_start(self, event: Any) -> None:  # noqa: ARG002  as Numba calls it
        if not self._is_noted:
            self._is_noted = True
            log.warning("compiling kernels", seconds="up to 60", next_step="run `anpr compile` at installation")

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _CompileNote())


def kernel(function: Function) -> Function:
    """Compile a function that Python calls at its first call, or take its machine code from disk.

    It runs without the interpreter's lock. A division by zero gives infinity, as with arrays. It makes no arrays: it
    writes to those that it is given. Where they are too short, it goes on counting and writes no more.
    """
    compiled = numba.njit(**_OPTIONS)(function)
    if _IS_KEPT:
        compiled._cache = _KeptCode(function)  # noqa: SLF001  as Numba's own `enable_caching` does
    return cast("Function", compiled)


def step(function: Function) -> Function:
    """Compile a function into each kernel that calls it. It is not kept by itself: only kernels call it."""
    return cast("Function", numba.njit(**_OPTIONS)(function))


def inlined(function: Function) -> Function:
    """Compile a step into the very place that calls it: a call hands over a hundred tables, which takes 0.1 µs."""
    return cast("Function", numba.njit(forceinline=True, **_OPTIONS)(function))


def machine_code(function: Function) -> Function:
    """Return a kernel that has been called, for calls that do not look at the types of its arguments.

    Looking at the types of a hundred tables takes Numba 20 µs at each call, and the search of a read takes one. So
    this is for arguments of which each was given to the kernel before, or was made in the same place. Where bounds
    are checked, types are too.
    """
    compiled: Any = getattr(function, "overloads", {})
    if config.BOUNDSCHECK or len(compiled) != 1:
        return function
    [only] = compiled.values()
    return cast("Function", only.entry_point)
