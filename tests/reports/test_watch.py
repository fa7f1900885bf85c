"""A watch looks at intervals until the last cut-off, and stops by itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from hkex_ops.config.catalogues import shipped_catalogue
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import UsageError
from hkex_ops.model import HONG_KONG
from hkex_ops.reports import expected_reports
from hkex_ops.reports.watch import (
    LookDue,
    LookFailed,
    LookTaken,
    ReportWatch,
    WatchEnded,
    WhyEnded,
    spans_of,
)

DAY = date(2023, 4, 14)
START = datetime(2023, 4, 14, 9, 0, tzinfo=HONG_KONG)
MINUTES = timedelta(minutes=1)


def watch(until: datetime | None, *, failures: int = 3) -> ReportWatch:
    return ReportWatch(DAY, START, until, every=10 * MINUTES, failures=failures)


def test_it_looks_at_once_at_intervals_and_at_the_very_end() -> None:
    """The last look is just at the last cut-off, and then there is none."""
    one = watch(START + 25 * MINUTES)
    events: list[object] = []
    now = START
    for _ in range(60):
        told = one.poll(now)
        events += told
        if told:
            events += one.handle(LookTaken(), now)
        now += MINUTES
    assert [
        LookDue(1, START),
        LookDue(2, START + 10 * MINUTES),
        LookDue(3, START + 20 * MINUTES),
        LookDue(4, START + 25 * MINUTES),
        WatchEnded(WhyEnded.LAST_CUT_OFF, START + 25 * MINUTES, 4),
    ] == events


def test_where_nothing_is_expected_it_looks_once() -> None:
    """A day off, or a catalogue without cadence."""
    one = watch(None)
    one.poll(START)
    assert (WatchEnded(WhyEnded.NOTHING_EXPECTED, START, 1),) == one.handle(LookTaken(), START)


def test_failures_in_a_row_end_it_and_one_success_forgives_them() -> None:
    """Bounded, so that nobody knocks for ever."""
    one = watch(START + timedelta(days=1))
    now = START
    outcomes = [LookFailed("a"), LookFailed("b"), LookTaken(), *[LookFailed("c")] * 3]
    told: list[object] = []
    for outcome in outcomes:
        one.poll(now)
        told += one.handle(outcome, now)
        now += 10 * MINUTES
    assert [WatchEnded(WhyEnded.FAILED, now - 10 * MINUTES, 6, "c")] == told
    assert () == one.poll(now + timedelta(days=2))


def test_the_last_look_is_taken_even_when_it_fails_at_first() -> None:
    """What came in the last moment must not be called missing for want of a look."""
    one = watch(START)
    one.poll(START)
    assert () == one.handle(LookFailed("down"), START)
    one.poll(START + 10 * MINUTES)
    [ended] = one.handle(LookTaken(), START + 10 * MINUTES)
    assert isinstance(ended, WatchEnded)
    assert WhyEnded.LAST_CUT_OFF is ended.why


def test_driven_wrongly_it_says_so() -> None:
    """No outcome without a look, no interval of nothing, no snapshot of something else."""
    one = watch(None)
    with pytest.raises(UsageError):
        one.handle(LookTaken(), START)
    with pytest.raises(UsageError):
        one.restore({"state": "waiting"})
    with pytest.raises(UsageError):
        ReportWatch(DAY, START, None, every=timedelta(), failures=1)


def test_it_goes_on_where_a_snapshot_stood() -> None:
    """Looks and failures are counted on."""
    one = watch(START + timedelta(days=1))
    one.poll(START)
    one.handle(LookFailed("down"), START)
    other = watch(START + timedelta(days=1))
    other.restore(one.snapshot())
    assert one.snapshot() == other.snapshot()
    assert (LookDue(2, START + 10 * MINUTES),) == other.poll(START + 10 * MINUTES)


def test_it_asks_only_when_something_may_come() -> None:
    """Through the sessions of Friday, and around a cut-off on Monday; not over the weekend."""
    calendar = load_calendar()
    catalogue = shipped_catalogue("example-rrs")
    expected = expected_reports(catalogue, calendar, "RRS", DAY)
    until = datetime(2023, 4, 17, 9, 0, tzinfo=HONG_KONG)
    one = ReportWatch(
        DAY,
        START,
        until,
        every=30 * MINUTES,
        failures=3,
        spans=spans_of(calendar.day(DAY), expected),
    )
    looks: list[datetime] = []
    while True:
        now = one.next_at
        looks += [event.at for event in one.poll(now) if isinstance(event, LookDue)]
        if one.handle(LookTaken(), now):
            break
    assert until == looks[-1]
    quiet = [at for at in looks if datetime(2023, 4, 15, 5, 31, tzinfo=HONG_KONG) < at < until]
    assert datetime(2023, 4, 17, 7, 0, tzinfo=HONG_KONG) == quiet[0]
    assert 45 < len(looks) < 60
