"""What three papers tell of 22 January 2010: every row, every turning point, every figure."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from hkex_ops.config.shipped import load_calendar, load_incidents
from hkex_ops.incidents import accounts_of, chronology_of, disagreements
from hkex_ops.model import HONG_KONG, Bound, Certainty, ChronologyRow, Figure, MomentKind

INCIDENT = load_incidents(load_calendar())["hsil-2010"]


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2010, 1, 22, hour, minute, second, tzinfo=HONG_KONG)


def clock(bound: Bound | None) -> str | None:
    """A bound on the day itself: 10:02, with ~ where it is approximate."""
    if bound is None:
        return None
    if bound.at is None:
        return str(bound)
    about = "~" if bound.certainty is Certainty.APPROXIMATE else ""
    pattern = "%H:%M:%S" if bound.at.second else "%H:%M"
    return f"{about}{bound.at:{pattern}}"


def times(rows: tuple[ChronologyRow, ...]) -> list[tuple[str | None, str | None]]:
    return [(clock(row.at), clock(row.until)) for row in rows]


def rows_of(teller: str) -> tuple[ChronologyRow, ...]:
    return tuple(row for row in INCIDENT.chronology if row.teller == teller)


def told(moment: str) -> list[tuple[str, str | None]]:
    return [(one.teller, clock(one.at)) for one in accounts_of(INCIDENT, moment)]


def figure(id: str) -> Figure:
    [found] = [one for one in INCIDENT.figures if one.id == id]
    return found


# -- the tellers and their rows -------------------------------------------------------------------


def test_three_tellers_are_kept_apart() -> None:
    assert ["sfc", "hsil", "hkex"] == [teller.id for teller in INCIDENT.tellers]
    assert 3 == len({teller.paper for teller in INCIDENT.tellers})
    assert date(2010, 1, 22) == INCIDENT.business_date


def test_only_hsil_dates_its_report_to_the_day() -> None:
    assert [
        ("sfc", None, "February 2010"),
        ("hsil", date(2010, 2, 2), "2 February 2010"),
        ("hkex", None, "February 2010"),
    ] == [(one.id, one.issued, one.issued_stated) for one in INCIDENT.tellers]


def test_every_row_cites_its_own_tellers_paper() -> None:
    papers = {teller.id: teller.paper for teller in INCIDENT.tellers}
    for row in INCIDENT.chronology:
        assert papers[row.teller] == row.source.circular


def test_the_sfc_tells_six_things_with_a_time() -> None:
    assert [
        ("09:52", None),
        ("10:00", "~10:33"),
        ("10:15", None),
        ("10:30", None),
        ("~10:33", None),
        ("~10:33", None),
    ] == times(rows_of("sfc"))


def test_hsil_tells_thirteen_rows_all_approximate() -> None:
    assert [
        ("~09:52", None),
        ("~09:52", "~10:02"),
        ("~10:02", None),
        ("~10:03", "open"),
        ("~10:15", "~10:17"),
        ("~10:27", None),
        ("~10:30", "~10:32"),
        ("~10:33", None),
        ("~10:33", "~12:25"),
        ("~12:26", None),
        ("~12:25", "~17:00"),
        ("~17:08", None),
        ("~17:00", "~23:00"),
    ] == times(rows_of("hsil"))


def test_hkex_tells_nine_rows_of_the_day_and_one_of_the_next_morning() -> None:
    *day, morning = rows_of("hkex")
    assert [
        ("~09:50", "~09:55"),
        ("~10:00", "~10:30"),
        ("~10:30", "~10:35"),
        ("~11:00", "~11:30"),
        ("~11:49", None),
        ("~12:28", None),
        ("~16:48", None),
        ("~16:48", "~17:00"),
        ("~17:45", "~18:55"),
    ] == times(tuple(day))
    assert "23 January morning" == morning.stated
    assert at(0, 0) + timedelta(days=1) == morning.at.at


@pytest.mark.parametrize(
    ("expected", "teller"),
    [
        ([1, 1, 1, 1, 1, 2], "sfc"),
        ([2, 3, 2, 5, 1, 1, 1, 2, 3, 1, 1, 1, 2], "hsil"),
        ([2, 9, 3, 1, 1, 1, 1, 1, 3, 1], "hkex"),
    ],
)
def test_a_row_has_all_its_events(expected: list[int], teller: str) -> None:
    assert expected == [len(row.events) for row in rows_of(teller)]


@pytest.mark.parametrize("teller", ["hsil", "hkex"])
def test_the_stated_time_is_what_the_row_means(teller: str) -> None:
    for row in rows_of(teller):
        if row.stated == "23 January morning":
            continue
        begins, _, ends = row.stated.partition(" – ")
        assert f"~{begins.removesuffix(' onwards').zfill(5)}" == clock(row.at)
        if ends:
            assert f"~{ends.zfill(5)}" == clock(row.until)


def test_all_rows_together_are_told_by_time() -> None:
    whole = chronology_of(INCIDENT)
    assert len(INCIDENT.chronology) == len(whole)
    begins = [row.at.at for row in whole]
    assert sorted(one for one in begins if one is not None) == begins
    assert "hkex-1" == whole[0].id
    assert "hkex-10" == whole[-1].id


def test_one_tellers_rows_can_be_had_alone() -> None:
    assert {"hsil"} == {row.teller for row in chronology_of(INCIDENT, "hsil")}
    assert 13 == len(chronology_of(INCIDENT, "hsil"))


# -- the turning points ---------------------------------------------------------------------------


def test_detection_contingency_recovery_and_resumption_are_separate_moments() -> None:
    kinds = {moment.id: moment.kind for moment in INCIDENT.moments}
    assert MomentKind.DETECTED is kinds["error-message"]
    assert MomentKind.CONTINGENCY is kinds["contingency-mode"]
    assert MomentKind.RECOVERED is kinds["calculation-recovered"]
    assert MomentKind.RESUMED is kinds["dissemination-resumed"]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("matching-indicator", [("hsil", "09:50")]),
        ("error-message", [("sfc", "09:52"), ("hsil", "~09:52"), ("hsil", "~09:52")]),
        ("late-opening-indexes", [("hkex", "09:52")]),
        ("first-contact", [("sfc", "09:52"), ("hsil", "~09:52"), ("hkex", "~09:50")]),
        ("last-real-time-indexes", [("hsil", "10:00:15")]),
        ("interruption-began", [("sfc", "10:00"), ("hsil", "10:00"), ("hkex", "~10:00")]),
        ("contingency-mode", [("hsil", "~10:02"), ("hsil", "~10:02")]),
        ("contingency-notified", [("hsil", "~10:05"), ("hkex", "~10:05")]),
        ("first-snapshot-calculated", [("sfc", "10:15"), ("hsil", "10:15"), ("hkex", "10:15")]),
        ("first-snapshot-sent", [("hsil", "10:17")]),
        ("second-snapshot-calculated", [("sfc", "10:30"), ("hsil", "10:30"), ("hkex", "10:30")]),
        ("second-snapshot-sent", [("hsil", "10:32")]),
        ("mandatory-call-event", [("hkex", "10:30:30")]),
        ("hsi-resumed", [("hsil", "10:32:45"), ("hkex", "10:32:45")]),
        ("h-share-index-resumed", [("hsil", "10:33"), ("hkex", "10:33")]),
        ("hkex-press-release", [("hkex", "~11:49")]),
        ("call-time-confirmed", [("hkex", "~16:48")]),
        ("second-press-release", [("hsil", "~17:08")]),
        ("trade-files-sent", [("hkex", "17:47")]),
        ("cancellations-notified", [("hkex", "open")]),
    ],
)
def test_a_moment_is_told_by_whom_and_when(
    moment: str, expected: list[tuple[str, str | None]]
) -> None:
    assert expected == told(moment)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("calculation-recovered", [("hsil", "~10:27"), ("hsil", "~10:27"), ("hkex", "~10:30")]),
        ("interruption-ended", [("sfc", "~10:33"), ("hsil", "10:32"), ("hkex", "~10:32")]),
        (
            "dissemination-resumed",
            [("sfc", "~10:33"), ("hsil", "10:32:45"), ("hsil", "10:33"), ("hkex", "~10:33")],
        ),
        ("cbbcs-suspended", [("sfc", "~10:33"), ("hkex", "10:32:45")]),
        ("first-press-release", [("hsil", "~12:26"), ("hkex", "~12:28")]),
    ],
)
def test_the_tellers_disagree_and_both_are_kept(
    moment: str, expected: list[tuple[str, str | None]]
) -> None:
    assert expected == told(moment)
    [found] = [one for one in disagreements(INCIDENT) if one.moment.id == moment]
    assert expected == [(one.teller, clock(one.at)) for one in found.accounts]


def test_there_are_five_disagreements() -> None:
    assert [
        "calculation-recovered",
        "interruption-ended",
        "dissemination-resumed",
        "cbbcs-suspended",
        "first-press-release",
    ] == [one.moment.id for one in disagreements(INCIDENT)]


def test_calculation_was_back_before_the_call_and_dissemination_after_it() -> None:
    [called] = accounts_of(INCIDENT, "mandatory-call-event")
    recovered = accounts_of(INCIDENT, "calculation-recovered")[0]
    resumed = accounts_of(INCIDENT, "hsi-resumed")[0]
    assert called.at.at is not None
    assert recovered.at.at is not None
    assert resumed.at.at is not None
    assert recovered.at.at < called.at.at < resumed.at.at


# -- systems, figures, statements -----------------------------------------------------------------


def test_what_was_affected_and_what_was_not() -> None:
    assert {
        "Hang Seng family of indexes",
        "RTI",
        "RTI, message-capturing module",
        "dissemination of the indexes through HKEx",
        "AMS/3",
        "CBBCs on the HSI",
        "products on HSI and HSCEI",
    } == {one.name for one in INCIDENT.affected}
    assert {
        "MDF",
        "contingency plan",
        "securities and derivatives markets",
        "trading, clearing and settlement of index products",
    } == {one.name for one in INCIDENT.unaffected}


@pytest.mark.parametrize(
    ("id", "value", "instant"),
    [
        ("hsi-at-resumption", "20511.75", at(10, 32, 45)),
        ("hscei-at-resumption", "11747.41", at(10, 33)),
        ("hsi-day-low", "20496.05", at(10, 30, 30)),
    ],
)
def test_an_index_level_is_exact_and_of_an_instant(id: str, value: str, instant: datetime) -> None:
    found = figure(id)
    assert Decimal(value) == found.value
    assert found.at is not None
    assert instant == found.at.at


@pytest.mark.parametrize(
    ("id", "value"),
    [
        ("call-level", 20500),
        ("cbbcs-suspended-sfc", 13),
        ("cbbcs-suspended-hkex", 13),
        ("post-call-trades", 15),
        ("cbbcs-with-cancelled-trades", 6),
        ("turnover-cancelled", 47220),
        ("participants-notified", 18),
        ("public-enquiries", 31),
        ("public-enquiries-on-interruption", 27),
        ("public-enquiries-on-calls", 4),
        ("media-enquiries-hkex", 39),
        ("journalists-hsil", 30),
        ("real-time-indexes", 47),
        ("warrants-on-hsi", 348),
        ("cbbcs-on-hsi", 734),
        ("warrants-on-hscei", 57),
        ("cbbcs-on-hscei", 53),
    ],
)
def test_a_figure_is_as_told(id: str, value: int) -> None:
    assert value == figure(id).value


def test_the_public_enquiries_add_up() -> None:
    parts = figure("public-enquiries-on-interruption"), figure("public-enquiries-on-calls")
    assert figure("public-enquiries").value == sum(one.value for one in parts)


def test_participants_were_told_before_six_and_files_went_out_until_after_it() -> None:
    [phone] = accounts_of(INCIDENT, "cancellations-notified")
    [files] = accounts_of(INCIDENT, "trade-files-sent")
    assert phone.until is not None
    assert files.until is not None
    assert (at(18, 0), at(18, 13)) == (phone.until.at, files.until.at)


def test_statements_are_sorted_by_what_they_are_about() -> None:
    assert {
        "cause": 3,
        "impact": 3,
        "decision": 2,
        "communication": 4,
        "remedy": 4,
        "follow-up": 18,
        "oversight": 2,
    } == Counter(one.kind.value for one in INCIDENT.statements)


def test_what_hsil_promised_has_its_time() -> None:
    due = [one.due for one in INCIDENT.statements if one.teller == "hsil" and one.due]
    assert {
        "Actions completed immediately": 2,
        "target completion within 1 month": 2,
        "target completion within 1 to 3 months": 5,
        "Medium-term measures": 1,
    } == Counter(due)
