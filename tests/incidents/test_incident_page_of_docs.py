"""The reference page draws the table that the machine decides by."""

from __future__ import annotations

from hkex_ops.flows.incidents.spelling import KINDS
from hkex_ops.incidents import INCIDENT_TRANSITIONS
from hkex_ops.rundown import drawn
from tests.wheel import CHECKOUT

PAGE = (CHECKOUT / "docs" / "reference" / "incidents.md").read_text(encoding="utf-8")


def test_the_drawing_is_the_table() -> None:
    assert f"```text\n{drawn(INCIDENT_TRANSITIONS)}```" in PAGE


def test_every_line_of_a_log_is_explained() -> None:
    assert [] == [kind for kind in KINDS if f"`{kind}`" not in PAGE]
