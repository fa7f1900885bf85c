"""Some minutes of a tiny market as packets of two lines, and what its indexes are at each moment.

SYNTHETIC: three stocks, two indexes, two channels. The values are worked out here with fractions,
from the trades as they were sent; nothing of the library's index arithmetic is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from attrs import define, field

from hkex_ops.config.layouts import load_codec
from hkex_ops.index.basket import Basket, Constituent
from hkex_ops.omd import AddOrder, Codec, SequenceReset, Trade, TradingSessionStatus
from hkex_ops.omd.messages import Message

__all__ = ["INTERVAL_S", "Market", "Packet", "ns_of"]

INTERVAL_S = 2
CONTINUOUS, OPEN = 3, 30

# Security: issued shares, freefloat factor in hundredths, previous close in thousandths.
_INDEXES = {
    "0000100": (Decimal("20000.00"), {5: (1000, 100, 60_000), 700: (500, 85, 300_000)}),
    "0001400": (Decimal("8000.00"), {941: (2000, 30, 70_000)}),
}


@define
class Packet:
    """One packet of a channel, and when the exchange sends it."""

    channel: int
    at: datetime
    raw: bytes


@define
class Market:
    """A market of one business date from ``begins`` on; ``channels`` are those of sessions and of
    trades."""

    day: date
    begins: datetime
    channels: tuple[int, int]
    chance: Random
    codec: Codec = field(factory=load_codec)
    trades: list[tuple[int, int, int]] = field(factory=list[tuple[int, int, int]])
    _sequences: dict[int, int] = field(factory=dict[int, int])

    @property
    def baskets(self) -> Sequence[Basket]:
        """What the indexes are made of."""
        return [
            Basket(
                index,
                f"{index} (SYNTHETIC)",
                self.day,
                close,
                tuple(
                    Constituent(security, shares, freefloat, 10_000, previous_close_3dp=previous)
                    for security, (shares, freefloat, previous) in stocks.items()
                ),
            )
            for index, (close, stocks) in _INDEXES.items()
        ]

    def packets(self, seconds: int) -> Iterator[Packet]:
        """Everything that is sent in so many seconds: the numbers begin, stocks trade, and both
        channels beat their hearts."""
        codec, (sessions, trading) = self.codec, self.channels
        at = self.begins
        for channel in self.channels:
            yield self._packet(channel, at, codec.blank(SequenceReset)._replace(new_sequence=1))
        session = codec.blank(TradingSessionStatus)._replace(
            market_code_ascii=b"MAIN",
            trading_session_sub_id=CONTINUOUS,
            trading_session_status=OPEN,
        )
        yield self._packet(sessions, at, session)
        yield self._packet(trading, at, codec.blank(AddOrder)._replace(security_code=5))
        for second in range(1, seconds + 1):
            for step in range(self.chance.choice([0, 0, 1, 2])):
                at = self.begins + timedelta(seconds=second, milliseconds=100 * step)
                count = self.chance.choice([1, 1, 2])
                yield self._packet(trading, at, *[self._trade(at) for _ in range(count)])
            at = self.begins + timedelta(seconds=second, milliseconds=500)
            for channel in self.channels:
                yield self._packet(channel, at)

    def value(self, index: str, time_ns: int) -> Decimal:
        """What an index is at a moment: of all that was sent before it."""
        close, stocks = _INDEXES[index]
        prices = {security: previous for security, (_, _, previous) in stocks.items()}
        prices |= {
            security: price
            for sent_ns, security, price in self.trades
            if sent_ns < time_ns and security in stocks
        }
        weights = {one: shares * freefloat for one, (shares, freefloat, _) in stocks.items()}
        now = sum(prices[one] * weight for one, weight in weights.items())
        before = sum(stocks[one][2] * weight for one, weight in weights.items())
        cents = Fraction(close) * 100 * now / before
        return Decimal(int(cents + Fraction(1, 2))).scaleb(-2)

    def _trade(self, at: datetime) -> Trade:
        [security] = self.chance.choices([5, 700, 941], [6, 3, 1])
        price = self.chance.randrange(50_000, 400_000)
        self.trades.append((ns_of(at), security, price))
        return self.codec.blank(Trade)._replace(
            security_code=security,
            trade_id=sum(one == security for _, one, _ in self.trades),
            price_3dp=price,
            quantity=100,
            trade_time_ns=ns_of(at),
        )

    def _packet(self, channel: int, at: datetime, *messages: Message) -> Packet:
        following = self._sequences.get(channel, 1)
        sequence = following if messages else following - 1
        self._sequences[channel] = following + len(messages)
        raw = self.codec.encode_packet(messages, sequence=sequence, send_time_ns=ns_of(at))
        return Packet(channel, at, raw)


def ns_of(at: datetime) -> int:
    """An instant as the wire tells it."""
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1_000
