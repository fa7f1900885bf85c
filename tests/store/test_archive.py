"""What becomes of a report that arrives, and what is known of it afterwards."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest

from hkex_ops import ManualClock
from hkex_ops.errors import UsageError
from hkex_ops.evidence import digest
from hkex_ops.flows.store import Archive, Arrival, Outcome
from hkex_ops.model import ListedReport, ReportIdentity, ReportKind, SiteRole
from tests.store.reports import (
    ENDPOINT,
    FETCHED,
    FRIDAY,
    MODIFIED,
    SERVICE,
    arrival,
    listing,
    place,
    reports_of,
    seen,
)

LATER = MODIFIED + timedelta(hours=1)
MONDAY = date(2023, 4, 17)
HOME = f"reports/{SERVICE}/2023-04-14"


# -- placing -----------------------------------------------------------------------------------


def test_a_new_report_lies_under_service_date_and_name(archive: Archive) -> None:
    placed = place(archive, "TP001.csv", b"one")
    assert (Outcome.ARCHIVED, f"{HOME}/TP001.csv", 3, digest(b"one"), 1) == (
        placed.outcome,
        placed.path,
        placed.size_bytes,
        placed.sha256,
        placed.version,
    )
    assert {f"{HOME}/TP001.csv": b"one"} == reports_of(archive.folder)


def test_its_row_says_what_it_is_and_where_it_came_from(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one")
    [row] = archive.recorded()
    assert ReportIdentity(SERVICE, "HKCC", "TP001", FRIDAY, session="T") == row.identity
    assert (1, Outcome.ARCHIVED, "TP001.csv", f"{HOME}/TP001.csv") == (
        row.sequence,
        row.outcome,
        row.name,
        row.path,
    )
    assert (3, digest(b"one"), 1) == (row.size_bytes, row.sha256, row.version)
    assert (SiteRole.PRIMARY, ENDPOINT) == (row.site, row.endpoint)
    assert (MODIFIED, FETCHED) == (row.modified, row.fetched_at)


def test_an_empty_report_is_a_report(archive: Archive) -> None:
    assert Outcome.ARCHIVED is place(archive, "TP001.csv", b"").outcome
    assert {f"{HOME}/TP001.csv": b""} == reports_of(archive.folder)


def test_other_content_of_the_same_name_is_kept_beside_it(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one")
    second = place(archive, "TP001.csv", b"two", modified=LATER)
    third = place(archive, "TP001.csv", b"three", modified=LATER + timedelta(hours=1))
    assert [(Outcome.SECOND_VERSION, 2), (Outcome.SECOND_VERSION, 3)] == [
        (one.outcome, one.version) for one in (second, third)
    ]
    assert {
        f"{HOME}/TP001.csv": b"one",
        f"{HOME}/TP001.csv.v2": b"two",
        f"{HOME}/TP001.csv.v3": b"three",
    } == reports_of(archive.folder)


def test_the_same_content_with_another_time_is_only_confirmed(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one")
    again = place(archive, "TP001.csv", b"one", modified=LATER)
    assert (Outcome.SAME, f"{HOME}/TP001.csv", 1) == (again.outcome, again.path, again.version)
    assert [Outcome.ARCHIVED, Outcome.SAME] == [row.outcome for row in archive.recorded()]
    assert seen("TP001.csv", b"one", LATER) in archive.held(SERVICE)


def test_what_was_known_in_every_respect_adds_no_row(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one")
    assert Outcome.SAME is place(archive, "TP001.csv", b"one").outcome
    assert 1 == len(list(archive.recorded()))


def test_a_return_to_earlier_content_is_the_earlier_version(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one")
    place(archive, "TP001.csv", b"two", modified=LATER)
    back = place(archive, "TP001.csv", b"one", modified=LATER + timedelta(hours=1))
    assert (Outcome.SAME, 1) == (back.outcome, back.version)


def test_one_batch_is_judged_in_its_order(archive: Archive) -> None:
    batch = [
        arrival(archive, "TP001.csv", content, modified=MODIFIED + timedelta(minutes=minute))
        for minute, content in enumerate([b"one", b"two", b"one", b"two", b"three"])
    ]
    assert [
        (Outcome.ARCHIVED, 1),
        (Outcome.SECOND_VERSION, 2),
        (Outcome.SAME, 1),
        (Outcome.SAME, 2),
        (Outcome.SECOND_VERSION, 3),
    ] == [(one.outcome, one.version) for one in archive.place(batch, FETCHED)]
    assert () == archive.verify()


def test_a_batch_of_many_names_asks_for_all_of_them(archive: Archive) -> None:
    """Each file of it meets what is known of it, and nothing that is known of another."""
    names = [f"RP{number:03}.csv" for number in range(510)]
    archive.place([arrival(archive, name, b"same") for name in names], FETCHED)
    placed = archive.place([arrival(archive, name, b"same") for name in names], FETCHED)
    assert {Outcome.SAME} == {one.outcome for one in placed}
    archive.place([arrival(archive, names[0], b"other")], FETCHED)
    versions = [row.version for row in archive.recorded() if row.name == names[0]]
    assert [1, 2] == versions


def test_an_empty_batch_is_nothing(archive: Archive) -> None:
    assert () == archive.place([], FETCHED)
    assert [] == list(archive.recorded())


def test_the_same_name_on_another_business_date_is_another_report(archive: Archive) -> None:
    place(archive, "EOD.zip", b"friday")
    monday = place(archive, "EOD.zip", b"monday", day=MONDAY, modified=LATER)
    assert (Outcome.ARCHIVED, 1) == (monday.outcome, monday.version)


def test_names_that_differ_by_case_are_two_reports(archive: Archive) -> None:
    outcomes = [place(archive, name, b"one").outcome for name in ("a.csv", "A.csv")]
    assert [Outcome.ARCHIVED, Outcome.ARCHIVED] == outcomes


def test_a_file_that_vanished_is_restored_and_the_ledger_says_so(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one")
    (archive.folder / HOME / "TP001.csv").unlink()
    assert seen("TP001.csv", b"one") not in archive.held(SERVICE)
    batch = [arrival(archive, "TP001.csv", b"one") for _ in range(2)]
    outcomes = [placed.outcome for placed in archive.place(batch, FETCHED)]
    assert [Outcome.RESTORED, Outcome.SAME] == outcomes
    assert () == archive.verify()
    assert [Outcome.ARCHIVED, Outcome.RESTORED] == [row.outcome for row in archive.recorded()]


def test_a_stranger_in_the_way_is_neither_overwritten_nor_in_the_way(archive: Archive) -> None:
    (archive.folder / HOME).mkdir(parents=True)
    (archive.folder / HOME / "TP001.csv").write_bytes(b"a stranger's")
    placed = place(archive, "TP001.csv", b"one")
    assert (Outcome.SECOND_VERSION, 2) == (placed.outcome, placed.version)
    assert {
        f"{HOME}/TP001.csv": b"a stranger's",
        f"{HOME}/TP001.csv.v2": b"one",
    } == reports_of(archive.folder)
    assert [f"{HOME}/TP001.csv"] == [finding.where for finding in archive.verify()]


# -- transfers that end early ------------------------------------------------------------------


def test_a_transfer_is_not_under_its_final_name_before_it_is_placed(archive: Archive) -> None:
    arrival(archive, "TP001.csv", b"half of i")
    assert {} == reports_of(archive.folder)
    assert () == archive.verify()


def test_a_discarded_transfer_leaves_nothing(archive: Archive) -> None:
    file = archive.stage(seen("TP001.csv", b"one"))
    file.write(b"on")
    file.discard()
    file.discard()
    assert [] == list((archive.folder / ".staging").iterdir())
    with pytest.raises(UsageError, match="discarded"):
        file.write(b"e")


def test_what_was_staged_and_never_placed_goes_with_the_archive(
    folder: Path, clock: ManualClock
) -> None:
    with Archive.open(folder, clock=clock) as archive:
        arrival(archive, "TP001.csv", b"one")
    assert [] == list((folder / ".staging").iterdir())


def test_an_arrival_is_placed_once(archive: Archive) -> None:
    once = arrival(archive, "TP001.csv", b"one")
    archive.place([once], FETCHED)
    with pytest.raises(UsageError, match="placed before"):
        archive.place([once], FETCHED)


def test_large_pieces_are_hashed_beside_the_writing_and_in_order(archive: Archive) -> None:
    """The thread that hashes is begun with the first large piece and ends with the archive."""
    one, other = (archive.stage(seen(name, b"")) for name in ("one.csv", "other.csv"))
    pieces = [bytes([number]) * size for number, size in enumerate((7, 300_000, 5, 200_000) * 9)]
    for piece in pieces:
        one.write(piece)
        other.write(piece[:10])
    whole = b"".join(pieces)
    assert (len(whole), digest(whole)) == (one.size_bytes, one.sha256)
    assert digest(b"".join(piece[:10] for piece in pieces)) == other.sha256
    assert "hashing" in {thread.name for thread in threading.enumerate()}
    archive.close()
    assert "hashing" not in {thread.name for thread in threading.enumerate()}


def test_a_staged_file_knows_its_size_and_digest_as_it_grows(archive: Archive) -> None:
    file = archive.stage(seen("TP001.csv", b"one"))
    assert (0, digest(b"")) == (file.size_bytes, file.sha256)
    file.write(b"one")
    assert (3, digest(b"one")) == (file.size_bytes, file.sha256)


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a/b", "TP001.csv.v2"])
def test_a_hostile_name_is_not_even_staged(archive: Archive, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a report"):
        archive.stage(ListedReport(name, 1))


@pytest.mark.parametrize("service", ["..", "a/b", ""])
def test_a_hostile_service_name_becomes_no_folder(archive: Archive, service: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a service"):
        archive.place([arrival(archive, "TP001.csv", b"one", service=service)], FETCHED)


def test_a_name_swapped_after_staging_is_judged_again(archive: Archive) -> None:
    good = arrival(archive, "TP001.csv", b"one")
    bad = Arrival(good.file, ListedReport("../x", 3), good.identity, good.site, good.endpoint)
    with pytest.raises(UsageError, match="cannot be the name of a report"):
        archive.place([bad], FETCHED)


# -- what is held ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (seen("TP001.csv", b"one"), True),
        (seen("TP001.csv", b"four"), False),
        (seen("TP001.csv", b"one", LATER), False),
        (seen("TP002.csv", b"one"), False),
        (seen("TP001.csv", b"one", None), False),
        (ListedReport("../x", 3, MODIFIED), False),
    ],
)
def test_held_is_what_was_seen_with_this_name_size_and_time(
    archive: Archive, listed: ListedReport, expected: bool
) -> None:
    place(archive, "TP001.csv", b"one")
    assert expected is (listed in archive.held(SERVICE))


def test_what_was_seen_without_a_time_is_never_held(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one", modified=None)
    assert seen("TP001.csv", b"one", None) not in archive.held(SERVICE)


def test_one_service_does_not_hold_for_another(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one")
    assert seen("TP001.csv", b"one") not in archive.held("another")


def test_held_grows_with_the_archive(archive: Archive) -> None:
    held = archive.held(SERVICE)
    assert seen("TP001.csv", b"one") not in held
    place(archive, "TP001.csv", b"one")
    assert seen("TP001.csv", b"one") in held


def test_rows_are_given_by_service_and_business_date(archive: Archive) -> None:
    place(archive, "TP001.csv", b"one")
    place(archive, "TP001.csv", b"two", day=MONDAY)
    archive.place([arrival(archive, "TP001.csv", b"three", service="another")], FETCHED)
    assert [1, 2, 3] == [row.sequence for row in archive.recorded()]
    assert [1, 2] == [row.sequence for row in archive.recorded(service=SERVICE)]
    assert [1, 3] == [row.sequence for row in archive.recorded(business_date=FRIDAY)]
    both = archive.recorded(service=SERVICE, business_date=MONDAY)
    assert [2] == [row.sequence for row in both]


# -- listings ----------------------------------------------------------------------------------


def test_a_listing_comes_back_sorted_by_name(archive: Archive) -> None:
    folder_entry = ListedReport("sub", 4096, None, ReportKind.FOLDER)
    one, two = seen("TP001.csv", b"one"), seen("TP002.csv", b"two")
    archive.keep_listing(listing(two, folder_entry, one))
    assert listing(one, two, folder_entry) == archive.last_listing(SERVICE, FRIDAY)


def test_a_listing_keeps_names_that_no_archive_would_take(archive: Archive) -> None:
    hostile = listing(ListedReport("../x", 1), ListedReport("\udcff\ud800", 2))
    archive.keep_listing(hostile)
    assert hostile == archive.last_listing(SERVICE, FRIDAY)


def test_the_last_listing_is_the_latest_of_its_business_date(archive: Archive) -> None:
    saturday = FETCHED + timedelta(hours=12)
    archive.keep_listing(listing(seen("a", b"1")))
    archive.keep_listing(listing(seen("b", b"2"), at=saturday, site=SiteRole.SECONDARY))
    archive.keep_listing(listing(day=MONDAY))
    expected = listing(seen("b", b"2"), at=saturday, site=SiteRole.SECONDARY)
    assert expected == archive.last_listing(SERVICE, FRIDAY)
    assert listing(day=MONDAY) == archive.last_listing(SERVICE, MONDAY)


def test_where_no_listing_was_kept_there_is_none(archive: Archive) -> None:
    archive.keep_listing(listing())
    assert archive.last_listing(SERVICE, MONDAY) is None
    assert archive.last_listing("another", FRIDAY) is None


def test_an_unchanged_folder_costs_one_small_row(archive: Archive) -> None:
    entries = [seen(f"TP{number:03}.csv", b"x" * number) for number in range(1000)]
    archive.keep_listing(listing(*entries))
    size = (archive.folder / "ledger.sqlite3").stat().st_size
    for minute in range(20):
        at = FETCHED + timedelta(minutes=minute)
        archive.keep_listing(listing(*reversed(entries), at=at))
    assert (archive.folder / "ledger.sqlite3").stat().st_size - size < 20 * 2048
    assert () == archive.verify()


# -- opening again -----------------------------------------------------------------------------


def test_everything_is_there_when_it_is_opened_again(folder: Path, clock: ManualClock) -> None:
    with Archive.open(folder, clock=clock) as archive:
        place(archive, "TP001.csv", b"one")
        archive.keep_listing(listing(seen("TP001.csv", b"one")))
    with Archive.open(folder, clock=clock) as archive:
        assert seen("TP001.csv", b"one") in archive.held(SERVICE)
        assert listing(seen("TP001.csv", b"one")) == archive.last_listing(SERVICE, FRIDAY)
        assert Outcome.SECOND_VERSION is place(archive, "TP001.csv", b"two").outcome
        assert () == archive.verify()


def test_a_reader_sees_and_does_not_touch(
    folder: Path, archive: Archive, clock: ManualClock
) -> None:
    place(archive, "TP001.csv", b"one")
    with Archive.open(folder, clock=clock, read_only=True) as reader:
        assert () == reader.verify()
        assert seen("TP001.csv", b"one") in reader.held(SERVICE)
        with pytest.raises(UsageError, match="reading only"):
            reader.stage(seen("TP002.csv", b"two"))
        with pytest.raises(UsageError, match="reading only"):
            reader.keep_listing(listing())


def test_an_archive_may_be_closed_twice(folder: Path, clock: ManualClock) -> None:
    archive = Archive.open(folder, clock=clock)
    archive.close()
    archive.close()


def test_the_head_may_be_kept_elsewhere(tmp_path: Path, folder: Path, clock: ManualClock) -> None:
    head = tmp_path / "safe-place.json"
    for content in (b"one", b"two"):
        with Archive.open(folder, clock=clock, head_file=head) as archive:
            place(archive, "TP001.csv", content)
            assert () == archive.verify()
    assert head.exists()
    assert not (folder / "ledger.head").exists()


def test_many_entries_looked_up_together_are_held_as_each_for_itself(archive: Archive) -> None:
    """Names that differ in time and size, and one whose file is gone, among those that are held."""
    arrivals = [arrival(archive, f"TP{number:03}.csv", b"one") for number in range(150)]
    archive.place(arrivals, FETCHED)
    (archive.folder / HOME / "TP005.csv").unlink()
    listed = [
        *(seen(f"TP{number:03}.csv", b"one") for number in range(150)),
        seen("TP001.csv", b"one", LATER),
        seen("TP002.csv", b"other"),
        seen("TP003.csv", b"one", None),
        seen("TP999.csv", b"one"),
        seen("../TP001.csv", b"one"),
    ]
    each = archive.held(SERVICE)
    together = archive.held(SERVICE)
    together.look_up(listed)
    expected = [one in each for one in listed]
    assert 149 == sum(expected)
    assert expected == [one in together for one in listed]
