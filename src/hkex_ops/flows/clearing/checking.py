"""The check of a verification session: log in at each gateway of a site, look, and log out.

The gateways are those of the configuration, held against those that the rollout names. Each is
logged in to by itself, so that a backup that nobody ever tried is tried here. Nothing is asked but
what a gateway says of the session, and a password that wants changing is only told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from attrs import evolve, frozen

from hkex_ops.clock import Clock
from hkex_ops.errors import RemoteError
from hkex_ops.flows.clearing.gateways import ConfiguredGateway
from hkex_ops.model import (
    Connection,
    Endpoint,
    GateDecision,
    GatewayStatus,
    PasswordChange,
    SiteRole,
)

__all__ = ["GatewayCheck", "check_gateways", "is_at"]


@frozen
class GatewayCheck:
    """What became of one gateway.

    ``stated`` is whether the papers name it, or nothing where they name none. ``error`` is what
    the log-in or the look failed with. It is well only without an error and without findings.
    """

    gateway: str
    stated: bool | None
    logged_in_at: datetime | None = None
    logged_out_at: datetime | None = None
    status: GatewayStatus | None = None
    error: str = ""
    findings: tuple[str, ...] = ()
    decisions: tuple[GateDecision, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as it should be."""
        return not self.error and not self.findings


async def check_gateways(
    configured: ConfiguredGateway,
    site: SiteRole,
    named: Sequence[Connection],
    clock: Clock,
    *,
    expiry_warning_days: int,
) -> tuple[GatewayCheck, ...]:
    """Check each gateway of ``site``, in the order in which they are tried.

    ``named`` are those that the papers name, of whichever site. What the other side does wrong is
    a row; what the operator or the adapter did wrong is raised.
    """
    checks: list[GatewayCheck] = []
    addresses = configured.addresses(site)
    for gateway in addresses or (None,):
        checks.append(await _check(configured, site, gateway, named, clock))
    here = [one for one in named if one.site is site]
    missing = [one for one in here if not any(is_at(one, it) for it in addresses)]
    if addresses:
        checks += [_not_configured(one) for one in missing]
    dates = {one.status.business_date for one in checks if one.status is not None}
    return tuple(
        evolve(one, findings=(*one.findings, *_findings(one, dates, expiry_warning_days)))
        for one in checks
    )


async def _check(
    configured: ConfiguredGateway,
    site: SiteRole,
    gateway: Endpoint | None,
    named: Sequence[Connection],
    clock: Clock,
) -> GatewayCheck:
    if gateway is None:
        check = GatewayCheck(f"{configured.name}, whichever answers", None)
        opened = configured.open(site)
    else:
        stated = any(is_at(one, gateway) for one in named) if named else None
        check = GatewayCheck(str(gateway), stated)
        opened = configured.open_one(gateway, site)
    try:
        async with opened as session:
            check = evolve(check, logged_in_at=clock.now())
            try:
                check = evolve(check, status=await session.status())
            finally:
                check = evolve(check, decisions=tuple(session.decisions()))
    except RemoteError as error:
        check = evolve(check, error=str(error))
    if check.logged_in_at is not None:
        check = evolve(check, logged_out_at=clock.now())
    return check


def is_at(connection: Connection, gateway: Endpoint) -> bool:
    """Whether a connection on paper is this gateway; the papers may not say the port."""
    same_host = gateway.host in (connection.host, connection.host_name)
    return same_host and connection.port in (None, gateway.port)


def _not_configured(connection: Connection) -> GatewayCheck:
    port = "" if connection.port is None else f":{connection.port}"
    return GatewayCheck(
        f"{connection.host}{port}",
        True,
        findings=(f"is named by {connection.source} and is not in the configuration: add it",),
    )


def _findings(
    check: GatewayCheck, dates: set[date | None], expiry_warning_days: int
) -> Iterator[str]:
    if check.stated is False:
        yield "is in the configuration, and the papers in force do not name it"
    status = check.status
    if status is None:
        return
    yield from status.findings
    if status.business_date is None:
        yield "did not tell its business date"
    elif len(dates - {None}) > 1:
        told = ", ".join(sorted(str(one) for one in dates if one))
        yield f"gateways tell different business dates: {told}"
    if status.password_change is PasswordChange.REQUIRED:
        yield "the password must be changed before anything else: a person does that"
    elif status.password_change is PasswordChange.ADVISED:
        yield "the password is about to expire: a person changes it"
    left = status.days_to_password_expiry
    if left is not None and left <= expiry_warning_days:
        yield f"the password expires in {left} {'day' if left == 1 else 'days'}"
