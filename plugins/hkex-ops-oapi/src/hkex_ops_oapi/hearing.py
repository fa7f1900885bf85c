"""Events of a session: subscribed to, read, taken apart, and made up for when some were lost.

There is no replay of events. What was lost is asked for: subscriptions stand first, then the
enquiries are made, and what both brought is told once. Events are read on meanwhile, a page of an
answer at a time, because a gateway keeps only so many.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator

from hkex_ops.errors import HkexOpsError, RemoteError, UsageError, WireError
from hkex_ops.model import (
    BroadcastReceived,
    ClearingMessageReceived,
    Enquiry,
    EventsLost,
    EventsRecovered,
    Fields,
    FieldValue,
    GatewayEvent,
    LinkLost,
    LinkRestored,
    LogoutImminent,
)
from hkex_ops_oapi.codec import Codec, parse_type
from hkex_ops_oapi.enquiring import Enquirer
from hkex_ops_oapi.framing import frame_events
from hkex_ops_oapi.options import OapiOptions, RecoveryOptions
from hkex_ops_oapi.remembering import Memory
from hkex_ops_oapi.session import Session
from hkex_ops_oapi.statuses import COLLECTED, EVENTS_OVERFLOW, NOT_FOUND, RECONNECTED

__all__ = ["RECOVERIES_MOST", "Hearer"]

RECOVERIES_MOST = 5
"""Losses in a row, each while the last was being made up for, after which it is given up."""

CLEARING_MESSAGE = "BI27"
_NETWORK = ("BN1", "BN4")
_TEXT_AT = {"BN1": 10, "BN4": 16}

_LINK_LOST = {
    -208_004: "broadcasts",
    -4001: "transactions",
    -4002: "broadcasts",
}
_LINK_NORMAL = {4001: "transactions", 4002: "broadcasts"}
_LOGOUT_IMMINENT = 4004


class Hearer:
    """Hears one session. ``events`` may be iterated once."""

    def __init__(
        self, options: OapiOptions, session: Session, codec: Codec, enquirer: Enquirer
    ) -> None:
        self._options = options
        self._session = session
        self._codec = codec
        self._enquirer = enquirer
        self._memory = Memory(options.recovery)
        self._lost: EventsLost | None = None
        self._in_a_row = 0
        self.is_heard: bool = False

    async def events(self) -> AsyncIterator[GatewayEvent]:
        """What is told from now on; see the port."""
        if self.is_heard:
            raise UsageError("the events of a session are heard once: keep the first iterator")
        self.is_heard = True
        await self._subscribe()
        while True:
            async for event in self._read(pause=True):
                yield event
            lost, self._lost = self._lost, None
            if lost is None:
                self._in_a_row = 0
                continue
            async for event in self._make_up(lost):
                yield event

    async def _subscribe(self) -> None:
        told, kinds = await self._session.run("event_types", lambda link: link.event_types())
        await self._session.require("list of events", told)
        for kind in kinds:
            await self._subscribe_to(kind)

    async def _subscribe_to(self, kind: int) -> None:
        told = await self._session.run("subscribe", lambda link: link.subscribe(kind))
        await self._session.require(f"subscription to events of type {kind}", told)

    # -- reading -----------------------------------------------------------------------------

    async def _read(self, *, pause: bool) -> AsyncIterator[GatewayEvent]:
        """The events of one reading; with ``pause`` a little later where there were none."""
        told, data = await self._session.run("read_events", lambda link: link.read_events())
        if told.completion == NOT_FOUND:
            if pause:
                await asyncio.sleep(self._options.event_poll_ms / 1000)
            return
        await self._session.require("reading of events", told)
        if told.completion == EVENTS_OVERFLOW:
            self._lose("the gateway had no room for all events", told.completion)
        elif told.completion == RECONNECTED:
            self._lose("the library has connected again", told.completion)
            await self._subscribe()  # a new connection has none of the old one's subscriptions
        elif told.completion not in (0, COLLECTED):
            self._lose(f"events were read with status {told.completion}", told.completion)
        framed = frame_events(data, "little" if sys.byteorder == "little" else "big")
        for event in framed.events:
            for one in self._told(event.data):
                yield one
        if framed.fault:
            self._lose(f"events could not be told apart: {framed.fault}", told.completion)

    def _told(self, data: bytes) -> Iterator[GatewayEvent]:
        """One event as values; nothing where it has been told already."""
        try:
            code = str(parse_type(data, self._codec.order))
        except WireError:
            self._lose("an event has no type", 0)
            return
        if code in _NETWORK and len(data) >= _TEXT_AT[code]:
            yield from self._network(code, data)
            return
        if self._codec.layouts.find(code) is None:
            yield BroadcastReceived(code, {}, data=data.hex())
            return
        try:
            decoded = self._codec.decode(data)
        except WireError as error:
            self._lose(f"{code} does not fit its layout: {error}", 0)
            yield BroadcastReceived(code, {}, data=data.hex())
            return
        merged = {**decoded.fields, **(decoded.items[0] if decoded.items else {})}
        gap = self._memory.gap_before(code, merged)
        if gap is not None:
            self._lose(f"{code} number {gap[0]} to {gap[1]} did not come", 0)
        if not self._memory.is_new_event(code, merged):
            return
        if code == CLEARING_MESSAGE:
            yield self._message(decoded.fields, recovered=False)
            return
        yield BroadcastReceived(code, decoded.fields, decoded.items)

    def _message(self, fields: Fields, *, recovered: bool) -> ClearingMessageReceived:
        text = fields.get(self._options.message_text_field, "")
        return ClearingMessageReceived(str(text), fields, recovered)

    def _network(self, code: str, data: bytes) -> Iterator[GatewayEvent]:
        """What the network itself tells: BN1 and BN4, in which a loss is never overlooked."""
        status = int.from_bytes(data[4:8], self._codec.order, signed=True)
        length = int.from_bytes(data[8:10], self._codec.order)
        text = data[_TEXT_AT[code] :][:length].partition(b"\0")[0].decode("latin-1").strip()
        reason = text or f"{code} with status {status}"
        if status in _LINK_LOST:
            yield LinkLost(_LINK_LOST[status], reason, status)
        elif status in _LINK_NORMAL:
            yield LinkRestored(_LINK_NORMAL[status], status)
        elif status == _LOGOUT_IMMINENT:
            yield LogoutImminent(reason, status)
        elif code != "BN1":
            yield BroadcastReceived(code, {"status": status, "text": text})
        if code == "BN1" or _LINK_NORMAL.get(status) == "broadcasts":
            self._lose(reason, status)

    def _lose(self, reason: str, status: int) -> None:
        if self._lost is None:  # what is made up for covers whatever else was lost by now
            self._lost = EventsLost(reason, status)

    # -- making up ---------------------------------------------------------------------------

    async def _make_up(self, lost: EventsLost) -> AsyncIterator[GatewayEvent]:
        """Tell the loss, then ask for everything that may have been lost with it."""
        yield lost
        self._in_a_row += 1
        if self._in_a_row > RECOVERIES_MOST:
            raise RemoteError(
                f"events were lost {self._in_a_row} times in a row, each time while the last loss "
                "was made up for: the gateway tells faster than it is read"
            )
        for code, recovery in self._options.recovery.items():
            async for event in self._recover(code, recovery):
                yield event

    async def _recover(self, code: str, recovery: RecoveryOptions) -> AsyncIterator[GatewayEvent]:
        enquiry = Enquiry(recovery.enquiry, dict(recovery.parameters))
        found: list[Fields] = []
        fault = ""
        try:
            async for asked in self._questions(recovery):
                enquiry = asked
                async for page in self._enquirer.pages(asked):
                    found += [one for one in page.items if self._memory.is_new_item(code, one)]
                    async for event in self._read(pause=False):
                        yield event
        except HkexOpsError as error:
            if self._session.lost:
                raise
            fault = str(error)
        if found or fault:
            yield EventsRecovered(code, enquiry, tuple(found), not fault, fault)
        if code == CLEARING_MESSAGE:
            for fields in found:
                yield self._message(fields, recovered=True)

    async def _questions(self, recovery: RecoveryOptions) -> AsyncIterator[Enquiry]:
        """The enquiries that bring back events of one kind: one, or one for each of some items."""
        stated: dict[str, FieldValue] = dict(recovery.parameters)
        if recovery.date_field:
            day = await self._enquirer.business_date()
            if day is not None:
                stated[recovery.date_field] = day
        if not recovery.each:
            yield Enquiry(recovery.enquiry, stated)
            return
        items: list[Fields] = []
        async for page in self._enquirer.pages(Enquiry(recovery.each)):
            items += page.items
        for item in items:
            taken = {
                asked: item[told] for asked, told in recovery.each_fields.items() if told in item
            }
            yield Enquiry(recovery.enquiry, {**stated, **taken})
