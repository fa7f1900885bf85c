"""Mappings of columns and answers: every fault of a file at once, with its place."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from hkex_ops.clearing.answers import ForEach
from hkex_ops.clearing.cells import ColumnMapping, Spelling, Take
from hkex_ops.config.clearing import (
    ClearingSettings,
    StatedRules,
    clearing_faults,
    match_rules,
)
from hkex_ops.config.record_forms import load_answers, load_file_forms
from hkex_ops.errors import ConfigError
from hkex_ops.model import RecordKind
from tests.wheel import CHECKOUT

PAGE = CHECKOUT / "docs" / "reference" / "clearing-files.md"

FILES = """\
[positions]
delimiter = ";"
encoding = "big5"
skip_lines = 2
date_format = "%d/%m/%Y"
decimal_point = ","
thousands = "."
[positions.columns]
account = { constant = "A1" }
series = { from = ["Product", "Month"], join = "-" }
business_date = "Date"
long = { from = "Net", take = "positive" }
short = { from = "Net", take = "negative", default = "0" }
"""

FAULTY_FILES = """\
[trades]
delimiter = ""
encoding = "latin-9000"
date_format = "%d of May"
decimal_point = "."
thousands = "."
skip_lines = -1
[trades.columns]
trade_number = { from = "Deal", constant = "1" }
series = {}
side = { from = "B/S", words = { B = "bye" } }
quantity = { from = "Lots", take = "sign" }
price = { from = "Price", decimals = 99 }
busines_date = "Date"
account = { from = "Account", format = "%Y" }
sequence = { constant = "one" }
[positions]
columns = { account = 3 }
"""


def faults_of(error: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return [str(one) for one in error.value.faults]


def test_a_mapping_of_columns_is_read(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(FILES)
    form = load_file_forms(path)[RecordKind.POSITIONS]
    assert (";", '"', "big5", 2) == (form.delimiter, form.quote, form.encoding, form.skip_lines)
    assert Spelling("%d/%m/%Y", "", ",", ".") == form.records.spelling
    assert {
        "account": ColumnMapping(constant="A1"),
        "series": ColumnMapping(("Product", "Month"), join="-"),
        "business_date": ColumnMapping(("Date",)),
        "long": ColumnMapping(("Net",), take=Take.POSITIVE),
        "short": ColumnMapping(("Net",), take=Take.NEGATIVE, default="0"),
    } == form.records.columns
    assert [RecordKind.POSITIONS] == list(load_file_forms(path))


def test_without_a_mapping_every_kind_is_in_this_librarys_own_form() -> None:
    forms = load_file_forms(None)
    assert list(RecordKind) == list(forms)
    assert ("trade_number", "series") == forms[RecordKind.TRADES].records.sources[:2]


def test_every_fault_of_a_shape_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(
        '[trades]\ndelimeter = ";"\n[trades.columns]\nprice = 3\nside = { fromm = "B" }'
    )
    with pytest.raises(ConfigError) as error:
        load_file_forms(path)
    assert [
        "trades.columns.price: must be a table, not a whole number",
        "trades.columns.side.fromm: unknown key; did you mean 'from'?",
        "trades.delimeter: unknown key; did you mean 'delimiter'?",
    ] == faults_of(error)


def test_every_fault_of_the_sense_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(FAULTY_FILES.partition("[positions]")[0])
    with pytest.raises(ConfigError) as error:
        load_file_forms(path)
    told = faults_of(error)
    for said in (
        "trades.columns.account.format: is for dates and times, and account is a text",
        "trades.columns.busines_date: unknown column; trades have trade_number, series",
        "trades.columns.business_date: is missing: say where it stands, or give a constant",
        "trades.columns.price.decimals: must be from 0 to 18",
        "trades.columns.quantity.take: the sign tells a side, and is for that column",
        "trades.columns.sequence.constant: 'one' is no number such as 1234.50",
        "trades.columns.series: says neither where it stands (from) nor what it always is",
        "trades.columns.side.words.B: 'bye' is no side; it is buy or sell",
        "trades.columns.trade_number: has both a constant and a place",
        "trades.date_format: '%d of May' does not tell the day, the month and the year",
        "trades.delimiter: '' must be one sign",
        "trades.encoding: unknown encoding 'latin-9000'",
        "trades.skip_lines: must be from 0 to 1000",
        "trades.thousands: is the decimal point too",
    ):
        assert [one for one in told if one.startswith(said)], (said, told)


def test_a_file_that_maps_nothing_says_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_text("")
    with pytest.raises(ConfigError, match=r"write a table \[trades\], \[positions\]"):
        load_file_forms(path)


ANSWERS = """\
[[trades]]
enquiry = "CQ10"
answer = "CA10"
parameters = { date_s = "{business_date:%Y%m%d}", sequence_first_i = 1 }
for_each = { enquiry = "DQ8", parameters = { "series.group_c" = "group_c" } }
date_format = "%Y%m%d"
[trades.columns]
trade_number = "trade_number_i"
series = ["series.commodity_n", "series.expiry_n"]
side = { from = "side_c", words = { "1" = "buy", "2" = "sell" } }
quantity = "quantity_i"
price = { from = "price_i", decimals = 2 }
account = "account.id_s"
business_date = "date_s"
"""


def test_a_mapping_of_answers_is_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_text(ANSWERS)
    found = load_answers(path)
    [mapping] = found[RecordKind.TRADES]
    assert ("CQ10", "CA10") == (mapping.enquiry, mapping.answer)
    assert {"date_s": "{business_date:%Y%m%d}", "sequence_first_i": 1} == mapping.parameters
    assert ForEach("DQ8", {"series.group_c": "group_c"}) == mapping.for_each
    assert ColumnMapping(("price_i",), decimals=2) == mapping.records.columns["price"]
    assert () == found[RecordKind.POSITIONS]


def test_faults_of_answers_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    text = ANSWERS.replace('"CQ10"', '"cq10"').replace("{business_date:%Y%m%d}", "{today}")
    path.write_text(text.replace('enquiry = "DQ8"', 'enquiry = ""'))
    with pytest.raises(ConfigError) as error:
        load_answers(path)
    told = faults_of(error)
    assert ["trades[0].enquiry", "trades[0].for_each.enquiry", "trades[0].parameters.date_s"] == [
        one.partition(":")[0] for one in told
    ]
    path.write_text(ANSWERS.replace("sequence_first_i = 1", "sequence_first_i = 1.5"))
    with pytest.raises(ConfigError, match="must be a whole number, a text or a date"):
        load_answers(path)


def test_the_examples_of_the_reference_page_are_sound(tmp_path: Path) -> None:
    """The first is a back office's, the second a gateway's."""
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    columns, answers = (tmp_path / name for name in ("columns.toml", "answers.toml"))
    columns.write_text(blocks[0])
    answers.write_text(blocks[1])
    assert [RecordKind.POSITIONS] == list(load_file_forms(columns))
    found = load_answers(answers)
    assert [1, 1, 0] == [len(found[kind]) for kind in RecordKind]


def test_rules_are_the_defaults_where_nothing_is_stated() -> None:
    rules = match_rules(ClearingSettings(), RecordKind.TRADES)
    assert ("business_date", "series", "trade_number", "side") == rules.key
    assert ("business_date", 5) == (rules.late_by, rules.late_within_days)
    stated = StatedRules(key=("trade_number", "side"), tolerances={"price": "0.005"})
    rules = match_rules(ClearingSettings(trades=stated), RecordKind.TRADES)
    # A date that is no part of the key cannot make a record late.
    assert (("trade_number", "side"), "") == (rules.key, rules.late_by)
    assert {"price": Decimal("0.005")} == rules.tolerances


@pytest.mark.parametrize(
    ("stated", "path", "said"),
    [
        (StatedRules(key=()), "key", "names no column"),
        (StatedRules(key=("trade", "side")), "key[0]", "unknown column 'trade'"),
        (StatedRules(key=("side", "side")), "key[1]", "is there twice"),
        (StatedRules(compare=("side",)), "compare", "is part of the key"),
        (StatedRules(group_by=("desk",)), "group_by[0]", "unknown column 'desk'"),
        (StatedRules(tolerances={"price": "a bit"}), "tolerances.price", "is no distance"),
        (StatedRules(tolerances={"price": "-1"}), "tolerances.price", "is no distance"),
        (StatedRules(tolerances={"account": "1"}), "tolerances.account", "is for numbers"),
        (StatedRules(tolerances={"prise": "1"}), "tolerances.prise", "unknown column"),
        (
            StatedRules(compare=("account",), tolerances={"price": "1"}),
            "tolerances.price",
            "is not compared",
        ),
        (StatedRules(late_by="price"), "late_by", "is no date"),
        (StatedRules(late_within_days=0), "late_within_days", "must be from 1"),
        (StatedRules(key=("business_date",), late_by="business_date"), "late_by", "whole key"),
    ],
)
def test_rules_that_make_no_sense_are_told(stated: StatedRules, path: str, said: str) -> None:
    faults = list(clearing_faults(ClearingSettings(trades=stated)))
    assert [f"clearing.trades.{path}"] == [one.path for one in faults]
    assert said in faults[0].message
