"""Recovery from a refresh channel: one full cycle, without a hole, that is new enough."""

from __future__ import annotations

import pytest

from hkex_ops.config.layouts import load_codec
from hkex_ops.omd import (
    CycleBroken,
    CycleTooOld,
    PacketRefused,
    RefreshComplete,
    RefreshGivenUp,
    RefreshLimits,
    RefreshPart,
    RefreshRecovery,
    RefreshState,
    RefreshTaken,
)
from tests.omd.wire import SENT_NS, trades

CODEC = load_codec()
CHANNEL = 30
MS_NS = 1_000_000


def states(begin: int, end: int, *, ms: int = 0) -> bytes:
    """Messages of the refresh, numbered ``begin`` to ``end``."""
    messages = trades(CODEC, begin, end - begin + 1)
    return CODEC.encode_packet(messages, sequence=begin, send_time_ns=SENT_NS + ms * MS_NS)


def complete(number: int, last: int, *, ms: int = 0, before: int = 0) -> bytes:
    """Refresh Complete with this number, good as of ``last``; ``before`` messages in its packet."""
    messages = [*trades(CODEC, number - before, before), RefreshComplete(last)]
    return CODEC.encode_packet(
        messages, sequence=number - before, send_time_ns=SENT_NS + ms * MS_NS
    )


@pytest.fixture
def recovery() -> RefreshRecovery:
    return RefreshRecovery(CHANNEL, CODEC)


def test_the_first_full_cycle_after_the_end_of_one_is_taken(recovery: RefreshRecovery) -> None:
    cycle = [states(11, 12, ms=2), states(13, 15, ms=3)]
    assert () == recovery.handle(states(7, 9), "A", 0)
    assert RefreshState.WAITING is recovery.state
    assert () == recovery.handle(complete(10, 500, ms=1), "A", 1)
    assert RefreshState.COLLECTING is recovery.state
    for packet in cycle:
        assert () == recovery.handle(packet, "A", 2)
    parts = (RefreshPart(cycle[0], 0, 2), RefreshPart(cycle[1], 0, 3))
    assert (RefreshTaken(CHANNEL, 512, parts, 3),) == recovery.handle(
        complete(16, 512, ms=4), "A", 3
    )
    assert RefreshState.TAKEN is recovery.state
    assert () == recovery.handle(states(17, 18, ms=5), "A", 4)


def test_the_end_may_share_its_packet_with_messages(recovery: RefreshRecovery) -> None:
    recovery.handle(complete(10, 500, before=2), "A", 0)
    last = complete(13, 512, ms=1, before=2)
    assert (RefreshTaken(CHANNEL, 512, (RefreshPart(last, 0, 2),), 1),) == recovery.handle(
        last, "A", 1
    )


def test_messages_behind_the_end_in_its_packet_begin_the_next_cycle(
    recovery: RefreshRecovery,
) -> None:
    joint = CODEC.encode_packet(
        [RefreshComplete(500), *trades(CODEC, 2, 1)], sequence=1, send_time_ns=SENT_NS
    )
    assert () == recovery.handle(joint, "A", 0)
    assert (RefreshTaken(CHANNEL, 512, (RefreshPart(joint, 1, 1),), 1),) == recovery.handle(
        complete(3, 512, ms=1), "A", 1
    )


def test_an_empty_cycle_is_a_cycle(recovery: RefreshRecovery) -> None:
    """Before the first real-time message: good as of message 0."""
    recovery.handle(complete(1, 0), "A", 0)
    assert (RefreshTaken(CHANNEL, 0, (), 1),) == recovery.handle(complete(2, 0, ms=1), "A", 1)


def test_both_lines_bring_one_cycle(recovery: RefreshRecovery) -> None:
    """Duplicates, other cuts, packets that overtake: each message is there once."""
    first, second = states(11, 14, ms=2), states(13, 16, ms=2)
    recovery.handle(complete(10, 500, ms=1), "A", 0)
    recovery.handle(complete(10, 500, ms=1), "B", 0)
    assert () == recovery.handle(second, "A", 1)
    assert () == recovery.handle(first, "B", 1)
    assert () == recovery.handle(first, "A", 1)
    parts = (RefreshPart(first, 0, 4), RefreshPart(second, 2, 2))
    assert (RefreshTaken(CHANNEL, 512, parts, 2),) == recovery.handle(
        complete(17, 512, ms=3), "B", 2
    )


def test_each_cycle_may_count_from_one(recovery: RefreshRecovery) -> None:
    """What the line behind still brings of the cycle before is not taken for this one's."""
    recovery.handle(complete(10, 500, ms=1), "A", 0)
    first, second = states(1, 3, ms=2), states(4, 5, ms=2)
    recovery.handle(first, "A", 1)
    assert () == recovery.handle(states(4, 6), "B", 1)
    recovery.handle(second, "A", 2)
    parts = (RefreshPart(first, 0, 3), RefreshPart(second, 0, 2))
    assert (RefreshTaken(CHANNEL, 512, parts, 3),) == recovery.handle(
        complete(6, 512, ms=3), "A", 3
    )


def test_a_cycle_with_a_hole_is_of_no_use_and_the_next_is_waited_for() -> None:
    recovery = RefreshRecovery(CHANNEL, CODEC, limits=RefreshLimits(ahead_packets=1))
    recovery.handle(complete(10, 500), "A", 0)
    recovery.handle(states(12, 12, ms=1), "A", 1)
    assert (CycleBroken(CHANNEL, "message 11 is missing", 2),) == recovery.handle(
        states(13, 13, ms=1), "A", 2
    )
    assert RefreshState.WAITING is recovery.state
    recovery.handle(complete(14, 505, ms=2), "A", 3)
    assert (RefreshTaken(CHANNEL, 506, (), 4),) == recovery.handle(complete(15, 506, ms=3), "A", 4)


def test_a_heartbeat_shows_that_the_end_of_a_cycle_is_lost(recovery: RefreshRecovery) -> None:
    recovery.handle(complete(10, 500), "A", 0)
    assert () == recovery.handle(CODEC.encode_packet([], sequence=10, send_time_ns=SENT_NS), "A", 1)
    assert (CycleBroken(CHANNEL, "message 11 is missing, a heartbeat says", 2),) == (
        recovery.handle(CODEC.encode_packet([], sequence=11, send_time_ns=SENT_NS), "A", 2)
    )


def test_a_cycle_that_ends_before_what_is_needed_is_too_old() -> None:
    recovery = RefreshRecovery(CHANNEL, CODEC, needed=510)
    recovery.handle(complete(10, 500), "A", 0)
    assert (CycleTooOld(CHANNEL, 509, 510, 1),) == recovery.handle(complete(11, 509), "A", 1)
    assert (RefreshTaken(CHANNEL, 510, (), 2),) == recovery.handle(complete(12, 510), "A", 2)


def test_another_gap_meanwhile_raises_what_is_needed() -> None:
    recovery = RefreshRecovery(CHANNEL, CODEC, needed=500)
    recovery.need(520)
    recovery.need(510)
    recovery.handle(complete(10, 500), "A", 0)
    assert (CycleTooOld(CHANNEL, 519, 520, 1),) == recovery.handle(complete(11, 519), "A", 1)


def test_a_malformed_packet_is_told(recovery: RefreshRecovery) -> None:
    spoilt = states(1, 2)[:-1]
    [refused] = recovery.handle(spoilt, "A", 3)
    assert isinstance(refused, PacketRefused)
    assert (CHANNEL, "A", 3, spoilt) == (
        refused.channel,
        refused.line,
        refused.at_ns,
        refused.packet,
    )


def test_a_cycle_larger_than_the_limit_is_broken() -> None:
    recovery = RefreshRecovery(CHANNEL, CODEC, limits=RefreshLimits(cycle_bytes=200))
    recovery.handle(complete(10, 500), "A", 0)
    recovery.handle(states(11, 14, ms=1), "A", 1)
    assert (CycleBroken(CHANNEL, "it is larger than 200 bytes", 2),) == recovery.handle(
        states(15, 18, ms=1), "A", 2
    )


def test_without_a_full_cycle_the_recovery_is_given_up() -> None:
    recovery = RefreshRecovery(CHANNEL, CODEC, limits=RefreshLimits(patience_ns=100))
    assert () == recovery.poll(5)
    recovery.handle(complete(10, 500), "A", 50)
    assert () == recovery.poll(104)
    assert (RefreshGivenUp(CHANNEL, 105),) == recovery.poll(105)
    assert () == recovery.poll(300)
    assert () == recovery.handle(complete(11, 501), "A", 301)
    assert RefreshState.GIVEN_UP is recovery.state
