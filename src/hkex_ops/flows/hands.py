"""The hands of a session: who does which step without a person, and how.

A step of a service that a configured report source serves is done by :class:`SessionWork`; a
connection is looked at by a configured probe, and at a clearing house's gateways
:class:`GatewayWork` logs in. Whatever none of them can do, a person does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from attrs import field, frozen

from hkex_ops.config.settings import ProbeSettings, Settings, structure_options
from hkex_ops.errors import UsageError
from hkex_ops.flows.clearing.gateways import ConfiguredGateway, configured_gateway
from hkex_ops.flows.clearing.session_steps import GATEWAY_STEPS, GatewayWork
from hkex_ops.flows.rundown import SessionWork
from hkex_ops.flows.sources import ConfiguredSource, configured_source
from hkex_ops.model import Connection, Json, Rollout, Session, SiteRole, Step, StepAction, plain
from hkex_ops.plugins import Plugins
from hkex_ops.ports import Offer, Probe, ProbeResult
from hkex_ops.rollouts import session_connections
from hkex_ops.rundown import StepResult, StepState

__all__ = ["ConfiguredProbe", "Reach", "SessionHands", "reach_of"]

_OF_A_SOURCE = (
    StepAction.CHECK_ADDRESSES,
    StepAction.CHECK_CONFIGURATION,
    StepAction.LOG_IN,
    StepAction.COMPARE_LISTING,
    StepAction.DOWNLOAD,
    StepAction.LOG_OUT,
)


@frozen
class ConfiguredProbe:
    """One ``[probes.NAME]`` table with the adapter that serves it."""

    service: str
    offer: Offer[Probe]
    options: object


@frozen
class Reach:
    """What a configuration lets be done of a session without a person; connects to nothing.

    ``source`` is there where a report source serves one of the session's services and the session
    is held at a site, and ``gateway`` where a clearing gateway does. ``probes`` are by service.
    """

    rollout: Rollout
    session: Session
    source: ConfiguredSource | None = None
    probes: Mapping[str, ConfiguredProbe] = field(factory=dict[str, ConfiguredProbe])
    gateway: ConfiguredGateway | None = None

    def does(self, step: Step) -> bool:
        """Whether the step needs no person."""
        service = self.service_of(step)
        if step.action is StepAction.CHECK_CONNECTION:
            stated = self.connections(service)
            return service in self.probes and bool(stated) and all(one.port for one in stated)
        if self.at_gateway(step):
            return True
        served = self.source is not None and service == self.source.service
        return served and step.action in _OF_A_SOURCE

    def at_gateway(self, step: Step) -> bool:
        """Whether the step is one at the gateways of a clearing house that needs no person."""
        served = self.gateway is not None and self.service_of(step) == self.gateway.service
        return served and step.action in GATEWAY_STEPS

    def service_of(self, step: Step) -> str:
        """The service a step works with: its own, or the session's first."""
        return step.service or next(iter(self.session.services), "")

    def connections(self, service: str) -> tuple[Connection, ...]:
        """The connections of ``service`` that the paper states for the session's site."""
        site = self.session.site
        return () if site is None else session_connections(self.rollout, service, site)


def reach_of(
    rollout: Rollout,
    session: Session,
    settings: Settings | None,
    plugins: Plugins,
    source: str | None = None,
) -> Reach:
    """What ``settings`` let be done of ``session``; ``source`` names the report source to take.

    Raises what the configuration deserves, and `UsageError` when several sources serve the session
    and none is named.
    """
    if settings is None:
        return Reach(rollout, session)
    spoken = {session.services[0]} if session.services else set[str]()
    spoken |= {step.service for step in session.steps if step.service}
    serving = [name for name, one in settings.report_sources.items() if one.service in spoken]
    if source is not None:
        serving = [settings.source(source)[0]]
    if len(serving) > 1:
        raise UsageError(f"several report sources serve it, name one: {', '.join(serving)}")
    chosen = None
    if serving and session.site is not None:
        chosen = configured_source(settings, plugins, serving[0])
    probes = {
        one.service: _probe(settings, plugins, name, one)
        for name, one in settings.probes.items()
        if one.service in spoken
    }
    return Reach(rollout, session, chosen, probes, _gateway(settings, plugins, session, spoken))


def _gateway(
    settings: Settings, plugins: Plugins, session: Session, spoken: Set[str]
) -> ConfiguredGateway | None:
    """The clearing gateway, where the session is of its service and there is no doubt which."""
    clearing, named = settings.clearing, settings.oapi_gateways
    if session.site is None or clearing.service not in spoken:
        return None
    if clearing.gateway is None and len(named) != 1:
        return None
    return configured_gateway(settings, plugins)


def _probe(settings: Settings, plugins: Plugins, name: str, one: ProbeSettings) -> ConfiguredProbe:
    offer = plugins.probe(one.adapter)
    options = structure_options(
        settings, name, one.options, offer.options, table="probes", offer=offer.name
    )
    return ConfiguredProbe(one.service, offer, options)


class SessionHands:
    """Does what ``reach`` says needs no person.

    ``work`` is there where the reach has a source, ``gateways`` where it has one of a clearing
    house. ``stands_for`` gives the connection to look at
    for one that the circular states: the same one, except in a rehearsal.
    """

    def __init__(
        self,
        reach: Reach,
        work: SessionWork | None,
        gateways: GatewayWork | None = None,
        *,
        stands_for: Callable[[Connection], Connection] = lambda stated: stated,
    ) -> None:
        self._reach = reach
        self._work = work
        self._gateways = gateways
        self._stands_for = stands_for

    async def do(self, step: Step) -> StepResult:
        """Do a step that is within reach; `UsageError` for any other."""
        if self._reach.does(step) and step.action is StepAction.CHECK_CONNECTION:
            return await self._look(self._reach.service_of(step))
        if self._reach.at_gateway(step) and self._gateways is not None:
            return await self._gateways.step(step)
        if not self._reach.does(step) or self._work is None:
            raise UsageError(f"a person does this step: {step.text}")
        return await self._work.step(step)

    async def begin_afresh(self) -> None:
        """Drop what is connected; the next step that needs a connection makes one."""
        if self._work is not None:
            await self._work.begin_afresh()

    async def close(self) -> None:
        """Log out of whatever is logged in."""
        if self._work is not None:
            await self._work.drill.close()

    async def _look(self, service: str) -> StepResult:
        """Look at every stated connection; all must answer as they should."""
        probe = self._reach.probes[service]
        site = self._reach.session.site or SiteRole.PRIMARY
        results: list[ProbeResult] = []
        async with probe.offer.open(probe.options, site) as port:
            for stated in self._reach.connections(service):
                results.append(await port.probe(self._stands_for(stated)))
        wrong = [one.detail for one in results if not one.answered]
        facts: dict[str, Json] = {
            "probe": probe.offer.name,
            "connections": [_seen(one) for one in results],
        }
        if wrong:
            return StepResult(StepState.FAILED, "; ".join(wrong), facts)
        hosts = " and ".join(f"{one.connection.host}:{one.connection.port}" for one in results)
        return StepResult(StepState.PASSED, f"{hosts} answered", facts)


def _seen(result: ProbeResult) -> Json:
    return {
        "host": result.connection.host,
        "port": result.connection.port,
        "reached": result.reached,
        "answered": result.answered,
        "detail": result.detail,
        "certificate": plain(result.certificate),
    }
