"""The summary inside a real evidence folder: made from what is kept, and covered by the seal."""

from __future__ import annotations

from pathlib import Path

from hkex_ops import ManualClock
from hkex_ops.evidence import digest
from hkex_ops.flows.evidence import EvidenceFolder, verify_evidence
from hkex_ops.flows.summary import SUMMARY, add_summary, pack_steps
from hkex_ops.model import JsonObject, plain
from hkex_ops.rundown import (
    Abort,
    Fail,
    Pass,
    Rundown,
    RundownEvent,
    RundownStep,
    Skip,
    Start,
    Verdict,
)
from tests.render.packs import at, listing, page_of, rollout_of, session

LOG_IN = RundownStep("session-1", "log-in", "Login to the SFTP")
COMPARE = RundownStep("session-1", "compare-listing", "Check the number of files")
DOWNLOAD = RundownStep("session-1", "download", "Download one or two files")
LOG_OUT = RundownStep("session-2", "log-out", "Log out")
ROLLOUT = rollout_of(session("Session 1", at(14, 30), at(15, 30)))


def worked() -> tuple[Rundown, list[RundownEvent]]:
    """A rundown with a step tried twice, one skipped, an aborted session, one never begun."""
    rundown = Rundown([LOG_IN, COMPARE, DOWNLOAD, LOG_OUT])
    inputs = [
        Start(LOG_IN),
        Fail(LOG_IN, "nobody answers"),
        Start(LOG_IN, "the desk", "the far side is up again"),
        Pass(LOG_IN, "at 10.152.14.121:10022"),
        Skip(COMPARE, "no snapshot", "the desk"),
        Abort("session-1", "the paper was withdrawn", "the desk"),
    ]
    events = [
        event for n, one in enumerate(inputs) for event in rundown.handle(one, at(14, 30 + n))
    ]
    return rundown, events


def written(folder: Path) -> Path:
    """A closed pack with two listings, a form and a summary."""
    rundown, events = worked()
    target = folder / "pack"
    with EvidenceFolder.create(
        target, identifier=ROLLOUT.id, clock=ManualClock(at(16)), info={"Contact-Name": "Desk"}
    ) as evidence:
        evidence.record("step-started", {"step": "log-in"})
        for n, sizes in enumerate(({"a": 1}, {"a": 1, "b": 2}), start=1):
            body = plain(listing("", at(14, 30 + n), **sizes).listing)
            assert isinstance(body, dict)
            evidence.add(f"listings/0{n}.json", body)
        evidence.add("forms/confirmation.pdf", b"%PDF")
        add_summary(evidence, ROLLOUT, Verdict.ABORTED, pack_steps(rundown.states, events))
    return target


def test_the_page_is_part_of_a_whole_pack(tmp_path: Path) -> None:
    report = verify_evidence(written(tmp_path))
    assert () == report.findings


def test_it_states_the_digest_of_every_file_that_is_there(tmp_path: Path) -> None:
    target = written(tmp_path)
    text = (target / "data" / SUMMARY).read_text(encoding="utf-8")
    files = [path for path in (target / "data").rglob("*") if path.is_file()]
    others = [path for path in files if path.name != SUMMARY]
    assert 4 == len(others)
    assert [] == [path for path in others if digest(path.read_bytes()) not in text]
    head = (target / "bag-info.txt").read_text().partition("sha256:")[2].split()[0]
    assert head in text
    assert f"the fourth must print {len(files)}" in page_of(text).text


def test_every_link_of_the_page_leads_to_a_file_of_the_pack(tmp_path: Path) -> None:
    page = written(tmp_path) / "data" / SUMMARY
    found = page_of(page.read_text(encoding="utf-8"))
    links = [one.attributes["href"] for one in found.all("a")]
    assert links
    assert [] == [link for link in links if not (page.parent / link).is_file()]


def test_every_attempt_and_every_step_not_come_to_is_told(tmp_path: Path) -> None:
    found = page_of((written(tmp_path) / "data" / SUMMARY).read_text(encoding="utf-8"))
    [table] = [one for one in found.all("table") if one.attributes.get("class") == "steps"]
    rows = [
        [cell.text for cell in row.children][2:5]
        for row in table.all("tbody")[0].children
        if row.attributes.get("class") != "group"
    ]
    assert [
        ["log-in Login to the SFTP", "failed", "nobody answers"],
        ["log-in Login to the SFTP", "passed", "at 10.152.14.121:10022"],
        ["compare-listing Check the number of files", "skipped", "no snapshot by the desk"],
        [
            "session aborted not come to: download",
            "abandoned",
            "the paper was withdrawn by the desk",
        ],
        ["log-out Log out", "not done", ""],
    ] == rows


def test_listings_are_read_back_from_the_pack(tmp_path: Path) -> None:
    found = page_of((written(tmp_path) / "data" / SUMMARY).read_text(encoding="utf-8"))
    assert "1 new: b" in found.text


def test_the_same_work_gives_the_same_page(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    pages = [(written(folder) / "data" / SUMMARY).read_bytes() for folder in (one, other)]
    assert pages[0] == pages[1]


def test_a_file_beside_the_listings_that_is_none_is_no_listing(tmp_path: Path) -> None:
    rundown, events = worked()
    strange: JsonObject = {"not": "a listing"}
    with EvidenceFolder.create(
        tmp_path / "pack", identifier="x", clock=ManualClock(at(16))
    ) as evidence:
        evidence.add("listings/01.json", strange)
        add_summary(evidence, ROLLOUT, Verdict.ABORTED, pack_steps(rundown.states, events))
    text = (tmp_path / "pack" / "data" / SUMMARY).read_text(encoding="utf-8")
    assert "Folder listings" not in text
    assert "listings/01.json" in text
