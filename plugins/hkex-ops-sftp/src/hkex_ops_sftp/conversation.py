"""An SFTP session without a connection: bytes in, answers out; requests in, bytes out.

Requests of one turn become one piece of bytes. Bodies of DATA are handed on in the pieces in which
they arrive, so that a file is never put together in memory. Who asked is told by a function; what
an answer means is its business. Called by :mod:`hkex_ops_sftp.channel`, which has the connection;
what is asked for, and how much of it at once, is decided in :mod:`hkex_ops_sftp.folder_listing`
and :mod:`hkex_ops_sftp.file_reading`.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import TypeAlias

from hkex_ops_sftp.wire import (
    LIMITS_REQUEST,
    VERSION,
    Broken,
    Kind,
    Limits,
    limits_in,
    offers_limits,
    request,
)

__all__ = ["Conversation", "TakeAnswer"]

TakeAnswer: TypeAlias = Callable[[Kind, bytes, bool], None]
"""Told the kind of an answer, its body after the id, and whether that was all of it. Only DATA
comes in several pieces, without the length before it."""

# Far beyond what servers send: a listing of a hundred names of 255 bytes is below 64 KiB.
MAX_ANSWER_BYTES = 4 * 1024 * 1024

# What every server must answer to one READ (section 3 of the draft), and the most asked for.
SAFE_READ_BYTES = 32 * 1024
MAX_READ_BYTES = 256 * 1024

_head = Struct(">IB").unpack_from
_data_head = Struct(">IBII").unpack_from
_DATA_HEAD_BYTES = 13
_number = Struct(">I").unpack_from

_KINDS = {kind.value: kind for kind in Kind}


class Conversation:
    """One session. ``answers`` counts whole answers; ``waiting`` requests have none yet."""

    def __init__(self) -> None:
        self.answers = 0
        self.read_bytes: int = SAFE_READ_BYTES
        self.limits: Limits | None = None
        self.is_open = False
        self._out: list[bytes] = [request(Kind.INIT, VERSION, b"")]
        self._asked: dict[int, TakeAnswer] = {}
        self._number = 0
        self._rest = b""
        self._body_left = 0
        self._body_number = 0
        self._take_piece: TakeAnswer = _unasked

    @property
    def waiting(self) -> int:
        """How many requests have no answer yet; the greeting is one."""
        return len(self._asked) + (not self.is_open)

    def ask(self, kind: Kind, body: bytes, take: TakeAnswer) -> None:
        """Put a request to what is written next."""
        number = self._number = (self._number + 1) & 0xFFFFFFFF
        self._asked[number] = take
        self._out.append(request(kind, number, body))

    def take_output(self) -> bytes:
        """Everything that is to be written now, once."""
        if not self._out:
            return b""
        found = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        return found

    def receive(self, data: bytes) -> None:
        """Take what came, cut anywhere. Raises `Broken`; nothing can be read on after that."""
        if self._body_left:
            if len(data) < self._body_left:  # as nearly every piece of a large answer is
                self._body_left -= len(data)
                self._take_piece(Kind.DATA, data, False)
                return
            data = self._take_body(data)
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 5:
            length, kind = _head(data, at)
            if not 1 <= length <= MAX_ANSWER_BYTES:
                raise Broken(f"an answer of {length} bytes")
            if kind == Kind.DATA and end - at >= _DATA_HEAD_BYTES:
                at = self._begin_body(data, at)
                continue
            if end - at < 4 + length:
                break
            self._take_answer(kind, data[at + 5 : at + 4 + length])
            at += 4 + length
        self._rest = data[at:] if at < end else b""

    # -- within ------------------------------------------------------------------------------

    def _take_answer(self, kind: int, body: bytes) -> None:
        known = _KINDS.get(kind)
        self.answers += 1
        if not self.is_open:
            self._greeted(known, body)
            return
        if known is None or len(body) < 4:
            raise Broken(f"an answer of type {kind} with {len(body)} bytes")
        (number,) = _number(body)
        take = self._asked.pop(number, None)
        if take is None:
            raise Broken(f"an answer to request {number}, which was not made")
        take(known, body[4:], True)

    def _begin_body(self, data: bytes, at: int) -> int:
        length, _, number, size = _data_head(data, at)
        take = self._asked.get(number)
        if take is None or not self.is_open:
            raise Broken(f"an answer to request {number}, which was not made")
        if length != size + 9:
            raise Broken(f"data of {size} bytes in an answer of {length}")
        at += _DATA_HEAD_BYTES
        piece = data[at : at + size]
        self._body_left, self._body_number, self._take_piece = size, number, take
        self._hand_on(piece)
        return at + len(piece)

    def _take_body(self, data: bytes) -> bytes:
        """The rest of a DATA that was begun; what comes after it."""
        if len(data) <= self._body_left:
            self._hand_on(data)
            return b""
        piece, data = data[: self._body_left], data[self._body_left :]
        self._hand_on(piece)
        return data

    def _hand_on(self, piece: bytes) -> None:
        self._body_left -= len(piece)
        if self._body_left:
            if piece:
                self._take_piece(Kind.DATA, piece, False)
            return
        self.answers += 1
        del self._asked[self._body_number]
        self._take_piece(Kind.DATA, piece, True)

    def _greeted(self, kind: Kind | None, body: bytes) -> None:
        if kind is not Kind.VERSION or len(body) < 4:
            raise Broken("no greeting of an SFTP server")
        (version,) = _number(body)
        if version < VERSION:
            raise Broken(f"SFTP version {version}, and {VERSION} is needed")
        self.is_open = True
        if offers_limits(body[4:]):
            self.ask(Kind.EXTENDED, LIMITS_REQUEST, self._told_limits)

    def _told_limits(self, kind: Kind, body: bytes, _: bool) -> None:
        if kind is not Kind.EXTENDED_REPLY:
            return
        self.limits = limits_in(body)
        if self.limits.read_bytes:
            self.read_bytes = min(self.limits.read_bytes, MAX_READ_BYTES)


def _unasked(_kind: Kind, _body: bytes, _is_last: bool) -> None:
    """What takes pieces before there are any."""
