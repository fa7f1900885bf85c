"""Trades concluded after a mandatory call, which are cancelled.

In continuous trading the cut is by time: strictly later than the call, and trades at the very
moment are listed apart, for no public rule decides them. In the pre-opening session the cut is by
session: all its auction trades, and the manual ones after order matching began (an issuer's answers
to investors, question 140). Trades are cancelled on the day, or on the next trading day at the
latest, and participants have their files before 18:00 (HKEx report of February 2010, Appendix II 4
and 5). Knows no file and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from hkex_ops.calendars import BusinessDay, Calendar
from hkex_ops.index.calls import Call
from hkex_ops.model import HONG_KONG

__all__ = [
    "Cancellation",
    "ProductTrade",
    "TradeWay",
    "cancellation_of",
    "files_due",
    "last_cancellation_day",
    "participants_of",
    "trade_faults",
]

FILES_BEFORE = time(18)
"""Trade files are issued "before 6 pm on the MCE Day" (HKEx report, Appendix II 5)."""


class TradeWay(StrEnum):
    """How a trade was concluded."""

    AUTOMATIC = "automatic"
    AUCTION = "auction"
    MANUAL = "manual"


@frozen
class ProductTrade:
    """A trade in one contract. ``buyer`` and ``seller`` are participants; ``price`` is in HK$."""

    trade: str
    product: str
    buyer: str
    seller: str
    time: datetime
    price: Decimal
    quantity: int
    way: TradeWay = TradeWay.AUTOMATIC

    @property
    def turnover(self) -> Decimal:
        """Price times quantity, exact."""
        return self.price * self.quantity


@frozen
class Cancellation:
    """What follows for the trades of a day. ``ties`` were concluded at the very moment of the
    call; ``undecided`` are trades of products whose call has no time yet."""

    trades: tuple[ProductTrade, ...]
    ties: tuple[ProductTrade, ...]
    undecided: tuple[ProductTrade, ...]

    @property
    def products(self) -> tuple[str, ...]:
        """The products with a trade to cancel, in order."""
        return tuple(sorted({one.product for one in self.trades}))

    @property
    def turnover(self) -> Decimal:
        """What is cancelled, in HK$."""
        return sum((one.turnover for one in self.trades), Decimal(0))


def trade_faults(trade: ProductTrade, day: BusinessDay) -> Iterator[tuple[str, str]]:
    """Why ``trade`` cannot be one of ``day``, as (column, sentence)."""
    if trade.price <= 0:
        yield "price", f"is {trade.price} and must be above zero"
    if trade.quantity <= 0:
        yield "quantity", f"is {trade.quantity} and must be above zero"
    if trade.time.date() != day.date:
        yield "time", f"is {trade.time:%Y-%m-%d}, and the day is {day.date}"
        return
    opens = [one.window.start.at for one in day.securities if one.window.start.at is not None]
    if opens and trade.time < min(opens):
        yield "time", f"is {trade.time:%H:%M:%S}, before the open at {min(opens):%H:%M}"


def cancellation_of(calls: Iterable[Call], trades: Iterable[ProductTrade]) -> Cancellation:
    """Which of ``trades`` are cancelled, by time and then by their own number."""
    by_product = {call.product.product: call for call in calls}
    cancelled: list[ProductTrade] = []
    ties: list[ProductTrade] = []
    undecided: list[ProductTrade] = []
    for trade in sorted(trades, key=lambda one: (one.time, one.trade)):
        call = by_product.get(trade.product)
        if call is None:
            continue
        if call.time is None:
            undecided.append(trade)
        elif trade.time > call.time or _is_of_the_auction(trade, call):
            cancelled.append(trade)
        elif trade.time == call.time:
            ties.append(trade)
    return Cancellation(tuple(cancelled), tuple(ties), tuple(undecided))


def _is_of_the_auction(trade: ProductTrade, call: Call) -> bool:
    """Before the opening the cut is by session: the auction's trades go, whenever it matched."""
    return call.session == "pre-opening" and trade.way is TradeWay.AUCTION


def participants_of(trades: Iterable[ProductTrade]) -> Mapping[str, tuple[ProductTrade, ...]]:
    """The trades of each participant, as buyer or seller, in order of participant."""
    held: dict[str, list[ProductTrade]] = {}
    for trade in trades:
        for who in dict.fromkeys((trade.buyer, trade.seller)):
            held.setdefault(who, []).append(trade)
    return {who: tuple(held[who]) for who in sorted(held)}


def files_due(day: BusinessDay) -> datetime:
    """By when participants have their trade files."""
    return datetime.combine(day.date, FILES_BEFORE, HONG_KONG)


def last_cancellation_day(day: BusinessDay, calendar: Calendar) -> BusinessDay:
    """The trading day on which trades of ``day`` are cancelled at the latest."""
    return calendar.day(calendar.next_business_day(day.date))
