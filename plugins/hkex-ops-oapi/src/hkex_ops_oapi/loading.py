"""The licensee's own library, opened by its file: what it needs first, what it has, what it is.

The library is opened as it is at run time; nothing is compiled against it. Some kits use zlib and
do not say so, which only loading zlib for everybody beforehand, or binding late, gets over.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from hkex_ops.errors import ConfigError
from hkex_ops_oapi.codec import ByteOrder
from hkex_ops_oapi.declarations import DECLARATIONS, LOGIN, OPTIONAL, REQUIRED
from hkex_ops_oapi.elf import why_not_loadable

__all__ = ["ForeignFunctions", "Library", "load_library"]

_UNDEFINED = re.compile(r"undefined symbol: (\S+)")
_PROBE = 0x0102
_kept: dict[tuple[str, int], object] = {}
_SWAPPED = 0x0201


class ForeignFunctions(Protocol):
    """What is used of cffi's FFI."""

    RTLD_NOW: int
    RTLD_LAZY: int
    RTLD_GLOBAL: int
    RTLD_LOCAL: int
    NULL: object

    def cdef(self, source: str) -> None:
        """Take declarations."""
        ...

    def dlopen(self, name: str, flags: int) -> object:
        """Open a library."""
        ...

    def new(self, kind: str, init: object = ...) -> object:
        """Make room that is owned here."""
        ...

    def cast(self, kind: str, value: object) -> object:
        """The same address or number as another type."""
        ...

    def buffer(self, data: object, size: int = ...) -> memoryview:
        """Bytes of some room."""
        ...


class Library:
    """An opened library. ``path`` names it; ``functions`` are those that it has."""

    def __init__(self, path: Path, ffi: ForeignFunctions, functions: Mapping[str, object]) -> None:
        self.path: Path = path
        self.ffi: ForeignFunctions = ffi
        self.functions: Mapping[str, object] = functions

    def has(self, name: str) -> bool:
        """Whether the library exports ``name``."""
        return name in self.functions

    def call(self, name: str, *arguments: object) -> object:
        """Call ``name``."""
        function = self.functions[name]
        assert callable(function)
        result: object = function(*arguments)
        return result

    @property
    def byte_order(self) -> ByteOrder:
        """The order of bytes in messages, as the library's own swapping tells it."""
        host: ByteOrder = "little" if sys.byteorder == "little" else "big"
        swapped = self.call("swapint16", _PROBE)
        if swapped == _PROBE:
            return host
        if swapped == _SWAPPED:
            return "big" if host == "little" else "little"
        raise ConfigError(f"library {self.path} swaps bytes as no machine does: {swapped!r}")


def load_library(
    path: Path, *, preload: Sequence[str] = (), lazy: bool = False, environment: Mapping[str, str]
) -> Library:
    """The library in ``path``; `ConfigError` says what is wrong with it and what to do.

    ``preload`` are loaded first, for everybody; ``environment`` is set first, for the library.
    """
    if not path.exists():
        raise ConfigError(
            f"there is no OAPI library at {path}: install the kit that you license, and set library"
        )
    reason = why_not_loadable(path)
    if reason:
        raise ConfigError(f"OAPI library {path} {reason}")
    os.environ.update(environment)
    ffi = _declared()
    for name in preload:
        _opened(ffi, name, ffi.RTLD_NOW | ffi.RTLD_GLOBAL)
    binding = ffi.RTLD_LAZY if lazy else ffi.RTLD_NOW
    library = _opened(ffi, str(path), binding | ffi.RTLD_LOCAL)
    functions = _functions(library)
    if LOGIN not in functions:
        raise ConfigError(
            f"{path} is another product's library of that name: it does not export {LOGIN}; set "
            "library to the kit's own"
        )
    missing = [name for name in REQUIRED if name not in functions]
    if missing:
        raise ConfigError(
            f"OAPI library {path} lacks {', '.join(missing)}: it is too old a kit for this adapter"
        )
    return Library(path, ffi, functions)


@cache
def _declared() -> ForeignFunctions:
    ffi = cast("ForeignFunctions", import_module("cffi").FFI())
    ffi.cdef(DECLARATIONS)
    return ffi


def _functions(library: object) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in (*REQUIRED, *OPTIONAL):
        try:
            found[name] = getattr(library, name)
        except AttributeError:
            continue
    return found


def _opened(ffi: ForeignFunctions, name: str, flags: int) -> object:
    """The library, which is never unloaded: a call that hangs, or a thread of its own, is in it."""
    found = _kept.get((name, flags))
    if found is not None:
        return found
    try:
        found = _kept[name, flags] = ffi.dlopen(name, flags)
        return found
    except OSError as error:
        said = str(error).partition(".  Additionally, ctypes")[0]  # of no help to anybody
    undefined = _UNDEFINED.search(said)
    if undefined is not None:
        raise ConfigError(
            f"OAPI library {name} needs {undefined[1]} of a library that it does not name: add "
            "that to preload (zlib: 'libz.so.1'), or set binding = 'lazy'"
        )
    raise ConfigError(f"library {name} cannot be loaded: {said}")
