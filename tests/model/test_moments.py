"""A bound keeps what was understood and the words it was understood from; a window is half open."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hkex_ops.model import HONG_KONG, Bound, Certainty, Holding, Window

START = datetime(2023, 4, 17, tzinfo=HONG_KONG)
UNTIL = datetime(2023, 4, 29, tzinfo=HONG_KONG)
TICK = timedelta(microseconds=1)

UNKNOWN = Bound(None, Certainty.UNKNOWN)
OPEN = Bound(None, Certainty.OPEN)


@pytest.mark.parametrize("certainty", [Certainty.EXACT, Certainty.APPROXIMATE])
def test_an_exact_or_approximate_bound_needs_an_instant(certainty: Certainty) -> None:
    with pytest.raises(ValueError, match="means nothing"):
        Bound(None, certainty)


@pytest.mark.parametrize("certainty", [Certainty.OPEN, Certainty.UNKNOWN])
def test_an_open_or_unknown_bound_has_none(certainty: Certainty) -> None:
    with pytest.raises(ValueError, match="means nothing"):
        Bound(START, certainty)


def test_a_bound_has_a_zone() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        Bound(datetime(2023, 4, 17))  # noqa: DTZ001 - the fault itself


@pytest.mark.parametrize(
    ("expected", "bound"),
    [
        ("2023-04-17T00:00:00+08:00", Bound(START)),
        ("~2023-04-17T00:00:00+08:00", Bound(START, Certainty.APPROXIMATE)),
        ("open", OPEN),
        ("unknown", UNKNOWN),
    ],
)
def test_a_bound_reads_as_it_is_known(expected: str, bound: Bound) -> None:
    assert expected == str(bound)


@pytest.mark.parametrize("until", [START, START - TICK])
def test_a_window_ends_after_it_starts(until: datetime) -> None:
    with pytest.raises(ValueError, match="not after its start"):
        Window(Bound(START), Bound(until))


@pytest.mark.parametrize(
    ("expected", "at"),
    [
        (Holding.BEFORE, START - TICK),
        (Holding.WITHIN, START),
        (Holding.WITHIN, UNTIL - TICK),
        (Holding.AFTER, UNTIL),
    ],
)
def test_a_window_holds_from_its_start_and_no_longer_at_its_end(
    expected: Holding, at: datetime
) -> None:
    assert expected is Window(Bound(START), Bound(UNTIL)).holds(at)


def test_an_approximate_bound_counts_at_the_instant_it_states() -> None:
    window = Window(Bound(START, Certainty.APPROXIMATE), Bound(UNTIL, Certainty.APPROXIMATE))
    assert [Holding.BEFORE, Holding.WITHIN, Holding.AFTER] == [
        window.holds(at) for at in (START - TICK, START, UNTIL)
    ]


@pytest.mark.parametrize(
    ("expected", "window"),
    [
        ([Holding.WITHIN, Holding.WITHIN, Holding.AFTER], Window(OPEN, Bound(UNTIL))),
        ([Holding.BEFORE, Holding.WITHIN, Holding.WITHIN], Window(Bound(START), OPEN)),
        ([Holding.WITHIN, Holding.WITHIN, Holding.WITHIN], Window(OPEN, OPEN)),
        ([Holding.UNKNOWN, Holding.UNKNOWN, Holding.AFTER], Window(UNKNOWN, Bound(UNTIL))),
        ([Holding.BEFORE, Holding.UNKNOWN, Holding.UNKNOWN], Window(Bound(START), UNKNOWN)),
        ([Holding.UNKNOWN, Holding.UNKNOWN, Holding.UNKNOWN], Window(OPEN, UNKNOWN)),
    ],
    ids=["open start", "open end", "open", "unknown start", "unknown end", "open and unknown"],
)
def test_a_missing_bound_never_pretends_to_be_known(
    expected: list[Holding], window: Window
) -> None:
    assert expected == [window.holds(at) for at in (START - TICK, START, UNTIL)]
