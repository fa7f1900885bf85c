"""Decode and encode: bytes to messages and back, by the layouts of one spec version.

Knows no channel, no order and no line. A message is stepped over by its own size: one of a newer
version that is longer decodes, and keeps its tail. Values are not compared with the enumerations
of the day, fillers are kept as they came, so that what was decoded encodes to the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct, error as StructError
from types import MappingProxyType
from typing import NamedTuple, TypeVar, cast

from hkex_ops.errors import UsageError
from hkex_ops.omd.layout import HEADER_BYTES, Layout
from hkex_ops.omd.messages import Message, SequenceReset, UnknownMessage
from hkex_ops.omd.packet import (
    MAX_MESSAGES,
    MAX_PACKET_BYTES,
    PACKET_HEADER_BYTES,
    Octets,
    PacketHeader,
    message_header,
    next_message,
    packet_header,
    walk,
)
from hkex_ops.omd.plans import Plan, Unpack, new, plan_of

__all__ = ["Codec", "DecodedPacket"]

M = TypeVar("M", bound=Message)

_size_and_type = Struct("<I").unpack_from
_size_and_count = Struct("<HB").unpack_from
_header_of = packet_header.unpack_from
_ROOM_BYTES = MAX_PACKET_BYTES - PACKET_HEADER_BYTES
_STRAIGHT_READERS = 4_096


class DecodedPacket(NamedTuple):
    """A packet read: its header, and its messages in order."""

    header: PacketHeader
    messages: tuple[Message, ...]


class Codec:
    """Reads and writes the messages of one spec version. Threads may share it.

    A message is recognised by size and type at once, as one number. What reads messages of that
    very size in a straight line is made when the first one came, and kept; whatever is not as
    such messages mostly are, faults before all, is read again step by step.
    """

    def __init__(self, layout: Layout) -> None:
        """`UsageError` when a table and the tuple it names do not agree."""
        self.layout: Layout = layout
        self.spec: str = layout.spec
        plans = [plan_of(message, layout.spec) for message in layout.messages]
        self._plans: Mapping[int, Plan] = {plan.layout.type: plan for plan in plans}
        self._by_kind: Mapping[type[Message], Plan] = {plan.kind: plan for plan in plans}
        self._straight: dict[int, tuple[Unpack, type[Message], int]] = {}
        # Those that are whole when they are of this size: no groups, and not a Sequence Reset.
        self._sizes: Mapping[int, int] = {
            plan.layout.size_bytes | type << 16: plan.layout.size_bytes
            for type, plan in self._plans.items()
            if not plan.groups and type != SequenceReset.TYPE
        }

    @property
    def kinds(self) -> Mapping[int, type[Message]]:
        """The kinds of messages that this version has, by type."""
        return MappingProxyType({type: plan.kind for type, plan in self._plans.items()})

    def decode_packet(self, data: Octets, *, skip: int = 0) -> DecodedPacket:
        """The packet that ``data`` is, whole and nothing else; without its first ``skip`` messages.

        `WireError` says where it disobeys: too short or too long, messages that do not fill it or
        do not fit in it, a message shorter than its fields.
        """
        messages = self.decode_messages(data)
        if skip:
            del messages[:skip]
        header = new(PacketHeader, _header_of(data))
        return new(DecodedPacket, (header, tuple(messages)))

    def decode_messages(self, data: Octets) -> list[Message]:
        """The messages of :meth:`decode_packet` alone: cheaper, for the header it leaves out."""
        messages: list[Message] = []
        append, straight, key = messages.append, self._straight, _size_and_type
        offset = PACKET_HEADER_BYTES
        try:
            end, left = _size_and_count(data)
            while left:
                unpack, kind, size = straight[key(data, offset)[0]]
                append(new(kind, unpack(data, offset)))
                offset += size
                left -= 1
        except (KeyError, StructError):
            return self._step_by_step(data)
        if offset != end or end != len(data) or end > MAX_PACKET_BYTES:
            return self._step_by_step(data)
        return messages

    def decode_message(self, data: Octets, offset: int = 0) -> Message:
        """The message that begins at ``offset``; what follows it is not looked at."""
        size, type = next_message(data, offset, len(data), spec=self.spec)
        return self._decoded(data, offset, size, type)

    def check(self, packet: Octets) -> int:
        """`WireError` where :meth:`decode_packet` would raise one; cheaper, as nothing is made.

        Says at which place, counted from 0, the first Sequence Reset is; -1 when there is none.
        """
        sizes, key = self._sizes, _size_and_type
        offset = PACKET_HEADER_BYTES
        try:
            end, left = _size_and_count(packet)
            while left:
                offset += sizes[key(packet, offset)[0]]
                left -= 1
        except (KeyError, StructError):
            return self._check_step_by_step(packet)
        if offset != end or end != len(packet) or end > MAX_PACKET_BYTES:
            return self._check_step_by_step(packet)
        return -1

    def encode_message(self, message: Message) -> bytes:
        """The bytes of a message with its header.

        Bytes shorter than their field are padded. `UsageError` when a value has no room in its
        field, or the kind is none of this version.
        """
        if isinstance(message, UnknownMessage):
            size = HEADER_BYTES + len(message.body)
            if size > _ROOM_BYTES or not 0 <= message.type <= 0xFFFF:
                raise UsageError(f"no packet has room for message type {message.type} of {size}")
            return message_header.pack(size, message.type) + message.body
        return self._plan(type(message)).encode(message)

    def encode_packet(
        self, messages: Iterable[Message], *, sequence: int, send_time_ns: int, filler: int = 0
    ) -> bytes:
        """The packet of these messages, a heartbeat without any; `UsageError` if it is too long."""
        encoded = [self.encode_message(message) for message in messages]
        return _framed(encoded, sequence, send_time_ns, filler)

    def pack(
        self, messages: Iterable[Message], *, sequence: int, send_time_ns: int, filler: int = 0
    ) -> list[bytes]:
        """The messages in as few packets as there can be, numbered from ``sequence`` on."""
        packets: list[bytes] = []
        waiting: list[bytes] = []
        room = _ROOM_BYTES
        for message in messages:
            encoded = self.encode_message(message)
            if waiting and (len(encoded) > room or len(waiting) == MAX_MESSAGES):
                packets.append(_framed(waiting, sequence, send_time_ns, filler))
                sequence += len(waiting)
                waiting, room = [], _ROOM_BYTES
            waiting.append(encoded)
            room -= len(encoded)
        if waiting:
            packets.append(_framed(waiting, sequence, send_time_ns, filler))
        return packets

    def blank(self, kind: type[M]) -> M:
        """A message of ``kind`` that says nothing: 0, spaces, no items; to be filled with _replace.

        >>> from hkex_ops.config.layouts import load_codec
        >>> from hkex_ops.omd import Trade
        >>> codec = load_codec("omd-c-1.45")
        >>> trade = codec.blank(Trade)._replace(security_code=5, price_3dp=61_850, quantity=400)
        >>> codec.decode_message(codec.encode_message(trade)) == trade
        True
        """
        return cast("M", self._plan(cast("type[Message]", kind)).blank())

    def _plan(self, kind: type[Message]) -> Plan:
        plan = self._by_kind.get(kind)
        if plan is None:
            raise UsageError(f"{kind.__name__} is no message of {self.spec}")
        return plan

    def _step_by_step(self, data: Octets) -> list[Message]:
        """The messages of a packet, one after the other, each looked at; or the `WireError`."""
        messages: list[Message] = []
        sizes: list[tuple[int, int]] = []
        for _, type, offset, size in walk(data, spec=self.spec):
            messages.append(self._decoded(data, offset, size, type))
            sizes.append((size, type))
        for size, type in sizes:
            plan = self._plans.get(type)
            # Bounded: a feed has a few sizes of each type, and only mischief has them all.
            if plan is not None and len(self._straight) < _STRAIGHT_READERS:
                self._straight[size | type << 16] = (plan.reader(size), plan.kind, size)
        return messages

    def _check_step_by_step(self, packet: Octets) -> int:
        reset = -1
        for index, (_, type, offset, size) in enumerate(walk(packet, spec=self.spec)):
            plan = self._plans.get(type)
            if plan is not None:
                plan.check(packet, offset, size)
            if type == SequenceReset.TYPE and reset < 0:
                reset = index
        return reset

    def _decoded(self, data: Octets, offset: int, size: int, type: int) -> Message:
        plan = self._plans.get(type)
        if plan is None:
            return UnknownMessage(type, bytes(data[offset + HEADER_BYTES : offset + size]))
        return plan.decode(data, offset, size)


def _framed(encoded: Sequence[bytes], sequence: int, send_time_ns: int, filler: int) -> bytes:
    size = PACKET_HEADER_BYTES + sum(map(len, encoded))
    if size > MAX_PACKET_BYTES or len(encoded) > MAX_MESSAGES:
        raise UsageError(
            f"a packet has room for {MAX_PACKET_BYTES} bytes and {MAX_MESSAGES} messages, not for "
            f"{len(encoded)} of {size} bytes together"
        )
    try:
        header = packet_header.pack(size, len(encoded), filler, sequence, send_time_ns)
    except StructError:
        raise UsageError(
            f"a packet header has no room for sequence {sequence}, time {send_time_ns} ns and "
            f"filler {filler}"
        ) from None
    return header + b"".join(encoded)
