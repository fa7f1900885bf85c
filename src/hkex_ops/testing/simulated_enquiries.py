"""Business days on which a clearing house is asked for what its books hold, and is disturbed.

The gateway of a bench and the library's way of asking are the real ones. Pages come twice or out
of turn, the session is lost or given up half-way, the first gateway goes down for good. An answer
is used whole or not at all, and nothing at the clearing house is ever changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from datetime import date, time
from functools import partial
from random import Random
from typing import TypeAlias

import pytest
from attrs import define

from hkex_ops.clearing.answers import AnswerMapping
from hkex_ops.clearing.cells import ColumnMapping, Spelling
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.mapping import RecordMapping
from hkex_ops.errors import PluginError, Rejected, Unreachable
from hkex_ops.flows.clearing.fetching import fetch_records
from hkex_ops.model import Enquiry, EnquiryPage, Fields, RecordKind, SiteRole
from hkex_ops.ports import OapiGateway
from hkex_ops.testing.faulty import faulty, stopped
from hkex_ops.testing.market_feed_heard import noticed
from hkex_ops.testing.oapi_gateway_bench import Held, OapiGatewayBench
from hkex_ops.testing.oapi_gateway_faults import (
    Disconnecting,
    Duplicating,
    Faulty,
    Refusing,
    Reordering,
)
from hkex_ops.testing.simulated import Chronicle, Part
from hkex_ops.testing.simulated_house import at_time

__all__ = ["EnquiryDesk"]

HOURS = (time(9, 15), time(11), time(13, 30), time(15), time(17), time(18, 30))

# In how many looks of a hundred something is between, and in how many days the gateway goes down.
DISTURBED, DOWN = 55, 40

Between: TypeAlias = Callable[[OapiGateway], OapiGateway]
Disturbance: TypeAlias = tuple[str, Between, tuple[type[BaseException], ...]]

# What the rows say is no matter here: that each item of the books came, is.
_COLUMNS = {
    "account": ColumnMapping(constant="SYNTHETIC"),
    "series": ColumnMapping(constant="SYNTHETIC"),
    "business_date": ColumnMapping(constant="2019-05-03"),
    "long": ColumnMapping(constant="0"),
    "short": ColumnMapping(constant="0"),
}
_RECORDS = RecordMapping(RecordKind.POSITIONS, _COLUMNS, Spelling())


class _Stopped(Faulty):
    """Somebody stops it after some pages, as Ctrl-C does."""

    def __init__(self, gateway: OapiGateway, after: int) -> None:
        super().__init__(gateway)
        self._after = after

    def enquire(self, enquiry: Enquiry) -> AsyncGenerator[EnquiryPage]:
        return stopped(self._gateway.enquire(enquiry), self._after)


class _Noting(Faulty):
    """No fault: notes the items that come."""

    def __init__(self, gateway: OapiGateway, items: list[Fields]) -> None:
        super().__init__(gateway)
        self._items = items

    async def enquire(self, enquiry: Enquiry) -> AsyncGenerator[EnquiryPage]:
        async for page in self._gateway.enquire(enquiry):
            self._items += page.items
            yield page


@define
class EnquiryDesk:
    """The desk of one simulation, which enquires through one bench."""

    bench: OapiGatewayBench
    chronicle: Chronicle
    is_down: bool = False

    async def live(self, day: date) -> None:
        """One business date: everything is asked for at each hour."""
        going = self.chronicle.chance(day, "down")
        down_at = going.choice(HOURS) if going.randrange(100) < DOWN else None
        for hour in HOURS:
            at = at_time(day, hour)
            self.chronicle.clock.turn_to(at)
            if hour == down_at and not self.is_down:
                with suppress(pytest.skip.Exception):
                    await self.bench.take_down(0)
                    self.chronicle.tell(Part.FAR_SIDE, "the first gateway goes down for good")
                    self.is_down = True
            for held in self.bench.held():
                chance = self.chronicle.chance(day, hour, held.enquiry.code)
                await self._ask(held, _drawn(chance))

    async def _ask(self, held: Held, disturbance: Disturbance | None) -> None:
        """One enquiry, in a session of its own."""
        code, require = held.enquiry.code, self.chronicle.require
        said, between, ends = disturbance or ("", Faulty, ())
        if said:
            self.chronicle.tell(Part.FAULT, f"{code}: {said}")
        items, rows = list[Fields](), list[Placed]()
        mapping = AnswerMapping(code, _RECORDS, parameters=held.enquiry.parameters)

        async def ask() -> int:
            offer = faulty(self.bench.offer, lambda one: _Noting(between(one), items))
            async with offer.open(self.bench.options(), SiteRole.PRIMARY) as gateway:
                status = await gateway.status()
                require(
                    bool(status.findings) or not self.is_down,
                    "the first gateway is down, and the status says nothing of it",
                )
                found = await fetch_records(gateway, [mapping], RecordKind.POSITIONS, rows.append)
            return found.rows

        [ended] = await asyncio.gather(ask(), return_exceptions=True)
        if isinstance(ended, AssertionError):
            raise ended
        if isinstance(ended, BaseException):
            self.chronicle.tell(Part.DESK, f"{code}: ends with {type(ended).__name__}")
            require(
                isinstance(ended, ends),
                f"{code} ended with {ended!r}, for which nothing in its way is a reason",
            )
        else:
            self.chronicle.tell(Part.DESK, f"{code}: {ended} rows")
            whole = [dict(one) for one in held.items] == [dict(one) for one in items]
            require(whole and ended == len(held.items), f"{code}: the answer is not what is held")
        changed = list(self.bench.changed())
        require(not changed, f"something was changed at the clearing house: {changed}")
        left = await noticed(lambda: self.bench.sessions() == 0)
        require(left, "a session was left open")


def _drawn(chance: Random) -> Disturbance | None:
    if chance.randrange(100) >= DISTURBED:
        return None
    after = chance.randrange(3)
    given_up = partial(_Stopped, after=after)
    cut = partial(Disconnecting, after=after)
    every: list[Disturbance] = [
        (f"the session is lost after {after} pages", cut, (Unreachable,)),
        (f"it is given up after {after} pages", given_up, (asyncio.CancelledError,)),
        ("the clearing house refuses it", Refusing, (Rejected,)),
        ("every page comes twice", Duplicating, (PluginError,)),
        ("pages come out of turn", Reordering, (PluginError,)),
    ]
    return chance.choice(every)
