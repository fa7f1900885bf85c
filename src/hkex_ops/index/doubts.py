"""Which stocks cannot be relied upon in a day that is computed again: an engine's marks alone.

A recalculation moves sums and knows no marks. Beside it this follows the same steps: what was lost
marks the stocks of its channel and all whose channel is not known yet, a channel that stood leaves
its stocks in doubt for a moment, and a trade that is newer than what was lost heals, by the rules
of :class:`~hkex_ops.index.stocks.Stock`. Only a stock that is marked or has not traded yet has to
be watched, so on a day without losses next to nothing is done here. Called by the recalculations.
"""

from __future__ import annotations

from attrs import define

from hkex_ops.index.reckoning import Reckoning, TradeRow
from hkex_ops.index.records import CurrencyRateRecord, RecordsLost
from hkex_ops.index.stocks import MISSING_HELD, NOT_STALE, UNKNOWN_CHANNEL
from hkex_ops.index.tick_columns import Doubt
from hkex_ops.index.timeline import Due, Rare
from hkex_ops.model import IndexStatus

__all__ = ["Doubts"]


_CLOSING = IndexStatus.CLOSING


@define
class _Marked:
    """A marked stock: the trade that heals must be above ``heals_after``; ``last`` set its price,
    ``top`` is the highest that was heard. ``unwitnessed``: nobody knows what was lost."""

    heals_after: int
    unwitnessed: bool
    last: int
    top: int


class Doubts:
    """The marks of one day beside its ``reckoning``.

    ``watched`` are the securities whose trades must be told to :meth:`trade`; ``settled`` those
    that were among them, for whoever keeps a table and empties the list; ``grown`` counts how often
    there came to be more.
    """

    def __init__(self, reckoning: Reckoning) -> None:
        self.watched: set[int] = set(reckoning.totals.securities)
        self.settled: list[int] = []
        self.grown: int = 0
        self._reckoning = reckoning
        self._types = frozenset(reckoning.rules.trade_types)
        self._channels: dict[int, int] = {}
        self._marked: dict[int, _Marked] = {}
        self._lossy: set[int] = set()
        self._changed: dict[int, bool] = {}
        self._rates_lost: set[str] = set()

    # -- what comes -------------------------------------------------------------------------------

    def trade(self, channel: int, row: TradeRow) -> None:
        """A trade of a watched stock, before the reckoning has it."""
        security, trade_id, price, kind = row
        self._channels[security] = channel
        marked = self._marked.get(security)
        if marked is None:
            self._settle(security)
            return
        if trade_id <= marked.top - MISSING_HELD or self._reckoning.refuses(security, trade_id):
            return
        marked.top = max(marked.top, trade_id)
        heals = not marked.unwitnessed and trade_id > marked.heals_after
        if marked.unwitnessed:
            reach = self._reckoning.rules.reach
            marked.heals_after = max(marked.heals_after, trade_id + reach - 1)
            marked.unwitnessed = False
        if price <= 0 or kind not in self._types or trade_id < marked.last:
            return
        marked.last = trade_id
        if heals:
            self._heal(security)

    def rare(self, record: Rare) -> None:
        """Any other record; the reckoning works it."""
        if isinstance(record, RecordsLost):
            self._lost(record.channel)
            return
        fallen = self._reckoning.record(record)
        if fallen is not None and (fallen.forgotten or fallen.security in self._lossy):
            self._mark(fallen.security)
        if isinstance(record, CurrencyRateRecord):
            self._rates_lost.discard(record.currency.strip())

    def due(self, due: Due) -> Doubt | None:
        """What cannot be relied upon at a moment, where that is other than at the last one."""
        closing = due.status is _CLOSING
        if not (self._changed or closing or due.missing or self._rates_lost):
            return None
        if closing and self._marked:
            securities = self._reckoning.totals.securities
            for slot in self._reckoning.closing_prices:
                if securities[slot] in self._marked:
                    self._heal(securities[slot])
        doubtful = self._doubtful(due, closing=closing)
        if not doubtful and not self._changed and not due.missing:
            return None
        changed, self._changed = self._changed, {}
        return Doubt(
            due.missing,
            doubtful,
            tuple(security for security, marked in changed.items() if marked),
            tuple(security for security, marked in changed.items() if not marked),
        )

    # -- inside -----------------------------------------------------------------------------------

    def _doubtful(self, due: Due, *, closing: bool) -> frozenset[int]:
        """The stocks in doubt at this one moment."""
        totals = self._reckoning.totals
        found: set[int] = set()
        if due.missing:
            unheard = {UNKNOWN_CHANNEL, *due.missing}
            channel_of = self._channels.get
            found.update(
                one for one in totals.securities if channel_of(one, UNKNOWN_CHANNEL) in unheard
            )
        if closing and (due.closing_lost or due.missing):
            closed = self._reckoning.closing_prices
            found.update(code for slot, code in enumerate(totals.securities) if slot not in closed)
        for currency in self._rates_lost:
            found |= totals.priced_in(currency)
        return frozenset(found)

    def _lost(self, channel: int) -> None:
        """Any stock of the channel may be concerned, and any whose channel is not known yet."""
        totals = self._reckoning.totals
        if self._reckoning.rules.rates_from_feed:
            self._rates_lost |= totals.currencies
        for security in totals.securities:
            if self._channels.get(security, UNKNOWN_CHANNEL) in (channel, UNKNOWN_CHANNEL):
                self._mark(security)

    def _mark(self, security: int) -> None:
        known = self._marked.get(security)
        if known is None:
            newest = self._reckoning.newest[self._reckoning.totals.slots[security]]
            self._marked[security] = _Marked(NOT_STALE + 1, True, newest, newest)
            self._changed[security] = True
            self.watched.add(security)
            self.grown += 1
        else:
            known.unwitnessed = True
        self._lossy.add(security)

    def _heal(self, security: int) -> None:
        del self._marked[security]
        self._changed[security] = False
        if security in self._channels:
            self._settle(security)

    def _settle(self, security: int) -> None:
        self.watched.discard(security)
        self.settled.append(security)
