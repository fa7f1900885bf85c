"""The folder check: count, names, kinds and sizes decide, and no snapshot is no pass."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from hkex_ops.model import ListedReport, ReportKind, SiteRole
from hkex_ops.reports import FolderComparison, FolderOutcome, compare_folders
from tests.reports.folders import listing

A, B, C = (ListedReport(name, 10) for name in "abc")
LARGER_B = ListedReport("b", 11)
LINK_B = ListedReport("b", 10, kind=ReportKind.LINK)

folders = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3)).map(
    lambda sizes: tuple(ListedReport(name, size) for name, size in sizes.items())
)


def test_the_same_names_and_sizes_are_unchanged() -> None:
    expected = FolderComparison(FolderOutcome.UNCHANGED, 2, 2)
    assert expected == compare_folders(listing(A, B), listing(B, A))
    assert "2 files, unchanged in names and sizes" == str(expected)


def test_the_folder_of_the_other_site_is_compared_alike() -> None:
    there = listing(A, B, site=SiteRole.SECONDARY)
    assert FolderOutcome.UNCHANGED is compare_folders(there, listing(A, B)).outcome


def test_without_a_snapshot_the_outcome_is_unknown() -> None:
    expected = FolderComparison(FolderOutcome.UNKNOWN, 2)
    assert expected == compare_folders(listing(A, B), None)
    assert "2 files; no snapshot of the last business date was kept" == str(expected)


def test_an_empty_snapshot_is_a_snapshot() -> None:
    assert FolderOutcome.UNCHANGED is compare_folders(listing(), listing()).outcome
    assert FolderOutcome.CHANGED is compare_folders(listing(A), listing()).outcome


@pytest.mark.parametrize(
    ("now", "then", "expected", "said"),
    [
        (
            (A, C),
            (A, B),
            FolderComparison(FolderOutcome.CHANGED, 2, 2, appeared=("c",), vanished=("b",)),
            "2 files, 2 then: 1 new, 1 gone",
        ),
        (
            (A, LARGER_B),
            (A, B),
            FolderComparison(FolderOutcome.CHANGED, 2, 2, resized=(("b", 10, 11),)),
            "2 files, 2 then: 1 of another size",
        ),
        (
            (A, B, C),
            (A,),
            FolderComparison(FolderOutcome.CHANGED, 3, 1, appeared=("b", "c")),
            "3 files, 1 then: 2 new",
        ),
        (
            (),
            (B, A),
            FolderComparison(FolderOutcome.CHANGED, 0, 2, vanished=("a", "b")),
            "0 files, 2 then: 2 gone",
        ),
        (
            (LARGER_B, C),
            (A, B),
            FolderComparison(FolderOutcome.CHANGED, 2, 2, ("c",), ("a",), (("b", 10, 11),)),
            "2 files, 2 then: 1 new, 1 gone, 1 of another size",
        ),
        (
            (A, LINK_B),
            (A, B),
            FolderComparison(
                FolderOutcome.CHANGED,
                2,
                2,
                changed_kind=(("b", ReportKind.FILE, ReportKind.LINK),),
            ),
            "2 files, 2 then: 1 of another kind",
        ),
        (
            (A, A),
            (A,),
            FolderComparison(FolderOutcome.CHANGED, 2, 1),
            "2 files, 1 then: the same names in another number",
        ),
    ],
    ids=[
        "same count, other names",
        "same names, other size",
        "more",
        "fewer",
        "all at once",
        "a link for a file",
        "one name twice",
    ],
)
def test_any_difference_of_count_names_kinds_or_sizes_is_a_change(
    now: tuple[ListedReport, ...],
    then: tuple[ListedReport, ...],
    expected: FolderComparison,
    said: str,
) -> None:
    assert expected == compare_folders(listing(*now), listing(*then))
    assert said == str(expected)


@given(folders, folders)
def test_unchanged_means_the_same_folder(
    now: tuple[ListedReport, ...], then: tuple[ListedReport, ...]
) -> None:
    outcome = compare_folders(listing(*now), listing(*then)).outcome
    assert (set(now) == set(then)) == (outcome is FolderOutcome.UNCHANGED)


@given(folders)
def test_unknown_is_never_unchanged_whatever_the_folder(now: tuple[ListedReport, ...]) -> None:
    assert FolderOutcome.UNKNOWN is compare_folders(listing(*now), None).outcome
