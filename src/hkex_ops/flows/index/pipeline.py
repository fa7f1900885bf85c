"""The way of the data: packets of a feed go in, ticks come out, and nothing is waited for.

Packet, line arbitration, message, record, engine: one pipeline is all of one engine but its
process. It opens nothing, asks no clock and raises for no packet, so that a rehearsal turns it by
hand and every engine of a run, fed the same, computes the same. Data events and health events of
the market are told apart. Quarantined messages are left out here, before anybody looks into them.

Before a packet, and before each record of it, is worked on, the engine's row of the progress board
says so; whoever finds this process dead knows of what it died.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from struct import Struct, error as StructError
from typing import NamedTuple, TypeAlias, cast

from hkex_ops.errors import UsageError
from hkex_ops.flows.index.board import EngineRow, QuarantineRow
from hkex_ops.flows.index.lane import Lane
from hkex_ops.flows.index.plain_way import PlainWay
from hkex_ops.flows.index.quarantine import QUARANTINED, Quarantine
from hkex_ops.flows.index.straight_trades import Heard, StraightTrades
from hkex_ops.flows.index.translate import Translator
from hkex_ops.index.engine import Engine
from hkex_ops.index.orders import Moment, Sequenced, Untimely
from hkex_ops.index.records import (
    ChannelRestarted,
    IndexRecord,
    RecordsLost,
    TimePassed,
)
from hkex_ops.index.ticks import moment_of, time_ns_of
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
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.ports import FeedLine, PacketBatch

__all__ = ["MarketHealth", "Pipeline", "Taken"]

_header = Struct("<HBxIQ").unpack_from
_sent = Struct("<Q").unpack_from
_SENT_AT = 8
_UNREADABLE = (0, 1, 0, 0)  # size, count, number and time of a packet without a header

MarketHealth: TypeAlias = HealthEvent | DisasterEvent | SequenceRestarted


class Taken(NamedTuple):
    """What came of packets, or of time: ``data`` is what the engine told, and the trading sessions
    that it heard, which others need to know too; ``health`` is how the channels fare."""

    data: Sequence[Heard]
    health: Sequence[MarketHealth]


class _Turn:
    """One batch being worked on: whose, by which line, when, and what came of it."""

    __slots__ = ("at_ns", "channel", "data", "health", "lane", "line", "now")

    def __init__(self, lane: Lane, channel: int, line: str, at_ns: int, now: datetime) -> None:
        self.lane = lane
        self.channel = channel
        self.line = line
        self.at_ns = at_ns
        self.now = now
        self.data: list[Heard] = []
        self.health: list[MarketHealth] = []


class Pipeline:
    """One engine behind the lines of its channels.

    ``row`` is the engine's own on the progress board, and ``may_close`` says whether a moment may
    be closed now; a pipeline that works alone needs neither.
    """

    def __init__(
        self,
        engine: Engine,
        codec: Codec,
        channels: Iterable[int],
        *,
        limits: LineLimits | None = None,
        row: EngineRow | None = None,
        may_close: Callable[[int], bool] | None = None,
    ) -> None:
        self.engine = engine
        engine.sequencer.gate = may_close
        self._codec = codec
        self._limits = limits
        self._row = row or EngineRow.detached()
        if row is not None:
            engine.taking = self._taking
        self._straight = StraightTrades(engine, self._row)
        self._plain = PlainWay(engine, self._straight)
        self._lanes: dict[int, Lane] = {}
        self._disasters: dict[int, DisasterWatch] = {}
        translator = Translator(codec)
        self._translate = translator.records
        self._quarantine = Quarantine(translator)
        for channel in channels:
            self._follow(channel)

    # -- what the feed brings ---------------------------------------------------------------------

    def take(self, batch: PacketBatch, now: datetime) -> Taken:
        """Work on packets that came, and pass them on; ``now`` is when, for whatever has to
        settle."""
        taken = self.work(batch, now)
        self.pass_on(batch.channel)
        return taken

    def pass_on(self, channel: int) -> None:
        """What was worked on last, of ``channel``, has been told as well: it is put down, and
        others may take it."""
        self._row.put_down()
        self._row.closed_until(self.engine.sequencer.next_moment)
        lane = self._lanes.get(channel)
        if lane is not None:
            self._say_passed(channel, lane)

    def work(self, batch: PacketBatch, now: datetime) -> Taken:
        """Work on packets that came. All of them stay in hand until :meth:`pass_on`."""
        if batch.line is FeedLine.RECOVERY:
            return self._signalled(batch, now)
        channel, line, at_ns, packets = batch
        lane = self._lanes.get(channel) or self._follow(channel)
        turn = _Turn(lane, channel, line, at_ns, now)
        first, count = _messages_of(packets)
        self._row.take_of(channel, first, count)
        # Another way than the plain one: what is sent again, what is quarantined, and now and then
        # one packet of each line, so that the arbiter knows that the line is heard.
        strange = line is FeedLine.RETRANSMISSION or channel in self._quarantine
        looks = strange or (not lane.early and lane.is_to_look(line, at_ns))
        place = 0
        while place < len(packets):
            if not looks:
                place = self._plain.work(lane, batch, place, now, turn.data)
            if place < len(packets):
                self._strange(turn, packets[place])
                self._row.take(first, count)
                place += 1
            looks = strange
        return Taken(turn.data, turn.health)

    def _strange(self, turn: _Turn, packet: bytes) -> None:
        """Work on a packet by way of the arbiter; it is in hand meanwhile."""
        lane, channel = turn.lane, turn.channel
        try:
            _, count, sequence, sent_ns = _header(packet)
        except StructError:
            _, count, sequence, sent_ns = _UNREADABLE
        self._row.take(sequence, count)
        if channel in self._quarantine:
            packet = self._quarantine.veil(channel, sequence, count, packet)
        events = lane.handle(packet, turn.line, turn.at_ns)
        self._told(channel, events, turn.now, turn.data, turn.health)
        # A heartbeat that names a message which has not come must not move the time.
        told = count == 0 and lane.arbiter.has_come(sequence)
        if told and sent_ns >= self.engine.sequencer.moment:
            turn.data += self.engine.handle(TimePassed(channel, sequence, sent_ns), turn.now)

    def poll(self, now: datetime, *, at_ns: int | None = None) -> Taken:
        """Work on what has waited long enough. ``at_ns`` is the feed's own time, where that is
        not ``now``, as it is not with a capture."""
        feed_ns = time_ns_of(now) if at_ns is None else at_ns
        data: list[Heard] = []
        health: list[MarketHealth] = []
        for channel, lane in self._lanes.items():
            self._told(channel, lane.poll(feed_ns), now, data, health)
            self._say_passed(channel, lane)
        data += self.engine.poll(now)
        self._row.closed_until(self.engine.sequencer.next_moment)
        return Taken(data, health)

    def abandon(self, channel: int, begin: int, end: int, at_ns: int) -> Taken:
        """Messages ``begin`` to ``end`` will not come: whoever was asked for them refused."""
        now = moment_of(at_ns)
        return self._of(channel, self._lane(channel).abandon(begin, end, at_ns), now)

    def resume(self, channel: int, records: Iterable[IndexRecord], last: int, at_ns: int) -> Taken:
        """A refresh showed the state of ``channel`` after message ``last``: ``records`` of it are
        worked, and real-time goes on behind."""
        data: list[Heard] = []
        now = moment_of(at_ns)
        first = self._lane(channel).next_sequence
        if first <= last:
            # A refresh shows no trades: what it does not make good stays marked.
            data += self.engine.handle(RecordsLost(channel, first, last, 0), now)
        self._straight.one_by_one(records, now, data)
        taken = self._of(channel, self._lane(channel).resume(last, at_ns), now)
        return Taken((*data, *taken.data), taken.health)

    def put_off(self, channel: int, until_ns: int) -> None:
        """Recovery of ``channel`` is under way: none of its gaps is given up before then."""
        self._lane(channel).arbiter.put_off(until_ns)

    # -- what must not be looked into -------------------------------------------------------------

    def quarantine(self, row: QuarantineRow) -> None:
        """From now on leave out messages ``first`` to ``last`` of a channel; what would be worked
        in their place says so on the ticks of their stock."""
        self._quarantine.add(row)
        self.engine.hold_back(row.channel, row.first, row.last, QUARANTINED)

    # -- where it stands --------------------------------------------------------------------------

    @property
    def next_sequences(self) -> Mapping[int, int]:
        """The next message wanted of each channel."""
        return {channel: lane.next_sequence for channel, lane in self._lanes.items()}

    @property
    def open_gaps(self) -> Mapping[int, frozenset[tuple[int, int]]]:
        """The gaps that were told and are still open, by channel, as first and last message."""
        return {
            channel: frozenset(lane.open_gaps)
            for channel, lane in self._lanes.items()
            if lane.open_gaps
        }

    def follows(self, channel: int) -> bool:
        """Whether nothing of ``channel`` is missing."""
        return self._lane(channel).is_whole

    def snapshot(self) -> JsonObject:
        """Everything it knows, as plain data."""
        arbiters = [lane.snapshot() for lane in self._lanes.values()]
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
            self._lane(cast("int", one["channel"])).restore(one)

    # -- inside -----------------------------------------------------------------------------------

    def _taking(self, one: Sequenced | None) -> None:
        """The engine goes on to something else than the record it was given."""
        if one is None:
            self._row.take_up_again()
        elif isinstance(one, Moment):
            self._row.take_moment()
        else:
            record = one.record if isinstance(one, Untimely) else one
            security = getattr(record, "security", 0)
            self._row.take_waited(record.channel, record.sequence, security)

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
            for channel in self._lanes:
                data += self.engine.handle(RecordsLost(channel, 0, 0, 0), now)
        return Taken(data, health)

    def _follow(self, channel: int) -> Lane:
        lane = self._lanes[channel] = Lane(channel, self._codec, self._limits)
        return lane

    def _lane(self, channel: int) -> Lane:
        return self._lanes.get(channel) or self._follow(channel)

    def _of(self, channel: int, events: Sequence[LineEvent], now: datetime) -> Taken:
        data: list[Heard] = []
        health: list[MarketHealth] = []
        self._told(channel, events, now, data, health)
        self._say_passed(channel, self._lane(channel))
        return Taken(data, health)

    def _say_passed(self, channel: int, lane: Lane) -> None:
        self._row.passed(channel, lane.next_sequence - 1, lacks=bool(lane.open_gaps))

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
                self._lane(channel).open_gaps.clear()
                health.append(event)
            else:
                self._fared(event, now, data)
                health.append(event)

    def _fared(self, event: HealthEvent, now: datetime, data: list[Heard]) -> None:
        match event:
            case GapOpened(channel, begin, end):
                self._lane(channel).open_gaps.add((begin, end))
            case GapClosed(channel, begin, end):
                self._lane(channel).open_gaps.discard((begin, end))
            case GapLost(channel, begin, end):
                data += self.engine.handle(RecordsLost(channel, begin, end, 0), now)
            case _:
                pass

    def _arrived(self, event: MessagesArrived, now: datetime, data: list[Heard]) -> None:
        channel, sequence, packet, skip, count, line, _ = event
        sent_ns = 0 if line == FeedLine.RETRANSMISSION else _sent(packet, _SENT_AT)[0]
        if channel in self._quarantine and self._quarantine.touches(channel, sequence, count):
            records = self._quarantine.records(event, sent_ns)
        else:
            records = self._translate(
                packet, channel=channel, sequence=sequence, skip=skip, count=count, sent_ns=sent_ns
            )
        if not records and sent_ns >= self.engine.sequencer.moment:
            records = [TimePassed(channel, sequence + count - 1, sent_ns)]
        self._straight.one_by_one(records, now, data)


def _messages_of(packets: Sequence[bytes]) -> tuple[int, int]:
    """The first number of a message in ``packets``, which usually are in order, and how many
    numbers there are from there to the last; no message, where that cannot be read."""
    try:
        _, count, first, _ = _header(packets[0])
        end = first + count
        if len(packets) > 1:
            _, count, last, _ = _header(packets[-1])
            first, end = min(first, last), max(end, last + count)
    except (StructError, IndexError):
        return 0, 0
    return first, end - first
