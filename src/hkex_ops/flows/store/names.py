"""Which file names are let near the disk.

A name from a server is hostile until judged here: it becomes a path in the archive, a line in a
report and a word on somebody's terminal. Accepted is what Linux can hold and a person can read.
Names that differ only by case are different names. Pure; called before anything is fetched.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["HIGHEST_VERSION", "LONGEST_NAME_BYTES", "refusal", "versioned"]

HIGHEST_VERSION = 9999
"""Versions kept of one name on one business date; far beyond what a service does in a day."""

LONGEST_NAME_BYTES = 255 - len(f".v{HIGHEST_VERSION}")
"""In UTF-8. A Linux file system holds 255 bytes; a second version must find room for its suffix."""

# Nearly every name is of letters, digits and signs, and is asked about several times.
_is_usual = re.compile(rf"[!-\-0-\[\]-~][ -.0-\[\]-~]{{0,{LONGEST_NAME_BYTES - 1}}}").fullmatch
_VERSION = re.compile(r"\.v(?:[2-9]|[1-9][0-9]+)\Z")
_UNSEEN = {
    "Cc": "a control character",
    "Cf": "an invisible formatting character",
    "Cs": "bytes that are not UTF-8",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}


def refusal(name: str) -> str | None:
    """Why ``name`` may not become a file or folder of the archive; ``None`` when it may."""
    if _is_usual(name) and ".v" not in name:
        return None
    if not name:
        return "is empty"
    if "/" in name or "\\" in name:
        separator = next(character for character in name if character in "/\\")
        return f"contains the separator {separator}"
    for character in name:
        unseen = _UNSEEN.get(unicodedata.category(character))
        if unseen is not None:
            return f"contains {unseen} ({character!a})"
    if name.startswith("."):
        return "begins with a dot, as the names of hidden and unfinished files do"
    if len(name.encode()) > LONGEST_NAME_BYTES:
        return f"is longer than {LONGEST_NAME_BYTES} bytes"
    if suffix := _VERSION.search(name):
        return f"ends in {suffix[0]}, which marks second versions in the archive"
    return None


def versioned(name: str, version: int) -> str:
    """The file name of a version: the server's own for the first, ``NAME.v2`` for the second."""
    return name if version == 1 else f"{name}.v{version}"
