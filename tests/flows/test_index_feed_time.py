"""What time it is on a feed: live, as it was recorded, and where a record waits for its reader."""

from __future__ import annotations

from datetime import datetime, timedelta

from hkex_ops.clock import ManualClock
from hkex_ops.flows.index.feed_time import FeedTime, is_patient
from hkex_ops.index.ticks import time_ns_of
from hkex_ops.model import HONG_KONG
from hkex_ops.ports import FeedLine, PacketBatch
from hkex_ops.testing import FakeFeedOptions, FakeMarket, FakeMarketFeed

EVENING = datetime(2026, 11, 20, 20, tzinfo=HONG_KONG)
TEN = datetime(2026, 11, 20, 10, tzinfo=HONG_KONG)
SECOND = timedelta(seconds=1)


def batch(at: datetime) -> PacketBatch:
    return PacketBatch(30, FeedLine.A, time_ns_of(at), (b"",))


def test_a_live_feed_has_the_machines_time() -> None:
    clock = ManualClock(TEN)
    time = FeedTime(clock)
    assert TEN == time.at(batch(TEN - SECOND))
    clock.advance(SECOND)
    assert TEN + SECOND == time.now()


def test_a_record_that_is_played_runs_on_from_its_last_packet() -> None:
    clock = ManualClock(EVENING)
    time = FeedTime(clock)
    assert TEN == time.at(batch(TEN))
    clock.advance(SECOND)
    assert TEN + SECOND == time.now()


def test_a_record_that_waits_stands_still_between_two_packets() -> None:
    """However long somebody works on the first: a line is not silent because its reader is slow."""
    clock = ManualClock(EVENING)
    time = FeedTime(clock, stands=True)
    time.at(batch(TEN))
    clock.advance(3600 * SECOND)
    assert TEN == time.now()
    assert time_ns_of(TEN) == time.now_ns()
    time.at(batch(TEN + SECOND))
    assert TEN + SECOND == time.now()


def test_a_record_that_waits_never_goes_back() -> None:
    """A batch that was taken late, of another line, is not a second morning."""
    time = FeedTime(ManualClock(EVENING), stands=True)
    time.at(batch(TEN + SECOND))
    assert TEN == time.at(batch(TEN))
    assert TEN + SECOND == time.now()


def test_at_its_end_time_passes_that_nobody_waits_for() -> None:
    time = FeedTime(ManualClock(EVENING), stands=True)
    time.at(batch(TEN))
    time.skip(10 * 10**9)
    assert TEN + 10 * SECOND == time.now()


def test_a_feed_says_whether_it_waits() -> None:
    live, record = FakeMarket(), FakeMarket(is_live=False)
    assert [False, True] == [
        is_patient(FakeMarketFeed(FakeFeedOptions(market))) for market in (live, record)
    ]
