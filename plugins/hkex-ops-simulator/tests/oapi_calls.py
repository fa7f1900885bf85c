"""The stand-in library called through plain ctypes: an independent hand that no adapter knows.

Messages are spelt here with :mod:`struct` and the numbers of ``stand_in_messages.h``, not with the
house's own records.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from attrs import frozen

from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint
from hkex_ops_simulator.oapi.build import find_compiler
from hkex_ops_simulator.oapi.house import PASSWORD, USER


def _skipped() -> bool:
    try:
        find_compiler()
    except ConfigError:
        return os.environ.get("HKEX_OPS_REQUIRE_SERVERS") != "1"
    return False


needs_compiler = pytest.mark.skipif(_skipped(), reason="no C compiler: install gcc and libc6-dev")

ANY_SERIES = bytes(12)
USER_CODE, FACILITY_BASE = 1, 2
SHOW, ALL_EVENTS = 1000, 999

GUARD = 0xA5


@frozen
class Told:
    """What a call gave: two numbers, bytes, and the buffers of the two ids as they were left."""

    status: int
    txstat: int
    data: bytes
    ids: bytes


class Session:
    """One session of a loaded library."""

    def __init__(self, path: Path, *, mode: int = ctypes.RTLD_LOCAL) -> None:
        self.library = ctypes.CDLL(str(path), mode=mode)
        self.library.omniapi_create_session.restype = ctypes.c_void_p
        self.handle = ctypes.c_void_p(self.library.omniapi_create_session())
        self.library.swapint16.restype = ctypes.c_uint16
        self.library.swapint16.argtypes = (ctypes.c_uint16,)
        self.order = "<" if self.library.swapint16(0x0102) == 0x0102 else ">"

    def close(self) -> None:
        self.library.omniapi_close_session(self.handle)

    def log_in(
        self,
        at: Endpoint,
        *,
        user: str = USER,
        password: str = PASSWORD,
        forced: bool = False,
    ) -> int:
        login = struct.pack(
            "=32s32s128sI32sB3x",
            user.encode(),
            password.encode(),
            at.host.encode(),
            at.port,
            b"a test",
            forced,
        )
        txstat = ctypes.c_int32(0)
        return int(self.library.omniapi_login_ex(self.handle, ctypes.byref(txstat), login))

    def log_out(self) -> int:
        txstat = ctypes.c_int32(0)
        return int(self.library.omniapi_logout_ex(self.handle, ctypes.byref(txstat)))

    def info(self, kind: int, room: int = 64) -> tuple[int, bytes]:
        reason, length = ctypes.c_int32(0), ctypes.c_uint32(room)
        buffer = ctypes.create_string_buffer(room)
        status = self.library.omniapi_get_info_ex(
            self.handle, ctypes.byref(reason), kind, ctypes.byref(length), buffer
        )
        return int(status), buffer.raw[: length.value]

    def ready(self) -> int:
        """Wait for the user code, and give the base of the facilities."""
        while self.info(USER_CODE)[0] == -2:
            pass
        status, data = self.info(FACILITY_BASE)
        assert status == 0
        return int(struct.unpack(f"{self.order}i", data)[0])

    def query(self, facility: int, body: bytes, room: int = 64_000) -> Told:
        return self._ask(self.library.omniapi_query_ex, facility, body, room)

    def tx_response(self, facility: int, body: bytes) -> Told:
        return self._ask(self.library.omniapi_tx_response_ex, facility, body, 1000)

    def _ask(self, function: Callable[..., int], facility: int, body: bytes, room: int) -> Told:
        message = struct.pack("=I", len(body)) + body
        txstat, length = ctypes.c_int32(0), ctypes.c_uint32(room)
        answer = ctypes.create_string_buffer(max(room, 1))
        ids = (ctypes.c_uint8 * 20)(*([GUARD] * 20))
        status = function(
            self.handle,
            ctypes.byref(txstat),
            facility,
            message,
            ctypes.c_char(b"\1"),
            answer,
            ctypes.byref(length),
            ctypes.byref(ids, 0),
            ctypes.byref(ids, 10),
        )
        return Told(status, txstat.value, answer.raw[: length.value], bytes(ids))

    def transact(self, facility: int, body: bytes) -> int:
        message = ctypes.create_string_buffer(struct.pack("=I", len(body)) + body)
        vector = (ctypes.c_void_p * 2)(ctypes.addressof(message), None)
        txstat, ids = ctypes.c_int32(0), (ctypes.c_uint64 * 2)()
        return int(
            self.library.omniapi_tx_ex(
                self.handle,
                ctypes.byref(txstat),
                facility,
                vector,
                ctypes.byref(ids, 0),
                ctypes.byref(ids, 8),
            )
        )

    def subscribe(self, kind: int, listed: bytes | None = None) -> int:
        return int(self.library.omniapi_set_event_ex(self.handle, kind, listed))

    def read(self, room: int = 64_000, kind: int = ALL_EVENTS, many: int = 1) -> tuple[int, bytes]:
        length, buffer = ctypes.c_uint32(room), ctypes.create_string_buffer(max(room, 1))
        status = self.library.omniapi_read_event_ext_ex(
            self.handle, kind, buffer, ctypes.byref(length), None, many
        )
        return int(status), buffer.raw[: length.value]

    def message(self, code: int) -> tuple[int, str]:
        length, buffer = ctypes.c_uint32(100), ctypes.create_string_buffer(100)
        status = self.library.omniapi_get_message_ex(
            self.handle, code, buffer, ctypes.byref(length), 1
        )
        return int(status), buffer.raw[: length.value].decode()

    # -- messages --------------------------------------------------------------------------------

    def head(self, code: str) -> bytes:
        """The type of a message."""
        return struct.pack(f"{self.order}2sH", code[:2].encode(), int(code[2:]))

    def ask_groups(self, base: int) -> list[bytes]:
        """The series of every instrument group."""
        told = self.query(base, self.head("DQ8") + struct.pack(f"{self.order}H", 1))
        assert (0, 0) == (told.status, told.txstat)
        return [told.data[at : at + 12] for at in range(8, len(told.data), 51)]

    def ask_positions(self, base: int, segment: int, account: bytes = b"") -> Told:
        body = self.head("CQ3") + struct.pack(
            f"{self.order}H12s21s8s", segment, ANY_SERIES, account.ljust(21), b" " * 8
        )
        return self.query(base + 3, body)

    def ask_trades(self, base: int, group: bytes, day: date, first: int) -> Told:
        body = self.head("CQ10") + struct.pack(
            f"{self.order}12s8sii4x", group, f"{day:%Y%m%d}".encode(), first, 0
        )
        return self.query(base + 3, body)

    def trades_of(self, answer: bytes) -> list[tuple[int, int, int]]:
        """Trade number, sequence and quantity of every trade in CA10; unknown parts skipped."""
        return list(self._trades(answer))

    def _trades(self, answer: bytes) -> Iterator[tuple[int, int, int]]:
        (items,) = struct.unpack_from(f"{self.order}H", answer, 16)
        at = 20
        for _ in range(items):
            parts, size = struct.unpack_from(f"{self.order}HH", answer, at)
            inner = at + 4
            for _ in range(parts):
                number, length = struct.unpack_from(f"{self.order}HH", answer, inner)
                if number == 203:
                    trade, sequence = struct.unpack_from(f"{self.order}ii", answer, inner + 16)
                    (quantity,) = struct.unpack_from(f"{self.order}q", answer, inner + 48)
                    yield trade, sequence, quantity
                inner += length
            at += size
            assert at == inner
        assert at == len(answer)
