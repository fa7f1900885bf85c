"""The contingency systems' own way from packets to records, of another make than the engines'.

No arbiter, no subscription: every packet is decoded whole through the typed codec, and every
message has its place by its number alone. What is behind a hole waits a moment for the hole to be
filled, by whatever line; then the hole is told as lost and the channel goes on. Shares with the
engines the codec and the records, nothing else; `tests` hold it to that.
"""

from __future__ import annotations

from hkex_ops.errors import WireError
from hkex_ops.index.records import (
    ChannelRestarted,
    ClosingPriceRecord,
    CurrencyRateRecord,
    IndexRecord,
    PreviousCloseRecord,
    QuarantinedRecord,
    RecordsLost,
    SecurityStatusRecord,
    SessionRecord,
    StatisticsRecord,
    TimePassed,
    TradeCancelRecord,
    TradeRecord,
)
from hkex_ops.omd import (
    ClosingPrice,
    Codec,
    CurrencyRate,
    SecurityDefinition,
    SecurityDefinition2018,
    SecurityStatus,
    SequenceReset,
    Statistics,
    Trade,
    TradeCancel,
    TradingSessionStatus,
    UnknownMessage,
)
from hkex_ops.omd.messages import Message

__all__ = ["HELD_MESSAGES", "HOLE_WAIT_MS", "OwnChannel", "record_from"]

HOLE_WAIT_MS = 300
"""How long a missing message is waited for before it is told as lost."""

HELD_MESSAGES = 500_000
"""How many messages may wait behind a hole; with more it is told as lost at once."""

COPY_WITHIN_NS = 10_000_000_000
"""Two Sequence Resets this close together are the two lines' copies of one."""

BANNED = "it ended an engine and is held back for good"
"""The reason that a quarantined record bears."""

_SUSPENDED = 2
_HEADER_BYTES = 16
_LEAST_BYTES = 4
_NO_TYPE = 0x80  # in the upper byte of a type: no message has it
_TYPE_BITS = 0x7FFF
_NS_PER_MS = 1_000_000


class OwnChannel:
    """One channel: packets by whatever line go in, records in the order of their numbers come out.

    Times are nanoseconds of the feed. ``banned`` are the numbers of messages that ended a process:
    they are not looked into, and said to be quarantined.
    """

    def __init__(self, channel: int, codec: Codec) -> None:
        self._channel = channel
        self._decode = codec.decode_packet
        self._next = 1
        self._waiting: dict[int, tuple[Message, int]] = {}
        self._hole_since_ns: int | None = None
        self._reset_ns = -COPY_WITHIN_NS
        self._reset_number = 0
        self.banned: set[int] = set()

    def take(self, packet: bytes, now_ns: int, *, again: bool = False) -> list[IndexRecord]:
        """A packet came. ``again`` says that it was sent again, and so long after its event."""
        if self.banned and len(packet) >= _HEADER_BYTES:
            packet = _masked(packet, self.banned)
        try:
            header, messages = self._decode(packet)
        except WireError:
            # The other line, or nobody, has what it said; a hole tells.
            return []
        sent_ns = 0 if again else header.send_time_ns
        if any(isinstance(message, SequenceReset) for message in messages) and not again:
            return self._reset(messages, sent_ns, now_ns)
        for place, message in enumerate(messages):
            if header.sequence + place >= self._next:
                self._waiting.setdefault(header.sequence + place, (message, sent_ns))
        found = self._in_order(now_ns)
        whole = not self._waiting and (
            messages
            or header.sequence < self._next
            or header.sequence == self._next == self._reset_number
        )
        if whole and not again:
            found.append(TimePassed(self._channel, self._next - 1, sent_ns))
        return found

    def give_up(self, now_ns: int) -> list[IndexRecord]:
        """The hole that was waited for is told as lost, and the rest goes on."""
        hole = self.hole
        if hole is None:
            return []
        begin, end = hole
        self._next, self._hole_since_ns = end + 1, None
        if begin == end == self._reset_number:
            # Whether a Sequence Reset uses up its number, the specification leaves open.
            return self._in_order(now_ns)
        return [RecordsLost(self._channel, begin, end, 0), *self._in_order(now_ns)]

    def has_waited(self, now_ns: int) -> bool:
        """Whether there is a hole that has been waited for long enough."""
        since = self._hole_since_ns
        if since is None:
            return False
        return now_ns - since >= HOLE_WAIT_MS * _NS_PER_MS or len(self._waiting) > HELD_MESSAGES

    @property
    def hole(self) -> tuple[int, int] | None:
        """The first numbers that are missing, as far as others behind them tell."""
        return (self._next, min(self._waiting) - 1) if self._waiting else None

    def _reset(self, messages: tuple[Message, ...], sent_ns: int, now_ns: int) -> list[IndexRecord]:
        """Numbers begin anew, unless this is the other line's copy of what is known."""
        if sent_ns - self._reset_ns < COPY_WITHIN_NS:
            return []
        place, reset = next(
            (place, one) for place, one in enumerate(messages) if isinstance(one, SequenceReset)
        )
        self._reset_ns, self._reset_number = sent_ns, reset.new_sequence
        self._next, self._hole_since_ns = reset.new_sequence, None
        self._waiting = {
            reset.new_sequence + 1 + behind: (message, sent_ns)
            for behind, message in enumerate(messages[place + 1 :])
        }
        restarted = ChannelRestarted(self._channel, 0, sent_ns)
        return [restarted, *self._in_order(now_ns)]

    def _in_order(self, now_ns: int) -> list[IndexRecord]:
        found: list[IndexRecord] = []
        while self._next in self._waiting:
            message, sent_ns = self._waiting.pop(self._next)
            record = self._judged(message, sent_ns)
            if record is not None:
                found.append(record)
            self._next += 1
        if not self._waiting:
            self._hole_since_ns = None
        elif self._hole_since_ns is None:
            self._hole_since_ns = now_ns
        return found

    def _judged(self, message: Message, sent_ns: int) -> IndexRecord | None:
        """The record that the next message is, if it is of interest and not banned."""
        if self._next not in self.banned:
            return record_from(message, self._channel, self._next, sent_ns)
        security = trade_id = 0
        if isinstance(message, UnknownMessage):
            # Veiled, it still begins with the code of its stock, if it is of one.
            security = int.from_bytes(message.body[:4], "little")
            if message.type & _TYPE_BITS == Trade.TYPE:
                trade_id = int.from_bytes(message.body[4:8], "little")
        return QuarantinedRecord(self._channel, self._next, security, trade_id, BANNED, sent_ns)


def _masked(packet: bytes, banned: set[int]) -> bytes:
    """``packet`` with its banned messages made ones of no type that is looked into; nothing at all
    where it is not clear which bytes are which message."""
    first, count = int.from_bytes(packet[4:8], "little"), packet[2]
    if banned.isdisjoint(range(first, first + count)):
        return packet
    parts, at = [packet[:_HEADER_BYTES]], _HEADER_BYTES
    for number in range(first, first + count):
        size = int.from_bytes(packet[at : at + 2], "little")
        part = packet[at : at + size]
        if not _LEAST_BYTES <= size == len(part):
            return b""
        if number in banned:
            part = part[:3] + bytes([part[3] | _NO_TYPE]) + part[4:]
        parts.append(part)
        at += size
    return b"".join(parts)


def record_from(message: Message, channel: int, number: int, sent_ns: int) -> IndexRecord | None:
    """The record that a typed message is; nothing for what no index depends on."""
    match message:
        case Trade(code, trade_id, price, quantity, kind, _, traded_ns):
            return TradeRecord(
                channel, number, code, trade_id, price, quantity, kind, traded_ns, sent_ns
            )
        case TradeCancel(code, trade_id):
            return TradeCancelRecord(channel, number, code, trade_id, sent_ns)
        case TradingSessionStatus():
            session, status = message.trading_session_sub_id, message.trading_session_status
            return SessionRecord(channel, number, message.market_code, session, status, sent_ns)
        case ClosingPrice(code, price):
            return ClosingPriceRecord(channel, number, code, price, sent_ns)
        case SecurityDefinition() | SecurityDefinition2018():
            price = message.previous_closing_price_3dp
            return PreviousCloseRecord(channel, number, message.security_code, price, sent_ns)
        case Statistics(code, shares, _, high, low, last):
            return StatisticsRecord(channel, number, code, last, high, low, shares, sent_ns)
        case SecurityStatus(code, indicator):
            return SecurityStatusRecord(channel, number, code, indicator == _SUSPENDED, sent_ns)
        case CurrencyRate():
            factor, rate = message.currency_factor, message.currency_rate_4dp
            return CurrencyRateRecord(channel, number, message.currency_code, factor, rate, sent_ns)
        case _:
            return None
