"""Trades and positions asked of a gateway, whole or not at all.

Every enquiry of the mapping is put, and each answer must come to its last page; a field that an
answer lacks, a page out of turn or a session that is lost ends everything, and what had come by
then is no answer. Rows go to the disk as they come.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import date

from attrs import define, frozen

from hkex_ops.clearing.answers import AnswerMapping, AnswerReader, enquiries_for
from hkex_ops.clearing.lines import Placed
from hkex_ops.errors import ConfigError, PluginError, Rejected
from hkex_ops.model import (
    Endpoint,
    Enquiry,
    EnquiryPage,
    Fields,
    GateDecision,
    GatewayStatus,
    JsonObject,
    RecordKind,
    plain,
)
from hkex_ops.ports import OapiGateway

__all__ = ["AnsweredEnquiry", "Fetched", "fetch_records"]

MOST_PAGES = 100_000
"""Pages of one answer; more are an adapter that does not come to an end."""

MOST_GROUPS = 10_000
"""Enquiries that one mapping is put for: instrument groups are some hundreds."""


@frozen
class AnsweredEnquiry:
    """One enquiry that was answered to its last page."""

    enquiry: Enquiry
    pages: int
    items: int

    def document(self) -> JsonObject:
        """As evidence has it."""
        return {
            "code": self.enquiry.code,
            "parameters": {name: plain(one) for name, one in self.enquiry.parameters.items()},
            "pages": self.pages,
            "items": self.items,
        }


@define
class Fetched:
    """What was asked, and how much came; only ever of whole answers."""

    kind: RecordKind
    business_date: date
    gateway: Endpoint
    status: GatewayStatus
    rows: int = 0
    answered: tuple[AnsweredEnquiry, ...] = ()
    decisions: tuple[GateDecision, ...] = ()

    def document(self) -> JsonObject:
        """Where the records are from, as a result and the evidence tell it."""
        return {
            "from": "live",
            "gateway": str(self.gateway),
            "site": self.status.site.value,
            "business_date": self.business_date.isoformat(),
            "rows": self.rows,
            "enquiries": [one.document() for one in self.answered],
        }


async def fetch_records(
    gateway: OapiGateway,
    mappings: Sequence[AnswerMapping],
    kind: RecordKind,
    take: Callable[[Placed], object],
    business_date: date | None = None,
    since: date | None = None,
) -> Fetched:
    """Ask for everything of ``kind`` and hand each row to ``take`` as it comes.

    Without a ``business_date`` it is the gateway's own; ``since`` begins a stretch of them. Rows
    that were taken count only once this has returned. Raises `RemoteError` for an answer that is
    not whole, `ConfigError` for a mapping that does not fit it, and `PluginError` for an adapter
    that breaks its contract.
    """
    if not mappings:
        raise ConfigError(f"no enquiry is declared that brings {kind}: write one under [[{kind}]]")
    status = await gateway.status()
    day = business_date or status.business_date
    if day is None:
        raise Rejected(
            f"gateway {status.gateway} does not tell its business date: give --business-date"
        )
    found = Fetched(kind, day, status.gateway, status)
    answered: list[AnsweredEnquiry] = []
    for mapping in mappings:
        reader = AnswerReader(mapping)
        items = await _items(gateway, mapping, answered)
        for enquiry in enquiries_for(mapping, day, items, since):
            pages = count = 0
            async with aclosing(_whole(gateway, enquiry)) as answer:
                async for page in answer:
                    pages += 1
                    for row, place in reader.rows(page):
                        take(Placed(row, f"{enquiry.code} {place}"))
                        count += 1
            answered.append(AnsweredEnquiry(enquiry, pages, count))
            found.rows += count
    found.answered = tuple(answered)
    found.decisions = tuple(gateway.decisions())
    return found


async def _items(
    gateway: OapiGateway, mapping: AnswerMapping, answered: list[AnsweredEnquiry]
) -> tuple[Fields, ...]:
    """What the enquiry is to be put for each of."""
    if mapping.for_each is None:
        return ()
    enquiry, pages = Enquiry(mapping.for_each.enquiry), 0
    items: list[Fields] = []
    async with aclosing(_whole(gateway, enquiry)) as answer:
        async for page in answer:
            pages += 1
            items += [{**page.header, **item} for item in page.items]
            if len(items) > MOST_GROUPS:
                raise ConfigError(
                    f"{enquiry.code} brought more than {MOST_GROUPS} items to put "
                    f"{mapping.enquiry} for: declare another enquiry"
                )
    answered.append(AnsweredEnquiry(enquiry, pages, len(items)))
    return tuple(items)


async def _whole(gateway: OapiGateway, enquiry: Enquiry) -> AsyncGenerator[EnquiryPage]:
    """The pages of an answer, in turn, up to the last one."""
    number, ended = 0, False
    answer = gateway.enquire(enquiry)
    try:
        async for page in answer:
            number += 1
            if ended or page.number != number or number > MOST_PAGES:
                raise _broken(f"page {page.number} of the answer to {enquiry.code} is out of turn")
            ended = page.is_last
            yield page
    finally:
        # Most iterators of adapters are generators, which hold the session until they are closed.
        if isinstance(answer, AsyncGenerator):
            await answer.aclose()
    if not ended:
        raise _broken(f"the answer to {enquiry.code} ended without its last page")


def _broken(message: str) -> PluginError:
    return PluginError(
        f"{message}; nothing of it is used",
        distribution="the clearing gateway's adapter",
        hook="hkex_ops_oapi_gateways",
    )
