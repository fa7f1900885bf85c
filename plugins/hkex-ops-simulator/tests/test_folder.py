"""The report folder of one site."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from hkex_ops.errors import UsageError
from hkex_ops_simulator.folder import README_NAME, ReportFolder
from hkex_ops_simulator.tree import reports_of

MONDAY = date(2023, 4, 17)
WEEK = [MONDAY + timedelta(days=n) for n in range(7)]


def published(retention: int | None, days: list[date]) -> ReportFolder:
    folder = ReportFolder(retention=retention)
    for day in days:
        folder.publish(reports_of(7, day))
    return folder


def test_the_latest_business_dates_stay_and_the_earlier_ones_go() -> None:
    assert tuple(WEEK[2:]) == published(5, WEEK).business_dates()


def test_an_earlier_date_published_late_does_not_push_a_later_one_out() -> None:
    assert tuple(WEEK[1:3]) == published(2, [WEEK[1], WEEK[2], WEEK[0]]).business_dates()


def test_without_retention_everything_stays() -> None:
    assert tuple(WEEK) == published(None, WEEK).business_dates()


def test_publishing_a_date_again_changes_nothing() -> None:
    once, twice = published(5, [MONDAY]), published(5, [MONDAY, MONDAY])
    assert once.entries() == twice.entries()


def test_the_note_stays_whatever_goes() -> None:
    assert README_NAME in [entry.name for entry in published(1, WEEK).entries()]


def test_a_file_put_in_place_of_another_keeps_its_time_and_goes_with_its_date() -> None:
    folder = published(1, [MONDAY])
    before = folder.entry("HKCC_TP001_20230417.csv")
    folder.put(before.name, b"changed")
    after = folder.entry(before.name)
    assert (7, before.modified, b"changed") == (after.size_bytes, after.modified, after.content())
    folder.publish(reports_of(7, WEEK[1]))
    assert before.name not in [entry.name for entry in folder.entries()]


@pytest.mark.parametrize("name", ["", ".", "..", "inbox/a.csv", "a\0.csv"])
def test_what_is_no_file_name_cannot_be_put(name: str) -> None:
    with pytest.raises(UsageError, match="is no file name"):
        published(5, []).put(name, b"")


def test_a_file_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(UsageError, match=r"there is no NONE\.csv"):
        published(5, []).remove("NONE.csv")
