"""Files of products and trades: the columns, and what is told with its line."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hkex_ops.config.products import load_products, load_trades
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.index.cancellation import ProductTrade
from hkex_ops.index.products import CallableProduct, Category, Direction
from hkex_ops.model import HONG_KONG

FRIDAY = load_calendar().day(date(2010, 1, 22))
PRODUCTS = """\
product,index,direction,category,strike,call_level,entitlement_ratio,issuer
61001,0000100,bull,R,20300,20500,10000,Issuer A
61002,hsi,bear,N,20900,20900,10000,
"""
TRADES = """\
trade,product,buyer,seller,time,price,quantity
1,61001,P01,P02,10:31:00,0.100,10000
2,61001,P02,P03,10:31:05,0.101,20000
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def faults(file: Path, text: str) -> list[Fault]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_trades(file, FRIDAY) if text.startswith("trade") else load_products(file)
    return list(caught.value.faults)


def test_products_are_read(file: Path) -> None:
    file.write_text(PRODUCTS, encoding="utf-8")
    first, second = load_products(file)
    expected = CallableProduct(
        "61001",
        "0000100",
        Direction.BULL,
        Category.R,
        Decimal(20300),
        Decimal(20500),
        Decimal(10000),
        "Issuer A",
    )
    assert (expected, ("61002", "0000100")) == (first, (second.product, second.index))


def test_strike_and_call_level_the_wrong_way_round_name_their_line(file: Path) -> None:
    [fault] = faults(file, PRODUCTS.replace("20300,20500", "20500,20300"))
    assert "line 2, column call_level" == fault.path
    assert "are the two exchanged?" in fault.message


def test_two_rows_of_one_product_are_told(file: Path) -> None:
    [fault] = faults(file, PRODUCTS.replace("61002", "61001"))
    assert Fault("line 3, column product", "61001 is on line 2 already") == fault


def test_trades_are_read_and_a_bare_time_is_one_of_the_day(file: Path) -> None:
    file.write_text(TRADES, encoding="utf-8")
    first, _ = load_trades(file, FRIDAY)
    at = datetime(2010, 1, 22, 10, 31, tzinfo=HONG_KONG)
    expected = ProductTrade("1", "61001", "P01", "P02", at, Decimal("0.100"), 10_000)
    assert expected == first
    assert Decimal("1000.000") == first.turnover


def test_a_trade_before_the_open_and_one_number_twice_are_told_at_once(file: Path) -> None:
    text = TRADES.replace("10:31:00", "09:29:00").replace("2,61001", "1,61001")
    assert [
        Fault("line 2, column time", "is 09:29:00, before the open at 09:30"),
        Fault("line 3, column trade", "1 is on line 2 already"),
    ] == faults(file, text)
