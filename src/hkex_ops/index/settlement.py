"""The Estimated Average Settlement (EAS) and the final settlement price of one index on one day.

A machine: ticks go in as they are published, mailed or recalculated, and at any moment the answer
says how every mark stands, what the average is, and what it would be under every other reading of
the rules. What no public rule says is a field of :class:`SettlementRules`, never a constant. Exact
fractions all the way; rounding happens once, at the end. Called by flows; knows no file or clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias, cast

from attrs import evolve, frozen

from hkex_ops.calendars import BusinessDay
from hkex_ops.errors import UsageError
from hkex_ops.index.marks import LunchEdges, SettlementMark, settlement_marks
from hkex_ops.index.settlement_rules import (
    ClosingReading,
    FinalBase,
    FinalRounding,
    MarkKind,
    MissingMark,
    SettlementRules,
    alternatives,
)
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, JsonObject, TickKind

__all__ = [
    "MarkMissed",
    "MarkRead",
    "MarkReading",
    "PolicyAnswer",
    "Settlement",
    "SettlementAnswer",
    "SettlementEvent",
]


_KIND_OF = {
    TickKind.REAL_TIME: MarkKind.PUBLISHED,
    TickKind.CONTINGENCY: MarkKind.CONTINGENCY,
    TickKind.RECALCULATED: MarkKind.RECALCULATED,
}
_STATUS_OF_CLOSE = {
    ClosingReading.CLOSING_INDEX: IndexStatus.CLOSING,
    ClosingReading.PRELIMINARY: IndexStatus.PRELIMINARY_CLOSE,
}


@frozen
class MarkReading:
    """How one mark stands. ``value`` is null while it is missing or, with ``open``, yet to come.

    ``used`` is what goes into the mean under the chosen policy; ``others`` are the values that
    came by other ways and were not taken.
    """

    at: datetime
    value: Decimal | None
    kind: MarkKind
    closing: bool = False
    open: bool = False
    used: Decimal | None = None
    others: tuple[tuple[MarkKind, Decimal], ...] = ()


@frozen
class PolicyAnswer:
    """What one way of settling the open questions would give. ``setting`` says which it is."""

    setting: str
    value: str
    eas: Decimal | None
    final_settlement_price: Decimal | None


@frozen
class SettlementAnswer:
    """The settlement of ``index`` on ``day`` as far as it is known.

    ``eas`` has two decimals, half up, and is null while a mark decides otherwise; while marks are
    ``open`` it is the running estimate over those that have come. ``policies`` are the answers
    under every single other setting.
    """

    index: str
    day: BusinessDay
    marks: tuple[MarkReading, ...]
    eas: Decimal | None
    final_settlement_price: Decimal | None
    open: int
    missing: int
    rules: SettlementRules
    policies: tuple[PolicyAnswer, ...] = ()


@frozen
class MarkRead:
    """A mark has a value, or a better one than before."""

    index: str
    at: datetime
    value: Decimal
    kind: MarkKind


@frozen
class MarkMissed:
    """A mark has passed, and its value has not come."""

    index: str
    at: datetime


SettlementEvent: TypeAlias = MarkRead | MarkMissed


class Settlement:
    """Reads ``index`` on ``day``. Ticks of other indexes are passed over.

    Raises `UsageError` for a day without continuous trading, and for a tick of another day.
    """

    def __init__(self, index: str, day: BusinessDay, rules: SettlementRules | None = None) -> None:
        self.index = index
        self.day = day
        self.rules: SettlementRules = rules or SettlementRules()
        self._marks = settlement_marks(day, self.rules.lunch_edges)
        # Every instant at which any setting reads; a change of setting needs no second pass.
        self._instants = sorted({one.instant for one in _every_mark(day)})
        self._exact: dict[datetime, dict[MarkKind, Decimal]] = {}
        self._closing: dict[tuple[IndexStatus, MarkKind], Decimal] = {}
        # The latest tick of each stretch between two instants, for whoever takes a stale one.
        self._latest: dict[int, tuple[datetime, Decimal, MarkKind]] = {}
        self._missed: set[datetime] = set()

    def handle(self, tick: IndexTick, now: datetime) -> tuple[SettlementEvent, ...]:
        """Take one tick, in any order; what it changes of the marks."""
        if tick.index != self.index:
            return ()
        if tick.at.date() != self.day.date:
            raise UsageError(f"a tick of {tick.at:%Y-%m-%d} is none of {self.day.date}")
        before = self._reading_at(tick)
        self._note(tick)
        after = self._reading_at(tick)
        if after is None or after == before:
            return ()
        at, value, kind = after
        return (MarkRead(self.index, at, value, kind),)

    def poll(self, now: datetime) -> tuple[SettlementEvent, ...]:
        """Which marks have passed without a value since the last time."""
        missed = tuple(
            MarkMissed(self.index, mark.instant)
            for mark in self._marks
            if mark.instant + self.rules.patience < now
            and mark.instant not in self._missed
            and not self._values(mark, self.rules)
        )
        self._missed.update(one.at for one in missed)
        return missed

    def answer(self, now: datetime | None = None) -> SettlementAnswer:
        """How it stands at ``now``, or, without one, after the day."""
        answer = self._under(self.rules, now)
        return evolve(answer, policies=tuple(self._policies(now)))

    def snapshot(self) -> JsonObject:
        """Everything that was taken so far, as plain data."""
        return {
            "index": self.index,
            "date": self.day.date.isoformat(),
            "exact": [
                [at.isoformat(), kind.value, str(value)]
                for at, found in self._exact.items()
                for kind, value in found.items()
            ],
            "closing": [
                [status.value, kind.value, str(value)]
                for (status, kind), value in self._closing.items()
            ],
            "latest": [
                [place, at.isoformat(), kind.value, str(value)]
                for place, (at, value, kind) in self._latest.items()
            ],
            "missed": sorted(at.isoformat() for at in self._missed),
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood; `UsageError` when it is of another index or day."""
        own = (self.index, self.day.date.isoformat())
        if own != (snapshot["index"], snapshot["date"]):
            raise UsageError(
                f"a snapshot of {snapshot['index']} on {snapshot['date']} is another's"
            )
        self._exact, self._closing, self._latest = {}, {}, {}
        for at, kind, value in cast("list[list[str]]", snapshot["exact"]):
            self._exact.setdefault(_instant(at), {})[MarkKind(kind)] = Decimal(value)
        for status, kind, value in cast("list[list[str]]", snapshot["closing"]):
            self._closing[IndexStatus(status), MarkKind(kind)] = Decimal(value)
        for place, at, kind, value in cast("list[tuple[int, str, str, str]]", snapshot["latest"]):
            self._latest[place] = (_instant(at), Decimal(value), MarkKind(kind))
        self._missed = {_instant(at) for at in cast("list[str]", snapshot["missed"])}

    # -- ticks -------------------------------------------------------------------------------

    def _note(self, tick: IndexTick) -> None:
        kind = _KIND_OF[tick.kind]
        if tick.status in _STATUS_OF_CLOSE.values():
            self._closing[tick.status, kind] = tick.value
            return
        place = bisect_left(self._instants, tick.at)
        if place < len(self._instants) and self._instants[place] == tick.at:
            self._exact.setdefault(tick.at, {})[kind] = tick.value
        latest = self._latest.get(place)
        if latest is None or latest[0] <= tick.at:
            self._latest[place] = (tick.at, tick.value, kind)

    def _reading_at(self, tick: IndexTick) -> tuple[datetime, Decimal, MarkKind] | None:
        """What the mark that ``tick`` may stand for reads now."""
        for mark in self._marks:
            if mark.closing or mark.instant == tick.at:
                values = self._values(mark, self.rules)
                if values and (not mark.closing or tick.status in _STATUS_OF_CLOSE.values()):
                    kind, value = values[0]
                    return mark.instant, value, kind
        return None

    def _values(
        self, mark: SettlementMark, rules: SettlementRules
    ) -> list[tuple[MarkKind, Decimal]]:
        """The values of a mark, the preferred first."""
        if not mark.closing:
            found = self._exact.get(mark.instant, {})
            return [(kind, found[kind]) for kind in rules.prefer if kind in found]
        status = _STATUS_OF_CLOSE.get(rules.closing)
        if status is None:
            latest = self._latest_by(mark.instant)
            return [] if latest is None else [latest]
        held = self._closing
        return [(kind, held[status, kind]) for kind in rules.prefer if (status, kind) in held]

    def _latest_by(self, instant: datetime) -> tuple[MarkKind, Decimal] | None:
        """The latest value at or before ``instant``, however stale."""
        for place in range(bisect_left(self._instants, instant), -1, -1):
            if place in self._latest:
                _, value, kind = self._latest[place]
                return kind, value
        return None

    # -- answers -----------------------------------------------------------------------------

    def _under(self, rules: SettlementRules, now: datetime | None) -> SettlementAnswer:
        marks = settlement_marks(self.day, rules.lunch_edges)
        readings = tuple(self._reading(mark, rules, now) for mark in marks)
        missing = sum(one.kind is MarkKind.MISSING and not one.open for one in readings)
        mean = _mean(readings, rules)
        return SettlementAnswer(
            index=self.index,
            day=self.day,
            marks=readings,
            eas=None if mean is None else _half_up(mean, 2),
            final_settlement_price=None if mean is None else _final(mean, rules),
            open=sum(one.open for one in readings),
            missing=missing,
            rules=rules,
        )

    def _reading(
        self, mark: SettlementMark, rules: SettlementRules, now: datetime | None
    ) -> MarkReading:
        values = self._values(mark, rules)
        if values:
            [(kind, value), *others] = values
            return MarkReading(
                mark.instant, value, kind, mark.closing, used=value, others=tuple(others)
            )
        if now is not None and now <= mark.instant + rules.patience:
            return MarkReading(mark.instant, None, MarkKind.MISSING, mark.closing, open=True)
        stale = self._latest_by(mark.instant) if rules.missing is MissingMark.LATEST else None
        used = None if stale is None else stale[1]
        return MarkReading(mark.instant, None, MarkKind.MISSING, mark.closing, used=used)

    def _policies(self, now: datetime | None) -> Iterator[PolicyAnswer]:
        """The answer under each setting that was not chosen, one changed at a time."""
        for setting, word, rules in alternatives(self.rules):
            if rules == self.rules:
                continue
            other = self._under(rules, now)
            yield PolicyAnswer(setting, word, other.eas, other.final_settlement_price)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(HONG_KONG)


def _every_mark(day: BusinessDay) -> Iterator[SettlementMark]:
    for edges in LunchEdges:
        yield from settlement_marks(day, edges)


def _mean(readings: Sequence[MarkReading], rules: SettlementRules) -> Fraction | None:
    """The mean of what is used; nothing where a missing mark forbids one, or none has come."""
    closed = [one for one in readings if not one.open]
    if rules.missing is not MissingMark.OMIT and any(one.used is None for one in closed):
        return None
    used = [Fraction(one.used) for one in closed if one.used is not None]
    return sum(used, Fraction()) / len(used) if used else None


def _final(mean: Fraction, rules: SettlementRules) -> Decimal:
    if rules.final_base is FinalBase.PUBLISHED_EAS:
        mean = Fraction(_half_up(mean, 2))
    match rules.final_rounding:
        case FinalRounding.FLOOR:
            return Decimal(mean.numerator // mean.denominator)
        case FinalRounding.HALF_UP:
            return _half_up(mean, 0)
        case FinalRounding.NONE:
            return _half_up(mean, 2)


def _half_up(value: Fraction, decimals: int) -> Decimal:
    """``value`` to that many decimals, halves upwards, exactly."""
    scaled = value * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-decimals) if decimals else Decimal(whole)
