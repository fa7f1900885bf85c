"""The port ``OapiGateway`` over a session: what a flow holds while it is logged in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from hkex_ops.errors import (
    AuthRefused,
    Denied,
    HkexOpsError,
    RemoteError,
    TimedOut,
    Unreachable,
    UsageError,
)
from hkex_ops.model import (
    Enquiry,
    EnquiryPage,
    GateDecision,
    GatewayEvent,
    GatewayStatus,
    PasswordChange,
    SiteRole,
    Transaction,
    TransactionReceipt,
    TransactionType,
)
from hkex_ops_oapi.codec import Codec, format_type
from hkex_ops_oapi.enquiring import Enquirer
from hkex_ops_oapi.gate import TRANSACTION, EnquiryGate
from hkex_ops_oapi.hearing import Hearer
from hkex_ops_oapi.link import Sent
from hkex_ops_oapi.options import OapiOptions
from hkex_ops_oapi.session import CENTRAL_VERSION, DAYS_TO_EXPIRY, TIMEOUT_INFO, Session

__all__ = ["EnquiringGateway", "TransactingGateway"]

_TRACES = ("OAPI_TRACE", "OMNIAPI_TRACE")


class EnquiringGateway:
    """A gateway that asks and hears, and has no way to change anything."""

    def __init__(
        self,
        options: OapiOptions,
        site: SiteRole,
        session: Session,
        codec: Codec,
        gate: EnquiryGate,
        findings: Sequence[str] = (),
    ) -> None:
        self._options = options
        self._site = site
        self._session = session
        self._codec = codec
        self._gate = gate
        self._findings = tuple(findings)
        self._enquirer = Enquirer(options, session, codec, gate)
        self._hearer = Hearer(options, session, codec, self._enquirer)
        self._alive: asyncio.Task[None] | None = None

    async def status(self) -> GatewayStatus:
        """What the gateway says of this session now."""
        session = self._session
        is_usable = session.password_change is not PasswordChange.REQUIRED
        day = await self._enquirer.business_date() if is_usable else None
        return GatewayStatus(
            site=self._site,
            gateway=session.gateway,
            user_code=session.user_code,
            business_date=day,
            facility_base=session.facility_base,
            central_version=await session.text(CENTRAL_VERSION) if is_usable else "",
            days_to_password_expiry=await session.number(DAYS_TO_EXPIRY) if is_usable else None,
            password_change=session.password_change,
            findings=(*self._findings, *self._own_findings()),
        )

    def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        """The pages of an answer; see the port."""
        return self._enquirer.pages(enquiry)

    def events(self) -> AsyncIterator[GatewayEvent]:
        """What the gateway tells; see the port."""
        return self._hearer.events()

    def decisions(self) -> Sequence[GateDecision]:
        """What the gate was asked, and its answers."""
        return self._gate.decisions()

    async def heartbeat(self) -> None:
        """Ask something harmless."""
        await self._session.number(TIMEOUT_INFO)
        if self._session.lost:
            raise Unreachable(f"the session is lost: {self._session.lost}")

    # -- life --------------------------------------------------------------------------------

    def keep_alive(self) -> None:
        """From now on show the gateway now and then that somebody is there."""
        if self._session.password_change is not PasswordChange.REQUIRED:
            self._alive = asyncio.create_task(self._stay_alive(), name="oapi keep-alive")

    async def log_out(self) -> None:
        """End the session."""
        if self._alive is not None:
            self._alive.cancel()
            with suppress(asyncio.CancelledError):
                await self._alive
        await self._session.log_out()

    async def _stay_alive(self) -> None:
        """What fails here fails again for whoever asks next, who is then told."""
        with suppress(HkexOpsError):
            while True:
                await asyncio.sleep(self._options.keep_alive_s)
                await self.heartbeat()

    def _own_findings(self) -> tuple[str, ...]:
        found: list[str] = []
        options, session = self._options, self._session
        base, expected = session.facility_base, options.expected_base
        if base is not None and base != expected:
            found.append(
                f"the gateway counts facilities from {base}, and {expected} is what "
                f"{options.environment} lets expect: make sure that this is the system you mean"
            )
        if session.password_change is PasswordChange.REQUIRED:
            found.append(
                f"the password of {options.user} must be changed before anything is answered: "
                "a person does that, this program never does"
            )
        if session.password_change is PasswordChange.ADVISED:
            found.append(f"the password of {options.user} is about to expire")
        found += [
            f"{name} is set: the library writes passwords and trades into its trace; unset it"
            for name in _TRACES
            if os.environ.get(name)
        ]
        return tuple(found)


class TransactingGateway(EnquiringGateway):
    """A gateway that may also send what the operator has listed."""

    async def transact(self, transaction: Transaction) -> TransactionReceipt:
        """Send ``transaction``, once; see the port."""
        code = TransactionType.parse(transaction.code)
        offset = self._options.transactions.get(transaction.code)
        if offset is None:
            self._gate.require_message(TRANSACTION, format_type(code, self._codec.order))
            raise UsageError(f"transaction {transaction.code} has no facility")
        message = self._codec.encode(transaction.code, transaction.parameters)
        facility = self._session.facility(offset)
        doing = f"transaction {transaction.code}"
        try:
            sent: Sent = await self._session.run(
                doing, lambda link: link.transact(facility, message)
            )
            await self._session.require_transaction(doing, sent.told)
        except (AuthRefused, Denied, TimedOut):
            raise
        except RemoteError as error:
            if not self._session.lost:
                raise
            # A link that is lost on the way says nothing of what became of the message.
            raise TimedOut(f"{error}; what became of {transaction.code} is unknown") from error
        return TransactionReceipt(
            transaction.code, sent.transaction_id, sent.order_id, sent.told.transaction
        )
