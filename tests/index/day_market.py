"""What is sent on the channels of a whole day, what each host hears of it, and what is right.

All data is SYNTHETIC.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from random import Random

from attrs import define, field

from hkex_ops.index.records import (
    ClosingPriceRecord,
    IndexRecord,
    RecordsLost,
    SessionRecord,
    TimePassed,
    TradeRecord,
)
from hkex_ops.index.rules import NS_PER_MS, NS_PER_S, IndexRules
from hkex_ops.index.ticks import time_ns_of
from hkex_ops.model import HONG_KONG, SiteRole
from tests.index.reference import basket_of, index_of

__all__ = [
    "BASKETS",
    "BEGIN",
    "CHANNELS",
    "END",
    "RULES",
    "SITES",
    "STEP",
    "TRADING",
    "Capture",
    "Market",
    "at",
    "market_of",
]

RULES = IndexRules(interval_s=15)
STEP = RULES.interval_ns
SESSIONS, CHANNELS = 10, (10, 30, 31)
STOCKS = {1: 65_850, 5: 60_300, 11: 98_050, 388: 300_200, 700: 412_250, 939: 6_030}
BASKETS = (
    basket_of("WIDE", "20862.67", *((s, 10**10 + s, 85, 7777, p) for s, p in STOCKS.items())),
    basket_of("PAIR", "236.85", *((s, 10**9, 50, 5000, STOCKS[s]) for s in (700, 1))),
)
SITES = {"a": SiteRole.PRIMARY, "b": SiteRole.PRIMARY, "c": SiteRole.SECONDARY}
DAY = datetime(2026, 11, 20, tzinfo=HONG_KONG)


def at(clock: str) -> int:
    """A time of day, in nanoseconds."""
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    return time_ns_of(DAY.replace(hour=hours, minute=minutes, second=seconds))


TIMETABLE = (
    ("09:00:00", 1),
    ("09:20:13", 2),
    ("09:30:00", 3),
    ("12:00:00", 103),
    ("13:00:00", 3),
    ("16:00:00", 105),
    ("16:08:41", 103),
    ("16:30:00", 0),
)
TRADING = ((at("09:30:00"), at("12:00:00")), (at("13:00:00"), at("16:00:00")))
BEGIN, END = at("08:59:00"), at("16:31:00")


@define
class Market:
    """What is sent on each channel, in order, and the right value of every index and moment."""

    sent: dict[int, list[IndexRecord]]
    poison: set[tuple[int, int]]
    right: dict[tuple[str, int], int] = field(factory=dict)

    @classmethod
    def drawn(cls, random: Random) -> Market:
        """Trades all day long, heartbeats in between, and ten records that kill."""
        sent: dict[int, list[IndexRecord]] = {channel: [] for channel in CHANNELS}
        for number, (clock, session) in enumerate(TIMETABLE, start=1):
            sent[SESSIONS].append(SessionRecord(SESSIONS, number, "MAIN", session, 0, at(clock)))
        numbers, prices = dict.fromkeys(STOCKS, 0), dict(STOCKS)
        trades: dict[int, list[TradeRecord]] = {30: [], 31: []}
        for begin, end in ((at("09:20:14"), at("09:21:00")), *TRADING):
            time_ns = begin
            while (time_ns := time_ns + random.randrange(5_000) * NS_PER_MS) < end:
                code = random.choice(list(STOCKS))
                numbers[code] += 1
                prices[code] = max(10, prices[code] + random.choice((-50, -10, -5, 5, 10, 50)))
                kind = random.choice((0, 0, 0, 100, 103, 101))
                price = prices[code] if kind != 101 else prices[code] * 2
                channel = 30 if code < 300 else 31
                trade = (channel, 0, code, numbers[code], price, 100, kind, time_ns, time_ns)
                trades[channel].append(TradeRecord(*trade))
        for channel, made in trades.items():
            _swap_some(random, made)
            sent[channel] += [one._replace(sequence=at) for at, one in enumerate(made, start=1)]
        closing = [
            ClosingPriceRecord(
                30, len(trades[30]) + at, code, price + 5, TRADING[1][1] + 522 * NS_PER_S
            )
            for at, (code, price) in enumerate(prices.items(), start=1)
        ]
        sent[30] += closing
        poison = {(channel, random.randrange(1, len(trades[channel]))) for channel in (30, 31) * 5}
        market = cls({one: list(_with_heartbeats(rows)) for one, rows in sent.items()}, poison)
        market.right.update(_right_values(market))
        return market


def _swap_some(random: Random, trades: list[TradeRecord]) -> None:
    """One trade in two hundred is sent after its stock's next one."""
    last: dict[int, int] = {}
    swapped: set[int] = set()
    for place, trade in enumerate(trades):
        before = last.get(trade.security)
        last[trade.security] = place
        if before is None or before in swapped or random.random() > 0.005:
            continue
        swapped |= {before, place}
        early, late = trades[before], trade
        trades[before] = late._replace(trade_time_ns=early[7], send_time_ns=early[8])
        trades[place] = early._replace(trade_time_ns=late[7], send_time_ns=late[8])


def _with_heartbeats(records: Iterable[IndexRecord]) -> Iterator[IndexRecord]:
    """A channel that has been silent for two seconds says that it is there."""
    time_ns, last, channel = BEGIN, 0, 0
    for record in records:
        channel = record.channel
        while record.send_time_ns - time_ns > 2 * NS_PER_S:
            time_ns += 2 * NS_PER_S
            yield TimePassed(channel, last, time_ns)
        yield record
        time_ns, last = record.send_time_ns, record.sequence
    while time_ns < END:
        time_ns += 2 * NS_PER_S
        yield TimePassed(channel, last, time_ns)


def _right_values(market: Market) -> Iterator[tuple[tuple[str, int], int]]:
    """Serial and slow: at each moment the newest trade of each stock of all that was sent."""
    trades = sorted(
        (one for rows in market.sent.values() for one in rows if isinstance(one, TradeRecord)),
        key=lambda one: one.send_time_ns,
    )
    closing = {
        one.security: one.price_3dp
        for rows in market.sent.values()
        for one in rows
        if isinstance(one, ClosingPriceRecord)
    }
    newest: dict[int, tuple[int, int]] = {code: (0, price) for code, price in STOCKS.items()}
    waiting = deque(trades)
    for moment in range(BEGIN // STEP * STEP + STEP, END, STEP):
        while waiting and waiting[0].send_time_ns < moment:
            trade = waiting.popleft()
            if trade.trade_type in (0, 100, 103):
                said = (trade.trade_id, trade.price_3dp)
                newest[trade.security] = max(newest[trade.security], said)
        prices = {code: price for code, (_, price) in newest.items()}
        closed = moment > at("16:08:41") + RULES.closing_delay_s * NS_PER_S
        for basket in BASKETS:
            yield (
                (basket.index, moment),
                index_of({**prices, **closing} if closed else prices, basket),
            )


@cache
def market_of(seed: int) -> Market:
    """The market of a seed; it is only ever read."""
    return Market.drawn(Random(seed))


class Capture:
    """What one host hears: its own delays, its own losses, some of them made good."""

    def __init__(self, random: Random, market: Market, *, delay_ns: int = 0) -> None:
        heard: list[tuple[int, int, IndexRecord]] = []
        for channel, records in market.sent.items():
            lost = () if channel == SESSIONS else _spans(random, 6, 10, 120)
            slow = () if channel == SESSIONS else _spans(random, 12, 5, 30)
            heard += _heard(random, records, lost, slow)
        heard.sort(key=lambda one: one[:2])
        self.heard = [(time_ns + delay_ns, record) for time_ns, _, record in heard]


def _spans(random: Random, count: int, least_s: int, most_s: int) -> Sequence[tuple[int, int]]:
    """Stretches of the day."""
    starts = [random.randrange(TRADING[0][0], END) for _ in range(count)]
    return [(start, start + random.randrange(least_s, most_s) * NS_PER_S) for start in starts]


def _end_of(spans: Iterable[tuple[int, int]], time_ns: int) -> int:
    """When the stretch ends that ``time_ns`` lies in; 0 when it lies in none."""
    return max((end for start, end in spans if start <= time_ns < end), default=0)


def _heard(
    random: Random,
    records: list[IndexRecord],
    lost: Sequence[tuple[int, int]],
    slow: Sequence[tuple[int, int]],
) -> Iterator[tuple[int, int, IndexRecord]]:
    """A channel as the arbiter hands it on: in order, held up by what is being asked for again.

    While both lines are lost every message has to be asked for; while the way is slow all come at
    its end, late but whole.
    """
    ready = 0
    for order, record in enumerate(records):
        sent = record.send_time_ns
        came = max(sent + random.randrange(5, 60) * NS_PER_MS, _end_of(slow, sent))
        gone = bool(_end_of(lost, sent))
        if isinstance(record, TimePassed):
            if not gone:
                ready = max(ready, came)
                yield ready, order, record
            continue
        if not gone and random.random() > 0.01:
            ready = max(ready, came)
            yield ready, order, record
            continue
        ready = max(ready, came + NS_PER_S)
        if random.random() < 0.5:
            yield ready, order, RecordsLost(record.channel, record.sequence, record.sequence, 0)
        else:
            yield ready, order, record._replace(send_time_ns=0)
