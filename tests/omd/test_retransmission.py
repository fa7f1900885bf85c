"""A session with the retransmission service: what is sent, what comes back, what is told."""

from __future__ import annotations

import pytest

from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import (
    AuthRefused,
    Busy,
    Rejected,
    RemoteError,
    TimedOut,
    Unreachable,
    UsageError,
)
from hkex_ops.omd import (
    Ask,
    BytesToSend,
    Connected,
    Disconnected,
    Ending,
    Logon,
    LogonRefused,
    LogonResponse,
    Message,
    MessagesResent,
    RangeCompleted,
    RangeRefused,
    RangeUnfinished,
    Received,
    RequestBudget,
    RetransmissionEvent,
    RetransmissionLimits,
    RetransmissionRequest,
    RetransmissionResponse,
    RetransmissionSession,
    SessionEnded,
    SessionOpened,
    SessionState,
    refusal,
)
from tests.omd.wire import SENT_NS, packet_of, trades

CODEC = load_codec()
SECOND_NS = 1_000_000_000


def wire(*messages: Message, sequence: int = 0) -> bytes:
    return CODEC.encode_packet(messages, sequence=sequence, send_time_ns=0)


def resent(begin: int, end: int) -> bytes:
    messages = trades(CODEC, begin, end - begin + 1)
    return CODEC.encode_packet(messages, sequence=begin, send_time_ns=SENT_NS)


def request(channel: int, begin: int, end: int) -> BytesToSend:
    return BytesToSend(wire(RetransmissionRequest(channel, b"  ", begin, end)))


def answer(channel: int, begin: int, end: int, status: int = 0) -> Received:
    return Received(wire(RetransmissionResponse(channel, status, b" ", begin, end)))


@pytest.fixture
def session() -> RetransmissionSession:
    """Logged on."""
    session = RetransmissionSession("reader", CODEC)
    session.handle(Connected(), 0)
    session.handle(Received(wire(LogonResponse(0, b"   "))), 0)
    return session


def test_the_logon_is_a_packet_of_32_bytes_with_the_name_padded_with_nul() -> None:
    session = RetransmissionSession("reader", CODEC)
    logon = bytes.fromhex("2000 01 00 00000000 0000000000000000 1000 6500") + b"reader" + bytes(6)
    assert (BytesToSend(logon),) == session.handle(Connected(), 5)
    assert 32 == len(logon)
    assert SessionState.LOGGING_ON is session.state
    assert (SessionOpened(6),) == session.handle(Received(wire(LogonResponse(0, b"   "))), 6)
    assert SessionState.READY is session.state


def test_a_range_is_asked_for_answered_and_completed(session: RetransmissionSession) -> None:
    assert (request(30, 11, 14),) == session.handle(Ask(30, 11, 14), 1)
    assert () == session.handle(answer(30, 11, 14), 2)
    assert (MessagesResent(30, resent(11, 12), 3),) == session.handle(Received(resent(11, 12)), 3)
    assert (
        MessagesResent(30, resent(13, 14), 4),
        RangeCompleted(30, 11, 14, 4),
    ) == session.handle(Received(resent(13, 14)), 4)
    assert SessionState.READY is session.state


def test_what_is_asked_for_before_the_logon_is_answered_is_asked_then() -> None:
    session = RetransmissionSession("reader", CODEC)
    session.handle(Connected(), 0)
    assert () == session.handle(Ask(30, 1, 2), 0)
    assert (SessionOpened(1), request(30, 1, 2)) == session.handle(
        Received(wire(LogonResponse(0, b"   "))), 1
    )


def test_one_request_is_under_way_at_a_time(session: RetransmissionSession) -> None:
    session.handle(Ask(30, 1, 1), 0)
    assert () == session.handle(Ask(31, 5, 5), 0)
    session.handle(answer(30, 1, 1), 0)
    assert (
        MessagesResent(30, resent(1, 1), 0),
        RangeCompleted(30, 1, 1, 0),
        request(31, 5, 5),
    ) == session.handle(Received(resent(1, 1)), 0)


def test_a_range_over_ten_thousand_is_asked_for_in_steps(session: RetransmissionSession) -> None:
    """The last step completes the whole."""
    events = [*session.handle(Ask(30, 1, 25_000), 0)]
    for begin, end in ((1, 10_000), (10_001, 20_000), (20_001, 25_000)):
        assert request(30, begin, end) == events[-1]
        session.handle(answer(30, begin, end), 0)
        for first in range(begin, end + 1, 40):
            events += session.handle(Received(resent(first, min(first + 39, end))), 0)
    told = [one for one in events if not isinstance(one, MessagesResent)]
    assert [
        request(30, 1, 10_000),
        request(30, 10_001, 20_000),
        request(30, 20_001, 25_000),
        RangeCompleted(30, 1, 25_000, 0),
    ] == told


def test_the_requests_of_a_day_are_counted_over_all_sessions() -> None:
    budget = RequestBudget(3)
    for used in (1, 2):
        session = RetransmissionSession("reader", CODEC, budget=budget)
        session.handle(Connected(), 0)
        session.handle(Received(wire(LogonResponse(0, b"   "))), 0)
        session.handle(Ask(30, used, used), 0)
        assert used == budget.used
    session.handle(Ask(31, 1, 20_000), 0)
    session.handle(answer(30, 2, 2), 0)
    events = session.handle(Received(resent(2, 2)), 0)
    assert request(31, 1, 10_000) == events[-1]
    session.handle(answer(31, 1, 10_000), 0)
    events = session.handle(Received(resent(10_000, 10_000)), 7)
    assert RangeRefused(31, 10_001, 20_000, 101, asked=False, at_ns=7) == events[-1]
    assert 0 == budget.left
    budget.renew()
    assert 3 == budget.left


def test_a_budget_cannot_be_spent_beyond_itself() -> None:
    with pytest.raises(UsageError, match="of 3 requests a day 4 cannot be used"):
        RequestBudget(3, used=4)


def test_every_heartbeat_is_returned_as_it_came(session: RetransmissionSession) -> None:
    beat = packet_of([], sequence=17, filler=0xBA)
    assert (BytesToSend(beat),) == session.handle(Received(beat), 5)
    session.handle(Ask(30, 1, 1), 6)
    assert (BytesToSend(beat),) == session.handle(Received(beat), 7)


def test_bytes_may_come_split_anywhere() -> None:
    whole = b"".join(
        (
            wire(LogonResponse(0, b"   ")),
            wire(RetransmissionResponse(30, 0, b" ", 1, 2)),
            packet_of([], sequence=2),
            resent(1, 2),
        )
    )
    told: list[list[RetransmissionEvent]] = []
    for step in (len(whole), len(whole) // 2 + 1, 7, 1):
        session = RetransmissionSession("reader", CODEC)
        events = [*session.handle(Connected(), 0), *session.handle(Ask(30, 1, 2), 0)]
        for at in range(0, len(whole), step):
            events += session.handle(Received(whole[at : at + step]), 0)
        told.append(events)
    assert [told[0]] * 4 == told
    assert RangeCompleted(30, 1, 2, 0) == told[0][-1]


# Refusals


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (5, AuthRefused, "knows neither this user nor this address"),
        (100, Busy, "another session of this user"),
        (77, AuthRefused, "refused the logon: 77"),
    ],
)
def test_a_refused_logon_ends_the_session(
    status: int, error: type[RemoteError], sentence: str
) -> None:
    session = RetransmissionSession("reader", CODEC)
    session.handle(Connected(), 0)
    session.handle(Ask(30, 1, 9), 0)
    refused, unfinished, ended = session.handle(Received(wire(LogonResponse(status, b"   "))), 3)
    assert LogonRefused(status, 3) == refused
    assert RangeUnfinished(30, 1, 9, 3) == unfinished
    assert SessionEnded(Ending.REFUSED, "the logon was refused", 3) == ended
    assert isinstance(refused, LogonRefused)
    raised = refusal(refused)
    assert error is type(raised)
    assert sentence in str(raised)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (1, "unknown or not subscribed to"),
        (2, "not available any more"),
        (100, "the range is too large"),
        (101, "the requests of the day are used up"),
        (42, "status 42, which has no meaning"),
    ],
)
def test_a_refused_request_is_told_and_the_next_is_asked(
    session: RetransmissionSession, status: int, sentence: str
) -> None:
    session.handle(Ask(30, 1, 20_000), 0)
    session.handle(Ask(31, 5, 6), 0)
    refused, following = session.handle(answer(30, 1, 10_000, status), 4)
    assert RangeRefused(30, 1, 20_000, status, asked=True, at_ns=4) == refused
    assert request(31, 5, 6) == following
    assert isinstance(refused, RangeRefused)
    raised = refusal(refused)
    assert Rejected is type(raised)
    assert str(raised).startswith("messages 1 to 20000 of channel 30 are not sent again: ")
    assert sentence in str(raised)


# Ends


def test_a_lost_connection_tells_what_is_left_of_each_range(session: RetransmissionSession) -> None:
    session.handle(Ask(30, 1, 4), 0)
    session.handle(Ask(31, 7, 9), 0)
    session.handle(answer(30, 1, 4), 0)
    session.handle(Received(resent(1, 2)), 0)
    ended = SessionEnded(Ending.DISCONNECTED, "the server closed the connection", 5)
    assert (
        RangeUnfinished(30, 3, 4, 5),
        RangeUnfinished(31, 7, 9, 5),
        ended,
    ) == session.handle(Disconnected(), 5)
    assert SessionState.ENDED is session.state
    assert () == session.handle(Disconnected(), 6)
    assert () == session.handle(Received(resent(3, 4)), 6)
    assert Unreachable is type(refusal(ended))


@pytest.mark.parametrize("asked", [False, True], ids=["logging-on", "asking"])
def test_a_server_that_does_not_answer_is_given_up(asked: bool) -> None:
    session = RetransmissionSession("reader", CODEC)
    session.handle(Connected(), 0)
    state = "logging on"
    if asked:
        session.handle(Received(wire(LogonResponse(0, b"   "))), 0)
        session.handle(Ask(30, 1, 4), 0)
        state = "asking"
    assert () == session.poll(10 * SECOND_NS - 1)
    *_, ended = session.poll(10 * SECOND_NS)
    reason = f"the server did not answer for 10 s while {state}"
    assert SessionEnded(Ending.NO_ANSWER, reason, 10 * SECOND_NS) == ended
    assert isinstance(ended, SessionEnded)
    assert TimedOut is type(refusal(ended))
    assert () == session.poll(20 * SECOND_NS)


def test_messages_that_come_slowly_are_an_answer(session: RetransmissionSession) -> None:
    session.handle(Ask(30, 1, 3), 0)
    session.handle(answer(30, 1, 3), 9 * SECOND_NS)
    session.handle(Received(resent(1, 1)), 18 * SECOND_NS)
    assert () == session.poll(27 * SECOND_NS)
    assert 2 == len(session.poll(28 * SECOND_NS))


def test_a_server_without_heartbeats_is_given_up(session: RetransmissionSession) -> None:
    assert () == session.poll(90 * SECOND_NS - 1)
    [ended] = session.poll(90 * SECOND_NS)
    assert isinstance(ended, SessionEnded)
    assert "three heartbeats of the server are missing" == ended.reason


def test_a_heartbeat_keeps_the_session(session: RetransmissionSession) -> None:
    session.handle(Received(packet_of([])), 80 * SECOND_NS)
    assert () == session.poll(169 * SECOND_NS)
    assert 1 == len(session.poll(170 * SECOND_NS))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "the server sent no packet: a packet has 16 to 1472"),
        (packet_of([b"\3\0\x32\0"]), "the message says 3 bytes"),
        (resent(1, 2), "the server sent Trade, Trade to a session ready"),
        (wire(LogonResponse(0, b"   ")), "the server sent LogonResponse to a session ready"),
        (wire(RetransmissionResponse(1, 0, b" ", 1, 1)), "sent RetransmissionResponse to a"),
    ],
)
def test_bytes_that_may_not_come_end_the_session(
    session: RetransmissionSession, data: bytes, sentence: str
) -> None:
    [ended] = session.handle(Received(data), 3)
    assert isinstance(ended, SessionEnded)
    assert Ending.BAD_BYTES is ended.why
    assert sentence in ended.reason
    assert Rejected is type(refusal(ended))


def test_an_answer_to_what_was_not_asked_ends_the_session(session: RetransmissionSession) -> None:
    session.handle(Ask(30, 1, 4), 0)
    *_, ended = session.handle(answer(31, 1, 4), 1)
    assert isinstance(ended, SessionEnded)
    assert "answers a request that was not made" in ended.reason


def test_messages_that_were_not_asked_for_end_the_session(session: RetransmissionSession) -> None:
    session.handle(Ask(30, 5, 6), 0)
    session.handle(answer(30, 5, 6), 0)
    *_, ended = session.handle(Received(resent(7, 8)), 1)
    assert isinstance(ended, SessionEnded)
    assert "sent messages 7 to 8, and 5 to 6 were asked for" in ended.reason


# Driven wrongly


@pytest.mark.parametrize("name", ["", "thirteen-long", "größer", "wh?t"])
def test_a_user_name_that_the_logon_has_no_room_for_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="must be 1 to 12 ASCII letters"):
        RetransmissionSession(name, CODEC)


@pytest.mark.parametrize(
    "ask", [Ask(30, 0, 1), Ask(30, 2, 1), Ask(30, 1, 2**32), Ask(-1, 1, 1), Ask(2**16, 1, 1)]
)
def test_what_is_no_range_is_refused(session: RetransmissionSession, ask: Ask) -> None:
    with pytest.raises(UsageError, match="are no range"):
        session.handle(ask, 0)


def test_more_ranges_than_may_wait_are_refused() -> None:
    limits = RetransmissionLimits(waiting_ranges=1)
    session = RetransmissionSession("reader", CODEC, limits=limits)
    session.handle(Ask(30, 1, 1), 0)
    with pytest.raises(UsageError, match="1 ranges are waiting already"):
        session.handle(Ask(30, 2, 2), 0)


def test_a_session_is_connected_once_and_asked_while_it_lasts(
    session: RetransmissionSession,
) -> None:
    with pytest.raises(UsageError, match="Connected cannot be told to a session ready"):
        session.handle(Connected(), 0)
    session.handle(Disconnected(), 0)
    with pytest.raises(UsageError, match="the session is over"):
        session.handle(Ask(30, 1, 1), 0)
    with pytest.raises(UsageError, match="bytes came before the connection"):
        RetransmissionSession("reader", CODEC).handle(Received(b"x"), 0)


def test_the_logon_is_of_the_other_specification_too() -> None:
    """OMD-CC has the same messages about the stream."""
    session = RetransmissionSession("reader", load_codec("omd-cc-1.4"))
    [sent] = session.handle(Connected(), 0)
    assert isinstance(sent, BytesToSend)
    assert (Logon(b"reader".ljust(12, b"\0")),) == CODEC.decode_packet(sent.data).messages
