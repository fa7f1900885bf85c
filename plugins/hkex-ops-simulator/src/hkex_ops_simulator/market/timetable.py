"""When a simulated trading day does what: session states with their moments, and trading spans.

Two kinds of day: as since October 2020, with continuous trading cut to the length asked for, and
as in January 2010. The states are those of Trading Session Status (OMD-C specification, section
3.8.1); how long each lasts is the exchange's, the random moments are the seed's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from attrs import frozen

from hkex_ops.model import HONG_KONG

__all__ = ["NS", "Span", "State", "Timetable", "instant_ns"]

NS = 1_000_000_000
_MINUTE_NS = 60 * NS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Trading session status, by sub-id. Source: OMD-C specification, section 3.8.1.
_STATUS_OF = {
    0: 100,
    1: 20,
    2: 20,
    3: 30,
    4: 40,
    5: 40,
    7: 20,
    100: 0,
    101: 20,
    103: 50,
    104: 30,
    105: 40,
    106: 40,
    107: 40,
    108: 20,
}


class State(NamedTuple):
    """A session state that begins at ``at_ns`` and is announced to end at ``until_ns`` (0: no)."""

    at_ns: int
    sub_id: int
    status: int
    until_ns: int


class Span(NamedTuple):
    """From its first nanosecond to before its last."""

    start_ns: int
    until_ns: int

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.until_ns - self.start_ns


@frozen
class Timetable:
    """A day. ``matching_ns`` is when the opening auction is matched: the matching indicator's.

    ``auction`` is when orders for it are taken, ``trading`` are the spans of continuous trading.
    ``closing_ns`` is when the closing auction is matched, ``closed_ns`` when the market closes.
    """

    definitions_ns: int
    auction: Span
    matching_ns: int
    trading: tuple[Span, ...]
    closing_ns: int
    closed_ns: int
    states: tuple[State, ...]

    @classmethod
    def modern(cls, business_date: date, minutes: int, rng: Random) -> Timetable:
        """A day as since 19 October 2020, with ``minutes`` of continuous trading."""
        morning = min(minutes, 150)
        opens = instant_ns(business_date, time(9, 30))
        spans = [Span(opens, opens + morning * _MINUTE_NS)]
        if minutes > morning:
            afternoon = instant_ns(business_date, time(13))
            spans.append(Span(afternoon, afternoon + (minutes - morning) * _MINUTE_NS))
        end = spans[-1].until_ns
        matching = instant_ns(business_date, time(9, 20)) + rng.randrange(1, 120) * NS
        closed = end + 8 * _MINUTE_NS + rng.randrange(1, 120) * NS
        moments = [
            (instant_ns(business_date, time(8, 58)), 100),
            (instant_ns(business_date, time(9)), 1),
            (instant_ns(business_date, time(9, 15)), 101),
            (instant_ns(business_date, time(9, 20)), 108),
            (matching, 2),
            (instant_ns(business_date, time(9, 22)), 7),
            (opens, 3),
        ]
        if len(spans) > 1:
            noon = spans[0].until_ns
            moments += [(noon, 103), (noon + 30 * _MINUTE_NS, 104), (spans[1].start_ns, 3)]
        moments += [
            (end, 105),
            (end + _MINUTE_NS, 5),
            (end + 6 * _MINUTE_NS, 106),
            (end + 8 * _MINUTE_NS, 107),
            (closed, 4),
            (closed + 30 * NS, 103),
            (closed + 60 * NS, 0),
        ]
        return cls(
            definitions_ns=instant_ns(business_date, time(8, 57)),
            auction=Span(
                instant_ns(business_date, time(9)), instant_ns(business_date, time(9, 20))
            ),
            matching_ns=matching,
            trading=tuple(spans),
            closing_ns=closed,
            closed_ns=closed + 30 * NS,
            states=tuple(_states(moments)),
        )

    @classmethod
    def trial(cls, start: datetime, minutes: int) -> Timetable:
        """A test session that begins at ``start``: a day in small, trading after a minute."""
        start_ns = (start - _EPOCH) // timedelta(microseconds=1) * 1000
        opens, matching = start_ns + _MINUTE_NS, start_ns + 12 * NS
        end = opens + minutes * _MINUTE_NS
        moments = [
            (start_ns + 2 * NS, 1),
            (start_ns + 8 * NS, 101),
            (start_ns + 10 * NS, 108),
            (matching, 2),
            (start_ns + 50 * NS, 7),
            (opens, 3),
            (end, 105),
            (end + 20 * NS, 103),
            (end + _MINUTE_NS, 0),
        ]
        return cls(
            definitions_ns=start_ns,
            auction=Span(start_ns + 2 * NS, start_ns + 10 * NS),
            matching_ns=matching,
            trading=(Span(opens, end),),
            closing_ns=end + 10 * NS,
            closed_ns=end + 20 * NS,
            states=tuple(_states(moments)),
        )


def instant_ns(business_date: date, at: time) -> int:
    """A Hong Kong time of day as nanoseconds since 1970 UTC."""
    moment = datetime.combine(business_date, at, HONG_KONG)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _states(moments: list[tuple[int, int]]) -> Iterator[State]:
    ends = [at for at, _ in moments[1:]] + [0]
    for (at, sub_id), until in zip(moments, ends, strict=True):
        yield State(at, sub_id, _STATUS_OF[sub_id], until)
