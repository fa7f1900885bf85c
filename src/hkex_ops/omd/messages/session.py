"""Messages of the retransmission service, over TCP (OMD-C specification, section 4.2).

When they may be sent is decided in :mod:`hkex_ops.omd.retransmission`.
"""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Text

__all__ = [
    "Logon",
    "LogonResponse",
    "RetransmissionRequest",
    "RetransmissionResponse",
]


class _Logon(NamedTuple):
    username_ascii: bytes
    tail: bytes = b""


class Logon(_Logon):
    """Asks to be let in (101). ``username_ascii`` is padded with NUL."""

    __slots__ = ()
    TYPE = 101

    username: Text = Text()


class _LogonResponse(NamedTuple):
    status: int
    filler: bytes
    tail: bytes = b""


class LogonResponse(_LogonResponse):
    """The answer to a logon (102): ``status`` is a `LogonStatus`."""

    __slots__ = ()
    TYPE = 102


class _RetransmissionRequest(NamedTuple):
    channel_id: int
    filler: bytes
    begin_sequence: int
    end_sequence: int
    tail: bytes = b""


class RetransmissionRequest(_RetransmissionRequest):
    """Asks for the messages ``begin_sequence`` to ``end_sequence`` inclusive (201)."""

    __slots__ = ()
    TYPE = 201


class _RetransmissionResponse(NamedTuple):
    channel_id: int
    status: int
    filler: bytes
    begin_sequence: int
    end_sequence: int
    tail: bytes = b""


class RetransmissionResponse(_RetransmissionResponse):
    """The answer to a request (202), a `RetransmissionStatus`; the messages follow on it."""

    __slots__ = ()
    TYPE = 202
