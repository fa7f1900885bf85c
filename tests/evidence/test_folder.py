"""The evidence folder: written once, complete or not at all, and every touched byte is found."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hkex_ops import HONG_KONG, ConfigError, ManualClock, StoreError
from hkex_ops.errors import UsageError
from hkex_ops.evidence import FindingKind, append, bag, digest
from hkex_ops.evidence.chain import format_record, parse_record
from hkex_ops.flows.evidence import EvidenceFolder, verify_evidence

START = datetime(2023, 4, 15, 14, 30, tzinfo=HONG_KONG)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def folder(tmp_path: Path, clock: ManualClock) -> Path:
    return write(tmp_path / "rrs-2023", clock)


def write(target: Path, clock: ManualClock) -> Path:
    """A small finished evidence folder."""
    with EvidenceFolder.create(target, identifier="rrs-2023", clock=clock) as evidence:
        for step in ("log-in", "compare-listing", "log-out"):
            evidence.record("step-finished", {"step": step})
            clock.advance(timedelta(minutes=1))
        evidence.add("listings/primary 100%.json", {"count": 2})
        evidence.add("note.txt", "上午")
    return target


def kinds_of(folder: Path) -> set[tuple[FindingKind, str]]:
    return {(finding.kind, finding.where) for finding in verify_evidence(folder).findings}


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# -- writing -----------------------------------------------------------------------------------


def test_a_finished_folder_verifies(folder: Path) -> None:
    report = verify_evidence(folder)
    assert ((), 3, 3) == (report.findings, report.files, report.events)


def test_closing_gives_the_seal_that_a_check_gives_too(tmp_path: Path, clock: ManualClock) -> None:
    evidence = EvidenceFolder.create(tmp_path / "e", identifier="x", clock=clock)
    seal = evidence.close()
    manifest = (tmp_path / "e" / bag.TAG_MANIFEST).read_bytes()
    assert seal == hashlib.sha256(manifest).hexdigest() == verify_evidence(tmp_path / "e").seal


def test_the_description_says_what_it_is_and_where_the_chain_ends(folder: Path) -> None:
    last = parse_record((folder / "data/events.jsonl").read_bytes().splitlines(keepends=True)[-1])
    entries = dict(bag.parse_info((folder / bag.BAG_INFO).read_bytes()))
    assert {
        "External-Identifier": "rrs-2023",
        "Bagging-Date": "2023-04-15",
        "Chain-Head": f"3 sha256:{last.digest}",
    }.items() <= entries.items()
    assert entries["Bag-Software-Agent"].startswith("hkex-ops ")
    sizes = [path.stat().st_size for path in files_of(folder / "data")]
    assert f"{sum(sizes)}.{len(sizes)}" == entries["Payload-Oxum"]


def test_a_tool_that_knows_only_sha256sum_agrees(tmp_path: Path, clock: ManualClock) -> None:
    with EvidenceFolder.create(tmp_path / "e", identifier="x", clock=clock) as evidence:
        evidence.add("listing one.json", {})
    for manifest in (bag.PAYLOAD_MANIFEST, bag.TAG_MANIFEST):
        subprocess.run(
            ["sha256sum", "--check", "--strict", "--quiet", manifest],
            cwd=tmp_path / "e",
            check=True,
        )


def test_events_carry_the_time_of_the_clock(folder: Path) -> None:
    lines = (folder / "data/events.jsonl").read_bytes().splitlines(keepends=True)
    expected = [(START + timedelta(minutes=n)).isoformat() for n in range(3)]
    assert expected == [parse_record(line).at for line in lines]


def test_a_folder_that_holds_something_is_never_written_to(
    folder: Path, clock: ManualClock
) -> None:
    before = {path: path.read_bytes() for path in files_of(folder)}
    with pytest.raises(StoreError, match="never overwritten"):
        EvidenceFolder.create(folder, identifier="x", clock=clock)
    assert before == {path: path.read_bytes() for path in files_of(folder)}


def test_an_empty_folder_may_become_the_evidence(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "e").mkdir()
    assert () == verify_evidence(write(tmp_path / "e", clock)).findings


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_target_that_is_no_folder_is_refused(
    tmp_path: Path, clock: ManualClock, kind: str
) -> None:
    target = tmp_path / "e"
    if kind == "file":
        target.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="never overwritten"):
        EvidenceFolder.create(target, identifier="x", clock=clock)


def test_a_missing_parent_is_named(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(StoreError, match=r"parent .*/nowhere is not there"):
        EvidenceFolder.create(tmp_path / "nowhere" / "e", identifier="x", clock=clock)


def test_a_target_filled_meanwhile_is_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    evidence = EvidenceFolder.create(tmp_path / "e", identifier="x", clock=clock)
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "mine").write_text("mine")
    with pytest.raises(StoreError, match="nothing is ever overwritten"):
        evidence.close()
    assert ["mine"] == [path.name for path in (tmp_path / "e").iterdir()]


def test_an_interrupted_run_leaves_nothing_that_looks_finished(
    tmp_path: Path, clock: ManualClock
) -> None:
    def interrupted() -> None:
        with EvidenceFolder.create(tmp_path / "e", identifier="x", clock=clock) as evidence:
            evidence.record("step-started", {})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ["e.partial"] == [path.name for path in tmp_path.iterdir()]
    assert (FindingKind.MISSING, bag.BAG_DECLARATION) in kinds_of(tmp_path / "e.partial")
    with pytest.raises(StoreError, match=r"e\.partial: an interrupted run left it"):
        EvidenceFolder.create(tmp_path / "e", identifier="x", clock=clock)


@pytest.mark.parametrize(
    "path", ["events.jsonl", "a", "../a", "/a", "", "a//b", ".hidden", "a/./b", "line\nend"]
)
def test_a_path_that_is_taken_or_leads_astray_is_refused(
    tmp_path: Path, clock: ManualClock, path: str
) -> None:
    with EvidenceFolder.create(tmp_path / "e", identifier="x", clock=clock) as evidence:
        evidence.add("a", b"first")
        with pytest.raises(UsageError):
            evidence.add(path, b"second")
    assert b"first" == (tmp_path / "e/data/a").read_bytes()
    assert () == verify_evidence(tmp_path / "e").findings


def test_a_description_of_two_lines_is_refused_before_anything_is_written(
    tmp_path: Path, clock: ManualClock
) -> None:
    with pytest.raises(UsageError, match="one line"):
        EvidenceFolder.create(tmp_path / "e", identifier="x\ny", clock=clock)
    assert [] == list(tmp_path.iterdir())


def test_closed_evidence_takes_no_more(tmp_path: Path, clock: ManualClock) -> None:
    evidence = EvidenceFolder.create(tmp_path / "e", identifier="x", clock=clock)
    evidence.close()
    with pytest.raises(UsageError, match="closed"):
        evidence.record("late", {})


# -- checking ----------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_the_operators_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no evidence folder"):
        verify_evidence(tmp_path / "nowhere")


def test_a_folder_that_is_no_evidence_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"...")
    with pytest.raises(ConfigError, match="holds no evidence"):
        verify_evidence(tmp_path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_touched_byte_of_any_file_is_found(folder: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files_of(folder)))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content)))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    touched = data.draw(
        st.sampled_from(
            [
                content[:place],
                content[:place] + byte + content[place:],
                content[:place] + byte + content[place + 1 :],
                content[: max(place - 1, 0)] + content[place:],
            ]
        ).filter(lambda other: other != content)
    )
    path.write_bytes(touched)
    try:
        assert verify_evidence(folder).findings
    finally:
        path.write_bytes(content)


def test_every_missing_file_is_found(folder: Path) -> None:
    for path in files_of(folder):
        content = path.read_bytes()
        path.unlink()
        where = path.relative_to(folder).as_posix()
        assert (FindingKind.MISSING, where) in kinds_of(folder)
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["extra.txt", "data/extra.txt", "data/listings/deep/extra"])
def test_an_added_file_is_found(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"")
    assert {(FindingKind.ADDED, name)} == kinds_of(folder)


def test_a_file_replaced_by_a_link_to_its_own_content_is_found(
    folder: Path, tmp_path: Path
) -> None:
    note = folder / "data/note.txt"
    shutil.copy(note, tmp_path / "copy")
    note.unlink()
    note.symlink_to(tmp_path / "copy")
    assert {(FindingKind.CHANGED, "data/note.txt")} == kinds_of(folder)


def test_a_planted_pipe_does_not_hold_the_check_up(folder: Path) -> None:
    os.mkfifo(folder / "data/pipe")
    assert (FindingKind.ADDED, "data/pipe") in kinds_of(folder)


def rewrite_payload_manifests(folder: Path) -> None:
    """What a forger does who mends the manifests but forgets the chain."""
    for name, below in ((bag.PAYLOAD_MANIFEST, folder / "data"), (bag.TAG_MANIFEST, folder)):
        paths = files_of(below) if below != folder else [p for p in folder.iterdir() if p.is_file()]
        digests = {
            path.relative_to(folder).as_posix(): digest(path.read_bytes())
            for path in paths
            if path.name != bag.TAG_MANIFEST
        }
        (folder / name).write_bytes(bag.format_manifest(digests))


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ([0, 1], {(FindingKind.MISSING, "data/events.jsonl, record 3")}),
        ([0, 2], {(FindingKind.MISSING, "data/events.jsonl, record 2")}),
        (
            [0, 2, 1],
            {
                (FindingKind.MISSING, "data/events.jsonl, record 2"),
                (FindingKind.REORDERED, "data/events.jsonl, record 2"),
            },
        ),
        ([0, 1, 1, 2], {(FindingKind.REORDERED, "data/events.jsonl, record 2")}),
    ],
)
def test_events_removed_or_moved_are_found_though_the_manifests_were_mended(
    folder: Path, order: list[int], found: set[tuple[FindingKind, str]]
) -> None:
    events = folder / "data/events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(lines[place] for place in order))
    rewrite_payload_manifests(folder)
    assert found == kinds_of(folder)


def test_an_event_rewritten_with_all_that_follow_is_found_by_the_head(folder: Path) -> None:
    events = folder / "data/events.jsonl"
    records = [parse_record(line) for line in events.read_bytes().splitlines(keepends=True)]
    forged = append(records[1].head, START, "step-finished", {"step": "forged"})
    events.write_bytes(b"".join(map(format_record, [*records[:2], forged])))
    rewrite_payload_manifests(folder)
    assert {(FindingKind.CHANGED, "data/events.jsonl, record 3")} == kinds_of(folder)


def test_a_description_without_the_head_is_found(folder: Path) -> None:
    (folder / bag.BAG_INFO).write_bytes(b"External-Identifier: rrs-2023\n")
    rewrite_payload_manifests(folder)
    assert {(FindingKind.UNREADABLE, bag.BAG_INFO)} == kinds_of(folder)


def test_a_bag_rewritten_throughout_has_another_seal(folder: Path) -> None:
    """The one forgery that nothing inside a bag can show."""
    before = verify_evidence(folder)
    (folder / "data/note.txt").write_text("forged")
    rewrite_payload_manifests(folder)
    after = verify_evidence(folder)
    assert () == after.findings
    assert before.seal != after.seal
