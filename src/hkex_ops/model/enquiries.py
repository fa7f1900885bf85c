"""What is asked of a clearing house through its gateway, what it answers, and what it tells.

The names of fields are those of the licensee's own message layouts, a field of a structure within
a message as ``series.country_c``. Nothing here knows a layout, and no value here changes anything
at the clearing house: a :class:`Transaction` does, and is a value of its own for that reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import field, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model.reports import Endpoint
from hkex_ops.model.sites import SiteRole

__all__ = [
    "BroadcastReceived",
    "ClearingMessageReceived",
    "Enquiry",
    "EnquiryPage",
    "EventsLost",
    "EventsRecovered",
    "FieldValue",
    "Fields",
    "GateDecision",
    "GatewayEvent",
    "GatewayStatus",
    "LinkLost",
    "LinkRestored",
    "LogoutImminent",
    "PasswordChange",
    "Transaction",
    "TransactionReceipt",
    "TransactionType",
]

FieldValue: TypeAlias = int | str | Decimal | date
Fields: TypeAlias = "Mapping[str, FieldValue]"

_CODE = re.compile(r"([A-Z])([A-Z])([0-9]{1,5})", re.ASCII)
_NUMBER_LARGEST = 0xFFFF


def _fixed(fields: Fields) -> Fields:
    """A copy that nobody changes afterwards."""
    return MappingProxyType(dict(fields))


@frozen(order=True)
class TransactionType:
    """What a message is: central module, kind of server and number, written as ``CQ10``."""

    module: str
    server: str
    number: int

    @classmethod
    def parse(cls, code: str) -> TransactionType:
        """The type written as ``code``; `UsageError` for anything else."""
        matched = _CODE.fullmatch(code)
        if matched is None or int(matched[3]) > _NUMBER_LARGEST:
            raise UsageError(
                f"{code!r} is no transaction: write two capital letters and a number up to "
                f"{_NUMBER_LARGEST}, such as CQ10"
            )
        return cls(matched[1], matched[2], int(matched[3]))

    def __str__(self) -> str:
        return f"{self.module}{self.server}{self.number}"


@frozen
class Enquiry:
    """One question: its code, such as ``CQ10``, and the fields that the asker states.

    A field that is not stated is blank or zero, which is a wildcard in most questions.
    """

    code: str
    parameters: Fields = field(factory=dict[str, FieldValue], converter=_fixed)


@frozen
class EnquiryPage:
    """One answer of the central system to an enquiry, of as many as it takes.

    ``number`` counts from 1. The answer is whole when a page with ``is_last`` has come, and only
    then. ``header`` are the fields outside the items, the page's own counters included.
    """

    enquiry: Enquiry
    answer_code: str
    header: Fields = field(converter=_fixed)
    items: tuple[Fields, ...]
    number: int
    is_last: bool


@frozen
class Transaction:
    """A message that changes something at the clearing house."""

    code: str
    parameters: Fields = field(factory=dict[str, FieldValue], converter=_fixed)


@frozen
class TransactionReceipt:
    """The central system took a transaction. ``status`` is its word, with the text it has for it.

    The two ids are what the library gave, as hexadecimal digits; blank where it gave none.
    """

    code: str
    transaction_id: str
    order_id: str
    status: int
    text: str = ""


class PasswordChange(StrEnum):
    """Whether the password must be changed. This library reports it and never does it."""

    NONE = "none"
    ADVISED = "advised"
    REQUIRED = "required"


@frozen
class GatewayStatus:
    """What a gateway says of the session, right after the log-in or later.

    ``facility_base`` is the number from which the facilities of transactions are counted, and
    tells production from test. What the gateway could not say is ``None`` or blank.
    ``findings`` are sentences for a person, such as a base that is not the expected one.
    """

    site: SiteRole
    gateway: Endpoint
    user_code: str
    business_date: date | None
    facility_base: int | None
    central_version: str
    days_to_password_expiry: int | None
    password_change: PasswordChange
    findings: tuple[str, ...] = ()


@frozen
class GateDecision:
    """What the enquiry gate was asked, and its answer.

    ``function`` is the library's function that would have carried the message, ``code`` what the
    message is, ``rule`` the reason. ``times`` counts the same question asked again at once, as
    the pages of one enquiry are.
    """

    number: int
    function: str
    code: str
    allowed: bool
    rule: str
    times: int = 1


@frozen
class BroadcastReceived:
    """The central system told something: a trade, a position, a signal.

    ``fields`` are those of its layout; ``items`` those of its parts, where it has parts. Where
    no layout is known, ``fields`` are empty and ``data`` are its bytes as hexadecimal digits.
    """

    code: str
    fields: Fields = field(converter=_fixed)
    items: tuple[Fields, ...] = ()
    data: str = ""


@frozen
class ClearingMessageReceived:
    """The clearing house's own words to its participants (BI27).

    ``recovered``: it was asked for after events had been lost, and not received as it was sent.
    """

    text: str
    fields: Fields = field(converter=_fixed)
    recovered: bool = False
    code: str = "BI27"


@frozen
class EventsLost:
    """Events did not come; which and how many nobody knows. ``status`` is the number given."""

    reason: str
    status: int


@frozen
class EventsRecovered:
    """What an enquiry brought that had not come as an event.

    ``code`` is the broadcast that it stands for. ``complete`` is false where the enquiry failed,
    for the reason in ``fault``: what may still be missing is then told by nobody.
    """

    code: str
    enquiry: Enquiry
    items: tuple[Fields, ...]
    complete: bool = True
    fault: str = ""


@frozen
class LinkLost:
    """A path to the central system is uncertain: ``transactions``, ``broadcasts``, ``gateway``."""

    path: str
    reason: str
    status: int


@frozen
class LinkRestored:
    """The path is as it should be again."""

    path: str
    status: int


@frozen
class LogoutImminent:
    """The gateway is about to end the session."""

    reason: str
    status: int


GatewayEvent: TypeAlias = (
    BroadcastReceived
    | ClearingMessageReceived
    | EventsLost
    | EventsRecovered
    | LinkLost
    | LinkRestored
    | LogoutImminent
)
