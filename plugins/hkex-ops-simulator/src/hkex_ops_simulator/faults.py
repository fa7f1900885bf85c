"""What can be made to go wrong in a rehearsal, in which rollouts, and how it happens."""

from __future__ import annotations

from enum import StrEnum

from hkex_ops.errors import UsageError
from hkex_ops.model import Rollout, Session, SiteRole, StepAction
from hkex_ops_simulator.addresses import CLEARING_SERVICE, REPORT_SERVICE
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.stand_ins import StandIns

__all__ = ["Fault", "break_before", "require_possible"]


class Fault(StrEnum):
    """What can be made to go wrong."""

    SECONDARY_DOWN = "secondary-down"  # the secondary site answers on no address
    PRIMARY_DOWN = "primary-down"  # the primary site does not, from its session on
    FIRST_ADDRESS_DOWN = "first-address-down"  # of each report site only the second answers
    REPORT_VANISHED = "report-vanished"  # a report is gone since the last business date
    CLIENT_NOT_MOVED = "client-not-moved"  # nobody changes the client's addresses
    GATEWAY_DOWN = "gateway-down"  # the second of several gateways with a login page is down
    OAPI_GATEWAY_DOWN = "oapi-gateway-down"  # the second gateway of the clearing house is down
    BOOKS_DIFFER = "books-differ"  # the back office's books are not the clearing house's


# Gateway 1 is the one that everybody tries; a check that stops there would miss this one.
_GATEWAY = 1


def require_possible(fault: Fault, rollout: Rollout) -> None:
    """`UsageError` when nothing in ``rollout`` could go wrong in this way."""
    possible, why = _possible(fault, rollout)
    if not possible:
        raise UsageError(f"{fault} cannot happen in {rollout.id}: {why}")


async def break_before(
    fault: Fault | None, site: SiteRole, exchange: SimulatedExchange, stand_ins: StandIns
) -> None:
    """Make ``fault`` happen, as far as it concerns a session at ``site`` that is about to begin."""
    match fault:
        case Fault.SECONDARY_DOWN if site is SiteRole.SECONDARY:
            await _take_down(site, exchange, stand_ins)
        case Fault.PRIMARY_DOWN if site is SiteRole.PRIMARY:
            await _take_down(site, exchange, stand_ins)
        case Fault.FIRST_ADDRESS_DOWN:
            await exchange.take_down(site, exchange.sites[site].addresses[0].host)
        case Fault.REPORT_VANISHED:
            reports = [name for name in exchange.names(site) if name.endswith(".csv")]
            exchange.remove(site, reports[-1])
        case Fault.GATEWAY_DOWN:
            gateways = [one for one in stand_ins.all if one.gives_page and one.site is site]
            for gateway in gateways[_GATEWAY : _GATEWAY + 1]:
                await gateway.listener.close()
        case Fault.OAPI_GATEWAY_DOWN:
            for gateway in stand_ins.of(CLEARING_SERVICE, site)[_GATEWAY : _GATEWAY + 1]:
                await gateway.listener.close()
        case _:
            pass


async def _take_down(site: SiteRole, exchange: SimulatedExchange, stand_ins: StandIns) -> None:
    await exchange.take_down(site)
    await stand_ins.take_down(site)


def _possible(fault: Fault, rollout: Rollout) -> tuple[bool, str]:
    sessions = rollout.sessions
    match fault:
        case Fault.SECONDARY_DOWN | Fault.CLIENT_NOT_MOVED:
            at_secondary = any(one.site is SiteRole.SECONDARY for one in sessions)
            return at_secondary, "no session is held at the secondary site"
        case Fault.PRIMARY_DOWN:
            at_primary = any(one.site is not SiteRole.SECONDARY for one in sessions)
            return at_primary, "no session is held at the primary site"
        case Fault.FIRST_ADDRESS_DOWN | Fault.REPORT_VANISHED:
            return any(map(_reads_reports, sessions)), "no session reads the report folder"
        case Fault.GATEWAY_DOWN:
            pages = [one for one in rollout.connections if one.url is not None]
            return len(pages) > _GATEWAY, "it states no gateways with a login page"
        case Fault.OAPI_GATEWAY_DOWN:
            gateways = [one for one in rollout.connections if one.service == CLEARING_SERVICE]
            return len(gateways) > _GATEWAY, f"it states no gateways of {CLEARING_SERVICE}"
        case Fault.BOOKS_DIFFER:
            clears = CLEARING_SERVICE in rollout.services
            return clears, f"{CLEARING_SERVICE} has no part in it"


def _reads_reports(session: Session) -> bool:
    return REPORT_SERVICE in session.services and any(
        step.action is StepAction.COMPARE_LISTING for step in session.steps
    )
