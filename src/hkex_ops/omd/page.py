"""The reference page of the wire: layouts and machines in Markdown, written from the tables.

From the very tables that codec and machines use, so that page and code cannot differ. Called by
the test that compares, and by whoever writes the page anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from hkex_ops.omd.asking import RetransmissionLimits
from hkex_ops.omd.disaster import DISASTER_TRANSITIONS
from hkex_ops.omd.layout import FieldLayout, GroupLayout, Layout, MessageLayout
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.omd.packet import MAX_PACKET_BYTES, PACKET_HEADER_BYTES
from hkex_ops.omd.recovery import RECOVERY_TRANSITIONS
from hkex_ops.omd.refresh import REFRESH_TRANSITIONS, RefreshLimits
from hkex_ops.omd.retransmission import SESSION_TRANSITIONS
from hkex_ops.omd.silence import LINE_TRANSITIONS

__all__ = ["omd_page"]

S = TypeVar("S", bound=StrEnum)
K = TypeVar("K", bound="type[object]")

_SECOND_NS = 1_000_000_000
_MILLISECOND_NS = 1_000_000

_HEAD = """\
# Market data: wire and machines

What `hkex_ops.omd` reads and writes, and how its machines decide. Written by
`hkex_ops.omd.page.omd_page` from the tables themselves; a test compares the two.

A message is a typed, immutable tuple. Its fields stand in the order of the wire and are named as
here, scale and form in the name: `price_3dp` is an integer with three implied decimals, `..._ns`
nanoseconds since 1970 UTC, `..._ascii`, `..._utf16` and `..._raw` padded bytes, `..._yyyymmdd` a
date as a number, `..._int64` a value that may be null. Where a name has one of these endings, the
name without it is the meaning: a text, a date, the value or `None`. The last field, `tail`, is
what a message of a newer version has behind the fields that are known.

Terms say what values mean. They are not enforced: other values occur, and are kept.

| a packet | |
|---|---|
| header | {header} bytes: PktSize, MsgCount, a filler, SeqNum, SendTime |
| longest | {longest} bytes |
| heartbeat | no message; SeqNum is that of the last message sent |
| unknown message types | kept, as `UnknownMessage(type, body)` |
| a message longer than its fields | read, the rest in `tail` |
| a message shorter than its fields | `WireError` with offset, message type and version |

| version | in force | source |
|---|---|---|
{versions}
"""

_MACHINES = """
## Machines

A row is drawn as `state --told--> state`.

### A line of a channel

`hkex_ops.omd.Arbiter` makes lines A and B one: each message once and in order. What came by no
line within {gap_wait_ms} ms is a gap, and is given up after {give_up_s} s, or when more than
{held} packets are held behind it. A packet that leaps over {leap} numbers is believed when a second
one agrees. A line that brings nothing for {silent_s} s is silent.

```text
{line}```

### A session with the retransmission service

`hkex_ops.omd.RetransmissionSession`. The service keeps {stored} messages of a channel, sends
{range} in answer to one request and answers {requests} requests a day, over all channels. It waits
{logon_s} s for the logon and {echo_s} s for the echo of a heartbeat, which it sends every
{heartbeat_s} s. Whatever is not drawn is refused.

```text
{session}```

### The recovery of a channel

`hkex_ops.omd.Recovery`: what is still kept is asked for again, what is not is made up for by a
refresh, and what neither brings is abandoned.

```text
{recovery}```

### A refresh

`hkex_ops.omd.RefreshRecovery`: the first full cycle after the end of one, if it holds good as of
what is needed. It is given up after {patience_s} s.

```text
{refresh}```

### The disaster recovery signal

`hkex_ops.omd.DisasterWatch`. The signal is repeated all day; a change is told once.

```text
{disaster}```
"""


def omd_page(layouts: Sequence[Layout]) -> str:
    """The page for these versions: the first in full, of the others what is different."""
    first, *others = layouts
    parts = [
        _HEAD.format(
            header=PACKET_HEADER_BYTES,
            longest=MAX_PACKET_BYTES,
            versions="\n".join(map(_version, layouts)),
        )
    ]
    parts.append(f"## {first.spec}\n")
    parts += map(_message, first.messages)
    for layout in others:
        parts.append(f"## {layout.spec}\n\nWhat is different from {first.spec}.\n")
        known = {message.type: message for message in first.messages}
        parts += [
            _message(message) for message in layout.messages if known.get(message.type) != message
        ]
    return "\n".join(parts) + _machines()


def _machines() -> str:
    lines, service, refresh = LineLimits(), RetransmissionLimits(), RefreshLimits()
    return _MACHINES.format(
        gap_wait_ms=lines.gap_wait_ns // _MILLISECOND_NS,
        give_up_s=lines.give_up_ns // _SECOND_NS,
        held=f"{lines.held_packets:,}",
        leap=f"{lines.leap:,}",
        silent_s=lines.silent_ns // _SECOND_NS,
        stored=f"{service.stored_messages:,}",
        range=f"{service.range_messages:,}",
        requests=f"{service.requests_per_day:,}",
        logon_s=service.logon_ns // _SECOND_NS,
        echo_s=service.echo_ns // _SECOND_NS,
        heartbeat_s=service.heartbeat_ns // _SECOND_NS,
        patience_s=f"{refresh.patience_ns // _SECOND_NS:,}",
        line=_drawn(LINE_TRANSITIONS),
        session=_drawn(SESSION_TRANSITIONS),
        recovery=_drawn(RECOVERY_TRANSITIONS),
        refresh=_drawn(REFRESH_TRANSITIONS),
        disaster=_drawn(DISASTER_TRANSITIONS),
    )


def _drawn(table: Mapping[tuple[S, K], S]) -> str:
    """One line for each transition, in the table's order, the arrows aligned."""
    width = max(len(state) for state, _ in table)
    told = max(len(given.__name__) for _, given in table)
    return "".join(
        f"{state:<{width}}  --{given.__name__:-<{told + 2}}>  {after}\n"
        for (state, given), after in table.items()
    )


def _version(layout: Layout) -> str:
    first = layout.first_day or "unknown"
    last = f"to {layout.last_day}" if layout.last_day else "on"
    force = "unknown" if layout.first_day is None else f"{first} {last}"
    return f"| {layout.spec} | {force} | {layout.title}. {layout.remark} |"


def _message(layout: MessageLayout) -> str:
    feeds = f" Feeds: {', '.join(layout.feeds)}." if layout.feeds else ""
    size = f"{layout.size_bytes} bytes"
    size += "".join(f" + {group.stride_bytes} × {group.count}" for group in layout.groups)
    title = f"### {layout.kind} ({layout.type})\n\n{size}.{feeds}"
    rows = ["| offset | bytes | type | wire | field | |", "|--:|--:|---|---|---|---|"]
    rows += _rows(layout)
    return f"{title}\n\n" + "\n".join(rows) + "\n"


def _rows(layout: MessageLayout) -> Iterator[str]:
    """Fields and groups as they lie; behind a group an offset counts as if that were empty."""
    for one in layout.fields:
        yield from (_group_rows(group) for group in layout.groups if group.start == one.offset)
        yield _row(one, str(one.offset))
    yield from (_group_rows(group) for group in layout.groups if group.start == layout.size_bytes)


def _group_rows(group: GroupLayout) -> str:
    limits = f", {group.range}" if group.range else ""
    head = f"| {group.start} | {group.stride_bytes} × | group | {group.name} | `{group.field}` |"
    head += f" {group.count} times{limits} |"
    return "\n".join([head, *(_row(one, f"+{one.offset}") for one in group.fields)])


def _row(one: FieldLayout, offset: str) -> str:
    field = f"`{one.field}`" if one.field else "(the length of the group)"
    name = f"{one.name} ({one.spec_name} in the specification)" if one.spec_name else one.name
    return f"| {offset} | {one.length_bytes} | {one.type} | {name} | {field} | {_meaning(one)} |"


def _meaning(one: FieldLayout) -> str:
    said = [
        f"decimals in {one.decimals_from}" if one.decimals_from else "",
        one.unit,
        f"precision {one.precision}" if one.precision else "",
        one.range,
        f"{one.none} none" if one.none is not None else "",
        "may be null" if one.null is not None else "",
        "padded with NUL" if one.pad == "NUL" else "",
        one.note,
        "; ".join(f"{value.strip() or 'space'} {term}" for value, term in one.terms.items()),
    ]
    return " · ".join(part for part in said if part).replace("|", "\\|")
