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

from hkex_ops.errors import UsageError, WireError
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
from hkex_ops.omd.plans import Make, Plan, Unpack, plan_of

__all__ = ["Codec", "DecodedPacket"]

M = TypeVar("M", bound=Message)

_size_and_type = Struct("<I").unpack_from
_ROOM_BYTES = MAX_PACKET_BYTES - PACKET_HEADER_BYTES


class DecodedPacket(NamedTuple):
    """A packet read: its header, and its messages in order."""

    header: PacketHeader
    messages: tuple[Message, ...]


class Codec:
    """Reads and writes the messages of one spec version. Has no state; threads may share it."""

    def __init__(self, layout: Layout) -> None:
        """`UsageError` when a table and the tuple it names do not agree."""
        self.layout = layout
        self.spec = layout.spec
        plans = [plan_of(message, layout.spec) for message in layout.messages]
        self._plans: Mapping[int, Plan] = {plan.layout.type: plan for plan in plans}
        self._by_kind: Mapping[type[Message], Plan] = {plan.kind: plan for plan in plans}
        # Size and type as one number: a message of the very length of its fields, and no groups,
        # is recognised and known to be whole in one look.
        self._exact: Mapping[int, tuple[Unpack, Make[Message]]] = {
            plan.layout.size_bytes | plan.layout.type << 16: (plan.unpack, plan.make)
            for plan in plans
            if not plan.groups
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
        try:
            header = PacketHeader._make(packet_header.unpack_from(data))
            end = header.size_bytes
            if len(data) != end or end > MAX_PACKET_BYTES:
                raise self._refusal(data)
            messages: list[Message] = []
            append = messages.append
            exact = self._exact
            offset = PACKET_HEADER_BYTES
            for _ in range(header.message_count):
                (key,) = _size_and_type(data, offset)
                found = exact.get(key)
                if found is not None:
                    unpack, make = found
                    append(make(unpack(data, offset + HEADER_BYTES)))
                    offset += key & 0xFFFF
                else:
                    size, type = next_message(data, offset, end, spec=self.spec)
                    append(self._decoded(data, offset, size, type))
                    offset += size
        except StructError:
            raise self._refusal(data) from None
        if offset != end:
            raise self._refusal(data)
        if skip:
            del messages[:skip]
        return DecodedPacket(header, tuple(messages))

    def decode_message(self, data: Octets, offset: int = 0) -> Message:
        """The message that begins at ``offset``; what follows it is not looked at."""
        size, type = next_message(data, offset, len(data), spec=self.spec)
        return self._decoded(data, offset, size, type)

    def check(self, packet: Octets) -> int:
        """`WireError` where :meth:`decode_packet` would raise one; cheaper, as nothing is made.

        Says at which place, counted from 0, the first Sequence Reset is; -1 when there is none.
        """
        reset = -1
        exact = self._exact
        try:
            end, count, _, _, _ = packet_header.unpack_from(packet)
            if len(packet) != end or end > MAX_PACKET_BYTES:
                raise self._refusal(packet)
            offset = PACKET_HEADER_BYTES
            for index in range(count):
                (key,) = _size_and_type(packet, offset)
                if key not in exact:
                    size, type = next_message(packet, offset, end, spec=self.spec)
                    plan = self._plans.get(type)
                    if plan is not None:
                        plan.check(packet, offset, size)
                if key >> 16 == SequenceReset.TYPE and reset < 0:
                    reset = index
                offset += key & 0xFFFF
        except StructError:
            raise self._refusal(packet) from None
        if offset != end:
            raise self._refusal(packet)
        return reset

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

    def _decoded(self, data: Octets, offset: int, size: int, type: int) -> Message:
        plan = self._plans.get(type)
        if plan is None:
            return UnknownMessage(type, bytes(data[offset + HEADER_BYTES : offset + size]))
        return plan.decode(data, offset, size)

    def _refusal(self, data: Octets) -> WireError:
        """What is wrong with a packet that cannot be read, found by walking it step by step."""
        try:
            for _, type, offset, size in walk(data, spec=self.spec):
                plan = self._plans.get(type)
                if plan is not None:
                    plan.check(data, offset, size)
        except WireError as error:
            return error
        return WireError("the packet cannot be read", offset=0, spec=self.spec)


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
