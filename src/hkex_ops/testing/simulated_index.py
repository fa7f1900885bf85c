"""Some minutes of each business day's market, heard by a feed and made into index values.

The feed of a bench, line arbitration, decoding and the engine are the real ones. The exchange's two
lines lose packets, now and then both the same, line B is late, and what is no packet is among them.
Every packet must be heard as it was sent, and no index value may be wrong and unmarked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, time, timedelta
from random import Random

from attrs import define, field

from hkex_ops.flows.index.pipeline import Pipeline
from hkex_ops.index.engine import Engine
from hkex_ops.index.ticks import TickComputed
from hkex_ops.ports import FeedLine, PacketBatch
from hkex_ops.testing.market_feed_bench import MarketFeedBench, Sent
from hkex_ops.testing.market_feed_heard import heard_of, lines_of, noticed, opened, sent_of
from hkex_ops.testing.simulated import Chronicle, Part
from hkex_ops.testing.simulated_house import at_time
from hkex_ops.testing.simulated_market import INTERVAL_S, Market, Packet, ns_of

__all__ = ["IndexDesk", "ticks_of"]

BEGINS, SECONDS = time(10), 120

# How many packets in a hundred one line loses, and in a thousand both, on one day of three.
LOST_BY_ONE, LOST_BY_BOTH = 12, 15

# The first packets of each channel, with which the day begins, come in time by both lines.
ALWAYS = 4

NONSENSE = (b"\x00", b"\xff" * 15, bytes(40))


@define
class IndexDesk:
    """The engine of one simulation behind one bench."""

    bench: MarketFeedBench
    chronicle: Chronicle
    recorded: list[Sent] = field(factory=list[Sent])

    async def live(self, day: date) -> None:
        """Some minutes of one business date."""
        begins = at_time(day, BEGINS)
        self.chronicle.clock.turn_to(begins)
        sessions, trading, *_ = self.bench.channels
        chance = self.chronicle.chance(day, "market")
        market = Market(day, begins, (sessions, trading), chance)
        packets = list(market.packets(SECONDS))
        sent, lost = self._lines(packets, self.chronicle.chance(day, "lines"))
        heard = await self._heard(sent)
        self.chronicle.clock.turn_to(begins + timedelta(seconds=SECONDS))
        self._judge(market, ticks_of(market, heard), whole=not lost)

    def _lines(self, packets: Sequence[Packet], chance: Random) -> tuple[list[Sent], int]:
        """What comes by which line, in the order of its coming; and what comes by neither."""
        is_bad = chance.randrange(3) == 0
        sent: list[Sent] = []
        lost: Counter[str] = Counter()
        for place, one in enumerate(packets):
            late = timedelta(milliseconds=chance.randrange(80) if place >= ALWAYS else 0)
            losing = _losing(chance, is_bad=is_bad) if place >= ALWAYS else ()
            lost["both" if len(losing) > 1 else "".join(losing)] += 1
            for line, at in ((FeedLine.A, one.at), (FeedLine.B, one.at + late)):
                if line not in losing:
                    sent.append(Sent(one.channel, line, one.raw, ns_of(at)))
            if chance.randrange(100) == 0:
                nonsense = chance.choice(NONSENSE)
                sent.append(Sent(one.channel, FeedLine.A, nonsense, ns_of(one.at)))
                lost["nonsense"] += 1
        self.chronicle.tell(
            Part.FAR_SIDE,
            f"sends {len(packets)} packets by each line; line A loses {lost['A']}, line B "
            f"{lost['B']}, both {lost['both']}; {lost['nonsense']} more are nonsense",
        )
        return sorted(sent, key=lambda one: one.at_ns), lost["both"]

    async def _heard(self, sent: Sequence[Sent]) -> list[PacketBatch]:
        """What the feed made of it, as many at a time as it may leave unheard; in the order of
        sending, for between the lines of a live feed there is none."""
        bench, require = self.bench, self.chronicle.require
        count = bench.capacity_packets if bench.is_live else len(sent)
        batches: list[PacketBatch] = []
        for first in range(0, len(sent), count):
            some = sent[first : first + count]
            # A record begins with what it had before.
            every = some if bench.is_live else [*self.recorded, *some]
            async with opened(bench, some) as feed:
                heard = heard_of(await lines_of(bench, feed, every))
            require(heard == sent_of(every), "packets were not heard as they were sent, by line")
            batches += [
                PacketBatch(one.channel, one.line, one.at_ns, [heard[one.channel, one.line].pop(0)])
                for one in every
            ]
        fresh = batches[-len(sent) :]
        self.recorded += sent
        require(await noticed(lambda: bench.listeners() == 0), "a line was left open")
        return fresh

    def _judge(self, market: Market, ticks: Sequence[TickComputed], *, whole: bool) -> None:
        require = self.chronicle.require
        wrong = [
            f"{one.index} at {one.time_ns}"
            for one in ticks
            if not one.stale and one.value_cents != market.value(one.index, one.time_ns).scaleb(2)
        ]
        require(not wrong, f"wrong and unmarked: {', '.join(wrong)}")
        marked = sum(bool(one.stale) for one in ticks)
        first_ns = ns_of(market.begins)
        expected = {
            (basket.index, first_ns + second * 1_000_000_000)
            for basket in market.baskets
            for second in range(INTERVAL_S, SECONDS + 1, INTERVAL_S)
        }
        lacking = expected - {(one.index, one.time_ns) for one in ticks}
        require(
            not whole or not (lacking or marked),
            f"nothing was lost by both lines; {len(lacking)} values lack, {marked} are marked",
        )
        self.chronicle.tell(
            Part.DESK, f"computes {len(ticks)} index values, {marked} of them marked"
        )


def _losing(chance: Random, *, is_bad: bool) -> tuple[FeedLine, ...]:
    """Which lines lose a packet; both only on a bad day."""
    if chance.randrange(1000) < LOST_BY_BOTH and is_bad:
        return (FeedLine.A, FeedLine.B)
    if chance.randrange(100) < LOST_BY_ONE:
        return (chance.choice((FeedLine.A, FeedLine.B)),)
    return ()


def ticks_of(market: Market, heard: Sequence[PacketBatch]) -> list[TickComputed]:
    """The index values that come of packets, each taken when it came."""
    pipeline = Pipeline(
        Engine(market.baskets, channels=market.channels), market.codec, market.channels
    )
    ticks: list[TickComputed] = []
    for batch in heard:
        now = market.begins + timedelta(
            microseconds=(batch.received_ns - ns_of(market.begins)) // 1000
        )
        for taken in (pipeline.take(batch, now), pipeline.poll(now)):
            ticks += [one for one in taken.data if isinstance(one, TickComputed)]
    return ticks
