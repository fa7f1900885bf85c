"""Statuses, pages, options, passwords and the worker thread, each for itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from hkex_ops.errors import (
    AuthRefused,
    ConfigError,
    HkexOpsError,
    PermanentError,
    TimedOut,
    TransientError,
    WireError,
)
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_oapi.codec import Decoded
from hkex_ops_oapi.link import Credentials
from hkex_ops_oapi.options import (
    EnquiryOptions,
    GatewayAddress,
    GatewaySite,
    GatewaySites,
    OapiOptions,
    Paging,
    RecoveryOptions,
)
from hkex_ops_oapi.paging import Coverage, Pager, covered_by
from hkex_ops_oapi.remembering import Memory
from hkex_ops_oapi.secrets import ask_password, check_password, read_password
from hkex_ops_oapi.statuses import NEVER_RETRY, SESSION_LOST, Told, failure
from hkex_ops_oapi.worker import Worker

# -- statuses -------------------------------------------------------------------------------------

# Every number of section 1.8 of the fact sheet that is an error of the library.
DOCUMENTED = (
    *(1, 2, 3, 5, 9, 10, 11, 12, 13, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 29, 30, 32, 35),
    *(36, 39, 40, 41, 42, 50, 53, 54, 55, 56, 57, 2000, 2001, 2003, 2004, 2005, 2006, 2007, 2008),
    *(2009, 2010, 2011, 2012, 2013, 2014, 2015, 2016, 2017, 2019, 2020, 2021, 2022, 2023, 2024),
    *(2025, 2026, 2029, 2030, 2031, 2032, 2033, 2034, 2035, 2036, 2037, 2038, 2043, 2044, 2045),
    *(2046, 2047, 2048),
)


@pytest.mark.parametrize("status", DOCUMENTED)
def test_every_documented_number_is_a_sentence_of_its_own(status: int) -> None:
    error = failure("enquiry CQ3", Told(-status))
    assert "is not known here" not in str(error)
    assert str(error).startswith("enquiry CQ3: ")
    assert f"completion {-status}" in str(error)


@pytest.mark.parametrize("status", [-6, -4, -58, -1999, -2002, -2049, -70000, 6, 7, 4711])
def test_a_number_that_nobody_documented_is_never_success(status: int) -> None:
    error = failure("enquiry CQ3", Told(status))
    assert isinstance(error, PermanentError)
    assert f"status {status} is not known here" in str(error)
    assert not Told(status).is_good


@pytest.mark.parametrize("status", sorted(NEVER_RETRY))
def test_what_may_lock_a_user_out_is_never_transient(status: int) -> None:
    for told in (Told(status), Told(-12, status), Told(0, status)):
        assert isinstance(failure("log-in", told), AuthRefused)


@pytest.mark.parametrize("status", sorted(SESSION_LOST))
def test_a_session_that_is_lost_may_be_tried_anew(status: int) -> None:
    assert isinstance(failure("enquiry", Told(status)), TransientError)


def test_both_numbers_must_say_that_it_went_well() -> None:
    assert [True, True, False, False, False] == [
        told.is_good for told in (Told(0), Told(0, 7), Told(0, -7), Told(-1), Told(3))
    ]


def test_the_central_systems_text_is_told() -> None:
    error = failure("enquiry CQ10", Told(-12, -700101, "no such group"))
    assert (
        "enquiry CQ10: clearing refused it (completion -12, status -700101, 'no such group')"
        == (str(error))
    )


# -- pages ----------------------------------------------------------------------------------------


def answer(header: dict[str, Any], *numbers: int) -> Decoded:
    return Decoded("CA1", header, tuple({"sequence_number_i": number} for number in numbers))


def test_segments_are_counted_until_nought() -> None:
    pager = Pager("CQ3", EnquiryOptions(3, Paging.SEGMENTS), {"account": "A"})
    assert {"account": "A", "segment_number_n": 1} == pager.parameters
    assert not pager.take(answer({"segment_number_n": 1}, 1))
    assert {"account": "A", "segment_number_n": 2} == pager.parameters
    assert pager.take(answer({"segment_number_n": 0}, 2))


@pytest.mark.parametrize("header", [{"segment_number_n": 7}, {"segment_number_n": 2}])
def test_a_segment_that_was_not_asked_for_is_a_fault(header: dict[str, Any]) -> None:
    pager = Pager("CQ3", EnquiryOptions(3, Paging.SEGMENTS), {})
    with pytest.raises(WireError, match="segment 1 was asked for"):
        pager.take(answer(header, 1))


def test_sequences_go_on_until_nothing_comes() -> None:
    pager = Pager("CQ10", EnquiryOptions(3, Paging.SEQUENCE, parameters={"date_s": "x"}), {})
    assert not pager.take(answer({}, 1, 3, 2))
    assert {"date_s": "x", "sequence_first_i": 4} == pager.parameters
    assert pager.take(answer({}))


def test_a_sequence_that_goes_back_is_a_fault() -> None:
    pager = Pager("CQ10", EnquiryOptions(3, Paging.SEQUENCE), {"sequence_first_i": 10})
    with pytest.raises(WireError, match="10 was asked for and 3 came"):
        pager.take(answer({}, 3))


CONTINUED = EnquiryOptions(
    5, Paging.CONTINUED, continue_fields={"from": "next"}, until_blank="next"
)


def test_what_the_header_says_is_asked_next() -> None:
    pager = Pager("CQ11", CONTINUED, {"from": "1"})
    assert not pager.take(answer({"next": "2"}, 1))
    assert {"from": "2"} == pager.parameters
    with pytest.raises(WireError, match="do not go forward"):
        pager.take(answer({"next": "2"}, 1))
    assert pager.take(answer({"next": ""}))


@pytest.mark.parametrize(
    ("options", "header"),
    [
        (EnquiryOptions(3, Paging.SEGMENTS, segment_field="no"), {}),
        (EnquiryOptions(3, Paging.SEQUENCE, item_field="no"), {}),
        (CONTINUED, {}),
    ],
)
def test_a_field_that_answers_do_not_have_is_the_operators_to_mend(
    options: EnquiryOptions, header: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match="name the field as the layouts do"):
        Pager("CQ9", options, {}).take(answer(header, 1))


def part(low: bytes, high: bytes) -> Decoded:
    return Decoded("CA3", {}, (), {"partition_low": low, "partition_high": high})


@pytest.mark.parametrize(
    ("parts", "is_whole"),
    [
        ([], True),
        ([(b"\0\0", b"\xff\xff")], True),
        ([(b"\0\0", b"\x10\xff"), (b"\x11\0", b"\xff\xff")], True),
        ([(b"\x11\0", b"\xff\xff"), (b"\0\0", b"\x10\xff")], True),
        ([(b"\0\0", b"\x40\0"), (b"\x20\0", b"\xff\xff")], True),
        ([(b"\0\0", b"\x10\xff")], False),
        ([(b"\x11\0", b"\xff\xff")], False),
        ([(b"\0\0", b"\x10\xff"), (b"\x12\0", b"\xff\xff")], False),
        ([(b"\x05\0", b"\x05\xff")], False),
    ],
)
def test_an_answer_is_whole_when_its_parts_cover_everything(
    parts: list[tuple[bytes, bytes]], is_whole: bool
) -> None:
    coverage = Coverage("CQ3", None)
    for low, high in parts:
        coverage.take(part(low, high), EnquiryOptions(3))
    if is_whole:
        coverage.require_whole()
    else:
        with pytest.raises(TransientError, match="for a part only"):
            coverage.require_whole()


def test_what_was_asked_for_is_what_must_be_covered() -> None:
    assert (b"\x05\0\0", b"\x05\xff\xff") == covered_by(b"\x05\0\0")
    coverage = Coverage("CQ3", covered_by(b"\x05\0"))
    coverage.take(part(b"\x05\0", b"\x05\xff"), EnquiryOptions(3))
    coverage.require_whole()


# -- what was told --------------------------------------------------------------------------------


def test_nothing_is_told_twice_and_no_gap_is_overlooked() -> None:
    """By either way: an event that was recovered, an item that was an event."""
    recovery = RecoveryOptions("CQ10", ("g", "n"), sequence_field="n", sequence_group=("g",))
    memory = Memory({"BD6": recovery})
    assert [None, None, (3, 4), None, None] == [
        memory.gap_before("BD6", {"g": 1, "n": number}) for number in (1, 2, 5, 6, 3)
    ]
    assert memory.gap_before("BD6", {"g": 2, "n": 9}) is None
    assert memory.gap_before("BD6", {"n": 99}) is None
    assert memory.gap_before("BI7", {"g": 1, "n": 99}) is None
    assert [True, False, True, True] == [
        memory.is_new_event("BD6", fields)
        for fields in ({"g": 1, "n": 1}, {"g": 1, "n": 1}, {"g": 2, "n": 1}, {"n": 1})
    ]
    assert [False, True, False] == [
        memory.is_new_item("BD6", {"g": 1, "n": number}) for number in (1, 20, 20)
    ]
    assert memory.gap_before("BD6", {"g": 1, "n": 21}) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hkex_ops_oapi.remembering.SEEN_MOST", 3)
    memory = Memory({"BD6": RecoveryOptions("CQ10", ("n",))})
    assert all(memory.is_new_event("BD6", {"n": number}) for number in range(5))
    assert [True, False] == [memory.is_new_event("BD6", {"n": number}) for number in (0, 4)]


# -- options --------------------------------------------------------------------------------------


def options(**changes: Any) -> OapiOptions:
    stated: dict[str, Any] = {
        "library": Path("liboapi.so"),
        "layouts": Path("layouts.toml"),
        "user": "BO_CXXX801",
        "sites": GatewaySites(GatewaySite((GatewayAddress("192.0.2.81", 20000),))),
    }
    return OapiOptions(**(stated | changes))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: GatewayAddress("", 1), "host must be a text"),
        (lambda: GatewayAddress("h" * 128, 1), "127 are the most"),
        (lambda: GatewayAddress("host", 0), "must be from 1 to 65535"),
        (lambda: GatewaySite(()), "at least one gateway"),
        (lambda: EnquiryOptions(10), "an offset from the base, 0 to 9"),
        (lambda: EnquiryOptions(1, Paging.CONTINUED), "needs continue_fields"),
        (lambda: RecoveryOptions("CQ10", ()), "key is empty"),
        (lambda: RecoveryOptions("CQ10", ("a",), ("b", "c")), "as many fields"),
        (lambda: options(user="u" * 32), "31 are the most"),
        (lambda: options(program="港"), "program must be a text of ASCII"),
        (lambda: options(byte_order="middle"), "little or big"),
        (lambda: options(call_timeout_s=0), "must be at least 1"),
        (lambda: options(enquiries={"CD28": EnquiryOptions(3)}), "not on the list"),
        (lambda: options(enquiries={"cq3": EnquiryOptions(3)}), "enquiries: 'cq3' is no"),
        (lambda: options(transactions={"CD28": 3}), "while enquiries_only holds"),
        (
            lambda: options(transactions={"CQ3": 3}, enquiries_only=False),
            "must be a message that changes something",
        ),
        (
            lambda: options(recovery={"BD6": RecoveryOptions("CQ10", ("n",))}),
            "which enquiries does not have",
        ),
        (lambda: options(recovery={"x": RecoveryOptions("CQ10", ("n",))}), "recovery: 'x' is no"),
        (lambda: options().site(SiteRole.SECONDARY), "no gateways of the secondary site"),
    ],
)
def test_each_fault_of_the_options_is_said(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert sentence in str(caught.value)


def test_one_gateway_of_either_site_can_be_meant_alone() -> None:
    first, second = GatewayAddress("192.0.2.81", 1), GatewayAddress("192.0.2.82", 1)
    both = options(sites=GatewaySites(GatewaySite((first, second)), GatewaySite((first,))))
    alone = both.only(Endpoint("192.0.2.82", 1))
    assert (second,) == alone.sites.primary.gateways
    other = options(sites=GatewaySites(GatewaySite((first,)), GatewaySite((first, second))))
    elsewhere = other.only(Endpoint("192.0.2.82", 1)).sites.secondary
    assert elsewhere is not None
    assert (second,) == elsewhere.gateways
    assert evolve(both) == both


def test_the_password_is_in_no_text() -> None:
    credentials = Credentials("desk", "open sesame", Endpoint("192.0.2.81", 1), "hkex-ops")
    assert "open sesame" not in f"{credentials!r} {credentials}"


# -- passwords ------------------------------------------------------------------------------------


def test_a_password_is_read_from_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("Open-Sesame-1\n", encoding="utf-8")
    path.chmod(0o600)
    assert "Open-Sesame-1" == read_password(path)


@pytest.mark.parametrize(
    ("data", "mode", "sentence"),
    [
        (b"Open-Sesame-1\n", 0o644, "is open to other users (mode 0644): run chmod 600"),
        (b"", 0o600, "must hold one line"),
        (b"one\ntwo\n", 0o600, "must hold one line"),
        (b"Open%Sesame", 0o600, "a character that the interface does not allow"),
        (b"Open\\Sesame", 0o600, "a character that the interface does not allow"),
        ("Öpen".encode(), 0o600, "a character that the interface does not allow"),
        (b"x" * 32, 0o600, "longer than 31 characters"),
        (b"\xff\xfe", 0o600, "is not text"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_and_its_words_are_not(
    tmp_path: Path, data: bytes, mode: int, sentence: str
) -> None:
    path = tmp_path / "password"
    path.write_bytes(data)
    path.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        read_password(path)
    assert sentence in str(caught.value)
    assert "Sesame" not in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file at"):
        read_password(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"is not a plain file|cannot be read"):
        read_password(tmp_path)


def test_nobody_is_asked_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(ConfigError, match="there is no terminal: set password_file"):
        ask_password("desk")


def test_a_person_at_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"Typed-{len(prompt)}")
    assert "Typed-18" == ask_password("desk")
    assert "x" == check_password("x", "this")

    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", interrupted)
    with pytest.raises(ConfigError, match="no password was typed"):
        ask_password("desk")


# -- the worker thread ----------------------------------------------------------------------------


@pytest.fixture
def worker() -> Worker:
    return Worker("test")


async def test_calls_are_made_one_after_the_other_in_one_thread(worker: Worker) -> None:
    made: list[tuple[int, int]] = []
    busy = threading.Lock()

    def call(number: int) -> int:
        assert busy.acquire(blocking=False), "two calls at once"
        made.append((number, threading.get_ident()))
        busy.release()
        return number

    numbers = await asyncio.gather(
        *(worker.run("call", lambda n=number: call(n), 5) for number in range(20))  # type: ignore[misc]
    )
    assert list(range(20)) == numbers == [number for number, _ in made]
    assert 1 == len({thread for _, thread in made})
    assert threading.get_ident() not in {thread for _, thread in made}
    await worker.finish(lambda: None, 5)


async def test_what_a_call_raises_reaches_its_caller(worker: Worker) -> None:
    def failing() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await worker.run("call", failing, 5)
    assert 1 == await worker.run("call", lambda: 1, 5)
    await worker.finish(lambda: None, 5)


async def test_a_call_that_does_not_come_back_ends_the_session(worker: Worker) -> None:
    """And nothing that waits behind it is ever made."""
    release, made = threading.Event(), list[str]()
    first = asyncio.ensure_future(worker.run("query", release.wait, 0.05))
    second = asyncio.ensure_future(worker.run("tx", lambda: made.append("tx"), 0.05))
    results: list[Any] = await asyncio.gather(first, second, return_exceptions=True)
    assert [TimedOut, TimedOut] == [type(result) for result in results]
    with pytest.raises(TimedOut, match="has not come back from query"):
        await worker.run("tx", lambda: made.append("tx"), 5)
    release.set()
    await worker.finish(lambda: None, 5)
    await asyncio.to_thread(worker._thread.join)
    assert [] == made


async def test_a_call_given_up_before_it_began_is_never_made(worker: Worker) -> None:
    release, made = threading.Event(), list[str]()
    first = asyncio.ensure_future(worker.run("query", release.wait, 5))
    second = asyncio.ensure_future(worker.run("tx", lambda: made.append("tx"), 5))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    release.set()
    await first
    assert 3 == await worker.run("after", lambda: 3, 5)
    assert [] == made
    await worker.finish(lambda: None, 5)


async def test_what_a_hanging_call_leaves_open_is_closed_when_it_comes_back(
    worker: Worker,
) -> None:
    """Nobody waits for it, and it is made all the same; it is the thread's last call."""
    release, made = threading.Event(), list[str]()
    with pytest.raises(TimedOut):
        await worker.run("login", release.wait, 0.05)
    async with asyncio.timeout(1):
        await worker.finish(lambda: made.append("left"), 60)
    assert [] == made
    release.set()
    await asyncio.to_thread(worker._thread.join)
    assert ["left"] == made


async def test_a_call_that_waits_its_turn_in_vain_is_not_taken_for_hanging(
    worker: Worker,
) -> None:
    release = threading.Event()
    first = asyncio.ensure_future(worker.run("query", release.wait, 5))
    await asyncio.sleep(0)
    with pytest.raises(TimedOut):
        await worker.run("second", lambda: None, 0.05)
    assert "" == worker.stuck_in
    release.set()
    await first
    await worker.finish(lambda: None, 5)


def test_every_error_is_one_of_ours() -> None:
    for status in (*(-number for number in DOCUMENTED), -9999, 77):
        assert isinstance(failure("x", Told(status)), HkexOpsError)
