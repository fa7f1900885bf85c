"""The books of a clearing house that does not exist: groups, series, accounts, trades, positions.

Made from a seed and a business date, and consistent: positions are the fold of the trades over an
opening, so that whoever adds the trades up gets the positions. SYNTHETIC throughout; no product,
code or member of any exchange. Knows no message and no socket.

Books change only through :meth:`Books.rectify` and :meth:`Books.add`; :meth:`Books.digest` tells
whether they did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from random import Random

from attrs import define, evolve, field, frozen

from hkex_ops.model import HONG_KONG

__all__ = [
    "COUNTRY",
    "CUSTOMER",
    "Account",
    "Books",
    "Change",
    "Group",
    "Position",
    "Series",
    "Trade",
    "TradeState",
    "make_books",
    "weekdays_before",
]

COUNTRY = "ZZ"
CUSTOMER = "SYN01"
_COUNTRY_NUMBER = 99

_SATURDAY = 5

_DAY_BEGINS, _EVENING_BEGINS = time(9, 15), time(17, 15)
_DAY_S, _EVENING_S = 6 * 3600, 5 * 3600
# One trade in so many is of the evening before, whose business date is this one.
_EVENING_ONE_IN = 8
_CLOSE_ONE_IN = 4
_GIVE_UP_ONE_IN = 9
_OPENING_MOST = 400
_QUANTITY_MOST = 60
_MEMBERS = ("SYN02", "SYN03", "SYN04")


class TradeState(IntEnum):
    """What has become of a trade."""

    ACTIVE = 1
    RECTIFIED = 2
    CANCELLED = 3


@frozen
class Group:
    """An instrument group: what sequence numbers run in."""

    market: int
    number: int
    id: str
    name: str
    decimals: int
    is_future: bool
    price: int  # about what a contract costs, with the decimals
    commodities: tuple[tuple[str, int], ...]

    @property
    def country(self) -> int:
        """The number of the country, the same everywhere here."""
        return _COUNTRY_NUMBER


_GROUPS = (
    Group(61, 4, "XIF", "SYNTHETIC index futures", 0, True, 20000, (("XHA", 9001), ("XHB", 9002))),
    Group(61, 6, "XIC", "SYNTHETIC index calls", 0, False, 310, (("XHA", 9001),)),
    Group(61, 7, "XIP", "SYNTHETIC index puts", 0, False, 290, (("XHA", 9001),)),
    Group(62, 6, "XSC", "SYNTHETIC stock calls", 2, False, 145, (("XAA", 9101), ("XBB", 9102))),
    Group(62, 7, "XSP", "SYNTHETIC stock puts", 2, False, 120, (("XAA", 9101), ("XBB", 9102))),
)
_STRIKES = (18000, 20000, 22000)
_STOCK_STRIKES = (5000, 5500)
_EXPIRIES = 3
_CONTRACT_SIZE = 50


@frozen(order=True)
class Series:
    """One contract. ``strike`` is nought for a future; ``id`` is what people call it."""

    country: int
    market: int
    group: int
    modifier: int
    commodity: int
    expiration: date
    strike: int
    id: str
    decimals: int


@frozen(order=True)
class Account:
    """An account of the participant; an omnibus account is held gross, the house's net."""

    id: str
    type: str
    description: str


_ACCOUNTS = (
    Account("HOUSE", "HOUSE", "SYNTHETIC house account"),
    Account("CLIENT", "OMNIBUS", "SYNTHETIC client omnibus"),
    Account("C000117", "INDIVIDUAL", "SYNTHETIC individual client"),
    Account("MM01", "MARKETMAKER", "SYNTHETIC market maker"),
)


@frozen
class Trade:
    """One side of a trade. ``price`` is in units of the last decimal of its series."""

    series: Series
    number: int
    sequence: int
    account: str
    bought: bool
    state: TradeState
    closes: bool
    quantity: int
    price: int
    traded_at: datetime
    business_date: date
    order_number: int
    counterparty: str
    give_up_to: str


@frozen
class Change:
    """A trade is no longer as it was told; ``trade`` is as it is now."""

    trade: Trade
    sequence: int
    at: datetime


@frozen
class Position:
    """What an account holds in a series, both sides."""

    series: Series
    account: str
    held: int
    written: int


@define
class Books:
    """Everything the house holds for one participant, on ``business_date`` and the dates before."""

    business_date: date
    groups: tuple[Group, ...]
    series: tuple[Series, ...]
    accounts: tuple[Account, ...]
    openings: dict[tuple[Series, str], tuple[int, int]]
    trades: list[Trade] = field(factory=list[Trade])
    changes: list[Change] = field(factory=list[Change])

    def of(self, group: Group, business_date: date) -> list[Trade]:
        """The trades of one group and business date, by their sequence."""
        found = (
            one
            for one in self.trades
            if one.business_date == business_date
            and (one.series.market, one.series.group) == (group.market, group.number)
        )
        return sorted(found, key=lambda one: one.sequence)

    @property
    def dates(self) -> tuple[date, ...]:
        """The business dates that have trades, oldest first."""
        return tuple(sorted({one.business_date for one in self.trades}))

    def positions(self, at: date) -> list[Position]:
        """Every position at the end of a business date, in the order of series and account."""
        sums = {key: list(opening) for key, opening in self.openings.items()}
        for one in self.trades:
            if one.business_date <= at and one.state is not TradeState.CANCELLED:
                sides = sums.setdefault((one.series, one.account), [0, 0])
                _book(sides, one)
        return [
            Position(series, account, held, written)
            for (series, account), (held, written) in sorted(sums.items())
            if held or written
        ]

    def rectify(
        self,
        number: int,
        at: datetime,
        *,
        account: str | None = None,
        quantity: int | None = None,
        state: TradeState = TradeState.RECTIFIED,
    ) -> Change | None:
        """Change the trade ``number``; nothing happens where there is none."""
        for place, old in enumerate(self.trades):
            if old.number != number:
                continue
            new = evolve(
                old,
                account=account or old.account,
                quantity=old.quantity if quantity is None else quantity,
                state=state,
            )
            self.trades[place] = new
            change = Change(new, self._next_change(new.series), at)
            self.changes.append(change)
            return change
        return None

    def add(self, trade: Trade) -> None:
        """A trade that was just made."""
        self.trades.append(trade)

    def digest(self) -> str:
        """A seal of everything in the books: the same books, the same seal."""
        told = repr((self.business_date, self.accounts, self.trades, self.changes))
        return hashlib.sha256(told.encode()).hexdigest()

    def _next_change(self, series: Series) -> int:
        same = (
            one
            for one in self.changes
            if (one.trade.series.market, one.trade.series.group) == (series.market, series.group)
        )
        return sum(1 for _ in same) + 1


def _book(sides: list[int], trade: Trade) -> None:
    """Put a trade into held and written: a closing one takes from the other side what is there."""
    own, other = (0, 1) if trade.bought else (1, 0)
    closed = min(sides[other], trade.quantity) if trade.closes else 0
    sides[other] -= closed
    sides[own] += trade.quantity - closed


def weekdays_before(day: date, count: int) -> list[date]:
    """The last ``count`` weekdays before ``day``, oldest first: the house keeps no calendar."""
    found: list[date] = []
    while len(found) < count:
        day -= timedelta(days=1)
        if day.weekday() < _SATURDAY:
            found.append(day)
    return found[::-1]


def make_books(seed: int, dates: Sequence[date], *, trades: int, changes: int = 2) -> Books:
    """Books with ``trades`` in each group on each of ``dates``; the last is the business date."""
    chance = Random(f"hkex-ops clearing house {seed}")
    business_date = dates[-1]
    series = tuple(_series(business_date))
    books = Books(business_date, _GROUPS, series, _ACCOUNTS, _openings(chance, series))
    number = 1000 + chance.randrange(1000)
    for previous, day in zip([*weekdays_before(dates[0], 1), *dates], dates, strict=False):
        for group in _GROUPS:
            of_group = [
                one for one in series if (one.market, one.group) == (group.market, group.number)
            ]
            for sequence, at in enumerate(_times(chance, previous, day, trades), start=1):
                number += 1
                books.trades.append(_trade(chance, group, of_group, number, sequence, at, day))
    _change_some(chance, books, changes)
    return books


def _series(business_date: date) -> Iterator[Series]:
    for group in _GROUPS:
        for (name, commodity), expiry in _pairs(group.commodities, _expiries(business_date)):
            strikes = (0,) if group.is_future else _strikes(group)
            letter = "" if group.is_future else group.id[2]
            for strike in strikes:
                spelt = "" if group.is_future else f"{strike}"
                yield Series(
                    group.country,
                    group.market,
                    group.number,
                    0,
                    commodity,
                    expiry,
                    strike,
                    f"{name}{spelt}{letter}{expiry:%y%m}",
                    group.decimals,
                )


def _strikes(group: Group) -> tuple[int, ...]:
    return _STOCK_STRIKES if group.decimals else _STRIKES


def _pairs(
    commodities: Iterable[tuple[str, int]], expiries: list[date]
) -> Iterator[tuple[tuple[str, int], date]]:
    return ((one, expiry) for one in commodities for expiry in expiries)


def _expiries(business_date: date) -> list[date]:
    """The 28th of this month and the next ones."""
    first = business_date.replace(day=1)
    found: list[date] = []
    for _ in range(_EXPIRIES):
        found.append(first.replace(day=28))
        first = (first + timedelta(days=31)).replace(day=1)
    return found


def _openings(
    chance: Random, series: tuple[Series, ...]
) -> dict[tuple[Series, str], tuple[int, int]]:
    openings: dict[tuple[Series, str], tuple[int, int]] = {}
    for one in series:
        for account in _ACCOUNTS:
            if chance.randrange(3):
                held, written = chance.randrange(_OPENING_MOST), chance.randrange(_OPENING_MOST)
                openings[one, account.id] = (held, written)
    return openings


def _times(chance: Random, previous: date, day: date, count: int) -> list[datetime]:
    """When the trades of a business date were made: those of the evening before come first."""
    evening = datetime.combine(previous, _EVENING_BEGINS, HONG_KONG)
    morning = datetime.combine(day, _DAY_BEGINS, HONG_KONG)
    return sorted(
        evening + timedelta(seconds=chance.randrange(_EVENING_S))
        if chance.randrange(_EVENING_ONE_IN) == 0
        else morning + timedelta(seconds=chance.randrange(_DAY_S))
        for _ in range(count)
    )


def _trade(
    chance: Random,
    group: Group,
    series: list[Series],
    number: int,
    sequence: int,
    at: datetime,
    day: date,
) -> Trade:
    return Trade(
        series=chance.choice(series),
        number=number,
        sequence=sequence,
        account=chance.choice(_ACCOUNTS).id,
        bought=chance.randrange(2) == 0,
        state=TradeState.ACTIVE,
        closes=chance.randrange(_CLOSE_ONE_IN) == 0,
        quantity=1 + chance.randrange(_QUANTITY_MOST),
        price=group.price + chance.randrange(-group.price // 10, group.price // 10),
        traded_at=at,
        business_date=day,
        order_number=chance.getrandbits(63),
        counterparty=chance.choice(_MEMBERS),
        give_up_to=chance.choice(_MEMBERS) if chance.randrange(_GIVE_UP_ONE_IN) == 0 else "",
    )


def _change_some(chance: Random, books: Books, count: int) -> None:
    """Some trades of the last business date were put on another account in the afternoon."""
    at = datetime.combine(books.business_date, time(16, 45), HONG_KONG)
    for group in books.groups:
        for one in chance.sample(books.of(group, books.business_date), count):
            others = [account.id for account in books.accounts if account.id != one.account]
            at += timedelta(seconds=1)
            books.rectify(one.number, at, account=chance.choice(others))
