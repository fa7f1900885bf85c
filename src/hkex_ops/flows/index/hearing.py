"""What the processes of a run say, line by line, and what follows from it.

Ticks, values and sessions go to whoever decides what is published; everything is written down, what
several say once; what people watch for is watched here, by ticks as users get them. Waits for
nothing and publishes nothing: decisions are handed to the supervisor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

from hkex_ops.clock import Clock
from hkex_ops.flows.index.attending import Attendance
from hkex_ops.flows.index.deciding import Decided, Deciding
from hkex_ops.flows.index.run_book import RunBook
from hkex_ops.flows.index.run_plan import RunPlan
from hkex_ops.flows.index.telling import session_in, ticks_in, values_in, versions_in
from hkex_ops.index.watch import StocksMoved, Watch, WatchEvent
from hkex_ops.model import IndexTick, Json, JsonObject, TickKind

__all__ = ["Hearing"]


class Hearing:
    """The ears of one run. ``decide`` is given what the deciding came to, ``tell`` an event of the
    run that is not written down yet, ``note`` what was, as a document."""

    def __init__(
        self,
        plan: RunPlan,
        attendance: Attendance,
        deciding: Deciding,
        book: RunBook,
        clock: Clock,
        *,
        decide: Callable[[Decided], None],
        tell: Callable[[object], None],
        note: Callable[[JsonObject], None],
    ) -> None:
        self._attendance = attendance
        self._deciding = deciding
        self._book = book
        self._clock = clock
        self._decide = decide
        self._tell = tell
        self._note = note
        index = plan.settings.index
        self._watch = Watch([basket.index for basket in plan.baskets], index.watch, index.rules)
        self._watching = plan.business_date == clock.now().date()
        self.last_tick_at: dict[str, datetime] = {}
        """Of each process, when it last told ticks or values."""

    def line(self, name: str, line: JsonObject) -> None:
        """A process said something."""
        now = self._clock.now()
        match line.get("say"):
            case "ticks":
                self.last_tick_at[name] = now
                self._decide(self._deciding.ticks(name, ticks_in(line), now))
            case "snapshot":
                self.last_tick_at[name] = now
                self._moved(line, now)
                self._decide(self._deciding.values(name, values_in(line), now))
            case "versions":
                self._decide(self._deciding.versions(self._versions(name, line)))
            case "session":
                record = session_in(line)
                before = self._deciding.session
                self._decide(self._deciding.session_heard(record, now))
                if self._deciding.session is not before:
                    self._watched(self._watch.handle(record, now))
                    self._book.stands(self._deciding.snapshot())
            case "told":
                self._told(name, line, once=True)
            case "health":
                self._told(name, line, once=False)
            case "ready":
                origin = line["from"]
                self._tell(self._attendance.ready(name, None if origin is None else str(origin)))
            case "failed":
                reason, operator = str(line["reason"]), bool(line["operator"])
                self._tell(self._attendance.failed(name, reason, operator=operator))
            case "ended":
                self._attendance.finished(name)
                if self._attendance.is_engine(name):
                    self._decide(self._deciding.engine_finished(name, now))
            case _:
                pass

    def published(self, ticks: Sequence[IndexTick]) -> None:
        """Ticks went out: watch them as their users do."""
        if ticks[0].kind is TickKind.REAL_TIME:
            now = self._clock.now()
            for tick in ticks:
                self._watched(self._watch.handle(tick, now))

    def poll(self) -> None:
        """Look at what should have happened by now."""
        now = self._clock.now()
        self._decide(self._deciding.poll(now))
        if self._watching:
            self._watched(self._watch.poll(now))

    def _told(self, name: str, line: JsonObject, *, once: bool) -> None:
        kind, fields = str(line["kind"]), cast("JsonObject", line["fields"])
        if self._book.told(name, kind, fields, once=once):
            at = self._clock.now().isoformat()
            self._note({"event": kind, "at": at, "process": name, **fields})

    def _versions(self, name: str, line: JsonObject) -> tuple[IndexTick, ...]:
        return versions_in(line, name, self._attendance.processes[name].seat.site)

    def _moved(self, line: JsonObject, now: datetime) -> None:
        for row in cast("Sequence[Sequence[Json]]", line["rows"]):
            moved = StocksMoved(str(row[0]), cast("int", row[3]))
            self._watched(self._watch.handle(moved, now))

    def _watched(self, events: Sequence[WatchEvent]) -> None:
        for event in events:
            self._tell(event)
