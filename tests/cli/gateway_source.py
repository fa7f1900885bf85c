"""A plug-in for tests: a clearing gateway whose far side is a file of answers.

The file is JSON: what each gateway says of itself, and the pages with which each enquiry is
answered. ``goes_wrong`` stages what a far side, or a bad adapter, can do.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from hkex_ops.errors import AuthRefused, Denied, HkexOpsError, TimedOut, Unreachable
from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import (
    Endpoint,
    Enquiry,
    EnquiryPage,
    GateDecision,
    GatewayEvent,
    GatewayStatus,
    PasswordChange,
    SiteRole,
)
from hkex_ops.ports import OapiGateway, Offer

__all__ = ["GatewayOptions", "PaperGateway", "hkex_ops_oapi_gateways"]

REFUSALS: Mapping[str, Callable[[], HkexOpsError]] = {
    "unreachable": lambda: Unreachable("the gateway cannot be reached: try the other one"),
    "auth": lambda: AuthRefused("the gateway does not know this user: ask HKCC"),
}


@frozen
class GatewayOptions:
    """The file of answers, the gateways in order, and what goes wrong at which (``HOST WHAT``)."""

    answers: Path
    gateways: tuple[str, ...]
    goes_wrong: dict[str, str] = field(factory=dict[str, str])

    def only(self, gateway: Endpoint) -> GatewayOptions:
        """The same for one gateway."""
        return evolve(self, gateways=(str(gateway),))


class PaperGateway:
    """The port ``OapiGateway`` on a file of answers."""

    def __init__(self, options: GatewayOptions, site: SiteRole) -> None:
        self._far: Mapping[str, Any] = json.loads(options.answers.read_text())
        self._site = site
        self._gateway = _endpoint(options.gateways[0])
        self._wrong = options.goes_wrong.get(self._gateway.host, "")
        self._decisions: list[GateDecision] = []

    async def status(self) -> GatewayStatus:
        """As the file has it."""
        if self._wrong == "status-times-out":
            raise TimedOut("the gateway does not answer: look at its link")
        stated = {**self._far["status"], **self._far.get(self._gateway.host, {})}
        day = stated["business_date"]
        return GatewayStatus(
            self._site,
            self._gateway,
            stated["user_code"],
            None if day is None else date.fromisoformat(day),
            170,
            "test",
            stated["days"],
            PasswordChange(stated["change"]),
        )

    async def enquire(self, enquiry: Enquiry) -> AsyncGenerator[EnquiryPage]:
        """The pages of the file, those for the stated group alone where it has groups."""
        allowed = enquiry.code[1] == "Q"
        number = len(self._decisions) + 1
        self._decisions.append(GateDecision(number, "query", enquiry.code, allowed, "test"))
        if not allowed:
            raise Denied(f"{enquiry.code}", rule="enquiries only", source="test", until=None)
        pages = self._far["answers"].get(enquiry.code, [])
        if isinstance(pages, dict):
            pages = pages[str(enquiry.parameters["group"])]
        for place, items in enumerate(pages, start=1):
            if self._wrong == "lost" and place == len(pages):
                raise Unreachable("the session was lost: log in again")
            last = place == len(pages) and self._wrong != "no-last-page"
            code = f"{enquiry.code[0]}A{enquiry.code[2:]}"
            header = {"business_date_s": self._far["day"]}
            yield EnquiryPage(enquiry, code, header, tuple(items), place, last)

    async def events(self) -> AsyncGenerator[GatewayEvent]:
        """Nothing is ever told."""
        for event in ():
            yield event

    def decisions(self) -> Sequence[GateDecision]:
        """Every enquiry that was put."""
        return tuple(self._decisions)


def _endpoint(text: str) -> Endpoint:
    host, _, port = text.partition(":")
    return Endpoint(host, int(port))


@asynccontextmanager
async def _open(options: GatewayOptions, site: SiteRole) -> AsyncGenerator[OapiGateway]:
    refusal = REFUSALS.get(options.goes_wrong.get(_endpoint(options.gateways[0]).host, ""))
    if refusal is not None:
        raise refusal()
    yield PaperGateway(options, site)


def _addresses(options: GatewayOptions, site: SiteRole) -> Sequence[Endpoint]:
    return [_endpoint(one) for one in options.gateways]


@hookimpl
def hkex_ops_oapi_gateways() -> Iterable[Offer[OapiGateway]]:
    """Offer ``paper``."""
    return [Offer("paper", GatewayOptions, _open, _addresses)]
