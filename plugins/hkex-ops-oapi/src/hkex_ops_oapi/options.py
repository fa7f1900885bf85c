"""What an operator sets: the library, the layouts, who logs in where, and how enquiries go.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. The password
is named by the file it lies in and never held here. What HKEX states only in its own manual, such
as facilities and names of fields, is configuration throughout; defaults are given where a public
source has one, and named there. Knows no network and opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from attrs import Attribute, evolve, field, frozen

from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.model import Endpoint, SiteRole, TransactionType
from hkex_ops_oapi.gate import is_enquiry

__all__ = [
    "Binding",
    "BusinessDateOptions",
    "EnquiryOptions",
    "Environment",
    "GatewayAddress",
    "GatewaySite",
    "GatewaySites",
    "OapiOptions",
    "Paging",
    "RecoveryOptions",
    "Switch",
    "addresses_of",
]

# The library itself waits for 300 s before it gives a call up (fact sheet, 1.4).
CALL_TIMEOUT_S = 310
# The samples of the kit sleep so long while the user code is not there yet (fact sheet, 1.5).
READY_POLL_MS = 200
READY_TIMEOUT_S = 60
# Intervals seen at clients of the same interface (fact sheet, section 4); HKEX's is not public.
EVENT_POLL_MS = 50
KEEP_ALIVE_S = 15
PAGES_MOST = 100_000


class Paging(StrEnum):
    """How an answer that takes several pages is asked for."""

    ONCE = "once"  # one question, one answer
    SEGMENTS = "segments"  # by segment number, until it is nought
    SEQUENCE = "sequence"  # from the last sequence number + 1, until nothing comes
    CONTINUED = "continued"  # from what the answer's header says, until that is blank


class Environment(StrEnum):
    """Which of the exchange's systems is meant. The base of facilities tells them apart."""

    PRODUCTION = "production"
    TEST = "test"


class Binding(StrEnum):
    """When the library's own needs are looked for."""

    NOW = "now"
    LAZY = "lazy"


class Switch(StrEnum):
    """An option of the library that has three positions."""

    ANY = "any"  # as the gateway has it
    ENABLE = "enable"
    DISABLE = "disable"

    @property
    def number(self) -> int:
        """As the library has it (fact sheet, 1.5)."""
        return {Switch.ANY: 1, Switch.ENABLE: 2, Switch.DISABLE: 3}[self]


def _filled(_: object, attribute: Attribute[str], text: str) -> None:
    if not text.strip() or not text.isascii() or not text.isprintable():
        raise ConfigError(f"{attribute.name} must be a text of ASCII, and not blank")


def _positive(_: object, attribute: Attribute[int], number: int) -> None:
    if number < 1:
        raise ConfigError(f"{attribute.name} is {number} and must be at least 1")


def _addresses(many: Iterable[GatewayAddress]) -> tuple[GatewayAddress, ...]:
    return tuple(many)


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


def _fits(text: str, what: str, most: int) -> None:
    if len(text) > most:
        raise ConfigError(f"{what} has {len(text)} characters, and {most} are the most")


@frozen
class GatewayAddress:
    """One gateway, as the exchange issued it to the participant."""

    host: str = field(validator=_filled)
    port: int

    def __attrs_post_init__(self) -> None:
        _fits(self.host, "host", 127)
        if not 0 < self.port < 65536:
            raise ConfigError(f"port of {self.host} is {self.port} and must be from 1 to 65535")

    @property
    def endpoint(self) -> Endpoint:
        """The same as a value of the model."""
        return Endpoint(self.host, self.port)


@frozen
class GatewaySite:
    """The gateways of one site: the primary one, then its backup."""

    gateways: tuple[GatewayAddress, ...] = field(converter=_addresses)

    def __attrs_post_init__(self) -> None:
        if not self.gateways:
            raise ConfigError("a site has at least one gateway")


@frozen
class GatewaySites:
    """The sites. The other one is used on an operator's word only, never by itself."""

    primary: GatewaySite
    secondary: GatewaySite | None = None


@frozen
class EnquiryOptions:
    """How one enquiry goes: to which facility, and how its pages are asked for.

    ``facility`` counts from the base that the gateway tells; ``source`` says where that is written,
    such as a page of the exchange's manual, and errors name it. ``segment_field`` is in question
    and answer; ``first_field`` of the question is set to one more than the last ``item_field``;
    ``continue_fields`` are fields of the question with those of the answer's header that they
    take, until ``until_blank`` of that header is blank or nought. ``parameters`` are stated in
    every such question, unless the asker states them.
    """

    facility: int
    paging: Paging = Paging.ONCE
    segment_field: str = "segment_number_n"
    first_field: str = "sequence_first_i"
    item_field: str = "sequence_number_i"
    continue_fields: Mapping[str, str] = field(factory=dict[str, str])
    until_blank: str = ""
    partition_low: str = "partition_low"
    partition_high: str = "partition_high"
    source: str = ""
    parameters: Mapping[str, str | int] = field(factory=dict[str, str | int])

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.facility <= 9:
            raise ConfigError(f"facility is {self.facility}: an offset from the base, 0 to 9")
        if self.paging is Paging.CONTINUED and not (self.continue_fields and self.until_blank):
            raise ConfigError("paging 'continued' needs continue_fields and until_blank")


@frozen
class BusinessDateOptions:
    """The enquiry that tells the business date, and the field that has it as YYYYMMDD."""

    enquiry: str = "UQ12"
    field: str = "business_date_s"


@frozen
class RecoveryOptions:
    """What is asked when events of one kind may have been lost, and how what came is known.

    ``enquiry`` is asked with ``parameters``; where ``each`` names another enquiry, once for each
    of its items, with the fields in ``each_fields`` taken from the item. ``key`` are fields of an
    item that tell it from every other, of any date, for what was told is not told again;
    ``event_key`` the same in the event, where the names are others. ``date_field`` is set to the
    business date. ``sequence_field`` numbers the events of one kind without a gap, in each
    ``sequence_group`` by itself: a number that is left out is a loss, and is asked for as one.
    """

    enquiry: str
    key: tuple[str, ...]
    event_key: tuple[str, ...] = ()
    each: str = ""
    each_fields: Mapping[str, str] = field(factory=dict[str, str])
    date_field: str = ""
    sequence_field: str = ""
    sequence_group: tuple[str, ...] = ()
    parameters: Mapping[str, str | int] = field(factory=dict[str, str | int])

    def __attrs_post_init__(self) -> None:
        if not self.key:
            raise ConfigError("key is empty: name the fields that tell one item from another")
        if self.event_key and len(self.event_key) != len(self.key):
            raise ConfigError("event_key and key must name as many fields, in the same order")


@frozen(kw_only=True)
class OapiOptions:
    """The options of the gateway ``oapi``; see the reference page for each.

    ``enquiries`` are the enquiries that are used, by code. While ``enquiries_only`` holds,
    nothing that changes anything can be sent, and no such method is offered; ``transactions``,
    by code with their facilities, are what may be sent when it does not.
    """

    library: Path = field(converter=Path)
    layouts: Path = field(converter=Path)
    user: str = field(validator=_filled)
    sites: GatewaySites
    password_file: Path | None = field(default=None, converter=_path)
    program: str = field(default="hkex-ops", validator=_filled)
    environment: Environment = Environment.PRODUCTION
    facility_base: int | None = None
    enquiries_only: bool = True
    enquiries: Mapping[str, EnquiryOptions] = field(factory=dict[str, EnquiryOptions])
    transactions: Mapping[str, int] = field(factory=dict[str, int])
    business_date: BusinessDateOptions = BusinessDateOptions()
    recovery: Mapping[str, RecoveryOptions] = field(factory=dict[str, RecoveryOptions])
    message_text_field: str = "text_s"
    preload: tuple[str, ...] = ()
    binding: Binding = Binding.NOW
    environment_variables: Mapping[str, str] = field(factory=dict[str, str])
    byte_order: str = ""
    compression: Switch | None = None
    encryption: Switch | None = None
    call_timeout_s: int = field(default=CALL_TIMEOUT_S, validator=_positive)
    ready_poll_ms: int = field(default=READY_POLL_MS, validator=_positive)
    ready_timeout_s: int = field(default=READY_TIMEOUT_S, validator=_positive)
    event_poll_ms: int = field(default=EVENT_POLL_MS, validator=_positive)
    keep_alive_s: int = field(default=KEEP_ALIVE_S, validator=_positive)
    pages_most: int = field(default=PAGES_MOST, validator=_positive)

    def __attrs_post_init__(self) -> None:
        _fits(self.user, "user", 31)
        _fits(self.program, "program", 31)
        if self.byte_order not in ("", "little", "big"):
            raise ConfigError(f"byte_order is {self.byte_order!r}: little or big, or leave it out")
        for code in self.enquiries:
            if not is_enquiry(_code("enquiries", code)):
                raise ConfigError(
                    f"enquiries.{code} is not on the list of messages that only ask: take it out"
                )
        for code, offset in self.transactions.items():
            if is_enquiry(_code("transactions", code)) or not 0 <= offset <= 9:
                raise ConfigError(
                    f"transactions.{code} must be a message that changes something, with the "
                    "offset of its facility, 0 to 9"
                )
        if self.transactions and self.enquiries_only:
            raise ConfigError(
                "transactions are listed while enquiries_only holds: take them out, or set "
                "enquiries_only = false when no rollout forbids it"
            )
        for code, recovery in self.recovery.items():
            _code("recovery", code)
            for asked in filter(None, (recovery.enquiry, recovery.each)):
                if asked not in self.enquiries:
                    raise ConfigError(
                        f"recovery.{code} asks {asked}, which enquiries does not have"
                    )

    @property
    def expected_base(self) -> int:
        """The base of facilities that ``environment`` lets expect.

        170 and 180 are the public numbers of the kit's header; HKEX may have others by now.
        """
        if self.facility_base is not None:
            return self.facility_base
        return 170 if self.environment is Environment.PRODUCTION else 180

    def site(self, role: SiteRole) -> GatewaySite:
        """The gateways of a site; `ConfigError` when none are stated for it."""
        found = self.sites.primary if role is SiteRole.PRIMARY else self.sites.secondary
        if found is None:
            raise ConfigError(f"no gateways of the {role} site are stated: add sites.{role}")
        return found

    def only(self, gateway: Endpoint) -> OapiOptions:
        """The same with ``gateway`` as the one address of its site."""
        for role in SiteRole:
            site = self.sites.primary if role is SiteRole.PRIMARY else self.sites.secondary
            for one in () if site is None else site.gateways:
                if (one.host, one.port) == (gateway.host, gateway.port):
                    alone = GatewaySite((one,))
                    if role is SiteRole.PRIMARY:
                        return evolve(self, sites=evolve(self.sites, primary=alone))
                    return evolve(self, sites=evolve(self.sites, secondary=alone))
        raise UsageError(f"{gateway} is none of the gateways that are stated")


def addresses_of(options: OapiOptions, site: SiteRole) -> tuple[Endpoint, ...]:
    """The gateways of ``site`` in the order in which they are tried; none where none are."""
    found = options.sites.primary if site is SiteRole.PRIMARY else options.sites.secondary
    return () if found is None else tuple(one.endpoint for one in found.gateways)


def _code(table: str, code: str) -> TransactionType:
    try:
        return TransactionType.parse(code)
    except UsageError as error:
        raise ConfigError(f"{table}: {error}") from None
