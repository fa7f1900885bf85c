"""What a replay found amiss with a capture, in words for the person who asked for it.

Built at the end, from what readers and the recalculation have counted. Whether a finding makes
values doubtful is said by its kind; none of them ends a replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from hkex_ops.errors import WireError
from hkex_ops.index.reckoning import Reckoning
from hkex_ops.index.ticks import RecordJournalled, moment_of
from hkex_ops.index.totals import Totals
from hkex_ops.omd.events import GapClosed, GapLost, HealthEvent, PacketRefused
from hkex_ops.omd.frames import Passed

__all__ = [
    "GRAVE",
    "LISTED",
    "ReplayFinding",
    "ReplayFindingKind",
    "capture_findings",
    "day_findings",
    "engine_findings",
]

LISTED = 100
"""How many findings of one kind are listed; the others are counted in one more."""

NAMED = 5
"""How many stocks are named where more are concerned."""


class ReplayFindingKind(StrEnum):
    """What is amiss."""

    CAPTURE_DAMAGED = "capture-damaged"  # the file ends in the middle of a packet, or is no capture
    FRAMES_PASSED_OVER = "frames-passed-over"  # frames without a whole datagram
    NO_CHANNEL = "no-channel"  # datagrams that are of no channel
    PACKET_REFUSED = "packet-refused"  # bytes that disobey the specification
    MESSAGES_LATE = "messages-late"  # a gap that was told of, and closed after all
    MESSAGES_LOST = "messages-lost"  # a gap that nothing in the capture closes
    OUT_OF_SEQUENCE = "out-of-sequence"  # trades that came after a newer one of their stock
    JOURNALLED = "journalled"  # what an engine did not simply take
    PRICE_KEPT = "price-kept"  # a last trade was cancelled, the one before it is not remembered
    NO_VALUE = "no-value"  # an index lacks a previous close


GRAVE = frozenset(
    {
        ReplayFindingKind.CAPTURE_DAMAGED,
        ReplayFindingKind.MESSAGES_LOST,
        ReplayFindingKind.PRICE_KEPT,
        ReplayFindingKind.NO_VALUE,
    }
)
"""The kinds after which not every value can be relied upon, or not every value is there."""


@frozen
class ReplayFinding:
    """One thing that is amiss; ``at`` is the time of the capture, where it is of one moment."""

    kind: ReplayFindingKind
    message: str
    channel: int | None = None
    at: datetime | None = None

    @property
    def grave(self) -> bool:
        """Whether values may be wrong, or missing, because of it."""
        return self.kind in GRAVE


def capture_findings(
    damage: Iterable[WireError],
    passed: Mapping[Passed, int],
    strangers: int,
    health: Sequence[HealthEvent],
) -> Iterator[ReplayFinding]:
    """What is amiss with the file, its frames and its packets."""
    kinds = ReplayFindingKind
    for error in damage:
        yield ReplayFinding(kinds.CAPTURE_DAMAGED, str(error))
    for reason, count in sorted(passed.items()):
        yield ReplayFinding(kinds.FRAMES_PASSED_OVER, f"{count} frames passed over: {reason}")
    if strangers:
        yield ReplayFinding(
            kinds.NO_CHANNEL,
            f"{strangers} datagrams are of no channel: name the groups and ports of this capture",
        )
    yield from _limited(kinds.PACKET_REFUSED, filter(None, map(_refused, health)))
    yield from _limited(kinds.MESSAGES_LATE, filter(None, map(_late, health)))
    yield from _limited(kinds.MESSAGES_LOST, filter(None, map(_lost, health)))


def _refused(event: HealthEvent) -> ReplayFinding | None:
    if not isinstance(event, PacketRefused):
        return None
    said = f"channel {event.channel}, line {event.line}: {event.reason}"
    return _of(ReplayFindingKind.PACKET_REFUSED, said, event.channel, event.at_ns)


def _late(event: HealthEvent) -> ReplayFinding | None:
    if not isinstance(event, GapClosed) or event.lost:
        return None
    said = f"channel {event.channel}: messages {event.begin} to {event.end} came late"
    return _of(ReplayFindingKind.MESSAGES_LATE, said, event.channel, event.at_ns)


def _lost(event: HealthEvent) -> ReplayFinding | None:
    if not isinstance(event, GapLost):
        return None
    said = f"channel {event.channel}: messages {event.begin} to {event.end} came by no line in time"
    return _of(ReplayFindingKind.MESSAGES_LOST, said, event.channel, event.at_ns)


def _of(kind: ReplayFindingKind, said: str, channel: int, at_ns: int) -> ReplayFinding:
    return ReplayFinding(kind, said, channel, moment_of(at_ns))


def _limited(
    kind: ReplayFindingKind, findings: Iterable[ReplayFinding], more: int = 0
) -> Iterator[ReplayFinding]:
    """As many as are listed, and how ``more`` there are."""
    for place, finding in enumerate(findings):
        if place < LISTED:
            yield finding
        else:
            more += 1
    if more:
        yield ReplayFinding(kind, f"and {more} more like these")


def day_findings(reckoning: Reckoning) -> Iterator[ReplayFinding]:
    """What is amiss with the day's trades and baskets."""
    kinds = ReplayFindingKind
    late = (
        ReplayFinding(
            kinds.OUT_OF_SEQUENCE,
            f"stock {trade.security}: trade {trade.trade_id} came after trade {trade.newest}",
        )
        for trade in reckoning.late
    )
    unlisted = reckoning.late_count - len(reckoning.late)
    yield from _limited(kinds.OUT_OF_SEQUENCE, late, unlisted)
    for security in sorted(reckoning.undone):
        yield ReplayFinding(
            kinds.PRICE_KEPT,
            f"stock {security}: its last trade was cancelled and the one before is not remembered; "
            "it keeps the price",
        )
    yield from _without_value(reckoning.totals)


def engine_findings(
    journal: Iterable[RecordJournalled], journalled: int, totals: Totals
) -> Iterator[ReplayFinding]:
    """What an engine journalled, and which indexes have no value."""
    listed = [
        ReplayFinding(
            ReplayFindingKind.JOURNALLED,
            f"{entry.reason}: {type(entry.record).__name__} of stock "
            f"{getattr(entry.record, 'security', 0)}",
            entry.record.channel,
            moment_of(entry.time_ns),
        )
        for entry in journal
    ]
    yield from _limited(ReplayFindingKind.JOURNALLED, listed, journalled - len(listed))
    yield from _without_value(totals)


def _without_value(totals: Totals) -> Iterator[ReplayFinding]:
    for index, members in zip(totals.indexes, totals.members, strict=True):
        without = [totals.securities[slot] for slot in members if not totals.previous[slot]]
        if without:
            names = ", ".join(map(str, without[:NAMED])) + (
                " and others" if len(without) > NAMED else ""
            )
            yield ReplayFinding(
                ReplayFindingKind.NO_VALUE,
                f"index {index} has no value: nobody tells the previous close of {names}",
            )
