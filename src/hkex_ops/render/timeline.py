"""The timeline of a pack: one lane for each day on which something was held or done.

All lanes share one scale of hours, so a session's bar is as long as the session. Below the bars
stand the steps, each with the number that it bears in the table of steps, at the minute it ended.
Whole numbers only: the same pack draws the same picture.

Knows where things stand and nothing of pages; :mod:`hkex_ops.render.summary` puts it on one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby

from attrs import frozen

from hkex_ops.model import HONG_KONG, Certainty, Session
from hkex_ops.render.html import Html, element
from hkex_ops.render.marks import MARK_SIZE, mark
from hkex_ops.render.pack import PackStep
from hkex_ops.render.words import say_clock, say_day, say_instant

__all__ = ["MOST_DAYS", "NumberedStep", "days_of", "timeline"]

MOST_DAYS = 31
"""Days that are drawn; a pack of more says so, and the tables hold them all."""

WIDTH = 1000
PLOT_LEFT, PLOT_RIGHT = 128, 992
SESSION_HEIGHT, BAR_HEIGHT = 24, 18
MARK_STEP, GROUP_HEIGHT, CLOCK_WIDTH = 38, 25, 48
MARKS_IN_ROW = 8
LANE_PADDING = 12
AXIS_HEIGHT = 26
# A letter of the drawing's text, at most: labels are kept apart by it.
LETTER = 7
_SHORTEST_SCALE = timedelta(hours=4)


@frozen
class NumberedStep:
    """A step with the number it bears in the table."""

    number: int
    step: PackStep
    at: datetime


@frozen
class _Scale:
    """The hours of a day that are drawn, as minutes from its midnight.

    ``right`` leaves room for the marks of what ends last.
    """

    first: int
    last: int
    right: int

    def x(self, minute: int) -> int:
        minute = min(max(minute, self.first), self.last)
        width = self.right - PLOT_LEFT
        return PLOT_LEFT + (minute - self.first) * width // (self.last - self.first)


@frozen
class _Bar:
    """A session's part that lies in one day, in minutes."""

    session: Session
    start: int
    end: int


@frozen
class _Spot:
    """Something as wide as ``width`` that stands at ``x``, on the level it got."""

    x: int
    width: int
    level: int = 0


def timeline(sessions: Sequence[Session], steps: Sequence[NumberedStep]) -> Html | None:
    """The drawing; nothing where no session has a time and no step was done."""
    bars = _bars(sessions)
    done = {
        day: tuple(group) for day, group in groupby(steps, key=lambda one: _local(one.at).date())
    }
    days = days_of(sessions, steps)[:MOST_DAYS]
    if not days:
        return None
    scale = _scale(bars, done)
    parts: list[Html] = []
    y = AXIS_HEIGHT
    for day in days:
        lane, height = _lane(day, bars.get(day, ()), done.get(day, ()), scale, y)
        parts.append(lane)
        y += height
    return element(
        "svg",
        element("title", "Timeline of sessions and steps", id="timeline-title"),
        element("desc", _told(sessions, steps), id="timeline-desc"),
        _hours(scale, y),
        *parts,
        viewBox=f"0 0 {WIDTH} {y + 4}",
        role="img",
        aria_labelledby="timeline-title timeline-desc",
        class_="timeline",
    )


def days_of(sessions: Sequence[Session], steps: Sequence[NumberedStep]) -> list[date]:
    """The days on which something was held or done, first to last."""
    return sorted(_bars(sessions).keys() | {_local(one.at).date() for one in steps})


def _told(sessions: Sequence[Session], steps: Sequence[NumberedStep]) -> str:
    """The drawing in words; the tables below it say the same in full."""
    held = [
        f"{one.name} begins at {say_instant(one.window.start.at)}"
        for one in sessions
        if one.window.start.at is not None
    ]
    ended = [f"{len(steps)} steps ended between {say_instant(steps[0].at)}"] if steps else []
    if steps:
        ended[0] += f" and {say_instant(steps[-1].at)}"
    return "; ".join([*held, *ended]) + ". The tables below hold every session and step."


# -- where in time ---------------------------------------------------------------------------------


def _local(at: datetime) -> datetime:
    return at.astimezone(HONG_KONG)


def _minute(at: datetime) -> int:
    local = _local(at)
    return local.hour * 60 + local.minute


def _bars(sessions: Iterable[Session]) -> dict[date, list[_Bar]]:
    """Every session that has both its ends, cut at the midnights it crosses."""
    bars: dict[date, list[_Bar]] = {}
    for session in sessions:
        start, until = session.window.start.at, session.window.until.at
        if start is None or until is None:
            continue
        start, until = _local(start), _local(until)
        day = start.date()
        while datetime.combine(day, time(), HONG_KONG) < until:
            opens = _minute(start) if day == start.date() else 0
            closes = _minute(until) if day == until.date() else 24 * 60
            bars.setdefault(day, []).append(_Bar(session, opens, closes))
            day += timedelta(days=1)
    return bars


def _scale(bars: dict[date, list[_Bar]], done: dict[date, tuple[NumberedStep, ...]]) -> _Scale:
    """From the full hour before the earliest to the full hour after the latest of any day."""
    minutes = [minute for day in bars.values() for bar in day for minute in (bar.start, bar.end)]
    minutes += [_minute(one.at) for day in done.values() for one in day]
    first, last = min(minutes) // 60 * 60, -(-(max(minutes) + 1) // 60) * 60
    missing = _SHORTEST_SCALE // timedelta(minutes=1) - (last - first)
    if missing > 0:
        first = max(0, first - missing // 120 * 60)
        last = max(last, first + _SHORTEST_SCALE // timedelta(minutes=1))
    widest = max((len(group) for day in done.values() for group in _minutes(day)), default=0)
    return _Scale(first, min(last, 24 * 60), PLOT_RIGHT - _group_width(widest))


# -- what is drawn ---------------------------------------------------------------------------------


def _text(x: int, y: int, text: str, kind: str, anchor: str | None = None) -> Html:
    return element("text", text, x=x, y=y, class_=kind, text_anchor=anchor)


def _line(x1: int, y1: int, x2: int, y2: int, kind: str) -> Html:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _hours(scale: _Scale, bottom: int) -> Html:
    """The scale above all lanes, and its lines through them."""
    hours = range(scale.first // 60, scale.last // 60 + 1)
    every = 1 if len(hours) <= 13 else 2
    parts: list[Html] = []
    for hour in hours[::every]:
        x = scale.x(hour * 60)
        parts.append(_line(x, AXIS_HEIGHT - 6, x, bottom, "grid"))
        parts.append(_text(x, AXIS_HEIGHT - 11, f"{hour:02}:00", "hour", "middle"))
    return element("g", *parts)


def _lane(
    day: date,
    bars: Sequence[_Bar],
    steps: Sequence[NumberedStep],
    scale: _Scale,
    y: int,
) -> tuple[Html, int]:
    """One day's lane and how high it is."""
    drawn_bars, bars_height = _draw_bars(bars, scale, y + LANE_PADDING)
    axis = y + LANE_PADDING + bars_height + 4
    drawn_steps, steps_height = _draw_steps(steps, scale, axis)
    height = LANE_PADDING + bars_height + 4 + steps_height + LANE_PADDING
    height = max(height, 44)
    weekday, _, rest = say_day(day).partition(" ")
    return (
        element(
            "g",
            _line(0, y, WIDTH, y, "lane"),
            _text(2, y + 24, weekday, "day"),
            _text(2, y + 40, rest, "quiet"),
            _line(PLOT_LEFT, axis, scale.right, axis, "axis"),
            *drawn_bars,
            *drawn_steps,
        ),
        height,
    )


def _draw_bars(bars: Sequence[_Bar], scale: _Scale, top: int) -> tuple[list[Html], int]:
    spots: list[_Spot] = []
    drawn: list[Html] = []
    for bar in sorted(bars, key=lambda one: (one.start, -one.end)):
        x, width = scale.x(bar.start), max(scale.x(bar.end) - scale.x(bar.start), 3)
        label = bar.session.name
        inside = len(label) * LETTER + 12 <= width
        taken = width if inside else width + len(label) * LETTER + 8
        left = x if inside or x + taken <= PLOT_RIGHT else x + width - taken
        spot = _placed(_Spot(left, taken), spots)
        spots.append(spot)
        y = top + spot.level * SESSION_HEIGHT
        bounds = (bar.session.window.start, bar.session.window.until)
        rough = any(bound.certainty is Certainty.APPROXIMATE for bound in bounds)
        kind = "bar rough" if rough else "bar"
        drawn.append(element("rect", x=x, y=y, width=width, height=BAR_HEIGHT, rx=3, class_=kind))
        if inside:
            drawn.append(_text(x + 7, y + 13, label, "inside"))
        elif left == x:
            drawn.append(_text(x + width + 6, y + 13, label, "label"))
        else:
            drawn.append(_text(x - 6, y + 13, label, "label", "end"))
    levels = 1 + max((spot.level for spot in spots), default=-1)
    return drawn, levels * SESSION_HEIGHT


def _draw_steps(steps: Sequence[NumberedStep], scale: _Scale, axis: int) -> tuple[list[Html], int]:
    """Groups of one minute, each on a line down from its minute. A group stands below every later
    one that begins beside it, so no line runs through another group."""
    groups = _minutes(steps)
    rows = max((-(-len(group) // MARKS_IN_ROW) for group in groups), default=1)
    spots: list[_Spot] = []
    drawn: list[Html] = []
    for group in reversed(groups):
        x, width = scale.x(_minute(group[0].at)), _group_width(len(group))
        level = 1 + max((one.level for one in spots if one.x < x + width), default=-1)
        spots.append(_Spot(x, width, level))
        y = axis + 8 + level * rows * GROUP_HEIGHT
        drawn.append(_line(x, axis, x, y + MARK_SIZE, "leader"))
        drawn += _group(group, x, y)
    levels = 1 + max((spot.level for spot in spots), default=-1)
    return drawn, 8 + levels * rows * GROUP_HEIGHT


def _minutes(steps: Sequence[NumberedStep]) -> list[tuple[NumberedStep, ...]]:
    """The steps that ended in one minute together."""
    return [tuple(group) for _, group in groupby(steps, key=lambda one: _minute(one.at))]


def _group_width(count: int) -> int:
    return CLOCK_WIDTH + MARK_STEP * min(count, MARKS_IN_ROW) + 6


def _group(group: Sequence[NumberedStep], left: int, top: int) -> list[Html]:
    drawn = [_text(left + 5, top + 13, say_clock(group[0].at), "clock")]
    for place, one in enumerate(group):
        x = left + CLOCK_WIDTH + MARK_STEP * (place % MARKS_IN_ROW)
        y = top + GROUP_HEIGHT * (place // MARKS_IN_ROW)
        label = f"{one.number}. {one.step.id}: {one.step.outcome}"
        drawn.append(mark(one.step.outcome, x, y, label))
        drawn.append(_text(x + MARK_SIZE + 3, y + 13, str(one.number), "number"))
    return drawn


def _placed(spot: _Spot, others: Sequence[_Spot]) -> _Spot:
    """``spot`` on the lowest level where it covers none of ``others``."""
    level = 0
    while any(
        one.level == level and spot.x < one.x + one.width and one.x < spot.x + spot.width
        for one in others
    ):
        level += 1
    return _Spot(spot.x, spot.width, level)
