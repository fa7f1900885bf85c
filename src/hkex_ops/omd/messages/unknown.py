"""A message of a type that the specification in use does not name."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["UnknownMessage"]


class UnknownMessage(NamedTuple):
    """Kept as it came: its number and everything behind the message header of 4 bytes."""

    type: int
    body: bytes
