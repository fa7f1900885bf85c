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
from hkex_ops.omd.scanning import Shape

__all__ = ["Ints", "Known", "Octets8", "PlainRecords", "plain_records"]

Ints: TypeAlias = NDArray[np.int64]
Octets8: TypeAlias = NDArray[np.uint8]

_IPV4_AT, _VERSION_AT, _PROTOCOL_AT = 12, 14, 23  # within a frame
_VERSION_AND_LENGTH, _UDP = 0x45, 17

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
        self.hops = tuple(hops)
        keys = np.array(sorted(slots), np.uint64)
        self.keys = keys
        self.slots = np.array([slots[int(key)] for key in keys], np.int64)


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
    begins, rows = _candidates(octets, at, reader, known)
    sizes = rows["size"].astype(np.int64)
    ends = begins + reader.steps[sizes]
    whole = int(np.searchsorted(ends, len(data), "right"))
    if not whole or begins[0] != at:
        whole = 0
    elif whole > 1:
        linked = ends[: whole - 1] == begins[1:whole]
        if not linked.all():
            whole = int(linked.argmin()) + 1
    rows = rows[:whole]
    return PlainRecords(
        int(ends[whole - 1]) if whole else at,
        begins[:whole],
        known.slots[np.searchsorted(known.keys, rows["key"])],
        rows["count"].astype(np.int64),
        rows["number"].astype(np.int64),
        rows["sent"].astype(np.int64),
        sizes[:whole],
        rows["first"].astype(np.int64),
    )


def _candidates(
    octets: Octets8, at: int, reader: _Reader, known: Known
) -> tuple[Ints, NDArray[Any]]:
    """Where something looks like a plain record; it may be a part of another one's payload."""
    frame = reader.frame_at
    windows = len(octets) - reader.size + 1
    looks = octets[at + frame + _VERSION_AT : windows + frame + _VERSION_AT] == _VERSION_AND_LENGTH
    begins = np.flatnonzero(looks) + at
    begins = begins[octets[begins + (frame + _PROTOCOL_AT)] == _UDP]
    begins = begins[octets[begins + (frame + _IPV4_AT)] == 8]
    view = as_strided(octets, (windows, reader.size), (1, 1), writeable=False)
    rows = view[begins].view(reader.dtype).reshape(-1)
    sizes = np.minimum(rows["size"], MAX_PACKET_BYTES)
    plain = (rows["link"] == known.link) & (rows["length"] == reader.lengths[sizes])
    hops = rows["hop"]
    plain &= np.logical_or.reduce([hops == hop for hop in known.hops])
    if len(reader.heads):
        plain &= rows["head"] == reader.heads[sizes]
    places = np.minimum(np.searchsorted(known.keys, rows["key"]), len(known.keys) - 1)
    plain &= known.keys[places] == rows["key"]
    return begins[plain], rows[plain]
