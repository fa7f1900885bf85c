"""Captures of a tiny market day for tests, and what its index values are.

SYNTHETIC. Trading begins at 09:30; every two seconds something trades and the hearts of both
channels beat, so that every moment closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hkex_ops.index.engine import Engine
from hkex_ops.index.records import IndexRecord, SessionRecord, TimePassed, TradeRecord
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.ticks import TickComputed, index_tick
from hkex_ops.model import HONG_KONG, IndexTick
from hkex_ops.omd import Trade, TradingSessionStatus
from hkex_ops.omd.capture import CapturedPacket, CaptureStreams
from hkex_ops.omd.recording import capture_header, capture_record
from hkex_ops.ports import FeedLine, PacketBatch
from tests.flows.index_market import BASKETS, CHANNELS, DAY, Market

__all__ = ["OPENS", "capture_of", "day_of_market", "records_of", "ticks_of"]

OPENS = datetime(DAY.year, DAY.month, DAY.day, 9, 30, tzinfo=HONG_KONG)
_SECURITIES = (5, 700, 941)


def day_of_market(seconds: int = 60, *, sessions: bool = True) -> list[PacketBatch]:
    """What a feed gives from the opening on, one batch a packet, by line A."""
    market = Market(now=OPENS + timedelta(milliseconds=10))
    batches = market.begin()
    if not sessions:
        batches = [one for place, one in enumerate(batches) if place != len(CHANNELS)]
        market.channels[1].sequence -= 1
    for place in range(seconds // 2):
        market.wait(ms=500)
        price = 60_000 + (place * 37 % 11 - 5) * 50
        batches.append(market.send(market.trade(5, price), market.trade(941, 70_000 - place * 10)))
        market.wait(ms=500)
        batches.append(market.send(market.trade(700, 300_000 + place * 200)))
        market.wait(ms=1_000)
        batches += market.heartbeats()
    market.wait(4)
    return [*batches, *market.heartbeats()]


def capture_of(path: Path, batches: Iterable[PacketBatch]) -> Path:
    """Both lines of these batches as a pcapng file."""
    streams = CaptureStreams()
    data = bytearray(capture_header("SYNTHETIC"))
    for batch in batches:
        for line in (FeedLine.A, FeedLine.B):
            group, port = streams.where(batch.channel, str(line))
            for packet in batch.packets:
                data += capture_record(CapturedPacket(batch.received_ns, group, port, packet))
    path.write_bytes(bytes(data))
    return path


def records_of(batches: Iterable[PacketBatch], market: Market) -> list[IndexRecord]:
    """The same as an engine takes it, the slow way: every message decoded, one after the other."""
    found: list[IndexRecord] = []
    for batch in batches:
        for packet in batch.packets:
            header, messages = market.codec.decode_packet(packet)
            sent = header.send_time_ns
            for number, message in enumerate(messages, start=header.sequence):
                if isinstance(message, Trade):
                    found.append(
                        TradeRecord(
                            batch.channel,
                            number,
                            message.security_code,
                            message.trade_id,
                            message.price_3dp,
                            message.quantity,
                            message.trade_type,
                            message.trade_time_ns,
                            sent,
                        )
                    )
                elif isinstance(message, TradingSessionStatus):
                    sub, status = message.trading_session_sub_id, message.trading_session_status
                    market_code = message.market_code
                    found.append(
                        SessionRecord(batch.channel, number, market_code, sub, status, sent)
                    )
            found.append(TimePassed(batch.channel, 0, sent))
    return found


def ticks_of(batches: Sequence[PacketBatch], rules: IndexRules | None = None) -> list[IndexTick]:
    """The ticks of the engine that computes live."""
    engine = Engine(BASKETS, rules or IndexRules(), channels=CHANNELS)
    now = OPENS
    events = [one for record in records_of(batches, Market()) for one in engine.handle(record, now)]
    return [index_tick(one) for one in events if isinstance(one, TickComputed)]
