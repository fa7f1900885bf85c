"""One session at a gateway: who is logged in, what is subscribed, and what each call is answered.

Knows no socket: :mod:`~.gateways` reads a call off one and hands its parts here.
"""

from __future__ import annotations

import struct
from datetime import UTC
from enum import IntEnum
from typing import TYPE_CHECKING

from attrs import define, field

from hkex_ops.model import SiteRole
from hkex_ops_simulator.oapi.events import DEDICATED, GENERAL, NETWORK, EventQueue, network_event
from hkex_ops_simulator.oapi.faults import PasswordState
from hkex_ops_simulator.oapi.house import ClearingHouse, Reply, User

if TYPE_CHECKING:
    from hkex_ops_simulator.oapi.records import Order

__all__ = ["GatewaySession", "Op", "moment_of"]


class Op(IntEnum):
    """The calls, as ``stand_in.c`` numbers them."""

    LOGIN = 1
    LOGOUT = 2
    PASSWORD = 3
    TX = 4
    TX_RESPONSE = 5
    QUERY = 6
    SET_EVENT = 7
    CLEAR_EVENT = 8
    READ_EVENT = 9
    MESSAGE = 10
    INFO = 11
    MGMT = 12
    SOURCE = 13


_FUNCTIONS = {Op.TX: "tx_ex", Op.TX_RESPONSE: "tx_response_ex", Op.QUERY: "query_ex"}
_NAMED = {
    Op.LOGIN: "login",
    Op.LOGOUT: "logout",
    Op.PASSWORD: "password",
    Op.SET_EVENT: "subscribe",
    Op.CLEAR_EVENT: "unsubscribe",
    Op.MESSAGE: "message",
    Op.MGMT: "management",
    Op.SOURCE: "source",
}

NOT_READY, NOT_LOGGED_IN, NOT_FOUND, TRUNCATED, EXPIRED = -2, -5, -26, -13, -40
INVALID_ARGUMENT, INVALID_EVENT = -25, -30
LOGIN_DISABLED, INVALID_LOGIN, ANOTHER_SESSION = -2023, -2024, -2048
CHANGE_FIRST, MUST_CHANGE, ABOUT_TO_EXPIRE = -2038, 2027, 2028
REJECTED_PASSWORD, ALREADY_SET, ALREADY_CLEARED, LOGOUT_IMMINENT = -41, 1, 2, 4004

SHOW, SHOW_LIST, ALL_EVENTS = 1000, 1002, 999
_LIST_TYPE = 1

_FLAG_SWAPPED, _FLAG_FORCED = 1, 4
_LOGIN = struct.Struct("=32s32s128sI32sB3x")
_LOGIN_HEAD = 5 * 4 + 64
_WORD = struct.Struct("=I")
_READ = struct.Struct("=IIII")
_INFOBJ = struct.Struct("=HH2sHI")
_PASSWORDS = struct.Struct("=32s32s")
_PASSWORD_SHORTEST = 8

# Kinds of information that can be subscribed to; the last ones are to make the list long.
_KINDS = (GENERAL, 2, 3, DEDICATED, 5, 7, 8, NETWORK)


def moment_of(op: int, payload: bytes) -> str:
    """The moment that a call is, by which faults are named."""
    if op in _FUNCTIONS:
        body = payload[4:8]
        number = int.from_bytes(body[2:4], "little")
        swapped = int.from_bytes(body[2:4], "big")
        return f"{body[:2].decode('ascii', 'replace')}{min(number, swapped)}"
    if op == Op.INFO:
        return f"info-{_WORD.unpack_from(payload)[0]}"
    if op == Op.READ_EVENT:
        kind = _WORD.unpack_from(payload)[0]
        return "show" if kind in (SHOW, SHOW_LIST) else "poll"
    return _NAMED[Op(op)]


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("ascii", "replace")


@define(eq=False)
class GatewaySession:
    """What one connection at ``gateway`` of ``site`` has come to."""

    house: ClearingHouse
    gateway: str
    site: SiteRole
    user: User | None = None
    order: Order = "<"
    queue: EventQueue = field(init=False)
    ended: bool = False
    _must_change: bool = False
    _not_ready: int = 0

    def __attrs_post_init__(self) -> None:
        self.queue = EventQueue("<", self.house.faults)

    def call(self, op: int, flags: int, payload: bytes, others: list[GatewaySession]) -> Reply:
        """The answer to one call; ``others`` are the sessions there are at every gateway."""
        if op == Op.LOGIN:
            return self._log_in(flags, payload, others)
        if op == Op.READ_EVENT and self.ended and self.queue.waits:
            return self._read(payload)  # why it was ended can still be read
        if self.user is None or self.ended:
            return Reply(NOT_LOGGED_IN)
        if op == Op.LOGOUT:
            self.leave()
            return Reply()
        if op == Op.PASSWORD:
            return self._change_password(payload)
        if self._must_change:
            return Reply(CHANGE_FIRST)
        return self._business(Op(op), payload)

    def leave(self) -> None:
        """Be logged in no longer."""
        with self.house.lock:
            self.ended = True
            if self.queue in self.house.queues:
                self.house.queues.remove(self.queue)

    # -- who it is -------------------------------------------------------------------------------

    def _log_in(self, flags: int, payload: bytes, others: list[GatewaySession]) -> Reply:
        house, faults = self.house, self.house.faults
        user, password, *_ = _LOGIN.unpack_from(payload, _LOGIN_HEAD)
        scripted = faults.next_script("login")
        if scripted is not None and not scripted.whole:
            return Reply(scripted.status, scripted.txstat)
        if self.site is not house.in_service:
            return Reply(LOGIN_DISABLED)
        known = house.users.get(_text(user))
        if known is None or known.password != _text(password):
            return Reply(INVALID_LOGIN)
        if faults.password is PasswordState.EXPIRED:
            return Reply(EXPIRED)
        same = [one for one in others if one.user is known and not one.ended and one is not self]
        if same and not flags & _FLAG_FORCED:
            return Reply(ANOTHER_SESSION)
        for one in same:
            one.force_out()
        self.user, self.order = known, ">" if flags & _FLAG_SWAPPED else "<"
        self.queue = EventQueue(self.order, faults)
        with house.lock:
            house.queues.append(self.queue)
        self._not_ready = faults.not_ready
        self._must_change = faults.password is PasswordState.MUST_CHANGE
        if scripted is not None:
            return Reply(scripted.status, scripted.txstat)
        if self._must_change:
            return Reply(MUST_CHANGE)
        about = faults.password is PasswordState.ABOUT_TO_EXPIRE
        return Reply(ABOUT_TO_EXPIRE if about else 0)

    def force_out(self) -> None:
        """Be logged out by the other side: an event says so, and then nothing is heard."""
        self.queue.put(network_event(4, LOGOUT_IMMINENT, "SYNTHETIC: log-out is imminent"))
        self.leave()

    def _change_password(self, payload: bytes) -> Reply:
        assert self.user is not None
        old, new = map(_text, _PASSWORDS.unpack(payload))
        if old != self.user.password:
            return Reply(INVALID_LOGIN)
        if len(new) < _PASSWORD_SHORTEST or new == old:
            return Reply(REJECTED_PASSWORD)
        self.user.password = new
        self._must_change = False
        self.house.faults.password = PasswordState.GOOD
        return Reply()

    # -- what it asks ------------------------------------------------------------------------------

    def _business(self, op: Op, payload: bytes) -> Reply:
        if op in _FUNCTIONS:
            assert self.user is not None
            facility = _WORD.unpack_from(payload)[0]
            return self.house.take(
                _FUNCTIONS[op],
                facility,
                payload[_WORD.size :],
                self.order,
                self.user.name,
                self.gateway,
            )
        scripted = self.house.faults.next_script(moment_of(op, payload))
        if scripted is not None:
            return Reply(scripted.status, scripted.txstat)
        match op:
            case Op.SET_EVENT:
                return self._subscribe(payload)
            case Op.CLEAR_EVENT:
                return self._unsubscribe(payload)
            case Op.READ_EVENT:
                return self._read(payload)
            case Op.INFO:
                return self._info(_WORD.unpack_from(payload)[0])
            case Op.MESSAGE:
                return self._message(int.from_bytes(payload[:4], "little", signed=True))
            case _:
                return Reply()

    def _subscribe(self, payload: bytes) -> Reply:
        (kind,) = _WORD.unpack_from(payload)
        with self.house.lock:
            if len(payload) > _WORD.size:
                self.queue.by_list = True
                self.queue.subscribed.update(_KINDS)
                return Reply(data=payload[_WORD.size :])
            if kind not in _KINDS:
                return Reply(INVALID_EVENT)
            if kind in self.queue.subscribed:
                return Reply(ALREADY_SET)
            self.queue.subscribed.add(kind)
            return Reply()

    def _unsubscribe(self, payload: bytes) -> Reply:
        (kind,) = _WORD.unpack_from(payload)
        with self.house.lock:
            if kind not in self.queue.subscribed:
                return Reply(ALREADY_CLEARED)
            self.queue.subscribed.discard(kind)
            return Reply()

    def _read(self, payload: bytes) -> Reply:
        kind, room, many, _ = _READ.unpack(payload)
        if kind == SHOW:
            listed = ",".join(map(str, _KINDS)).ljust(self.house.faults.show_length).encode()
            return Reply(TRUNCATED) if len(listed) > room else Reply(data=listed)
        if kind == SHOW_LIST:
            rows = [
                _INFOBJ.pack(1, one, b"BI", 0, 0) + _WORD.pack(one == NETWORK) for one in _KINDS
            ]
            listed = _WORD.pack(len(rows)) + b"".join(rows)
            return Reply(TRUNCATED) if len(listed) > room else Reply(data=listed)
        with self.house.lock:
            status, data = self.queue.read(room, many=bool(many))
            return Reply(status, data=data)

    def _info(self, kind: int) -> Reply:
        assert self.user is not None
        faults, house = self.house.faults, self.house
        if kind in (1, 2) and self._not_ready > 0:
            self._not_ready -= 1
            return Reply(NOT_READY)
        number = {
            2: house.facility_base,
            3: house.facility_base + 20,
            5: 0,
            9: 2,
            10: 2,
            11: faults.days_to_expiry,
            14: 60,
            15: 1,
            16: 1,
        }.get(kind)
        if number is not None:
            return Reply(data=struct.pack(f"{self.order}i", number))
        texts = {
            1: self.user.code.ljust(12),
            4: "SYNTHETIC 1.0",
            6: "SYNTHETIC clearing house",
            7: "ZZ",
            17: "",
        }
        if kind in (12, 13):
            return Reply(data=self._time(utc=kind == 12))
        return Reply(data=texts[kind].encode()) if kind in texts else Reply(INVALID_ARGUMENT)

    def _time(self, *, utc: bool) -> bytes:
        now = self.house.clock.now()
        at = (now.astimezone(UTC) if utc else now).timetuple()
        parts = (
            *(at.tm_sec, at.tm_min, at.tm_hour, at.tm_mday, at.tm_mon - 1),
            *(at.tm_year - 1900, at.tm_wday, at.tm_yday - 1, 0),
        )
        zone = b"UTC" if utc else b"Asia/Hong_Kong"
        return zone.ljust(28) + struct.pack(f"{self.order}9i", *parts)

    def _message(self, code: int) -> Reply:
        text = {
            -700101: "SYNTHETIC: no such instrument group",
            -700102: "SYNTHETIC: not a date",
        }.get(code)
        return Reply(NOT_FOUND) if text is None else Reply(data=text.encode())
