"""Transition tables drawn as text: what the reference page of the machines shows.

A state and what it is told lead to a state; whatever is not drawn is refused. Drawn from the very
tables that the machines use, so that page and machine cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from hkex_ops.rundown.checklist import CHECKLIST_TRANSITIONS
from hkex_ops.rundown.fallback import FALLBACK_TRANSITIONS
from hkex_ops.rundown.machine import TRANSITIONS
from hkex_ops.rundown.overrides import OVERRIDE_TRANSITIONS

__all__ = ["drawn", "machines_page"]

S = TypeVar("S", bound=StrEnum)
K = TypeVar("K", bound="type[object]")

_PAGE = """\
# Machines

Each machine decides by a table. A row is drawn as `state --told--> state`; what is told to a state
and is not drawn here is refused with a sentence. A person or a program tells; the machine answers
with events in the past tense.

This page is written by `hkex_ops.rundown.machines_page()` from the tables themselves, and a test
compares the two. The machine of an incident is drawn on [its own page](incidents.md).

## A step of a session

`hkex_ops.rundown.Rundown`. A step is started only while its window holds. `Abort` is told to a
session, and to each of its steps through it; afterwards nothing more is told to them.

```text
{rundown}```

## An item of a checklist

`hkex_ops.rundown.Checklist`. A correction is a later answer; the one before it is kept.

```text
{checklist}```

## A fallback plan

`hkex_ops.rundown.Fallback`. Decided once, and only within the window that the plan gives for it.

```text
{fallback}```

## An override

`hkex_ops.rundown.Overrides`. Granted only where a rule forbids the act while it lasts. That it has
expired follows from the time and is not told.

```text
{override}```
"""


def drawn(table: Mapping[tuple[S, K], S]) -> str:
    """One line for each transition, in the table's order, the arrows aligned."""
    width = max(len(state) for state, _ in table)
    told = max(len(given.__name__) for _, given in table)
    return "".join(
        f"{state:<{width}}  --{given.__name__:-<{told + 2}}>  {after}\n"
        for (state, given), after in table.items()
    )


def machines_page() -> str:
    """The reference page of the machines, in Markdown."""
    return _PAGE.format(
        rundown=drawn(TRANSITIONS),
        checklist=drawn(CHECKLIST_TRANSITIONS),
        fallback=drawn(FALLBACK_TRANSITIONS),
        override=drawn(OVERRIDE_TRANSITIONS),
    )
