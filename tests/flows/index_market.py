"""A tiny market for tests: three stocks, two indexes, two channels, and packets made by hand.

SYNTHETIC. One channel has the trades, one the trading sessions; both beat their hearts when told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from attrs import define, field

from hkex_ops.config.layouts import load_codec
from hkex_ops.index.basket import Basket, Constituent
from hkex_ops.model import HONG_KONG
from hkex_ops.omd import AddOrder, Codec, SequenceReset, Trade, TradingSessionStatus
from hkex_ops.omd.messages import Message
from hkex_ops.ports import FeedLine, PacketBatch

__all__ = [
    "BASKETS",
    "BASKET_FILE",
    "CHANNELS",
    "DAY",
    "SESSIONS",
    "TEN",
    "TRADES",
    "Channel",
    "Market",
    "at_ns",
    "write_baskets",
]

DAY = date(2026, 11, 20)
TEN = datetime(2026, 11, 20, 10, tzinfo=HONG_KONG)
SESSIONS, TRADES = 1, 30
CHANNELS = (SESSIONS, TRADES)
CONTINUOUS = 3

BASKETS: tuple[Basket, ...] = (
    Basket(
        "0000100",
        "Two of three (SYNTHETIC)",
        DAY,
        Decimal("20000.00"),
        (
            Constituent(5, 1_000, 100, 10_000, previous_close_3dp=60_000),
            Constituent(700, 500, 85, 10_000, previous_close_3dp=300_000),
        ),
    ),
    Basket(
        "0001400",
        "The third (SYNTHETIC)",
        DAY,
        Decimal("8000.00"),
        (Constituent(941, 2_000, 30, 10_000, previous_close_3dp=70_000),),
    ),
)

BASKET_FILE = "\n".join(
    [
        "# SYNTHETIC",
        *(
            line
            for basket in BASKETS
            for line in (
                "[[baskets]]",
                f'index = "{basket.index}"',
                f'name = "{basket.name}"',
                f"business_date = {basket.business_date}",
                f'previous_close = "{basket.previous_close}"',
                "constituents = [",
                *(
                    f"  {{ security = {one.security}, issued_shares = {one.issued_shares}, "
                    f'freefloat_factor = "{Decimal(one.freefloat_factor).scaleb(-2)}", '
                    f'previous_close = "{Decimal(one.previous_close_3dp or 0).scaleb(-3)}" }},'
                    for one in basket.constituents
                ),
                "]",
            )
        ),
        "",
    ]
)
"""The same baskets as a file that a person could have written."""


def write_baskets(path: Path) -> Path:
    """Put the basket file at ``path``."""
    path.write_text(BASKET_FILE, encoding="utf-8")
    return path


def at_ns(at: datetime) -> int:
    """A moment as the wire tells it."""
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1_000


@define
class Channel:
    """One channel being sent: the next number, and everything sent so far."""

    number: int
    codec: Codec
    sequence: int = 1
    packets: list[bytes] = field(factory=list[bytes])

    def send(self, messages: Sequence[Message], at: datetime) -> bytes:
        """A packet of these messages, or a heartbeat without any."""
        sequence = self.sequence if messages else self.sequence - 1
        packet = self.codec.encode_packet(messages, sequence=sequence, send_time_ns=at_ns(at))
        self.sequence += len(messages)
        self.packets.append(packet)
        return packet


@define
class Market:
    """The two channels, and what their messages say. ``now`` is the time at the exchange."""

    now: datetime = TEN
    codec: Codec = field(factory=load_codec)
    channels: dict[int, Channel] = field(init=False)
    traded: dict[int, int] = field(factory=dict[int, int])

    def __attrs_post_init__(self) -> None:
        self.channels = {number: Channel(number, self.codec) for number in CHANNELS}

    def wait(self, seconds: int = 0, *, ms: int = 0) -> None:
        """Let time pass at the exchange."""
        self.now += timedelta(seconds=seconds, milliseconds=ms)

    def batch(
        self, channel: int, packets: Iterable[bytes], line: FeedLine = FeedLine.A
    ) -> PacketBatch:
        """Packets as a feed would give them now."""
        return PacketBatch(channel, line, at_ns(self.now), tuple(packets))

    def begin(self) -> list[PacketBatch]:
        """The numbers begin, and continuous trading. Two messages on each channel: until the second
        has come nobody knows whether the reset has a number of its own."""
        reset = self.codec.blank(SequenceReset)._replace(new_sequence=1)
        session = self.codec.blank(TradingSessionStatus)._replace(
            market_code_ascii=b"MAIN", trading_session_sub_id=CONTINUOUS, trading_session_status=30
        )
        order = self.codec.blank(AddOrder)._replace(security_code=5)
        return [
            *(self.send(reset, channel=channel) for channel in CHANNELS),
            self.send(session, channel=SESSIONS),
            self.send(order, channel=TRADES),
        ]

    def trade(self, security: int, price_3dp: int, quantity: int = 100) -> Trade:
        """The next trade of a stock, not sent yet."""
        self.traded[security] = trade_id = self.traded.get(security, 0) + 1
        return self.codec.blank(Trade)._replace(
            security_code=security,
            trade_id=trade_id,
            price_3dp=price_3dp,
            quantity=quantity,
            trade_time_ns=at_ns(self.now),
        )

    def send(self, *messages: Message, channel: int = TRADES) -> PacketBatch:
        """One packet with these messages."""
        return self.batch(channel, [self.channels[channel].send(messages, self.now)])

    def heartbeats(self) -> list[PacketBatch]:
        """A heartbeat on every channel."""
        return [self.batch(one, [self.channels[one].send([], self.now)]) for one in CHANNELS]
