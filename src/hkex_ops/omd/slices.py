"""Where the plain records of a slice lie, and what their packet headers say, by numpy.

The first of three steps of :mod:`hkex_ops.omd.columns`, which alone calls it. A record is looked
for by the bytes that every plain frame has at the same place; that it really is one is proven by
the chain: each begins where the one before it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from hkex_ops.omd.packet import MAX_PACKET_BYTES
from hkex_ops.omd.shapes import Shape

__all__ = ["Ints", "Known", "Octets8", "PlainRecords", "plain_records"]

Ints: TypeAlias = NDArray[np.int64]
Octets8: TypeAlias = NDArray[np.uint8]

# Where a frame says that it is of IPv4, of which version and length of header, and of UDP.
_IPV4_AT, _VERSION_AT, _PROTOCOL_AT = 12, 14, 23
_IPV4, _NO_OPTIONS, _UDP = 0x08, 0x45, 17

_FIELDS = {
    "link": ("<u4", 12),
    "hop": ("<u4", 20),
    "key": ("<u8", 30),
    "size": ("<u2", 42),
    "count": ("u1", 44),
    "number": ("<u4", 46),
    "sent": ("<i8", 50),
    "first": ("<u2", 60),
}
"""What is read of a frame: the type of each field, and where it lies."""


class Known:
    """How plain frames look, and which channel each addressee is, as arrays."""

    def __init__(self, link: int, hops: Iterable[int], slots: Mapping[int, int]) -> None:
        self.link = link
        self.hops: tuple[int, ...] = tuple(hops)
        keys = np.array(sorted(slots), np.uint64)
        self.keys: NDArray[np.uint64] = keys
        self.slots: Ints = np.array([slots[int(key)] for key in keys], np.int64)


class PlainRecords(NamedTuple):
    """Records one behind the other. ``end`` is where the last one ends.

    ``at`` is where each record begins; ``slot``, ``messages`` (how many), ``number``, ``sent`` and
    ``size`` are its packet's; ``first`` is the type of its first message.
    """

    end: int
    at: Ints
    slot: Ints
    messages: Ints
    number: Ints
    sent: Ints
    size: Ints
    first: Ints


class _Reader:
    """What a file format's shape means to numpy."""

    def __init__(self, shape: Shape) -> None:
        self.frame_at = shape.frame_at
        self.size = shape.record.size
        names, formats, offsets = ["length"], ["<u8"], [shape.length_at]
        if shape.heads:
            names, formats, offsets = ["head", *names], ["<u8", *formats], [0, *offsets]
        self.dtype = np.dtype(
            {
                "names": [*names, *_FIELDS],
                "formats": [*formats, *(code for code, _ in _FIELDS.values())],
                "offsets": [*offsets, *(self.frame_at + at for _, at in _FIELDS.values())],
                "itemsize": self.size,
            }
        )
        self.heads = np.array(shape.heads, np.uint64)
        self.lengths = np.array(shape.lengths, np.uint64)
        self.steps = np.array(shape.steps, np.int64)


_readers: dict[int, _Reader] = {}


def plain_records(data: bytes, at: int, shape: Shape, known: Known) -> PlainRecords:
    """The plain records of ``data`` from ``at`` on, up to the first that is not, or not whole."""
    reader = _readers.get(shape.frame_at) or _readers.setdefault(shape.frame_at, _Reader(shape))
    octets = np.frombuffer(data, np.uint8)
    windows = as_strided(
        octets, (len(octets) - reader.size + 1, reader.size), (1, 1), writeable=False
    )
    begins = _candidates(octets, at, reader, len(windows))
    rows = windows[begins].view(reader.dtype).reshape(-1)
    sizes, places, plain = _plain(rows, reader, known)
    if not plain.all():
        begins, rows, sizes, places = begins[plain], rows[plain], sizes[plain], places[plain]
    ends = begins + reader.steps[sizes]
    many = _chained(begins, ends, at, len(data))
    rows = rows[:many]
    return PlainRecords(
        int(ends[many - 1]) if many else at,
        begins[:many],
        known.slots[places[:many]],
        rows["count"].astype(np.int64),
        rows["number"].astype(np.int64),
        rows["sent"],
        sizes[:many],
        rows["first"],
    )


def _candidates(octets: Octets8, at: int, reader: _Reader, windows: int) -> Ints:
    """Where something looks like a plain record; it may be a part of another one's payload."""
    first, last = at + reader.frame_at + _VERSION_AT, windows + reader.frame_at + _VERSION_AT
    begins = np.flatnonzero(octets[first:last] == _NO_OPTIONS) + at
    begins = begins[octets[begins + (reader.frame_at + _PROTOCOL_AT)] == _UDP]
    found: Ints = begins[octets[begins + (reader.frame_at + _IPV4_AT)] == _IPV4]
    return found


def _plain(
    rows: NDArray[Any], reader: _Reader, known: Known
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Of each row the size of the packet, the place of its key, and whether it is plain."""
    sizes = np.minimum(rows["size"], MAX_PACKET_BYTES).astype(np.int64)
    hops, keys = rows["hop"], rows["key"]
    places = np.minimum(np.searchsorted(known.keys, keys), len(known.keys) - 1)
    plain = (rows["length"] == reader.lengths[sizes]) & (known.keys[places] == keys)
    plain &= rows["link"] == known.link
    plain &= np.logical_or.reduce([hops == hop for hop in known.hops])
    if len(reader.heads):
        plain &= rows["head"] == reader.heads[sizes]
    return sizes, places, plain


def _chained(begins: Ints, ends: Ints, at: int, end: int) -> int:
    """How many records lie one behind the other from ``at`` on, all of them before ``end``.

    A part of a payload that passed for a record breaks the chain, and so is not believed.
    """
    whole = int(np.searchsorted(ends, end, "right"))
    if not whole or begins[0] != at:
        return 0
    linked = ends[: whole - 1] == begins[1:whole]
    return whole if linked.all() else int(linked.argmin()) + 1
