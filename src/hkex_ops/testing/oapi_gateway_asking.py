"""What the clauses of ``OapiGateway`` have in common: asking, failing in time, hearing.

Used by :mod:`~.oapi_gateway_contract` and :mod:`~.oapi_gateway_acts` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from hkex_ops.errors import HkexOpsError
from hkex_ops.model import (
    ClearingMessageReceived,
    Enquiry,
    EnquiryPage,
    Fields,
    GatewayEvent,
    SiteRole,
)
from hkex_ops.ports import OapiGateway
from hkex_ops.testing.oapi_gateway_bench import Held, OapiGatewayBench

__all__ = [
    "all_pages",
    "failure",
    "first_event",
    "is_text",
    "items_of",
    "noticed",
    "open_and_leave",
    "see",
    "several",
    "started",
]

PRIMARY = SiteRole.PRIMARY

# A log-out may be noticed a little later than it was done.
NOTICE_TIMEOUT_S = 5
NOTICE_INTERVAL_S = 0.01


async def all_pages(gateway: OapiGateway, enquiry: Enquiry) -> list[EnquiryPage]:
    """Every page of an answer."""
    return [page async for page in gateway.enquire(enquiry)]


def items_of(pages: list[EnquiryPage]) -> list[Fields]:
    """The items of all pages."""
    return [item for page in pages for item in page.items]


async def see(gateway: OapiGateway, enquiry: Enquiry, seen: list[EnquiryPage]) -> None:
    """Put pages into ``seen`` as they come."""
    async for page in gateway.enquire(enquiry):
        seen.append(page)


async def failure(bench: OapiGatewayBench, doing: Awaitable[object]) -> HkexOpsError:
    """The error with which a call ends; it must end in time, and with one of ours."""
    with pytest.raises(HkexOpsError) as caught:
        async with asyncio.timeout(bench.time_limit_s):
            await doing
    text = str(caught.value)
    assert text.isprintable(), "the error is not one printable sentence"
    for secret in bench.secrets():
        assert secret not in text, "the error repeats a secret"
    return caught.value


async def open_and_leave(bench: OapiGatewayBench, options: object) -> None:
    """Log in and out."""
    async with bench.offer.open(options, PRIMARY):
        pass


async def noticed(fact: Callable[[], bool]) -> bool:
    """Whether the far side comes to show ``fact`` within a short while."""
    for _ in range(int(NOTICE_TIMEOUT_S / NOTICE_INTERVAL_S)):
        if fact():
            return True
        await asyncio.sleep(NOTICE_INTERVAL_S)
    return False


async def first_event(
    bench: OapiGatewayBench,
    events: AsyncIterator[GatewayEvent],
    fits: Callable[[GatewayEvent], bool],
) -> list[GatewayEvent]:
    """Events up to the first that fits, in time."""
    found: list[GatewayEvent] = []
    async with asyncio.timeout(bench.time_limit_s):
        async for event in events:
            found.append(event)
            if fits(event):
                break
    return found


def is_text(text: str) -> Callable[[GatewayEvent], bool]:
    """Whether an event is this clearing message."""
    return lambda event: isinstance(event, ClearingMessageReceived) and event.text == text


def several(bench: OapiGatewayBench) -> Held:
    """The enquiry with the longest answer."""
    return max(bench.held(), key=lambda held: len(held.items))


async def started(
    bench: OapiGatewayBench, gateway: OapiGateway
) -> tuple[AsyncIterator[GatewayEvent], str]:
    """The events of a gateway, once it is certain that they are heard."""
    events = gateway.events()
    text = "the first"
    await bench.tell(text)
    first = asyncio.ensure_future(first_event(bench, events, lambda _: True))
    while not first.done():  # subscribing takes a while, and what is told before it is not heard
        await bench.tell(text)
        await asyncio.sleep(NOTICE_INTERVAL_S)
    await first
    return events, text
