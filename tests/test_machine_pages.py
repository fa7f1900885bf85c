"""Every machine's table is drawn in the reference, and every event that a machine returns is told.

Found by walking the package, so that a machine that comes new is not forgotten.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from types import ModuleType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

import attrs
import pytest

from tests.wheel import CHECKOUT

REFERENCE = CHECKOUT / "docs" / "reference"
EXTRAS = ("numba", "numpy")
ROOMS = ("clearing", "incidents", "index", "notifications", "omd", "reports", "rundown")

Table = Mapping[tuple[StrEnum, type | StrEnum], StrEnum]


def modules() -> Iterator[ModuleType]:
    """Those of the rooms in which machines live."""
    for room in ROOMS:
        package = import_module(f"hkex_ops.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"hkex_ops.{room}."):
            try:
                yield import_module(found.name)
            except ModuleNotFoundError as error:
                # No machine lives in what an extra makes fast.
                if error.name not in EXTRAS:
                    raise


def tables() -> dict[str, Table]:
    """Every table by which a machine decides, by where it is found."""
    found: dict[str, Table] = {}
    for module in modules():
        for name, value in vars(module).items():
            own = inspect.getsource(module)
            if name.endswith("TRANSITIONS") and re.search(rf"^{name}\b.*[:=]", own, re.MULTILINE):
                found[f"{module.__name__}.{name}"] = value
    return found


def drawn(table: Table) -> str:
    """One line for each transition, the arrows aligned, as the pages have it."""
    rows = [
        (state, told.__name__ if isinstance(told, type) else str(told), after)
        for (state, told), after in table.items()
    ]
    width = max(len(state) for state, _, _ in rows)
    longest = max(len(told) for _, told, _ in rows)
    return "".join(
        f"{state:<{width}}  --{told:-<{longest + 2}}>  {after}\n" for state, told, after in rows
    )


def machines() -> dict[str, type]:
    """Every public class that takes an input, or is asked, at a time that it is given."""
    return {
        f"{module.__name__}.{name}": value
        for module in modules()
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and not getattr(value, "_is_protocol", False)
        and any(verb in vars(value) for verb in ("handle", "poll"))
    }


def events_of(machine: type) -> Iterator[type]:
    """What its verbs return: an event, one of several, or a tuple of them."""
    for verb in ("handle", "poll"):
        if verb in vars(machine):
            yield from _leaves(get_type_hints(vars(machine)[verb])["return"])


def _leaves(hint: object) -> Iterator[type]:
    if get_origin(hint) in (tuple, Union, UnionType):
        for one in get_args(hint):
            yield from _leaves(one)
    elif isinstance(hint, type) and attrs.has(hint):
        yield hint


TABLES = tables()
MACHINES = machines()


def test_the_walk_finds_what_is_known_to_be_there() -> None:
    """A walk that found nothing would let everything pass."""
    assert {
        "hkex_ops.clearing.reentry.REENTRY_TRANSITIONS",
        "hkex_ops.index.gateway.GATEWAY_TRANSITIONS",
        "hkex_ops.omd.recovery.RECOVERY_TRANSITIONS",
        "hkex_ops.rundown.machine.TRANSITIONS",
    } <= set(TABLES)
    assert {"hkex_ops.index.gateway.Gateway", "hkex_ops.rundown.checklist.Checklist"} <= set(
        MACHINES
    )


@pytest.mark.parametrize("name", TABLES)
def test_the_table_is_drawn_in_the_reference(name: str) -> None:
    """On one page, row for row as the machine has it."""
    wanted = f"```text\n{drawn(TABLES[name])}```"
    pages = [page for page in REFERENCE.glob("*.md") if wanted in page.read_text(encoding="utf-8")]
    assert 1 == len(pages), wanted


@pytest.mark.parametrize("name", MACHINES)
def test_every_event_that_a_machine_returns_is_on_the_page_of_events(name: str) -> None:
    """Written from the unions whose names end in ``Event``: an event outside of them is missed."""
    page = (REFERENCE / "events.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^- `(\w+)", page, re.MULTILINE))
    assert [] == [
        event.__name__ for event in events_of(MACHINES[name]) if event.__name__ not in told
    ]
