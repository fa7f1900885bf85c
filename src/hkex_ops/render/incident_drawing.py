"""The timeline of an incident as lines, boxes and letters at places, for a page and for a sheet.

One row for each state, a bar from its moment to the next one's; below, in lanes, what happened, who
was told and who asked, each with the number of its entry. What is approximate has a broken outline.
Drawn are the hours that matter, from the first entry to a while after the service was resumed; the
tables hold everything. Whole numbers only: the same report draws the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from hkex_ops.incidents import (
    Attach,
    Enquire,
    IncidentReport,
    IncidentState,
    Note,
    Standing,
    StateMoment,
    Tell,
    Topic,
)
from hkex_ops.model import HONG_KONG, Certainty
from hkex_ops.render.words import say_clock

__all__ = ["DRAWN_WIDTH", "Bar", "Letters", "Rule", "TimelineDrawing", "draw_incident"]

DRAWN_WIDTH = 1000
_LEFT, _RIGHT = 150, 984
_AXIS, _ROW, _BAR = 26, 26, 18
_SPOT, _LEVEL = 30, 22
MOST_LEVELS = 20
"""Rows of one lane; what would lie below them is counted and not drawn."""

_SHORTEST = timedelta(minutes=20)
_STEPS_MIN = (1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_MOST_TICKS = 12


@frozen
class Rule:
    """A line."""

    x1: int
    y1: int
    x2: int
    y2: int
    kind: str


@frozen
class Bar:
    """A box; ``rough`` has a broken outline."""

    x: int
    y: int
    width: int
    height: int
    kind: str
    rough: bool = False
    title: str = ""


@frozen
class Letters:
    """One line of letters; ``anchor`` is start, middle or end."""

    x: int
    y: int
    text: str
    kind: str
    anchor: str = "start"


@frozen
class TimelineDrawing:
    """What is to be drawn, how high it is, what it says in words, and how many entries are not on
    it."""

    height: int
    marks: tuple[Rule | Bar | Letters, ...]
    told: str
    left_out: int


@frozen
class _Scale:
    first: datetime
    last: datetime

    def x(self, at: datetime) -> int:
        at = min(max(at, self.first), self.last)
        whole = (self.last - self.first) // timedelta(seconds=1)
        return _LEFT + (_RIGHT - _LEFT) * ((at - self.first) // timedelta(seconds=1)) // whole


@frozen
class _Spot:
    """Something of an entry on a lane, from ``start`` to ``until``, or on and on."""

    one: Standing
    start: datetime
    until: datetime | None
    goes_on: bool = False


def draw_incident(report: IncidentReport) -> TimelineDrawing | None:
    """The drawing; nothing where no state has a known time."""
    moments = [one for one in report.view.moments if one.when.at.at is not None]
    if not moments:
        return None
    lanes = [(name, _spots(report.view.holding, kinds)) for name, kinds in _LANES]
    first, last = _span(moments, [spot for _, spots in lanes for spot in spots])
    scale, step = _scale(first, last)
    marks: list[Rule | Bar | Letters] = []
    y = _AXIS + 8
    drawn, y = _states(moments, scale, y)
    marks += drawn
    left_out = 0
    for name, spots in lanes:
        inside = [one for one in spots if scale.first <= one.start <= scale.last]
        left_out += len(spots) - len(inside)
        if inside:
            drawn, y, crowded = _lane(name, inside, scale, y + 8)
            marks += drawn
            left_out += crowded
    height = y + 8
    return TimelineDrawing(height, (*_axis(scale, step, height), *marks), _told(moments), left_out)


def _told(moments: Sequence[StateMoment]) -> str:
    said = [
        f"{one.state} since {'about ' if _rough(one) else ''}{say_clock(one.when.at.at)}"
        for one in moments
        if one.when.at.at is not None
    ]
    return f"{'; '.join(said)}. The tables below hold every entry."


def _rough(one: StateMoment) -> bool:
    return one.when.at.certainty is Certainty.APPROXIMATE


def _is_happening(one: Standing) -> bool:
    return isinstance(one.what, Note) and one.what.topic in (Topic.EVENT, Topic.DECISION)


_LANES = (
    ("happened", (Note, Attach)),
    ("told", (Tell,)),
    ("enquiries", (Enquire,)),
)


def _spots(holding: Iterable[Standing], kinds: tuple[type[object], ...]) -> list[_Spot]:
    return [
        _Spot(
            one,
            one.when.at.at,
            None if one.when.until is None else one.when.until.at,
            one.when.until is not None and one.when.until.certainty is Certainty.OPEN,
        )
        for one in holding
        if isinstance(one.what, kinds)
        and one.when.at.at is not None
        and (not isinstance(one.what, Note) or _is_happening(one))
    ]


def _span(moments: Sequence[StateMoment], spots: Sequence[_Spot]) -> tuple[datetime, datetime]:
    """From the first entry to a while after the service was resumed; else to the last entry."""
    starts = [one.when.at.at for one in moments if one.when.at.at is not None]
    first = min([*starts, *(one.start for one in spots)])
    last = max([*starts, *(one.start for one in spots)])
    over = [
        one.when.at.at
        for one in moments
        if one.state is IncidentState.RESUMED and one.when.at.at is not None
    ]
    if over:
        first = min(starts) if min(starts) - first > (over[-1] - min(starts)) else first
        last = min(last, over[-1] + (over[-1] - first) / 2)
    return first, max(last, first + _SHORTEST)


def _scale(first: datetime, last: datetime) -> tuple[_Scale, timedelta]:
    """Whole steps around the span; every step gets a line."""
    minutes = -(-(last - first) // timedelta(minutes=1))
    step = next((one for one in _STEPS_MIN if minutes <= one * _MOST_TICKS), None)
    if step is None:
        step = -(-minutes // _MOST_TICKS // 1440) * 1440
    begin = first.astimezone(HONG_KONG)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    wide = timedelta(minutes=step)
    start = midnight + (begin - midnight) // wide * wide
    end = start + -(-(last - start) // wide) * wide
    return _Scale(start, max(end, start + wide)), wide


def _axis(scale: _Scale, step: timedelta, height: int) -> list[Rule | Bar | Letters]:
    marks: list[Rule | Bar | Letters] = []
    at = scale.first
    while at <= scale.last:
        x = scale.x(at)
        marks.append(Rule(x, _AXIS - 4, x, height, "grid"))
        anchor = "end" if at == scale.last else "middle"
        text = f"{at:%H:%M}" if step < timedelta(days=1) else f"{at:%d %b}"
        marks.append(Letters(x, _AXIS - 10, text, "hour", anchor))
        at += step
    marks.append(Letters(2, _AXIS - 10, f"{scale.first:%a} {scale.first.date()}", "quiet"))
    return marks


def _states(
    moments: Sequence[StateMoment], scale: _Scale, y: int
) -> tuple[list[Rule | Bar | Letters], int]:
    marks: list[Rule | Bar | Letters] = []
    for place, one in enumerate(moments):
        start = one.when.at.at
        assert start is not None, "only dated moments are drawn"
        ends = moments[place + 1].when.at.at if place + 1 < len(moments) else scale.last
        if ends is None or start > scale.last:
            continue
        x = scale.x(start)
        width = max(scale.x(ends) - x, 3)
        about = "~" if _rough(one) else ""
        clock = f"{about}{say_clock(start)}"
        marks.append(Letters(2, y + 13, one.state.value, "day"))
        title = f"{one.state} since {clock}"
        marks.append(Bar(x, y, width, _BAR, f"bar state-{one.state}", _rough(one), title))
        room = len(clock) * 8 + 12
        if width >= room:
            marks.append(Letters(x + 6, y + 13, clock, "inside"))
        elif x + width + room <= _RIGHT:
            marks.append(Letters(x + width + 5, y + 13, clock, "label"))
        else:
            marks.append(Letters(x - 5, y + 13, clock, "label", "end"))
        y += _ROW
    return marks, y


def _lane(
    name: str, spots: Sequence[_Spot], scale: _Scale, y: int
) -> tuple[list[Rule | Bar | Letters], int, int]:
    """One lane, where it ends, and how many entries find no room on it."""
    marks: list[Rule | Bar | Letters] = [Rule(0, y, DRAWN_WIDTH, y, "lane")]
    top = y + 7
    marks.append(Letters(2, top + 13, name, "day"))
    taken: list[tuple[int, int, int]] = []
    levels, crowded = 1, 0
    for spot in spots:
        x = min(scale.x(spot.start), _RIGHT - _SPOT)
        until = scale.last if spot.goes_on else spot.until
        width = _SPOT if until is None else max(scale.x(until) - x, _SPOT)
        level = 0
        while any(
            level == other and x < end + 3 and begin < x + width + 3 for other, begin, end in taken
        ):
            level += 1
        if level >= MOST_LEVELS:
            crowded += 1
            continue
        taken.append((level, x, x + width))
        levels = max(levels, level + 1)
        at = top + level * _LEVEL
        rough = spot.one.when.at.certainty is Certainty.APPROXIMATE
        kind = "bar entry" if until is None else "bar entry spanning"
        about = "~" if rough else ""
        title = f"Entry {spot.one.number}, {about}{say_clock(spot.start)}"
        marks.append(Bar(x, at, width, _BAR, kind, rough, title))
        marks.append(Letters(x + width // 2, at + 13, str(spot.one.number), "number", "middle"))
    return marks, top + levels * _LEVEL, crowded
