"""Notifications by Apprise: chat, SMS and paging by URL. This module only offers.

The core imports it to list what is installed, so nothing here may load the engine;
:mod:`hkex_ops_apprise.opening` does that when the adapter is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import Notifier, Offer
from hkex_ops_apprise.opening import open_apprise
from hkex_ops_apprise.options import AppriseOptions

__all__ = ["AppriseOptions", "hkex_ops_notifiers", "open_apprise"]


@hookimpl
def hkex_ops_notifiers() -> Iterable[Offer[Notifier]]:
    """Offer the notifier ``apprise``."""
    return [Offer("apprise", AppriseOptions, open_apprise)]
