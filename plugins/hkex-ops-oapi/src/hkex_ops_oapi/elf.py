"""Whether a file is a shared library for this machine, told before it is loaded.

The loader says of a library for another machine that it cannot be opened, as of one that is not
there; a person needs to know which of the two it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["why_not_loadable"]

_HEADER_BYTES = 20
_MAGIC = b"\x7fELF"
_WORDS = {1: "32-bit", 2: "64-bit"}
_MACHINES = {
    3: "x86",
    8: "MIPS",
    21: "PowerPC",
    40: "ARM",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
}


def why_not_loadable(path: Path) -> str:
    """Why ``path`` is no library for this program; blank where nothing speaks against it."""
    header = _header(path)
    if header is None:
        return ""
    if header[:4] == b"MZ\x90\x00" or header[:2] == b"MZ":
        return "is a library for Windows: install the kit for this machine"
    if header[:4] != _MAGIC or len(header) < _HEADER_BYTES:
        return "is no shared library: name the kit's own file"
    ours = _header(Path(sys.executable))
    if ours is None or ours[:4] != _MAGIC:
        return ""
    theirs, own = _kind(header), _kind(ours)
    if theirs != own:
        return f"is for {theirs} machines, and this program runs on {own}: install the kit for that"
    return ""


def _header(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_BYTES)
    except OSError:
        return None


def _kind(header: bytes) -> str:
    order = "big" if header[5] == 2 else "little"
    number = int.from_bytes(header[18:20], "big" if order == "big" else "little")
    word = _WORDS.get(header[4], "unknown")
    return f"{word} {_MACHINES.get(number, f'machine {number}')} ({order}-endian)"
