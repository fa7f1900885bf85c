"""Small markets, drawn from a seed: what was sent on each channel, and orders in which it arrives.

All data is SYNTHETIC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from attrs import frozen

from hkex_ops.index.records import (
    IndexRecord,
    SessionRecord,
    TimePassed,
    TradeCancelRecord,
    TradeRecord,
)
from tests.index.reference import S

__all__ = [
    "CONTINUOUS",
    "MATCHING",
    "SESSIONS",
    "Market",
    "arrivals",
    "draw_market",
    "with_indicator_anywhere",
    "with_times",
]

MATCHING, CONTINUOUS = 2, 3
SESSIONS = 10
CLOSES = {1: 65_850, 5: 60_300, 700: 412_250}
CHANNEL_OF = {1: 30, 5: 30, 700: 31}
OTHER_TYPES = (4, 22, 101, 102, 104)


@frozen
class Market:
    """What was sent, by channel and in the channel's order; ``end`` lies after all of it."""

    channels: dict[int, tuple[IndexRecord, ...]]
    end: int

    @property
    def records(self) -> list[IndexRecord]:
        """Everything that was sent."""
        return [record for sent in self.channels.values() for record in sent]


def draw_market(
    random: Random, *, trades: int, cancels: bool = True, cascades: bool = True
) -> Market:
    """A few seconds of trades on two channels, some out of their stock's sequence, the matching
    indicator and the start of continuous trading on a third. With ``cascades`` a trade may come
    many places late, otherwise one."""
    numbers = dict.fromkeys(CLOSES, 0)
    prices = dict(CLOSES)
    clock = 100 * S
    drafts: dict[int, list[tuple[str, int, int, int, int, int]]] = {30: [], 31: []}
    for _ in range(trades):
        clock += random.choice((0, 0, S // 10, S // 2, S))
        security = random.choice(list(CLOSES))
        numbers[security] += 1
        prices[security] += random.choice((-50, -10, 0, 5, 10, 50))
        kind = random.choice((0, 0, 0, 100, 103, *OTHER_TYPES))
        price = prices[security] if kind in (0, 100, 103) else random.randrange(1, 999_999)
        draft = ("trade", security, numbers[security], price, kind, clock)
        drafts[CHANNEL_OF[security]].append(draft)
        if cancels and random.random() < 0.15:
            number = random.randint(1, numbers[security])
            drafts[CHANNEL_OF[security]].append(("cancel", security, number, 0, 0, clock))
    channels = {channel: _sent(random, channel, rows, cascades) for channel, rows in drafts.items()}
    indicator = 100 * S + random.randrange(0, clock - 100 * S + 2 * S)
    continuous = indicator + random.randrange(0, 2 * S)
    channels[SESSIONS] = (
        SessionRecord(SESSIONS, 1, "MAIN", MATCHING, 20, indicator),
        SessionRecord(SESSIONS, 2, "MAIN", CONTINUOUS, 30, continuous),
    )
    return Market(channels, max(clock, continuous) // S * S + 6 * S)


def _sent(
    random: Random, channel: int, rows: list[tuple[str, int, int, int, int, int]], cascades: bool
) -> tuple[IndexRecord, ...]:
    """Number them, with some trades sent after their stock's next trade; times stay in order."""
    swapped = -2
    for place in range(len(rows) - 1):
        same = rows[place][1] == rows[place + 1][1]
        if same and (cascades or swapped < place - 1) and random.random() < 0.4:
            swapped = place
            early, late = rows[place], rows[place + 1]
            rows[place] = (*late[:5], early[5])
            rows[place + 1] = (*early[:5], late[5])
    return tuple(
        TradeRecord(channel, at, code, number, price, 100, kind, sent, sent)
        if what == "trade"
        else TradeCancelRecord(channel, at, code, number, sent)
        for at, (what, code, number, price, kind, sent) in enumerate(rows, start=1)
    )


def arrivals(random: Random, market: Market, *, duplicates: bool = True) -> list[IndexRecord]:
    """One order in which a capture may deliver it: each channel in its own order, channels mixed
    anyhow, some records twice. The matching indicator and what follows it are left out."""
    queues = {
        channel: list(sent) for channel, sent in market.channels.items() if channel != SESSIONS
    }
    order: list[IndexRecord] = []
    while any(queues.values()):
        channel = random.choice([one for one, left in queues.items() if left])
        record = queues[channel].pop(0)
        order.append(record)
        if duplicates and random.random() < 0.2:
            order.append(random.choice([one for one in order if one.channel == channel]))
    return order


def with_indicator_anywhere(
    order: Sequence[IndexRecord], market: Market
) -> Iterator[list[IndexRecord]]:
    """``order`` with the matching indicator at every position, trading beginning at the end."""
    indicator, continuous = market.channels[SESSIONS]
    for place in range(len(order) + 1):
        yield [*order[:place], indicator, *order[place:], continuous]


def with_times(order: Sequence[IndexRecord], market: Market) -> list[IndexRecord]:
    """``order`` between heartbeats: all channels are heard before the first record, and after the
    last one they come to the end."""
    return [
        *(TimePassed(channel, 0, 99 * S) for channel in market.channels),
        *order,
        *(TimePassed(channel, 0, market.end) for channel in market.channels),
    ]
