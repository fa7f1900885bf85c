"""The bytes of the day: made once, and given to whichever design is to meet them.

What arrives on both lines, in order, with the digest by which two rehearsals show that they met
the same. The lines lose nothing: what happened in 2010 needed no loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from hashlib import sha256

from attrs import frozen

from hkex_ops.config.baskets import structure_baskets
from hkex_ops.config.layouts import load_codec
from hkex_ops.index.basket import Basket
from hkex_ops.index.rules import IndexRules, WatchRules
from hkex_ops.index.ticks import time_ns_of
from hkex_ops.model import HONG_KONG
from hkex_ops.omd.messages import TradingSessionStatus
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.hsil.anchors import BUSINESS_DATE, INTERVAL_S
from hkex_ops_simulator.hsil.script import ScriptedDay
from hkex_ops_simulator.market.baskets import baskets_text
from hkex_ops_simulator.market.channels import INDEX, RECOVERY, STATUS
from hkex_ops_simulator.market.compiler import Published
from hkex_ops_simulator.market.lines import Delivery, Lines
from hkex_ops_simulator.market.packing import Packed, Packer
from hkex_ops_simulator.market.shape import CALM
from hkex_ops_simulator.market.stocks import Universe

__all__ = ["MORNING_ENDS", "RULES_OF_2010", "WATCH_OF_2010", "Replayed", "at"]

# By then all that the papers tell of the morning is over: until here the digest compares two
# rehearsals, and from here on a day that goes on is told sparsely.
MORNING_ENDS = time(10, 45)

# Between the sessions there is nothing to compute, and nothing is said.
_LUNCH = time(12, 31), time(14, 29)

# The hours and intervals of January 2010; everything else is as always. The opening values stood
# for the moment half a minute after the indicator.
OPENING_DELAY_S = 20
RULES_OF_2010 = IndexRules(interval_s=INTERVAL_S, opening_delay_s=OPENING_DELAY_S)

# Opening values are out when every channel has passed their moment, a heartbeat or two later.
WATCH_OF_2010 = WatchRules(opening_due="09:50:45")

_MATCHING = 2


@frozen
class Replayed:
    """The day as it arrives. ``published`` is what the market's own compiler made of it.

    ``channels`` are those that an index depends on; its own values are not among them. ``digest``
    is of what arrives before `MORNING_ENDS`.
    """

    universe: Universe
    channels: tuple[int, ...]
    deliveries: tuple[Delivery, ...]
    published: tuple[Published, ...]
    digest: str

    @classmethod
    def of(cls, seed: int, until: time, *, out_of_sequence: bool = True) -> Replayed:
        """The day of ``seed`` to ``until``; without ``out_of_sequence`` the order is ordinary."""
        day = ScriptedDay(seed, until, out_of_sequence, sparse_from=MORNING_ENDS)
        packets = Packer(load_codec().encode_message).whole(day.sent())
        arrived = Lines(CALM, seed).deliver(_thinned(packets))
        deliveries = tuple(one for one in arrived if one.channel not in (INDEX, RECOVERY))
        digest, morning_ns = sha256(), time_ns_of(at(MORNING_ENDS))
        for one in deliveries:
            if one.time_ns >= morning_ns:
                break
            digest.update(f"{one.time_ns} {one.channel} {one.line.value} ".encode() + one.packet)
        channels = tuple(channel for channel in day.channels if channel != INDEX)
        published = tuple(day.published)
        return cls(day.universe, channels, deliveries, published, digest.hexdigest())

    @property
    def baskets_text(self) -> str:
        """The basket file that belongs to it."""
        return baskets_text(self.universe, BUSINESS_DATE)

    @property
    def baskets(self) -> tuple[Basket, ...]:
        """The baskets, read as an operator's file is."""
        return structure_baskets(self.baskets_text, document="baskets.toml")

    def line(self, line: FeedLine) -> Iterator[Delivery]:
        """What arrives by one line."""
        return (one for one in self.deliveries if one.line is line)

    def without_indicator(self, line: FeedLine) -> Iterator[Delivery]:
        """What arrives by one line, but for the packet that carries the matching indicator."""
        codec = load_codec()
        for one in self.line(line):
            messages = codec.decode_packet(one.packet).messages if one.channel == STATUS else ()
            if not any(
                isinstance(message, TradingSessionStatus)
                and message.trading_session_sub_id == _MATCHING
                for message in messages
            ):
                yield one

    def between(self, start: datetime, until: datetime) -> Iterator[Delivery]:
        """What arrives from one moment to before another."""
        start_ns, until_ns = time_ns_of(start), time_ns_of(until)
        return (one for one in self.deliveries if start_ns <= one.time_ns < until_ns)


def _thinned(packets: Iterable[Packed]) -> Iterator[Packed]:
    """``packets``; after the morning a quiet channel says so once an interval, not at lunch."""
    morning_ns, lunch_ns, again_ns = (time_ns_of(at(moment)) for moment in (MORNING_ENDS, *_LUNCH))
    said: dict[int, int] = {}
    for one in packets:
        if not one.messages and one.time_ns >= morning_ns:
            interval = one.time_ns // RULES_OF_2010.interval_ns
            if said.get(one.channel) == interval or lunch_ns <= one.time_ns < again_ns:
                continue
            said[one.channel] = interval
        yield one


def at(moment: time, day: date = BUSINESS_DATE) -> datetime:
    """A time of the day, as an instant."""
    return datetime.combine(day, moment, HONG_KONG)
