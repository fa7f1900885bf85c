"""Mandatory call events (MCE) of callable bull and bear contracts on an index.

A machine: every index record is judged by its value, its day high and its day low. On 22 January
2010 the alarm came from the day low while the index on the screen stood above the level; a machine
that looks at the value alone would have missed it. When only the high or low has crossed, the
product must stop trading at once and the moment is still unknown, whatever the index does next;
ticks recalculated later find it, and a call only ever moves earlier. Called by flows; knows no
file, no clock and no trade.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, cast

from attrs import evolve, frozen

from hkex_ops.calendars import BusinessDay
from hkex_ops.errors import UsageError
from hkex_ops.index.blocks import session_at
from hkex_ops.index.products import CallableProduct, Direction
from hkex_ops.model import HONG_KONG, IndexTick, JsonObject, TickKind

__all__ = [
    "Call",
    "CallEvent",
    "CallTimeDoubted",
    "CallTimeFound",
    "Calls",
    "CrossedBy",
    "MandatoryCallSeen",
    "ProductSuspended",
]


class CrossedBy(StrEnum):
    """Which figure of an index record crossed the call level."""

    VALUE = "value"
    HIGH = "high"
    LOW = "low"


@frozen
class Call:
    """A mandatory call, as the earliest record that crossed tells of it.

    ``index_value`` is what crossed, and ``by`` says which figure of the record it was. ``time`` is
    the record's own where that was its value; a high or low was reached before, nobody knows when.

    ``suspended_at`` is the moment of the first record that anybody could see crossing, by whatever
    figure; where only a recalculated one crosses, it is when that was worked out (``foreseen`` is
    then false).
    """

    product: CallableProduct
    time: datetime | None
    index_value: Decimal
    by: CrossedBy
    record_at: datetime
    suspended_at: datetime
    session: str
    kind: TickKind
    foreseen: bool = True


@frozen
class ProductSuspended:
    """Trading in the product stops at once, whether or not the moment of the call is known."""

    product: CallableProduct
    at: datetime
    by: CrossedBy
    index_value: Decimal


@frozen
class MandatoryCallSeen:
    """The product is called."""

    call: Call


@frozen
class CallTimeFound:
    """The moment of a call is known now, or is an earlier one than was thought."""

    call: Call
    before: datetime | None


@frozen
class CallTimeDoubted:
    """An earlier high or low had crossed already: the moment that was known is not the first."""

    call: Call
    before: datetime | None


CallEvent: TypeAlias = ProductSuspended | MandatoryCallSeen | CallTimeFound | CallTimeDoubted


class Calls:
    """Watches ``products`` on one day. Ticks may come in any order and more than once.

    Raises `UsageError` for two products of one name, and for a tick of another day.
    """

    def __init__(self, products: Iterable[CallableProduct], day: BusinessDay) -> None:
        self.day = day
        self._watched: dict[str, list[CallableProduct]] = {}
        self._calls: dict[str, Call] = {}
        names: set[str] = set()
        for one in products:
            if one.product in names:
                raise UsageError(f"there are two products called {one.product}")
            names.add(one.product)
            if one.observed_on(day.date):
                self._watched.setdefault(one.index, []).append(one)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls so far, by the time of suspension, then by product."""
        return tuple(
            sorted(self._calls.values(), key=lambda call: (call.suspended_at, call.product.product))
        )

    @property
    def indexes(self) -> frozenset[str]:
        """The indexes that some product of the day hangs on."""
        return frozenset(self._watched)

    def handle(self, tick: IndexTick, now: datetime) -> tuple[CallEvent, ...]:
        """Judge one record; what follows for the products of its index."""
        if tick.at.date() != self.day.date:
            raise UsageError(f"a tick of {tick.at:%Y-%m-%d} is none of {self.day.date}")
        events: list[CallEvent] = []
        for product in self._watched.get(tick.index, ()):
            crossed = _crossing(product, tick)
            if crossed is not None:
                events += self._judge(product, tick, *crossed, now)
        return tuple(events)

    def poll(self, now: datetime) -> tuple[CallEvent, ...]:
        """Nothing: time alone calls nobody."""
        return ()

    def snapshot(self) -> JsonObject:
        """The calls so far, as plain data."""
        return {
            "date": self.day.date.isoformat(),
            "calls": [
                {
                    "product": call.product.product,
                    "time": None if call.time is None else call.time.isoformat(),
                    "index_value": str(call.index_value),
                    "by": call.by.value,
                    "record_at": call.record_at.isoformat(),
                    "suspended_at": call.suspended_at.isoformat(),
                    "session": call.session,
                    "kind": call.kind.value,
                    "foreseen": call.foreseen,
                }
                for call in self._calls.values()
            ],
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood.

        `UsageError` when it is of another day, or of a product that is not watched.
        """
        if snapshot["date"] != self.day.date.isoformat():
            raise UsageError(f"a snapshot of {snapshot['date']} is none of {self.day.date}")
        watched = {one.product: one for own in self._watched.values() for one in own}
        calls: dict[str, Call] = {}
        for row in cast("list[dict[str, str]]", snapshot["calls"]):
            name = row["product"]
            if name not in watched:
                raise UsageError(f"the snapshot has product {name}, which is not watched here")
            calls[name] = Call(
                product=watched[name],
                time=_instant(row["time"]) if row["time"] else None,
                index_value=Decimal(row["index_value"]),
                by=CrossedBy(row["by"]),
                record_at=_instant(row["record_at"]),
                suspended_at=_instant(row["suspended_at"]),
                session=row["session"],
                kind=TickKind(row["kind"]),
                foreseen=bool(row["foreseen"]),
            )
        self._calls = calls

    def _judge(
        self,
        product: CallableProduct,
        tick: IndexTick,
        by: CrossedBy,
        level: Decimal,
        now: datetime,
    ) -> list[CallEvent]:
        known = self._calls.get(product.product)
        seen = tick.kind is not TickKind.RECALCULATED
        suspended_at = tick.at if seen else now
        # A later record that nobody saw earlier changes nothing; most are such.
        if (
            known is not None
            and known.record_at < tick.at
            and (not known.foreseen, known.suspended_at) <= (not seen, suspended_at)
        ):
            return []
        found = Call(
            product=product,
            time=tick.at if by is CrossedBy.VALUE else None,
            index_value=level,
            by=by,
            record_at=tick.at,
            suspended_at=suspended_at,
            session=session_at(self.day, tick.at),
            kind=tick.kind,
            foreseen=seen,
        )
        if known is None:
            self._calls[product.product] = found
            suspended = ProductSuspended(product, found.suspended_at, by, level)
            return [suspended, MandatoryCallSeen(found)]
        first = min(known, found, key=lambda call: (not call.foreseen, call.suspended_at))
        # Of two figures of one moment the value tells more.
        earliest = min(known, found, key=lambda call: (call.record_at, call.time is None))
        call = evolve(earliest, suspended_at=first.suspended_at, foreseen=first.foreseen)
        self._calls[product.product] = call
        if earliest is known or (call.time, known.time) == (None, None):
            return []
        if call.time is None:
            return [CallTimeDoubted(call, known.time)]
        return [CallTimeFound(call, known.time)]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(HONG_KONG)


def _crossing(product: CallableProduct, tick: IndexTick) -> tuple[CrossedBy, Decimal] | None:
    """The figure of ``tick`` that crosses, the value before an extreme."""
    if product.crossed_by(tick.value):
        return CrossedBy.VALUE, tick.value
    bull = product.direction is Direction.BULL
    extreme = tick.low if bull else tick.high
    if extreme is not None and product.crossed_by(extreme):
        return (CrossedBy.LOW if bull else CrossedBy.HIGH), extreme
    return None
