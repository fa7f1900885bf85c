"""A listing sorted for one business date: what is new, held, of another date, or no report."""

from __future__ import annotations

from datetime import date

import pytest

from hkex_ops.model import ListedReport, ReportIdentity, ReportKind
from hkex_ops.reports import ListedState, NameReading, PlannedReport, judge, plan_fetch
from tests.reports.folders import CATALOGUE, FRIDAY, RULE, listing

NEW = ListedReport("HKCC_TP001_20230414.csv", 10)
HELD = ListedReport("HKCC_TP002_20230414.csv", 20)
MONDAYS = ListedReport("HKCC_TP001_20230417.csv", 30)
STRANGE = ListedReport("core.1234", 40)
README = ListedReport("README.txt", 50)

FOLDER = listing(NEW, README, HELD, STRANGE, MONDAYS)


def holds_one(report: ListedReport) -> bool:
    return report == HELD


def reading(code: str, day: date = FRIDAY) -> NameReading:
    return NameReading(ReportIdentity("RRS", "HKCC", code, day), RULE)


def test_every_entry_has_a_state_in_the_listings_order() -> None:
    plan = plan_fetch(FOLDER, CATALOGUE, FRIDAY, holds_one)
    assert FRIDAY == plan.business_date
    assert (
        PlannedReport(NEW, ListedState.NEW, reading("TP001")),
        PlannedReport(README, ListedState.IGNORED),
        PlannedReport(HELD, ListedState.HELD, reading("TP002")),
        PlannedReport(STRANGE, ListedState.UNRECOGNISED),
        PlannedReport(MONDAYS, ListedState.OTHER_DATE, reading("TP001", date(2023, 4, 17))),
    ) == plan.entries


@pytest.mark.parametrize("state", list(ListedState))
def test_each_state_is_asked_for_by_itself(state: ListedState) -> None:
    plan = plan_fetch(FOLDER, CATALOGUE, FRIDAY, holds_one)
    assert [entry for entry in plan.entries if entry.state is state] == list(plan.of(state))
    assert 1 == len(plan.of(state))


def test_what_is_held_is_never_fetched_again() -> None:
    plan = plan_fetch(FOLDER, CATALOGUE, FRIDAY, lambda _: True)
    assert () == plan.of(ListedState.NEW)


def test_without_a_business_date_every_date_counts() -> None:
    states = [one.state for one in judge(FOLDER, CATALOGUE, None, holds_one)]
    assert [
        ListedState.NEW,
        ListedState.IGNORED,
        ListedState.HELD,
        ListedState.UNRECOGNISED,
        ListedState.NEW,
    ] == states


def test_the_servers_modification_time_never_decides_a_business_date() -> None:
    taken = listing(ListedReport(NEW.name, 10, FOLDER.taken_at.replace(year=2024)))
    [entry] = plan_fetch(taken, CATALOGUE, FRIDAY, lambda _: False).entries
    assert ListedState.NEW is entry.state


@pytest.mark.parametrize("kind", [kind for kind in ReportKind if kind is not ReportKind.FILE])
def test_only_a_plain_file_is_ever_fetched(kind: ReportKind) -> None:
    dressed_up = ListedReport(NEW.name, NEW.size_bytes, kind=kind)
    [entry] = plan_fetch(listing(dressed_up), CATALOGUE, FRIDAY, lambda _: False).entries
    assert PlannedReport(dressed_up, ListedState.UNRECOGNISED) == entry


def test_an_empty_folder_makes_an_empty_plan() -> None:
    assert () == plan_fetch(listing(), CATALOGUE, FRIDAY, lambda _: False).entries
