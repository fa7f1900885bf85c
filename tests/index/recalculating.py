"""How recalculations are driven in tests, and what an engine says to the same records.

All data is SYNTHETIC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, NamedTuple

import pytest

from hkex_ops.index.basket import Basket
from hkex_ops.index.engine import Engine
from hkex_ops.index.recalculation import Recalculation
from hkex_ops.index.reckoning import TradeRow
from hkex_ops.index.records import IndexRecord, TimePassed, TradeRecord
from hkex_ops.index.rules import IndexRules, TickOrder
from hkex_ops.index.tick_columns import Extremes, TickColumns
from hkex_ops.index.ticks import TickComputed
from hkex_ops.index.timeline import Between
from tests.index.reference import NOW

__all__ = [
    "ARRIVAL",
    "EVENT_TIME",
    "WAYS",
    "Told",
    "between",
    "engine_says",
    "recalculated",
    "slices",
]

ARRIVAL = IndexRules(order=TickOrder.ARRIVAL)
# Channels of drawn markets are mixed anyhow: a moment waits for all of them, however long.
EVENT_TIME = IndexRules(order=TickOrder.EVENT_TIME, settle_ms=3_600_000)


def _vector(*given: Any, **named: Any) -> Any:
    module = pytest.importorskip("hkex_ops.index.vector", reason="wants the extra `data`")
    return _FromRows(module.VectorRecalculation(*given, **named))


def _accelerated(*given: Any, **named: Any) -> Any:
    """Its loop as Python; compiled code is tried with captures."""
    pytest.importorskip("numpy", reason="wants the extra `data`")
    from hkex_ops.index.accelerated import AcceleratedRecalculation, compiled_work

    work = compiled_work(lambda function: function)
    return _FromRows(AcceleratedRecalculation(*given, work=work, **named))


class _FromRows:
    """A recalculation of arrays, fed with rows."""

    def __init__(self, recalculation: Any) -> None:
        self._recalculation = recalculation
        self.reckoning = recalculation.reckoning
        self.close = recalculation.close

    def feed(self, rows: Sequence[TradeRow], marks: Iterable[Between]) -> TickColumns:
        import numpy as np

        columns = np.array(rows, np.int64).reshape(-1, 4).T
        return self._recalculation.feed(tuple(columns), marks)


WAYS = [
    pytest.param(Recalculation, id="plain"),
    pytest.param(_vector, id="vector"),
    pytest.param(_accelerated, id="accelerated"),
]


class Told(NamedTuple):
    """One index at one moment."""

    time_ns: int
    index: int
    status: str
    value: int | None
    high: int | None
    low: int | None


def between(records: Iterable[IndexRecord], step_ns: int) -> tuple[list[TradeRow], list[Between]]:
    """Records in delivery order as a subscription hands them over."""
    rows: list[TradeRow] = []
    marks: list[Between] = []
    interval = -1
    for record in records:
        if record.send_time_ns // step_ns != interval:
            interval = record.send_time_ns // step_ns
            marks.append((len(rows), record.send_time_ns, None))
        if isinstance(record, TradeRecord):
            rows.append((record.security, record.trade_id, record.price_3dp, record.trade_type))
        elif not isinstance(record, TimePassed):
            marks.append((len(rows), record.send_time_ns, record))
    return rows, marks


def slices(
    random: Random, records: Sequence[IndexRecord], step_ns: int
) -> list[tuple[list[TradeRow], list[Between]]]:
    """The same in a few slices, cut anywhere. The interval goes on over a cut."""
    rows, marks = between(records, step_ns)
    cuts = sorted(random.choices(range(len(rows) + 1), k=random.randrange(4)))
    found: list[tuple[list[TradeRow], list[Between]]] = []
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        last = end == len(rows) and (begin, end) == ([0, *cuts][-1], len(rows))
        own = [
            (row - begin, sent_ns, record)
            for row, sent_ns, record in marks
            if begin <= row < end or (last and row == end)
        ]
        found.append((rows[begin:end], own))
    return found


def told(columns: Iterable[TickColumns]) -> list[Told]:
    """Columns, tick by tick, with the extremes of the day so far."""
    found: list[Told] = []
    extremes: Extremes | None = None
    for each in columns:
        for time_ns, status, values, _ in zip(*each, strict=True):
            extremes = extremes or Extremes(len(values))
            rows = zip(values, *extremes.pass_by(values), strict=True)
            found += [
                Told(time_ns, place, status.value, *figures) for place, figures in enumerate(rows)
            ]
    return found


def recalculated(
    recalculation: Recalculation, pieces: Iterable[tuple[list[TradeRow], list[Between]]]
) -> list[Told]:
    """What a recalculation tells of the slices, to the end."""
    columns = [recalculation.feed(rows, marks) for rows, marks in pieces]
    return told([*columns, recalculation.close()])


def engine_says(
    baskets: Sequence[Basket],
    rules: IndexRules,
    records: Iterable[IndexRecord],
    *,
    first_ns: int | None = None,
) -> list[Told]:
    """What an engine tells, indexes without a value too."""
    engine = Engine(baskets, rules, first_ns=first_ns)
    places = {basket.index: place for place, basket in enumerate(baskets)}
    ticks: dict[tuple[int, int], Told] = {}
    for record in records:
        for event in engine.handle(record, NOW):
            if isinstance(event, TickComputed):
                place = places[event.index]
                ticks[event.time_ns, place] = Told(
                    event.time_ns,
                    place,
                    event.status.value,
                    event.value_cents,
                    event.high_cents,
                    event.low_cents,
                )
    return list(ticks.values())
