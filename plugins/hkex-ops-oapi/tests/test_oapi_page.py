"""The reference page of OAPI says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import fields

from hkex_ops.model import TransactionType
from hkex_ops_oapi.gate import ENQUIRIES
from hkex_ops_oapi.layouts import Body, FieldKind
from hkex_ops_oapi.options import (
    BusinessDateOptions,
    EnquiryOptions,
    GatewaySites,
    OapiOptions,
    Paging,
    RecoveryOptions,
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "oapi.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not here")


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "kind", [OapiOptions, EnquiryOptions, RecoveryOptions], ids=lambda kind: kind.__name__
)
def test_every_option_is_on_the_page(kind: type) -> None:
    page = text()
    names = [one.name for one in fields(kind) if one.name not in ("sites", "business_date")]
    assert [] == [name for name in names if f"`{name}`" not in page]
    assert all(f"`sites.{one.name}.gateways`" in page for one in fields(GatewaySites))
    assert all(f"`business_date.{one.name}`" in page for one in fields(BusinessDateOptions))


def test_every_word_of_the_files_is_on_the_page() -> None:
    page = text()
    words = [one.value for kind in (Paging, FieldKind, Body) for one in kind]
    assert [] == [word for word in words if f"`{word}`" not in page]


def test_the_list_of_enquiries_is_that_of_the_gate() -> None:
    found: set[TransactionType] = set()
    for letters, numbers in re.findall(
        r"^\| ([A-Z]{2}(?:, [A-Z]{2})?) \| (.*) \|$", text(), re.MULTILINE
    ):
        for pair, part in zip(letters.split(", "), numbers.split("; "), strict=True):
            found |= {TransactionType(pair[0], pair[1], one) for one in numbers_in(part)}
    assert found == ENQUIRIES


def numbers_in(part: str) -> list[int]:
    listed: list[int] = []
    for word in part.split(", "):
        first, _, last = word.partition(" to ")
        listed += range(int(first), int(last or first) + 1)
    return listed
