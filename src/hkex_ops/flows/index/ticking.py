"""Ticks as rows of a run's journal, and back.

A day has half a million of them, so a row is short: what :class:`~hkex_ops.model.IndexTick` has,
without names. All of one moment are in one entry, which is written before they are published.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

from hkex_ops.model import IndexStatus, IndexTick, Json, JsonObject, SiteRole, TickKind

__all__ = ["TICKS_PUBLISHED", "published_body", "published_in"]

TICKS_PUBLISHED = "ticks-published"
"""The kind of a journal entry that tells of ticks."""


def published_body(ticks: Sequence[IndexTick]) -> JsonObject:
    """The body of the entry that tells of ``ticks``, which are of one moment and one kind."""
    return {
        "at": ticks[0].at.isoformat(),
        "kind": ticks[0].kind.value,
        "rows": [_row(tick) for tick in ticks],
    }


def published_in(body: JsonObject) -> tuple[IndexTick, ...]:
    """The ticks that an entry tells of."""
    at, kind = datetime.fromisoformat(str(body["at"])), TickKind(str(body["kind"]))
    return tuple(_tick(row, at, kind) for row in cast("Sequence[Sequence[Json]]", body["rows"]))


def _row(tick: IndexTick) -> Sequence[Json]:
    return [
        tick.index,
        str(tick.value),
        _text(tick.high),
        _text(tick.low),
        tick.status.value,
        _text(tick.opening),
        _text(tick.closing),
        _text(tick.previous_close),
        list(tick.stale),
        tick.engine,
        None if tick.site is None else tick.site.value,
    ]


def _tick(row: Sequence[Json], at: datetime, kind: TickKind) -> IndexTick:
    index, value, high, low, status, opening, closing, previous, stale, engine, site = row
    return IndexTick(
        index=str(index),
        at=at,
        value=Decimal(str(value)),
        high=_figure(high),
        low=_figure(low),
        status=IndexStatus(str(status)),
        kind=kind,
        opening=_figure(opening),
        closing=_figure(closing),
        previous_close=_figure(previous),
        stale=tuple(cast("Sequence[int]", stale)),
        engine=str(engine),
        site=None if site is None else SiteRole(str(site)),
    )


def _text(figure: Decimal | None) -> str | None:
    return None if figure is None else str(figure)


def _figure(text: Json) -> Decimal | None:
    return None if text is None else Decimal(str(text))
