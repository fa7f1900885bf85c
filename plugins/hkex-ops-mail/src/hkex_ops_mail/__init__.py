"""Index values by mail: the publisher ``mail``, the contingency path of an index that has stopped.

This module only offers. The core imports it to list what is installed, so nothing here may load the
mail library; :mod:`hkex_ops_mail.opening` does that when the adapter is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import IndexPublisher, Offer
from hkex_ops_mail.opening import MailDoor
from hkex_ops_mail.options import (
    LineSecurity,
    MailPublisherOptions,
    MailServerOptions,
    addresses_of,
)

__all__ = [
    "LineSecurity",
    "MailDoor",
    "MailPublisherOptions",
    "MailServerOptions",
    "hkex_ops_index_publishers",
]


@hookimpl
def hkex_ops_index_publishers() -> Iterable[Offer[IndexPublisher]]:
    """Offer the index publisher ``mail``."""
    return [Offer("mail", MailPublisherOptions, MailDoor().open, addresses_of)]
