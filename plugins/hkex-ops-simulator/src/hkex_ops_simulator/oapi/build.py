"""The stand-in library, compiled where it is needed with this machine's own compiler.

A library once built is kept in a folder by its source, its switches and its compiler, and used
again. Two that build at once each build a file of their own, and the last one to finish renames
its own over the other's equal one: nobody ever sees half a library.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from hkex_ops.errors import ConfigError, StoreError

__all__ = [
    "HEADER_NAME",
    "LIBRARY_NAME",
    "Variant",
    "build_library",
    "default_folder",
    "find_compiler",
    "header_text",
]

LIBRARY_NAME = "liboapi.so"
HEADER_NAME = "stand_in_messages.h"
_SOURCE_NAME = "stand_in.c"

# In this order: what the machine calls its own comes first.
_COMPILERS = ("cc", "gcc", "clang")
_TIME_LIMIT_S = 120
_COMPLAINT_LINES = 6

# -z lazy: a symbol that nobody has is missed when it is called, as in a library of 2019, and not
# when the library is loaded.
_SWITCHES = ("-std=gnu11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,-z,lazy")

# Of an ELF file: where its class stands and which is the 32-bit one, and where its machine stands.
_ELF_CLASS, _ELF_CLASS_32 = 4, 1
_ELF_MACHINE = slice(18, 20)
_X86_64 = (62).to_bytes(2, "little")
_AARCH64 = (183).to_bytes(2, "little")


class Variant(StrEnum):
    """Which library is built; what the house does differently is a fault of the house."""

    PLAIN = "plain"
    OLD_KIT = "old-kit"  # without the session calls that came later
    SWAPPED = "swapped"  # messages are in the other order of bytes
    HIDDEN_ZLIB = "hidden-zlib"  # needs zlib's symbols and does not say so
    OTHER_PRODUCT = "other-product"  # another maker's library of the same name
    WRONG_MACHINE = "wrong-machine"  # for another processor
    WRONG_CLASS = "wrong-class"  # says that it is a 32-bit one


_DEFINED = {
    Variant.OLD_KIT: ("-DSTAND_IN_OLD",),
    Variant.SWAPPED: ("-DSTAND_IN_SWAP",),
    Variant.HIDDEN_ZLIB: ("-DSTAND_IN_ZLIB",),
    Variant.OTHER_PRODUCT: ("-DSTAND_IN_OTHER",),
}


def find_compiler() -> Path:
    """This machine's compiler; `ConfigError` with what to install where there is none.

    The environment's ``CC`` comes first, where it names one program.
    """
    stated = os.environ.get("CC", "")
    for name in (stated, *_COMPILERS):
        found = shutil.which(name) if name else None
        if found is not None:
            return Path(found)
    raise ConfigError(
        "the stand-in for the OAPI library is compiled on this machine, and there is no C "
        "compiler here: install gcc and libc6-dev"
    )


def header_text() -> str:
    """The header of the stand-in's messages, as a licensee would have one of the exchange's."""
    return _text(HEADER_NAME)


def default_folder() -> Path:
    """Where libraries are kept when nobody names a folder: the user's own cache."""
    import platformdirs

    return platformdirs.user_cache_path("hkex-ops") / "oapi-stand-in"


def build_library(variant: Variant = Variant.PLAIN, folder: Path | None = None) -> Path:
    """The library of ``variant`` in ``folder``, built now unless it is there already.

    Takes a second or so the first time. Raises `ConfigError` where no compiler is or the compiler
    refuses, and `StoreError` where the folder cannot be written.
    """
    compiler = find_compiler()
    source = _text(_SOURCE_NAME)
    switches = (*_SWITCHES, *_DEFINED.get(variant, ()))
    key = hashlib.sha256("\0".join((source, str(compiler), variant, *switches)).encode())
    place = (folder or default_folder()).absolute() / f"{variant}-{key.hexdigest()[:16]}"
    library = place / LIBRARY_NAME
    if library.is_file():
        return library
    try:
        place.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".building-", dir=place) as own:
            built = Path(own) / LIBRARY_NAME
            _compile(compiler, switches, source, built)
            _spoil(variant, built)
            built.replace(library)
    except OSError as error:
        raise StoreError(f"cannot be written: {error}", path=str(place)) from error
    return library


@cache
def _text(name: str) -> str:
    return files("hkex_ops_simulator.oapi").joinpath(name).read_text(encoding="utf-8")


def _compile(compiler: Path, switches: tuple[str, ...], source: str, built: Path) -> None:
    """One run of the compiler, its source on standard input: no path of ours in the library."""
    command = [str(compiler), *switches, "-x", "c", "-o", str(built), "-"]
    try:
        done = subprocess.run(
            command, input=source.encode(), capture_output=True, timeout=_TIME_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"{compiler} did not end within {_TIME_LIMIT_S} s") from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        complaint = "; ".join(line.strip() for line in lines[:_COMPLAINT_LINES] if line.strip())
        raise ConfigError(
            f"{compiler} could not build the stand-in for the OAPI library: install gcc and "
            f"libc6-dev; it said: {complaint or f'exit code {done.returncode}'}"
        )


def _spoil(variant: Variant, built: Path) -> None:
    """Make a file that this machine cannot load of one that it can."""
    if variant not in (Variant.WRONG_MACHINE, Variant.WRONG_CLASS):
        return
    image = bytearray(built.read_bytes())
    if variant is Variant.WRONG_CLASS:
        image[_ELF_CLASS] = _ELF_CLASS_32
    else:
        image[_ELF_MACHINE] = _AARCH64 if bytes(image[_ELF_MACHINE]) == _X86_64 else _X86_64
    built.write_bytes(image)
