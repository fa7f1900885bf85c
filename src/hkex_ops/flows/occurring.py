"""What happened in a stream, handed to whoever the configuration names, and never waited for.

A stream says what happened as an `Occurrence` of the catalogue and goes on. Hearers (the logs of
incidents among them) work in a thread of their own, one occurrence after the other, so that a disk
that is slow or a log that somebody holds delays no tick and no report. Called by the commands that
run streams; knows nothing of what hearers do.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import structlog

from hkex_ops import log
from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings
from hkex_ops.errors import HkexOpsError
from hkex_ops.flows.incidents.attaching import attach
from hkex_ops.model import JsonObject, Occurrence
from hkex_ops.notifications import EVENT_KINDS
from hkex_ops.reports import DayStanding, ReportState
from hkex_ops.rundown import (
    RundownEvent,
    SessionAborted,
    SessionClosed,
    SessionOpened,
    StepFinished,
    StepSkipped,
    StepState,
)

__all__ = [
    "Hearer",
    "Occurrences",
    "hearers_of",
    "occurrence_of_run",
    "occurrence_of_step",
    "occurrences_of_reports",
]

Hearer: TypeAlias = Callable[[Occurrence], object]

MOST_WAITING = 1_000
"""Occurrences that wait to be heard; beyond, the newest are left out and logged."""

PATIENCE_S = 30.0
"""How long the end of a command waits for hearers; an entry or a message takes milliseconds."""

MOST_NAMED = 20
"""Reports that one occurrence names one by one."""

_HELD = (
    ReportState.HELD,
    ReportState.UNEXPECTED,
    ReportState.CHANGED,
    ReportState.DUPLICATED,
)

_log = structlog.get_logger()


def hearers_of(settings: Settings | None, work: Path, clock: Clock) -> tuple[Hearer, ...]:
    """Everybody who wants to hear, by the configuration; nobody without one."""
    if settings is None:
        return ()
    found: list[Hearer] = []
    incidents = settings.incidents
    if incidents.attach or incidents.open_on:
        found.append(lambda one: attach(one, incidents, work, clock))
    if settings.notifications is not None:
        # It brings sqlite3, which a stream that tells nobody can do without.
        from hkex_ops.flows.notifying.courier import Courier

        found.append(Courier(settings, clock))
    return tuple(found)


class Occurrences:
    """Hands occurrences to hearers. A context manager; when it has ended, what was told is heard,
    or ``patience_s`` are over."""

    def __init__(self, hearers: Sequence[Hearer], *, patience_s: float = PATIENCE_S) -> None:
        self._hearers = tuple(hearers)
        self._patience_s = patience_s
        self._waiting: queue.Queue[Occurrence | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Occurrences:
        if self._hearers:
            self._thread = threading.Thread(target=self._hear, name="occurrences", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        # A hearer that waits for a disk that never answers must not keep a command from ending:
        # what it writes is whole or not there, whenever it is cut off.
        with suppress(queue.Full):
            self._waiting.put(None, timeout=self._patience_s)
        thread.join(self._patience_s)
        if thread.is_alive():
            reason = f"not heard within {self._patience_s} s: {self._waiting.qsize()} waited"
            _log.warning(log.INCIDENT_NOT_WRITTEN, happened="", reason=reason)

    def tell(self, occurrence: Occurrence | None) -> None:
        """Hand it over and go on; nothing is done with ``None``, or where nobody hears."""
        if occurrence is None or self._thread is None:
            return
        try:
            self._waiting.put_nowait(occurrence)
        except queue.Full:
            reason = f"{MOST_WAITING} occurrences wait already"
            _log.warning(log.INCIDENT_NOT_WRITTEN, happened=occurrence.event, reason=reason)

    def _hear(self) -> None:
        while (occurrence := self._waiting.get()) is not None:
            for hearer in self._hearers:
                try:
                    hearer(occurrence)
                except HkexOpsError as error:
                    _log.warning(
                        log.INCIDENT_NOT_WRITTEN, happened=occurrence.event, reason=str(error)
                    )


# -- what streams say ------------------------------------------------------------------------------


def occurrence_of_run(document: JsonObject) -> Occurrence | None:
    """An event of an index run, as its document has it; nothing for one nobody is told of."""
    name = f"index/{document.get('event')}"
    kind = EVENT_KINDS.get(name)
    if kind is None:
        return None
    at = str(document["at"])
    facts = {
        key: str(said)
        for key, said in document.items()
        if key not in ("event", "at", "incident") and isinstance(said, str | int) and said != ""
    }
    # What the catalogue calls them, where the event has other words for it.
    for ours, theirs in (("mode", "after"), ("was", "before"), ("state", "after")):
        if ours in kind.facts and theirs in facts:
            facts[ours] = facts[theirs]
    return Occurrence(
        name,
        f"{name}/{at}",
        datetime.fromisoformat(at),
        kind.severity,
        _known(facts, kind.facts),
        batch="index",
    )


def occurrence_of_step(rollout: str, event: RundownEvent) -> Occurrence | None:
    """An event of a rundown; nothing for what went as it should."""
    match event:
        case StepFinished(at, step, state, found) if state is not StepState.PASSED:
            name = f"rundown/step-{state}"
            facts = {"session": step.session, "step": step.id, "found": found}
        case StepSkipped(at, step, reason, by):
            name = "rundown/step-skipped"
            facts = {"session": step.session, "step": step.id, "reason": reason, "by": by}
        case SessionOpened(at, session):
            name, facts = "rundown/session-opened", {"session": session}
        case SessionClosed(at, session, unfinished):
            name = "rundown/session-closed"
            facts = {"session": session, "unfinished": ", ".join(unfinished) or "nothing"}
        case SessionAborted(at, session, reason, by):
            name = "rundown/session-aborted"
            facts = {"session": session, "reason": reason, "by": by}
        case _:
            return None
    place = "/".join(facts[one] for one in ("session", "step") if one in facts)
    key = f"{name}/{rollout}/{place}/{at.isoformat()}"
    batch = f"{rollout}/{facts['session']}"
    return Occurrence(name, key, at, EVENT_KINDS[name].severity, facts, batch)


def occurrences_of_reports(days: Sequence[DayStanding]) -> Iterator[Occurrence]:
    """What is missing of each service and business date, or that nothing is: the same lack is the
    same occurrence, and that all is there is one."""
    name = "reports/missing"
    for day in days:
        held = sum(one.state in _HELD for one in day.standings)
        if held and held == len(day.standings):
            yield _whole(day, held)
        if not day.missing:
            continue
        named = [str(one) for one in day.missing]
        listed = ", ".join(named[:MOST_NAMED])
        if len(named) > MOST_NAMED:
            listed += f" and {len(named) - MOST_NAMED} more"
        facts = {
            "service": day.service,
            "held": str(held),
            "expected": str(len(day.standings)),
            "missing": listed,
        }
        key = f"{name}/{day.service}/{day.business_date}/{'+'.join(named[:MOST_NAMED])}"
        yield Occurrence(
            name,
            key,
            day.at,
            EVENT_KINDS[name].severity,
            facts,
            batch=f"reports/{day.business_date}",
            business_date=day.business_date,
        )


def _whole(day: DayStanding, held: int) -> Occurrence:
    name = "reports/fetched"
    facts = {"service": day.service, "held": str(held), "expected": str(held)}
    key = f"{name}/{day.service}/{day.business_date}"
    return Occurrence(
        name, key, day.at, EVENT_KINDS[name].severity, facts, business_date=day.business_date
    )


def _known(facts: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: facts[name] for name in names if name in facts}
