"""The loopback addresses that stand in for the exchange's.

A stated address with its first number turned to 127, so that a rehearsal reads like the paper and
can reach nothing but this machine. The report service has two for each of two sites.
Source: CD/OEC/HKCC/073/2023, Attachment, sessions 1 and 2, item a.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hkex_ops.model import SiteRole

__all__ = [
    "LOOPBACK_OF",
    "REPORT_SERVICE",
    "SITE_HOSTS",
    "STANDS_IN_FOR",
    "loopback_of",
    "unstated_host",
]

# The service that the exchange in a box speaks, as the papers write it.
REPORT_SERVICE = "RRS"

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


def loopback_of(stated: str) -> str | None:
    """The loopback address for one that a paper states; ``None`` for a name.

    >>> loopback_of("10.151.5.81")
    '127.151.5.81'
    """
    numbers = stated.split(".")
    if len(numbers) != 4 or not all(number.isdecimal() for number in numbers):
        return None
    return ".".join(("127", *numbers[1:]))


def unstated_host(site: SiteRole, number: int) -> str:
    """A loopback address for the service number ``number``, where no paper states one."""
    return f"{_UNSTATED[site]}.{number}"
