"""The tables that the reference page draws are the tables that decide."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pytest

from hkex_ops.notifications import DELIVERY_TRANSITIONS, TRANSITIONS
from tests.wheel import CHECKOUT

PAGE = (CHECKOUT / "docs" / "reference" / "notifications.md").read_text(encoding="utf-8")


def drawn(table: Mapping[tuple[StrEnum, StrEnum], StrEnum]) -> str:
    state = max(len(before) for before, _ in table)
    given = max(len(told) for _, told in table)
    return "".join(
        f"{before:<{state}}  --{told}{'-' * (given - len(told))}-->  {after}\n"
        for (before, told), after in table.items()
    )


@pytest.mark.parametrize("table", [DELIVERY_TRANSITIONS, TRANSITIONS])
def test_the_page_draws_the_table(table: Mapping[tuple[StrEnum, StrEnum], StrEnum]) -> None:
    assert f"```text\n{drawn(table)}```" in PAGE
