"""The messages of 22 January 2010, in the order that mattered, as a day of a simulated market.

Pre-opening; an older stock record right behind a newer one of the same stock; the matching
indicator right behind that, at 09:50; the opening; the morning, with the published values to the
cent. There was no OMD in 2010: the order is that of the day, the wire is today's. Stocks, weights
and prices are SYNTHETIC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from attrs import define, field

from hkex_ops.errors import UsageError
from hkex_ops.model import JsonObject
from hkex_ops_simulator.hsil.anchors import (
    BUSINESS_DATE,
    CLOSING_CENTS,
    HSCEI,
    HSI,
    INTERVAL_S,
    PREVIOUS_CLOSE_CENTS,
    path_cents,
)
from hkex_ops_simulator.hsil.calibration import Calibration
from hkex_ops_simulator.market.channels import Feed, channels_of
from hkex_ops_simulator.market.compiler import Published
from hkex_ops_simulator.market.day import with_states
from hkex_ops_simulator.market.dealing import Dealt
from hkex_ops_simulator.market.floor import Floor, Sending, Stand
from hkex_ops_simulator.market.phases import definitions, indications
from hkex_ops_simulator.market.stocks import Member, Stock, SyntheticIndex, Universe, tick_3dp
from hkex_ops_simulator.market.timetable import NS, Span, State, instant_ns

__all__ = [
    "FIRST_TICK",
    "GROUPS",
    "MATCHING",
    "OPENING",
    "SCRIPTED_MESSAGES",
    "WHOLE_DAY",
    "ScriptedDay",
    "universe_of_2010",
]

# When the matching indicator came, and when the first index value was due after it and after the
# opening of the market. Source: HSIL report, section 4; HKEx report, Appendix I; HSIL, Appendix 2.
MATCHING = time(9, 50)
OPENING = time(9, 50, 30)
FIRST_TICK = time(10, 0, 15)

GROUPS = 2
_MEMBERS, _SHARED = 42, 10
_LIGHTER = (20, 500)  # of each index two are lighter by so much: a step is parts of a cent of it
_FIRST_CODE = 90_001  # the codes of nobody in 2010

_INDICATIONS = 400
_CARRIERS = 4
_SHARED_DEALS = 2
_LOTS = 40

# The end of the day, closing values and all, and about how many messages it has.
WHOLE_DAY = time(16, 2)
SCRIPTED_MESSAGES = 34_000

_MS_NS = 1_000_000
_HALF_DAY, _WHOLE_DAY = time(12, 30), time(16)

# Session states of January 2010. Source: the exchange's pre-opening of that time, 09:30 to 10:00,
# in 15, 5, 8 and 2 minutes; OMD-C specification, section 3.8.1, for the numbers.
_STATES = (
    (time(9, 29), 100, 0),
    (time(9, 30), 1, 20),
    (time(9, 45), 101, 20),
    (MATCHING, 2, 20),
    (time(9, 58), 7, 20),
    (time(10), 3, 30),
    (_HALF_DAY, 103, 50),
    (time(14, 30), 3, 30),
    (_WHOLE_DAY, 103, 50),
    (time(16, 1), 0, 100),
)


@define
class ScriptedDay:
    """The day from 09:28 to ``until``. :meth:`sent` may be iterated once.

    ``out_of_sequence`` leaves the older record right before the indicator away when it is false:
    everything else is the same. After ``sparse_from`` there are trades once a minute only, which
    take the indexes where they would be anyhow. ``published`` has every index value told so far.
    """

    seed: int
    until: time = _HALF_DAY
    out_of_sequence: bool = True
    sparse_from: time | None = None
    universe: Universe = field(init=False)
    floor: Floor = field(init=False)
    _calibrations: dict[str, Calibration] = field(init=False)
    _stands: dict[int, Stand] = field(init=False)
    _prices: dict[int, int] = field(init=False)
    _shared: list[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        if not FIRST_TICK < self.until <= WHOLE_DAY:
            raise UsageError(f"the script of 2010 cannot end at {self.until}: 10:01 to 16:02")
        self.universe = universe_of_2010(self.seed)
        self.floor = Floor(self.universe, Feed.PREMIUM)
        self._stands = {stand.code: stand for stand in self.floor.stands}
        closes = self.universe.closes_3dp
        self._prices = dict(closes)
        members = [{one.code for one in index.members} for index in self.universe.indexes]
        self._shared = sorted(members[0] & members[1])
        self._calibrations = {
            index.code: Calibration(index, closes, self._prices, frozenset(own - {*self._shared}))
            for index, own in zip(self.universe.indexes, members, strict=True)
        }

    @property
    def business_date(self) -> date:
        """The day that it is."""
        return BUSINESS_DATE

    @property
    def channels(self) -> tuple[int, ...]:
        """The real-time channels, ascending."""
        return channels_of(Feed.PREMIUM, GROUPS)

    @property
    def published(self) -> list[Published]:
        """Every index value told so far, in order."""
        return self.floor.published

    def sent(self) -> Sending:
        """Every message of the day, in order of time."""
        until_ns = _at(self.until)
        states = [
            State(_at(at), sub_id, status, 0) for at, sub_id, status in _STATES if at <= self.until
        ]
        for one in with_states(self.floor, states, self._phases()):
            if one.time_ns > until_ns:
                return
            yield one

    def told(self) -> JsonObject:
        """How it was made, as plain data."""
        return {
            "script": "hsil-2010",
            "seed": self.seed,
            "until": self.until.isoformat(),
            "out_of_sequence": self.out_of_sequence,
        }

    def _phases(self) -> Iterator[Sending]:
        rng = self._rng("definitions")
        yield definitions(self.floor, self.channels, _at(time(9, 28)), rng, suspended=0)
        taken = Span(_at(time(9, 30)), _at(time(9, 45)))
        yield indications(self.floor, taken, _INDICATIONS, self._rng("indications"))
        yield self._before_matching()
        yield self._opening()
        yield self._session(time(10), min(self.until, _HALF_DAY))
        if self.until > time(14, 30):
            yield self._session(time(14, 30), min(self.until, _WHOLE_DAY))
        if self.until > _WHOLE_DAY:
            yield self._close()

    # -- the pre-opening session -------------------------------------------------------------

    def _before_matching(self) -> Sending:
        """Two trades of one stock, a moment before the indicator: the older record comes last."""
        stand, at_ns = self._stands[self._shared[0]], _at(MATCHING) - _MS_NS
        price, step = self._prices[stand.code], tick_3dp(self._prices[stand.code])
        older = stand.dealing.auction(price - 3 * step, stand.dealing.stock.lot)
        newer = stand.dealing.auction(price - step, 4 * stand.dealing.stock.lot)
        self._prices[stand.code] = newer.price_3dp
        order = (newer, older) if self.out_of_sequence else (older, newer)
        # Two packets, one right behind the other, and the indicator right behind them.
        for dealt, moment_ns in zip(order, (at_ns - _MS_NS, at_ns), strict=True):
            yield from self.floor.tell(stand, dealt, moment_ns)

    def _opening(self) -> Sending:
        """The auction's trades, and the opening values half a minute after the indicator."""
        rng = self._rng("opening")
        at_ns = _at(MATCHING) + NS
        for calibration in self._calibrations.values():
            value = path_cents(calibration.index.code, OPENING, rng)
            for code, price in calibration.aim(value, rng, _MEMBERS):
                stand, at_ns = self._stands[code], at_ns + _MS_NS
                dealt = stand.dealing.auction(price, _quantity(stand.dealing.stock, rng))
                self._prices[code] = price
                yield from self.floor.tell(stand, dealt, at_ns)
        yield from self.floor.publish(_at(OPENING), "O")

    # -- continuous trading ------------------------------------------------------------------

    def _session(self, start: time, end: time) -> Sending:
        """From interval to interval: some trades, after which both indexes are where they were."""
        rng = self._rng(f"session {start}")
        step = timedelta(seconds=INTERVAL_S)
        moment = datetime.combine(BUSINESS_DATE, start) + step
        while moment.time() <= end:
            if not moment.second or not self._is_sparse(moment.time()):
                yield from self._interval(moment.time(), rng)
            yield from self.floor.publish(_at(moment.time()), "T")
            moment += step
        self.floor.end_session()

    def _is_sparse(self, moment: time) -> bool:
        return self.sparse_from is not None and moment > self.sparse_from

    def _interval(self, moment: time, rng: Random) -> Sending:
        until_ns = _at(moment)
        start_ns = until_ns - INTERVAL_S * NS
        deals = self._deals(moment, rng)
        # Prices are solved one on another, so how many there will be is known at the end only.
        known = list(deals)
        times = sorted(rng.sample(range(1, INTERVAL_S * 1000 - 1), len(known)))
        for (stand, dealt), after_ms in zip(known, times, strict=True):
            yield from self.floor.tell(stand, dealt, start_ns + after_ms * _MS_NS)

    def _deals(self, moment: time, rng: Random) -> Iterator[tuple[Stand, Dealt]]:
        for code in rng.sample(self._shared, _SHARED_DEALS):
            step = tick_3dp(self.universe.closes_3dp[code])
            yield self._dealt(code, self._prices[code] + rng.choice((-step, step)), rng)
        for index, calibration in self._calibrations.items():
            value = path_cents(index, moment, rng)
            for stock, price in calibration.aim(value, rng, _CARRIERS):
                yield self._dealt(stock, price, rng)

    # -- the close ---------------------------------------------------------------------------

    def _close(self) -> Sending:
        """Closing prices after the last trade, and the closing values from them."""
        rng = self._rng("close")
        for index, calibration in self._calibrations.items():
            for code, price in calibration.aim(CLOSING_CENTS[index], rng, _MEMBERS):
                self._prices[code] = self._stands[code].dealing.last_3dp = price
        yield from self.floor.close(_at(_WHOLE_DAY) + 30 * NS)
        yield from self.floor.publish(_at(time(16, 1, 15)), "C")

    # -- dealing -----------------------------------------------------------------------------

    def _dealt(self, code: int, price_3dp: int, rng: Random) -> tuple[Stand, Dealt]:
        stand = self._stands[code]
        self._prices[code] = price_3dp
        return stand, stand.dealing.automatch(price_3dp, _quantity(stand.dealing.stock, rng))

    def _rng(self, purpose: str) -> Random:
        return Random(f"{self.seed}/hsil/{purpose}")


def universe_of_2010(seed: int) -> Universe:
    """Two indexes of 42 stocks each, ten of them in both, some light enough to be exact."""
    rng = Random(f"{seed}/hsil/universe")
    count = 2 * _MEMBERS - _SHARED
    stocks = tuple(_stock(_FIRST_CODE + place, place, rng) for place in range(count))
    shared = stocks[:_SHARED]
    first = (*shared, *stocks[_SHARED:_MEMBERS])
    second = (*shared, *stocks[_MEMBERS:])
    weights = {stock.code: _member(stock, rng) for stock in stocks}
    for own in (first, second):
        for stock, lighter in zip(own[-2:], _LIGHTER, strict=True):
            weights[stock.code] = _member(stock, rng, lighter)
    return Universe(
        stocks,
        tuple(
            SyntheticIndex(
                code,
                f"SYNTHETIC {name}, calibrated",
                PREVIOUS_CLOSE_CENTS[code],
                tuple(weights[stock.code] for stock in members),
            )
            for code, name, members in ((HSI, "HSI-like", first), (HSCEI, "HSCEI-like", second))
        ),
    )


def _stock(code: int, place: int, rng: Random) -> Stock:
    close = int(10 ** rng.uniform(3.7, 5.1))
    step = tick_3dp(close)
    return Stock(code, place % GROUPS, rng.choice((100, 400, 500, 1000)), close // step * step, 1)


def _member(stock: Stock, rng: Random, lighter: int = 1) -> Member:
    """A weight of the order of all others, or ``lighter`` by a factor."""
    shares = rng.randint(2, 12) * 10**13 // (stock.previous_close_3dp * lighter)
    return Member(stock.code, shares, rng.randrange(40, 101, 5), 10_000)


def _quantity(stock: Stock, rng: Random) -> int:
    return rng.randint(1, _LOTS) * stock.lot


def _at(at: time) -> int:
    return instant_ns(BUSINESS_DATE, at)
