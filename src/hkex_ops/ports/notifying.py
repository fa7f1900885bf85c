"""The port of notifications: one message to several receivers, with a receipt of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import frozen

from hkex_ops.model import Notification, Receipt

__all__ = [
    "Acknowledgement",
    "Notifier",
    "SupportsAcknowledgement",
    "SupportsInquiry",
    "SupportsPreflight",
]


@frozen
class Acknowledgement:
    """A receiver said that a notification was read: when, and by whom where that is known."""

    key: str
    receiver: str
    at: datetime
    by: str = ""


class Notifier(Protocol):
    """A way by which people are told."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """Tell ``receivers`` once; a receipt of each, in their order.

        A receipt's ``channel`` is left empty: the operator's name of it is not the adapter's to
        know. Nothing is tried again in here. Raises `TransientError` or `PermanentError` only
        where certainly nobody has taken it; where somebody may have, the receipt is *unknown*.
        Raises `UsageError` for a receiver it cannot know, before anybody is told.
        """
        ...


@runtime_checkable
class SupportsPreflight(Protocol):
    """A notifier whose route can be tried without telling anybody anything."""

    async def check(self, receivers: Sequence[str]) -> str:
        """Connect and log in, send nothing; one sentence about what was found.

        Raises `RemoteError` for a route that is dead, and `UsageError` or `ConfigError` for a
        receiver that it could not tell.
        """
        ...


@runtime_checkable
class SupportsInquiry(Protocol):
    """A notifier that can find out afterwards whether a receiver has taken something."""

    async def inquire(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        """What became of ``notification`` for ``receivers``, in their order.

        *taken* or *deferred* (it never arrived) where that is certain, *unknown* where not.
        """
        ...


@runtime_checkable
class SupportsAcknowledgement(Protocol):
    """A notifier by which receivers can say that they have read it."""

    async def acknowledgements(self, keys: Sequence[str]) -> tuple[Acknowledgement, ...]:
        """What was acknowledged of the notifications ``keys`` so far."""
        ...
