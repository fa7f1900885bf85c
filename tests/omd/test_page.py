"""The reference page of the wire says what the tables say."""

from __future__ import annotations

import pytest

from hkex_ops.config.layouts import SPECS, load_layout
from hkex_ops.omd.page import omd_page
from tests.wheel import CHECKOUT

PAGE = CHECKOUT / "docs" / "reference" / "omd.md"


def test_the_reference_page_is_written_from_the_tables() -> None:
    assert omd_page([load_layout(spec) for spec in SPECS]) == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "row",
    [
        "| 12 | 4 | int32 | Price | `price_3dp` |  |",
        "### SecurityDefinition2018 (11)",
        "464 bytes + 8 × NoUnderlyingSecurities.",
        "### TopOfBook (655)",
        "logging on  --Admitted---->  ready",
    ],
)
def test_the_page_has_what_a_reader_looks_for(row: str) -> None:
    assert row in PAGE.read_text(encoding="utf-8")
