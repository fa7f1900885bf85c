"""The reference page of index values: settings, journal, machines and watch, in Markdown.

Written from the very classes and tables that the machines use, so that page and code cannot
differ. Called by the test that compares, and by whoever writes the page anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from inspect import getdoc
from typing import TypeVar, cast

import attrs

from hkex_ops.index.contingency import CONTINGENCY_TRANSITIONS
from hkex_ops.index.gateway import GATEWAY_TRANSITIONS
from hkex_ops.index.moments import MOMENTS_KEPT
from hkex_ops.index.orders import HELD_RECORDS, LEAP_S
from hkex_ops.index.rules import ContingencyRules, GatewayRules, IndexRules, WatchRules
from hkex_ops.index.snapshot import HEARD_TRADES
from hkex_ops.index.stocks import CANCELS_HELD, MISSING_HELD, TRAIL
from hkex_ops.index.ticks import JournalReason
from hkex_ops.index.watch import NOTICED_2010

__all__ = ["index_page"]

S = TypeVar("S", bound=StrEnum)
K = TypeVar("K", bound="type[object]")

_PAGE = """\
# Index values: settings and machines

How `hkex_ops.index` computes, publishes, replaces and watches index values. Written by
`hkex_ops.index.page.index_page` from the classes and tables themselves; a test compares the two.
A basket file has [a page of its own](baskets.md).

The value of an index is the worth of its basket at last prices over its worth at previous closes,
times the previous close of the index. A tick stands for a moment of the grid and holds every
record that was sent before it. Where that is not certain the tick names the stocks concerned in
`stale`.

## Settings

Every setting has a default. What no public paper states is marked unconfirmed.

{settings}
## Limits

Every buffer has a bound with a name.

| limit | | what happens beyond it |
|---|--:|---|
| records that wait for a slow channel | {held} | the moment closes without it, and says so |
| a leap in time that one record is believed for | {leap} s | it takes a second record that agrees |
| latest trades of a stock that a cancel can undo | {trail} | the stock is marked |
| trade numbers of a stock that are awaited | {missing} | an older one is journalled, not counted |
| cancels of a stock whose trade has not come | {cancels} | the oldest is given up |
| trades of a stock in the snapshot's table | {heard} | the stock is marked |
| moments that the gateway remembers | {moments} | a tick for an older one is too old |

## Journal

A record that does not simply become its stock's last price is told with a reason.

| reason | |
|---|---|
{reasons}
## Machines

Each decides by a table. A row is drawn as `state --told--> state`; what is not drawn changes
nothing, or is refused with a sentence where a person told it.

### The gateway

`hkex_ops.index.gateway.Gateway`. `Spoke`, `FellSilent` and `Proved` it tells itself.

```text
{gateway}```

### The contingency path

`hkex_ops.index.contingency.Contingency`. `EnginesFellSilent` it tells itself.

```text
{contingency}```

## The watch

What its events stand for, as the papers on 22 January 2010 tell it.

| event | |
|---|---|
{watch}"""

_TABLES: Mapping[str, type[attrs.AttrsInstance]] = {
    "index.rules": IndexRules,
    "index.gateway": GatewayRules,
    "index.contingency": ContingencyRules,
    "index.watch": WatchRules,
}

_REASONS: Mapping[JournalReason, str] = {
    JournalReason.OUT_OF_SEQUENCE: "older than the last: counts for high, low and volume only",
    JournalReason.DUPLICATE: "was counted before",
    JournalReason.OLDER_THAN_KNOWN: "so old that nobody knows whether it was counted; it is not",
    JournalReason.LATE: "sent before a moment that had closed; counts from the next one on",
    JournalReason.TIME_NOT_BELIEVED: "its time is far ahead of everything heard; counts at once",
    JournalReason.NO_PRICE: "a price of zero or less; not counted",
    JournalReason.CANCELLED_BEFORE: "its cancel came first; not counted",
    JournalReason.CANCELLED: "a trade was taken back",
    JournalReason.CANCEL_AWAITED: "a cancel whose trade has not come",
    JournalReason.CANCEL_WITHOUT_TRADE: "a cancel of what is not counted, or too old to undo",
    JournalReason.CLOSE_DIFFERS: "another previous close was stated before, and holds",
    JournalReason.QUARANTINED: "held back for good; its stock is marked",
    JournalReason.LOST: "did not come; the channel's stocks are marked",
}


def index_page() -> str:
    """The reference page of index values, in Markdown."""
    return _PAGE.format(
        settings="\n".join(_settings(name, kind) for name, kind in _TABLES.items()),
        held=HELD_RECORDS,
        leap=LEAP_S,
        trail=TRAIL,
        missing=MISSING_HELD,
        cancels=CANCELS_HELD,
        heard=HEARD_TRADES,
        moments=MOMENTS_KEPT,
        reasons="".join(f"| `{one}` | {_REASONS[one]} |\n" for one in JournalReason),
        gateway=_drawn(GATEWAY_TRANSITIONS),
        contingency=_drawn(CONTINGENCY_TRANSITIONS),
        watch="".join(f"| `{one.__name__}` | {said} |\n" for one, said in NOTICED_2010.items()),
    )


def _settings(name: str, kind: type[attrs.AttrsInstance]) -> str:
    rows = "".join(
        f"| {', '.join(f'`{key}`' for key in keys)} | {_defaults(kind, keys)} | {meaning} |\n"
        for keys, meaning in _meanings(kind)
    )
    return f"### `[{name}]`\n\n| setting | default | |\n|---|---|---|\n{rows}"


def _meanings(kind: type[attrs.AttrsInstance]) -> Iterator[tuple[list[str], str]]:
    """The settings of each paragraph of the class's own description, and what it says of them."""
    described = re.split(r"\n(?=``\w+``[:,])", (getdoc(kind) or "").partition("\n\n")[2])
    for paragraph in described:
        head, _, meaning = " ".join(paragraph.split()).partition("``: ")
        meaning = re.sub(r":[a-z]+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", meaning)
        yield re.findall(r"\w+", head), meaning.replace("``", "`")


def _defaults(kind: type[attrs.AttrsInstance], keys: list[str]) -> str:
    fields = attrs.fields_dict(kind)
    return ", ".join(f"`{_spelt(fields[key].default)}`" for key in keys)


def _spelt(value: object) -> str:
    """A default as a TOML file spells it."""
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return str(list(cast("tuple[object, ...]", value)))
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def _drawn(table: Mapping[tuple[S, K], S]) -> str:
    """One line for each transition, in the table's order, the arrows aligned."""
    width = max(len(state) for state, _ in table)
    told = max(len(given.__name__) for _, given in table)
    return "".join(
        f"{state:<{width}}  --{given.__name__:-<{told + 2}}>  {after}\n"
        for (state, given), after in table.items()
    )
