"""Lines made one, as event lists: what comes by A and by B, at what time, and what follows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import UsageError
from hkex_ops.omd import (
    Arbiter,
    Filling,
    GapClosed,
    GapLost,
    GapOpened,
    LineEvent,
    LineLimits,
    LineReturned,
    LineSilent,
    Losing,
    MessagesArrived,
    PacketRefused,
    ResetCounted,
    Run,
    SequenceReset,
    SequenceRestarted,
)
from tests.omd.wire import SENT_NS, packet_of, trades

CODEC = load_codec()
CHANNEL = 30
LIMITS = LineLimits(gap_wait_ns=50, give_up_ns=1_000, silent_ns=10_000, reset_window_ns=500)

RESET = CODEC.encode_message(SequenceReset(1))


def packet(begin: int, end: int, *, sent_ns: int = SENT_NS) -> bytes:
    """Messages ``begin`` to ``end``, trades that bear their numbers."""
    messages = trades(CODEC, begin, end - begin + 1)
    return CODEC.encode_packet(messages, sequence=begin, send_time_ns=sent_ns)


def heartbeat(last: int, *, sent_ns: int = SENT_NS) -> bytes:
    return CODEC.encode_packet([], sequence=last, send_time_ns=sent_ns)


def reset(*, sequence: int = 1, sent_ns: int = SENT_NS, behind: Sequence[bytes] = ()) -> bytes:
    return packet_of([RESET, *behind], sequence=sequence, sent_ns=sent_ns)


def arrived(
    data: bytes, sequence: int, skip: int, count: int, line: str, at_ns: int
) -> MessagesArrived:
    return MessagesArrived(CHANNEL, sequence, data, skip, count, line, at_ns)


@pytest.fixture
def arbiter() -> Arbiter:
    return Arbiter(CHANNEL, CODEC, limits=LIMITS)


def test_the_first_line_to_bring_a_message_delivers_it(arbiter: Arbiter) -> None:
    first, second = packet(1, 2), packet(3, 3)
    assert (arrived(first, 1, 0, 2, "A", 0),) == arbiter.handle(first, "A", 0)
    assert () == arbiter.handle(first, "B", 1)
    assert (arrived(second, 3, 0, 1, "B", 2),) == arbiter.handle(second, "B", 2)
    assert () == arbiter.handle(second, "A", 3)
    assert (4, 3, ()) == (arbiter.next_sequence, arbiter.newest, arbiter.missing)


def test_lines_may_cut_their_packets_differently(arbiter: Arbiter) -> None:
    """Of a packet that is known in part the rest is delivered."""
    whole, longer = packet(1, 3), packet(2, 6)
    assert (arrived(whole, 1, 0, 3, "A", 0),) == arbiter.handle(whole, "A", 0)
    assert (arrived(longer, 4, 2, 3, "B", 0),) == arbiter.handle(longer, "B", 0)
    assert () == arbiter.handle(packet(4, 6), "A", 0)


def test_many_packets_are_handled_in_their_order(arbiter: Arbiter) -> None:
    data = [packet(1, 1), packet(1, 1), packet(2, 3)]
    assert (arrived(data[0], 1, 0, 1, "A", 7), arrived(data[2], 2, 0, 2, "A", 7)) == (
        arbiter.handle_all(data, "A", 7)
    )


# Gaps


def test_what_the_other_line_brings_within_the_wait_is_no_gap(arbiter: Arbiter) -> None:
    ahead, missing = packet(3, 4), packet(1, 2)
    assert () == arbiter.handle(ahead, "A", 0)
    assert (Run(1, 2),) == arbiter.missing
    assert (
        arrived(missing, 1, 0, 2, "B", 49),
        arrived(ahead, 3, 0, 2, "A", 0),
    ) == arbiter.handle(missing, "B", 49)
    assert () == arbiter.poll(60)


def test_a_gap_is_told_once_and_closed_by_whatever_line(arbiter: Arbiter) -> None:
    ahead, missing = packet(3, 4), packet(1, 2)
    arbiter.handle(ahead, "A", 0)
    assert () == arbiter.handle(ahead, "B", 10)
    assert (GapOpened(CHANNEL, 1, 2, 50),) == arbiter.poll(50)
    assert () == arbiter.poll(60)
    assert (
        GapClosed(CHANNEL, 1, 2, 70, Filling.MESSAGES),
        arrived(missing, 1, 0, 2, "retransmission", 70),
        arrived(ahead, 3, 0, 2, "A", 0),
    ) == arbiter.handle(missing, "retransmission", 70)


def test_a_packet_that_comes_when_the_wait_is_over_tells_the_gap_first(arbiter: Arbiter) -> None:
    ahead, missing = packet(3, 3), packet(1, 2)
    arbiter.handle(ahead, "A", 0)
    assert (
        GapOpened(CHANNEL, 1, 2, 55),
        GapClosed(CHANNEL, 1, 2, 55, Filling.MESSAGES),
        arrived(missing, 1, 0, 2, "B", 55),
        arrived(ahead, 3, 0, 1, "A", 0),
    ) == arbiter.handle(missing, "B", 55)


def test_a_gap_filled_in_pieces_is_closed_by_the_last(arbiter: Arbiter) -> None:
    arbiter.handle(packet(6, 6), "A", 0)
    arbiter.poll(50)
    middle, front, back = packet(3, 3), packet(1, 2), packet(4, 5)
    assert () == arbiter.handle(middle, "B", 60)
    assert (Run(1, 2), Run(4, 5)) == arbiter.missing
    assert (
        arrived(front, 1, 0, 2, "B", 61),
        arrived(middle, 3, 0, 1, "B", 60),
    ) == arbiter.handle(front, "B", 61)
    assert (
        GapClosed(CHANNEL, 1, 5, 62, Filling.MESSAGES),
        arrived(back, 4, 0, 2, "B", 62),
        arrived(packet(6, 6), 6, 0, 1, "A", 0),
    ) == arbiter.handle(back, "B", 62)


def test_two_gaps_are_told_apart(arbiter: Arbiter) -> None:
    arbiter.handle(packet(2, 2), "A", 0)
    arbiter.handle(packet(4, 5), "A", 20)
    assert (GapOpened(CHANNEL, 1, 1, 50),) == arbiter.poll(50)
    assert (GapOpened(CHANNEL, 3, 3, 70),) == arbiter.poll(70)


def test_a_gap_that_stays_is_given_up_and_delivery_goes_on(arbiter: Arbiter) -> None:
    ahead = packet(3, 4)
    arbiter.handle(ahead, "A", 0)
    arbiter.poll(50)
    assert () == arbiter.poll(1_049)
    assert (
        GapLost(CHANNEL, 1, 2, 1_050, Losing.TIME),
        GapClosed(CHANNEL, 1, 2, 1_050, Filling.NOTHING, (Run(1, 2),)),
        arrived(ahead, 3, 0, 2, "A", 0),
    ) == arbiter.poll(1_050)
    assert () == arbiter.handle(packet(1, 2), "B", 1_060)


def test_what_will_not_come_is_abandoned_at_once(arbiter: Arbiter) -> None:
    ahead = packet(3, 4)
    arbiter.handle(ahead, "A", 0)
    arbiter.poll(50)
    assert (
        GapLost(CHANNEL, 1, 2, 60, Losing.REFUSED),
        GapClosed(CHANNEL, 1, 2, 60, Filling.NOTHING, (Run(1, 2),)),
        arrived(ahead, 3, 0, 2, "A", 0),
    ) == arbiter.abandon(1, 2, 60)


def test_a_gap_is_not_given_up_while_recovery_is_under_way(arbiter: Arbiter) -> None:
    arbiter.handle(packet(3, 4), "A", 0)
    arbiter.poll(50)
    arbiter.put_off(5_000)
    assert () == arbiter.poll(4_999)
    assert GapLost(CHANNEL, 1, 2, 5_000, Losing.TIME) == arbiter.poll(5_000)[0]


def test_more_than_may_be_held_gives_the_oldest_gap_up() -> None:
    arbiter = Arbiter(CHANNEL, CODEC, limits=LineLimits(held_packets=2))
    first, second, third = packet(2, 2), packet(3, 3), packet(4, 4)
    assert () == arbiter.handle(first, "A", 0)
    assert () == arbiter.handle(second, "A", 0)
    assert (
        GapOpened(CHANNEL, 1, 1, 0),
        GapLost(CHANNEL, 1, 1, 0, Losing.ROOM),
        GapClosed(CHANNEL, 1, 1, 0, Filling.NOTHING, (Run(1, 1),)),
        arrived(first, 2, 0, 1, "A", 0),
        arrived(second, 3, 0, 1, "A", 0),
        arrived(third, 4, 0, 1, "A", 0),
    ) == arbiter.handle(third, "A", 0)


def test_more_missing_runs_than_may_be_give_the_oldest_up() -> None:
    arbiter = Arbiter(CHANNEL, CODEC, limits=LineLimits(missing_runs=1))
    arbiter.handle(packet(2, 2), "A", 0)
    events = arbiter.handle(packet(4, 4), "A", 0)
    assert GapLost(CHANNEL, 1, 1, 0, Losing.ROOM) in events
    assert (Run(3, 3),) == arbiter.missing


def test_a_refresh_goes_on_behind_what_it_shows(arbiter: Arbiter) -> None:
    """What is held up to there is dropped, a packet held in part is delivered from there on."""
    arbiter.handle(packet(3, 4), "A", 0)
    last = packet(5, 8)
    arbiter.handle(last, "A", 0)
    arbiter.poll(50)
    assert (
        GapClosed(CHANNEL, 1, 2, 60, Filling.REFRESH),
        arrived(last, 7, 2, 2, "A", 0),
    ) == arbiter.resume(6, 60)


def test_a_refresh_may_be_ahead_of_all_that_came(arbiter: Arbiter) -> None:
    assert () == arbiter.resume(100, 0)
    assert 101 == arbiter.next_sequence
    assert () == arbiter.handle(packet(99, 100), "A", 1)
    following = packet(100, 101)
    assert (arrived(following, 101, 1, 1, "B", 1),) == arbiter.handle(following, "B", 1)


# The end of what was sent


def test_a_heartbeat_shows_that_the_last_messages_are_lost(arbiter: Arbiter) -> None:
    """Its number is that of the last message sent: already the next one expected is missing."""
    arbiter.handle(packet(1, 2), "A", 0)
    assert () == arbiter.handle(heartbeat(2), "A", 1)
    assert () == arbiter.handle(heartbeat(3), "A", 2)
    assert (GapOpened(CHANNEL, 3, 3, 52),) == arbiter.poll(52)


def test_a_heartbeat_of_the_line_ahead_waits_for_the_other(arbiter: Arbiter) -> None:
    arbiter.handle(heartbeat(2), "A", 0)
    data = packet(1, 2)
    assert (arrived(data, 1, 0, 2, "B", 10),) == arbiter.handle(data, "B", 10)
    assert () == arbiter.poll(100)


# Malformed and doubtful


def test_a_malformed_packet_is_told_and_its_messages_come_by_the_other_line(
    arbiter: Arbiter,
) -> None:
    good = packet(1, 2)
    spoilt = good[:-1]
    assert (
        PacketRefused(
            CHANNEL,
            "A",
            0,
            "the packet says 80 bytes, and 79 came (offset 0, omd-c-1.45)",
            spoilt,
        ),
    ) == arbiter.handle(spoilt, "A", 0)
    assert (arrived(good, 1, 0, 2, "B", 1),) == arbiter.handle(good, "B", 1)


@pytest.mark.parametrize("length", [0, 1, 15])
def test_less_than_a_header_is_refused(arbiter: Arbiter, length: int) -> None:
    [refused] = arbiter.handle(packet(1, 1)[:length], "A", 0)
    assert isinstance(refused, PacketRefused)
    assert f"begins with 16 bytes, and here are {length}" in refused.reason


def test_a_malformed_packet_behind_a_gap_is_refused_before_it_is_held(arbiter: Arbiter) -> None:
    ahead = packet(3, 4)
    wrong = ahead[:16] + b"\x1f" + ahead[17:]
    [refused] = arbiter.handle(wrong, "A", 0)
    assert isinstance(refused, PacketRefused)
    assert () == arbiter.missing


def test_a_lone_packet_that_leaps_is_not_believed(arbiter: Arbiter) -> None:
    """A number that bits were turned in must not make the whole day a gap."""
    arbiter.handle(packet(1, 1), "A", 0)
    far = packet(4_000_000_000, 4_000_000_000)
    [refused] = arbiter.handle(far, "A", 1)
    assert isinstance(refused, PacketRefused)
    assert "leaps from number 1 to 4000000000" in refused.reason
    following = packet(2, 2)
    assert (arrived(following, 2, 0, 1, "A", 2),) == arbiter.handle(following, "A", 2)


def test_a_leap_that_a_second_packet_confirms_is_a_gap(arbiter: Arbiter) -> None:
    arbiter.handle(packet(1, 1), "A", 0)
    arbiter.handle(packet(4_000_000, 4_000_000), "A", 1)
    assert () == arbiter.handle(packet(4_000_000, 4_000_001), "B", 2)
    assert (Run(2, 3_999_999),) == arbiter.missing


# Lines


def test_a_silent_line_is_told_once_with_those_that_are_left(arbiter: Arbiter) -> None:
    arbiter.handle(packet(1, 1), "A", 0)
    arbiter.handle(heartbeat(1), "B", 4_000)
    assert (LineSilent(CHANNEL, "A", 0, 10_000, ("B",)),) == arbiter.poll(10_000)
    assert () == arbiter.poll(10_500)
    assert (LineSilent(CHANNEL, "B", 4_000, 14_000, ()),) == arbiter.poll(14_000)
    assert (LineReturned(CHANNEL, "A", 15_000, 15_000),) == arbiter.handle(
        heartbeat(1), "A", 15_000
    )


def test_a_line_that_never_spoke_is_silent_too(arbiter: Arbiter) -> None:
    arbiter.handle(packet(1, 1), "A", 100)
    arbiter.handle(packet(2, 2), "A", 9_000)
    assert (LineSilent(CHANNEL, "B", 100, 10_100, ("A",)),) == arbiter.poll(10_100)


def test_a_single_line_is_enough_where_it_is_the_only_one() -> None:
    arbiter = Arbiter(CHANNEL, CODEC, lines=("A",), limits=LIMITS)
    arbiter.handle(packet(1, 1), "A", 0)
    assert () == arbiter.poll(9_999)


# Sequence reset

LATER = SENT_NS + 1_000_000


def test_a_reset_begins_the_numbers_anew_whatever_its_own_number(arbiter: Arbiter) -> None:
    arbiter.handle(packet(1, 9), "A", 0)
    data = reset(sequence=7, sent_ns=LATER)
    assert (
        SequenceRestarted(CHANNEL, 1, 10, 10),
        arrived(data, 1, 0, 1, "A", 10),
    ) == arbiter.handle(data, "A", 10)


def test_the_other_lines_copy_of_a_reset_is_known(arbiter: Arbiter) -> None:
    arbiter.handle(packet(1, 9), "A", 0)
    arbiter.handle(reset(sent_ns=LATER), "A", 10)
    assert () == arbiter.handle(reset(sent_ns=LATER + 1), "B", 20)
    assert () == arbiter.handle(reset(sent_ns=LATER), "A", 21)


@pytest.mark.parametrize("first", [1, 2], ids=["reset-is-not-counted", "reset-is-counted"])
def test_the_message_after_a_reset_has_its_number_or_the_next(arbiter: Arbiter, first: int) -> None:
    """Both readings are taken. Under the second nobody knows that nothing is missing until the
    wait is over; it is told as an assumption, not as a gap."""
    arbiter.handle(reset(sent_ns=LATER), "A", 0)
    data = packet(first, first + 1, sent_ns=LATER)
    events = (*arbiter.handle(data, "A", 10), *arbiter.handle(data, "B", 20), *arbiter.poll(60))
    assumed = (ResetCounted(CHANNEL, 1, 60),) if first == 2 else ()
    assert (*assumed, arrived(data, first, 0, 2, "A", 10)) == events
    assert first + 2 == arbiter.next_sequence


@pytest.mark.parametrize("number", [0, 1])
def test_a_heartbeat_right_after_a_reset_shows_no_loss(arbiter: Arbiter, number: int) -> None:
    arbiter.handle(reset(sent_ns=LATER), "A", 0)
    arbiter.handle(heartbeat(number, sent_ns=LATER), "A", 10)
    assert () == arbiter.poll(100)


def test_a_heartbeat_after_a_reset_shows_what_is_lost(arbiter: Arbiter) -> None:
    arbiter.handle(reset(sent_ns=LATER), "A", 0)
    arbiter.handle(heartbeat(3, sent_ns=LATER), "A", 10)
    assert (GapOpened(CHANNEL, 1, 3, 60),) == arbiter.poll(60)


def test_messages_in_the_packet_of_a_reset_are_numbered_behind_it(arbiter: Arbiter) -> None:
    following = [CODEC.encode_message(one) for one in trades(CODEC, 2, 2)]
    data = reset(sent_ns=LATER, behind=following)
    assert (
        SequenceRestarted(CHANNEL, 1, 0, 1),
        arrived(data, 1, 0, 1, "A", 0),
        arrived(data, 2, 1, 2, "A", 0),
    ) == arbiter.handle(data, "A", 0)
    assert () == arbiter.handle(data, "B", 1)
    assert () == arbiter.handle(packet(2, 3, sent_ns=LATER), "B", 2)
    after = packet(4, 4, sent_ns=LATER)
    assert (arrived(after, 4, 0, 1, "B", 3),) == arbiter.handle(after, "B", 3)


def test_messages_in_the_packet_before_a_reset_belong_to_the_old_numbers(arbiter: Arbiter) -> None:
    [before] = [CODEC.encode_message(one) for one in trades(CODEC, 1, 1)]
    data = packet_of([before, RESET], sequence=1, sent_ns=LATER)
    assert (
        arrived(data, 1, 0, 1, "A", 0),
        SequenceRestarted(CHANNEL, 1, 0, 2),
        arrived(data, 1, 1, 1, "A", 0),
    ) == arbiter.handle(data, "A", 0)


def test_what_was_sent_before_a_reset_is_void_when_it_comes_after(arbiter: Arbiter) -> None:
    """The line that lags still sends the old numbers: no gap of thousands follows from them."""
    arbiter.handle(packet(1, 9), "A", 0)
    arbiter.handle(reset(sent_ns=LATER), "A", 10)
    assert () == arbiter.handle(packet(5_000, 5_001), "B", 20)
    assert () == arbiter.handle(heartbeat(5_001), "B", 21)
    assert () == arbiter.missing


def test_a_gap_that_is_open_at_a_reset_is_lost_and_what_is_held_delivered(arbiter: Arbiter) -> None:
    held = packet(3, 3)
    arbiter.handle(packet(1, 1), "A", 0)
    arbiter.handle(held, "A", 0)
    data = reset(sent_ns=LATER)
    assert (
        GapOpened(CHANNEL, 2, 2, 10),
        GapLost(CHANNEL, 2, 2, 10, Losing.RESTART),
        GapClosed(CHANNEL, 2, 2, 10, Filling.NOTHING, (Run(2, 2),)),
        arrived(held, 3, 0, 1, "A", 0),
        SequenceRestarted(CHANNEL, 1, 10, 4),
        arrived(data, 1, 0, 1, "A", 10),
    ) == arbiter.handle(data, "A", 10)


def test_a_message_that_overtook_the_first_reset_of_the_day_is_kept(arbiter: Arbiter) -> None:
    overtook = packet(2, 2)
    assert () == arbiter.handle(overtook, "A", 0)
    data = reset()
    assert (
        SequenceRestarted(CHANNEL, 1, 5, 1),
        arrived(data, 1, 0, 1, "A", 5),
    ) == arbiter.handle(data, "A", 5)
    assert (
        ResetCounted(CHANNEL, 1, 55),
        arrived(overtook, 2, 0, 1, "A", 0),
    ) == arbiter.poll(55)


def test_a_gap_that_was_told_before_the_first_reset_of_the_day_is_closed(arbiter: Arbiter) -> None:
    overtook = packet(2, 2)
    arbiter.handle(overtook, "A", 0)
    arbiter.poll(50)
    data = reset()
    assert (
        GapLost(CHANNEL, 1, 1, 60, Losing.RESTART),
        GapClosed(CHANNEL, 1, 1, 60, Filling.NOTHING, (Run(1, 1),)),
        SequenceRestarted(CHANNEL, 1, 60, 1),
        arrived(data, 1, 0, 1, "A", 60),
    ) == arbiter.handle(data, "A", 60)


def test_a_reset_is_found_in_a_packet_whose_numbers_are_known(arbiter: Arbiter) -> None:
    """Wherever it stands in it: what its number says is nothing."""
    arbiter.handle(packet(1, 9), "A", 0)
    [third] = [CODEC.encode_message(one) for one in trades(CODEC, 3, 1)]
    data = packet_of([third, RESET], sequence=3, sent_ns=LATER)
    assert (
        SequenceRestarted(CHANNEL, 1, 10, 10),
        arrived(data, 1, 1, 1, "A", 10),
    ) == arbiter.handle(data, "A", 10)


def test_a_second_reset_of_the_day_is_a_new_one(arbiter: Arbiter) -> None:
    arbiter.handle(reset(), "A", 0)
    arbiter.handle(reset(), "B", 1)
    arbiter.handle(packet(1, 4), "A", 2)
    again = reset(sent_ns=LATER)
    assert SequenceRestarted(CHANNEL, 1, 3, 5) == arbiter.handle(again, "A", 3)[0]
    assert () == arbiter.handle(again, "B", 4)


def test_a_line_that_missed_a_reset_does_not_miss_the_next(arbiter: Arbiter) -> None:
    """Long after the first, what B brings is no copy of it."""
    arbiter.handle(reset(), "A", 0)
    arbiter.handle(packet(1, 4), "A", 2)
    again = reset(sent_ns=LATER)
    assert SequenceRestarted(CHANNEL, 1, 3, 5) == arbiter.handle(again, "B", 3)[0]


def test_a_reset_that_is_asked_for_again_fills_its_number_and_restarts_nothing(
    arbiter: Arbiter,
) -> None:
    arbiter.handle(reset(), "A", 0)
    arbiter.handle(heartbeat(2), "A", 1)
    arbiter.poll(60)
    second = packet(2, 2)
    assert () == arbiter.handle(reset(), "retransmission", 70)
    assert (
        GapClosed(CHANNEL, 1, 2, 71, Filling.MESSAGES),
        arrived(second, 2, 0, 1, "retransmission", 71),
    ) == arbiter.handle(second, "retransmission", 71)


# Standing still and going on


def test_a_restored_arbiter_goes_on_where_the_other_stood(arbiter: Arbiter) -> None:
    """What was held is missing now, and told as a gap of its own."""
    arbiter.handle(reset(), "A", 0)
    arbiter.handle(packet(1, 4), "A", 0)
    arbiter.handle(packet(7, 8), "A", 0)
    restored = Arbiter(CHANNEL, CODEC, limits=LIMITS)
    restored.restore(arbiter.snapshot())
    assert 5 == restored.next_sequence
    assert () == restored.handle(packet(1, 4), "B", 100)
    assert () == restored.handle(reset(), "B", 101)
    assert () == restored.handle(packet(9, 9), "A", 102)
    assert (GapOpened(CHANNEL, 5, 8, 152),) == restored.poll(152)


def test_a_restored_arbiter_knows_a_reset_with_nothing_behind_it_for_a_beginning(
    arbiter: Arbiter,
) -> None:
    """What leaps is refused aloud, as by the other, and not passed over as before a beginning."""
    arbiter.handle(reset(), "A", 0)
    restored = Arbiter(CHANNEL, CODEC, limits=LIMITS)
    restored.restore(arbiter.snapshot())
    far = packet(4_000_000_000, 4_000_000_000)
    [refused] = arbiter.handle(far, "A", 10)
    assert isinstance(refused, PacketRefused)
    assert (refused,) == restored.handle(far, "A", 10)


@pytest.mark.parametrize(
    "snapshot",
    [
        {},
        {"channel": 31, "next_sequence": 1, "perhaps_reset": 0, "restarts": {}},
        {"channel": 30, "next_sequence": "1", "perhaps_reset": 0, "restarts": {}},
        {"channel": 30, "next_sequence": 1, "perhaps_reset": 0, "restarts": {}},
        {
            "channel": 30,
            "next_sequence": 1,
            "perhaps_reset": 0,
            "restarts": {"total": 1, "sent_ns": 1, "lines": {"A": [1]}},
        },
    ],
)
def test_a_snapshot_that_is_none_is_refused_and_nothing_has_changed(
    arbiter: Arbiter, snapshot: dict[str, object]
) -> None:
    arbiter.handle(packet(1, 2), "A", 0)
    before = arbiter.snapshot()
    with pytest.raises(UsageError, match="the snapshot"):
        arbiter.restore(snapshot)  # type: ignore[arg-type]
    assert before == arbiter.snapshot()


def test_data_and_health_are_two_types(arbiter: Arbiter) -> None:
    """A consumer of data asks for two kinds and meets no other."""
    events: list[LineEvent] = [
        *arbiter.handle(packet(1, 1), "A", 0),
        *arbiter.handle(packet(1, 1)[:-1], "B", 0),
        *arbiter.handle(packet(3, 3), "A", 0),
        *arbiter.poll(50),
    ]
    data = [one for one in events if isinstance(one, MessagesArrived | SequenceRestarted)]
    assert [MessagesArrived, PacketRefused, GapOpened] == [type(one) for one in events]
    assert [MessagesArrived] == [type(one) for one in data]
