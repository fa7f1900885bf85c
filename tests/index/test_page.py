"""The reference page is what the classes and tables say, and says something of every setting."""

from __future__ import annotations

import attrs
import pytest

from hkex_ops.index.page import index_page
from hkex_ops.index.rules import ContingencyRules, GatewayRules, IndexRules, WatchRules
from tests.wheel import CHECKOUT


def test_the_reference_page_is_written_from_the_tables() -> None:
    """Written anew with ``index_page()`` when a table has changed."""
    page = CHECKOUT / "docs" / "reference" / "index-values.md"
    assert index_page() == page.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [IndexRules, GatewayRules, ContingencyRules, WatchRules])
def test_every_setting_is_described(kind: type[attrs.AttrsInstance]) -> None:
    """In the docstring of its class, from which the page takes it."""
    assert [] == [one.name for one in attrs.fields(kind) if f"`{one.name}`" not in index_page()]
