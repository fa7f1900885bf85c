"""The snapshot computation is of another make: it shares facts with the engine, and no code."""

from __future__ import annotations

import ast

from hkex_ops.index import basket, records, rules
from hkex_ops.index.records import TimePassed, TradeRecord
from hkex_ops.index.snapshot import HEARD_TRADES, SnapshotComputation
from tests.index.reference import NOW, PLAIN, S, reference
from tests.wheel import CHECKOUT

ROOM = CHECKOUT / "src" / "hkex_ops" / "index"
FACTS = {"hkex_ops.index.basket", "hkex_ops.index.records", "hkex_ops.index.rules"}
ENGINE = (
    *("board", "day", "engine", "event_time", "orders", "saving", "sequencing", "stocks"),
    *("straight", "ticks", "totals", "untimed"),
)
OUTSIDE = {"__future__", "collections.abc", "datetime", "decimal", "typing", "hkex_ops.model"}


def imports_of(name: str) -> dict[str, set[str]]:
    """What a module of the room imports: names by module."""
    tree = ast.parse((ROOM / f"{name}.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    return {
        node.module or "": {alias.name for alias in node.names}
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }


def test_the_snapshot_computation_imports_facts_only() -> None:
    """Neither totals nor engine, nor anything of theirs."""
    assert set(imports_of("snapshot")) == FACTS | OUTSIDE | {"hkex_ops.index.price_rows"}
    assert set(imports_of("price_rows")) == {"__future__", "typing"}


def test_the_engine_imports_nothing_of_the_snapshot_computation() -> None:
    """Not by a helper either."""
    for name in ENGINE:
        assert not {"hkex_ops.index.snapshot", "hkex_ops.index.price_rows"} & set(imports_of(name))


def test_what_both_share_computes_nothing() -> None:
    """Of the shared modules they take classes, settings and numbers; no function but one that
    spells a record."""
    shared = (basket, records, rules)
    taken = {
        name
        for module in shared
        for user in ("snapshot", *ENGINE)
        for name in imports_of(user).get(module.__name__, set())
    }
    functions = {
        name
        for module in shared
        for name in taken
        if callable(getattr(module, name, None)) and not isinstance(getattr(module, name), type)
    }
    assert functions == {"record_of", "row_of"}


def test_more_trades_than_are_kept_make_a_mark_and_no_wrong_value() -> None:
    """A moment asked for too late: what stood then is forgotten."""
    table = SnapshotComputation((PLAIN,))
    trades = [
        TradeRecord(30, at, 1, at, 60_000 + at, 100, 0, (100 + at) * S, (100 + at) * S)
        for at in range(1, 2 * HEARD_TRADES)
    ]
    for trade in trades:
        table.handle(trade, NOW)
    table.handle(TimePassed(30, 0, 10_000 * S), NOW)
    [early] = table.values_at(110 * S)
    [late] = table.values_at(10_000 * S)
    assert ((1,), ()) == (early.stale, late.stale)
    assert reference(trades, 10_000 * S, PLAIN) == int((late.value or 0) * 100)


def test_it_counts_how_often_prices_changed_for_the_watch() -> None:
    """As it heard them; a trade at the same price is no change."""
    table = SnapshotComputation((PLAIN,))
    for number, price in enumerate((65_850, 66_000, 66_000, 66_050), start=1):
        table.handle(TradeRecord(30, number, 1, number, price, 100, 0, S, S), NOW)
    assert 2 == table.changes_of("PLAIN")
