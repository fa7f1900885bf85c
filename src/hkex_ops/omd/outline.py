"""Whether a capture is whole to its very end, by the lengths of its records and nothing else.

For whoever has read enough of a capture for an answer, and must still not take half a file for a
whole one: a record in a tenth of a microsecond or two. That something is wrong is all that it says;
what it is, :class:`~hkex_ops.omd.capture.CaptureReader` knows. Called by the recalculations of
`hkex_ops.flows`.
"""

from __future__ import annotations

from struct import Struct

from hkex_ops.omd.framing import HEAD_BYTES, MAX_RECORD_BYTES, Pcap, framing_of

__all__ = ["CaptureOutline"]

_LEAST_BLOCK_BYTES = 12


class CaptureOutline:
    """The records of one file, from a place where one begins."""

    def __init__(self, head: bytes) -> None:
        """``head`` are the first bytes of the file. `WireError` when it is no capture."""
        framing, _ = framing_of(head[:HEAD_BYTES])
        if isinstance(framing, Pcap):
            self._length, self._more = Struct(f"{framing.order}8xI4x"), 16
        else:
            # A section says its byte order behind its first length; the first one's holds here.
            order = "<" if head[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
            self._length, self._more = Struct(f"{order}4xI"), 0
        self._rest = b""
        self._skip = 0
        self.sound: bool = True
        """Whether every record so far has a length that can be."""

    @property
    def whole(self) -> bool:
        """Whether what came last was the end of a record."""
        return self.sound and not self._rest and not self._skip

    def feed(self, data: bytes) -> None:
        """Take the next piece of the file."""
        data = self._rest + data if self._rest else data
        at = self._skip
        length_of, more, most = self._length.unpack_from, self._more, MAX_RECORD_BYTES
        least = 0 if more else _LEAST_BLOCK_BYTES
        last = len(data) - self._length.size
        while at <= last:
            (length,) = length_of(data, at)
            if not least <= length <= most:
                self.sound = False
                return
            at += length + more
        if at >= len(data):
            self._rest, self._skip = b"", at - len(data)
        else:
            self._rest, self._skip = data[at:], 0
