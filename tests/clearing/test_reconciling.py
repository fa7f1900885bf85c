"""Two books compared: against a slow oracle, by both ways, in pieces of any size, over days."""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from hkex_ops.clearing.columns import COLUMNS as KINDS_COLUMNS, ColumnType, names_of
from hkex_ops.clearing.lines import LineForm, Placed
from hkex_ops.clearing.matching import Break, BreakKind, Matcher, merged_groups
from hkex_ops.clearing.rules import DEFAULT_RULES, MatchRules, rules_for
from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.flows.clearing.joining import Way
from hkex_ops.flows.clearing.reconciling import (
    Book,
    Comparison,
    Reconciled,
    read_previous,
    reconcile,
)
from hkex_ops.flows.clearing.spool import sorted_lines
from hkex_ops.model import ClearingTrade, RecordKind
from tests.clearing.books import DAY, generated, oracle, placed, spoilt, told_breaks

HAS_DUCKDB = importlib.util.find_spec("duckdb") is not None
WAYS = [
    Way.PLAIN,
    pytest.param(
        Way.DUCKDB,
        marks=pytest.mark.skipif(not HAS_DUCKDB, reason="DuckDB comes with the extra data"),
    ),
]
SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, 200))]
COLUMNS = ("trade_number", "series", "side", "quantity", "price", "account", "business_date")
RULES = rules_for(DEFAULT_RULES[RecordKind.TRADES], COLUMNS, COLUMNS)
TOLERANT = evolve(RULES, tolerances={"price": Decimal("0.02"), "quantity": Decimal(1)})
# Only a few keys, so that each is shared by many.
CROWDED = evolve(
    RULES, key=("business_date", "series"), compare=("side", "price", "account"), late_by=""
)


def compared(
    rules: MatchRules,
    ours: Sequence[ClearingTrade],
    theirs: Sequence[ClearingTrade],
    way: Way = Way.PLAIN,
    **more: object,
) -> Reconciled:
    """The comparison of two books, every break among the examples."""
    comparison = Comparison(DAY, way=way, shown=10**6, **more)  # type: ignore[arg-type]
    return reconcile(rules, Book(placed(ours), {}), Book(placed(theirs), {}), comparison)


def breaks_of(found: Reconciled) -> list[Break]:
    return [one.found for many in found.examples.values() for one in many]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rules", [RULES, TOLERANT, CROWDED], ids=["exact", "near", "crowded"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_comparison_finds_what_a_slow_oracle_finds(
    seed: int, rules: MatchRules, way: Way
) -> None:
    """Books with every kind of fault, compared record by record without any cleverness."""
    ours = spoilt(generated(seed, 70), seed + 1000)
    theirs = spoilt(generated(seed, 70), seed + 2000)
    found = compared(rules, ours, theirs, way)
    matched, expected = oracle(rules, ours, theirs)
    assert expected == told_breaks(rules, breaks_of(found))
    assert matched == found.tally.matched
    assert (len(ours), len(theirs), way) == (found.tally.ours, found.tally.theirs, found.way)


def test_books_of_the_oracle_hold_every_kind_of_break() -> None:
    """A test that met no late record would prove nothing of late ones."""
    ours, theirs = spoilt(generated(1, 70), 1001), spoilt(generated(1, 70), 2001)
    _, expected = oracle(TOLERANT, ours, theirs)
    assert {kind.value for kind in BreakKind} == {one[0] for one in expected}


@pytest.mark.skipif(not HAS_DUCKDB, reason="DuckDB comes with the extra data")
@settings(max_examples=25)
@given(st.integers(0, 10**9), st.integers(0, 40), st.sampled_from([RULES, TOLERANT, CROWDED]))
def test_both_ways_give_the_same_answer(seed: int, count: int, rules: MatchRules) -> None:
    """The same document, break by break and in the same order."""
    ours = spoilt(generated(seed, count), seed + 1)
    theirs = spoilt(generated(seed, count), seed + 2)
    plain = compared(rules, ours, theirs, Way.PLAIN)
    other = compared(rules, ours, theirs, Way.DUCKDB)
    assert plain.document() == other.document()


PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)


@pytest.mark.skipif(not HAS_DUCKDB, reason="DuckDB comes with the extra data")
@settings(max_examples=25)
@given(st.lists(st.tuples(PRINTABLE, PRINTABLE, PRINTABLE), max_size=8), st.randoms())
def test_no_text_means_another_thing_to_a_database(
    texts: list[tuple[str, str, str]], draw: random.Random
) -> None:
    """Quotes, backslashes, NULL and what not are texts, in keys and elsewhere."""
    odd = [("NULL", '"', "\\N"), ("'", '""', "a,b"), ("\u00a0", "#", "ü"), ("", "", "")]
    [trade] = generated(3, 1)
    ours = [
        evolve(trade, series=series, account=account, instrument_group=group)
        for series, account, group in [*texts, *odd]
    ]
    theirs = draw.sample(ours, len(ours) // 2 + 1)
    rules = rules_for(DEFAULT_RULES[RecordKind.TRADES], *[names_of(RecordKind.TRADES)] * 2)
    plain = compared(rules, ours, theirs, Way.PLAIN)
    assert plain.document() == compared(rules, ours, theirs, Way.DUCKDB).document()
    assert (len(theirs), len(ours) - len(theirs)) == (plain.tally.matched, plain.tally.breaks)


@pytest.mark.parametrize("piece_lines", [1, 2, 7, 1000])
def test_lines_are_sorted_in_pieces_as_they_are_at_once(piece_lines: int, tmp_path: Path) -> None:
    """More pieces than can be open at a time are merged with each other first."""
    form = LineForm(RULES)
    lines = [form.line(*one) for one in placed(spoilt(generated(3, 150), 4))]
    assert sorted(lines) == list(sorted_lines(lines, tmp_path, "lines", piece_lines))


def test_a_line_gives_back_its_row_and_keys_sort_by_number() -> None:
    """Trade 9 stands before trade 10, though texts would have it otherwise."""
    form = LineForm(RULES)
    book = [evolve(one, series="HSIK9", business_date=DAY) for one in generated(5, 12)]
    lines = sorted(form.line(*one) for one in placed(book))
    assert [*placed(book)] == [form.placed(line) for line in lines]


@given(st.lists(st.sampled_from(names_of(RecordKind.TRADES)), min_size=1, unique=True), st.data())
def test_every_line_gives_back_its_row_whatever_the_key(
    key: list[str], data: st.DataObject
) -> None:
    """Blank cells, negative numbers and noughts included: none becomes another."""
    cells = st.sampled_from(["", "0", "-7", "42", "1234567890123456789012345"])
    texts = st.sampled_from(["", "a b", "戶口"])
    row = tuple(
        data.draw(cells if one.type is ColumnType.WHOLE else texts)
        for one in KINDS_COLUMNS[RecordKind.TRADES]
    )
    rest = [name for name in names_of(RecordKind.TRADES) if name not in key]
    form = LineForm(MatchRules(RecordKind.TRADES, tuple(key), tuple(rest[:2])))
    assert Placed(row, "line 7") == form.placed(form.line(row, "line 7"))


@given(st.lists(st.tuples(st.sampled_from("abcü"), st.integers(0, 3)), max_size=12))
def test_groups_hold_every_line_of_a_key_and_each_once(cells: list[tuple[str, int]]) -> None:
    lines = sorted(f"{key}\x1e{value}\x1e\n" for key, value in cells)
    half = len(lines) // 2
    ours, theirs = sorted(lines[:half]), lines[half:]
    groups = list(merged_groups(ours, theirs))
    assert ours == [line for group in groups for line in group[0]]
    assert theirs == [line for group in groups for line in group[1]]
    keys = [(group[0] or group[1])[0][0] for group in groups]
    assert sorted(set(keys)) == keys


def test_a_tolerance_is_exact_at_its_edge() -> None:
    """0.02 is within 0.02, and 0.0200000000000000000001 is not."""
    rules = evolve(RULES, tolerances={"price": Decimal("0.02")})
    matcher = Matcher(rules, LineForm(rules))
    [one] = placed(generated(7, 1))
    price = COLUMNS.index("price")

    def row(text: str) -> tuple[str, ...]:
        return (*one.row[:price], text, *one.row[price + 1 :])

    assert () == matcher.differing(row("20500"), row("20500.02"))
    assert ("price",) == matcher.differing(row("20500"), row("20500.0200000000000000000001"))
    assert ("price",) == matcher.differing(row(""), row("20500"))


# -- over days -----------------------------------------------------------------------------------


def test_breaks_grow_old_and_are_told_when_they_are_gone(tmp_path: Path) -> None:
    """Monday's result is what Tuesday's comparison remembers."""
    book = generated(11, 6)
    first = tmp_path / "monday.jsonl"
    compared(RULES, book[2:], book, out=(first,))
    previous = read_previous(first, RULES)
    found = reconcile(
        RULES,
        Book(placed([*book[1:3], *book[4:]]), {}),
        Book(placed(book), {}),
        Comparison(
            date(2019, 5, 6), previous, business_days=lambda since, until: (until - since).days
        ),
    )
    aged = {one.found.row[0]: (one.since, one.age_days) for one in found.examples[_MISSING]}
    assert {"1": (DAY, 3), "4": (date(2019, 5, 6), 0)} == aged
    assert [("2", DAY)] == [(key[2], since) for key, since in found.resolved]
    assert {"new": 1, "2 to 5 days": 1} == dict(found.tally.ages)


_MISSING = BreakKind.MISSING_HERE


def test_what_was_missing_and_is_late_now_keeps_its_age(tmp_path: Path) -> None:
    """A late record is known by its earlier date, under which it was missing before."""
    book = [evolve(one, business_date=date(2019, 5, 2)) for one in generated(12, 1)]
    first = tmp_path / "first.jsonl"
    compared(RULES, [], book, out=(first,))
    later = [evolve(one, business_date=DAY) for one in book]
    found = reconcile(
        RULES,
        Book(placed(later), {}),
        Book(placed(book), {}),
        Comparison(date(2019, 5, 6), read_previous(first, RULES)),
    )
    [late] = found.examples[BreakKind.LATE]
    assert (DAY, 3, "here") == (late.since, late.age_days, late.found.where)
    assert 0 == found.tally.resolved


def test_breaks_of_dates_that_nobody_looked_at_are_carried_on(tmp_path: Path) -> None:
    """Comparing Monday alone says nothing of Friday: its breaks are neither gone nor young."""
    friday, monday = date(2019, 5, 3), date(2019, 5, 6)
    book = [evolve(one, business_date=friday) for one in generated(13, 2)]
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    compared(RULES, [], book, out=(first,))
    comparison = Comparison(
        monday, read_previous(first, RULES), out=(second,), business_date=monday
    )
    found = reconcile(RULES, Book([], {}), Book([], {}), comparison)
    assert (0, 0, 2) == (found.tally.breaks, found.tally.resolved, found.tally.carried)
    last = Comparison(date(2019, 5, 7), read_previous(second, RULES))
    found = reconcile(RULES, Book([], {}), Book(placed(book[:1]), {}), last)
    [missing] = found.examples[BreakKind.MISSING_HERE]
    assert (friday, 4, 1) == (missing.since, missing.age_days, found.tally.resolved)


def test_a_result_has_a_line_for_every_break_and_ends_with_the_tally(tmp_path: Path) -> None:
    out = tmp_path / "result.jsonl"
    ours, theirs = spoilt(generated(2, 40), 5), spoilt(generated(2, 40), 6)
    found = compared(TOLERANT, ours, theirs, out=(out, tmp_path / "result.csv"))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert ["reconciled", "tally"] == [next(iter(lines[0])), next(iter(lines[-1]))]
    assert found.tally.breaks == sum("break" in line for line in lines) > 0
    rows = (tmp_path / "result.csv").read_text().splitlines()
    assert found.tally.breaks == len(rows) - 1


def test_half_a_result_is_no_memory(tmp_path: Path) -> None:
    """Old breaks would be young again, and nobody would know."""
    out = tmp_path / "result.jsonl"
    compared(RULES, [], generated(2, 4), out=(out,))
    whole = out.read_text().splitlines(keepends=True)
    out.write_text("".join(whole[:-1]))
    with pytest.raises(ConfigError, match="has no end"):
        read_previous(out, RULES)
    out.write_text("".join(whole))
    with pytest.raises(ConfigError, match="line 1: is of another comparison"):
        read_previous(out, CROWDED)
    with pytest.raises(UsageError, match=r"must end in \.jsonl"):
        read_previous(tmp_path / "result.csv", RULES)


def test_a_result_is_never_written_over_and_never_half_there(tmp_path: Path) -> None:
    out = tmp_path / "result.jsonl"
    out.write_text("mine")
    with pytest.raises(StoreError, match=r"result\.jsonl"):
        compared(RULES, [], [], out=(out,))
    assert "mine" == out.read_text()

    def broken() -> object:
        yield from placed(generated(1, 2))
        raise ConfigError("line 4: is nothing")

    other = tmp_path / "other.jsonl"
    with pytest.raises(ConfigError, match="is nothing"):
        reconcile(RULES, Book([], {}), Book(broken(), {}), Comparison(DAY, out=(other,)))  # type: ignore[arg-type]
    assert [out] == sorted(tmp_path.iterdir())
