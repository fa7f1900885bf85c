"""An author's file of clearing gateways: right adapters pass, each wrong one is rejected.

A rejection is proved by its suppression, as in :file:`offers.py`. Never run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import assert_type

from attrs import frozen

from hkex_ops.flows.enquiring import EnquiriesOnly
from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import (
    Endpoint,
    Enquiry,
    EnquiryPage,
    GateDecision,
    GatewayEvent,
    GatewayStatus,
    SiteRole,
    Transaction,
    TransactionReceipt,
)
from hkex_ops.ports import (
    OapiGateway,
    Offer,
    SupportsHeartbeat,
    SupportsOneGateway,
    SupportsTransact,
)


@frozen
class GateOptions:
    """What an operator may say about the adapter."""

    address: Endpoint

    def only(self, gateway: Endpoint) -> GateOptions:
        return GateOptions(gateway)


class Asking:
    """Has the four members of its port."""

    async def status(self) -> GatewayStatus:
        raise NotImplementedError

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        raise NotImplementedError

    def events(self) -> AsyncIterator[GatewayEvent]:
        raise NotImplementedError

    def decisions(self) -> Sequence[GateDecision]:
        raise NotImplementedError


class Acting(Asking):
    """Changes something, too."""

    async def transact(self, transaction: Transaction) -> TransactionReceipt:
        raise NotImplementedError


class AllAtOnce(Asking):
    """Waits for the whole answer."""

    async def enquire(self, enquiry: Enquiry) -> list[EnquiryPage]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        raise NotImplementedError


class Unaccounted:
    """Tells nobody what its gate was asked."""

    async def status(self) -> GatewayStatus:
        raise NotImplementedError

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        raise NotImplementedError

    def events(self) -> AsyncIterator[GatewayEvent]:
        raise NotImplementedError


@asynccontextmanager
async def open_asking(options: GateOptions, site: SiteRole) -> AsyncGenerator[Asking]:
    yield Asking()


@asynccontextmanager
async def open_acting(options: GateOptions, site: SiteRole) -> AsyncGenerator[Acting]:
    yield Acting()


@asynccontextmanager
async def open_all_at_once(options: GateOptions, site: SiteRole) -> AsyncGenerator[AllAtOnce]:
    yield AllAtOnce()


@asynccontextmanager
async def open_unaccounted(options: GateOptions, site: SiteRole) -> AsyncGenerator[Unaccounted]:
    yield Unaccounted()


@hookimpl
def hkex_ops_oapi_gateways() -> Iterable[Offer[OapiGateway]]:
    return [Offer("asking", GateOptions, open_asking), Offer("acting", GateOptions, open_acting)]


def an_answer_comes_in_pages() -> Iterable[Offer[OapiGateway]]:
    return [Offer("all", GateOptions, open_all_at_once)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def decisions_are_told() -> Iterable[Offer[OapiGateway]]:
    return [Offer("silent", GateOptions, open_unaccounted)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


async def what_a_gateway_can_is_asked_of_it(
    offer: Offer[OapiGateway], options: GateOptions, transaction: Transaction
) -> None:
    async with offer.open(options, SiteRole.PRIMARY) as gateway:
        assert_type(gateway, OapiGateway)
        await gateway.transact(transaction)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        if isinstance(gateway, SupportsTransact):
            assert_type(await gateway.transact(transaction), TransactionReceipt)
        if isinstance(gateway, SupportsHeartbeat):
            await gateway.heartbeat()
        assert_type([page async for page in gateway.enquire(Enquiry("CQ10"))], list[EnquiryPage])
        held: OapiGateway = EnquiriesOnly(gateway)
        assert_type(await held.status(), GatewayStatus)


def options_for_one_gateway(options: GateOptions) -> SupportsOneGateway:
    return options


async def only_enquiries(gateway: Acting, transaction: Transaction) -> None:
    await EnquiriesOnly(gateway).transact(transaction)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
