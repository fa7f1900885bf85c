"""One contingency system as a process of its own: the same values, computed another way.

Own capture, own table of prices, own arithmetic (:mod:`hkex_ops.index.snapshot`): what stops every
engine at once shall not stop this. It tells the supervisor every index at every moment of the grid,
as the standing check of the engines and, while none of them publishes, as what is published
instead. It stands behind the engines in rank, so that a message which is poison to them is known
before it is read here.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Iterable, Sequence
from time import monotonic_ns

from hkex_ops.clock import SystemClock
from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import HkexOpsError
from hkex_ops.flows.index.board import BOARD_NAME, Board
from hkex_ops.flows.index.drawing import drawing
from hkex_ops.flows.index.feed_health import FeedHealth
from hkex_ops.flows.index.feed_time import FeedTime, is_patient
from hkex_ops.flows.index.holdback import HoldBack, limits_of
from hkex_ops.flows.index.link import Link
from hkex_ops.flows.index.own_capture import OwnChannel
from hkex_ops.flows.index.process import BEAT_S, BREATH_NS, RELEASE_S, Task, run_process
from hkex_ops.index.records import IndexRecord, SessionRecord
from hkex_ops.index.rules import NS_PER_MS, NS_PER_S
from hkex_ops.index.snapshot import SnapshotComputation, SnapshotValue
from hkex_ops.ports import FeedLine, MarketFeed, PacketBatch, SupportsRetransmission

__all__ = ["ContingencyWork"]

MOST_AT_ONCE = 10_000
"""Messages that one retransmission request may name (OMD-C specification, section 4.2)."""

KEPT_BY_SERVER = 50_000
"""Messages that the retransmission service keeps (OMD-C specification, section 4.2)."""

LEAP_S = 4 * 3600
"""A packet that claims to be sent so much later than everything else is not believed."""

ANSWER_S = 10
"""How long a retransmission may take before the messages are taken to be lost."""


class ContingencyWork:
    """The work of one contingency system, from the opening of its feed to the feed's end."""

    def __init__(self, task: Task, link: Link, feed: MarketFeed, board: Board) -> None:
        index, number = task.settings.index, task.brief.number
        self._link = link
        self._feed = feed
        self._board = board
        self._row = board.row(number)
        self._row.begin(os.getpid())
        self._patient = is_patient(feed)
        self._hold = HoldBack(
            board, number, limits_of(index.run.hold_back_ms), strict=self._patient
        )
        self._time = FeedTime(SystemClock(), stands=self._patient)
        self._rules = index.rules
        self._codec = load_codec(index.specification)
        self._channels: dict[int, OwnChannel] = {}
        self._health = FeedHealth(feed)
        self._quarantined = 0
        self._asking: set[int] = set()
        self._asked: dict[int, tuple[int, int] | None] = {}
        self._moment_ns = 0  # the next one to tell
        self._frontier_ns = 0  # the first one that no channel has passed
        self._passings: deque[tuple[int, int]] = deque()  # moments, and when they were first passed
        self._closing = False
        self._table = SnapshotComputation(
            task.baskets,
            index.rules,
            name=task.brief.name,
            site=task.brief.site,
            channels=feed.channels,
        )

    async def run(self) -> None:
        """Work until the feed ends or the supervisor says so; then tell it."""
        self._row.beat(monotonic_ns())
        self._link.send({"say": "ready", "channels": list(self._feed.channels), "from": None})
        async with asyncio.TaskGroup() as group:
            pumping = group.create_task(self._pump())
            listening = group.create_task(self._listen())
            beating = group.create_task(self._beat(group))
            await asyncio.wait({pumping, listening}, return_when=asyncio.FIRST_COMPLETED)
            for one in (pumping, listening, beating):
                one.cancel()
        self._link.send({"say": "ended"})
        await self._link.drain()

    # -- what comes -------------------------------------------------------------------------------

    async def _pump(self) -> None:
        breathed = monotonic_ns()
        async with drawing(self._feed.packets()) as packets:
            async for batch in packets:
                now_ns = monotonic_ns()
                self._row.beat(now_ns)
                for one in self._hold.admit(batch, now_ns):
                    self._take(one)
                while self._hold.is_full:  # noqa: ASYNC110 - others pass it; only looking tells
                    await asyncio.sleep(RELEASE_S)
                if monotonic_ns() - breathed > BREATH_NS:
                    await asyncio.sleep(0)
                    breathed = monotonic_ns()
        while self._hold.count:  # noqa: ASYNC110 - others pass it; only looking tells
            await asyncio.sleep(BEAT_S)
        if self._patient:
            # Nothing comes any more: what has settled by then is the last that there is to tell.
            self._time.skip(self._rules.settle_ms * NS_PER_MS)
            self._tell_moments()

    async def _listen(self) -> None:
        """Until the supervisor says that this shall end, or is gone."""
        async for line in self._link.lines():
            if line.get("do") == "end":
                return

    def _take(self, batch: PacketBatch) -> None:
        if batch.line is FeedLine.RECOVERY:
            return
        if self._board.quarantined != self._quarantined:
            self._look_at_quarantine()
        self._time.at(batch)
        channel, again = self._channel(batch.channel), batch.line is FeedLine.RETRANSMISSION
        for packet in batch.packets:
            self._hear(channel.take(packet, batch.received_ns, again=again))
        self._tell_moments()

    def _hear(self, records: Iterable[IndexRecord]) -> None:
        now = self._time.now()
        for record in records:
            sent_ns = record.send_time_ns
            if self._moment_ns and sent_ns > self._moment_ns + LEAP_S * NS_PER_S:
                # Nobody moves the clock by hours with one packet.
                record, sent_ns = record._replace(send_time_ns=0), 0
            if sent_ns >= self._frontier_ns and sent_ns:
                self._pass(sent_ns)
            if isinstance(record, SessionRecord):
                self._closing = record.session in self._rules.closing_sessions
            self._table.handle(record, now)

    def _pass(self, sent_ns: int) -> None:
        """The first record of an interval came; the first of all only begins the grid."""
        following_ns = sent_ns // self._rules.interval_ns * self._rules.interval_ns
        following_ns += self._rules.interval_ns
        if self._moment_ns:
            self._passings.append((self._frontier_ns, self._time.now_ns()))
        else:
            self._moment_ns = following_ns
        self._frontier_ns = following_ns

    def _channel(self, number: int) -> OwnChannel:
        channel = self._channels.get(number)
        if channel is None:
            channel = self._channels[number] = OwnChannel(number, self._codec)
        return channel

    def _look_at_quarantine(self) -> None:
        for row in self._board.quarantine_rows(self._quarantined):
            self._channel(row.channel).banned.update(range(row.first, row.last + 1))
            self._quarantined += 1

    # -- what is told -----------------------------------------------------------------------------

    def _tell_moments(self) -> None:
        """Every moment that all channels have passed, or that has settled, in order.

        Each settles from when it was passed itself: were it from when the one before was told, one
        silent channel would put every moment a little further behind.
        """
        while self._moment_ns < self._frontier_ns:
            while len(self._passings) > 1 and self._passings[1][0] <= self._moment_ns:
                self._passings.popleft()
            waited_ns = self._time.now_ns() - self._passings[0][1]
            silent = self._table.missing_at(self._moment_ns)
            if silent and waited_ns < self._rules.settle_ms * NS_PER_MS:
                return
            self._tell(self._table.values_at(self._moment_ns, closing=self._closing), silent)
            self._moment_ns += self._rules.interval_ns

    def _tell(self, values: Sequence[SnapshotValue], silent: Sequence[int]) -> None:
        self._link.send(
            {
                "say": "snapshot",
                "time_ns": self._moment_ns,
                "silent": list(silent),
                "rows": [
                    [
                        one.code,
                        None if one.value is None else str(one.value),
                        list(one.stale),
                        self._table.changes_of(one.code),
                    ]
                    for one in values
                ],
            }
        )

    # -- what time brings -------------------------------------------------------------------------

    async def _beat(self, group: asyncio.TaskGroup) -> None:
        while True:
            now_ns = monotonic_ns()
            self._row.beat(now_ns)
            for batch in self._hold.release(now_ns):
                self._take(batch)
            if self._time.begun:
                self._look_at_holes(group)
                self._tell_moments()
            for line in self._health.lines(now_ns):
                self._link.send(line)
            await asyncio.sleep(RELEASE_S if self._hold.count else BEAT_S)

    def _look_at_holes(self, group: asyncio.TaskGroup) -> None:
        now_ns = self._time.now_ns()
        for number, channel in self._channels.items():
            if not channel.has_waited(now_ns) or number in self._asking:
                continue
            if channel.hole != self._asked.get(number) and isinstance(
                self._feed, SupportsRetransmission
            ):
                self._asking.add(number)
                group.create_task(self._ask_again(self._feed, number, channel))
            else:
                self._hear(channel.give_up(now_ns))

    async def _ask_again(
        self, feed: SupportsRetransmission, number: int, channel: OwnChannel
    ) -> None:
        """Have a hole sent again, once; whatever is missing then is told as lost."""
        hole = self._asked[number] = channel.hole
        assert hole is not None, "a hole was waited for"
        begin, end = max(hole[0], hole[1] - KEPT_BY_SERVER + 1), hole[1]
        try:
            async with asyncio.timeout(ANSWER_S):
                for first in range(begin, end + 1, MOST_AT_ONCE):
                    last = min(first + MOST_AT_ONCE - 1, end)
                    async with drawing(feed.retransmit(number, first, last)) as sent_again:
                        async for batch in sent_again:
                            self._take(batch)
        except (HkexOpsError, TimeoutError):
            # What did not come is still a hole, and the next look at it gives it up.
            pass
        finally:
            self._asking.discard(number)
            self._asked[number] = channel.hole


async def _work(task: Task, link: Link) -> None:
    board = Board.open(task.brief.folder / BOARD_NAME)
    async with task.feed.open(task.brief.site) as feed:
        await ContingencyWork(task, link, feed, board).run()


if __name__ == "__main__":
    run_process(_work)
