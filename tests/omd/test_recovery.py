"""What is done about a gap: the rungs of the ladder, and the signal of a move to the other site."""

from __future__ import annotations

import pytest

from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import UsageError
from hkex_ops.omd import (
    DISASTER_TRANSITIONS,
    LINE_TRANSITIONS,
    RECOVERY_TRANSITIONS,
    REFRESH_TRANSITIONS,
    SESSION_TRANSITIONS,
    DisasterRecoveryBegan,
    DisasterRecoveryEnded,
    DisasterRecoverySignal,
    DisasterState,
    DisasterWatch,
    Filling,
    GapClosed,
    GapOpened,
    Needed,
    PacketRefused,
    Recovery,
    RecoveryImpossible,
    RecoveryState,
    RefreshWanted,
    RetransmissionWanted,
    SequenceRestarted,
    SignalUnclear,
)
from hkex_ops.omd.recovery import Failed
from tests.omd.wire import SENT_NS

CODEC = load_codec()
CHANNEL = 30


def needed(
    begin: int, end: int, *, newest: int | None = None, requests_left: int = 1_000
) -> Needed:
    return Needed(GapOpened(CHANNEL, begin, end, 0), newest or end + 1, requests_left)


def closed(begin: int, end: int) -> GapClosed:
    return GapClosed(CHANNEL, begin, end, 0, Filling.MESSAGES)


@pytest.fixture
def recovery() -> Recovery:
    return Recovery(CHANNEL, can_retransmit=True, can_refresh=True)


def test_what_the_service_keeps_is_asked_for_again(recovery: Recovery) -> None:
    assert (RetransmissionWanted(CHANNEL, 11, 14, 1),) == recovery.handle(needed(11, 14), 1)
    assert RecoveryState.RETRANSMITTING is recovery.state
    assert () == recovery.handle(closed(11, 14), 2)
    assert RecoveryState.WHOLE is recovery.state


@pytest.mark.parametrize(
    ("begin", "newest", "way"),
    [
        (1, 50_000, RetransmissionWanted),
        (1, 50_001, RefreshWanted),
        (5, 50_004, RetransmissionWanted),
    ],
)
def test_the_service_keeps_the_last_fifty_thousand(
    recovery: Recovery, begin: int, newest: int, way: type[object]
) -> None:
    [wanted] = recovery.handle(needed(begin, begin, newest=newest), 0)
    assert way is type(wanted)


@pytest.mark.parametrize(
    ("end", "left", "way"),
    [
        (10_000, 1, RetransmissionWanted),
        (10_001, 1, RefreshWanted),
        (10_001, 2, RetransmissionWanted),
        (1, 0, RefreshWanted),
    ],
)
def test_a_day_has_so_many_requests(
    recovery: Recovery, end: int, left: int, way: type[object]
) -> None:
    [wanted] = recovery.handle(needed(1, end, requests_left=left), 0)
    assert way is type(wanted)


def test_what_is_not_sent_again_is_made_up_for_by_a_refresh(recovery: Recovery) -> None:
    """One that holds good as of the end of the last gap that is open."""
    recovery.handle(needed(11, 14), 0)
    recovery.handle(needed(17, 20), 0)
    assert (RefreshWanted(CHANNEL, 20, 1),) == recovery.handle(Failed(), 1)
    assert (RefreshWanted(CHANNEL, 30, 2),) == recovery.handle(needed(29, 30), 2)
    assert () == recovery.handle(closed(11, 14), 3)
    assert RecoveryState.REFRESHING is recovery.state


def test_when_neither_way_leads_on_the_messages_are_abandoned(recovery: Recovery) -> None:
    recovery.handle(needed(11, 14), 0)
    recovery.handle(needed(17, 20), 0)
    recovery.handle(Failed(), 1)
    assert (RecoveryImpossible(CHANNEL, 11, 20, 2),) == recovery.handle(Failed(), 2)
    assert RecoveryState.WHOLE is recovery.state
    assert () == recovery.handle(Failed(), 3)


@pytest.mark.parametrize(
    ("can_retransmit", "can_refresh", "wanted"),
    [
        (True, True, RetransmissionWanted(CHANNEL, 11, 14, 0)),
        (False, True, RefreshWanted(CHANNEL, 14, 0)),
        (False, False, RecoveryImpossible(CHANNEL, 11, 14, 0)),
    ],
)
def test_a_feed_is_asked_for_what_it_can(
    can_retransmit: bool, can_refresh: bool, wanted: object
) -> None:
    recovery = Recovery(CHANNEL, can_retransmit=can_retransmit, can_refresh=can_refresh)
    assert (wanted,) == recovery.handle(needed(11, 14), 0)


def test_without_refresh_a_failed_retransmission_is_the_end() -> None:
    recovery = Recovery(CHANNEL, can_retransmit=True, can_refresh=False)
    recovery.handle(needed(11, 14), 0)
    assert (RecoveryImpossible(CHANNEL, 11, 14, 1),) == recovery.handle(Failed(), 1)


def test_numbers_that_begin_anew_within_the_day_want_a_refresh(recovery: Recovery) -> None:
    """All that was known is void. At the start of the day nothing was known."""
    assert () == recovery.handle(SequenceRestarted(CHANNEL, 1, 0, 1), 0)
    recovery.handle(needed(11, 14), 1)
    assert (RefreshWanted(CHANNEL, 0, 2),) == recovery.handle(
        SequenceRestarted(CHANNEL, 1, 2, 500), 2
    )
    assert () == recovery.handle(Failed(), 3)
    assert RecoveryState.WHOLE is recovery.state


def test_a_restored_recovery_stands_where_the_other_stood(recovery: Recovery) -> None:
    recovery.handle(needed(11, 14), 0)
    restored = Recovery(CHANNEL, can_retransmit=True, can_refresh=True)
    restored.restore(recovery.snapshot())
    assert RecoveryState.RETRANSMITTING is restored.state
    assert (RefreshWanted(CHANNEL, 14, 1),) == restored.handle(Failed(), 1)


@pytest.mark.parametrize(
    "snapshot", [{}, {"state": "lost", "open": []}, {"state": "whole", "open": [[1]]}]
)
def test_a_snapshot_that_is_none_is_refused(
    recovery: Recovery, snapshot: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match="the snapshot is not of a recovery"):
        recovery.restore(snapshot)  # type: ignore[arg-type]


# The signal of a move to the other site


def signal(*statuses: int, sent_ns: int = SENT_NS) -> bytes:
    messages = [DisasterRecoverySignal(status) for status in statuses]
    return CODEC.encode_packet(messages, sequence=1, send_time_ns=sent_ns)


@pytest.fixture
def watch() -> DisasterWatch:
    return DisasterWatch(105, CODEC)


def test_a_move_is_told_when_it_begins_and_when_it_is_over(watch: DisasterWatch) -> None:
    assert (DisasterRecoveryBegan(105, 1, SENT_NS),) == watch.handle(signal(1), "A", 1)
    assert () == watch.handle(signal(1), "B", 2)
    assert DisasterState.MOVING is watch.state
    later = SENT_NS + 1
    assert (DisasterRecoveryEnded(105, 3, later),) == watch.handle(signal(2, sent_ns=later), "A", 3)
    assert DisasterState.MOVED is watch.state


def test_the_signal_is_repeated_all_day_and_told_once(watch: DisasterWatch) -> None:
    """Whoever joins late learns from it that the exchange has moved."""
    assert (DisasterRecoveryEnded(105, 1, SENT_NS),) == watch.handle(signal(2), "A", 1)
    assert () == watch.handle(signal(2, sent_ns=SENT_NS + 1), "A", 2)


def test_the_line_that_lags_does_not_move_the_exchange_again(watch: DisasterWatch) -> None:
    watch.handle(signal(1), "A", 1)
    watch.handle(signal(2, sent_ns=SENT_NS + 1), "A", 2)
    assert () == watch.handle(signal(1), "B", 3)
    assert DisasterState.MOVED is watch.state


def test_the_exchange_may_move_again(watch: DisasterWatch) -> None:
    watch.handle(signal(1, 2), "A", 1)
    later = SENT_NS + 5
    assert (DisasterRecoveryBegan(105, 2, later),) == watch.handle(signal(1, sent_ns=later), "A", 2)


def test_a_heartbeat_says_nothing(watch: DisasterWatch) -> None:
    assert () == watch.handle(signal(), "A", 1)
    assert DisasterState.NORMAL is watch.state


def test_a_status_without_meaning_is_told_once(watch: DisasterWatch) -> None:
    assert (SignalUnclear(105, 1, 3),) == watch.handle(signal(3), "A", 1)
    assert () == watch.handle(signal(3), "A", 2)
    assert DisasterState.NORMAL is watch.state


def test_a_malformed_packet_of_the_channel_is_told(watch: DisasterWatch) -> None:
    [refused] = watch.handle(signal(1)[:-1], "B", 4)
    assert isinstance(refused, PacketRefused)
    assert "the packet says 24 bytes, and 23 came" in refused.reason


def test_a_restored_watch_tells_nothing_twice(watch: DisasterWatch) -> None:
    watch.handle(signal(2), "A", 1)
    restored = DisasterWatch(105, CODEC)
    restored.restore(watch.snapshot())
    assert () == restored.handle(signal(2), "A", 2)
    with pytest.raises(UsageError, match="not of a disaster recovery signal"):
        restored.restore({"state": "elsewhere", "sent_ns": 0})


def test_every_table_leads_from_every_state_it_names_to_one_it_names() -> None:
    """No transition leads to a state that the table does not know; an end has none that leave."""
    ends = {"ended", "taken", "given up"}
    for table in (
        DISASTER_TRANSITIONS,
        LINE_TRANSITIONS,
        RECOVERY_TRANSITIONS,
        REFRESH_TRANSITIONS,
        SESSION_TRANSITIONS,
    ):
        left = {str(state) for state, _ in table}
        reached = {str(state) for state in table.values()}
        assert reached - left <= ends
        assert not left & ends
