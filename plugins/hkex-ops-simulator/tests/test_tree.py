"""The invented report tree."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from hkex_ops.config.catalogues import structure_catalogue
from hkex_ops.config.shipped import load_calendar
from hkex_ops.model import HONG_KONG, ReportIdentity
from hkex_ops.reports import expected_reports
from hkex_ops_simulator.configuration import catalogue_text
from hkex_ops_simulator.folder import README_NAME
from hkex_ops_simulator.tree import CODES, HOUSES, SimulatedReport, reports_of

FRIDAY = date(2023, 4, 14)
SATURDAY = date(2023, 4, 15)
KIB = 1024
MIB = 1024 * KIB


def texts(reports: tuple[SimulatedReport, ...]) -> dict[str, bytes]:
    return {report.name: report.content() for report in reports}


def at(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=HONG_KONG)


def test_the_same_seed_and_date_give_the_same_reports_to_the_byte() -> None:
    assert reports_of(7, FRIDAY) == reports_of(7, FRIDAY)
    assert texts(reports_of(7, FRIDAY)) == texts(reports_of(7, FRIDAY))


def test_another_seed_gives_other_content() -> None:
    seven, eight = texts(reports_of(7, FRIDAY)), texts(reports_of(8, FRIDAY))
    both = seven.keys() & eight.keys()
    assert [] == [name for name in both if seven[name] == eight[name]]


def test_another_date_gives_other_content() -> None:
    friday, monday = reports_of(7, FRIDAY), reports_of(7, date(2023, 4, 17))
    assert set() == set(texts(friday)) & set(texts(monday))
    assert set() == set(texts(friday).values()) & set(texts(monday).values())


def test_a_business_date_has_38_reports_over_both_houses_and_rp008_on_some() -> None:
    days = [date(2023, 1, 1) + timedelta(days=n) for n in range(365)]
    trees = {day: reports_of(7, day) for day in days}
    with_rp008 = [day for day in days if any(each.code == "RP008" for each in trees[day])]
    assert {38, 40} == {len(tree) for tree in trees.values()}
    assert with_rp008 == [day for day in days if len(trees[day]) == 40]
    assert 365 // 10 < len(with_rp008) < 365 // 3
    assert set(HOUSES) == {report.house for report in trees[FRIDAY]}


def test_every_report_says_first_that_it_is_synthetic() -> None:
    first_lines = {content.split(b"\n")[0] for content in texts(reports_of(7, FRIDAY)).values()}
    assert {b"SYNTHETIC: invented by hkex-ops-simulator; no exchange made this"} == first_lines


def test_the_size_is_known_without_the_content() -> None:
    reports = reports_of(7, FRIDAY)
    assert [len(report.content()) for report in reports] == [each.size_bytes for each in reports]


@pytest.mark.parametrize("seed", range(5))
def test_sizes_let_progress_be_seen_and_stay_fast(seed: int) -> None:
    sizes = [report.size_bytes for report in reports_of(seed, FRIDAY)]
    assert 200 < min(sizes) < KIB
    assert 150 * KIB < max(sizes) < 400 * KIB
    assert 1 * MIB < sum(sizes) < 4 * MIB


def test_a_report_appears_when_its_part_of_the_day_is_over() -> None:
    reports = reports_of(7, FRIDAY)
    intraday = [each for each in reports if each.instance is not None]
    next_day = [each for each in reports if each.code.startswith("TN")]
    evening = [each for each in reports if each not in intraday and each not in next_day]
    assert 2 == len(intraday)
    assert 6 == len(next_day)
    assert all(at(FRIDAY, 19, 0) <= each.modified < at(FRIDAY, 20, 0) for each in evening)
    assert all(at(SATURDAY, 1, 45) < each.modified < at(SATURDAY, 3, 0) for each in next_day)
    assert ["1130", "1430"] == [each.instance for each in intraday]
    assert [11, 14] == [each.modified.hour for each in intraday]


def test_the_shipped_catalogue_reads_every_name_as_what_it_is() -> None:
    catalogue = structure_catalogue(catalogue_text(), document="catalogue.toml")
    reports = reports_of(7, FRIDAY)
    assert [
        ReportIdentity("RRS", one.house, one.code, FRIDAY, instance=one.instance) for one in reports
    ] == [catalogue.identify("RRS", report.name) for report in reports]


def test_the_shipped_catalogue_knows_the_codes_and_the_note() -> None:
    catalogue = structure_catalogue(catalogue_text(), document="catalogue.toml")
    assert list(CODES) == sorted(catalogue.codes("RRS"))
    assert catalogue.ignores(README_NAME)
    assert catalogue.identify("RRS", README_NAME) is None


def test_the_shipped_catalogue_expects_what_a_day_brings() -> None:
    """Each in time, and nothing else but what may come on any day."""
    catalogue = structure_catalogue(catalogue_text(), document="catalogue.toml")
    due = {
        (one.house, one.code, (one.instance or "").replace(":", "") or None): one.due_at
        for one in expected_reports(catalogue, load_calendar(), "RRS", FRIDAY)
    }
    came = {(one.house, one.code, one.instance): one.modified for one in reports_of(7, FRIDAY)}
    unscheduled = {key for key in came if key[1] == "RP008"}
    assert came.keys() - unscheduled == due.keys()
    late = timedelta(minutes=30)
    assert all(came[key] <= at_ + late for key, at_ in due.items())
