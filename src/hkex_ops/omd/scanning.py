"""Captures read for a subscription: record, frame, datagram and packet header in one look each.

The plain way knows one kind of record and one kind of frame: little-endian, Ethernet without tags,
IPv4 without options, UDP, one packet and nothing else. It looks at every part of that before it
believes it, and hands everything else, record by record, to the readers that know all kinds. Called
by the replay of `hkex_ops.flows` with slices of a file; a megabyte or so is best.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from struct import error as StructError

from hkex_ops.errors import WireError
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.frames import ETHERNET, Passed, address_text, datagram_in
from hkex_ops.omd.framing import HEAD_BYTES, Framing, framing_of
from hkex_ops.omd.layout import HEADER_BYTES
from hkex_ops.omd.merging import POLL_NS, Delivered, Merger, next_poll_ns, time_alone
from hkex_ops.omd.messages import SequenceReset
from hkex_ops.omd.packet import PACKET_HEADER_BYTES, packet_header
from hkex_ops.omd.shapes import FRAME_BYTES, LONGEST_RECORD, STREAMS_KEPT, Shape, Stream, shape_of
from hkex_ops.omd.streaming import RESET_AT, Piece, Subscription

__all__ = ["CaptureSubscription"]

_RESET = SequenceReset.TYPE
_reset_type = _RESET.to_bytes(2, "little")
_header_of = packet_header.unpack_from


class CaptureSubscription:
    """A subscription to the channels of a capture.

    ``passed`` counts frames without a datagram, by reason; ``strangers`` datagrams that are of no
    channel. After a `WireError` only :meth:`close` may be called.
    """

    def __init__(
        self, subscription: Subscription, *, streams: CaptureStreams | None = None
    ) -> None:
        self.passed: Counter[Passed] = Counter()
        self.strangers: int = 0
        self._subscription = subscription
        self._merger = subscription.merger
        self.merger: Merger = self._merger
        self._rules = streams or CaptureStreams()
        self._framing: Framing | None = None
        self._shape: Shape | None = None
        self._streams: dict[tuple[int, int], Stream | None] = {}
        # By addressee, as a plain record has it; the slots again, for the loop.
        self._plain_streams: dict[int, Stream] = {}
        self._slots: dict[int, int] = {}
        self._link = 0  # link type and IP version, as a plain record has them
        self._hops: set[int] = set()
        self._rest: bytes = b""
        self._offset = 0  # in the file, of where the data at hand begin
        self._at = 0  # in the data, of the record at hand
        self._piece = Piece.empty()
        self._found: list[Delivered] = []
        self._before: list[int] = []
        self._before_at = 0
        self._horizon: int = 0
        self._careful = False
        self._last_ns = 0
        self._time_ns = 0  # of the record at hand
        self._due_ns = POLL_NS  # by the time of which record waiting channels are looked after

    @property
    def offset(self) -> int:
        """Where in the file the first byte lies that is to be read next."""
        return self._offset

    def feed(self, data: bytes) -> Piece:
        """Take the next piece of the file, of any size; what was wanted of it.

        `WireError` with the place in the file when this is no capture, or a damaged one.
        """
        data = self._rest + data if self._rest else data
        begin = self._offset
        try:
            return self.scan(data)
        finally:
            self._rest = data[self._offset - begin :]

    def scan(self, data: bytes) -> Piece:
        """Read from ``data``, which lie at :attr:`offset` of the file, what is there as a whole.

        For those who can read a file at any place: whatever is behind :attr:`offset` afterwards
        must come again. Raises as :meth:`feed`.
        """
        self._at = at = self._begin(data)
        if self._framing is not None:
            self._note(at)
            try:
                self._records(data, at)
            finally:
                self._flush(data, self._at)
                self._offset += self._at
        return self._given_out()

    def _given_out(self) -> Piece:
        """What was wanted so far, and at its end which channels stand."""
        piece, self._piece = self._piece, Piece.empty()
        if quiet_ns := self._subscription.quiet_ns:
            standing = self._subscription.standing(len(piece.rows), longer_than_ns=quiet_ns)
            piece.marks.extend(standing)
        return piece

    def close(self, data: bytes = b"") -> tuple[Piece, WireError | None]:
        """As :meth:`end`, :meth:`last_look` and :meth:`give_up` together."""
        self._piece, error = self.end(data)
        self._piece = self.last_look()
        return self.give_up(), error

    def last_look(self) -> Piece:
        """No other file follows: what waited long enough a moment after the last packet."""
        at_ns = self._last_ns + self._merger.limits.gap_wait_ns
        self._subscription.reach(self._piece, at_ns, asked=False)
        self._subscription.care(self._piece, caring=not self._merger.plain)
        self._subscription.read_settled(self._merger.poll(at_ns), self._piece)
        return self._given_out()

    def give_up(self) -> Piece:
        """Nothing more will come: what waited behind gaps."""
        limits = self._merger.limits
        self._subscription.reach(
            self._piece, self._last_ns + limits.gap_wait_ns + limits.give_up_ns, asked=False
        )
        self._subscription.care(self._piece, caring=not self._merger.plain)
        self._subscription.read_settled(self._merger.close(self._last_ns), self._piece)
        piece, self._piece = self._piece, Piece.empty()
        return piece

    def end(self, data: bytes = b"") -> tuple[Piece, WireError | None]:
        """The file has ended, or is damaged: the last of it, and what is wrong with the end.

        ``data`` are the last bytes, for those who :meth:`scan`. What waits behind gaps may be in
        the next file.
        """
        data = self._rest or data
        error: WireError | None = None
        try:
            self._at = at = self._begin(data)
        except WireError as none_at_all:
            return Piece.empty(), none_at_all
        if self._framing is None:
            what = f"holds {len(data)} bytes" if data else "is empty"
            return Piece.empty(), WireError(f"the file {what}: that is no capture", offset=0)
        self._note(at)
        try:
            while at >= 0:
                at = self._one(data, at)
        except WireError as damage:
            error = damage
        self._flush(data, self._at)
        cut = len(data) - self._at
        if cut and error is None:
            error = self.fault(f"the capture is cut off: of its last record only {cut} bytes came")
        return self._given_out(), error

    def _begin(self, data: bytes) -> int:
        """Where the first record of ``data`` lies, once it is known what file this is."""
        if self._framing is not None or len(data) < HEAD_BYTES:
            return 0
        self._framing, begin = framing_of(data)
        return begin

    def _records(self, data: bytes, at: int) -> None:
        """Read records until too little is left."""
        last = len(data) - LONGEST_RECORD
        while 0 <= at <= last:
            at = self._plain(data, at)
            at = self._one(data, at)

    # -- the plain way ----------------------------------------------------------------------------

    def _plain(self, data: bytes, at: int, *, only_care: bool = False) -> int:
        """Go through records while they are plain; where the first begins that is not.

        With ``only_care`` also where no channel is in care any more.
        """
        shape, framing = self._shape, self._framing
        if shape is None or framing is None:
            return at
        _, frame_at, _, heads, lengths, steps = shape
        unpack, time_of = shape.unpack, framing.time_ns
        merger, link_of_all, hops, slots = self._merger, self._link, self._hops, self._slots
        expected, wanted, perhaps_reset = merger.expected, merger.wanted, merger.perhaps_reset
        add, horizon, looks_into = self._found.append, self._horizon, self._subscription.looks_into
        every = self._subscription.quiet_ns > 0  # packet counts: how long channels stand is known
        usual_hop = next(iter(hops), 0)  # most have one, and sooner compared than looked up
        packet_at, first_at = frame_at + FRAME_BYTES, frame_at + FRAME_BYTES + PACKET_HEADER_BYTES
        last = len(data) - LONGEST_RECORD
        floor_ns, caring, due_ns = merger.floor_ns, not merger.plain, self._due_ns
        with suppress(LookupError):  # a stream or a size that is not plain
            while at <= last:
                head, kept, link, hop, key, size, count, number, sent, long, kind = unpack(data, at)
                slot = slots[key]
                if (
                    kept != lengths[size]
                    or link != link_of_all
                    or (hop != usual_hop and hop not in hops)
                    or (heads and head != heads[size])
                ):
                    break
                following = expected[slot]
                if number == following and count:
                    if sent < floor_ns:
                        break
                    expected[slot] = number + count
                    if wanted[slot]:
                        begin = at + first_at
                        if long >= HEADER_BYTES and not looks_into[kind]:
                            begin, count = begin + long, count - 1  # nobody need look again
                        elif kind == _RESET:
                            expected[slot] = number
                            break
                        add((data, begin, at + packet_at + size, count, sent, slot))
                    elif sent >= horizon or every:
                        horizon = self._time_passed(sent, slot)
                elif number == following:
                    if number != perhaps_reset[slot] or size != PACKET_HEADER_BYTES:
                        break
                elif number + count > following or kind == _RESET:
                    self._horizon = horizon
                    self._care(data, at, self._plain_streams[key], at + packet_at, size)
                    self._note(at + steps[size])
                    floor_ns, caring, due_ns = merger.floor_ns, not merger.plain, self._due_ns
                    if only_care and not caring:
                        at += steps[size]
                        break
                elif not count and (sent >= horizon or every):
                    horizon = self._time_passed(sent, slot)
                at += steps[size]
                if caring:
                    self._time_ns = time_of(data, at - steps[size])
                    if self._time_ns >= due_ns:
                        self._horizon = horizon
                        self._poll(data, at)
                        floor_ns, caring, due_ns = merger.floor_ns, not merger.plain, self._due_ns
                        if only_care and not caring:
                            break
        self._horizon = horizon
        return at

    def _care(self, data: bytes, at: int, stream: Stream, packet_at: int, size: int) -> None:
        """A plain record with a packet that is not simply the next one."""
        assert self._framing is not None, "the record was read from a file"
        self._at = at
        self._flush(data, at)
        time_ns = self._framing.time_ns(data, at)
        self._last_ns = max(self._last_ns, time_ns)
        self._take(stream, data[packet_at : packet_at + size], time_ns)

    def _poll(self, data: bytes, at: int) -> None:
        """Look after waiting channels; everything before ``at`` is read."""
        self._last_ns = max(self._last_ns, self._time_ns)
        if not (self._subscription.quiet_ns or self._merger.is_due(self._time_ns)):
            self._due_ns = next_poll_ns(self._time_ns)
            return  # nothing settles, and what time it is does not matter
        self._at = at
        self._flush(data, at)
        self._due_ns = next_poll_ns(self._time_ns)
        settled = self._merger.poll(self._time_ns)
        if settled:
            self._subscription.reach(self._piece, self._time_ns, asked=False)
            self._subscription.read_settled(settled, self._piece)
        self._subscription.reach(self._piece, self._time_ns, asked=True)
        self._subscription.care(self._piece, caring=not self._merger.plain)
        self._note(at)

    def _time_passed(self, sent_ns: int, slot: int) -> int:
        """Note a packet that brings nothing but its time; from when on the next one counts."""
        self._found.append(time_alone(sent_ns, slot))
        step = self._subscription.step_ns
        return sent_ns // step * step + step

    # -- any other record -------------------------------------------------------------------------

    def _one(self, data: bytes, at: int) -> int:
        """Take one record, whatever it is; where the next begins, or -1 if it is not all there."""
        assert self._framing is not None, "a record is read after the head of the file"
        self._at = at
        following = self._framing.take(self, data, at)
        if following >= 0:
            self._at = following
            if self._time_ns >= self._due_ns and not self._merger.plain:
                self._poll(data, following)
            if not self._found:
                self._note(following)
        if self._shape is None:
            self._shape = shape_of(self._framing)
        return following

    def fault(self, message: str) -> WireError:
        """An error at the record that is being read."""
        spec = self._framing.name if self._framing else ""
        return WireError(message, offset=self._offset + self._at, spec=spec)

    def frame(self, data: bytes, begin: int, end: int, link: int, time_ns: int) -> None:
        """Take the packet out of a captured frame."""
        datagram = datagram_in(data, begin, end, link)
        self._time_ns = time_ns
        self._last_ns = max(self._last_ns, time_ns)
        if isinstance(datagram, Passed):
            self.passed[datagram] += not self._careful
            return
        group, port, begin_packet, end_packet = datagram
        stream = self._stream(group, port)
        if stream is None:
            self.strangers += not self._careful
            return
        if link == ETHERNET and begin_packet == begin + FRAME_BYTES:
            self._learn(data, begin, stream)
        packet = data[begin_packet:end_packet]
        if self._careful:
            self._take(stream, packet, time_ns)
            return
        try:
            size, count, _, number, sent_ns = _header_of(packet)
        except StructError:
            size, count, number, sent_ns = -1, 0, 0, 0
        merger = self._merger
        expected = merger.expected
        following = expected[stream.slot]
        reset = packet[RESET_AT : RESET_AT + 2] == _reset_type
        whole = count and size == len(packet) and not reset
        if number == following and whole and sent_ns >= merger.floor_ns:
            expected[stream.slot] = following + count
            if merger.wanted[stream.slot]:
                self._found.append((packet, PACKET_HEADER_BYTES, size, count, sent_ns, stream.slot))
            else:
                self._found.append(time_alone(sent_ns, stream.slot))
        elif number + count > following or number == following or size != len(packet) or reset:
            self._flush(data, self._at)
            self._take(stream, packet, time_ns)
        elif not count:
            self._found.append(time_alone(sent_ns, stream.slot))

    def _take(self, stream: Stream, packet: bytes, time_ns: int) -> None:
        """A packet that is not plain."""
        slot, line = stream
        merger, subscription = self._merger, self._subscription
        caring = not merger.plain
        if not caring:
            self._due_ns = next_poll_ns(time_ns)
        settled = merger.take(slot, packet, line, time_ns)
        if caring and settled:
            self._subscription.reach(self._piece, time_ns, asked=False)
        subscription.care(self._piece, caring=caring or not merger.plain)
        subscription.read_settled(settled, self._piece)
        subscription.care(self._piece, caring=not merger.plain)

    def _stream(self, group: int, port: int) -> Stream | None:
        try:
            return self._streams[group, port]
        except KeyError:
            pass
        stream = self._rules.of(address_text(group), port)
        known = None if stream is None else Stream(self._merger.slot(stream.channel), stream.line)
        if len(self._streams) < STREAMS_KEPT:
            self._streams[group, port] = known
        return known

    def _learn(self, data: bytes, begin: int, stream: Stream) -> None:
        """Know a plain frame of this stream by its looks from now on."""
        if len(self._slots) < STREAMS_KEPT:
            self._link = int.from_bytes(data[begin + 12 : begin + 16], "little")
            self._hops.add(int.from_bytes(data[begin + 20 : begin + 24], "little"))
            key = int.from_bytes(data[begin + 30 : begin + 38], "little")
            self._slots[key] = stream.slot
            self._plain_streams[key] = stream

    # -- what was taken for plain -----------------------------------------------------------------

    def _note(self, at: int) -> None:
        """Everything before ``at`` is read, and nothing after it."""
        self._before_at = at
        self._before = self._merger.expected[:]

    def _flush(self, data: bytes, upto: int) -> None:
        """Read what was taken for plain; if one is not, look into every record up to ``upto``."""
        sound = not self._found or self._subscription.read(self._found, self._piece)
        self._found.clear()
        if not sound:
            expected = self._merger.expected
            expected[:] = self._before + [1] * (len(expected) - len(self._before))
            here, now_ns, self._careful = self._at, self._time_ns, True
            at = self._before_at
            while at < upto:
                at = self._one(data, at)
            self._at, self._time_ns, self._careful = here, now_ns, False
        self._note(upto)
