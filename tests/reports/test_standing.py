"""Expected against held: which is which, and how each report stands."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from hkex_ops.config.catalogues import structure_catalogue
from hkex_ops.config.shipped import load_calendar
from hkex_ops.model import HONG_KONG
from hkex_ops.reports import (
    DayStanding,
    HeldReport,
    NameReading,
    ReportState,
    digest_of,
    expected_reports,
    metrics_text,
    obligations_of,
    stand,
)

DAY = date(2023, 4, 14)
NIGHT = datetime(2023, 4, 15, 6, 0, tzinfo=HONG_KONG)
CALENDAR = load_calendar()
CATALOGUE = structure_catalogue(
    """\
[[reports]]
service = "RRS"
houses = ["HKCC", "SEOCH"]
codes = ["RP008"]
name = "{house}_{code}_{business_date:YYYYMMDD}.csv"
case = "any"
due = [{ on = "unscheduled", houses = ["HKCC"] }]
obligation = { what = "fund it", by = "16:00 2 business days later", source = "the notice" }

[[reports]]
service = "RRS"
house = "HKCC"
codes = ["TP001"]
name = "{code}_{business_date:YYYYMMDD}_{session}.{part}"
sessions = { "T" = "T", "T+1" = "T1" }
parts = { control = "ctl", data = "dat" }
due = [{ session = "T", by = "20:00" }, { session = "T+1", by = "04:00+1", grace_min = 180 }]

[[reports]]
service = "RRS"
house = "HKCC"
codes = ["RPI"]
name = "rpi{business_date:YYYYMMDD}-{instance:hhmm}"
due = [
  { times = ["09:00", "09:30", "00:15+1"], tolerance_min = 20 },
  { times = ["14:30"], if_applicable = true },
]
""",
    document="standing.toml",
)


def held(*names: str, version: int = 1) -> list[HeldReport]:
    found: list[HeldReport] = []
    for name in names:
        reading = read(name)
        found.append(HeldReport(name, reading, version, "", NIGHT))
    return found


def read(name: str) -> NameReading:
    reading = CATALOGUE.read("RRS", name)
    assert reading is not None, name
    return reading


def states(
    there: list[HeldReport], now: datetime = NIGHT, *listed: str
) -> dict[tuple[str, str], ReportState]:
    """The state of each report by code and by session or instance."""
    expected = expected_reports(CATALOGUE, CALENDAR, "RRS", DAY)
    stood = stand(expected, there, CATALOGUE, now, listed=[read(name) for name in listed])
    return {
        (of.code, one.session or of.instance or ""): one.state
        for one in stood
        for of in [one.expected or one.identity]
        if of is not None
    }


def test_a_set_is_held_when_every_file_of_it_is() -> None:
    """Half a set is late or missing as if nothing were there, and its lack is named."""
    half = held("TP001_20230414_T.ctl", "TP001_20230414_T1.ctl", "TP001_20230414_T1.dat")
    found = states(half)
    assert (ReportState.MISSING, ReportState.HELD) == (found["TP001", "T"], found["TP001", "T+1"])
    expected = expected_reports(CATALOGUE, CALENDAR, "RRS", DAY)
    lacking = [one for one in stand(expected, half, CATALOGUE, NIGHT) if one.missing_parts]
    assert ["HKCC TP001 of 2023-04-14 T: the set is not whole, data missing"] == [
        str(one) for one in lacking
    ]


def test_sets_of_a_day_are_told_apart_by_the_time_in_their_names() -> None:
    """Near enough, each taken once, after midnight too."""
    found = states(held("rpi20230414-0911", "rpi20230414-0012"))
    assert [ReportState.HELD, ReportState.MISSING, ReportState.HELD] == [
        found["RPI", time] for time in ("09:00", "09:30", "00:15+1")
    ]
    both = states(held("rpi20230414-0918", "rpi20230414-0919"))
    assert [ReportState.HELD] * 2 == [both["RPI", time] for time in ("09:00", "09:30")]


@given(st.permutations(["0858", "0931", "0020"]), st.integers(0, 3))
def test_the_order_in_which_they_came_decides_nothing(times: list[str], count: int) -> None:
    """As many are held as came."""
    found = states(held(*(f"rpi20230414-{time}" for time in times[:count])))
    assert count == sum(
        state is ReportState.HELD for (code, _), state in found.items() if code == "RPI"
    )


def test_what_is_only_if_applicable_is_never_missing_unless_it_is_there_to_be_fetched() -> None:
    """Its absence is no fault; to leave it on the server is."""
    assert ReportState.NOT_PRODUCED is states([])["RPI", "14:30"]
    assert ReportState.MISSING is states([], NIGHT, "rpi20230414-1430")["RPI", "14:30"]


def test_what_nothing_expects_is_unexpected_unless_it_may_come_any_day() -> None:
    """RP008 of HKCC may, of SEOCH the catalogue says nothing."""
    found = stand(
        (),
        held("HKCC_RP008_20230414.csv", "SEOCH_RP008_20230414.csv", "rpi20230414-2200"),
        CATALOGUE,
        NIGHT,
    )
    assert [ReportState.HELD, ReportState.UNEXPECTED, ReportState.UNEXPECTED] == [
        one.state for one in found
    ]


def test_several_versions_and_several_names_are_told() -> None:
    """Changed, and duplicated; both are held all the same."""
    changed = held("rpi20230414-0900") + held("rpi20230414-0900", version=2)
    assert ReportState.CHANGED is states(changed)["RPI", "09:00"]
    twice = held("HKCC_RP008_20230414.csv", "hkcc_rp008_20230414.CSV")
    assert ReportState.DUPLICATED is states(twice)["RP008", ""]


@pytest.mark.parametrize(
    ("hour", "state"),
    [(3, ReportState.EXPECTED), (4, ReportState.LATE), (7, ReportState.MISSING)],
)
def test_cut_off_and_grace_are_the_first_instants_of_what_follows(
    hour: int, state: ReportState
) -> None:
    """Half open, as every window is."""
    at = datetime(2023, 4, 15, hour, 0, tzinfo=HONG_KONG)
    assert state is states([], at)["TP001", "T+1"]


def test_a_report_that_obliges_says_to_what_and_until_when() -> None:
    """Two business days after Friday, and once however many versions came."""
    notice = held("HKCC_RP008_20230414.csv") + held("HKCC_RP008_20230414.csv", version=2)
    [due] = obligations_of(notice, CALENDAR)
    assert ("fund it", datetime(2023, 4, 18, 16, 0, tzinfo=HONG_KONG), "the notice") == (
        due.what,
        due.due_at,
        due.source,
    )


def day_of(there: list[HeldReport], now: datetime = NIGHT) -> DayStanding:
    expected = expected_reports(CATALOGUE, CALENDAR, "RRS", DAY)
    return DayStanding("RRS", DAY, now, stand(expected, there, CATALOGUE, now))


def test_one_digest_for_all_that_is_missing_and_none_for_nothing() -> None:
    """Its key is the same as long as the same is missing, and another one as soon as it is not."""
    first, later = (
        digest_of([day_of([], now)], now) for now in (NIGHT, NIGHT + timedelta(hours=2))
    )
    assert first is not None
    assert later is not None
    assert first.key != later.key  # the T+1 report has become missing meanwhile
    again = digest_of([day_of([])], NIGHT + timedelta(minutes=5))
    assert again is not None
    assert first.key == again.key
    assert "RRS: 4 reports are missing for 2023-04-14" == first.subject
    assert digest_of([DayStanding("RRS", DAY, NIGHT, ())], NIGHT) is None


def test_metrics_are_the_text_that_prometheus_reads() -> None:
    """Help, type, samples; labels escaped."""
    text = metrics_text([DayStanding('R"S\\', DAY, NIGHT, (), looked_at=NIGHT)])
    assert (
        "# HELP hkex_ops_reports_missing Reports that were due and are not there.\n"
        "# TYPE hkex_ops_reports_missing gauge\n"
        'hkex_ops_reports_missing{service="R\\"S\\\\",business_date="2023-04-14"} 0\n'
    ) in text
    assert text.endswith(f"{int(NIGHT.timestamp())}\n")
