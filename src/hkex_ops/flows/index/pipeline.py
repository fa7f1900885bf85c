"""The way of the data: packets of a feed go in, ticks come out, and nothing is waited for.

Packet, line arbitration, message, record, engine: one pipeline is all of one engine but its
process. It opens nothing, asks no clock and raises for no packet, so that a rehearsal turns it by
hand and every engine of a run, fed the same, computes the same. Data events and health events of
the market are told apart. Quarantined messages are left out here, before anybody looks into them.

Before a packet, and before each record of it, is worked on, the engine's row of the progress board
says so; whoever finds this process dead knows of what it died.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from struct import Struct
from typing import NamedTuple, TypeAlias, cast

from hkex_ops.errors import UsageError
from hkex_ops.flows.index.board import COUNT_BITS, SECURITY_BITS, EngineRow, QuarantineRow
from hkex_ops.flows.index.translate import Translator, stock_in, veiled
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import (
    ChannelRestarted,
    IndexRecord,
    QuarantinedRecord,
    RecordsLost,
    SessionRecord,
    TimePassed,
    TradeRecord,
)
from hkex_ops.index.ticks import EngineEvent, moment_of, time_ns_of
from hkex_ops.model import Json, JsonObject
from hkex_ops.omd import Codec
from hkex_ops.omd.disaster import DisasterEvent, DisasterRecoveryBegan, DisasterWatch
from hkex_ops.omd.events import (
    GapClosed,
    GapLost,
    GapOpened,
    HealthEvent,
    LineEvent,
    MessagesArrived,
    SequenceRestarted,
)
from hkex_ops.omd.line import Arbiter
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.ports import FeedLine, PacketBatch

__all__ = ["QUARANTINED", "Heard", "MarketHealth", "Pipeline", "Taken"]

QUARANTINED = "it ended an engine and is held back for good"
"""The reason that a quarantined record bears."""

_HEADER_BYTES = 16
_header = Struct("<2xBxIQ").unpack_from
_sent = Struct("<Q").unpack_from
_SENT_AT = 8
_UNREADABLE = (1, 0, 0)  # count, number and time of a packet without a header


Heard: TypeAlias = EngineEvent | SessionRecord
MarketHealth: TypeAlias = HealthEvent | DisasterEvent | SequenceRestarted


class Taken(NamedTuple):
    """What came of packets, or of time: ``data`` is what the engine told, and the trading sessions
    that it heard, which others need to know too; ``health`` is how the channels fare."""

    data: Sequence[Heard]
    health: Sequence[MarketHealth]


class Pipeline:
    """One engine behind the lines of its channels.

    ``row`` is the engine's own on the progress board; a pipeline that works alone needs none.
    """

    def __init__(
        self,
        engine: Engine,
        codec: Codec,
        channels: Iterable[int],
        *,
        limits: LineLimits | None = None,
        row: EngineRow | None = None,
    ) -> None:
        self.engine = engine
        self._codec = codec
        self._limits = limits
        self._translate = Translator(codec).records
        self._row = row or EngineRow.detached()
        self._arbiters: dict[int, Arbiter] = {}
        self._gaps: dict[int, set[tuple[int, int]]] = {}
        self._disasters: dict[int, DisasterWatch] = {}
        self._quarantined: dict[int, list[tuple[int, int]]] = {}
        for channel in channels:
            self._follow(channel)

    # -- what the feed brings ---------------------------------------------------------------------

    def take(self, batch: PacketBatch, now: datetime) -> Taken:
        """Work on packets that came; ``now`` is when, for whatever has to settle."""
        if batch.line is FeedLine.RECOVERY:
            return self._signalled(batch, now)
        channel = batch.channel
        arbiter = self._arbiters.get(channel) or self._follow(channel)
        row, slots = self._row, self._row.slots
        slots[row.channel_slot] = channel
        packet_slot = row.packet_slot
        data: list[Heard] = []
        health: list[MarketHealth] = []
        line, at_ns, handle = str(batch.line), batch.received_ns, arbiter.handle
        quarantined = channel in self._quarantined
        for packet in batch.packets:
            count, sequence, sent_ns = _UNREADABLE
            if len(packet) >= _HEADER_BYTES:
                count, sequence, sent_ns = _header(packet)
                slots[packet_slot] = sequence << COUNT_BITS | count
                if quarantined and self._touches(channel, sequence, count):
                    packet = veiled(packet, lambda number: self._touches(channel, number, 1))
            events = handle(packet, line, at_ns)
            if events:
                self._told(channel, events, now, data, health)
            # A heartbeat that names a message which has not come must not move the time.
            if count == 0 and sequence < arbiter.next_sequence:
                self._pass_time(channel, sequence, sent_ns, now, data)
        slots[packet_slot] = 0
        self._say_passed(channel, arbiter)
        return Taken(data, health)

    def poll(self, now: datetime, *, at_ns: int | None = None) -> Taken:
        """Work on what has waited long enough. ``at_ns`` is the feed's own time, where that is
        not ``now``, as it is not with a capture."""
        feed_ns = time_ns_of(now) if at_ns is None else at_ns
        data: list[Heard] = []
        health: list[MarketHealth] = []
        for channel, arbiter in self._arbiters.items():
            self._told(channel, arbiter.poll(feed_ns), now, data, health)
            self._say_passed(channel, arbiter)
        data += self.engine.poll(now)
        return Taken(data, health)

    def abandon(self, channel: int, begin: int, end: int, at_ns: int) -> Taken:
        """Messages ``begin`` to ``end`` will not come: whoever was asked for them refused."""
        now = moment_of(at_ns)
        return self._of(channel, self._arbiter(channel).abandon(begin, end, at_ns), now)

    def resume(self, channel: int, records: Iterable[IndexRecord], last: int, at_ns: int) -> Taken:
        """A refresh showed the state of ``channel`` after message ``last``: ``records`` of it are
        worked, and real-time goes on behind."""
        data: list[Heard] = []
        now = moment_of(at_ns)
        first = self._arbiter(channel).next_sequence
        if first <= last:
            # A refresh shows no trades: what it does not make good stays marked.
            data += self.engine.handle(RecordsLost(channel, first, last, 0), now)
        for record in records:
            if isinstance(record, SessionRecord):
                data.append(record)
            data += self.engine.handle(record, now)
        taken = self._of(channel, self._arbiter(channel).resume(last, at_ns), now)
        return Taken((*data, *taken.data), taken.health)

    def put_off(self, channel: int, until_ns: int) -> None:
        """Recovery of ``channel`` is under way: none of its gaps is given up before then."""
        self._arbiter(channel).put_off(until_ns)

    # -- what must not be looked into -------------------------------------------------------------

    def quarantine(self, row: QuarantineRow) -> None:
        """From now on leave out messages ``first`` to ``last`` of a channel; what would be worked
        in their place says so on the ticks of their stock."""
        self._quarantined.setdefault(row.channel, []).append((row.first, row.last))

    # -- where it stands --------------------------------------------------------------------------

    @property
    def next_sequences(self) -> Mapping[int, int]:
        """The next message wanted of each channel."""
        return {channel: one.next_sequence for channel, one in self._arbiters.items()}

    @property
    def open_gaps(self) -> Mapping[int, frozenset[tuple[int, int]]]:
        """The gaps that were told and are still open, by channel, as first and last message."""
        return {channel: frozenset(gaps) for channel, gaps in self._gaps.items() if gaps}

    def follows(self, channel: int) -> bool:
        """Whether nothing of ``channel`` is missing."""
        return not self._gaps.get(channel) and not self._arbiter(channel).missing

    def snapshot(self) -> JsonObject:
        """Everything it knows, as plain data."""
        arbiters = [one.snapshot() for one in self._arbiters.values()]
        return {"engine": self.engine.snapshot(), "arbiters": cast("Json", arbiters)}

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood, which may be another engine's of the same run.

        Raises `UsageError` when it is of other baskets or rules, or no snapshot.
        """
        match snapshot:
            case {"engine": dict(engine), "arbiters": list(arbiters)}:
                pass
            case _:
                raise UsageError("this is no snapshot of a pipeline: start without it")
        self.engine.restore(cast("JsonObject", engine))
        for one in cast("list[JsonObject]", arbiters):
            self._arbiter(cast("int", one["channel"])).restore(one)

    # -- inside -----------------------------------------------------------------------------------

    def _signalled(self, batch: PacketBatch, now: datetime) -> Taken:
        """The exchange may be moving to its other site: what is known then is worth nothing."""
        watch = self._disasters.get(batch.channel)
        if watch is None:
            watch = self._disasters[batch.channel] = DisasterWatch(batch.channel, self._codec)
        data: list[Heard] = []
        health: list[MarketHealth] = []
        for packet in batch.packets:
            health += watch.handle(packet, str(batch.line), batch.received_ns)
        if any(isinstance(event, DisasterRecoveryBegan) for event in health):
            for channel in self._arbiters:
                data += self.engine.handle(RecordsLost(channel, 0, 0, 0), now)
        return Taken(data, health)

    def _follow(self, channel: int) -> Arbiter:
        arbiter = Arbiter(channel, self._codec, limits=self._limits)
        self._arbiters[channel] = arbiter
        self._gaps[channel] = set()
        return arbiter

    def _arbiter(self, channel: int) -> Arbiter:
        return self._arbiters.get(channel) or self._follow(channel)

    def _of(self, channel: int, events: Sequence[LineEvent], now: datetime) -> Taken:
        data: list[Heard] = []
        health: list[MarketHealth] = []
        self._told(channel, events, now, data, health)
        self._say_passed(channel, self._arbiter(channel))
        return Taken(data, health)

    def _say_passed(self, channel: int, arbiter: Arbiter) -> None:
        if self._gaps[channel]:
            self._row.stop_following(channel)
        else:
            # One more than what was passed is exactly what the slot holds.
            self._row.slots[self._row.passed_slot(channel)] = arbiter.next_sequence

    def _told(
        self,
        channel: int,
        events: Sequence[LineEvent],
        now: datetime,
        data: list[Heard],
        health: list[MarketHealth],
    ) -> None:
        for event in events:
            if isinstance(event, MessagesArrived):
                self._arrived(event, now, data)
            elif isinstance(event, SequenceRestarted):
                data += self.engine.handle(ChannelRestarted(channel, 0, 0), now)
                self._gaps[channel].clear()
                health.append(event)
            else:
                self._fared(event, now, data)
                health.append(event)

    def _fared(self, event: HealthEvent, now: datetime, data: list[Heard]) -> None:
        match event:
            case GapOpened(channel, begin, end):
                self._gaps[channel].add((begin, end))
            case GapClosed(channel, begin, end):
                self._gaps[channel].discard((begin, end))
            case GapLost(channel, begin, end):
                data += self.engine.handle(RecordsLost(channel, begin, end, 0), now)
            case _:
                pass

    def _arrived(self, event: MessagesArrived, now: datetime, data: list[Heard]) -> None:
        channel, sequence, packet, skip, count, line, _ = event
        sent_ns = 0 if line == FeedLine.RETRANSMISSION else _sent(packet, _SENT_AT)[0]
        if channel in self._quarantined and self._touches(channel, sequence, count):
            records = self._without_quarantined(event, sent_ns)
        else:
            records = self._translate(
                packet, channel=channel, sequence=sequence, skip=skip, count=count, sent_ns=sent_ns
            )
        if not records:
            self._pass_time(channel, sequence + count - 1, sent_ns, now, data)
            return
        row, handle = self._row, self.engine.handle
        slots, record_slot = row.slots, row.record_slot
        for record in records:
            if isinstance(record, TradeRecord):
                slots[record_slot] = record[1] << SECURITY_BITS | record[2]
            else:
                row.take_record(record.sequence, getattr(record, "security", 0))
                if isinstance(record, SessionRecord):
                    data.append(record)
            events = handle(record, now)
            if events:
                data += events

    def _pass_time(
        self, channel: int, sequence: int, sent_ns: int, now: datetime, data: list[Heard]
    ) -> None:
        """Nothing of interest came; the channel's time goes on, if that makes a difference."""
        if sent_ns >= self.engine.sequencer.moment:
            data += self.engine.handle(TimePassed(channel, sequence, sent_ns), now)

    def _touches(self, channel: int, sequence: int, count: int) -> bool:
        last = sequence + count - 1
        return any(first <= last and sequence <= end for first, end in self._quarantined[channel])

    def _without_quarantined(self, event: MessagesArrived, sent_ns: int) -> list[IndexRecord]:
        """The records of a packet, message by message, but for those that nobody may look into."""
        channel, sequence, packet, skip, count, _, _ = event
        records: list[IndexRecord] = []
        for place in range(skip, skip + count):
            number = sequence + place - skip
            if self._touches(channel, number, 1):
                security, trade_id = stock_in(packet, place)
                records.append(
                    QuarantinedRecord(channel, number, security, trade_id, QUARANTINED, sent_ns)
                )
            else:
                records += self._translate(
                    packet, channel=channel, sequence=number, skip=place, count=1, sent_ns=sent_ns
                )
        return records
