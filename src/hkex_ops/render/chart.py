"""An index over time, drawn: what was published, mailed and recalculated, and what happened when.

Each kind of value has a line and a point of its own shape, so that colour never decides alone. A
line breaks where nothing was published, outages are shaded, events are numbered on the time they
happened at. Whole numbers only: the same values draw the same picture. Knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from attrs import frozen

from hkex_ops.model import HONG_KONG, IndexTick, TickKind
from hkex_ops.render.html import Html, element
from hkex_ops.render.words import say_clock

__all__ = ["CHART_STYLE", "ChartEvent", "Level", "Shade", "chart", "kind_sign"]

WIDTH, HEIGHT = 1000, 430
# To the right there is room for half of a time that stands below the last moment.
LEFT, RIGHT, TOP, BOTTOM = 84, 976, 34, 388
_KINDS = (TickKind.REAL_TIME, TickKind.RECALCULATED, TickKind.CONTINGENCY)
_STEPS = (1, 2, 5)
_LINES_AT_MOST = 8
_TIME_STEPS_MIN = (1, 2, 5, 10, 15, 30, 60, 120)

# A line is broken where the next value comes later than this many of the usual distances.
_BREAK_AFTER = 3

CHART_STYLE = """\
svg.chart{display:block;width:100%;min-width:640px;height:auto;font-size:12px}
svg.chart text{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3px}
svg.chart .flag+text{stroke:none}
svg.chart .quiet{fill:var(--quiet)}
svg.chart .grid{stroke:var(--line)}
svg.chart .level{stroke:var(--failed);stroke-dasharray:8 4}
svg.chart .shade{fill:var(--bar);opacity:.55}
svg.chart .event{stroke:var(--quiet);stroke-dasharray:2 3}
svg.chart .flag{fill:var(--paper);stroke:var(--quiet)}
svg .real-time{fill:none;stroke:var(--accent);stroke-width:1.8}
svg .recalculated{fill:none;stroke:var(--failed);stroke-width:1.6;stroke-dasharray:5 3}
svg .contingency{fill:var(--paper);stroke:var(--unknown);stroke-width:2.2}
svg .point{fill:var(--paper);stroke-width:2;stroke-dasharray:none}
.sign{width:34px;height:14px;vertical-align:middle;margin-right:.4rem}
"""


@frozen
class Shade:
    """A stretch of time to be shaded, such as an outage."""

    start: datetime
    until: datetime
    label: str


@frozen
class Level:
    """A value to be drawn across, such as a call level."""

    value: Decimal
    label: str


@frozen
class ChartEvent:
    """Something that happened, drawn by its ``number`` and told in the page's list."""

    number: int
    at: datetime
    text: str


@frozen
class _Scale:
    """Where a moment and a value stand."""

    first: datetime
    last: datetime
    low: Fraction
    high: Fraction

    def x(self, at: datetime) -> int:
        at = min(max(at, self.first), self.last)
        span = max((self.last - self.first) // timedelta(milliseconds=1), 1)
        return LEFT + (at - self.first) // timedelta(milliseconds=1) * (RIGHT - LEFT) // span

    def y(self, value: Decimal) -> int:
        part = (Fraction(value) - self.low) / (self.high - self.low)
        return BOTTOM - int(part * (BOTTOM - TOP))


def chart(
    title: str,
    ticks: Sequence[IndexTick],
    *,
    shades: Sequence[Shade] = (),
    levels: Sequence[Level] = (),
    events: Sequence[ChartEvent] = (),
) -> Html | None:
    """The drawing of one index; nothing where there is no value."""
    if not ticks:
        return None
    ordered = sorted(ticks, key=lambda tick: tick.at)
    scale = _scale(ordered, levels)
    parts = [
        *_shades(scale, shades),
        *_values(scale),
        *_times(scale),
        *_levels(scale, levels),
        *_events(scale, events),
    ]
    for kind in _KINDS:
        parts += _series(scale, kind, [tick for tick in ordered if tick.kind is kind])
    return element(
        "svg",
        element("title", title, id="chart-title"),
        element("desc", _told(ordered, shades), id="chart-desc"),
        *parts,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby="chart-title chart-desc",
        class_="chart",
    )


def kind_sign(kind: TickKind) -> Html:
    """How values of ``kind`` look, for a legend."""
    drawn = [_line(0, 7, 34, 7, kind.value)]
    if kind is TickKind.CONTINGENCY:
        drawn = [_square(17, 7)]
    elif kind is TickKind.RECALCULATED:
        drawn.append(_diamond(17, 7))
    return element("svg", *drawn, viewBox="0 0 34 14", class_="sign", aria_hidden="true")


def _told(ticks: Sequence[IndexTick], shades: Sequence[Shade]) -> str:
    """The drawing in words; the tables of the page hold the figures."""
    lowest = min(ticks, key=lambda tick: tick.value)
    highest = max(ticks, key=lambda tick: tick.value)
    told = [
        f"{len(ticks)} values from {_clock(ticks[0].at)} to {_clock(ticks[-1].at)}",
        f"lowest {lowest.value} at {_clock(lowest.at)}",
        f"highest {highest.value} at {_clock(highest.at)}",
        *(f"{one.label} from {_clock(one.start)} to {_clock(one.until)}" for one in shades),
    ]
    return "; ".join(told) + "."


# -- scales --------------------------------------------------------------------------------------


def _scale(ticks: Sequence[IndexTick], levels: Sequence[Level]) -> _Scale:
    """From the lowest to the highest value, with a little air; levels near enough are seen too."""
    values = [Fraction(tick.value) for tick in ticks]
    low, high = min(values), max(values)
    span = max(high - low, Fraction(1))
    for level in levels:
        if low - span <= level.value <= high + span:
            low, high = min(low, Fraction(level.value)), max(high, Fraction(level.value))
    air = max(high - low, Fraction(1)) / 12
    last = max(ticks[-1].at, ticks[0].at + timedelta(minutes=1))
    return _Scale(ticks[0].at, last, low - air, high + air)


def _value_step(span: Fraction) -> Fraction:
    """A round distance of which at most eight fit into ``span``."""
    step = Fraction(1, 100)
    while True:
        for factor in _STEPS:
            if span / (step * factor) <= _LINES_AT_MOST:
                return step * factor
        step *= 10


def _values(scale: _Scale) -> Iterator[Html]:
    step = _value_step(scale.high - scale.low)
    line = -(-scale.low // step) * step
    while line <= scale.high:
        value = Decimal(line.numerator) / Decimal(line.denominator)
        y = scale.y(value)
        yield _line(LEFT, y, RIGHT, y, "grid")
        yield _text(LEFT - 8, y + 4, f"{value:f}", "quiet", "end")
        line += step


def _times(scale: _Scale) -> Iterator[Html]:
    minutes = (scale.last - scale.first) // timedelta(minutes=1)
    every = next((one for one in _TIME_STEPS_MIN if minutes // one <= 10), _TIME_STEPS_MIN[-1])
    first = scale.first.astimezone(HONG_KONG)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    past = -(-(first - midnight) // timedelta(minutes=every))
    at = midnight + past * timedelta(minutes=every)
    while at <= scale.last:
        x = scale.x(at)
        yield _line(x, BOTTOM, x, BOTTOM + 5, "grid")
        yield _text(x, BOTTOM + 20, f"{at:%H:%M}", "quiet", "middle")
        at += timedelta(minutes=every)


# -- what is drawn -------------------------------------------------------------------------------


def _shades(scale: _Scale, shades: Sequence[Shade]) -> Iterator[Html]:
    for one in shades:
        x, until = scale.x(one.start), scale.x(one.until)
        yield element(
            "rect",
            element("title", one.label),
            x=x,
            y=TOP,
            width=max(until - x, 2),
            height=BOTTOM - TOP,
            class_="shade",
        )
        if x > (LEFT + RIGHT) // 2:
            yield _text(until - 5, BOTTOM - 8, one.label, "quiet", "end")
        else:
            yield _text(x + 5, BOTTOM - 8, one.label, "quiet")


def _levels(scale: _Scale, levels: Sequence[Level]) -> Iterator[Html]:
    for one in levels:
        if scale.low <= one.value <= scale.high:
            y = scale.y(one.value)
            yield _line(LEFT, y, RIGHT, y, "level")
            yield _text(RIGHT - 4, y - 5, f"{one.label} {one.value}", "quiet", "end")


def _events(scale: _Scale, events: Sequence[ChartEvent]) -> Iterator[Html]:
    """A number above the plot and a line down; what falls close together is set in two rows."""
    taken = [-99, -99]
    for one in sorted(events, key=lambda event: event.at):
        if not scale.first <= one.at <= scale.last:
            continue
        x = scale.x(one.at)
        row = 0 if x - taken[0] >= 20 else 1
        taken[row] = x
        y = TOP - 9 - 16 * row
        yield _line(x, y, x, BOTTOM, "event")
        flag = element("circle", cx=x, cy=y, r=8, class_="flag")
        number = _text(x, y + 4, str(one.number), "quiet", "middle")
        yield element("g", element("title", f"{_clock(one.at)} {one.text}"), flag, number)


def _series(scale: _Scale, kind: TickKind, ticks: Sequence[IndexTick]) -> Iterator[Html]:
    if kind is TickKind.CONTINGENCY:
        for tick in ticks:
            yield _square(scale.x(tick.at), scale.y(tick.value), _label(tick))
        return
    for stretch in _stretches(ticks):
        points = " ".join(f"{x},{y}" for x, y in _points(scale, stretch))
        yield element("polyline", points=points, class_=kind.value)
    if kind is TickKind.RECALCULATED and ticks:
        for tick in _extremes(ticks):
            yield _diamond(scale.x(tick.at), scale.y(tick.value), _label(tick))


def _stretches(ticks: Sequence[IndexTick]) -> Iterator[Sequence[IndexTick]]:
    """``ticks`` cut where one is missing: where the distance is far beyond the usual one."""
    if not ticks:
        return
    gaps = sorted(after.at - tick.at for tick, after in pairwise(ticks))
    usual = gaps[len(gaps) // 2] if gaps else timedelta()
    start = 0
    for place in range(1, len(ticks)):
        if ticks[place].at - ticks[place - 1].at > usual * _BREAK_AFTER:
            yield ticks[start:place]
            start = place
    yield ticks[start:]


def _points(scale: _Scale, ticks: Sequence[IndexTick]) -> Iterator[tuple[int, int]]:
    """One column of the picture shows its first, extremes and last: no spike is lost."""
    columns: dict[int, list[int]] = {}
    for tick in ticks:
        columns.setdefault(scale.x(tick.at), []).append(scale.y(tick.value))
    for x, ys in columns.items():
        kept = dict.fromkeys((ys[0], min(ys), max(ys), ys[-1]))
        yield from ((x, y) for y in kept)
    if len(columns) == 1:
        [(x, ys)] = columns.items()
        yield (x + 2, ys[-1])


def _extremes(ticks: Sequence[IndexTick]) -> Sequence[IndexTick]:
    lowest = min(ticks, key=lambda tick: tick.value)
    highest = max(ticks, key=lambda tick: tick.value)
    return (lowest, highest)


_NAMES: Mapping[TickKind, str] = {
    TickKind.REAL_TIME: "published",
    TickKind.CONTINGENCY: "contingency",
    TickKind.RECALCULATED: "recalculated",
}


def _label(tick: IndexTick) -> str:
    return f"{_clock(tick.at)} {tick.value} {_NAMES[tick.kind]}"


def _clock(at: datetime) -> str:
    return say_clock(at)


def _text(x: int, y: int, text: str, kind: str, anchor: str | None = None) -> Html:
    return element("text", text, x=x, y=y, class_=kind, text_anchor=anchor)


def _line(x1: int, y1: int, x2: int, y2: int, kind: str) -> Html:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _square(x: int, y: int, label: str = "") -> Html:
    drawn = element("rect", x=x - 5, y=y - 5, width=10, height=10, class_="contingency")
    return element("g", element("title", label), drawn) if label else drawn


def _diamond(x: int, y: int, label: str = "") -> Html:
    drawn = element("path", d=f"M{x} {y - 6}l6 6l-6 6l-6 -6z", class_="recalculated point")
    return element("g", element("title", label), drawn) if label else drawn
