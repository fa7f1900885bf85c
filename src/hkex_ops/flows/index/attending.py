"""Who of a run is present, who hangs, and what somebody died of.

One for all processes of a run. It reads the progress board and the clock of the machine, gives
ranks, and holds the inquest: the quarantine of a message is written down and on the board before
anybody moves up to where the message would be taken next. Starts and kills nobody itself; the
supervisor does.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from time import monotonic_ns

from attrs import define

from hkex_ops.clock import Clock
from hkex_ops.errors import UsageError
from hkex_ops.flows.index.board import MOST_QUARANTINED, Board, InHand, QuarantineRow
from hkex_ops.flows.index.checkpoint import Beginning
from hkex_ops.flows.index.children import Ended
from hkex_ops.flows.index.events import (
    MessageQuarantined,
    MessageSuspected,
    ProcessDied,
    ProcessEnded,
    ProcessFailed,
    ProcessHung,
    ProcessReady,
    RunEvent,
)
from hkex_ops.flows.index.process import Brief
from hkex_ops.flows.index.ranking import Ranks, Verdict, verdict_on
from hkex_ops.flows.index.run_book import RunBook
from hkex_ops.flows.index.run_plan import RunPlan, Seat
from hkex_ops.model import JsonObject

__all__ = ["BEGIN_WITHIN_S", "QUICK_S", "Attendance", "Attended"]

BEGIN_WITHIN_S = 30
"""How long a process may take from its start to an open feed, before it is taken to hang."""

QUICK_S = 10
"""A process that dies sooner after its start begins elsewhere the next time."""

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000


@define
class Attended:
    """One process of the run, as the supervisor sees it."""

    seat: Seat
    pid: int | None = None
    is_ready: bool = False
    has_finished: bool = False
    was_hung: bool = False
    started_ns: int = 0
    starts: int = 0
    quick_deaths: int = 0
    restored_from: str | None = None
    trouble: ProcessFailed | None = None


class Attendance:
    """All processes of one run."""

    def __init__(self, plan: RunPlan, board: Board, book: RunBook, clock: Clock) -> None:
        self._plan = plan
        self._board = board
        self._book = book
        self._clock = clock
        self._ranks = Ranks(board)
        self._looked_ns = monotonic_ns()
        seats = (*plan.engines, *plan.contingency)
        self.processes: dict[str, Attended] = {seat.name: Attended(seat) for seat in seats}
        # Nobody has a rank until it is ready: one who begins late must not stand before those who
        # are tasting already, and take with them what they have in hand.

    def is_engine(self, name: str) -> bool:
        """Whether that process is an engine, and no contingency system."""
        return name in self._plan.engine_sites

    @property
    def ranked(self) -> tuple[str, ...]:
        """The engines in the order in which they take messages."""
        return tuple(self._plan.engines[number].name for number in self._ranks.order)

    @property
    def all_finished(self) -> bool:
        """Whether every engine has come to the end of its feed, as a capture has one."""
        engines = (self.processes[seat.name] for seat in self._plan.engines)
        return all(one.has_finished for one in engines)

    @property
    def all_checked(self) -> bool:
        """Whether every contingency system has come to the end of its feed too."""
        return all(self.processes[seat.name].has_finished for seat in self._plan.contingency)

    @property
    def hopeless(self) -> ProcessFailed | None:
        """What the operator must mend, where no engine could ever begin because of it."""
        engines = [self.processes[seat.name] for seat in self._plan.engines]
        if any(one.restored_from is not None or one.is_ready for one in engines):
            return None
        troubles = [one.trouble for one in engines]
        if all(trouble is not None and trouble.operator for trouble in troubles):
            return troubles[0]
        return None

    # -- a process comes --------------------------------------------------------------------------

    def brief(self, name: str) -> JsonObject:
        """What a process that is being started is told."""
        attended, plan = self.processes[name], self._plan
        seat = attended.seat
        return Brief(
            seat.name,
            seat.number,
            seat.site,
            plan.feed.name,
            plan.settings.path.absolute(),
            plan.baskets_file.absolute(),
            plan.folder.absolute(),
            int(Beginning.after(attended.quick_deaths)),
        ).line()

    def started(self, name: str, pid: int) -> None:
        """A process runs; it has not opened its feed yet."""
        attended = self.processes[name]
        attended.pid, attended.started_ns = pid, monotonic_ns()
        attended.starts += 1

    def ready(self, name: str, restored_from: str | None) -> ProcessReady:
        """A process has opened its feed. An engine takes its place at the end of the order."""
        attended = self.processes[name]
        attended.is_ready, attended.trouble = True, None
        attended.restored_from = restored_from
        if self.is_engine(name):
            self._ranks.join(attended.seat.number)
        return ProcessReady(
            self._clock.now(),
            name,
            attended.seat.site,
            attended.pid or 0,
            attended.starts,
            restored_from,
        )

    def failed(self, name: str, reason: str, *, operator: bool) -> ProcessFailed:
        """A process says why it cannot go on."""
        trouble = ProcessFailed(self._clock.now(), name, reason, operator)
        self.processes[name].trouble = trouble
        return trouble

    # -- a process goes ---------------------------------------------------------------------------

    def ended(self, name: str, ended: Ended) -> Iterator[RunEvent]:
        """A process is gone; what it had in hand is judged before anybody moves up."""
        attended = self.processes[name]
        told = ProcessEnded if attended.has_finished else ProcessDied
        yield told(self._clock.now(), name, attended.seat.site, ended.pid, ended.how)
        if self.is_engine(name):
            yield from self._inquest(attended, ended)
            # Only now: as long as it is not quarantined, who waits for what is in hand shall see
            # that it still is.
            self._ranks.leave(attended.seat.number)
            self._board.row(attended.seat.number).put_down()
        lived_ns = monotonic_ns() - attended.started_ns
        quick = lived_ns < QUICK_S * _NS_PER_S
        attended.quick_deaths = attended.quick_deaths + 1 if quick else 0
        attended.pid, attended.is_ready, attended.was_hung = None, False, False

    def finished(self, name: str) -> None:
        """A process has come to the end of its feed, or was told to end: it is not missed."""
        self.processes[name].has_finished = True

    def _inquest(self, attended: Attended, ended: Ended) -> Iterator[RunEvent]:
        row = self._board.row(attended.seat.number)
        if row.pid != ended.pid or attended.has_finished:
            return
        others = [
            self._board.row(seat.number)
            for seat in self._plan.engines
            if seat.number != attended.seat.number
        ]
        hand, now = row.in_hand, self._clock.now()
        if hand is None or self._is_quarantined(hand):
            return
        told = (attended.seat.name, hand.channel, hand.first, hand.last, hand.security or None)
        from_outside = ended.status == -signal.SIGKILL and not attended.was_hung
        verdict = verdict_on(
            hand,
            others,
            self._book.suspects,
            from_outside=from_outside,
            moment_ns=row.next_moment_ns + row.is_settling,
        )
        if verdict is Verdict.SUSPECT:
            yield MessageSuspected(now, *told)
            return
        try:
            self._board.quarantine(QuarantineRow(*hand))
        except UsageError:
            # Nobody can be kept from it any more; the contingency path is of another make.
            return
        yield MessageQuarantined(now, *told, ended.how)

    def _is_quarantined(self, hand: InHand) -> bool:
        return any(
            row.channel == hand.channel and row.first <= hand.first and hand.last <= row.last
            for row in self._book.quarantined[-MOST_QUARANTINED:]
        )

    # -- a process hangs --------------------------------------------------------------------------

    def hung(self) -> list[ProcessHung]:
        """Who has not stirred for too long, or not begun in time.

        When this supervisor itself was held up, nobody is blamed for what it could not see.
        """
        now_ns = monotonic_ns()
        held_up_ns, self._looked_ns = now_ns - self._looked_ns, now_ns
        limit_ns = self._plan.settings.index.run.watchdog_ms * _NS_PER_MS
        if held_up_ns > limit_ns // 2:
            return []
        found: list[ProcessHung] = []
        for name, attended in self.processes.items():
            if attended.pid is None or attended.has_finished:
                continue
            row = self._board.row(attended.seat.number)
            begun = attended.is_ready and row.pid == attended.pid
            since_ns = max(row.heart_ns, attended.started_ns) if begun else attended.started_ns
            longest_ns = limit_ns if begun else BEGIN_WITHIN_S * _NS_PER_S
            if now_ns - since_ns > longest_ns:
                attended.was_hung = True
                silent_ms = (now_ns - since_ns) // _NS_PER_MS
                found.append(ProcessHung(self._clock.now(), name, silent_ms))
        return found
