"""What was published beside what should have been: an outage made good, tick by tick.

Recalculated ticks come from the same engine as those of a day that goes well, fed from a capture or
a journal; here they are marked as what they are and laid beside what users saw. On 22 January 2010
nothing public ever did so: "re-calculation of any missing index points" was left for review (HKEx
report of February 2010, paragraph 10). Knows no file, no engine and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from attrs import evolve, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import IndexStatus, IndexTick, TickKind

__all__ = ["Extremes", "Restatement", "SideBySide", "restatement"]


@frozen
class SideBySide:
    """One moment of one index. ``difference`` is what was shown, published before mailed, less
    what should have been; null where nothing was shown."""

    index: str
    at: datetime
    recalculated: Decimal
    published: Decimal | None = None
    contingency: Decimal | None = None

    @property
    def shown(self) -> Decimal | None:
        """What users saw of this moment."""
        return self.contingency if self.published is None else self.published

    @property
    def difference(self) -> Decimal | None:
        """How far that was from what it should have been."""
        return None if self.shown is None else self.shown - self.recalculated


@frozen
class Extremes:
    """The highest and lowest recalculated value of one index, and the first moment of each."""

    index: str
    high: Decimal
    high_at: datetime
    low: Decimal
    low_at: datetime


@frozen
class Restatement:
    """A stretch of a day recalculated: both ends belong to it.

    ``ticks`` are all recalculated ones, marked so; their ``high`` and ``low`` are those of the day
    so far, as on any tick. ``missing`` are the (index, time) that nobody had published.
    """

    start: datetime
    until: datetime
    ticks: tuple[IndexTick, ...]
    rows: tuple[SideBySide, ...]
    extremes: tuple[Extremes, ...]

    @property
    def missing(self) -> tuple[SideBySide, ...]:
        """The moments of which nothing was published, mailed values or not."""
        return tuple(row for row in self.rows if row.published is None)

    @property
    def different(self) -> tuple[SideBySide, ...]:
        """The moments of which something else was shown than should have been."""
        return tuple(row for row in self.rows if row.difference)


def restatement(
    computed: Iterable[IndexTick],
    shown: Iterable[IndexTick],
    *,
    start: datetime,
    until: datetime,
) -> Restatement:
    """``computed`` ticks of the stretch, marked as recalculated, beside what was ``shown``.

    Opening and closing values count for nothing here: they are of other moments of the day.
    Raises `UsageError` when the stretch ends before it starts.
    """
    if until < start:
        raise UsageError(f"the stretch ends at {until.isoformat()}, before {start.isoformat()}")
    ticks = tuple(
        tick if tick.kind is TickKind.RECALCULATED else evolve(tick, kind=TickKind.RECALCULATED)
        for tick in computed
        if start <= tick.at <= until and tick.status is IndexStatus.REAL_TIME
    )
    seen = _seen(shown, start, until)
    rows = tuple(
        SideBySide(
            tick.index,
            tick.at,
            tick.value,
            seen.get((tick.index, tick.at, TickKind.REAL_TIME)),
            seen.get((tick.index, tick.at, TickKind.CONTINGENCY)),
        )
        for tick in ticks
    )
    return Restatement(start, until, ticks, rows, _extremes(ticks))


def _seen(
    shown: Iterable[IndexTick], start: datetime, until: datetime
) -> Mapping[tuple[str, datetime, TickKind], Decimal]:
    """The first value that was shown of each moment, by its kind."""
    seen: dict[tuple[str, datetime, TickKind], Decimal] = {}
    for tick in shown:
        if start <= tick.at <= until:
            seen.setdefault((tick.index, tick.at, tick.kind), tick.value)
    return seen


def _extremes(ticks: Sequence[IndexTick]) -> tuple[Extremes, ...]:
    by_index: dict[str, list[IndexTick]] = {}
    for tick in ticks:
        by_index.setdefault(tick.index, []).append(tick)
    found: list[Extremes] = []
    for index, own in by_index.items():
        high = min(own, key=lambda tick: (-tick.value, tick.at))
        low = min(own, key=lambda tick: (tick.value, tick.at))
        found.append(Extremes(index, high.value, high.at, low.value, low.at))
    return tuple(found)
