"""Gateways of the clearing house: ports on loopback at which the stand-in library calls.

Each gateway has a thread that takes connections and one more for each of them, so that a test or
a rehearsal may call the library from wherever it likes. A gateway that is killed cuts what it has
and takes nothing more; opened again, it listens at its old port.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from threading import Event as Signal, RLock, Thread
from typing import cast

from attrs import define, field

from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_simulator.oapi.house import ClearingHouse, Reply
from hkex_ops_simulator.oapi.sessions import GatewaySession, Op, moment_of

__all__ = ["Exchange", "Gateway"]

_QUESTION = struct.Struct("=IBBH")
_ANSWER = struct.Struct("=IiiQQ")
_WORD_BYTES = 4
_LONGEST_BYTES = 4 * 64_000
_BACKLOG = 16
_LOOK_EVERY_S = 0.005
_NOTHING = -26


@define(eq=False)
class Exchange:
    """The sessions at every gateway of one house: a user has one of them."""

    house: ClearingHouse
    sessions: list[GatewaySession] = field(factory=list[GatewaySession])
    lock: RLock = field(factory=RLock)

    def call(self, session: GatewaySession, op: int, flags: int, payload: bytes) -> Reply:
        """One call of one session, with nobody else's between."""
        with self.lock:
            return session.call(op, flags, payload, self.sessions)


@define(eq=False)
class Gateway:
    """One gateway, called ``name``, at ``host`` of ``site``; open or closed."""

    exchange: Exchange
    name: str
    site: SiteRole
    host: str = "127.0.0.1"
    port: int = 0
    logins: int = 0
    visits: int = 0
    _listening: socket.socket | None = None
    _threads: list[Thread] = field(factory=list[Thread])
    _connections: set[socket.socket] = field(factory=set[socket.socket])
    _lock: RLock = field(factory=RLock)
    _closing: Signal = field(factory=Signal)

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, once it was opened."""
        return Endpoint(self.host, self.port)

    @property
    def is_open(self) -> bool:
        """Whether it takes connections."""
        return self._listening is not None

    def open(self) -> None:
        """Take connections. `ConfigError` where the machine cannot listen there."""
        if self._listening is not None:
            return
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self.host, self.port))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            raise ConfigError(
                f"the simulator cannot listen at {self.host}:{self.port}: {error.strerror}"
            ) from error
        self.port = listening.getsockname()[1]
        self._closing = Signal()
        self._listening = listening
        self._start(self._accept, listening, self._closing)

    def kill(self) -> None:
        """Take no connection and cut those that stand, as a machine that goes down does.

        Who was logged in here is logged in no longer before any line is cut, so that nobody who
        goes to another gateway at once is taken for somebody else.
        """
        with self.exchange.lock:
            for session in self.exchange.sessions:
                if session.gateway == self.name:
                    session.leave()
        with self._lock:
            listening, self._listening = self._listening, None
            self._closing.set()
            if listening is not None:
                _cut(listening)
            for one in self._connections:
                _cut(one)

    def force_out(self) -> None:
        """Log out everybody who is logged in here; the connections stay."""
        with self.exchange.lock:
            for session in self.exchange.sessions:
                if session.gateway == self.name and session.user is not None:
                    session.force_out()

    def close(self) -> None:
        """Kill it, and wait until nothing of it runs any longer."""
        self.kill()
        while self._threads:
            self._threads.pop().join()

    # -- threads ---------------------------------------------------------------------------------

    def _start(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = Thread(target=work, args=arguments, name=f"gateway {self.name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket, closing: Signal) -> None:
        with listening:
            while not closing.is_set():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with self._lock:
                    if closing.is_set():
                        connection.close()
                        return
                    self._connections.add(connection)
                    self.visits += 1
                    self._start(self._serve, connection, closing)

    def _serve(self, connection: socket.socket, closing: Signal) -> None:
        session = GatewaySession(self.exchange.house, self.name, self.site)
        with self.exchange.lock:
            self.exchange.sessions.append(session)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not closing.is_set() and self._one(connection, session, closing):
                pass
        except OSError:
            pass  # the other side is gone, or this gateway is
        finally:
            with self.exchange.lock:
                session.leave()
                self.exchange.sessions.remove(session)
            with self._lock:
                self._connections.discard(connection)
                connection.close()

    def _one(self, connection: socket.socket, session: GatewaySession, closing: Signal) -> bool:
        """Answer one call; false when there is no more to come."""
        connection.settimeout(self.exchange.house.faults.patience_s)
        head = _exactly(connection, _QUESTION.size)
        if head is None:
            return False
        length, op, flags, collisions = cast("tuple[int, ...]", _QUESTION.unpack(head))
        rest = length - (_QUESTION.size - _WORD_BYTES)
        if not 0 <= rest <= _LONGEST_BYTES or op not in tuple(Op):
            return False
        payload = _exactly(connection, rest)
        if payload is None:
            return False
        house, moment = self.exchange.house, moment_of(op, payload)
        house.collisions += collisions
        house.moments.append(moment)
        if house.faults.cuts(moment):
            self.kill()
            return False
        delay_s = house.faults.slow.get(moment, 0.0)
        if delay_s and closing.wait(delay_s):
            return False
        reply = self._reply(session, op, flags, payload, closing)
        if op == Op.LOGIN and reply.status >= 0:
            self.logins += 1
        answer = _ANSWER.pack(
            _ANSWER.size - _WORD_BYTES + len(reply.data),
            reply.status,
            reply.txstat,
            reply.txid,
            reply.ordid,
        )
        connection.sendall(answer + reply.data)
        return op != Op.LOGOUT

    def _reply(
        self, session: GatewaySession, op: int, flags: int, payload: bytes, closing: Signal
    ) -> Reply:
        reply = self.exchange.call(session, op, flags, payload)
        if op != Op.READ_EVENT:
            return reply
        wait_ms = int.from_bytes(payload[12:16], "little")
        waited_s = 0.0
        while reply.status == _NOTHING and waited_s * 1000 < wait_ms:
            if closing.wait(_LOOK_EVERY_S):
                break
            waited_s += _LOOK_EVERY_S
            reply = self.exchange.call(session, op, flags, payload)
        return reply


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    """``size`` bytes; nothing when the other side has ended."""
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return bytes(data)


def _cut(one: socket.socket) -> None:
    """Wake whoever waits on a socket; its own thread closes it."""
    with suppress(OSError):  # never connected, or cut already
        one.shutdown(socket.SHUT_RDWR)
