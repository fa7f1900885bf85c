"""Trades given to an engine many at a time: the common case in one loop, the rest one by one.

What :meth:`~hkex_ops.index.engine.Engine.handle` does for the next trade of a stock, done on the
engine's public arrays without a call for each: with tens of thousands of datagrams a second the
calls would cost more than the work. Anything that is not such a trade, the first of a channel
included, goes through the engine as everywhere else; a test holds both ways to the same answers.
Each record is in hand on the progress board while it is worked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from hkex_ops.flows.index.board import SECURITY_BITS, EngineRow
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import IndexRecord, SessionRecord, TimePassed, TradeRecord
from hkex_ops.index.stocks import TRAIL_FOLDS
from hkex_ops.index.ticks import EngineEvent

__all__ = ["Heard", "StraightTrades", "TradeFields"]

_NEVER_NS = 1 << 63

Heard: TypeAlias = EngineEvent | SessionRecord

TradeFields: TypeAlias = tuple[int, int, int, int, int, int, int, int, int]
"""The fields of a :class:`~hkex_ops.index.records.TradeRecord`, of a stock in the baskets."""


class StraightTrades:
    """The way of one engine's records."""

    def __init__(self, engine: Engine, row: EngineRow) -> None:
        self._engine = engine
        self._row = row
        self._types = frozenset(engine.rules.trade_types)

    def one_by_one(self, records: Iterable[IndexRecord], now: datetime, data: list[Heard]) -> None:
        """Work ``records`` in order; what comes of them is added to ``data``."""
        row, handle = self._row, self._engine.handle
        for record in records:
            row.take_record(record.sequence, getattr(record, "security", 0))
            if isinstance(record, SessionRecord):
                data.append(record)
            data += handle(record, now)
        row.slots[row.record_slot] = 0

    def work(
        self,
        trades: Sequence[TradeFields],
        times: Sequence[tuple[int, TimePassed]],
        now: datetime,
        data: list[Heard],
    ) -> None:
        """Work ``trades`` of one channel in order, and before the trade at each stated place that
        time has passed; what comes of it is added to ``data``."""
        begin = 0
        for place, passed in times:
            if place > begin:
                self._straight(trades[begin:place], now, data)
                begin = place
            data += self._engine.handle(passed, now)
        if begin < len(trades):
            self._straight(trades[begin:] if begin else trades, now, data)

    def _straight(self, trades: Sequence[TradeFields], now: datetime, data: list[Heard]) -> None:
        engine, slots, at = self._engine, self._row.slots, self._row.record_slot
        stocks, types, sequences = engine.stocks, self._types, engine.sequences
        prices, sums, sequencer = engine.totals.prices, engine.totals.sums, engine.sequencer
        channel, first, *_ = trades[0]
        last = sequences.get(channel)
        # Numbers rise; what does not begin behind the last one is the engine's to judge.
        since = sequencer.since if last is not None and first > last else _NEVER_NS
        until, worked = sequencer.until, 0
        for trade in trades:
            _, number, code, trade_id, price, quantity, kind, _, sent_ns = trade
            slots[at] = number << SECURITY_BITS | code
            stock = stocks[code]
            if (
                trade_id == stock.top + 1
                and since <= sent_ns < until
                and not stock.unsettled
                and price > 0
            ):
                worked = number
                stock.top = trade_id
                if kind in types:
                    stock.last = trade_id
                    trail = stock.trail
                    trail += (trade_id, price, quantity)
                    if len(trail) > TRAIL_FOLDS:
                        stock.fold()
                    slot = stock.slot
                    change = price - prices[slot]
                    if change:
                        prices[slot] = price
                        for place, weight in stock.moves:
                            sums[place] += change * weight
            else:
                data += engine.handle(TradeRecord._make(trade), now)
                since, until = sequencer.since, sequencer.until
        # Others may wait in the sequencer; their numbers count when they have been worked.
        if worked:
            sequences[channel] = max(sequences[channel], worked)
        slots[at] = 0
