"""Basket files: what they may say, and every fault of one at once."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from hkex_ops.config.baskets import load_baskets, structure_baskets
from hkex_ops.errors import ConfigError
from hkex_ops.index.basket import Basket, Constituent, CurrencyRate, Version, VersionKind

TEXT = """
label = "SYNTHETIC"

[[baskets]]
index = "0000100"
name = "Hang Seng Index, SYNTHETIC"
business_date = 2026-11-20
previous_close = "20862.67"
rates = [{ currency = "CNY", rate = "1.0921" }]

[[baskets.constituents]]
security = 5
issued_shares = 19_123_456_789
freefloat_factor = "1.00"
cap_factor = "0.8512"
previous_close = "60.300"
dividend = "0.10"

[[baskets.constituents]]
security = 80700
issued_shares = 9_500_000_001
freefloat_factor = "0.6"
currency = "CNY"

[[baskets.versions]]
code = "1006800"
kind = "gross-total-return"
previous_close = "55000.12"

[[baskets.versions]]
code = "0000100USD"
kind = "currency"
previous_close = "2680.11"
currency = "USD"
previous_rate = "7.7845"
"""

BASKET = Basket(
    "0000100",
    "Hang Seng Index, SYNTHETIC",
    date(2026, 11, 20),
    Decimal("20862.67"),
    (
        Constituent(5, 19_123_456_789, 100, 8_512, "HKD", 60_300, Decimal("0.10")),
        Constituent(80_700, 9_500_000_001, 60, 10_000, "CNY"),
    ),
    "HKD",
    (CurrencyRate("CNY", Decimal("1.0921")),),
    (
        Version("1006800", VersionKind.GROSS_TOTAL_RETURN, Decimal("55000.12")),
        Version("0000100USD", VersionKind.CURRENCY, Decimal("2680.11"), "USD", Decimal("7.7845")),
    ),
)


def faults_in(text: str) -> list[str]:
    """The faults that a text has, with their paths."""
    with pytest.raises(ConfigError) as caught:
        structure_baskets(text, document="baskets.toml")
    return [str(fault) for fault in caught.value.faults]


def test_a_file_for_people_states_factors_as_decimals(tmp_path: Path) -> None:
    """Texts, so that no float ever decides a weight."""
    path = tmp_path / "baskets.toml"
    path.write_text(TEXT, encoding="utf-8")
    assert (BASKET,) == load_baskets(path)


def test_a_file_for_programs_states_the_same_in_json(tmp_path: Path) -> None:
    """By its name; the keys are the same."""
    stated = {
        "baskets": [
            {
                "index": "0000100",
                "name": "one stock, SYNTHETIC",
                "business_date": "2026-11-20",
                "previous_close": "100",
                "constituents": [{"security": 5, "issued_shares": 1, "freefloat_factor": "0.85"}],
            }
        ]
    }
    path = tmp_path / "baskets.json"
    path.write_text(json.dumps(stated), encoding="utf-8")
    [basket] = load_baskets(path)
    assert (Constituent(5, 1, 85, 10_000),) == basket.constituents


def test_every_fault_of_a_file_comes_out_at_once_with_its_path() -> None:
    """Faults of shape do not hide faults of sense, in another basket or in the same one."""
    text = (
        TEXT.replace("issued_shares = 19_123_456_789", "issued_shares = 0")
        .replace('"0.8512"', "0.8512")
        .replace('freefloat_factor = "0.6"', 'freefloat_factor = "0.605"')
        .replace("security = 80700", "security = 100000")
        .replace('"7.7845"', '"seven"')
        .replace('kind = "gross-total-return"', 'kind = "gros-total-return"')
        .replace("name =", "nane =")
    )
    assert [
        "baskets[0].constituents[0].cap_factor: must be a text, not a number with a point",
        "baskets[0].constituents[0].issued_shares: 0 must be above zero",
        "baskets[0].constituents[1].freefloat_factor: 0.605 has more than 2 decimals",
        "baskets[0].constituents[1].security: 100000 is no code; codes run from 1 to 99999",
        "baskets[0].name: is missing",
        "baskets[0].nane: unknown key; did you mean 'name'?",
        "baskets[0].versions[0].kind: unknown word 'gros-total-return'; did you mean "
        "'gross-total-return'?",
        "baskets[0].versions[1].previous_rate: 'seven' is no number such as \"0.85\"",
    ] == faults_in(text)


def test_what_baskets_contradict_each_other_in_is_a_fault() -> None:
    """One date, one code for an index, one previous close and currency for a stock."""
    other = (
        TEXT.replace('label = "SYNTHETIC"', "")
        .replace("2026-11-20", "2026-11-23")
        .replace('"60.300"', '"60.301"')
    )
    assert [
        "baskets[0].index: '0000100' is the code of several baskets",
        "baskets[1].business_date: 2026-11-23 differs from 2026-11-20, the date of the first "
        "basket",
        "baskets[1].constituents[0].previous_close: differs from that of basket 0000100",
        "baskets[1].index: '0000100' is the code of several baskets",
    ] == faults_in(TEXT + other)


B, C, V = "baskets[0].", "baskets[0].constituents", "baskets[0].versions[1]."


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('"20862.67"', '"0"', f"{B}previous_close: 0 must be above zero"),
        (
            '"20862.67"',
            '"1.00001"',
            f"{B}previous_close: 1.00001 has more decimals than the 4 that Index Data carries",
        ),
        ('"20862.67"', '"NaN"', f"{B}previous_close: 'NaN' is no number such as \"0.85\""),
        (
            '"0000100"',
            '"hsi!"',
            f"{B}index: 'hsi!' must be up to 11 digits and capital letters, such as 0000100",
        ),
        ('"1.00"', '"1.01"', f"{C}[0].freefloat_factor: must be above 0.00 and at most 1.00"),
        ('"0.8512"', '"0"', f"{C}[0].cap_factor: must be above 0.0000 and at most 1.0000"),
        (
            '"60.300"',
            '"0"',
            f"{C}[0].previous_close: must be above zero, or left out for the feed to tell",
        ),
        ('"0.10"', '"-1"', f"{C}[0].dividend: -1 must not be below zero"),
        ("= 80700", "= 5", f"{C}[0].security: 5 is in the basket more than once"),
        (
            'currency = "CNY"\n\n',
            'currency = "EUR"\n\n',
            f"{C}[1].currency: EUR needs a rate into HKD among the basket's rates",
        ),
        ('"1.0921"', '"1.092123456"', f"{B}rates[0].rate: has more than 8 decimals"),
        ('"1.0921"', '"0"', f"{B}rates[0].rate: 0 must be above zero"),
        (
            'previous_rate = "7.7845"',
            "",
            f"{V}previous_rate: a currency version has its rate at the previous close, and no "
            "other has one",
        ),
    ],
)
def test_each_rule_has_a_sentence_that_says_what_would_be_right(
    before: str, after: str, fault: str
) -> None:
    """The first fault; several rules may be broken by one slip."""
    assert TEXT.count(before) >= 1
    assert fault == faults_in(TEXT.replace(before, after, 1))[0]


def test_a_file_without_baskets_is_no_basket_file() -> None:
    """Empty is a fault too."""
    assert ["baskets: there is none; a basket file holds at least one"] == faults_in("baskets = []")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("baskets.toml", "[[baskets", "is not TOML"),
        ("baskets.json", "{", "is not JSON"),
        ("baskets.json", "[]", "must be a table that holds baskets"),
        ("baskets.json", "[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_document_at_all_is_one_fault(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    """With the file's name, and where the syntax ends."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence):
        load_baskets(path)


def test_a_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    """Write one or name another."""
    with pytest.raises(ConfigError, match="there is no basket file"):
        load_baskets(tmp_path / "none.toml")
