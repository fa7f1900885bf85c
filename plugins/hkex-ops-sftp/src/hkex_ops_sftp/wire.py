"""SFTP version 3, the part of it that reads: requests as bytes, and what bodies of answers say.

The protocol is that of draft-ietf-secsh-filexfer-02, and of OpenSSH's PROTOCOL file for the
extension that tells a server's limits. Knows no connection, no time and no file of ours. A body
that does not keep to the protocol raises `Broken`.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct, error as StructError
from typing import NamedTuple

__all__ = [
    "EOF",
    "LIMITS_REQUEST",
    "OK",
    "VERSION",
    "Attributes",
    "Broken",
    "Kind",
    "Limits",
    "Named",
    "Status",
    "attributes_in",
    "limits_in",
    "names_in",
    "offers_limits",
    "request",
    "status_in",
    "string",
    "string_in",
    "u32",
    "u64",
]

VERSION = 3

_HEAD = Struct(">IBI")
_U32, _U64, _TWO_U32 = Struct(">I"), Struct(">Q"), Struct(">II")
_LIMITS = Struct(">QQQQ")
_u32_in = _U32.unpack_from
_LIMITS_EXTENSION = b"limits@openssh.com"

_SIZE, _OWNER, _PERMISSIONS, _TIMES, _EXTENDED = 0x1, 0x2, 0x4, 0x8, 0x80000000
_USUAL = _SIZE | _OWNER | _PERMISSIONS | _TIMES
_USUAL_FLAGS = _U32.pack(_USUAL)
_usual = Struct(">QIIIII").unpack_from  # size, owner, group, permissions, access, modification
_USUAL_BYTES = 28

# A named tuple without the detour over its own `__new__`: a folder has twenty thousand of them.
_made = tuple.__new__

OK, EOF = 0, 1


class Broken(Exception):
    """The far side does not keep to SFTP."""


class Kind(IntEnum):
    """Types of packets, section 3 of the draft."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    FSTAT = 8
    OPENDIR = 11
    READDIR = 12
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Attributes(NamedTuple):
    """What a server says of a file; untold is ``None``. ``modified_s`` counts from 1970 (UTC)."""

    size_bytes: int | None
    permissions: int | None
    modified_s: int | None


class Named(NamedTuple):
    """One entry of a folder, its name as the server's bytes."""

    name: bytes
    attributes: Attributes


class Status(NamedTuple):
    """An answer that brings nothing but how a request went (section 7)."""

    code: int
    reason: str


class Limits(NamedTuple):
    """What a server takes at most; 0 where it knows no limit."""

    packet_bytes: int
    read_bytes: int
    write_bytes: int
    open_handles: int


def u32(number: int) -> bytes:
    """Four bytes."""
    return _U32.pack(number)


def u64(number: int) -> bytes:
    """Eight bytes."""
    return _U64.pack(number)


def string(data: bytes) -> bytes:
    """Bytes with their length before them."""
    return _U32.pack(len(data)) + data


def request(kind: Kind, number: int, body: bytes) -> bytes:
    """A whole packet. ``number`` is the request's id, and for INIT the version."""
    return _HEAD.pack(5 + len(body), kind, number) + body


def string_in(body: bytes, at: int = 0) -> bytes:
    """The string that begins ``at`` in a body."""
    try:
        (length,) = _U32.unpack_from(body, at)
    except StructError:
        raise Broken("an answer ends within itself") from None
    found = body[at + 4 : at + 4 + length]
    if len(found) != length:
        raise Broken("an answer ends within itself")
    return found


def status_in(body: bytes) -> Status:
    """Of a STATUS; servers that give no reason are put up with."""
    try:
        (code,) = _U32.unpack_from(body)
    except StructError:
        raise Broken("a status has no code") from None
    reason = string_in(body, 4) if len(body) > 4 else b""
    return Status(code, reason.decode("utf-8", "replace"))


def attributes_in(body: bytes, at: int = 0) -> tuple[Attributes, int]:
    """The attributes that begin ``at``, and where they end."""
    try:
        (flags,) = _U32.unpack_from(body, at)
        at += 4
        if flags == _USUAL:
            size, _, _, permissions, _, modified = _usual(body, at)
            return Attributes(size, permissions, modified), at + _USUAL_BYTES
        return _unusual(body, flags, at)
    except StructError:
        raise Broken("attributes end within themselves") from None


def _unusual(body: bytes, flags: int, at: int) -> tuple[Attributes, int]:
    size = permissions = modified = None
    if flags & _SIZE:
        (size,) = _U64.unpack_from(body, at)
        at += 8
    if flags & _OWNER:
        _TWO_U32.unpack_from(body, at)
        at += 8
    if flags & _PERMISSIONS:
        (permissions,) = _U32.unpack_from(body, at)
        at += 4
    if flags & _TIMES:
        _, modified = _TWO_U32.unpack_from(body, at)
        at += 8
    if flags & _EXTENDED:
        (count,) = _U32.unpack_from(body, at)
        at += 4
        for _ in range(2 * count):
            at += 4 + len(string_in(body, at))
    return Attributes(size, permissions, modified), at


def names_in(body: bytes) -> list[Named]:
    """The entries of a NAME."""
    found: list[Named] = []
    try:
        (count,) = _U32.unpack_from(body)
        at = 4
        for _ in range(count):
            (length,) = _u32_in(body, at)
            end = at + 4 + length
            name = body[at + 4 : end]
            (length,) = _u32_in(body, end)  # the line a person would be shown
            at = end + 4 + length
            if body.startswith(_USUAL_FLAGS, at):
                size, _, _, permissions, _, modified = _usual(body, at + 4)
                attributes = _made(Attributes, (size, permissions, modified))
                at += 4 + _USUAL_BYTES
            else:
                attributes, at = attributes_in(body, at)
            found.append(_made(Named, (name, attributes)))
    except StructError:
        raise Broken("a list of names ends within itself") from None
    if at > len(body):
        raise Broken("a list of names ends within itself")
    return found


def offers_limits(body: bytes) -> bool:
    """Whether a VERSION, its number taken off, offers to tell the server's limits."""
    at = 0
    while at < len(body):
        name = string_in(body, at)
        value = string_in(body, at + 4 + len(name))
        if name == _LIMITS_EXTENSION:
            return True
        at += 8 + len(name) + len(value)
    return False


LIMITS_REQUEST = string(_LIMITS_EXTENSION)


def limits_in(body: bytes) -> Limits:
    """Of the EXTENDED_REPLY that tells limits."""
    try:
        return Limits(*_LIMITS.unpack_from(body))
    except StructError:
        raise Broken("an answer ends within itself") from None
