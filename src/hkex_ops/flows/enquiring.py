"""A gateway as a flow may hold it while a rollout allows enquiries only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from hkex_ops.model import Enquiry, EnquiryPage, GateDecision, GatewayEvent, GatewayStatus
from hkex_ops.ports import OapiGateway

__all__ = ["EnquiriesOnly"]


class EnquiriesOnly:
    """A gateway without what changes anything.

    It has the verbs of `OapiGateway` and no others, whatever ``gateway`` can do, so that
    `SupportsTransact` is not even offered.
    """

    def __init__(self, gateway: OapiGateway) -> None:
        self._gateway = gateway

    async def status(self) -> GatewayStatus:
        """As the gateway's own."""
        return await self._gateway.status()

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """As the gateway's own."""
        return self._gateway.enquire(enquiry)

    def events(self) -> AsyncIterator[GatewayEvent]:
        """As the gateway's own."""
        return self._gateway.events()

    def decisions(self) -> Sequence[GateDecision]:
        """As the gateway's own."""
        return self._gateway.decisions()
