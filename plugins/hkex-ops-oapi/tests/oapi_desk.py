"""A desk for the tests: the options that go with the stand-in, and its layouts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_oapi.headers import convert_header
from hkex_ops_oapi.layout_files import format_layouts
from hkex_ops_oapi.options import (
    EnquiryOptions,
    GatewayAddress,
    GatewaySite,
    GatewaySites,
    OapiOptions,
    Paging,
    RecoveryOptions,
)
from hkex_ops_simulator.oapi.stand_in import OapiStandIn

GROUP_FIELDS = {
    f"series.{name}": f"series.{name}" for name in ("country_c", "market_c", "instrument_group_c")
}

# The business date is part of it: sequences begin anew with each.
TRADE_KEY = (
    "trade_base.business_date_s",
    "trade_base.series.market_c",
    "trade_base.series.instrument_group_c",
    "trade_base.sequence_number_i",
)

ENQUIRIES = {
    "DQ8": EnquiryOptions(0, Paging.SEGMENTS),
    "DQ2": EnquiryOptions(0, Paging.SEGMENTS),
    "DQ30": EnquiryOptions(0),
    "UQ12": EnquiryOptions(1),
    "UQ9": EnquiryOptions(1, Paging.SEGMENTS),
    "UQ13": EnquiryOptions(1, Paging.SEGMENTS),
    "CQ10": EnquiryOptions(3, Paging.SEQUENCE, item_field="trade_base.sequence_number_i"),
    "CQ39": EnquiryOptions(3, Paging.SEQUENCE),
    "CQ3": EnquiryOptions(3, Paging.SEGMENTS),
    "CQ38": EnquiryOptions(3, Paging.SEGMENTS),
    "CQ11": EnquiryOptions(
        5,
        Paging.CONTINUED,
        continue_fields={
            "from_date_s": "next_date_s",
            "sequence_first_i": "sequence_first_i",
        },
        until_blank="next_date_s",
    ),
    "CQ122": EnquiryOptions(5, Paging.SEGMENTS),
}

RECOVERY = {
    "BD6": RecoveryOptions(
        "CQ10",
        TRADE_KEY,
        each="DQ8",
        each_fields=GROUP_FIELDS,
        date_field="date_s",
        sequence_field="trade_base.sequence_number_i",
        sequence_group=TRADE_KEY[:3],
    ),
    "BI27": RecoveryOptions("UQ13", ("sequence_number_u", "business_date_s")),
    "BI7": RecoveryOptions("UQ9", ("sequence_number_u", "business_date_s")),
}


@cache
def layouts_of(header: str) -> str:
    """The layouts of a header, as the command writes them."""
    return format_layouts(convert_header(header, document="stand_in_messages.h").layouts)


def write_layouts(stand_in: OapiStandIn, folder: Path) -> Path:
    """The layouts of the stand-in's header, in a file of their own."""
    path = folder / "layouts.toml"
    path.write_text(layouts_of(stand_in.header.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def write_password(password: str, folder: Path, name: str = "password") -> Path:
    """A file with a password that nobody else reads."""
    path = folder / name
    path.write_text(f"{password}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def gateways(endpoints: tuple[Endpoint, ...]) -> GatewaySite:
    """The addresses of a site as options."""
    return GatewaySite(tuple(GatewayAddress(one.host, one.port) for one in endpoints))


def desk_options(stand_in: OapiStandIn, folder: Path, **changes: object) -> OapiOptions:
    """Options with which everything goes well, unless ``changes`` say otherwise."""
    sites = stand_in.sites
    stated: dict[str, object] = {
        "library": stand_in.library,
        "layouts": write_layouts(stand_in, folder),
        "user": stand_in.user,
        "password_file": write_password(stand_in.password, folder),
        "sites": GatewaySites(
            gateways(sites[SiteRole.PRIMARY]), gateways(sites[SiteRole.SECONDARY])
        ),
        "enquiries": ENQUIRIES,
        "recovery": RECOVERY,
        "call_timeout_s": 20,
        "ready_poll_ms": 1,
        "ready_timeout_s": 10,
        "event_poll_ms": 5,
    }
    return OapiOptions(**(stated | changes))  # type: ignore[arg-type]
