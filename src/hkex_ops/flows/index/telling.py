"""What an engine tells the supervisor, as lines of the link and back.

Ticks are rows, because there are many; everything else is its kind and its fields, because people
and the journal read it. Knows both forms and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import Enum
from typing import cast

import attrs

from hkex_ops.flows.index.events import event_name
from hkex_ops.flows.index.pipeline import MarketHealth, Taken
from hkex_ops.index.records import SessionRecord, row_of
from hkex_ops.index.snapshot import SnapshotValue
from hkex_ops.index.ticks import EngineEvent, RecordJournalled, TickComputed, moment_of
from hkex_ops.model import IndexStatus, IndexTick, Json, JsonObject, SiteRole
from hkex_ops.omd.events import PacketRefused

__all__ = ["fields_of", "lines_of", "session_in", "ticks_in", "values_in", "versions_in"]


def lines_of(taken: Taken) -> Iterator[JsonObject]:
    """The lines that tell ``taken``: ticks of one moment in one line, all else one by one."""
    ticks: list[TickComputed] = []
    for event in taken.data:
        if isinstance(event, SessionRecord):
            yield {"say": "session", "row": list(event)}
        elif isinstance(event, TickComputed):
            if ticks and ticks[0].time_ns != event.time_ns:
                yield _ticks(ticks)
                ticks = []
            ticks.append(event)
        else:
            yield {"say": "told", "kind": event_name(event), "fields": fields_of(event)}
    if ticks:
        yield _ticks(ticks)
    for told in taken.health:
        yield {"say": "health", "kind": event_name(told), "fields": fields_of(told)}


def ticks_in(line: JsonObject) -> tuple[TickComputed, ...]:
    """The ticks of a line that says ``ticks``."""
    rows = cast("Sequence[Sequence[Json]]", line["rows"])
    return tuple(_tick(row) for row in rows)


def session_in(line: JsonObject) -> SessionRecord:
    """The trading session of a line that says ``session``."""
    return SessionRecord._make(cast("Sequence[Json]", line["row"]))


def values_in(line: JsonObject) -> tuple[SnapshotValue, ...]:
    """The values of a line that says ``snapshot``."""
    time_ns = cast("int", line["time_ns"])
    rows = cast("Sequence[tuple[str, str | None, Sequence[int], int]]", line["rows"])
    return tuple(
        SnapshotValue(code, time_ns, None if value is None else Decimal(value), tuple(stale))
        for code, value, stale, _ in rows
    )


def versions_in(line: JsonObject, engine: str, site: SiteRole) -> tuple[IndexTick, ...]:
    """The after-the-close versions of a line that says ``versions``, as ticks of ``engine``."""
    at = moment_of(cast("int", line["time_ns"]))
    stale = tuple(cast("Sequence[int]", line["stale"]))
    return tuple(
        IndexTick(
            code,
            at,
            Decimal(value),
            status=IndexStatus.CLOSING,
            stale=stale,
            engine=engine,
            site=site,
        )
        for code, value in cast("Sequence[tuple[str, str]]", line["rows"])
    )


def fields_of(event: EngineEvent | MarketHealth) -> JsonObject:
    """The fields of an event as plain data; of a refused packet its size, not its bytes."""
    if isinstance(event, RecordJournalled):
        return {**_plain(event), "record": row_of(event.record)}
    if isinstance(event, PacketRefused):
        return {**_plain(event), "packet": len(event.packet)}
    return _plain(event)


def _ticks(ticks: Iterable[TickComputed]) -> JsonObject:
    return {"say": "ticks", "rows": [list(tick) for tick in ticks]}


def _tick(row: Sequence[Json]) -> TickComputed:
    tick = TickComputed._make(row)
    return tick._replace(
        status=IndexStatus(tick.status), stale=tuple(tick.stale), missing=tuple(tick.missing)
    )


def _plain(event: EngineEvent | MarketHealth) -> dict[str, Json]:
    """Rows of a machine are named tuples, rarer events attrs classes."""
    kind = type(event)
    names = [one.name for one in attrs.fields(kind)] if attrs.has(kind) else _names(event)
    return {name: _value(getattr(event, name)) for name in names}


def _names(row: object) -> Sequence[str]:
    return cast("Sequence[str]", getattr(row, "_fields", ()))


def _value(value: object) -> Json:
    match value:
        case Enum():
            return cast("Json", value.value)
        case tuple() | list():
            return [_value(one) for one in cast("Sequence[object]", value)]
        case bytes():
            return len(value)
        case _:
            return cast("Json", value)
