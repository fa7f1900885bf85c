"""One engine as a process of its own: a feed, a pipeline behind it, and what it tells.

It captures for itself, holds back what another engine shall taste first, says on the board what it
has in hand, sends its ticks to the supervisor, writes down where it stands, and has gaps filled.
It decides nothing about any other engine. An error in it is not survived but told: the process ends
with the message that killed it still in hand, and its successor begins without that message.
"""

from __future__ import annotations

import asyncio
import os
from time import monotonic_ns

from hkex_ops.clock import SystemClock
from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.index.board import BOARD_NAME, Board
from hkex_ops.flows.index.checkpoint import (
    Beginning,
    Checkpoint,
    CheckpointEvent,
    CheckpointFailed,
    CheckpointWritten,
    checkpoints,
    format_checkpoint,
    write_checkpoint,
)
from hkex_ops.flows.index.closing import versions_told
from hkex_ops.flows.index.drawing import drawing
from hkex_ops.flows.index.events import event_name
from hkex_ops.flows.index.feed_health import FeedHealth
from hkex_ops.flows.index.feed_time import FeedTime, is_patient
from hkex_ops.flows.index.holdback import HoldBack, limits_of
from hkex_ops.flows.index.link import Link
from hkex_ops.flows.index.pipeline import Pipeline, Taken
from hkex_ops.flows.index.process import (
    BEAT_S,
    BREATH_NS,
    RELEASE_S,
    Task,
    run_process,
    together,
)
from hkex_ops.flows.index.recovering import Recoverer
from hkex_ops.flows.index.telling import lines_of
from hkex_ops.flows.store.disk import Folder
from hkex_ops.index.engine import Engine
from hkex_ops.model import JsonObject
from hkex_ops.omd.merging import POLL_NS
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.ports import MarketFeed, PacketBatch, SupportsRefresh, SupportsRetransmission

__all__ = ["EngineWork"]

_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000


class EngineWork:
    """The work of one engine process, from the opening of its feed to the feed's end."""

    def __init__(
        self, task: Task, link: Link, feed: MarketFeed, board: Board, folder: Folder
    ) -> None:
        run = task.settings.index.run
        self._task = task
        self._link = link
        self._feed = feed
        self._board = board
        self._folder = folder
        # Of a feed that waits nothing is late: everything follows its packets, and none of it the
        # clock, so that every engine computes what a replay of the same would.
        self._patient = is_patient(feed)
        self._recovers = not self._patient or isinstance(
            feed, SupportsRetransmission | SupportsRefresh
        )
        # Nothing is asked for again there: a gap waits for what the record itself still brings.
        self._limits = (
            LineLimits(gap_wait_ns=run.gap_ms * _NS_PER_MS) if self._recovers else LineLimits()
        )
        self._polled = 0
        self._time = FeedTime(SystemClock(), stands=self._patient)
        self._codec = load_codec(task.settings.index.specification)
        self._row = board.row(task.brief.number)
        self._hold = HoldBack(
            board,
            task.brief.number,
            limits_of(run.hold_back_ms),
            ranked=True,
            strict=self._patient,
        )
        self._checkpoint_every_ns = run.checkpoint_s * _NS_PER_S
        self._checkpoint_ns = monotonic_ns()
        self._checkpoint_trouble: str | None = None
        self._health = FeedHealth(feed)
        self._quarantined = 0
        self._row.begin(os.getpid())
        self._restored, self._pipeline = self._restored_pipeline()
        self._recoverer = Recoverer(
            feed,
            self._pipeline,
            self._codec,
            receive=self._receive,
            tell=self._tell,
            now_ns=self._time.now_ns,
        )

    async def run(self) -> None:
        """Work until the feed ends or the supervisor says so; then tell it."""
        self._row.beat(monotonic_ns())
        self._link.send(
            {"say": "ready", "channels": list(self._feed.channels), "from": self._restored}
        )
        await together((self._pump(), self._listen()), (self._beat(), self._recoverer.run()))
        await self._write_checkpoint()
        self._link.send({"say": "ended"})
        await self._link.drain()

    # -- beginning --------------------------------------------------------------------------------

    def _restored_pipeline(self) -> tuple[str | None, Pipeline]:
        """A pipeline that stands where a checkpoint stood, and whose that was; or a fresh one."""
        name, beginning = self._task.brief.name, Beginning(self._task.brief.beginning)
        for found in checkpoints(self._folder, name, beginning):
            pipeline = self._fresh_pipeline()
            try:
                pipeline.restore(found.pipeline)
            except UsageError:
                continue
            for channel, following in pipeline.next_sequences.items():
                self._row.passed(channel, following - 1)
            return found.engine, pipeline
        # At the start of a day nobody is ahead: whoever is first in rank tastes from message 1.
        for channel in self._feed.channels:
            self._row.passed(channel, 0)
        return None, self._fresh_pipeline()

    def _fresh_pipeline(self) -> Pipeline:
        index = self._task.settings.index
        channels = self._feed.channels
        engine = Engine(
            self._task.baskets,
            index.rules,
            name=self._task.brief.name,
            site=self._task.brief.site,
            channels=channels,
        )
        pipeline = Pipeline(
            engine,
            self._codec,
            channels,
            limits=self._limits,
            row=self._row,
            may_close=self._hold.may_close,
        )
        self._quarantined = self._board.quarantined
        for row in self._board.quarantine_rows():
            pipeline.quarantine(row)
        return pipeline

    # -- what comes -------------------------------------------------------------------------------

    async def _pump(self) -> None:
        breathed = monotonic_ns()
        async with drawing(self._feed.packets()) as packets:
            async for batch in packets:
                self._receive(batch)
                while self._hold.is_full:  # noqa: ASYNC110 - only looking tells
                    await asyncio.sleep(RELEASE_S)
                if monotonic_ns() - breathed > BREATH_NS:
                    await asyncio.sleep(0)
                    breathed = monotonic_ns()
        # The feed has ended, as a capture does: what is held back comes to its end too, and so does
        # a moment that waits for another engine.
        await self._until_nothing_waits()
        if self._patient:
            settle_ns = self._task.settings.index.rules.settle_ms * _NS_PER_MS
            limits = self._limits
            for wait_ns in (limits.gap_wait_ns + settle_ns, limits.give_up_ns, settle_ns):
                self._time.skip(wait_ns)
                await self._until_nothing_waits()

    async def _until_nothing_waits(self) -> None:
        while self._hold.count:  # noqa: ASYNC110 - only looking tells
            await asyncio.sleep(BEAT_S)
        self._settle()
        while self._hold.keeps_open:  # noqa: ASYNC110 - only looking tells
            await asyncio.sleep(BEAT_S)

    def _receive(self, batch: PacketBatch) -> None:
        now_ns = monotonic_ns()
        self._row.beat(now_ns)
        for one in self._hold.admit(batch, now_ns):
            self._work(one)

    def _work(self, batch: PacketBatch) -> None:
        self._look_at_quarantine()
        # Only what was told as well is passed: to tell is work that a message may end.
        self._tell(self._pipeline.work(batch, self._time.at(batch)))
        self._pipeline.pass_on(batch.channel)
        if self._patient and batch.received_ns // POLL_NS > self._polled:
            self._polled = batch.received_ns // POLL_NS
            self._settle()

    def _look_at_quarantine(self) -> None:
        if self._board.quarantined != self._quarantined:
            for row in self._board.quarantine_rows(self._quarantined):
                self._pipeline.quarantine(row)
                self._quarantined += 1

    def _tell(self, taken: Taken) -> None:
        if taken.data or taken.health:
            for line in lines_of(taken):
                self._link.send(line)
            for line in versions_told(self._pipeline.engine, taken.data):
                self._link.send(line)
            if self._recovers:
                self._recoverer.observe(taken.health)

    async def _listen(self) -> None:
        """Until the supervisor says that this shall end, or is gone."""
        async for line in self._link.lines():
            if line.get("do") == "end":
                return

    # -- what time brings -------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            now_ns = monotonic_ns()
            self._row.beat(now_ns)
            for batch in self._hold.release(now_ns):
                self._work(batch)
            if not self._patient or self._hold.keeps_open:
                self._settle()
            for line in self._health.lines(now_ns):
                self._link.send(line)
            if now_ns - self._checkpoint_ns > self._checkpoint_every_ns:
                self._checkpoint_ns = now_ns
                await self._write_checkpoint()
            waits = self._hold.count or self._hold.keeps_open
            await asyncio.sleep(RELEASE_S if waits else BEAT_S)

    def _settle(self) -> None:
        """Work on what has waited for time alone, or for whoever stands before this engine."""
        if self._time.begun:
            self._look_at_quarantine()
            self._tell(self._pipeline.poll(self._time.now(), at_ns=self._time.now_ns()))

    async def _write_checkpoint(self) -> None:
        """Write down where this engine stands. Without it a restart only takes longer: a full disk,
        which every engine meets in the same second, must end none of them."""
        name = self._task.brief.name
        stands = Checkpoint(name, self._time.now(), self._pipeline.snapshot())
        data = format_checkpoint(stands)
        before, self._checkpoint_trouble = self._checkpoint_trouble, None
        try:
            await asyncio.to_thread(write_checkpoint, self._folder, name, data)
        except StoreError as error:
            self._checkpoint_trouble = str(error)
        trouble = self._checkpoint_trouble
        if before is None and trouble is not None:
            self._tell_of(CheckpointFailed(trouble))
        elif before is not None and trouble is None:
            self._tell_of(CheckpointWritten(before))

    def _tell_of(self, event: CheckpointEvent) -> None:
        fields: JsonObject = {"reason": event.reason}
        self._link.send({"say": "health", "kind": event_name(event), "fields": fields})


async def _work(task: Task, link: Link) -> None:
    with Folder.open(task.brief.folder) as folder:
        board = Board.open(task.brief.folder / BOARD_NAME)
        async with task.feed.open(task.brief.site) as feed:
            await EngineWork(task, link, feed, board, folder).run()


if __name__ == "__main__":
    run_process(_work)
