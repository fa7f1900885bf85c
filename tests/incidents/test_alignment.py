"""Two chronologies side by side: what is one row, what stands alone, and what differs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from hkex_ops.config.shipped import load_calendar, load_incidents
from hkex_ops.incidents import AlignedRow, align, chronology_of
from hkex_ops.model import HONG_KONG, Bound, Certainty, ChronologyRow, Source

INCIDENT = load_incidents(load_calendar())["hsil-2010"]
HSIL = chronology_of(INCIDENT, "hsil")
HKEX = chronology_of(INCIDENT, "hkex")


def row(id: str, at: str, event: str, until: str | None = None) -> ChronologyRow:
    def bound(text: str) -> Bound:
        return Bound(datetime.fromisoformat(f"2010-01-22T{text}").replace(tzinfo=HONG_KONG))

    return ChronologyRow(
        id,
        "us",
        bound(at),
        at,
        (event,),
        Source("a report", id),
        until=None if until is None else bound(until),
    )


def ids(aligned: tuple[AlignedRow, ...]) -> list[tuple[str | None, str | None]]:
    return [
        (one.left.id if one.left else None, one.right.id if one.right else None) for one in aligned
    ]


def test_the_two_annexes_of_2010_differ_by_two_minutes_on_the_first_press_release() -> None:
    [differing] = [one for one in align(HSIL, HKEX) if one.differs]
    assert [("hsil-10", "hkex-6")] == ids((differing,))
    assert timedelta(minutes=2) == differing.apart


def test_what_one_annex_has_and_the_other_has_not_stands_alone() -> None:
    alone = [pair for pair in ids(align(HSIL, HKEX)) if None in pair]
    for pair in (("hsil-6", None), (None, "hkex-4"), (None, "hkex-9"), ("hsil-12", None)):
        assert pair in alone


def test_equal_chronologies_pair_every_row_and_differ_nowhere() -> None:
    aligned = align(HSIL, HSIL)
    assert [(one.id, one.id) for one in HSIL] == ids(aligned)
    assert not any(one.differs or one.apart for one in aligned)


def test_the_same_words_decide_between_two_rows_that_are_near() -> None:
    ours = [row("a", "10:02:00", "contingency plan triggered")]
    theirs = [row("x", "10:01:00", "phone call"), row("y", "10:04:00", "contingency triggered")]
    assert [(None, "x"), ("a", "y")] == ids(align(ours, theirs))


def test_rows_that_are_far_apart_are_never_one() -> None:
    ours, theirs = [row("a", "10:00:00", "press release")], [row("x", "10:05:01", "press release")]
    assert [("a", None), (None, "x")] == ids(align(ours, theirs))


def test_a_moment_inside_a_stretch_agrees_with_it() -> None:
    [pair] = align(
        [row("a", "10:27:00", "recovered")], [row("x", "10:00:00", "interrupted", "10:30:00")]
    )
    assert (timedelta(minutes=-27), False) == (pair.apart, pair.differs)


def test_a_row_without_a_known_beginning_stands_alone() -> None:
    unknown = ChronologyRow(
        "x", "us", Bound(None, Certainty.UNKNOWN), "?", ("told",), Source("a report", "x")
    )
    assert [("a", None), (None, "x")] == ids(align([row("a", "10:00:00", "told")], [unknown]))


WORDS = st.sampled_from(["error", "press release", "mail sent", "told by phone", "resumed"])
ROWS = st.lists(st.tuples(st.integers(min_value=0, max_value=59), WORDS), max_size=12).map(
    lambda rows: [
        row(f"r{place}", f"10:{minute:02}:00", word) for place, (minute, word) in enumerate(rows)
    ]
)


@given(ROWS, ROWS)
def test_every_row_is_there_once_and_orders_are_kept(
    left: list[ChronologyRow], right: list[ChronologyRow]
) -> None:
    pairs = ids(align(left, right))
    for side, rows in ((0, left), (1, right)):
        shown = [pair[side] for pair in pairs if pair[side] is not None]
        assert sorted(one.id for one in rows) == sorted(str(one) for one in shown)
        starts = {one.id: one.at.at for one in rows}
        times = [at for one in shown if (at := starts[str(one)]) is not None]
        assert sorted(times) == times


@pytest.mark.parametrize("rows", [[], HSIL])
def test_against_nothing_every_row_stands_alone(rows: list[ChronologyRow]) -> None:
    assert [(one.id, None) for one in rows] == ids(align(rows, []))
