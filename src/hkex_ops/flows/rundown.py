"""Working a rollout step by step: the machine decides, ports do, the evidence keeps.

Joins the rundown machine with a clock, an evidence folder and whatever does a step. Knows the
automatic steps of a connectivity session; who runs the whole is the caller.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Protocol

from hkex_ops.clock import Clock
from hkex_ops.errors import HkexOpsError, UsageError
from hkex_ops.flows.drill import DRILL_ACTIONS, Drill
from hkex_ops.flows.sources import ConfiguredSource, Observe
from hkex_ops.flows.store import Archive
from hkex_ops.model import (
    Connection,
    Endpoint,
    JsonObject,
    Rollout,
    Session,
    SiteRole,
    Step,
    StepAction,
    StepMoment,
    plain,
)
from hkex_ops.reports import Catalogue
from hkex_ops.reports.events import BytesReceived, FolderListed, ReportEvent
from hkex_ops.rollouts import production_connections, session_connections
from hkex_ops.rundown import (
    Abort,
    Rundown,
    RundownEvent,
    RundownStep,
    Skip,
    Start,
    StepRefused,
    StepResult,
    StepState,
)

__all__ = ["Conduct", "Keeper", "SessionWork", "Watch", "event_kind"]

Watch = Callable[[RundownEvent], None]


class Keeper(Protocol):
    """What keeps the events of a rundown: an evidence folder, or a journal that becomes one."""

    def record(self, kind: str, body: JsonObject) -> object:
        """Keep an event that happens now."""
        ...

    def add(self, path: str, content: JsonObject) -> None:
        """Keep a document beside the events."""
        ...


class Conduct:
    """A rundown being worked: every event reaches the evidence and whoever watches.

    ``listings`` is how many folder listings the evidence holds already.
    """

    def __init__(
        self,
        rundown: Rundown,
        evidence: Keeper,
        clock: Clock,
        watch: Watch,
        *,
        listings: int = 0,
    ) -> None:
        self.rundown = rundown
        self.evidence = evidence
        self.clock = clock
        self._watch = watch
        self._listings = listings

    async def do(
        self,
        step: RundownStep,
        work: Callable[[], Awaitable[StepResult]],
        *,
        by: str = "",
        reason: str = "",
    ) -> StepResult | None:
        """Start ``step``, do ``work``, tell the machine what came of it.

        An error of this library fails the step and is kept in its words; nothing when the machine
        refused to start it. ``by`` and ``reason`` say who wants a failed step tried again.
        """
        started = self.rundown.handle(Start(step, by, reason), self.clock.now())
        self._tell(started)
        if any(isinstance(event, StepRefused) for event in started):
            return None
        try:
            done = await work()
        except HkexOpsError as error:
            done = StepResult(StepState.FAILED, str(error), {"error": type(error).__name__})
        self._tell(self.rundown.handle(done.told(step), self.clock.now()))
        return done

    def answer(self, step: RundownStep, done: StepResult, at: datetime) -> bool:
        """Take a person's word for ``step``, who did it at ``at``.

        The machine judges the window by ``at``: what was done in time may be told later. False
        when it refused to start the step.
        """
        started = self.rundown.handle(Start(step), at)
        self._tell(started)
        if any(isinstance(event, StepRefused) for event in started):
            return False
        self._tell(self.rundown.handle(done.told(step), at))
        return True

    def skip(self, step: RundownStep, reason: str, by: str) -> None:
        """Leave ``step`` out, because ``by`` said so."""
        self._tell(self.rundown.handle(Skip(step, reason, by), self.clock.now()))

    def abort(self, session: str, reason: str, by: str) -> None:
        """End ``session`` before its end, because ``by`` said so."""
        self._tell(self.rundown.handle(Abort(session, reason, by), self.clock.now()))

    def pass_time(self) -> None:
        """Let the machine see the clock: windows open and close."""
        self._tell(self.rundown.poll(self.clock.now()))

    def observe(self, event: ReportEvent) -> None:
        """Keep what a retrieval tells. Single chunks of bytes are no evidence; a folder listing
        becomes a file of its own, numbered in the order it was seen."""
        match event:
            case BytesReceived():
                return
            case FolderListed(listing):
                self._listings += 1
                at = f"{listing.taken_at:%Y-%m-%dT%H%M}"
                path = f"listings/{self._listings:02}-{listing.site}-{at}.json"
                self.evidence.add(path, _body(listing))
                facts: JsonObject = {"count": listing.count, "listing": path}
                self.evidence.record(event_kind(event), facts)
            case _:
                self.evidence.record(event_kind(event), _body(event))

    def _tell(self, events: Sequence[RundownEvent]) -> None:
        for event in events:
            self.evidence.record(event_kind(event), _body(event))
            self._watch(event)


class SessionWork:
    """The automatic steps of one session, done with one drill.

    ``service`` and ``site`` are where it is held. ``configured`` is asked anew for every step,
    because an operator moves the client between sites in between. ``stands_for`` gives the
    connection that the client must hold for one that the circular states: the same one, except in
    a rehearsal.
    """

    def __init__(
        self,
        rollout: Rollout,
        session: Session,
        configured: Callable[[], ConfiguredSource],
        archive: Archive,
        catalogue: Catalogue,
        clock: Clock,
        *,
        last_business_date: date,
        observe: Observe,
        stands_for: Callable[[Connection], Connection] = lambda stated: stated,
    ) -> None:
        if session.site is None:
            raise UsageError(f"session {session.id} is at no site that a client can connect to")
        self.rollout = rollout
        self.session = session
        self.site: SiteRole = session.site
        self.service: str = configured().service
        self._configured = configured
        self._stands_for = stands_for
        self.drill: Drill = Drill(
            configured(),
            archive,
            catalogue,
            clock,
            site=self.site,
            last_business_date=last_business_date,
            observe=observe,
        )
        self._log_in_first = False

    async def begin_afresh(self) -> None:
        """Drop the connection, if there is one; the next step that needs one logs in first.

        For a step that is tried again, and for a session that was interrupted after its login.
        """
        await self.drill.close()
        self._log_in_first = True

    async def step(self, step: Step) -> StepResult:
        """Do one automatic step of the session.

        A login at the other site would check the wrong thing, so it is not even tried.
        """
        if step.action is StepAction.LOG_IN and self._configured().site is not self.site:
            return self._points_elsewhere()
        if step.action in DRILL_ACTIONS:
            if self._log_in_first and step.action is not StepAction.LOG_IN:
                again = await self.drill.step(StepAction.LOG_IN, ())
                if again.state is not StepState.PASSED:
                    found = f"could not log in again: {again.found}"
                    return StepResult(again.state, found, again.facts)
            self._log_in_first = False
            return await self.drill.step(step.action, step.reports)
        if step.action is StepAction.CHECK_ADDRESSES:
            stated = session_connections(self.rollout, self.service, self.site)
            return self._addresses(self.site, stated)
        if step.action is StepAction.CHECK_CONFIGURATION:
            return self._configuration(step)
        return StepResult(StepState.UNKNOWN, "a person does this step; nobody was asked")

    def _configuration(self, step: Step) -> StepResult:
        """The client points where the paper wants it: at the session's site, or, after the last
        session, at the connections of ordinary business."""
        if step.moment is StepMoment.AFTER:
            stated = production_connections(self.rollout, self.service)
            site = stated[0].site if stated else SiteRole.PRIMARY
        else:
            site = self.site
            stated = session_connections(self.rollout, self.service, site)
        if self._configured().site is not site:
            return self._points_elsewhere(site)
        return self._addresses(site, stated)

    def _points_elsewhere(self, site: SiteRole | None = None) -> StepResult:
        points_at, wanted = self._configured().site, site or self.site
        return StepResult(
            StepState.FAILED,
            f"the client points at the {points_at} site, it must point at {wanted}",
            {"site": points_at.value},
        )

    def _addresses(self, site: SiteRole, stated: Sequence[Connection]) -> StepResult:
        held = self._configured().addresses(site)
        if held is None:
            return StepResult(StepState.UNKNOWN, "the adapter cannot tell its addresses")
        if not stated:
            found = f"the paper states no address of {self.service} at the {site} site"
            return StepResult(StepState.UNKNOWN, found)
        papers = _endpoints(stated)
        if len(papers) < len(stated):
            return StepResult(StepState.UNKNOWN, "the paper states an address without its port")
        wanted = _endpoints([self._stands_for(one) for one in stated])
        facts: JsonObject = {
            "site": site.value,
            "circular": [str(endpoint) for endpoint in papers],
            "configuration": [str(endpoint) for endpoint in held],
        }
        if list(held) != wanted:
            found = f"{site}: {_listed(held)} configured, must be {_listed(wanted)}"
            return StepResult(StepState.FAILED, found, facts)
        stand_in = "" if wanted == papers else f", here {_listed(held)}"
        return StepResult(StepState.PASSED, f"{site}: {_listed(papers)}{stand_in}", facts)


def _endpoints(connections: Sequence[Connection]) -> list[Endpoint]:
    """Those that have a port."""
    return [Endpoint(one.host, one.port) for one in connections if one.port is not None]


def _listed(endpoints: Sequence[Endpoint]) -> str:
    return " and ".join(str(endpoint) for endpoint in endpoints) or "none"


def event_kind(event: object) -> str:
    """The name of an event's class as evidence spells it: ``step-finished``."""
    name = type(event).__name__
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _body(value: object) -> JsonObject:
    body = plain(value)
    assert isinstance(body, dict), "events and listings have keys"
    return body
