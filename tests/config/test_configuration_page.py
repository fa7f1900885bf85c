"""Every table and key of the configuration, and every option of an adapter, is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

import attrs
import pytest

from hkex_ops.config.settings import Settings
from hkex_ops.installed import installed
from hkex_ops.plugins import Plugins
from hkex_ops.plugins.kinds import KINDS
from hkex_ops.ports import Offer
from tests.wheel import CHECKOUT

REFERENCE = CHECKOUT / "docs" / "reference"
SHIPPED = (
    "hkex_ops_apprise",
    "hkex_ops_basic",
    "hkex_ops_mail",
    "hkex_ops_nats",
    "hkex_ops_oapi",
    "hkex_ops_omd",
    "hkex_ops_sftp",
)


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def words_of(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def keys_of(kind: type, table: str = "") -> Iterator[tuple[str, str]]:
    """Each key of a settings class with the table in which it stands, tables below it too."""
    hints = get_type_hints(kind)
    for one in attrs.fields(kind):
        yield table, one.name
        for below, suffix in tables_in(hints[one.name]):
            yield from keys_of(below, ".".join(filter(None, (table, one.name + suffix))))


def tables_in(hint: object, suffix: str = "") -> Iterator[tuple[type, str]]:
    """The settings classes in a type; those of a mapping stand under a name."""
    if isinstance(hint, type) and attrs.has(hint):
        yield hint, suffix
    elif get_origin(hint) in (Union, UnionType, tuple):
        for one in get_args(hint):
            yield from tables_in(one, suffix)
    elif len(get_args(hint)) == 2:
        yield from tables_in(get_args(hint)[1], f"{suffix}.NAME")


def documented() -> dict[str, set[str]]:
    """The keys that the pages state, by table."""
    told: dict[str, set[str]] = {}
    tables: list[str] = []
    core = page("configuration.md").partition("\n## ")[0]
    for line in core.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 4:
            continue
        tables = [word.strip("[]") for word in words_of(cells[1])] or tables
        for table in tables:
            told.setdefault(table, set()).update(words_of(cells[2]))
    for section in page("index-values.md").split("\n### ")[1:]:
        heading, _, rows = section.partition("\n")
        for table in words_of(heading):
            cells = [line.split("|")[1] for line in rows.splitlines() if line.startswith("| `")]
            told.setdefault(table.strip("[]"), set()).update(words_of(" ".join(cells)))
    return told


def test_every_key_of_the_configuration_is_documented() -> None:
    """With its own table; a key that is a table stands as one."""
    told = documented()
    stated = [(table, key) for table, key in keys_of(Settings) if (table, key) != ("", "path")]
    assert ("index.run", "watchdog_ms") in stated
    assert [] == [
        f"[{table}] {key}"
        for table, key in stated
        if key not in told.get(table, ())
        and not any(
            other == f"{table}.{key}".lstrip(".") or other.startswith(f"{table}.{key}.".lstrip("."))
            for other in told
        )
    ]


def test_nothing_is_documented_that_the_configuration_does_not_know() -> None:
    """A key that was renamed is renamed on the page."""
    stated = {table for table, _ in keys_of(Settings)}
    stated |= {f"{table}.{key}".lstrip(".") for table, key in keys_of(Settings)}
    assert [] == sorted(set(documented()) - stated)


def options_text(adapter: str) -> str:
    """Every section about an adapter's options."""
    sections = re.split(r"\n## ", page("configuration.md"))[1:]
    own = [one for one in sections if f"`{adapter}`" in one.partition("\n")[0]]
    tables = page("notifications.md").split("\n\n")
    own += [one for one in tables if one.startswith(f"| `{adapter}` | meaning |")]
    if adapter == "oapi":
        own.append(page("oapi.md"))
    return "\n".join(own)


@pytest.mark.parametrize("plugin", SHIPPED)
def test_every_option_of_a_shipped_adapter_is_documented(plugin: str) -> None:
    """Where the page tells of that adapter."""
    pytest.importorskip(plugin, reason="its options are asked from the plug-in itself")
    plugins = Plugins([one for one in installed() if one.name == plugin])
    offers = [
        offer
        for kind in KINDS
        for offer in plugins.offers(kind).values()
        if isinstance(offer, Offer)
    ]
    assert offers
    assert [] == [
        f"{offer.name}: {key}"
        for offer in offers
        for _, key in keys_of(offer.options)
        if not any(re.search(rf"\b{key}\b", word) for word in words_of(options_text(offer.name)))
    ]
