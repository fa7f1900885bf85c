"""Faults of asking a clearing house, each named after what it does, around any gateway.

The library's own flows use an answer whole or not at all under every one of them but what is cut
out of the middle of a page, which nobody but the contract can find.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence

from attrs import evolve

from hkex_ops.errors import Rejected
from hkex_ops.model import Enquiry, EnquiryPage, GateDecision, GatewayEvent, GatewayStatus
from hkex_ops.ports import OapiGateway
from hkex_ops.testing.faulty import Stall, cut_off, doubled, swapped

__all__ = [
    "Disconnecting",
    "Duplicating",
    "Faulty",
    "Refusing",
    "Reordering",
    "Stalling",
    "Truncating",
]


class Faulty:
    """A gateway that hands everything on. A fault overrides what it does wrong."""

    def __init__(self, gateway: OapiGateway) -> None:
        self._gateway = gateway

    async def status(self) -> GatewayStatus:
        """Of the gateway within."""
        return await self._gateway.status()

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """As the gateway within answers."""
        return self._gateway.enquire(enquiry)

    def events(self) -> AsyncIterator[GatewayEvent]:
        """As the gateway within tells them."""
        return self._gateway.events()

    def decisions(self) -> Sequence[GateDecision]:
        """Of the gateway within."""
        return self._gateway.decisions()


class Truncating(Faulty):
    """Loses the last item of every page, and says nothing of it."""

    async def enquire(self, enquiry: Enquiry) -> AsyncGenerator[EnquiryPage]:
        """Every page an item shorter."""
        async for page in self._gateway.enquire(enquiry):
            yield evolve(page, items=page.items[:-1])


class Stalling(Faulty, Stall):
    """Answers with ``after`` pages and then waits until :meth:`go_on`, which may be never."""

    def __init__(self, gateway: OapiGateway, after: int = 1) -> None:
        Faulty.__init__(self, gateway)
        Stall.__init__(self, after)

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """A few pages, and then silence."""
        return self.stalled(self._gateway.enquire(enquiry))


class Reordering(Faulty):
    """Gives every other page after the one that came later."""

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """The same pages, each two the wrong way round."""
        return swapped(self._gateway.enquire(enquiry))


class Duplicating(Faulty):
    """Gives every page twice."""

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """Each page twice."""
        return doubled(self._gateway.enquire(enquiry))


class Refusing(Faulty):
    """Refuses every enquiry whose code is in ``codes``; all of them, if none is named."""

    def __init__(self, gateway: OapiGateway, codes: Iterable[str] = ()) -> None:
        super().__init__(gateway)
        self._codes = frozenset(codes)

    async def enquire(self, enquiry: Enquiry) -> AsyncGenerator[EnquiryPage]:
        """A refusal instead of an answer."""
        if not self._codes or enquiry.code in self._codes:
            raise Rejected(f"{enquiry.code}: the clearing house refused it")
        async for page in self._gateway.enquire(enquiry):
            yield page


class Disconnecting(Faulty):
    """Loses the session after ``after`` pages of an answer."""

    def __init__(self, gateway: OapiGateway, after: int = 1) -> None:
        super().__init__(gateway)
        self._after = after

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """Some pages, and the failure."""
        return cut_off(self._gateway.enquire(enquiry), self._after)
