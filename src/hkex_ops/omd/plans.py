"""A message layout compiled: bytes to a tuple and back, by way of :mod:`struct`.

The codec's workshop and nobody else's. A tuple is made by ``tuple.__new__`` straight from what
struct unpacked, twice as fast as by its class; a field of no bytes at the end of the format gives
the tuple its empty tail for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, pairwise
from struct import Struct, error as StructError
from typing import TypeAlias, TypeVar, cast

from attrs import frozen

from hkex_ops.errors import UsageError, WireError
from hkex_ops.omd.layout import HEADER_BYTES, FieldLayout, GroupLayout, MessageLayout, WireType
from hkex_ops.omd.messages import ITEMS, KINDS, Message
from hkex_ops.omd.packet import MAX_PACKET_BYTES, Octets, message_header

__all__ = ["Make", "Plan", "Unpack", "maker", "plan_of"]

T = TypeVar("T")

Unpack: TypeAlias = Callable[[Octets, int], tuple[object, ...]]
Make: TypeAlias = Callable[[Iterable[object]], T]


@frozen
class _Segment:
    """Fields without a group between them, counts among them."""

    fields: tuple[FieldLayout, ...]
    struct: Struct
    kept: tuple[int, ...]  # those that the message's tuple has; the others are counts
    sources: tuple[tuple[int, bool], ...]  # of each: where in the tuple, and whether as a length


@frozen
class _Group:
    """A repeating group behind a segment."""

    layout: GroupLayout
    source: int  # where in the message's tuple it stands
    count: int  # where among the fields of every segment its count stands
    struct: Struct
    make: Make[object] | None  # none where items are values of one field


@frozen(eq=False)
class Plan:
    """How one message type of one spec version is read and written."""

    layout: MessageLayout
    spec: str
    kind: type[Message]
    make: Make[Message]
    unpack: Unpack  # the first segment and no tail: all there is, where there is no group
    segments: tuple[_Segment, ...]
    groups: tuple[_Group, ...]

    def decode(self, data: Octets, offset: int, size: int) -> Message:
        """The message of ``size`` bytes at ``offset``, all of which are there.

        `WireError` when that is too short for its fields or its groups.
        """
        end = offset + size
        position = offset + HEADER_BYTES
        raw: list[object] = []
        values: list[object] = []
        for index, segment in enumerate(self.segments):
            if end - position < segment.struct.size:
                raise self._short(offset, size, position + segment.struct.size - offset)
            read = segment.struct.unpack_from(data, position)
            position += segment.struct.size
            raw += read
            values += [read[kept] for kept in segment.kept]
            if index == len(self.groups):
                break
            group = self.groups[index]
            length = cast("int", raw[group.count]) * group.layout.stride_bytes
            if end - position < length:
                raise self._short(offset, size, position + length - offset)
            items = group.struct.iter_unpack(data[position : position + length])
            position += length
            make = group.make
            values.append(tuple(chain.from_iterable(items) if make is None else map(make, items)))
        values.append(bytes(data[position:end]))
        return self.make(values)

    def check(self, data: Octets, offset: int, size: int) -> None:
        """`WireError` where :meth:`decode` would raise one; cheaper, as nothing is made."""
        needed = self.layout.size_bytes
        if size < needed:
            raise self._short(offset, size, needed)
        if not self.groups:
            return
        position = offset + HEADER_BYTES
        raw: list[object] = []
        for segment, group in zip(self.segments, self.groups, strict=False):
            raw += segment.struct.unpack_from(data, position)
            length = cast("int", raw[group.count]) * group.layout.stride_bytes
            needed += length
            if size < needed:
                raise self._short(offset, size, needed)
            position += segment.struct.size + length

    def encode(self, message: Message) -> bytes:
        """The message with its header; `UsageError` when a value has no room in its field."""
        values = cast("tuple[object, ...]", message)
        parts: list[bytes] = []
        for index, segment in enumerate(self.segments):
            fields = [
                len(cast("tuple[object, ...]", values[source])) if counted else values[source]
                for source, counted in segment.sources
            ]
            parts.append(self._packed(segment.struct, segment.fields, fields))
            if index < len(self.groups):
                group = self.groups[index]
                for item in cast("tuple[object, ...]", values[group.source]):
                    row = (item,) if group.make is None else cast("tuple[object, ...]", item)
                    parts.append(self._packed(group.struct, group.layout.fields, row))
        parts.append(cast("bytes", values[-1]))
        size = HEADER_BYTES + sum(map(len, parts))
        if size > MAX_PACKET_BYTES:
            raise UsageError(
                f"{self.kind.__name__} of {size} bytes fits in no packet of {MAX_PACKET_BYTES}"
            )
        return message_header.pack(size, self.layout.type) + b"".join(parts)

    def blank(self) -> Message:
        """A message of this kind that says nothing: 0, spaces, no items."""
        segments = [
            b"".join(
                b"\0" * one.length_bytes if one.type.code != "s" else _padding(one)
                for one in segment.fields
            )
            for segment in self.segments
        ]
        data = bytes(HEADER_BYTES) + b"".join(segments)
        return self.decode(data, 0, len(data))

    def _packed(
        self, struct: Struct, fields: Sequence[FieldLayout], values: Sequence[object]
    ) -> bytes:
        try:
            return struct.pack(*map(_padded, fields, values))
        except StructError:
            for one, value in zip(fields, values, strict=True):
                self._refuse(one, value)
            raise

    def _refuse(self, one: FieldLayout, value: object) -> None:
        """`UsageError` when this is the value that has no room."""
        name = f"{self.kind.__name__}.{one.field or one.name}"
        if one.type.code == "s":
            if not isinstance(value, bytes) or len(value) > one.length_bytes:
                raise UsageError(f"{name} is at most {one.length_bytes} bytes, not {value!r}")
            return
        try:
            Struct(one.type.code).pack(value)
        except StructError:
            raise UsageError(f"{name} is {one.type}, and cannot be {value!r}") from None

    def _short(self, offset: int, size: int, needed: int) -> WireError:
        return WireError(
            f"the message says {size} bytes, and {self.layout.name} has {needed}",
            offset=offset,
            message_type=self.layout.type,
            spec=self.spec,
        )


def maker(kind: type[T]) -> Make[T]:
    """What makes a ``kind`` of NamedTuple out of its values, unchecked."""
    new: object = tuple[object].__new__
    return partial(cast("Callable[[type[T], Iterable[object]], T]", new), kind)


def plan_of(layout: MessageLayout, spec: str) -> Plan:
    """The plan of a layout without faults; `UsageError` when it and its tuple do not agree."""
    kind = KINDS.get(layout.kind)
    if kind is None:
        raise UsageError(f"{spec} names {layout.kind}, and there is no such message")
    names = kind._fields[:-1]
    if names != layout.field_names:
        raise UsageError(f"{spec}: the fields of {layout.kind} are {names}, not those of the table")
    counts = {group.count: names.index(group.field) for group in layout.groups}
    segments = tuple(_segment(fields, names, counts) for fields in _segments(layout))
    every = [one.name if not one.field else "" for one in layout.fields]
    groups = tuple(
        _Group(
            layout=group,
            source=counts[group.count],
            count=every.index(group.count),
            struct=Struct(_format(group.fields)),
            make=maker(ITEMS[group.kind]) if group.kind else None,
        )
        for group in layout.groups
    )
    return Plan(
        layout=layout,
        spec=spec,
        kind=kind,
        make=maker(kind),
        unpack=Struct(_format(segments[0].fields) + "0s").unpack_from,
        segments=segments,
        groups=groups,
    )


def _segments(layout: MessageLayout) -> Iterator[tuple[FieldLayout, ...]]:
    bounds = [HEADER_BYTES, *(group.start for group in layout.groups), layout.size_bytes]
    for start, end in pairwise(bounds):
        yield tuple(one for one in layout.fields if start <= one.offset < end)


def _segment(
    fields: tuple[FieldLayout, ...], names: tuple[str, ...], counts: dict[str, int]
) -> _Segment:
    return _Segment(
        fields=fields,
        struct=Struct(_format(fields)),
        kept=tuple(index for index, one in enumerate(fields) if one.field),
        sources=tuple(
            (names.index(one.field), False) if one.field else (counts[one.name], True)
            for one in fields
        ),
    )


def _format(fields: Iterable[FieldLayout]) -> str:
    codes = (f"{one.length_bytes}s" if one.type.code == "s" else one.type.code for one in fields)
    return "<" + "".join(codes)


def _padded(one: FieldLayout, value: object) -> object:
    """Bytes at the length of their field; longer ones as none, which struct refuses."""
    if one.type.code != "s" or not isinstance(value, bytes) or len(value) == one.length_bytes:
        return value
    return None if len(value) > one.length_bytes else (value + _padding(one))[: one.length_bytes]


def _padding(one: FieldLayout) -> bytes:
    if one.pad == "NUL":
        return b"\0" * one.length_bytes
    pad = " ".encode("utf-16-le") if one.type is WireType.UTF16LE else b" "
    return pad * (one.length_bytes // len(pad))
