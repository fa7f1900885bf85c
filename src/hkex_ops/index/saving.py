"""An engine's whole state as plain data, and back.

The sums are not in it: they are computed anew from the prices, so that a restored engine proves
its own arithmetic. Called by the engine alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from hkex_ops.errors import UsageError
from hkex_ops.model import Json, JsonObject

if TYPE_CHECKING:
    from hkex_ops.index.engine import Engine

__all__ = ["engine_snapshot", "restore_engine"]

_FORM = 1


def engine_snapshot(engine: Engine) -> JsonObject:
    """Everything that ``engine`` knows."""
    totals = engine.totals
    return {
        "form": _FORM,
        "of": _fingerprint(engine),
        "prices": list(totals.prices),
        "previous": list(totals.previous),
        "rates": dict(totals.rates),
        "rates_lost": sorted(engine.rates_lost),
        "stocks": [stock.snapshot() for stock in engine.stocks.values()],
        "sequences": [list(pair) for pair in sorted(engine.sequences.items())],
        "sequencer": engine.sequencer.snapshot(),
        "day": engine.day.snapshot(),
        "board": engine.board.snapshot(),
    }


def restore_engine(engine: Engine, snapshot: JsonObject) -> None:
    """Make ``engine``, which is new, stand where ``snapshot`` stood."""
    if snapshot.get("form") != _FORM or snapshot.get("of") != _fingerprint(engine):
        raise UsageError(
            "the snapshot is of other baskets, another business date or other rules; start the "
            "engine without it, and let it catch up from the feed"
        )
    totals = engine.totals
    totals.restore(
        cast("Sequence[int]", snapshot["prices"]),
        cast("Sequence[int]", snapshot["previous"]),
        cast("Mapping[str, int]", snapshot["rates"]),
    )
    rows = cast("Sequence[Sequence[Json]]", snapshot["stocks"])
    for stock, row in zip(engine.stocks.values(), rows, strict=True):
        stock.restore(row)
    pairs = cast("Sequence[tuple[int, int]]", snapshot["sequences"])
    engine.sequences.clear()
    engine.sequences.update(dict(pairs))
    engine.sequencer.restore(cast("JsonObject", snapshot["sequencer"]))
    engine.day.restore(cast("JsonObject", snapshot["day"]))
    engine.board.restore(cast("JsonObject", snapshot["board"]))
    engine.rates_lost.clear()
    engine.rates_lost.update(cast("Sequence[str]", snapshot["rates_lost"]))
    engine.marked.clear()
    engine.marked.update(code for code, stock in engine.stocks.items() if stock.stale)


def _fingerprint(engine: Engine) -> str:
    told = repr((engine.baskets, engine.rules))
    return sha256(told.encode()).hexdigest()
