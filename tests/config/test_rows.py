"""CSV files with checked columns: what is read, and every fault with its line and column."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import pytest
from attrs import frozen

from hkex_ops.config.rows import Row, read_rows
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.model import HONG_KONG

FRIDAY = date(2010, 1, 22)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


@frozen
class Deal:
    deal: str
    price: Decimal
    quantity: int
    time: datetime
    side: Side
    settles: date | None = None


RIGHT = """\
Deal,price,quantity,time,side,settles
D1,0.250,4000,10:30:31,BUY,2010-01-26
D2,1,1,2010-01-22T02:30:31.5+00:00,sell,
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deals.csv"


def read(file: Path, text: str, **more: object) -> tuple[Row[Deal], ...]:
    file.write_text(text, encoding="utf-8")
    return read_rows(file, Deal, what="deals file", day=FRIDAY, **more)  # type: ignore[arg-type]


def faults(file: Path, text: str, **more: object) -> list[Fault]:
    with pytest.raises(ConfigError) as caught:
        read(file, text, **more)
    assert str(file) == caught.value.document
    return list(caught.value.faults)


def test_rows_are_values_with_their_lines(file: Path) -> None:
    at = datetime(2010, 1, 22, 10, 30, 31, tzinfo=HONG_KONG)
    first = Deal("D1", Decimal("0.250"), 4000, at, Side.BUY, date(2010, 1, 26))
    second = Deal("D2", Decimal(1), 1, at.replace(microsecond=500_000), Side.SELL)
    assert (Row(2, first), Row(3, second)) == read(file, RIGHT)


def test_columns_come_in_any_order_with_blank_lines_and_a_byte_order_mark(file: Path) -> None:
    text = "\ufeffside, time ,quantity,price,deal\n\n\nbuy,10:00:00,1,1,D1\n"
    [row] = read(file, text)
    assert (4, "D1") == (row.line, row.value.deal)


def test_every_faulty_cell_is_told_at_once(file: Path) -> None:
    text = "deal,price,quantity,time,side\n,1e,one,noon,buys\nD2,NaN,2.5,25:00,sell\n"
    assert [
        Fault("line 2, column deal", "is empty"),
        Fault("line 2, column price", "'1e' is no number; write it as 20500.00"),
        Fault("line 2, column quantity", "'one' is no whole number"),
        Fault("line 2, column time", "'noon' is no time; write it as 2010-01-22T10:30:30"),
        Fault("line 2, column side", "unknown word 'buys'; did you mean 'buy'?"),
        Fault("line 3, column price", "'NaN' is no number; write it as 20500.00"),
        Fault("line 3, column quantity", "'2.5' is no whole number"),
        Fault("line 3, column time", "'25:00' is no time; write it as 2010-01-22T10:30:30"),
    ] == faults(file, text)


def test_columns_that_are_unknown_missing_or_twice_are_told(file: Path) -> None:
    found = faults(file, "deal,prize,quantity,time,time\n")
    assert [
        Fault("line 1, column prize", "unknown column; did you mean 'price'?"),
        Fault("line 1, column time", "is there twice"),
        Fault("line 1, column price", "is missing"),
        Fault("line 1, column side", "is missing"),
    ] == found


def test_a_row_of_another_length_is_told(file: Path) -> None:
    found = faults(file, RIGHT + "D3,1\n")
    assert [Fault("line 4", "has 2 cells, and there are 6 columns")] == found


def test_two_rows_of_one_key_are_told_with_both_lines(file: Path) -> None:
    found = faults(file, RIGHT.replace("D2", "D1"), key="deal")
    assert [Fault("line 3, column deal", "D1 is on line 2 already")] == found


def test_what_a_check_finds_has_its_line(file: Path) -> None:
    def check(deal: Deal) -> Iterator[tuple[str, str]]:
        if deal.quantity < 100:
            yield "quantity", "is below a board lot"

    found = faults(file, RIGHT, check=check)
    assert [Fault("line 3, column quantity", "is below a board lot")] == found


def test_an_empty_file_says_which_columns_to_write(file: Path) -> None:
    [found] = faults(file, "\n")
    assert (
        Fault("", "is empty: write the columns deal, price, quantity, time, side, settles") == found
    )


def test_a_file_that_is_not_there_or_no_csv_is_one_sentence(file: Path) -> None:
    with pytest.raises(ConfigError, match="there is no deals file at"):
        read_rows(file, Deal, what="deals file")
    [found] = faults(file, 'deal,price\n"open,1\n')
    assert found.message.startswith("is no CSV file: ")


def test_a_bare_time_without_a_day_is_no_time(file: Path) -> None:
    file.write_text(RIGHT, encoding="utf-8")
    with pytest.raises(ConfigError, match="'10:30:31' is no time"):
        read_rows(file, Deal, what="deals file")
