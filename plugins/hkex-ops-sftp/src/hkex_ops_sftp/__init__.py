"""Reports over SFTP: the adapter ``sftp`` of the port ``ReportSource``.

This module only offers. The core imports it to list what is installed, so nothing here may load
the SSH library; :func:`hkex_ops_sftp.opening.open_sftp` does that when a site is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import CommandOffer, Offer, ReportSource
from hkex_ops_sftp.opening import open_sftp
from hkex_ops_sftp.options import SftpAddress, SftpOptions, SftpSite, addresses_of, sending_fault

__all__ = [
    "SftpAddress",
    "SftpOptions",
    "SftpSite",
    "hkex_ops_commands",
    "hkex_ops_report_sources",
    "open_sftp",
]


@hookimpl
def hkex_ops_report_sources() -> Iterable[Offer[ReportSource]]:
    """Offer the report source ``sftp``."""
    return [Offer("sftp", SftpOptions, open_sftp, addresses_of, sending_fault)]


@hookimpl
def hkex_ops_commands() -> Iterable[CommandOffer]:
    """Offer ``keys`` and ``hostkeys``."""
    return [
        CommandOffer(
            "keys",
            "hkex_ops_sftp.key_commands:keys_app",
            "Show the key that logs in over SFTP, or change it for a new one",
        ),
        CommandOffer(
            "hostkeys",
            "hkex_ops_sftp.host_key_commands:host_keys_app",
            "Show the host keys of SFTP servers, and take those that the paper confirms",
        ),
    ]
