"""What a rehearsal does at the participant's desk: looks at connections, and stands in for people.

A look is a real one, by the probe that the configuration names. What a person would do is
*rehearsed*: the result says so, says what stood in for the far side, and never bears a person's
name. A log-in that a person would make is rehearsed only where somebody takes the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from attrs import define, field

from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings, structure_options
from hkex_ops.model import (
    Json,
    JsonObject,
    Rollout,
    Session,
    SiteRole,
    Step,
    StepAction,
    plain,
)
from hkex_ops.plugins import Plugins
from hkex_ops.ports import Probe, ProbeResult
from hkex_ops.rollouts import Directions, directions, host_table
from hkex_ops.rundown import StepResult, StepState
from hkex_ops_simulator.stand_ins import StandIn, StandIns

if TYPE_CHECKING:
    from hkex_ops_simulator.backbone.side import MarketSide
    from hkex_ops_simulator.oapi.side import ClearingSide

__all__ = ["REHEARSER", "Desk", "rehearsed"]

# Where the evidence has a person's name, a rehearsal has this.
REHEARSER = "rehearsed by the simulator"

_IN_THE_FAR_SYSTEM = (StepAction.LOG_OUT, StepAction.MANUAL)


def rehearsed(found: str, facts: JsonObject | None = None) -> StepResult:
    """A step that passed because it was rehearsed; no person did it."""
    marked: dict[str, Json] = {**(facts or {}), "rehearsed": True}
    return StepResult(StepState.PASSED, f"{REHEARSER}: {found}", marked, REHEARSER)


@define
class Desk:
    """The desk of one rehearsal. ``settings`` reads the client's configuration as it is now.

    ``points_at`` says where the client points now. Where an adapter speaks to market data,
    ``market`` is that side of the desk; where the rollout is of clearing, ``clearing`` is.
    """

    rollout: Rollout
    stand_ins: StandIns
    settings: Callable[[], Settings]
    points_at: Callable[[], SiteRole]
    plugins: Plugins
    clock: Clock
    market: MarketSide | None = field(default=None, init=False)
    clearing: ClearingSide | None = field(default=None, init=False)
    _locked_out: set[tuple[str, str]] = field(factory=set[tuple[str, str]], init=False)
    _visits_before: int = field(default=0, init=False)

    # -- looking -----------------------------------------------------------------------------

    async def look(self, service: str, site: SiteRole) -> StepResult:
        """Look at every stand-in of ``service`` at ``site``; all must answer as they should."""
        if self.points_at() is not site:
            return self._points_elsewhere(site)
        told = self.where(service)
        if told.site is not site:
            return StepResult(StepState.FAILED, f"not the site to connect to: {told.why}")
        found = await self._looks(service, site)
        there = self.stand_ins.of(service, site)
        facts: JsonObject = {
            "service": service,
            "site": site.value,
            "looked_at": [_row(one, seen) for one, seen in zip(there, found, strict=True)],
        }
        wrong = [
            f"{_stated(one)}{seen.detail}"
            for one, seen in zip(there, found, strict=True)
            if not seen.answered
        ]
        if wrong:
            return StepResult(StepState.FAILED, "; ".join(wrong), facts)
        said = "; ".join(_said(one) for one in there)
        return StepResult(StepState.PASSED, f"{said}. {_speech(there)}", facts)

    def _points_elsewhere(self, site: SiteRole) -> StepResult:
        points_at = self.points_at()
        found = f"the client points at the {points_at} site, it must point at {site}"
        return StepResult(StepState.FAILED, found, {"site": points_at.value})

    async def _looks(self, service: str, site: SiteRole) -> list[ProbeResult]:
        async with self._probe(service, site) as probe:
            return [await probe.probe(one.connection) for one in self.stand_ins.of(service, site)]

    def _probe(self, service: str, site: SiteRole) -> AbstractAsyncContextManager[Probe]:
        settings = self.settings()
        name, table = next(
            (name, table) for name, table in settings.probes.items() if table.service == service
        )
        offer = self.plugins.probe(table.adapter)
        options = structure_options(settings, name, table.options, offer.options, table="probes")
        return offer.open(options, site)

    # -- in the place of people --------------------------------------------------------------

    async def by_hand(
        self, step: Step, service: str, session: Session, site: SiteRole, audience: str | None
    ) -> StepResult:
        """Rehearse a step that a person does at the desk."""
        lead = f"{audience}: " if audience and step.audience else ""
        facts: dict[str, Json] = {"service": service or None, "audience": audience}
        key = (session.id, service)
        if step.action is StepAction.CHECK_ADDRESSES:
            told = self.where(service)
            hosts: list[Json] = [plain(line) for line in host_table(told.connections)]
            facts |= {"connections": [plain(one) for one in told.connections], "hosts": hosts}
            return rehearsed(f"{lead}{told.why}; {_addresses(told)}", facts)
        there = self.stand_ins.of(service, site)
        if step.action is StepAction.LOG_IN:
            refusal = await self._log_in(service, site, lead)
            if refusal is not None:
                self._locked_out.add(key)
                return refusal
        elif step.action in _IN_THE_FAR_SYSTEM and key in self._locked_out:
            return StepResult(StepState.SKIPPED, f"{lead}not logged in to {service}")
        speech = _speech(there) if there else "no system of the exchange takes part"
        return rehearsed(f"{lead}{speech}", facts)

    async def _log_in(self, service: str, site: SiteRole, lead: str) -> StepResult | None:
        """Why nobody could log in to ``service``; nothing where somebody takes the connection."""
        if self.points_at() is not site:
            return self._points_elsewhere(site)
        found = await self._looks(service, site)
        if any(seen.reached for seen in found):
            return None
        there = self.stand_ins.of(service, site)
        details = "; ".join(
            f"{_stated(one)}{seen.detail}" for one, seen in zip(there, found, strict=True)
        )
        return StepResult(StepState.FAILED, f"{lead}nobody to log in to: {details}")

    def where(self, service: str) -> Directions:
        """Where the clients of ``service`` must point now."""
        return directions([self.rollout], service, self.clock.now())

    # -- the exchange's own failover ---------------------------------------------------------

    async def fail_over(self, session: Session) -> StepResult:
        """The exchange is between its sites: a client that asks where to connect is told nowhere.

        The listeners stay up, as a tripwire: from now on every connection is one too many.
        """
        self._visits_before = self.stand_ins.visits()
        told = [self.where(service) for service in session.services]
        facts: JsonObject = {
            "directions": [
                {"service": one.service, "site": plain(one.site), "why": one.why} for one in told
            ]
        }
        usable = ", ".join(f"{one.service} at {one.site}" for one in told if one.site is not None)
        if usable:
            return StepResult(StepState.FAILED, f"a client would connect: {usable}", facts)
        names = ", ".join(session.services)
        return StepResult(StepState.PASSED, f"no site is usable for clients of {names}", facts)

    async def stay_away(self) -> StepResult:
        """The failover is over: nobody has connected, and the primary site is left."""
        came = self.stand_ins.visits() - self._visits_before
        await self.stand_ins.take_down(SiteRole.PRIMARY)
        state = StepState.FAILED if came else StepState.PASSED
        return StepResult(state, f"{came} connections to either site", {"connections": came})

    async def back_to_production(self) -> StepResult:
        """The exchange is back on its primary site, and the papers must send every client there."""
        await self.stand_ins.bring_up(SiteRole.PRIMARY)
        told = [self.where(service) for service in self.rollout.services]
        elsewhere = [one for one in told if one.site is not SiteRole.PRIMARY]
        elsewhere_named = ", ".join(f"{one.service}: {one.why}" for one in elsewhere)
        if elsewhere or self.points_at() is not SiteRole.PRIMARY:
            found = elsewhere_named or f"the client points at {self.points_at()}"
            return StepResult(StepState.FAILED, found)
        names = ", ".join(self.rollout.services)
        return StepResult(StepState.PASSED, f"clients of {names} point at primary for production")


def _speech(there: Sequence[StandIn]) -> str:
    """What the stand-ins are, each kind said once."""
    named = ", ".join(dict.fromkeys(one.service for one in there))
    return f"{named}: {'; '.join(dict.fromkeys(one.speech for one in there))}"


def _said(one: StandIn) -> str:
    nowhere = "" if one.stated else "; no paper states an address"
    return f"{_stated(one)}{one.listener.endpoint} answers{nowhere}"


def _stated(one: StandIn) -> str:
    """The address that a paper states, before what was seen at its stand-in."""
    if one.stated is None:
        return ""
    port = "" if one.stated.port is None else f":{one.stated.port}"
    return f"{one.stated.host}{port}, here "


def _row(one: StandIn, seen: ProbeResult) -> Json:
    return {
        **one.told(),
        "reached": seen.reached,
        "answered": seen.answered,
        "detail": seen.detail,
        "certificate": seen.certificate,
    }


def _addresses(told: Directions) -> str:
    hosts = [one.host if one.port is None else f"{one.host}:{one.port}" for one in told.connections]
    return " and ".join(hosts) or "no address is stated"
