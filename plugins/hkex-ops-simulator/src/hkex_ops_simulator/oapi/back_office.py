"""The participant's desk in a rehearsal: its back office's files, and how all are read.

Everything that an operator writes by hand or makes from a licensee's header, written for the
stand-in: layouts, a file of the password, which field of which answer is which column, and the
back office's own books with their own headings. SYNTHETIC. The books are the house's own, spelt
another way, unless the rehearsal wants them to differ.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from hkex_ops.errors import StoreError
from hkex_ops.model import RecordKind, SiteRole
from hkex_ops_simulator.oapi.build import HEADER_NAME, header_text
from hkex_ops_simulator.oapi.house import USER, ClearingHouse

if TYPE_CHECKING:
    from hkex_ops.model import Endpoint

__all__ = ["DeskFiles", "configuration_lines", "write_desk"]

GATEWAY_NAME = "dcass"

_ANSWERS = """\
# Which enquiries bring the records, and in which fields of the stand-in's messages they stand.
[[trades]]
enquiry = "CQ10"
answer = "CA10"
date_format = "%Y%m%d"
parameters = { date_s = "{business_date:%Y%m%d}", sequence_first_i = 1 }

[trades.for_each]
enquiry = "DQ8"
[trades.for_each.parameters]
"series.country_c" = "series.country_c"
"series.market_c" = "series.market_c"
"series.instrument_group_c" = "series.instrument_group_c"

[trades.columns]
trade_number = "trade_base.trade_number_i"
series = "trade_base.series_id_s"
side = { from = "trade_base.bought_or_sold_c", words = { 1 = "buy", 2 = "sell" } }
quantity = "trade_base.quantity_q"
price = { from = "trade_base.deal_price_i", decimals_from = "trade_base.decimals_c" }
account = "trade_base.account.account_id_s"
business_date = "trade_base.business_date_s"

[trades.columns.traded_at]
from = ["trade_base.trade_date_s", "trade_base.trade_time_s"]
format = "%Y%m%d %H%M%S"

[[positions]]
enquiry = "CQ3"
answer = "CA3"
date_format = "%Y%m%d"
parameters = { date_s = "{business_date:%Y%m%d}" }

[positions.columns]
account = "account.account_id_s"
series = "series_id_s"
business_date = "business_date_s"
long = "held_q"
short = "written_q"
"""

_COLUMNS = """\
# How a back office that does not exist writes its books.
[trades]
delimiter = ";"
date_format = "%d/%m/%Y"
thousands = ","

[trades.columns]
trade_number = "Trade No"
series = "Contract"
side = { from = "B/S", words = { B = "buy", S = "sell" } }
quantity = "Lots"
price = "Price"
account = "Account"
business_date = "Clearing Date"
traded_at = { from = "Traded", format = "%d/%m/%Y %H:%M:%S" }

[positions]
delimiter = ";"
date_format = "%d/%m/%Y"

[positions.columns]
account = "Account"
series = "Contract"
business_date = "Clearing Date"
long = "Long"
short = "Short"
"""

# Facility and manner of asking, as an operator takes them from the exchange's manual.
_ENQUIRIES = """\
UQ12 = { facility = 1 }
UQ13 = { facility = 1, paging = "segments" }
DQ8 = { facility = 0, paging = "segments" }
CQ3 = { facility = 3, paging = "segments" }

CQ10.facility = 3
CQ10.paging = "sequence"
CQ10.item_field = "trade_base.sequence_number_i"
"""

# What is asked when events were lost: trades by group, and the house's own texts.
_RECOVERY = """\
BI27.enquiry = "UQ13"
BI27.key = ["sequence_number_u", "business_date_s"]

BD6.enquiry = "CQ10"
BD6.key = ["trade_base.trade_number_i"]
BD6.date_field = "date_s"
BD6.parameters = { sequence_first_i = 1 }
BD6.each = "DQ8"

[oapi_gateways.dcass.options.recovery.BD6.each_fields]
"series.country_c" = "series.country_c"
"series.market_c" = "series.market_c"
"series.instrument_group_c" = "series.instrument_group_c"
"""

_DAY, _MOMENT = "%d/%m/%Y", "%d/%m/%Y %H:%M:%S"


@frozen
class DeskFiles:
    """What the desk has on its disk. ``ours`` are the back office's books, by kind."""

    header: Path
    layouts: Path
    password: Path
    answers: Path
    columns: Path
    ours: dict[RecordKind, Path]


def write_desk(house: ClearingHouse, folder: Path, *, differ: bool) -> DeskFiles:
    """Write the desk's files into ``folder``; with ``differ`` its books are not the house's.

    Raises `StoreError` where they cannot be written.
    """
    books = {
        RecordKind.TRADES: _trades(house, differ=differ),
        RecordKind.POSITIONS: _positions(house, differ=differ),
    }
    try:
        folder.mkdir(exist_ok=True)
        files = DeskFiles(
            _written(folder / HEADER_NAME, header_text()),
            _written(folder / "layouts.toml", _layouts()),
            folder / "password",
            _written(folder / "answers.toml", _ANSWERS),
            _written(folder / "columns.toml", _COLUMNS),
            {
                kind: _written(folder / f"our-{kind}.csv", _table(rows))
                for kind, rows in books.items()
            },
        )
        files.password.touch(mode=0o600)
        _written(files.password, f"{house.users[USER].password}\n")
    except OSError as error:
        raise StoreError(f"cannot be written: {error}", path=str(folder)) from error
    return files


def configuration_lines(
    library: Path, files: DeskFiles, gateways: Sequence[tuple[SiteRole, Endpoint]]
) -> list[str]:
    """The tables of a configuration for a gateway through the stand-in library."""
    table = f"oapi_gateways.{GATEWAY_NAME}"
    lines = [
        f"[{table}]",
        'adapter = "oapi"',
        "",
        f"[{table}.options]",
        f"library = {_quoted(library)}",
        f"layouts = {_quoted(files.layouts)}",
        f"user = {_quoted(USER)}",
        f"password_file = {_quoted(files.password)}",
        "ready_poll_ms = 1",
        "event_poll_ms = 5",
    ]
    for site in SiteRole:
        own = [endpoint for role, endpoint in gateways if role is site]
        if own:
            listed = ", ".join(
                f"{{ host = {_quoted(one.host)}, port = {one.port} }}" for one in own
            )
            lines += ["", f"[{table}.options.sites.{site.value}]", f"gateways = [{listed}]"]
    return [
        *lines,
        "",
        f"[{table}.options.enquiries]",
        *_ENQUIRIES.splitlines(),
        "",
        f"[{table}.options.recovery]",
        *_RECOVERY.splitlines(),
        "",
        "[clearing]",
        f"gateway = {_quoted(GATEWAY_NAME)}",
        f"answers = {_quoted(files.answers)}",
        f"columns = {_quoted(files.columns)}",
    ]


# -- books -----------------------------------------------------------------------------------------


def _trades(house: ClearingHouse, *, differ: bool) -> Iterator[Sequence[str]]:
    yield "Trade No", "Contract", "B/S", "Lots", "Price", "Account", "Clearing Date", "Traded"
    today = [one for one in house.books.trades if one.business_date == house.business_date]
    for place, one in enumerate(sorted(today, key=lambda one: one.number, reverse=True)):
        if differ and place == 0:
            continue  # missing in our books
        lots = one.quantity + (1 if differ and place == 1 else 0)
        yield (
            str(one.number),
            one.series.id,
            "B" if one.bought else "S",
            str(lots),
            _price(one.price, one.series.decimals),
            one.account,
            f"{one.business_date:{_DAY}}",
            f"{one.traded_at:{_MOMENT}}",
        )


def _positions(house: ClearingHouse, *, differ: bool) -> Iterator[Sequence[str]]:
    yield "Account", "Contract", "Clearing Date", "Long", "Short"
    for place, one in enumerate(house.books.positions(house.business_date)):
        held = one.held + (10 if differ and place == 0 else 0)
        day = f"{house.business_date:{_DAY}}"
        yield one.account, one.series.id, day, str(held), str(one.written)


def _price(price: int, decimals: int) -> str:
    """A price as people write it: thousands apart, the decimals behind a point."""
    if not decimals:
        return f"{price:,}"
    whole, rest = divmod(price, 10**decimals)
    return f"{whole:,}.{rest:0{decimals}d}"


def _table(rows: Iterator[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\n").writerows(rows)
    return text.getvalue()


# -- files -----------------------------------------------------------------------------------------


@cache
def _layouts() -> str:
    """The layouts of the stand-in's header, as ``hkex-ops oapi layouts`` writes them."""
    from hkex_ops_oapi.headers import convert_header
    from hkex_ops_oapi.layout_files import format_layouts

    return format_layouts(convert_header(header_text(), document=HEADER_NAME).layouts)


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)
