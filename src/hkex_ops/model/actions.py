"""The acts a desk asks about: ``may renew-ssh-key``.

A closed vocabulary, so that a misspelt act is an error and never an accidental "allowed".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ACTIONS"]

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "renew-ssh-key": "replace the SSH key pair with which the report retrieval logs in",
        "change-password": "change a logon password of a clearing or trading system",
        "change-user-profile": "change a user's access profile",
        "enable-dcass-service": "start or enable a Windows service of a DCASS server",
        "power-off-network-gateway": "switch a network gateway off",
        "decommission-network-gateway": "take a network gateway out of service for good",
        "dispose-previous-platform": "dispose of programs or machines of the previous platform",
        "post-trade-activity": "put post-trade transactions into the clearing system",
        "simulate-daily-operations": "work in a session as on an ordinary day",
        "use-secondary-site": "connect a client to the secondary site",
        "remove-archived-reports": "remove reports from the archive because their time is over",
        "retrieve-reports-outside-rrs": "take clearing reports by another way than the RRS",
    }
)
