"""Files of records: read line by line, whatever their form; every fault with line and column."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops.clearing.answers import MOST_FAULTS
from hkex_ops.clearing.cells import (
    DECIMALS_SIGN,
    MOST_DIGITS,
    ColumnMapping,
    Spelling,
    Take,
    reader_of,
)
from hkex_ops.clearing.columns import COLUMNS, column_named, record_of, row_of
from hkex_ops.config.record_files import fitted, read_records
from hkex_ops.config.record_forms import FileForm, load_file_forms
from hkex_ops.errors import ConfigError
from hkex_ops.model import ClearingPosition, ClearingTrade, RecordKind
from tests.clearing.books import generated

OWN = load_file_forms(None)[RecordKind.TRADES]
HEAD = "trade_number,series,side,quantity,price,account,business_date\n"
ROW = "101,HSIK9,buy,3,28500.50,A1,2019-05-03\n"


def faults_in(path: Path, form: FileForm = OWN) -> list[str]:
    """What is complained of."""
    with pytest.raises(ConfigError) as error:
        list(read_records(path, fitted(path, form)))
    assert str(path) == error.value.document
    return [str(one) for one in error.value.faults]


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_a_file_in_our_own_form_gives_back_the_records(tmp_path: Path) -> None:
    """What is not stated may be left out, whatever the order of columns."""
    book = generated(1, 20)
    names = ["side", "account", "price", "trade_number", "quantity", "series", "business_date"]
    lines = [",".join(str(getattr(one, name)) for name in names) for one in book]
    path = written(tmp_path / "own.csv", "\n".join([",".join(names).upper(), *lines, "", ""]))
    form = fitted(path, OWN)
    read = list(read_records(path, form))
    assert book == [record_of(RecordKind.TRADES, one.row) for one in read]
    assert [str(line) for line in range(2, 22)] == [one.place for one in read]
    assert set(names) == set(form.records.stated)


def test_a_back_offices_file_is_read_as_its_mapping_says(tmp_path: Path) -> None:
    """Lines before the head, Chinese, a decimal comma, one signed column for both sides."""
    mapping = tmp_path / "columns.toml"
    mapping.write_text(
        """
[positions]
delimiter = ";"
encoding = "big5"
skip_lines = 1
date_format = "%d/%m/%Y"
decimal_point = ","
thousands = "."
[positions.columns]
account = { from = "戶口", words = { "自營" = "HOUSE" } }
series = { from = ["Product", "Month"], join = "-" }
business_date = "Date"
long = { from = "Net", take = "positive", default = "0" }
short = { from = "Net", take = "negative", default = "0" }
"""
    )
    path = written(
        tmp_path / "book.csv",
        "持倉\n戶口;Product;Month;Date;Net\n自營;HSI;K9;03/05/2019;1.234\n"
        '"C;1";HHI;;03/05/2019;-7,0\nC2;HHI;M9;03/05/2019;\n',
        "big5",
    )
    form = load_file_forms(mapping)[RecordKind.POSITIONS]
    day = generated(1, 1)[0].business_date.replace(day=3)
    assert [
        ClearingPosition("HOUSE", "HSI-K9", day, 1234, 0),
        ClearingPosition("C;1", "HHI", day, 0, 7),
        ClearingPosition("C2", "HHI-M9", day, 0, 0),
    ] == [record_of(RecordKind.POSITIONS, one.row) for one in read_records(path, form)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["is empty: its first line must be trade_number,series,side"]),
        (HEAD.replace("price", "prise") + ROW, ["line 1, column price: is missing; did you mean"]),
        (
            HEAD.replace("price", "side") + ROW,
            ["line 1, column side: is there", "line 1, column price: is missing"],
        ),
        (HEAD + ROW + "1,2\n", ["line 3: has 2 cells, not as the first"]),
        (HEAD + ROW.replace("101", ""), ["line 2, column trade_number: is empty"]),
        (HEAD + ROW.replace("buy", "bye"), ["line 2, column side: unknown side 'bye'; did you"]),
        (HEAD + ROW.replace("28500.50", "NaN"), ["line 2, column price: 'NaN' is no number"]),
        (HEAD + ROW.replace("28500.50", "1e3"), ["line 2, column price: '1e3' is no number"]),
        (HEAD + ROW.replace("28500.50", "1_0"), ["line 2, column price: '1_0' is no number"]),
        (HEAD + ROW.replace(",3,", ",3.5,"), ["line 2, column quantity: '3.5' is no whole"]),
        (HEAD + ROW.replace("A1", "A\x1f1"), ["line 2, column account: 'A\\x1f1' holds a sign"]),
        (HEAD + ROW.replace("-05-", "-13-"), ["line 2, column business_date: '2019-13-03' is no"]),
        (HEAD + ROW.replace("A1", '"A1'), ["line 2: is no line of a CSV file"]),
        (
            HEAD + ROW.replace("101", "1" * (MOST_DIGITS + 1)),
            ["line 2, column trade_number: '1111"],
        ),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column(
    text: str, said: list[str], tmp_path: Path
) -> None:
    found = faults_in(written(tmp_path / "book.csv", text))
    assert len(said) == len(found)
    for expected, told in zip(said, found, strict=True):
        assert told.startswith(expected), told


def test_only_so_many_faults_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "book.csv", HEAD + "x\n" * (3 * MOST_FAULTS))
    assert MOST_FAULTS + 1 == len(faults_in(path))


def test_a_file_of_another_encoding_or_none_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "book.csv", HEAD + ROW.replace("A1", "戶"), "big5")
    assert "is not utf-8" in faults_in(path)[0]
    written(path, "\ufeff" + HEAD + ROW)
    assert 1 == len(list(read_records(path, fitted(path, OWN))))
    for place, said in ((tmp_path / "none.csv", "there is no file"), (tmp_path, "is a folder")):
        with pytest.raises(ConfigError, match=said):
            list(read_records(place, fitted(place, OWN)))


# -- cells ---------------------------------------------------------------------------------------


def cell(name: str, mapping: ColumnMapping, text: str, **spelling: str) -> str:
    column = column_named(RecordKind.TRADES, name)
    assert column is not None
    return reader_of(column, mapping, Spelling(**spelling))(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, max_value=10**20, min_value=0))
def test_a_number_loses_no_digit(number: Decimal) -> None:
    """Whatever zeros it was written with, it has one spelling, which is the same number."""
    text = cell("price", ColumnMapping(("p",)), f"{number:f}")
    assert number == Decimal(text)
    assert text == cell("price", ColumnMapping(("p",)), f"00{number:f}000")


@given(st.integers(-(10**15), 10**15), st.integers(0, 9))
def test_implied_decimals_are_exact(number: int, decimals: int) -> None:
    text = cell("price", ColumnMapping(("p",), decimals=decimals), str(number))
    assert Decimal(number) == Decimal(text) * 10**decimals


@pytest.mark.parametrize(
    ("take", "text", "expected"),
    [
        (Take.POSITIVE, "-3", "0"),
        (Take.POSITIVE, "3", "3"),
        (Take.NEGATIVE, "-3", "3"),
        (Take.NEGATIVE, "3", "0"),
        (Take.ABSOLUTE, "-3", "3"),
    ],
)
def test_what_is_taken_of_a_signed_number(take: Take, text: str, expected: str) -> None:
    assert expected == cell("quantity", ColumnMapping(("q",), take=take), text)


def test_decimals_may_stand_in_a_field_of_their_own() -> None:
    mapping = ColumnMapping(("p",), decimals_from="d")
    assert ["285.5", "28550", "-2.855"] == [
        cell("price", mapping, f"{number}{DECIMALS_SIGN}{decimals}")
        for number, decimals in (("28550", "2"), ("28550", "0"), ("-28550", "4"))
    ]
    for decimals in ("", "x", "19", "-1"):
        with pytest.raises(ValueError, match="for its decimals, no such number"):
            cell("price", mapping, f"1{DECIMALS_SIGN}{decimals}")


def test_only_records_that_are_wanted_are_kept(tmp_path: Path) -> None:
    """A cancelled trade may hold anything: it is not read."""
    mapping = tmp_path / "columns.toml"
    columns = "\n".join(f'{name} = "{name}"' for name in HEAD.strip().split(","))
    mapping.write_text(
        f'[trades]\nkeep = {{ State = ["active", "new"] }}\n[trades.columns]\n{columns}'
    )
    form = load_file_forms(mapping)[RecordKind.TRADES]
    rows = [("active", ROW), ("cancelled", ROW.replace("3", "x")), (" new ", ROW)]
    lines = "".join(f"{state},{row}" for state, row in rows)
    path = written(tmp_path / "book.csv", f"State,{HEAD}{lines}")
    assert ["2", "4"] == [one.place for one in read_records(path, form)]


def test_a_sign_may_tell_the_side() -> None:
    mapping = ColumnMapping(("q",), words={"+": "buy", "-": "sell"}, take=Take.SIGN)
    assert ["buy", "sell"] == [cell("side", mapping, text) for text in ("7", "-7.0")]
    with pytest.raises(ValueError, match="unknown side '0'"):
        cell("side", mapping, "0")


@given(st.text(max_size=30))
def test_no_cell_makes_a_reader_fail_in_another_way(text: str) -> None:
    """A complaint is a sentence on one line, and never a traceback."""
    for column in COLUMNS[RecordKind.TRADES]:
        read = reader_of(column, ColumnMapping(("x",)), Spelling(thousands=","))
        value, complaint = "", ""
        try:
            value = read(text)
        except ValueError as error:
            complaint = str(error)
        assert complaint.isprintable(), complaint
        assert value == (read(value) if value else ""), "what was read is in its one spelling"


def test_a_record_and_its_row_are_the_same() -> None:
    book: list[ClearingTrade] = generated(9, 30)
    assert book == [record_of(RecordKind.TRADES, row_of(one)) for one in book]
    zero = evolve(book[0], price=Decimal("-0.00"))
    assert "0" == row_of(zero)[4]
