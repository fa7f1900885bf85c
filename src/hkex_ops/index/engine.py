"""The index engine: records in delivery order go in, ticks come out, exact to the last cent.

One writer does everything in one order: trades, cancels, sessions and ticks alike. It knows no
packet, no line and no publisher, and asks no clock. A process of `hkex_ops.flows` drives each
engine; `snapshot` and `restore` carry it over a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from hkex_ops.index.basket import RATE_DECIMALS, Basket
from hkex_ops.index.board import Board
from hkex_ops.index.day import TradingDay
from hkex_ops.index.orders import Moment, Sequenced, Sequencer, Untimely, held_back
from hkex_ops.index.records import (
    ChannelRestarted,
    CurrencyRateRecord,
    IndexRecord,
    PreviousCloseRecord,
    QuarantinedRecord,
    RecordsLost,
    SecurityStatusRecord,
    SessionRecord,
    StatisticsRecord,
    TimePassed,
    TradeCancelRecord,
    TradeRecord,
)
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.saving import engine_snapshot, restore_engine
from hkex_ops.index.sequencing import make_sequencer
from hkex_ops.index.stocks import TRAIL_FOLDS, UNKNOWN_CHANNEL, Stock
from hkex_ops.index.ticks import (
    EngineEvent,
    JournalReason,
    RecordJournalled,
    StockHealed,
    StockMarked,
)
from hkex_ops.index.totals import Totals
from hkex_ops.model import IndexStatus, JsonObject, SiteRole

__all__ = ["Engine"]

_RATE_PLACES = 4
_NOTHING: tuple[EngineEvent, ...] = ()


class Engine:
    """Computes every index of its baskets from one stream of records.

    ``name`` and ``site`` go onto its ticks. ``channels`` are waited for from the first moment on;
    any other is waited for once it was heard. With ``first_ns`` there is a tick from that moment
    on, whatever the session; without it, sessions decide (:class:`~hkex_ops.index.day.TradingDay`).
    """

    def __init__(
        self,
        baskets: Sequence[Basket],
        rules: IndexRules | None = None,
        *,
        name: str = "engine",
        site: SiteRole = SiteRole.PRIMARY,
        channels: Iterable[int] = (),
        first_ns: int | None = None,
    ) -> None:
        self.rules: IndexRules = rules or IndexRules()
        self.name = name
        self.site = site
        self.baskets: tuple[Basket, ...] = tuple(baskets)
        self.totals: Totals = Totals(
            self.baskets, decimals=self.rules.decimals, rounding=self.rules.rounding
        )
        self.stocks: dict[int, Stock] = {
            code: Stock(slot, self.totals.moves[slot]) for code, slot in self.totals.slots.items()
        }
        self.sequencer: Sequencer = make_sequencer(self.rules, channels, first_ns)
        self.day: TradingDay = TradingDay(self.rules, first_ns)
        self.board: Board = Board(self.baskets, self.totals, self.rules.decimals)
        self.sequences: dict[int, int] = {}
        self.marked: set[int] = set()
        self.rates_lost: set[str] = set()  # currencies of which a rate may have been lost
        self._types = frozenset(self.rules.trade_types)
        self.taking: Callable[[Sequenced | None], None] | None = None
        """Told what is worked on next, where that is not the record just given but one that had to
        wait, or a moment; and nothing, when that is done."""
        # For the one method that runs for every trade.
        self._stock_of = self.stocks.get
        self._prices, self._sums = self.totals.prices, self.totals.sums

    @property
    def positions(self) -> Mapping[int, int]:
        """For each channel the last message number that was worked."""
        return dict(self.sequences)

    def handle(self, record: IndexRecord, now: datetime) -> tuple[EngineEvent, ...]:
        """Take one record of the feed. Whatever it says, nothing is raised; it is journalled."""
        sequencer = self.sequencer
        # By place, not by name: this line runs for every trade of a day.
        if type(record) is TradeRecord and sequencer.since <= record[8] < sequencer.until:
            return self._trade(record)
        return self._work(sequencer.arrive(record, now))

    def poll(self, now: datetime) -> tuple[EngineEvent, ...]:
        """Compute what has waited long enough."""
        return self._work(self.sequencer.poll(now))

    def snapshot(self) -> JsonObject:
        """Everything it knows, as plain data."""
        return engine_snapshot(self)

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood; `UsageError` when it is of other baskets or rules."""
        restore_engine(self, snapshot)

    def hold_back(self, channel: int, first: int, last: int, reason: str) -> None:
        """Of messages ``first`` to ``last`` none is worked that still waits: each is journalled
        with ``reason`` in its turn, and its stock marked."""
        self.sequencer.replace(
            lambda record: (
                held_back(record, reason)
                if record.channel == channel and first <= record.sequence <= last
                else record
            )
        )

    def _work(self, order: Sequence[Sequenced]) -> tuple[EngineEvent, ...]:
        events: list[EngineEvent] = []
        # An order of one record is what was given just now, and in hand already.
        taking = self.taking
        if len(order) == 1 and not isinstance(order[0], Moment):
            taking = None
        for one in order:
            if taking is not None:
                taking(one)
            if type(one) is TradeRecord:
                found = self._trade(one)
                if found:
                    events += found
            elif isinstance(one, Moment):
                events += self._moment(one)
            elif isinstance(one, Untimely):
                reason = JournalReason.LATE if one.late else JournalReason.TIME_NOT_BELIEVED
                events.append(_journalled(reason, one.record))
                events += self._record(one.record)
            else:
                events += self._record(one)
        if taking is not None:
            taking(None)
        return tuple(events)

    def _moment(self, moment: Moment) -> Sequence[EngineEvent]:
        status = self.day.status_at(moment.time_ns)
        if status is None:
            return _NOTHING
        healed: list[EngineEvent] = []
        if status is IndexStatus.CLOSING:
            for slot in self.board.close():
                stock = self.stocks[self.totals.securities[slot]]
                if stock.stale:
                    healed += self._heal(stock, moment.time_ns)
            doubtful = (*moment.doubtful, *self.board.without_close(moment))
            moment = moment._replace(doubtful=doubtful)
        for currency in self.rates_lost:
            doubtful = (*moment.doubtful, *self.totals.priced_in(currency))
            moment = moment._replace(doubtful=doubtful)
        return (*healed, *self.board.ticks(moment, status, self.stocks, self.marked))

    def _trade(self, record: TradeRecord) -> tuple[EngineEvent, ...]:
        """The common case first: the next trade of its stock, of a type that sets the price."""
        channel, sequence, security, trade_id, price, quantity, kind, _, _ = record
        sequences = self.sequences
        try:
            if sequence <= sequences[channel] and sequence:
                return (_journalled(JournalReason.DUPLICATE, record),)
        except KeyError:
            self._meet(channel)
        sequences[channel] = sequence
        stock = self._stock_of(security)
        if stock is None:
            return _NOTHING
        if stock.unsettled or trade_id != stock.top + 1 or price <= 0:
            return self._unusual(stock, record)
        stock.top = trade_id
        if kind in self._types:
            stock.last = trade_id
            trail = stock.trail
            trail += (trade_id, price, quantity)
            if len(trail) > TRAIL_FOLDS:
                stock.fold()
            slot, prices = stock.slot, self._prices
            change = price - prices[slot]
            if change:
                prices[slot] = price
                sums = self._sums
                for place, weight in stock.moves:
                    sums[place] += change * weight
        return _NOTHING

    def _meet(self, channel: int) -> None:
        """A channel that was not heard before is waited for from now on."""
        self.sequences[channel] = 0
        self.sequencer.meet(channel)

    def _unusual(self, stock: Stock, record: TradeRecord) -> tuple[EngineEvent, ...]:
        """A trade out of its stock's sequence, or of a stock with something to settle first."""
        stock.trades_on(record.channel)
        trade_id = record.trade_id
        refused = stock.refuses(trade_id)
        if refused is not None:
            return (_journalled(refused, record),)
        heals = stock.heals_with(trade_id)
        if stock.unwitnessed:
            stock.witness(trade_id, self.rules.reach)
        if record.price_3dp <= 0:
            return (_journalled(JournalReason.NO_PRICE, record),)
        if record.trade_type not in self._types:
            return _NOTHING
        stock.count(trade_id, record.price_3dp, record.quantity)
        if trade_id < stock.last:
            return (_journalled(JournalReason.OUT_OF_SEQUENCE, record),)
        stock.last = trade_id
        self.totals.move(stock.slot, record.price_3dp)
        return self._heal(stock, record.send_time_ns) if heals else _NOTHING

    def _heal(self, stock: Stock, time_ns: int) -> tuple[EngineEvent, ...]:
        security = self.totals.securities[stock.slot]
        stock.heal()
        self.marked.discard(security)
        return (StockHealed(security, time_ns),)

    def _record(self, record: IndexRecord) -> Sequence[EngineEvent]:
        """A record that is anything but an ordinary trade."""
        channel, sequence = record.channel, record.sequence
        if isinstance(record, ChannelRestarted):
            self.sequences[channel] = 0
            return _NOTHING
        if isinstance(record, TradeRecord):
            return self._trade(record)
        if isinstance(record, TimePassed):
            self.sequences[channel] = max(self.sequences.get(channel, 0), sequence)
            return _NOTHING
        known = self.sequences.get(channel, 0)
        # A loss that is told twice is marked twice; one that is passed over would be no mark.
        if 0 < sequence <= known and not isinstance(record, RecordsLost):
            return (_journalled(JournalReason.DUPLICATE, record),)
        self.sequences[channel] = max(known, sequence)
        if isinstance(record, SessionRecord):
            # A refresh says which session it is, and not since when: from now on, then.
            self.day.handle(record, record.send_time_ns or self.sequencer.since)
            self.board.closing_lost = self.board.closing_lost and not self.day.trading
            return _NOTHING
        if isinstance(record, RecordsLost):
            return self._lost(record, JournalReason.LOST)
        if isinstance(record, CurrencyRateRecord):
            return self._rate(record)
        stock = self.stocks.get(record.security)
        if isinstance(record, QuarantinedRecord):
            return self._quarantined(stock, record)
        if stock is None:
            return _NOTHING
        if isinstance(record, TradeCancelRecord):
            return self._cancel(stock, record)
        if isinstance(record, PreviousCloseRecord):
            return self._previous_close(stock, record)
        if isinstance(record, StatisticsRecord):
            return self._statistics(stock, record)
        if isinstance(record, SecurityStatusRecord):
            stock.suspended = record.suspended
        elif record.price_3dp > 0:
            self.board.closing_prices[stock.slot] = record.price_3dp
        return _NOTHING

    def _cancel(self, stock: Stock, record: TradeCancelRecord) -> Sequence[EngineEvent]:
        """A cancelled trade counts for nothing; the newest that stands is the last one again."""
        trade_id = record.trade_id
        if not stock.cancel(trade_id):
            if not stock.awaits(trade_id):
                return (_journalled(JournalReason.CANCEL_WITHOUT_TRADE, record),)
            stock.expect_cancelled(trade_id)
            return (_journalled(JournalReason.CANCEL_AWAITED, record),)
        events: list[EngineEvent] = [_journalled(JournalReason.CANCELLED, record)]
        if trade_id != stock.last:
            return events
        before = stock.newest()
        if before is None:
            events += self._mark(stock, JournalReason.CANCELLED, record)
            return events
        stock.last, price = before
        self.totals.move(stock.slot, price or self.totals.previous[stock.slot])
        if stock.lossy:
            events += self._mark(stock, JournalReason.CANCELLED, record)
        return events

    def _previous_close(self, stock: Stock, record: PreviousCloseRecord) -> Sequence[EngineEvent]:
        known, price = self.totals.previous[stock.slot], record.price_3dp
        if price <= 0 or price == known:
            return _NOTHING
        if self.totals.set_previous(stock.slot, price):
            return _NOTHING
        return (_journalled(JournalReason.CLOSE_DIFFERS, record),)

    def _statistics(self, stock: Stock, record: StatisticsRecord) -> Sequence[EngineEvent]:
        """For late-comers: the last price, where trades of it were lost or not heard at all.

        On another channel than the trades' it may be older than they are, and so proves nothing;
        out of a refresh (sequence 0) it is as new as the refresh.
        """
        refreshed = record.sequence == 0
        if record.last_3dp <= 0 or not (stock.stale or (refreshed and not stock.top)):
            return _NOTHING
        if not refreshed and stock.channel != record.channel:
            return _NOTHING
        stock.learn(record.high_3dp, record.low_3dp, record.quantity)
        self.totals.move(stock.slot, record.last_3dp)
        return self._heal(stock, record.send_time_ns) if stock.stale else _NOTHING

    def _rate(self, record: CurrencyRateRecord) -> Sequence[EngineEvent]:
        places = RATE_DECIMALS - _RATE_PLACES - record.factor
        known = record.factor >= 0 and places >= 0
        if self.rules.rates_from_feed and record.rate_4dp > 0 and known:
            self.totals.set_rate(record.currency.strip(), record.rate_4dp * 10**places)
            self.rates_lost.discard(record.currency.strip())
        return _NOTHING

    def _quarantined(self, stock: Stock | None, record: QuarantinedRecord) -> Sequence[EngineEvent]:
        if not record.security:
            return self._lost(record, JournalReason.QUARANTINED)
        if stock is None:
            return (_journalled(JournalReason.QUARANTINED, record),)
        if record.trade_id:
            stock.refuses(record.trade_id)
        return (
            _journalled(JournalReason.QUARANTINED, record),
            *self._mark(stock, JournalReason.QUARANTINED, record, record.trade_id),
        )

    def _lost(
        self, record: RecordsLost | QuarantinedRecord, reason: JournalReason
    ) -> Sequence[EngineEvent]:
        """Any stock of the channel may be concerned, and any whose channel is not known yet.

        Closing prices come when trading is over, and need not come on the channel of trades; nor
        need currency rates.
        """
        self.board.closing_lost = self.board.closing_lost or not self.day.trading
        if self.rules.rates_from_feed:
            self.rates_lost |= self.totals.currencies
        for security, stock in self.stocks.items():
            if stock.channel in (record.channel, UNKNOWN_CHANNEL):
                stock.mark(0)
                self.marked.add(security)
        return (_journalled(reason, record),)

    def _mark(
        self, stock: Stock, reason: JournalReason, record: IndexRecord, trade_id: int = 0
    ) -> tuple[EngineEvent, ...]:
        security = self.totals.securities[stock.slot]
        stock.mark(trade_id)
        self.marked.add(security)
        return (StockMarked(security, reason, record.send_time_ns),)


def _journalled(reason: JournalReason, record: IndexRecord) -> RecordJournalled:
    return RecordJournalled(reason, record, record.send_time_ns)
