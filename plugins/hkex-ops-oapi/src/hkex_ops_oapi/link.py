"""The calls of the library for one session, each asked of the gate first. The lowest storey.

Everything here blocks and runs in the session's worker thread. Buffers are made anew for each
call, so that one which comes back too late writes into nobody else's. The two ids are eight bytes
each, whatever their declared type says (fact sheet, 1.4).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import cast

from attrs import frozen

from hkex_ops.errors import PluginError, WireError
from hkex_ops.model import Endpoint
from hkex_ops_oapi.codec import ByteOrder
from hkex_ops_oapi.declarations import OLD_LOGIN_BYTES
from hkex_ops_oapi.gate import QUERY, TRANSACTION, EnquiryGate, SessionAct
from hkex_ops_oapi.layouts import MESSAGE_BYTES_MOST
from hkex_ops_oapi.loading import Library
from hkex_ops_oapi.statuses import TRUNCATED, Told

__all__ = ["Credentials", "Link", "QueryAnswer", "Sent"]

DISTRIBUTION = "hkex-ops-oapi"

LOGIN_FACILITY, LOGOUT_FACILITY = 1, 2
SHOW_EVENTS, ALL_EVENTS = 1000, 999
_MANY_EVENTS = 1
_LENGTH_BYTES = 4
_ID_BYTES = 8
_TEXT_BYTES = 512
_INFO_BYTES = 256
# The list of events is some tens of bytes; a kit that says it is longer gets more room.
_SHOW_BYTES = (256, 4096, MESSAGE_BYTES_MOST)

# The log-in structure: user, password, host, port, program, forced, filler (fact sheet, 2.1).
_USER, _PASSWORD, _HOST, _PORT, _PROGRAM, _FORCED = 0, 32, 64, 192, 196, 228
_LOGIN_BYTES = 232


@frozen
class Credentials:
    """Who logs in where. The password is shown by nothing."""

    user: str
    password: str
    gateway: Endpoint
    program: str

    def __repr__(self) -> str:
        return f"Credentials({self.user!r}, at {self.gateway})"


@frozen
class QueryAnswer:
    """What came of an enquiry: the two numbers, and the bytes of the answer."""

    told: Told
    data: bytes


@frozen
class Sent:
    """What came of a transaction: the two numbers and the two ids, as hexadecimal digits."""

    told: Told
    transaction_id: str
    order_id: str


class Link:
    """One session of the library, made with it and closed with :meth:`close`."""

    def __init__(self, library: Library, gate: EnquiryGate) -> None:
        self._library = library
        self._ffi = library.ffi
        self._gate = gate
        self._order: ByteOrder = library.byte_order
        self._act("omniapi_create_session")
        self._handle: object | None = library.call("omniapi_create_session")
        if self._handle == self._ffi.NULL:
            raise PluginError(
                f"the library {library.path} makes no session", distribution=DISTRIBUTION
            )

    def close(self) -> None:
        """Give the session back to the library."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._act("omniapi_close_session")
            self._library.call("omniapi_close_session", handle)

    def leave(self) -> None:
        """Log out, whether or not anybody is logged in, and give the session back."""
        try:
            self.log_out()
        finally:
            self.close()

    # -- logging in and out ------------------------------------------------------------------

    def set_option(self, option: int, value: int) -> Told | None:
        """Set an option before the log-in; nothing where the kit has no such call."""
        name = "omniapi_set_option_ex"
        if not self._library.has(name):
            return None
        self._act(name)
        return Told(self._number(name, option, value))

    def log_in(self, credentials: Credentials) -> Told:
        """Log in, never by force. An older kit is told by a message."""
        name = "omniapi_login_ex"
        if not self._library.has(name):
            return self._old_call(LOGIN_FACILITY, _old_login(credentials))
        login = bytearray(_login(credentials))
        self._gate.require_act(SessionAct(name, is_forced=login[_FORCED] != 0))
        room = self._ffi.new("char[]", len(login))
        try:
            self._ffi.buffer(room)[:] = bytes(login)
            status = self._ffi.new("int32_t *", 0)
            completion = self._number(name, status, room)
            return Told(completion, _first(status))
        finally:
            self._ffi.buffer(room)[:] = bytes(len(login))  # the password does not stay

    def log_out(self) -> Told:
        """Log out."""
        name = "omniapi_logout_ex"
        if not self._library.has(name):
            return self._old_call(LOGOUT_FACILITY, bytes(OLD_LOGIN_BYTES))
        self._act(name)
        status = self._ffi.new("int32_t *", 0)
        return Told(self._number(name, status), _first(status))

    def _old_call(self, facility: int, message: bytes) -> Told:
        self._gate.require_old_login(facility, (LOGIN_FACILITY, LOGOUT_FACILITY))
        return self._send(facility, message).told

    # -- asking ------------------------------------------------------------------------------

    def query(self, facility: int, message: bytes) -> QueryAnswer:
        """Ask; the gate judges the bytes themselves."""
        self._gate.require_message(QUERY, message)
        status = self._ffi.new("int32_t *", 0)
        request = self._request(message)
        answer = self._ffi.new("char[]", MESSAGE_BYTES_MOST)
        length = self._ffi.new("uint32_t *", MESSAGE_BYTES_MOST)
        ids = (self._id(), self._id())
        completion = self._number(QUERY, status, facility, request, b"\x01", answer, length, *ids)
        size = min(_first(length), MESSAGE_BYTES_MOST)
        data = bytes(self._ffi.buffer(answer, size)[:])
        return QueryAnswer(Told(completion, _first(status)), data)

    def transact(self, facility: int, message: bytes) -> Sent:
        """Send what changes something, once; the gate judges the bytes themselves."""
        self._gate.require_message(TRANSACTION, message)
        return self._send(facility, message)

    def _send(self, facility: int, message: bytes) -> Sent:
        status = self._ffi.new("int32_t *", 0)
        request = self._request(message)
        vector = self._ffi.new("void *[2]", [request, self._ffi.NULL])
        ids = (self._id(), self._id())
        completion = self._number(TRANSACTION, status, facility, vector, *ids)
        texts = [bytes(self._ffi.buffer(one, _ID_BYTES)[:]).hex() for one in ids]
        return Sent(Told(completion, _first(status)), texts[0], texts[1])

    # -- knowing -----------------------------------------------------------------------------

    def info(self, kind: int) -> tuple[Told, bytes]:
        """What the library knows of ``kind``."""
        name = "omniapi_get_info_ex"
        self._act(name)
        reason = self._ffi.new("int32_t *", 0)
        length = self._ffi.new("uint32_t *", _INFO_BYTES)
        room = self._ffi.new("char[]", _INFO_BYTES)
        told = Told(self._number(name, reason, kind, length, room), _first(reason))
        size = min(_first(length), _INFO_BYTES)
        return told, bytes(self._ffi.buffer(room, size)[:])

    def info_number(self, kind: int) -> tuple[Told, int | None]:
        """The same as a number, which is in the order of messages."""
        told, data = self.info(kind)
        if told.completion < 0 or len(data) < _LENGTH_BYTES:
            return told, None
        return told, int.from_bytes(data[:_LENGTH_BYTES], self._order, signed=True)

    def text_of(self, code: int) -> str:
        """The library's text for a number; blank where it has none."""
        name = "omniapi_get_message_ex"
        self._act(name)
        length = self._ffi.new("uint32_t *", _TEXT_BYTES)
        room = self._ffi.new("char[]", _TEXT_BYTES)
        completion = self._number(name, code, room, length, 1)
        if completion < 0 and completion != TRUNCATED:
            return ""
        data = bytes(self._ffi.buffer(room, min(_first(length), _TEXT_BYTES))[:])
        return data.partition(b"\0")[0].decode("latin-1").strip()

    # -- hearing -----------------------------------------------------------------------------

    def event_types(self) -> tuple[Told, tuple[int, ...]]:
        """The types of event that this user may subscribe to."""
        told, data = Told(TRUNCATED), b""
        for size in _SHOW_BYTES:
            told, data = self._read(SHOW_EVENTS, size)
            if told.completion != TRUNCATED:
                break
        if told.completion < 0:
            return told, ()
        words = data.partition(b"\0")[0].decode("latin-1").split(",")
        if not all(word.strip().isdigit() for word in words):
            raise WireError("the list of events is no list of numbers", offset=0)
        return told, tuple(int(word) for word in words)

    def subscribe(self, kind: int) -> Told:
        """Subscribe to all events of ``kind``, by no list: they then come in the first form."""
        name = "omniapi_set_event_ex"
        self._act(name)
        return Told(self._number(name, kind, self._ffi.NULL))

    def read_events(self) -> tuple[Told, bytes]:
        """What events there are, as the library frames them."""
        return self._read(ALL_EVENTS, MESSAGE_BYTES_MOST)

    def _read(self, kind: int, size: int) -> tuple[Told, bytes]:
        name = "omniapi_read_event_ext_ex"
        self._act(name)
        room = self._ffi.new("char[]", size)
        length = self._ffi.new("uint32_t *", size)
        null = self._ffi.NULL
        completion = self._number(name, kind, room, length, null, _MANY_EVENTS)
        data = bytes(self._ffi.buffer(room, min(_first(length), size))[:])
        return Told(completion), data

    # -- parts -------------------------------------------------------------------------------

    def _act(self, function: str) -> None:
        self._gate.require_act(SessionAct(function))

    def _number(self, name: str, *arguments: object) -> int:
        return cast("int", self._library.call(name, self._handle, *arguments))

    def _id(self) -> object:
        return self._ffi.new("char[]", _ID_BYTES)

    def _request(self, message: bytes) -> object:
        """A length in this machine's order and the message, in a buffer of the largest size: a
        library may write its answer back into it."""
        room = self._ffi.new("char[]", _LENGTH_BYTES + MESSAGE_BYTES_MOST)
        head = len(message).to_bytes(_LENGTH_BYTES, sys.byteorder)
        self._ffi.buffer(room)[: len(head) + len(message)] = head + message
        return room


def _first(pointer: object) -> int:
    return cast("Sequence[int]", pointer)[0]


def _login(credentials: Credentials) -> bytes:
    """The log-in structure; the texts in it are ended by NULs, and it never forces."""
    login = bytearray(_LOGIN_BYTES)
    for at, text in (
        (_USER, credentials.user),
        (_PASSWORD, credentials.password),
        (_HOST, credentials.gateway.host),
        (_PROGRAM, credentials.program),
    ):
        data = text.encode("ascii")
        login[at : at + len(data)] = data
    login[_PORT : _PORT + 4] = credentials.gateway.port.to_bytes(4, sys.byteorder)
    return bytes(login)


def _old_login(credentials: Credentials) -> bytes:
    """The log-in message of an older kit; the exchange's texts are as long there as they may be."""
    login = bytearray(OLD_LOGIN_BYTES)
    for at, size, text in (
        (4, 32, credentials.user),
        (36, 32, credentials.password),
        (100, 129, credentials.gateway.host),
        (229, 21, str(credentials.gateway.port)),
        (250, 18, credentials.program),
    ):
        data = text.encode("ascii")[: size - 1]
        login[at : at + len(data)] = data
    return bytes(login)
