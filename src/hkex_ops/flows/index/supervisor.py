"""The supervisor of a run: processes kept alive, what they tell decided, written down, published.

It computes nothing and reads no packet. Its loop starts engines and contingency systems, hears
them, gives ticks to gateway and contingency path, writes every decision into the journal and only
then onto the publishers' lanes. It ends what hangs, and answers whoever asks through the run
folder's socket. Killed itself, it takes its processes with it, and the next one goes on from the
journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic

import structlog
from attrs import frozen

from hkex_ops import log
from hkex_ops.clock import Clock
from hkex_ops.errors import ConfigError
from hkex_ops.flows.index.attending import Attendance
from hkex_ops.flows.index.board import BOARD_NAME, Board
from hkex_ops.flows.index.children import Child, ChildHooks, Ended, RestartLimits
from hkex_ops.flows.index.control import Control
from hkex_ops.flows.index.deciding import Decided, Deciding
from hkex_ops.flows.index.events import (
    JournalFailed,
    JournalMended,
    MessageQuarantined,
    RunResumed,
    RunStarted,
    RunStopped,
    event_document,
)
from hkex_ops.flows.index.hearing import Hearing
from hkex_ops.flows.index.journal import SYNC_EVERY_S
from hkex_ops.flows.index.publishing import ANSWER_S, LaneEvent, PublisherLane
from hkex_ops.flows.index.run_book import RunBook
from hkex_ops.flows.index.run_plan import RunPlan, Seat
from hkex_ops.flows.index.run_status import status_of
from hkex_ops.flows.store.disk import Folder
from hkex_ops.index.contingency import ModeChanged
from hkex_ops.index.gateway_events import GatewayStateChanged
from hkex_ops.model import IndexTick, JsonObject, format_event, format_tick

__all__ = ["POLL_S", "RunResult", "RunWatcher", "Supervisor"]

POLL_S = 0.05
"""How often the supervisor looks at what time has brought."""

FLUSH_S = ANSWER_S
"""How long publishers may take for what is queued when the run ends: one call, at the longest. A
publisher that fails then is given up at once."""

CHECK_S = 3.0
"""How long contingency systems may take behind the last engine to come to the end of a feed that
has ended: what they tell is the check of the last values."""

_log = structlog.get_logger()

_MODULES = {
    True: "hkex_ops.flows.index.engine_process",
    False: "hkex_ops.flows.index.contingency_process",
}


@frozen
class RunWatcher:
    """Who is shown a run as it goes: every event as a document, and every tick that goes out."""

    event: Callable[[JsonObject], None] = lambda _: None
    ticks: Callable[[Sequence[IndexTick]], None] = lambda _: None


@frozen
class RunResult:
    """How a run ended. ``counts`` is how often each kind of event happened."""

    reason: str
    published: int
    quarantined: int
    counts: dict[str, int]


class Supervisor:
    """One run, by whoever holds the lock of its folder. :meth:`run` may be called once."""

    def __init__(
        self, plan: RunPlan, folder: Folder, clock: Clock, watcher: RunWatcher | None = None
    ) -> None:
        self.plan = plan
        self.clock = clock
        self._watcher = watcher or RunWatcher()
        self.book: RunBook = RunBook.open(folder, clock)
        seats = (*plan.engines, *plan.contingency)
        self.board: Board = Board.create(plan.folder / BOARD_NAME, processes=len(seats), run=1)
        for row in self.book.quarantined:
            self.board.quarantine(row)
        index = plan.settings.index
        self.deciding: Deciding = Deciding(
            plan.engine_sites,
            plan.contingency_sites,
            rules=index.rules,
            gateway_rules=index.gateway,
            contingency_rules=index.contingency,
        )
        self.attendance: Attendance = Attendance(plan, self.board, self.book, clock)
        self.hearing: Hearing = Hearing(
            plan,
            self.attendance,
            self.deciding,
            self.book,
            clock,
            decide=self._decide,
            tell=self._tell,
            note=self._note,
        )
        self.children: dict[str, Child] = {seat.name: self._child(seat) for seat in seats}
        self.lanes: tuple[PublisherLane, ...] = tuple(
            PublisherLane(one.name, one.open, clock, self._lane_told) for one in plan.publishers
        )
        self._control = Control(folder, self._answers())
        self._stop = asyncio.Event()
        self._reason = ""
        self._trouble: str | None = None
        self.latest: dict[str, IndexTick] = {}
        """The newest tick of every index that went out."""

    def stop(self, reason: str) -> None:
        """Let the run end in order."""
        self._reason = self._reason or reason
        self._stop.set()

    async def run(self) -> RunResult:
        """Keep the run going until :meth:`stop`, or until every engine's feed has ended.

        Raises `ConfigError` when no engine can begin for a reason that the operator must mend.
        """
        self._begin()
        children = [asyncio.create_task(child.run()) for child in self.children.values()]
        lanes = [asyncio.create_task(lane.run()) for lane in self.lanes]
        loops = [asyncio.create_task(self._look(children)), asyncio.create_task(self._sync())]
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await self._control.open()
            await asyncio.wait({stopping, *loops}, return_when=asyncio.FIRST_COMPLETED)
            for loop in loops:
                if loop.done():
                    loop.result()
            await self._end(children, lanes)
        finally:
            self._control.close()
            stopping.cancel()
            for task in (*loops, *lanes, *children):
                task.cancel()
            await asyncio.gather(*children, *lanes, *loops, return_exceptions=True)
            self.book.close()
            self.board.close()
        return RunResult(
            self._reason,
            self.book.published,
            len(self.book.quarantined),
            dict(self.book.counts),
        )

    # -- beginning and end ------------------------------------------------------------------------

    def _begin(self) -> None:
        plan, now = self.plan, self.clock.now()
        if self.book.stood is not None:
            self.deciding.restore(self.book.stood)
        if self.book.begun:
            self._tell(
                RunResumed(
                    now,
                    self.book.published_until,
                    self.deciding.mode.value,
                    len(self.book.quarantined),
                )
            )
        else:
            stocks = {one.security for basket in plan.baskets for one in basket.constituents}
            self._tell(
                RunStarted(
                    now,
                    plan.business_date.isoformat(),
                    plan.engine_sites,
                    plan.contingency_sites,
                    plan.feed.name,
                    tuple(lane.name for lane in self.lanes),
                    len(plan.baskets),
                    len(stocks),
                )
            )
        self.book.stands(self.deciding.snapshot())

    async def _end(
        self, children: Sequence[asyncio.Task[None]], lanes: Sequence[asyncio.Task[None]]
    ) -> None:
        """First those who compute, then those who publish what was computed last."""
        for child in self.children.values():
            child.end()
        await asyncio.gather(*children, return_exceptions=True)
        self.hearing.poll()
        for lane in self.lanes:
            lane.end()
        await asyncio.wait(lanes, timeout=FLUSH_S)
        for lane in self.lanes:
            lane.give_up("the run has ended")
        self.book.stands(self.deciding.snapshot())
        self._tell(RunStopped(self.clock.now(), self._reason))

    # -- loops ------------------------------------------------------------------------------------

    async def _look(self, children: Sequence[asyncio.Task[None]]) -> None:
        finished = 0.0
        while not self._stop.is_set():
            for child in children:
                if child.done():
                    child.result()
            self.hearing.poll()
            self._look_at_journal()
            for hung in self.attendance.hung():
                self._tell(hung)
                self.children[hung.process].kill()
            hopeless = self.attendance.hopeless
            if hopeless is not None:
                raise ConfigError(hopeless.reason)
            if self.attendance.all_finished:
                finished = finished or monotonic()
                if self.attendance.all_checked or monotonic() - finished >= CHECK_S:
                    self.stop("the feed has ended")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._stop.wait()

    def _look_at_journal(self) -> None:
        trouble, known = self.book.trouble, self._trouble
        self._trouble = trouble
        if trouble is not None and known is None:
            self._tell(JournalFailed(self.clock.now(), trouble))
        elif trouble is None and known is not None:
            self._tell(JournalMended(self.clock.now()))

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(SYNC_EVERY_S)
            await asyncio.to_thread(self.book.sync)

    # -- processes --------------------------------------------------------------------------------

    def _child(self, seat: Seat) -> Child:
        run = self.plan.settings.index.run
        hooks = ChildHooks(
            started=lambda child, pid: self.attendance.started(child.name, pid),
            said=lambda child, line: self.hearing.line(child.name, line),
            ended=self._ended,
        )
        return Child(
            seat.name,
            _MODULES[seat in self.plan.engines],
            lambda: self.attendance.brief(seat.name),
            self.plan.folder / f"{seat.name}.log",
            hooks,
            RestartLimits(first_ms=run.restart_ms, longest_ms=run.restart_longest_ms),
        )

    def _ended(self, child: Child, ended: Ended) -> bool:
        """A process is gone. Whether to start it again."""
        for event in self.attendance.ended(child.name, ended):
            self._tell(event)
        if self.attendance.processes[child.name].has_finished or self._stop.is_set():
            # It ended in order, and what it said stands.
            return False
        if self.attendance.is_engine(child.name):
            self._decide(self.deciding.engine_ended(child.name, self.clock.now()))
        return True

    # -- decisions --------------------------------------------------------------------------------

    def _decide(self, decided: Decided) -> None:
        for event in decided.events:
            self._tell(event)
        if any(isinstance(one, ModeChanged | GatewayStateChanged) for one in decided.events):
            self.book.stands(self.deciding.snapshot())
        for ticks in decided.ticks:
            self._publish(ticks)

    def _publish(self, ticks: Sequence[IndexTick]) -> None:
        fresh = self.book.ticks(ticks)
        if not fresh:
            return
        for lane in self.lanes:
            lane.offer(fresh)
        self.latest.update({tick.index: tick for tick in fresh})
        self.hearing.published(fresh)
        self._watcher.ticks(fresh)
        for tick in fresh:
            self._control.tell(format_tick(tick))

    def _tell(self, event: object) -> None:
        """An event of the run: written down, and told to whoever wants to know."""
        durable = isinstance(event, MessageQuarantined | ModeChanged | GatewayStateChanged)
        self._note(self.book.event(event, durable=durable))
        for lane in self.lanes:
            lane.tell(event_document(event))

    def _note(self, document: JsonObject) -> None:
        told = {key: value for key, value in document.items() if key != "event"}
        _log.info(log.INDEX_EVENT, happened=document["event"], **told)
        self._watcher.event(document)
        self._control.tell(format_event(document))

    def _lane_told(self, event: LaneEvent) -> None:
        self._note(self.book.event(event))

    # -- whoever asks -----------------------------------------------------------------------------

    def _answers(self) -> Mapping[str, Callable[[JsonObject], JsonObject]]:
        return {
            "status": lambda _: self.status(),
            "declare": self._declare,
            "stand-down": self._stand_down,
        }

    def status(self) -> JsonObject:
        """How the run stands, as one document."""
        return status_of(
            self.clock.now(),
            self.plan,
            self.attendance,
            self.deciding,
            self.book,
            self.hearing.last_tick_at,
            self.lanes,
            self.latest,
        )

    def _declare(self, asked: JsonObject) -> JsonObject:
        by, reason = str(asked.get("by", "")), str(asked.get("reason", ""))
        self._decide(self.deciding.declare(by, reason, self.clock.now()))
        return {"mode": self.deciding.mode.value, "gateway": self.deciding.gateway.state.value}

    def _stand_down(self, asked: JsonObject) -> JsonObject:
        by, reason = str(asked.get("by", "")), str(asked.get("reason", ""))
        vouch = bool(asked.get("vouch"))
        self._decide(self.deciding.stand_down(by, reason, self.clock.now(), vouch=vouch))
        return {"mode": self.deciding.mode.value, "gateway": self.deciding.gateway.state.value}
