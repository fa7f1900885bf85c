"""The plain way of packets: past the arbiter and past the codec, for nearly all of a day.

Messages are walked by size and type, trades are unpacked, and nothing else is read. Nobody is asked
whether a packet is sound: one that cannot be walked to its very end, or holds a message that has to
be looked into, is left where it is, to go the long way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from struct import Struct, error as StructError

from hkex_ops.flows.index.lane import IN_CARE, MOST_EARLY, Early, Lane
from hkex_ops.flows.index.straight_trades import Heard, StraightTrades, TradeFields
from hkex_ops.flows.index.translate import HEARD_TYPES
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import TimePassed
from hkex_ops.omd import SequenceReset, Statistics, Trade
from hkex_ops.omd.packet import PACKET_HEADER_BYTES, message_header
from hkex_ops.ports import PacketBatch

__all__ = ["PlainWay"]

_header = Struct("<HBxIQ").unpack_from
_head = Struct("<HBxIQ2xH").unpack_from  # and the type of the first message
_size_and_type = message_header.unpack_from
_HEAD_BYTES = message_header.size

_trade_fields = Struct("<4xIIiIh2xQ").unpack_from  # from where a trade begins
_TRADE_BYTES = 32

_RESET, _TRADE = SequenceReset.TYPE, Trade.TYPE


def _table(types: Iterable[int]) -> bytes:
    table = bytearray(1 << 16)
    for type in types:
        table[type] = 1
    return bytes(table)


# One byte for each type there can be: whether a message of it is looked into. While no stock is
# marked the statistics that follow every trade on some feeds are of no use.
_HEALS = _table({*HEARD_TYPES, SequenceReset.TYPE})
_HEARD = _table({*HEARD_TYPES, SequenceReset.TYPE} - {Statistics.TYPE})


class PlainWay:
    """The plain way to one engine."""

    def __init__(self, engine: Engine, straight: StraightTrades) -> None:
        self._engine = engine
        self._straight = straight

    def work(
        self,
        lane: Lane,
        batch: PacketBatch,
        place: int,
        now: datetime,
        data: list[Heard],
    ) -> int:
        """Work on packets from ``place`` on without asking the arbiter; where the first one stands
        that is not plain.

        Plain is the next packet of the channel, if no message in it is heard but trades, a copy of
        what is known, and one that overtook another. Half of what a live engine does is done here,
        so it is one loop that calls nothing.
        """
        if lane.next == IN_CARE:
            return place
        trades: list[TradeFields] = []
        times: list[tuple[int, TimePassed]] = []
        stopped = _walk(lane, batch, place, self._engine, trades, times)
        if trades or times:
            self._straight.work(trades, times, now, data)
        return stopped


def _walk(
    lane: Lane,
    batch: PacketBatch,
    place: int,
    engine: Engine,
    trades: list[TradeFields],
    times: list[tuple[int, TimePassed]],
) -> int:
    """The walk itself: trades and passed times are put into the lists; where it stopped."""
    channel, line, at_ns, packets = batch
    following, early = lane.next, lane.early
    overdue = bool(early) and lane.is_overdue(at_ns)
    heard, stocks = _HEALS if engine.marked else _HEARD, engine.stocks
    moment = engine.sequencer.moment
    stopped = len(packets)
    for at, packet in enumerate(packets[place:], place):
        try:
            length, count, sequence, sent_ns, kind = _head(packet)
        except StructError:
            if len(packet) != PACKET_HEADER_BYTES:
                stopped = at
                break
            (length, count, sequence, sent_ns), kind = _header(packet), 0
        end = sequence + count
        if sequence < following >= end and kind != _RESET and length == len(packet):
            if not count and sent_ns >= moment:
                times.append((len(trades), TimePassed(channel, following - 1, sent_ns)))
            continue
        if sequence <= following:
            found, first = trades, following
        elif sequence in early and early[sequence][1] >= count:
            continue
        else:
            found, first = [], sequence
        before, byte = len(found), PACKET_HEADER_BYTES
        try:
            for number in range(sequence, end):
                size, kind = _size_and_type(packet, byte)
                if heard[kind]:
                    if kind != _TRADE or size < _TRADE_BYTES:
                        break
                    code, id, price, many, type, traded_ns = _trade_fields(packet, byte)
                    if code in stocks and number >= first:
                        found.append(
                            (channel, number, code, id, price, many, type, traded_ns, sent_ns)
                        )
                elif size < _HEAD_BYTES:
                    break
                byte += size
        except StructError:
            byte = 0
        # A damaged packet must not wait in the place of a good copy.
        if not count or not byte == length == len(packet):
            del found[before:]
            stopped = at
            break
        if found is trades:
            following = end
            if sent_ns >= moment and len(trades) == before:
                times.append((before, TimePassed(channel, end - 1, sent_ns)))
            if early:
                following = _overtakers(channel, early, following, moment, trades, times)
        elif early and (overdue or len(early) >= MOST_EARLY):
            stopped = at
            break
        else:
            if not early:
                lane.wait_anew(at_ns)
                overdue = False
            early[sequence] = packet, count, sent_ns, str(line), at_ns, found
    if early and lane.next != following:
        lane.wait_anew(at_ns)
    lane.next = following
    return stopped


def _overtakers(
    channel: int,
    early: dict[int, Early],
    following: int,
    moment: int,
    trades: list[TradeFields],
    times: list[tuple[int, TimePassed]],
) -> int:
    """Packets that had overtaken the one which has come now; the number that follows them."""
    while early:
        number = following if following in early else min(early)
        if number > following:
            break
        _, count, sent_ns, _, _, found = early.pop(number)
        if number + count <= following:
            continue
        before = len(trades)
        if found:
            trades += [trade for trade in found if trade[1] >= following]
        following = number + count
        if sent_ns >= moment and len(trades) == before:
            times.append((before, TimePassed(channel, following - 1, sent_ns)))
    return following
