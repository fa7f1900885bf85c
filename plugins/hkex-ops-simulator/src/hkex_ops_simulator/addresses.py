"""The loopback addresses that stand in for the exchange's.

Two addresses for each of two sites, as the circular states them, with the first octet turned to
loopback, so that a rehearsal reads like the paper and can reach nothing but this machine.
Source: CD/OEC/HKCC/073/2023, Attachment, sessions 1 and 2, item a.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hkex_ops.model import SiteRole

__all__ = ["LOOPBACK_OF", "SITE_HOSTS", "STANDS_IN_FOR"]

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
