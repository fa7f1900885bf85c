"""Whether a client points where ordinary business wants it: asked after a drill, before first use.

"Ensure that the primary IP addresses are kept for production use" (CD/OEC/HKCC/073/2023,
Attachment). Compares what is configured with what the papers state for the moment of the next use;
connects to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.errors import OutsideCalendar
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.rollouts import Directions

__all__ = ["Readiness", "first_use_after", "judge_readiness"]


@frozen
class Readiness:
    """Where a client points, where it must, and what is wrong.

    ``unknown`` says what could not be compared; unknown is never a pass.
    """

    service: str
    at: datetime
    configured: SiteRole
    wanted: SiteRole
    addresses: tuple[Endpoint, ...] | None
    stated: tuple[Endpoint, ...]
    why: str
    faults: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether the client points where it must, and that is certain."""
        return not self.faults and not self.unknown


def first_use_after(calendar: Calendar, now: datetime) -> datetime:
    """The start of the next T session: the first use of the next business day."""
    day = now.date()
    if calendar.is_business_day(day):
        try:
            begins = calendar.start_of_t(day)
        except OutsideCalendar:
            return now
        if now < begins:
            return begins
    return calendar.start_of_t(calendar.next_business_day(day))


def judge_readiness(
    service: str,
    at: datetime,
    configured: SiteRole,
    addresses: Sequence[Endpoint] | None,
    found: Directions | None,
) -> Readiness:
    """Whether a client configured for a site, with these addresses of it, is ready at ``at``.

    ``found`` is what the papers say for that moment; without one the primary site is right, and
    its addresses are the operator's to know.
    """
    wanted = SiteRole.PRIMARY if found is None or found.site is None else found.site
    stated = tuple(
        Endpoint(one.host, one.port)
        for one in (() if found is None else found.connections)
        if one.port is not None
    )
    faults: list[str] = []
    unknown: list[str] = []
    if configured is not wanted:
        faults.append(f"the configuration points at the {configured} site, {wanted} is right")
    if found is not None and found.site is None:
        unknown.append(f"the papers say that no site can be used then: {found.why}")
    if addresses is None:
        unknown.append("the adapter cannot tell its addresses")
    elif stated and configured is wanted and tuple(addresses) != stated:
        faults.append(
            f"the {wanted} site is configured as {_listed(addresses)}, the papers state "
            f"{_listed(stated)}"
        )
    return Readiness(
        service,
        at,
        configured,
        wanted,
        None if addresses is None else tuple(addresses),
        stated,
        "no paper names the service" if found is None else found.why,
        tuple(faults),
        tuple(unknown),
    )


def _listed(endpoints: Sequence[Endpoint]) -> str:
    return " and ".join(f"{one.host}:{one.port}" for one in endpoints) or "nothing"
