"""The second computation of every index: a full sum over a table of prices, made another way.

Three engines of one make failed together in 2010, so this one shares no arithmetic with the engine
and none of its thinking: it keeps the trades it heard with their times, picks each stock's price
for a moment afterwards, and adds up decimals from nothing. It is the contingency path's source and
the standing check of the engines. A test holds it to this: of this room it imports the facts only
(baskets, records, rules) and its own rows, never `totals`, `stocks`, `sequencing` or `engine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
)
from typing import NamedTuple

from hkex_ops.index.basket import HOME_CURRENCY, Basket, Constituent
from hkex_ops.index.price_rows import Between, Doubt, Heard, Row, bounded
from hkex_ops.index.records import (
    ClosingPriceRecord,
    CurrencyRateRecord,
    IndexRecord,
    PreviousCloseRecord,
    QuarantinedRecord,
    RecordsLost,
    SessionRecord,
    StatisticsRecord,
    TradeCancelRecord,
    TradeRecord,
)
from hkex_ops.index.rules import IndexRules, Rounding
from hkex_ops.model import SiteRole

__all__ = [
    "BETWEENS",
    "HEARD_TRADES",
    "KEPT_TRADES",
    "SnapshotComputation",
    "SnapshotValue",
]

HEARD_TRADES = 1_024
"""How many trades of one stock are kept at most; where that is not enough the stock is marked."""

KEPT_TRADES = 16
"""How many trades older than a moment that was asked for are kept, for cancels to fall back on."""

BETWEENS = 64
"""How many records without a time are kept for each stock; they concern moments just past."""

_HIGHEST_FACTOR = 4  # a currency is quoted for ten thousand units at most

_DIGITS = 120
_EXACT = Context(prec=_DIGITS, traps=[Inexact, InvalidOperation])
_ROUNDINGS: Mapping[Rounding, str] = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.DOWN: ROUND_DOWN,
}


class SnapshotValue(NamedTuple):
    """An index at a moment, in points; ``stale`` are stocks whose price cannot be relied upon.

    ``value`` is `None` while the previous close of a constituent is unknown.
    """

    code: str
    time_ns: int
    value: Decimal | None
    stale: tuple[int, ...]


class SnapshotComputation:
    """Prices of all stocks with their times, and the indexes at any moment not long ago.

    ``name`` and ``site`` say which system it is. ``channels`` are those that it has to hear.
    """

    def __init__(
        self,
        baskets: Sequence[Basket],
        rules: IndexRules | None = None,
        *,
        name: str = "snapshot",
        site: SiteRole = SiteRole.PRIMARY,
        channels: Iterable[int] = (),
    ) -> None:
        self.name = name
        self.site = site
        self._baskets = tuple(baskets)
        self._rules = rules or IndexRules()
        self._rows: dict[int, Row] = {}
        for basket in self._baskets:
            for stock in basket.constituents:
                row = self._rows.setdefault(stock.security, Row(None))
                row.previous = row.previous or stock.previous_close_3dp
        self._clocks: dict[int, int] = dict.fromkeys(channels, 0)
        self._rates: dict[str, list[tuple[int, Decimal]]] = {}
        self._open: dict[int, list[Between]] = {}
        self._trading = False
        self._closing_lost = False
        self._rates_lost: set[str] = set()

    def handle(self, record: IndexRecord, now: datetime) -> None:
        """Take one record of the feed into the table, in whatever order it comes."""
        sent = record.send_time_ns
        if sent:
            for one in self._open.pop(record.channel, ()):
                one.until_ns = sent
            self._clocks[record.channel] = max(self._clocks.get(record.channel, 0), sent)
        elif record.sequence and isinstance(record, TradeRecord | TradeCancelRecord):
            record = self._recovered(record)
        match record:
            case TradeRecord():
                self._trade(record)
            case TradeCancelRecord():
                if record.security in self._rows:
                    cancelled = self._rows[record.security].cancelled
                    cancelled.setdefault(record.trade_id, record.send_time_ns)
            case ClosingPriceRecord():
                if record.security in self._rows and record.price_3dp > 0:
                    self._rows[record.security].closing.append((sent, record.price_3dp))
            case PreviousCloseRecord():
                row = self._rows.get(record.security)
                if row is not None and row.previous is None and record.price_3dp > 0:
                    row.previous = record.price_3dp
            case StatisticsRecord():
                self._statistics(record)
            case CurrencyRateRecord():
                self._rate(record)
            case QuarantinedRecord() | RecordsLost():
                self._doubt(record)
            case SessionRecord():
                if record.market.strip() == self._rules.session_market:
                    self._trading = record.session in self._rules.realtime_sessions
                    self._closing_lost = self._closing_lost and not self._trading
            case _:
                pass

    def missing_at(self, time_ns: int) -> tuple[int, ...]:
        """The channels of which it is not known that they have told everything before then."""
        return tuple(sorted(one for one, clock in self._clocks.items() if clock < time_ns))

    def values_at(self, time_ns: int, *, closing: bool = False) -> tuple[SnapshotValue, ...]:
        """Every index from the records sent before ``time_ns``, in the order of the baskets.

        With ``closing`` a closing price takes the place of the last one, where there is one.
        Moments are asked for in order: what only an earlier one could need is forgotten.
        """
        silent = self.missing_at(time_ns)
        prices: dict[int, int | None] = {}
        stale: set[int] = set()
        for security, row in self._rows.items():
            last = row.last_before(time_ns)
            close = row.closing_before(time_ns) if closing else None
            prices[security] = close or (last.price if last else row.previous)
            unheard = bool(silent) and (row.channel is None or row.channel in silent)
            if closing and (silent or self._closing_lost):
                unheard = True  # on which channel a closing price comes nobody knows
            if close is None and (unheard or row.doubtful(time_ns, last)):
                stale.add(security)
            row.forget(time_ns, KEPT_TRADES)
        return tuple(self._value(basket, time_ns, prices, stale) for basket in self._baskets)

    def changes_of(self, code: str) -> int:
        """How often prices of the index's stocks have changed so far, as this table saw it."""
        members = next(one.constituents for one in self._baskets if one.index == code)
        return sum(self._rows[stock.security].changes for stock in members)

    def _recovered(
        self, record: TradeRecord | TradeCancelRecord
    ) -> TradeRecord | TradeCancelRecord:
        """It was sent some time after what came before it, and before what will come with a time.

        For moments in between nobody knows whether it counts, and its stock is marked there.
        """
        waiting = self._open.setdefault(record.channel, [])
        after = waiting[-1].after_ns if waiting else self._clocks.get(record.channel, 0)
        if isinstance(record, TradeRecord):
            after = max(after, record.trade_time_ns)
        between = Between(after)
        waiting.append(between)
        row = self._rows.get(record.security)
        if row is not None:
            row.between = [*row.between[-BETWEENS:], between]
        return record._replace(send_time_ns=after)

    def _trade(self, record: TradeRecord) -> None:
        row = self._rows.get(record.security)
        if row is None:
            return
        row.channel = record.channel
        row.top = max(row.top, record.trade_id)
        for doubt in row.doubts:
            if doubt.number is None:
                # Lost before this trade was sent: at most so many places out of sequence.
                doubt.number = record.trade_id + self._rules.reach - 1
        if record.trade_type not in self._rules.trade_types or record.price_3dp < 1:
            return
        event_time = record.send_time_ns
        heard = Heard(record.trade_id, event_time, record.price_3dp)
        row.heard.setdefault(heard.number, heard)
        if heard.number > row.told.number:
            row.changes += heard.price != (row.told.price or row.previous)
            row.told = heard
        if len(row.heard) > HEARD_TRADES:
            row.forget(event_time, HEARD_TRADES // 2)

    def _statistics(self, record: StatisticsRecord) -> None:
        """Out of a refresh: as new as anything heard, and instead of what was not."""
        row = self._rows.get(record.security)
        if row is None or record.sequence or record.last_3dp < 1:
            return
        if row.heard and not row.doubts:
            return
        sent = row.heard[row.top].sent_ns if row.top in row.heard else 0
        row.heard[row.top] = Heard(row.top, sent, record.last_3dp)
        row.cancelled.pop(row.top, None)
        row.doubts.clear()

    def _rate(self, record: CurrencyRateRecord) -> None:
        followed = self._rules.rates_from_feed and record.rate_4dp > 0
        if followed and 0 <= record.factor <= _HIGHEST_FACTOR:
            rate = Decimal(record.rate_4dp).scaleb(-4 - record.factor)
            self._rates_lost.discard(record.currency.strip())
            known = self._rates.setdefault(record.currency.strip(), [])
            known.append((record.send_time_ns, rate))
            del known[:-KEPT_TRADES]

    def _doubt(self, record: QuarantinedRecord | RecordsLost) -> None:
        known = isinstance(record, QuarantinedRecord) and record.security
        self._closing_lost = self._closing_lost or not (known or self._trading)
        if self._rules.rates_from_feed and not known:
            stocks = (stock for basket in self._baskets for stock in basket.constituents)
            self._rates_lost |= {stock.currency for stock in stocks} - {HOME_CURRENCY}
        lost = record.trade_id if isinstance(record, QuarantinedRecord) else 0
        for security, row in self._rows.items():
            concerned = security == known if known else row.channel in (None, record.channel)
            if concerned:
                row.lossy = True
                row.doubts = bounded([*row.doubts, Doubt(record.send_time_ns, lost or None)])

    def _value(
        self,
        basket: Basket,
        time_ns: int,
        prices: Mapping[int, int | None],
        stale: set[int],
    ) -> SnapshotValue:
        doubtful = {
            stock.security
            for stock in basket.constituents
            if stock.security in stale or stock.currency in self._rates_lost
        }
        marked = tuple(sorted(doubtful))
        now = before = Decimal(0)
        for stock in basket.constituents:
            price, previous = prices[stock.security], self._rows[stock.security].previous
            if price is None or previous is None:
                return SnapshotValue(basket.index, time_ns, None, marked)
            shares = Decimal(stock.issued_shares)
            shares = _EXACT.multiply(shares, Decimal(stock.freefloat_factor).scaleb(-2))
            shares = _EXACT.multiply(shares, Decimal(stock.cap_factor).scaleb(-4))
            fixed, live = self._rates_of(basket, stock, time_ns)
            was = _EXACT.multiply(_EXACT.multiply(shares, Decimal(previous).scaleb(-3)), fixed)
            is_ = _EXACT.multiply(_EXACT.multiply(shares, Decimal(price).scaleb(-3)), live)
            before, now = _EXACT.add(before, was), _EXACT.add(now, is_)
        # Rounded once, towards zero, at more digits than any tie needs, and then as the rules say:
        # a tie is exact in so many digits, and what is no tie differs from one within them.
        wide = Context(prec=_DIGITS, rounding=ROUND_DOWN)
        points = wide.divide(_EXACT.multiply(now, basket.previous_close), before)
        unit = Decimal(1).scaleb(-self._rules.decimals)
        value = points.quantize(unit, rounding=_ROUNDINGS[self._rules.rounding], context=wide)
        return SnapshotValue(basket.index, time_ns, value, marked)

    def _rates_of(
        self, basket: Basket, stock: Constituent, time_ns: int
    ) -> tuple[Decimal, Decimal]:
        """The rate at the previous close, and the one that holds at ``time_ns``."""
        if stock.currency == basket.currency:
            return Decimal(1), Decimal(1)
        fixed = next(one.rate for one in basket.rates if one.currency == stock.currency)
        told = [rate for sent, rate in self._rates.get(stock.currency, ()) if sent < time_ns]
        live = told[-1] if told and basket.currency == HOME_CURRENCY else fixed
        return fixed, live
