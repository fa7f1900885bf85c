"""The settlement of an index: which moments count, what is read there, and what the mean is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops.calendars import BusinessDay
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import UsageError
from hkex_ops.index.marks import LunchEdges, settlement_marks
from hkex_ops.index.settlement import MarkMissed, MarkRead, Settlement
from hkex_ops.index.settlement_rules import (
    ClosingReading,
    FinalBase,
    FinalRounding,
    MarkKind,
    MissingMark,
    SettlementRules,
    alternatives,
)
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, TickKind

CALENDAR = load_calendar()
HSI = "0000100"
FRIDAY = CALENDAR.day(date(2010, 1, 22))
AFTERWARDS = datetime(2010, 1, 22, 18, tzinfo=HONG_KONG)


def at(text: str, day: BusinessDay = FRIDAY) -> datetime:
    return datetime.fromisoformat(f"{day.date}T{text}").replace(tzinfo=HONG_KONG)


def tick(text: str, value: str, kind: TickKind = TickKind.REAL_TIME) -> IndexTick:
    return IndexTick(HSI, at(text), Decimal(value), kind=kind)


def close(value: str, status: IndexStatus = IndexStatus.CLOSING) -> IndexTick:
    return IndexTick(HSI, at("16:01:00"), Decimal(value), status=status)


def every_mark(day: BusinessDay, value: str) -> list[IndexTick]:
    return [
        IndexTick(HSI, one.instant, Decimal(value))
        for one in settlement_marks(day)
        if not one.closing
    ]


def settled(ticks: list[IndexTick], rules: SettlementRules | None = None) -> Settlement:
    settlement = Settlement(HSI, FRIDAY, rules)
    for one in ticks:
        settlement.handle(one, AFTERWARDS)
    return settlement


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2010-01-22", [48, 47, 49, 72]),
        ("2011-06-01", [60, 59, 61, 78]),
        ("2012-03-05", [66, 65, 67, 78]),
        ("2026-11-25", [66, 65, 67, 78]),
        ("2010-12-24", [30, 30, 30, 30]),
        ("2025-12-24", [30, 30, 30, 30]),
    ],
)
def test_an_era_has_its_number_of_marks_under_every_reading(day: str, expected: list[int]) -> None:
    """48, 60 and 66 on full days and 30 on a half day, the close counted as one."""
    held = CALENDAR.day(date.fromisoformat(day))
    assert expected == [len(settlement_marks(held, edges)) for edges in LunchEdges]


def test_the_first_mark_is_five_minutes_after_trading_really_began() -> None:
    late = CALENDAR.day(date(2023, 10, 9))
    assert at("14:05:00", late) == settlement_marks(late)[0].instant


def test_the_lunch_break_of_2010_is_cut_where_the_default_says() -> None:
    marks = [f"{one.instant:%H:%M}" for one in settlement_marks(FRIDAY)]
    assert ["12:25", "12:30", "14:35"] == marks[28:31]
    assert ["15:55", "16:00"] == marks[-2:]


def test_a_day_without_trading_has_nothing_to_settle_on() -> None:
    with pytest.raises(UsageError, match="2010-01-23 is no trading day"):
        settlement_marks(CALENDAR.day(date(2010, 1, 23)))


def test_the_mean_is_exact_and_the_final_price_rounds_down() -> None:
    ticks = [*every_mark(FRIDAY, "20500.99"), close("20500.00")]
    answer = settled(ticks).answer()
    exact = (Fraction("20500.99") * 47 + Fraction("20500.00")) / 48
    assert Decimal("20500.97") == answer.eas
    assert Decimal(exact.numerator // exact.denominator) == answer.final_settlement_price


def test_a_mark_that_was_read_is_told_once_and_again_when_a_better_way_gives_it() -> None:
    settlement = Settlement(HSI, FRIDAY)
    recalculated = tick("10:15:00", "20510.00", TickKind.RECALCULATED)
    mailed = tick("10:15:00", "20511.11", TickKind.CONTINGENCY)
    told = [
        *settlement.handle(recalculated, AFTERWARDS),
        *settlement.handle(recalculated, AFTERWARDS),
        *settlement.handle(mailed, AFTERWARDS),
        *settlement.handle(tick("10:15:15", "20512.00"), AFTERWARDS),
    ]
    assert [
        MarkRead(HSI, at("10:15:00"), Decimal("20510.00"), MarkKind.RECALCULATED),
        MarkRead(HSI, at("10:15:00"), Decimal("20511.11"), MarkKind.CONTINGENCY),
    ] == told


def test_the_outage_of_2010_leaves_four_marks_without_a_value_of_any_kind() -> None:
    """10:05 to 10:30 were swallowed, and snapshots exist for 10:15 and 10:30 only."""
    lost = {at(f"10:{minute:02}:00") for minute in range(5, 31, 5)}
    ticks = [one for one in every_mark(FRIDAY, "20500.00") if one.at not in lost]
    ticks += [tick(f"10:{minute}:00", "20490.00", TickKind.CONTINGENCY) for minute in (15, 30)]
    answer = settled([*ticks, close("20726.00")]).answer()
    missing = [one.at for one in answer.marks if one.kind is MarkKind.MISSING]
    assert [at(f"10:{minute}:00") for minute in ("05", "10", "20", "25")] == missing
    assert answer.eas is None
    assert 4 == answer.missing


def test_each_policy_for_a_missing_mark_gives_its_own_answer() -> None:
    ticks = [tick("10:05:00", "100.00"), tick("10:07:00", "130.00"), close("100.00")]
    answer = settled(ticks).answer()
    given = {one.value: one.eas for one in answer.policies if one.setting == "missing"}
    with localcontext(prec=40):
        stale = (Decimal(100) + 46 * Decimal(130) + Decimal(100)) / 48
    assert {
        "latest": stale.quantize(Decimal("0.01"), ROUND_HALF_UP),
        "omit": Decimal("100.00"),
    } == given


def test_the_running_estimate_tells_what_is_still_open() -> None:
    settlement = settled([tick("10:05:00", "100.00"), tick("10:10:00", "101.00")])
    answer = settlement.answer(at("10:12:00"))
    assert Decimal("100.50") == answer.eas
    assert (46, 0) == (answer.open, answer.missing)


def test_a_mark_that_has_passed_is_missed_once() -> None:
    settlement = settled([tick("10:05:00", "100.00")])
    assert () == settlement.poll(at("10:10:29"))
    assert (MarkMissed(HSI, at("10:10:00")),) == settlement.poll(at("10:10:31"))
    assert () == settlement.poll(at("10:10:32"))


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        (ClosingReading.CLOSING_INDEX, "20726.00"),
        (ClosingReading.PRELIMINARY, "20725.00"),
        (ClosingReading.LAST_TICK, "20724.00"),
    ],
)
def test_the_close_is_read_as_the_setting_says(closing: ClosingReading, expected: str) -> None:
    ticks = [
        tick("16:00:00", "20724.00"),
        close("20725.00", IndexStatus.PRELIMINARY_CLOSE),
        close("20726.00"),
    ]
    answer = settled(ticks, SettlementRules(closing=closing)).answer()
    assert Decimal(expected) == answer.marks[-1].value


def test_the_two_bases_of_the_final_price_differ_where_two_decimals_cross_a_point() -> None:
    """A mean of 20499.995… goes out as 20500.00: floored before rounding it is 20499."""
    ticks = [*every_mark(FRIDAY, "20500.00")[:-1], close("20500.00")]
    ticks.append(tick("15:55:00", "20499.76"))
    exact = settled(ticks).answer()
    published = settled(ticks, SettlementRules(final_base=FinalBase.PUBLISHED_EAS)).answer()
    assert Decimal("20500.00") == exact.eas == published.eas
    assert Decimal(20499) == exact.final_settlement_price
    assert Decimal(20500) == published.final_settlement_price


def test_ticks_of_another_day_are_refused_and_of_another_index_passed_over() -> None:
    settlement = Settlement(HSI, FRIDAY)
    assert () == settlement.handle(evolve(tick("10:05:00", "1.00"), index="0001400"), AFTERWARDS)
    other = evolve(tick("10:05:00", "1.00"), at=at("10:05:00") + timedelta(days=3))
    with pytest.raises(UsageError, match="2010-01-25 is none of 2010-01-22"):
        settlement.handle(other, AFTERWARDS)


def test_an_order_of_preference_names_every_kind_once() -> None:
    with pytest.raises(UsageError, match="prefer must name each"):
        SettlementRules(prefer=(MarkKind.PUBLISHED,))


VALUES = st.integers(min_value=100, max_value=3_000_000).map(lambda cents: Decimal(cents) / 100)
KINDS = st.sampled_from(list(TickKind))
MARKS = [one.instant for one in settlement_marks(FRIDAY, LunchEdges.THROUGH)]
BOOKS = st.lists(
    st.builds(
        lambda instant, seconds, value, kind: IndexTick(
            HSI, instant + timedelta(seconds=seconds), value, kind=kind
        ),
        st.sampled_from(MARKS),
        st.sampled_from([0, 0, 0, 15, 45]),
        VALUES,
        KINDS,
    ),
    max_size=60,
    unique_by=lambda one: (one.at, one.kind),
)


def slow_answer(ticks: list[IndexTick], rules: SettlementRules) -> tuple[str | None, str | None]:
    """The same the slow way: every mark looks through every tick."""
    order = [MarkKind.PUBLISHED, MarkKind.CONTINGENCY, MarkKind.RECALCULATED]
    names = {"real-time": order[0], "contingency": order[1], "recalculated": order[2]}
    used: list[Fraction] = []
    for mark in settlement_marks(FRIDAY, rules.lunch_edges):
        here = {names[one.kind.value]: one.value for one in ticks if one.at == mark.instant}
        found = [here[kind] for kind in order if kind in here]
        if (mark.closing and rules.closing is not ClosingReading.LAST_TICK) or mark.closing:
            found = []
        earlier = [one for one in ticks if one.at <= mark.instant]
        stale = rules.missing is MissingMark.LATEST
        if (stale or (mark.closing and rules.closing is ClosingReading.LAST_TICK)) and not found:
            last = max((one.at for one in earlier), default=None)
            found = [one.value for one in reversed(ticks) if one.at == last][:1]
        if found:
            used.append(Fraction(found[0]))
        elif rules.missing is not MissingMark.OMIT:
            return None, None
    if not used:
        return None, None
    mean = sum(used, Fraction()) / len(used)
    eas = Decimal(int(mean * 100 + Fraction(1, 2))) / 100
    base = Fraction(eas) if rules.final_base is FinalBase.PUBLISHED_EAS else mean
    final = {
        FinalRounding.FLOOR: Decimal(int(base)),
        FinalRounding.HALF_UP: Decimal(int(base + Fraction(1, 2))),
        FinalRounding.NONE: Decimal(int(base * 100 + Fraction(1, 2))) / 100,
    }[rules.final_rounding]
    return str(eas.normalize()), str(final.normalize())


@given(BOOKS, st.sampled_from([rules for _, _, rules in alternatives(SettlementRules())]))
def test_the_answer_is_that_of_a_slow_oracle(
    ticks: list[IndexTick], rules: SettlementRules
) -> None:
    answer = settled(ticks, rules).answer()
    told = (answer.eas, answer.final_settlement_price)
    assert slow_answer(ticks, rules) == tuple(
        None if one is None else str(one.normalize()) for one in told
    )


@given(st.data())
def test_the_order_in_which_ticks_come_changes_no_answer(data: st.DataObject) -> None:
    ticks = data.draw(BOOKS)
    ticks = [one for one in ticks if one.kind is TickKind.REAL_TIME]
    shuffled = data.draw(st.permutations(ticks))
    rules = SettlementRules(missing=MissingMark.LATEST)
    assert settled(ticks, rules).answer() == settled(list(shuffled), rules).answer()
