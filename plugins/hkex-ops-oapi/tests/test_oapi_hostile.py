"""Whatever a gateway answers: an answer that is right, or one of our errors. Never anything else.

The library here is none: its functions are Python, and give back what a test makes up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from oapi_desk import ENQUIRIES, RECOVERY

from hkex_ops.errors import Denied, HkexOpsError
from hkex_ops.model import Endpoint, Enquiry, EnquiryPage, GatewayEvent
from hkex_ops_oapi.codec import Codec
from hkex_ops_oapi.enquiring import Enquirer
from hkex_ops_oapi.gate import EnquiryGate
from hkex_ops_oapi.headers import convert_header
from hkex_ops_oapi.hearing import Hearer
from hkex_ops_oapi.link import Credentials, Link
from hkex_ops_oapi.loading import Library
from hkex_ops_oapi.options import GatewayAddress, GatewaySite, GatewaySites, OapiOptions
from hkex_ops_oapi.session import Session
from hkex_ops_simulator.oapi.build import header_text

LAYOUTS = convert_header(header_text(), document="h").layouts
SOME = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])

statuses = st.sampled_from([0, 0, 0, 0, -12, -13, -26, -53, 3, 4, 2000, 77]) | st.integers(
    -3000, 3000
)


class Scripted:
    """A library whose answers are a list; after the last one everything is lost."""

    def __init__(self, answers: list[tuple[int, int, bytes]]) -> None:
        self.answers = answers
        self.calls: list[str] = []

    def library(self) -> Library:
        import cffi

        ffi = cffi.FFI()
        names = ("create_session", "close_session", "login_ex", "logout_ex", "query_ex", "tx_ex")
        names += ("set_event_ex", "read_event_ext_ex", "get_message_ex", "get_info_ex")
        functions: dict[str, Any] = {f"omniapi_{name}": getattr(self, name) for name in names}
        functions["swapint16"] = lambda value: value
        self.ffi = ffi
        return Library(Path("scripted"), ffi, functions)

    def _next(self, name: str) -> tuple[int, int, bytes]:
        self.calls.append(name)
        return self.answers.pop(0) if self.answers else (-5, 0, b"")

    def _give(self, name: str, status: Any, room: Any, length: Any) -> int:
        completion, transaction, data = self._next(name)
        if status is not None:
            status[0] = transaction
        size = min(len(data), length[0])
        self.ffi.buffer(room)[:size] = data[:size]
        # A library that lies about its length must not make us read beyond our own room.
        length[0] = len(data) if completion != 77 else 0xFFFFFFFF
        return completion

    def create_session(self) -> Any:
        return self.ffi.cast("void *", 1)

    def close_session(self, session: Any) -> None:
        self.calls.append("close")

    def login_ex(self, session: Any, status: Any, login: Any) -> int:
        return 0

    def logout_ex(self, session: Any, status: Any) -> int:
        return 0

    def query_ex(self, session: Any, status: Any, facility: int, *rest: Any) -> int:
        _, _, room, length, *_ = rest
        return self._give("query", status, room, length)

    def tx_ex(self, *_: Any) -> int:
        raise AssertionError("nothing is sent")

    def set_event_ex(self, *_: Any) -> int:
        return 0

    def read_event_ext_ex(self, session: Any, kind: int, room: Any, length: Any, *_: Any) -> int:
        if kind == 1000:
            self.ffi.buffer(room)[:3] = b"1,4"
            length[0] = 3
            return 0
        return self._give("read", None, room, length)

    def get_message_ex(self, session: Any, code: int, text: Any, length: Any, simple: int) -> int:
        length[0] = 0
        return -26

    def get_info_ex(self, session: Any, reason: Any, kind: int, length: Any, room: Any) -> int:
        data = b"ZZSYN01BO801" if kind == 1 else (170).to_bytes(4, "little")
        self.ffi.buffer(room)[: len(data)] = data
        length[0] = len(data)
        return 0


def desk() -> OapiOptions:
    return OapiOptions(
        library=Path("scripted"),
        layouts=Path("none"),
        user="desk",
        sites=GatewaySites(GatewaySite((GatewayAddress("192.0.2.81", 1),))),
        enquiries=ENQUIRIES,
        recovery=RECOVERY,
        event_poll_ms=1,
        pages_most=5,
    )


async def begun(scripted: Scripted) -> tuple[Session, Codec, EnquiryGate, OapiOptions]:
    options, gate = desk(), EnquiryGate("little")
    session = Session(options, scripted.library(), gate, Endpoint("192.0.2.81", 1))
    await session.log_in("open sesame")
    return session, Codec(LAYOUTS, "little"), gate, options


def messages() -> st.SearchStrategy[bytes]:
    """Bytes that begin as an answer or an event does, or do not."""
    codes = sorted(code for record in LAYOUTS.records.values() for code in record.codes)
    typed = st.builds(
        lambda code, rest: code[:2].encode() + int(code[2:]).to_bytes(2, "little") + rest,
        st.sampled_from(codes),
        st.binary(max_size=400) | st.integers(0, 400).map(bytes),
    )
    return typed | st.binary(max_size=200)


@given(
    st.sampled_from(sorted(ENQUIRIES)),
    st.lists(st.tuples(statuses, statuses, messages()), max_size=8),
)
@SOME
async def test_any_answer_is_an_answer_or_an_error(
    code: str, answers: list[tuple[int, int, bytes]]
) -> None:
    """No page is the last one unless every answer to it had both numbers good."""
    scripted = Scripted(list(answers))
    session, codec, gate, options = await begun(scripted)
    pages: list[EnquiryPage] = []
    try:
        async for page in Enquirer(options, session, codec, gate).pages(Enquiry(code)):
            pages.append(page)
    except HkexOpsError:
        assert not any(page.is_last for page in pages)
    else:
        assert pages[-1].is_last
        good = [completion == 0 and status >= 0 for completion, status, _ in answers]
        assert all(good[: len(pages)])
    finally:
        await session.log_out()


def framed(events: list[bytes]) -> bytes:
    return b"".join(len(event).to_bytes(2, "little") + event for event in events)


@given(
    st.lists(
        st.tuples(statuses, st.just(0), st.lists(messages(), max_size=4).map(framed) | messages()),
        max_size=8,
    )
)
@SOME
async def test_any_event_is_an_event_or_a_loss(answers: list[tuple[int, int, bytes]]) -> None:
    """Whatever is read, and whatever the enquiries that make up for a loss bring."""
    scripted = Scripted(list(answers))
    session, codec, gate, options = await begun(scripted)
    enquirer = Enquirer(options, session, codec, gate)
    heard: list[GatewayEvent] = []
    with pytest.raises(HkexOpsError):
        await take_all(Hearer(options, session, codec, enquirer), heard)
    await session.log_out()
    assert len(heard) < 2_000


async def take_all(hearer: Hearer, heard: list[GatewayEvent]) -> None:
    async for event in hearer.events():
        heard.append(event)


async def test_nothing_passes_the_gate_by_hand() -> None:
    """The link over a library that would do anything, and is never called."""
    scripted = Scripted([])
    link = Link(scripted.library(), EnquiryGate("little"))
    for call in (link.query, link.transact):
        with pytest.raises(Denied):
            call(173, b"CD\x1c\x00" + bytes(77))
    assert [] == scripted.calls
    link.log_in(Credentials("desk", "open sesame", Endpoint("192.0.2.81", 1), "hkex-ops"))
    link.close()
