"""An author's file of notifiers: right adapters pass, each wrong one is rejected.

A rejection is proved by its suppression, as in :file:`offers.py`. Never run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import assert_type

from attrs import frozen

from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import Notification, Receipt, SiteRole
from hkex_ops.ports import (
    Acknowledgement,
    Notifier,
    Offer,
    SupportsAcknowledgement,
    SupportsInquiry,
    SupportsPreflight,
)


@frozen
class PigeonOptions:
    """What an operator may say about the adapter."""

    loft: str


class Pigeon:
    """Tells, and does what not every notifier can."""

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        raise NotImplementedError

    async def check(self, receivers: Sequence[str]) -> str:
        raise NotImplementedError

    async def inquire(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        raise NotImplementedError

    async def acknowledgements(self, keys: Sequence[str]) -> tuple[Acknowledgement, ...]:
        raise NotImplementedError


class Mute:
    """Says nothing of what became of it."""

    async def notify(self, notification: Notification, receivers: Sequence[str]) -> None:
        raise NotImplementedError


class OneByOne:
    """Tells one receiver at a time."""

    async def notify(self, notification: Notification, receiver: str) -> tuple[Receipt, ...]:
        raise NotImplementedError


class Blocking:
    """Lets everybody wait."""

    def notify(self, notification: Notification, receivers: Sequence[str]) -> tuple[Receipt, ...]:
        raise NotImplementedError


@asynccontextmanager
async def open_pigeon(options: PigeonOptions, site: SiteRole) -> AsyncGenerator[Pigeon]:
    yield Pigeon()


@asynccontextmanager
async def open_mute(options: PigeonOptions, site: SiteRole) -> AsyncGenerator[Mute]:
    yield Mute()


@asynccontextmanager
async def open_one_by_one(options: PigeonOptions, site: SiteRole) -> AsyncGenerator[OneByOne]:
    yield OneByOne()


@asynccontextmanager
async def open_blocking(options: PigeonOptions, site: SiteRole) -> AsyncGenerator[Blocking]:
    yield Blocking()


@hookimpl
def hkex_ops_notifiers() -> Iterable[Offer[Notifier]]:
    return [Offer("pigeon", PigeonOptions, open_pigeon)]


def a_notifier_gives_receipts() -> Iterable[Offer[Notifier]]:
    return [Offer("mute", PigeonOptions, open_mute)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def receivers_come_together() -> Iterable[Offer[Notifier]]:
    return [Offer("one", PigeonOptions, open_one_by_one)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def a_notifier_is_awaited() -> Iterable[Offer[Notifier]]:
    return [Offer("blocking", PigeonOptions, open_blocking)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


async def what_a_notifier_can_is_asked_of_it(offer: Offer[Notifier]) -> None:
    async with offer.open(PigeonOptions("roof"), SiteRole.PRIMARY) as notifier:
        assert_type(notifier, Notifier)
        await notifier.check([])  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        if isinstance(notifier, SupportsPreflight):
            assert_type(await notifier.check(["desk"]), str)
        if isinstance(notifier, SupportsAcknowledgement):
            assert_type(await notifier.acknowledgements(["key"]), tuple[Acknowledgement, ...])
        if isinstance(notifier, SupportsInquiry):
            assert callable(notifier.inquire)
