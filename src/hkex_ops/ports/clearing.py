"""The port of a clearing house's gateway: asking, hearing, and knowing what was allowed.

Whoever holds an :class:`OapiGateway` is logged in; leaving its context logs out. What changes
something at the clearing house is a capability, so that a gateway which may only enquire has no
such method at all; :class:`hkex_ops.flows.enquiring.EnquiriesOnly` takes it away from any gateway.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from hkex_ops.model import (
    Endpoint,
    Enquiry,
    EnquiryPage,
    GateDecision,
    GatewayEvent,
    GatewayStatus,
    Transaction,
    TransactionReceipt,
)

__all__ = [
    "OapiGateway",
    "SupportsHeartbeat",
    "SupportsOneGateway",
    "SupportsTransact",
]


class OapiGateway(Protocol):
    """A session with a clearing house through one of its gateways."""

    async def status(self) -> GatewayStatus:
        """What the gateway says of this session now. Raises `RemoteError`."""
        ...

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """Yield the pages of the answer; the last one says so.

        An answer that is not whole never ends quietly: a partition that does not answer, a page
        cut short or a session lost raises `RemoteError` before the iterator ends, and the pages
        that came are then no answer. Raises `Denied` for what the enquiry gate refuses, before
        anything is sent; `UsageError` for an enquiry that no layout knows, or with a field that
        its layout does not have; `WireError` for an answer that disobeys its layout.
        """
        ...

    def events(self) -> AsyncIterator[GatewayEvent]:
        """Yield what the gateway tells from now on, until the session ends.

        May be iterated once. Raises `RemoteError` when the session is lost.
        """
        ...

    def decisions(self) -> Sequence[GateDecision]:
        """Every question put to the enquiry gate in this session, with its answer, in order."""
        ...


@runtime_checkable
class SupportsTransact(Protocol):
    """A gateway that may change something at the clearing house."""

    async def transact(self, transaction: Transaction) -> TransactionReceipt:
        """Send ``transaction``, once.

        Raises `TimedOut` when its outcome is unknown: it may have been done, and must not be sent
        again before somebody has looked. Raises `Denied` for what is not on the list of
        transactions that this session may send.
        """
        ...


@runtime_checkable
class SupportsHeartbeat(Protocol):
    """A gateway that can be shown that its client is alive."""

    async def heartbeat(self) -> None:
        """Ask something harmless. Raises `RemoteError` when the session is lost."""
        ...


@runtime_checkable
class SupportsOneGateway(Protocol):
    """Options of an adapter from which those for one single gateway can be made."""

    def only(self, gateway: Endpoint) -> object:
        """The same options with ``gateway`` as the one address tried, of its site.

        Raises `UsageError` for an address that is not among them.
        """
        ...
