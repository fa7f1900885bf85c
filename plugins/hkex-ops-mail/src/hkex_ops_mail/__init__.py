"""Mail: the publisher ``mail`` of index values, a contingency path, and the notifier ``mail``.

This module only offers. The core imports it to list what is installed, so nothing here may load the
mail library; :mod:`hkex_ops_mail.opening` does that when the adapter is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import IndexPublisher, Notifier, Offer
from hkex_ops_mail.opening import MailDoor, open_mail_notifier
from hkex_ops_mail.options import (
    LineSecurity,
    MailNotifierOptions,
    MailPublisherOptions,
    MailServerOptions,
    addresses_of,
)

__all__ = [
    "LineSecurity",
    "MailDoor",
    "MailNotifierOptions",
    "MailPublisherOptions",
    "MailServerOptions",
    "hkex_ops_index_publishers",
    "hkex_ops_notifiers",
    "open_mail_notifier",
]


@hookimpl
def hkex_ops_index_publishers() -> Iterable[Offer[IndexPublisher]]:
    """Offer the index publisher ``mail``."""
    return [Offer("mail", MailPublisherOptions, MailDoor().open, addresses_of)]


@hookimpl
def hkex_ops_notifiers() -> Iterable[Offer[Notifier]]:
    """Offer the notifier ``mail``."""
    return [Offer("mail", MailNotifierOptions, open_mail_notifier, addresses_of)]
