"""The reference page explains what stands in a log."""

from __future__ import annotations

from hkex_ops.flows.incidents.spelling import KINDS
from tests.wheel import CHECKOUT

PAGE = (CHECKOUT / "docs" / "reference" / "incidents.md").read_text(encoding="utf-8")


def test_every_line_of_a_log_is_explained() -> None:
    assert [] == [kind for kind in KINDS if f"`{kind}`" not in PAGE]
