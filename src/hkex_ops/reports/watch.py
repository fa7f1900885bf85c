"""Following a day's reports: when to look next, and when to stop.

A machine: it is told what each look came to and says when the next one is due. It stops after the
day's last cut-off, grace included, or when too many looks in a row have failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.calendars import BusinessDay
from hkex_ops.errors import UsageError
from hkex_ops.model import JsonObject
from hkex_ops.reports.expected import ExpectedReport

__all__ = [
    "LOOKS",
    "LookDue",
    "LookFailed",
    "LookTaken",
    "ReportWatch",
    "WatchEnded",
    "WatchEvent",
    "WatchState",
    "WhyEnded",
    "spans_of",
]


AROUND = timedelta(hours=2)
"""How long before a cut-off, and after the last session, looks are worth while."""


class WatchState(StrEnum):
    """Where a watch stands."""

    WAITING = "waiting"
    LOOKING = "looking"
    ENDED = "ended"


class WhyEnded(StrEnum):
    """Why a watch stopped."""

    LAST_CUT_OFF = "last-cut-off"
    NOTHING_EXPECTED = "nothing-expected"
    FAILED = "failed"


@frozen
class LookTaken:
    """A look at the folder came to its end."""


@frozen
class LookFailed:
    """A look could not be taken to its end; ``reason`` is a sentence."""

    reason: str


@frozen
class LookDue:
    """It is time to look; ``number`` counts the looks from 1."""

    number: int
    at: datetime


@frozen
class WatchEnded:
    """The watch has stopped."""

    why: WhyEnded
    at: datetime
    looks: int
    reason: str = ""


WatchEvent: TypeAlias = LookDue | WatchEnded

LOOKS: Mapping[tuple[WatchState, type[LookTaken] | type[LookFailed]], WatchState] = (
    MappingProxyType(
        {
            (WatchState.LOOKING, LookTaken): WatchState.WAITING,
            (WatchState.LOOKING, LookFailed): WatchState.WAITING,
        }
    )
)
"""What an outcome of a look leads to; any other pair is a machine driven wrongly."""


def spans_of(
    found: BusinessDay, expected: Iterable[ExpectedReport]
) -> tuple[tuple[datetime, datetime], ...]:
    """When looks are worth while for a business date: from its first clearing session until some
    time after its last, and around each cut-off that lies elsewhere."""
    ends = [
        (one.window.start.at, one.window.until.at)
        for one in found.clearing
        if one.window.start.at is not None and one.window.until.at is not None
    ]
    day = [(min(start for start, _ in ends), max(end for _, end in ends) + AROUND)] if ends else []
    return (*day, *((one.due_at - AROUND, one.missing_at) for one in expected))


class ReportWatch:
    """One business date followed from ``start``.

    ``until`` is the last cut-off with its grace; without one there is one look and no more. A look
    is taken every ``every``, and one just at ``until``, so that nothing is called missing that came
    in the last moment. Where ``spans`` are given it looks within them only: nothing comes over a
    weekend, and nobody asks for it then.
    """

    def __init__(
        self,
        business_date: date,
        start: datetime,
        until: datetime | None,
        *,
        every: timedelta,
        failures: int,
        spans: Sequence[tuple[datetime, datetime]] = (),
    ) -> None:
        if every <= timedelta():
            raise UsageError("a watch looks at intervals that are longer than nothing")
        self.business_date: date = business_date
        self.state: WatchState = WatchState.WAITING
        self.next_at: datetime = start
        self.looks: int = 0
        self._until = until
        self._every = every
        self._most_failures = failures
        self._spans = tuple(sorted(spans))
        self._failures: tuple[str, ...] = ()

    def poll(self, now: datetime) -> tuple[WatchEvent, ...]:
        """What follows from the time: that a look is due, or nothing."""
        if self.state is not WatchState.WAITING or now < self.next_at:
            return ()
        self.state = WatchState.LOOKING
        self.looks += 1
        return (LookDue(self.looks, now),)

    def handle(self, outcome: LookTaken | LookFailed, now: datetime) -> tuple[WatchEvent, ...]:
        """What follows from a look: the next one, or the end."""
        following = LOOKS.get((self.state, type(outcome)))
        if following is None:
            raise UsageError(f"no look is under way: the watch is {self.state.value}")
        self.state = following
        self._failures = (
            (*self._failures, outcome.reason) if isinstance(outcome, LookFailed) else ()
        )
        if isinstance(outcome, LookFailed) and len(self._failures) >= self._most_failures:
            return self._end(WhyEnded.FAILED, now, outcome.reason)
        if self._until is None:
            return self._end(WhyEnded.NOTHING_EXPECTED, now)
        if now >= self._until and not self._failures:
            return self._end(WhyEnded.LAST_CUT_OFF, now)
        self.next_at = self._within(now + self._every)
        if now < self._until < self.next_at:
            self.next_at = self._until
        return ()

    def _within(self, at: datetime) -> datetime:
        """``at``, or the beginning of the next span where it lies in none."""
        if not self._spans or any(start <= at <= end for start, end in self._spans):
            return at
        return next((start for start, _ in self._spans if start > at), at)

    def snapshot(self) -> JsonObject:
        """Where it stands, as plain values."""
        return {
            "state": self.state.value,
            "next_at": self.next_at.isoformat(),
            "looks": self.looks,
            "failures": list(self._failures),
        }

    def restore(self, saved: JsonObject) -> None:
        """Go on where a snapshot stood."""
        match saved:
            case {
                "state": str(state),
                "next_at": str(next_at),
                "looks": int(looks),
                "failures": [*failures],
            }:
                self.state = WatchState(state)
                self.next_at = datetime.fromisoformat(next_at)
                self.looks = looks
                self._failures = tuple(str(one) for one in failures)
            case _:
                raise UsageError("is no snapshot of a watch")

    def _end(self, why: WhyEnded, now: datetime, reason: str = "") -> tuple[WatchEvent, ...]:
        self.state = WatchState.ENDED
        return (WatchEnded(why, now, self.looks, reason),)
