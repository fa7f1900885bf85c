"""The retransmission service keeps the exchange's rules, whatever a client does."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from hkex_ops.config.layouts import load_codec
from hkex_ops.omd.messages import (
    Logon,
    LogonResponse,
    Message,
    RefreshComplete,
    RetransmissionRequest,
    RetransmissionResponse,
)
from hkex_ops_simulator.market.packing import Packed, Packer, Sent, packet_bytes
from hkex_ops_simulator.market.retransmission import Call, Desk, RetransmissionRules
from hkex_ops_simulator.market.store import STORED_MESSAGES, Store
from hkex_ops_simulator.market.timetable import NS

CODEC = load_codec()
CHANNEL = 20
HEARTBEAT_BYTES = 16


def message(number: int) -> Message:
    return RefreshComplete(number)


def store_of(count: int, limit: int = STORED_MESSAGES) -> Store:
    """A store of ``count`` small messages, each telling its own number."""
    store = Store(limit)
    stream = (Sent(number // 50, CHANNEL, message(number)) for number in range(1, count + 1))
    for packet in Packer(CODEC.encode_message).packets(stream):
        store.take(packet)
    return store


def desk_of(store: Store, **rules: int) -> Desk:
    return Desk(CODEC, store, ("USER1", "USER2"), lambda: 7 * NS, RetransmissionRules(**rules))


def packet(*messages: Message) -> bytes:
    return packet_bytes([CODEC.encode_message(one) for one in messages], 0, 0)


def said(packets: Iterable[bytes]) -> list[Message]:
    return [one for data in packets for one in CODEC.decode_packet(data).messages]


def logged_on(desk: Desk, user: str = "USER1") -> Call:
    call = Call(desk, 0)
    assert [LogonResponse(0, b"   ")] == said(call.handle(packet(Logon(user.encode())), 0))
    return call


def asked(call: Call, begin: int, end: int, channel: int = CHANNEL) -> list[Message]:
    return said(call.handle(packet(RetransmissionRequest(channel, b"  ", begin, end)), 0))


class TestLogon:
    def test_a_user_who_is_not_known_is_told_and_hung_up_on(self) -> None:
        call = Call(desk_of(store_of(1)), 0)
        assert [LogonResponse(5, b"   ")] == said(call.handle(packet(Logon(b"NOBODY")), 0))
        assert call.over

    def test_a_user_has_one_session_at_a_time(self) -> None:
        desk = desk_of(store_of(1))
        first = logged_on(desk)
        second = Call(desk, 0)
        assert [LogonResponse(100, b"   ")] == said(second.handle(packet(Logon(b"USER1")), 0))
        assert (True, False) == (second.over, first.over)
        second.hang_up()
        logged_on(desk, "USER2")
        first.hang_up()
        logged_on(desk)

    def test_whoever_does_not_log_on_within_five_seconds_is_hung_up_on(self) -> None:
        call = Call(desk_of(store_of(1)), 0)
        assert ([], False) == (list(call.poll(5 * NS - 1)), call.over)
        assert ([], True) == (list(call.poll(5 * NS)), call.over)

    def test_nothing_may_be_asked_before_it(self) -> None:
        call = Call(desk_of(store_of(1)), 0)
        assert ([], True) == (asked(call, 1, 1), call.over)

    def test_it_may_come_byte_by_byte(self) -> None:
        call = Call(desk_of(store_of(1)), 0)
        answers = [call.handle(bytes([byte]), 0) for byte in packet(Logon(b"USER1"))]
        assert [LogonResponse(0, b"   ")] == [one for each in answers for one in said(each)]

    @pytest.mark.parametrize("garbage", [b"\0\0", b"\xff\xff", packet()[:2] + b"\x01" + bytes(13)])
    def test_bytes_that_are_no_packet_end_the_session(self, garbage: bytes) -> None:
        call = Call(desk_of(store_of(1)), 0)
        assert ([], True) == (list(call.handle(garbage, 0)), call.over)


class TestRequests:
    def test_messages_come_with_their_own_numbers_packed_anew(self) -> None:
        call = logged_on(desk_of(store_of(500)))
        request = packet(RetransmissionRequest(CHANNEL, b"  ", 100, 399))
        response, *again = call.handle(request, 0)
        assert [RetransmissionResponse(CHANNEL, 0, b" ", 100, 399)] == said([response])
        headers = [CODEC.decode_packet(one).header for one in again]
        assert [100, 221, 342] == [header.sequence for header in headers]
        assert {7 * NS} == {header.send_time_ns for header in headers}
        assert [message(number) for number in range(100, 400)] == said(again)

    @pytest.mark.parametrize(
        ("begin", "end", "status"),
        [
            (1, 10_000, 0),
            (1, 10_001, 100),
            (1, 1, 0),
            (20_000, 20_000, 0),
            (20_000, 20_001, 2),
            (0, 5, 2),
            (9, 8, 2),
        ],
    )
    def test_a_range_is_judged_by_the_rules(self, begin: int, end: int, status: int) -> None:
        call = logged_on(desk_of(store_of(20_000)))
        response, *again = asked(call, begin, end)
        assert RetransmissionResponse(CHANNEL, status, b" ", begin, end) == response
        assert (0 if status else end - begin + 1) == len(again)
        assert not call.over

    def test_the_last_fifty_thousand_messages_are_kept(self) -> None:
        call = logged_on(desk_of(store_of(50_010)))
        assert [2, 0] == [
            one.status
            for begin in (10, 11)
            for one in asked(call, begin, begin)
            if isinstance(one, RetransmissionResponse)
        ]

    def test_a_channel_that_is_not_known_is_refused(self) -> None:
        call = logged_on(desk_of(store_of(5)))
        assert [RetransmissionResponse(77, 1, b" ", 1, 1)] == asked(call, 1, 1, channel=77)

    def test_after_a_thousand_requests_the_day_is_over(self) -> None:
        desk = desk_of(store_of(5))
        call = logged_on(desk)
        assert {2} == {len(asked(call, 1, 1)) for _ in range(1000)}
        assert not call.over
        assert [RetransmissionResponse(CHANNEL, 101, b" ", 1, 1)] == asked(call, 1, 1)
        assert call.over
        call.hang_up()
        assert [RetransmissionResponse(CHANNEL, 101, b" ", 1, 1)] == asked(logged_on(desk), 1, 1)

    def test_a_channel_that_numbers_anew_forgets_what_was_before(self) -> None:
        store = store_of(100)
        body = CODEC.encode_message(message(1))
        store.take(Packed(0, CHANNEL, 1, (message(1),), (body,), 0))
        assert (True, False) == (store.holds(CHANNEL, 1, 1), store.holds(CHANNEL, 2, 2))

    def test_the_desk_knows_who_asked_for_what(self) -> None:
        desk = desk_of(store_of(5))
        asked(logged_on(desk), 2, 3)
        assert [("USER1", CHANNEL, 2, 3, 0)] == desk.requests


class TestHeartbeats:
    def test_a_copy_within_five_seconds_keeps_the_session(self) -> None:
        call = logged_on(desk_of(store_of(1)))
        assert [] == list(call.poll(30 * NS - 1))
        [heartbeat] = call.poll(30 * NS)
        assert HEARTBEAT_BYTES == len(heartbeat)
        assert [] == list(call.handle(heartbeat, 34 * NS))
        assert ([], False) == (list(call.poll(36 * NS)), call.over)
        assert 1 == len(list(call.poll(64 * NS)))

    def test_without_one_the_session_ends(self) -> None:
        call = logged_on(desk_of(store_of(1)))
        [_] = call.poll(30 * NS)
        assert ([], False) == (list(call.poll(35 * NS - 1)), call.over)
        assert ([], True) == (list(call.poll(35 * NS)), call.over)

    def test_a_heartbeat_that_is_no_exact_copy_is_none(self) -> None:
        call = logged_on(desk_of(store_of(1)))
        [heartbeat] = call.poll(30 * NS)
        assert [] == list(call.handle(heartbeat[:-1] + b"\x55", 31 * NS))
        list(call.poll(35 * NS))
        assert call.over
