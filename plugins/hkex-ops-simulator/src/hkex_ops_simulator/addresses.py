"""The loopback addresses that stand in for the exchange's.

A stated address with its first number turned to 127, so that a rehearsal reads like the paper and
can reach nothing but this machine. The report service has two for each of two sites, where the
rollout that is rehearsed does not say otherwise.
Source: CD/OEC/HKCC/073/2023, Attachment, sessions 1 and 2, item a.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from types import MappingProxyType

from attrs import frozen

from hkex_ops.model import Connection, Rollout, SiteRole
from hkex_ops.rollouts import session_connections

__all__ = [
    "CLEARING_SERVICE",
    "LOOPBACK_OF",
    "REPORT_PLACES",
    "REPORT_SERVICE",
    "SITE_HOSTS",
    "STANDS_IN_FOR",
    "ReportPlaces",
    "loopback_of",
    "report_places",
    "unstated_host",
]

# The service that the exchange in a box speaks, as the papers write it.
REPORT_SERVICE = "RRS"

# The service of the clearing house, as the papers write it.
CLEARING_SERVICE = "DCASS-OAPI"

# The networks of the two sites as stated addresses have them, and a corner of each that no paper
# uses: for services whose addresses no paper states.
_UNSTATED = {SiteRole.PRIMARY: "127.151.200", SiteRole.SECONDARY: "127.152.200"}

# The addresses each site listens on, in the circular's order.
SITE_HOSTS: Mapping[SiteRole, tuple[str, ...]] = MappingProxyType(
    {
        SiteRole.PRIMARY: ("127.151.14.121", "127.151.14.122"),
        SiteRole.SECONDARY: ("127.152.14.121", "127.152.14.122"),
    }
)

# Loopback address to the stated one. A stated address is a fact to show, never to connect to.
STANDS_IN_FOR: Mapping[str, str] = MappingProxyType(
    {host: host.replace("127.", "10.", 1) for hosts in SITE_HOSTS.values() for host in hosts}
)

# The stated address to its loopback stand-in.
LOOPBACK_OF: Mapping[str, str] = MappingProxyType(
    {stated: host for host, stated in STANDS_IN_FOR.items()}
)


# The first number of an invented host of the report service; those of the listeners are lower.
_FIRST_UNSTATED = 101
_NO_HOSTS = ("127.0.0.0", "127.255.255.255")


@frozen
class ReportPlaces:
    """Where the report service is stood in for: its loopback hosts, site by site.

    ``stands_in_for`` tells the stated host of a loopback one, where a paper states one.
    """

    hosts: Mapping[SiteRole, tuple[str, ...]]
    stands_in_for: Mapping[str, str]
    _of: Mapping[tuple[SiteRole, str, int | None], str]

    def host_of(self, stated: Connection) -> str:
        """The loopback host for a connection that the paper states."""
        return self._of[stated.site, stated.host, stated.port]


REPORT_PLACES = ReportPlaces(SITE_HOSTS, STANDS_IN_FOR, {})
"""The places of the circular of 2023, for an exchange in a box that rehearses nothing."""


def report_places(rollout: Rollout) -> ReportPlaces:
    """The places for ``rollout``: one host for each connection that it states, none used twice.

    A site at which it states none has the circular's of 2023.
    """
    hosts: dict[SiteRole, tuple[str, ...]] = {}
    stands_in_for: dict[str, str] = {}
    of: dict[tuple[SiteRole, str, int | None], str] = {}
    taken: set[str] = set()
    numbers = count(_FIRST_UNSTATED)
    for site in SiteRole:
        stated = session_connections(rollout, REPORT_SERVICE, site)
        for one in stated:
            key = (site, one.host, one.port)
            if key in of:
                continue
            host = next(one for one in _candidates(one.host, site, numbers) if one not in taken)
            taken.add(host)
            of[key], stands_in_for[host] = host, one.host
        own = tuple(host for (place, _, _), host in of.items() if place is site)
        hosts[site] = own or tuple(one for one in SITE_HOSTS[site] if one not in taken)
        taken |= set(hosts[site])
    return ReportPlaces(hosts, stands_in_for, of)


def _candidates(stated: str, site: SiteRole, numbers: Iterator[int]) -> Iterator[str]:
    """Loopback hosts for a stated one, the likest first."""
    likest = loopback_of(stated)
    if likest is not None:
        yield likest
    yield from (unstated_host(site, number) for number in numbers)


def loopback_of(stated: str) -> str | None:
    """The loopback address for one that a paper states; ``None`` for a name.

    >>> loopback_of("10.151.5.81")
    '127.151.5.81'
    """
    numbers = stated.split(".")
    if len(numbers) != 4 or not all(number.isdecimal() for number in numbers):
        return None
    host = ".".join(("127", *numbers[1:]))
    return None if host in _NO_HOSTS else host


def unstated_host(site: SiteRole, number: int) -> str:
    """A loopback address for the service number ``number``, where no paper states one."""
    return f"{_UNSTATED[site]}.{number}"
