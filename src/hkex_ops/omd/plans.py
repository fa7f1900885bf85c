"""A message layout compiled: bytes to a tuple and back, by way of :mod:`struct`.

The codec's workshop and nobody else's. A tuple is made by ``tuple.__new__`` straight from what
struct unpacked, twice as fast as by its class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise, repeat
from struct import Struct, error as StructError
from typing import Protocol, TypeAlias, TypeVar, cast

from attrs import frozen

from hkex_ops.errors import UsageError, WireError
from hkex_ops.omd.layout import HEADER_BYTES, FieldLayout, GroupLayout, MessageLayout, WireType
from hkex_ops.omd.messages import ITEMS, KINDS, Item, Message
from hkex_ops.omd.packet import MAX_PACKET_BYTES, Octets, message_header

__all__ = ["Plan", "Unpack", "new", "plan_of"]

T = TypeVar("T")

Unpack: TypeAlias = Callable[[Octets, int], tuple[object, ...]]


@frozen
class _Segment:
    """Fields without a group between them, counts among them."""

    fields: tuple[FieldLayout, ...]
    struct: Struct
    texts: tuple[tuple[int, int], ...]  # those of bytes: which, and how long
    kept: tuple[int, ...]  # those that the message's tuple has
    counted: tuple[int, ...]  # the others, which are counts
    sources: tuple[tuple[int, bool], ...]  # of each: where in the tuple, and whether as a length


@frozen
class _Group:
    """A repeating group behind a segment."""

    layout: GroupLayout
    source: int  # where in the message's tuple it stands
    count: int  # which of the counts is its own
    count_at: int
    count_struct: Struct
    struct: Struct
    texts: tuple[tuple[int, int], ...]
    kind: type[Item] | None  # none where items are values of one field

    def read(self, data: Octets) -> tuple[object, ...]:
        """The items that ``data`` is."""
        rows = self.struct.iter_unpack(data)
        if self.kind is None:
            return tuple(chain.from_iterable(rows))
        return tuple(map(new, repeat(self.kind), rows))


@frozen(eq=False)
class Plan:
    """How one message type of one spec version is read and written."""

    layout: MessageLayout
    spec: str
    kind: type[Message]
    segments: tuple[_Segment, ...]
    groups: tuple[_Group, ...]

    def decode(self, data: Octets, offset: int, size: int) -> Message:
        """The message of ``size`` bytes at ``offset``, all of which are there.

        `WireError` when that is too short for its fields or its groups.
        """
        end = offset + self._end(data, offset, size)
        position = offset + HEADER_BYTES
        counts: list[int] = []
        values: list[object] = []
        for index, segment in enumerate(self.segments):
            read = segment.struct.unpack_from(data, position)
            position += segment.struct.size
            values += [read[kept] for kept in segment.kept]
            counts += [cast("int", read[counted]) for counted in segment.counted]
            if index < len(self.groups):
                group = self.groups[index]
                length = counts[group.count] * group.layout.stride_bytes
                values.append(group.read(data[position : position + length]))
                position += length
        values.append(bytes(data[end : offset + size]))
        return new(self.kind, values)

    def reader(self, size: int) -> Unpack:
        """What reads the values of a message of ``size`` bytes in a straight line.

        Where the bytes are not there, or are not as they mostly are, it raises struct's error, and
        :meth:`decode` has to tell; where a packet ends midway it may read less than it should.
        """
        longer = size - self.layout.size_bytes
        if not self.groups:
            # A tail, even one of no bytes, is one more field to struct, and costs nothing.
            return Struct(f"<{HEADER_BYTES}x{_codes(self.segments[0].fields)}{longer}s").unpack_from
        group, *others = self.groups
        if others or self.segments[-1].fields:
            return _unreadable
        items, rest = divmod(longer, group.layout.stride_bytes)
        if rest:
            return _unreadable
        head = Struct(f"<{HEADER_BYTES}x{_codes(self.segments[0].fields, counts='x')}").unpack_from
        count = Struct(f"<{group.count_at}x{group.count_struct.format[1:]}").unpack_from
        start, read = group.layout.start, group.read

        def straight(data: Octets, offset: int) -> tuple[object, ...]:
            if count(data, offset)[0] != items:
                raise StructError
            return (*head(data, offset), read(data[offset + start : offset + size]), b"")

        return straight

    def check(self, data: Octets, offset: int, size: int) -> None:
        """`WireError` where :meth:`decode` would raise one; cheaper, as nothing is made."""
        self._end(data, offset, size)

    def _end(self, data: Octets, offset: int, size: int) -> int:
        """Where the last field ends, from the start of the message."""
        end = self.layout.size_bytes
        if size < end:
            raise self._short(offset, size, end)
        longer = 0
        for group in self.groups:
            # The counts lie behind the groups before them.
            (count,) = group.count_struct.unpack_from(data, offset + group.count_at + longer)
            longer += cast("int", count) * group.layout.stride_bytes
            if size < end + longer:
                raise self._short(offset, size, end + longer)
        return end + longer

    def encode(self, message: Message) -> bytes:
        """The message with its header; `UsageError` when a value has no room in its field."""
        values = cast("tuple[object, ...]", message)
        parts: list[bytes] = []
        for index, segment in enumerate(self.segments):
            fields = [
                len(cast("tuple[object, ...]", values[source])) if counted else values[source]
                for source, counted in segment.sources
            ]
            parts.append(self._packed(segment, segment.fields, fields))
            if index < len(self.groups):
                group = self.groups[index]
                for item in cast("tuple[object, ...]", values[group.source]):
                    row = (item,) if group.kind is None else cast("tuple[object, ...]", item)
                    parts.append(self._packed(group, group.layout.fields, row))
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
        self, shape: _Segment | _Group, fields: Sequence[FieldLayout], values: Sequence[object]
    ) -> bytes:
        fitted = values
        try:
            for index, length in shape.texts:
                if len(cast("bytes", values[index])) != length:
                    fitted = list(map(_padded, fields, values))
                    break
            return shape.struct.pack(*fitted)
        except (StructError, TypeError):
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


class _New(Protocol):
    """What makes a NamedTuple out of its values, unchecked."""

    def __call__(self, kind: type[T], values: Iterable[object], /) -> T: ...


_tuple_new: object = tuple[object].__new__
new: _New = cast("_New", _tuple_new)
"""Makes a NamedTuple out of its values, unchecked."""


def _unreadable(data: Octets, offset: int) -> tuple[object, ...]:
    raise StructError


def plan_of(layout: MessageLayout, spec: str) -> Plan:
    """The plan of a layout without faults; `UsageError` when it and its tuple do not agree."""
    kind = KINDS.get(layout.kind)
    if kind is None:
        raise UsageError(f"{spec} names {layout.kind}, and there is no such message")
    names = kind._fields[:-1]
    if names != layout.field_names:
        raise UsageError(f"{spec}: the fields of {layout.kind} are {names}, not those of the table")
    sources = {group.count: names.index(group.field) for group in layout.groups}
    segments = tuple(_segment(fields, names, sources) for fields in _segments(layout))
    counts = [one for one in layout.fields if not one.field]
    return Plan(
        layout=layout,
        spec=spec,
        kind=kind,
        segments=segments,
        groups=tuple(_group(group, counts, sources[group.count]) for group in layout.groups),
    )


def _group(layout: GroupLayout, counts: Sequence[FieldLayout], source: int) -> _Group:
    [index] = [index for index, one in enumerate(counts) if one.name == layout.count]
    return _Group(
        layout=layout,
        source=source,
        count=index,
        count_at=counts[index].offset,
        count_struct=Struct("<" + _codes([counts[index]])),
        struct=Struct("<" + _codes(layout.fields)),
        texts=_texts(layout.fields),
        kind=ITEMS[layout.kind] if layout.kind else None,
    )


def _segments(layout: MessageLayout) -> Iterator[tuple[FieldLayout, ...]]:
    bounds = [HEADER_BYTES, *(group.start for group in layout.groups), layout.size_bytes]
    for start, end in pairwise(bounds):
        yield tuple(one for one in layout.fields if start <= one.offset < end)


def _segment(
    fields: tuple[FieldLayout, ...], names: tuple[str, ...], sources: dict[str, int]
) -> _Segment:
    return _Segment(
        fields=fields,
        struct=Struct("<" + _codes(fields)),
        texts=_texts(fields),
        kept=tuple(index for index, one in enumerate(fields) if one.field),
        counted=tuple(index for index, one in enumerate(fields) if not one.field),
        sources=tuple(
            (names.index(one.field), False) if one.field else (sources[one.name], True)
            for one in fields
        ),
    )


def _texts(fields: Iterable[FieldLayout]) -> tuple[tuple[int, int], ...]:
    return tuple(
        (index, one.length_bytes) for index, one in enumerate(fields) if one.type.code == "s"
    )


def _codes(fields: Iterable[FieldLayout], *, counts: str = "") -> str:
    """The letters of these fields; with ``counts``, that one for each byte of a count."""
    return "".join(
        counts * one.length_bytes
        if counts and not one.field
        else f"{one.length_bytes}s"
        if one.type.code == "s"
        else one.type.code
        for one in fields
    )


def _padded(one: FieldLayout, value: object) -> object:
    """Bytes at the length of their field; longer ones as none, which struct refuses."""
    if one.type.code != "s" or not isinstance(value, bytes) or len(value) == one.length_bytes:
        return value
    return None if len(value) > one.length_bytes else (value + _padding(one))[: one.length_bytes]


def _padding(one: FieldLayout) -> bytes:
    # NUL ends a text of either language; the language of TEXT another field says.
    if one.pad == "NUL" or one.type is WireType.TEXT:
        return b"\0" * one.length_bytes
    pad = " ".encode("utf-16-le") if one.type is WireType.UTF16LE else b" "
    return pad * (one.length_bytes // len(pad))
