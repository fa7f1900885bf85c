"""Every noun once in the glossary, and every port there is among them."""

from __future__ import annotations

import re

from hkex_ops.plugins.kinds import COMMANDS, KINDS, ROLLOUTS
from tests.wheel import CHECKOUT


def terms() -> list[str]:
    """The nouns that the glossary explains."""
    page = (CHECKOUT / "docs" / "glossary.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\{glossary\}\n(.*?)```", page, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line[:1].strip()]


def test_a_noun_is_explained_once() -> None:
    """Two explanations would be two meanings."""
    found = terms()
    assert [] == sorted({noun for noun in found if found.count(noun) > 1})


def test_every_port_is_explained() -> None:
    """By the name that messages and the listing of plug-ins give it."""
    ports = [kind.what for kind in KINDS if kind not in (COMMANDS, ROLLOUTS)]
    assert [] == [noun for noun in ports if noun not in terms()]
