"""What an interrupted run left is closed as far as it came: whole, and never called finished."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import StoreError
from hkex_ops.flows.evidence import EvidenceFolder, verify_evidence
from hkex_ops.flows.interrupted import BEGUN, begun_body, close_interrupted, left_by
from hkex_ops.flows.pack import rollout_document
from hkex_ops.flows.rundown import event_kind
from hkex_ops.model import Source, plain
from hkex_ops.rundown import Fail, Pass, Rundown, RundownInput, RundownStep, Skip, Start
from tests.render.packs import at, page_of, rollout_of, session

PAPER = Source("CD/1/2023", "paragraph 1")
LOG_IN = RundownStep("session-1", "log-in", "Login to the SFTP", None, PAPER)
COMPARE = RundownStep("session-1", "compare-listing", "Check the number of files", None, PAPER)
LOG_OUT = RundownStep("session-1", "log-out", "Log out", None, PAPER)
STEPS = (LOG_IN, COMPARE, LOG_OUT)
ROLLOUT = rollout_of(session("Session 1", at(14, 30), at(15, 30)))
LATER = ManualClock(at(18))


class Killed(BaseException):
    """The process is gone."""


def left(folder: Path, *, ended: int = 1) -> Path:
    """What a rehearsal leaves that is killed after ``ended`` of its steps, in the middle of one."""
    rundown = Rundown(STEPS)
    told: list[Sequence[RundownInput]] = [
        (Start(LOG_IN), Pass(LOG_IN, "in")),
        (Start(COMPARE), Fail(COMPARE, "a file is gone")),
        (Skip(LOG_OUT, "not logged in"),),
    ]
    with pytest.raises(Killed):
        write_and_die(folder / "pack", rundown, told[:ended])
    return folder / "pack.partial"


def write_and_die(target: Path, rundown: Rundown, told: Sequence[Sequence[RundownInput]]) -> None:
    clock = ManualClock(at(14, 30))
    with EvidenceFolder.create(target, identifier=ROLLOUT.id, clock=clock) as evidence:
        evidence.record(BEGUN, begun_body(ROLLOUT, STEPS, {"seed": 7}))
        evidence.add("rollout.json", rollout_document(ROLLOUT))
        for given in (given for inputs in told for given in inputs):
            clock.advance(timedelta(minutes=1))
            for event in rundown.handle(given, clock.now()):
                body = plain(event)
                assert isinstance(body, dict)
                evidence.record(event_kind(event), body)
        raise Killed


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "data" / "rundown.json").read_text("utf-8"))
    return found


def events(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "data" / "events.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_it_becomes_evidence_that_verifies_and_says_that_it_was_interrupted(
    tmp_path: Path,
) -> None:
    partial = left(tmp_path, ended=2)
    closed = close_interrupted(partial, LATER, {ROLLOUT.id: ROLLOUT})
    folder = tmp_path / "pack.interrupted"
    report = verify_evidence(folder)
    assert (folder, (), report.seal) == (
        closed.packed.folder,
        report.findings,
        closed.packed.seal,
    )
    assert (2, 3) == (closed.ended, closed.steps)
    assert not partial.exists()
    assert ("interrupted", [("log-in", "passed"), ("compare-listing", "failed")]) == (
        read(folder)["outcome"],
        [(one["step"], one["outcome"]) for one in read(folder)["steps"]],
    )
    last = events(folder)[-1]
    assert "run-interrupted" == last["kind"]
    assert {
        "closed_at": "2023-04-15T18:00:00+08:00",
        "ended": 2,
        "not_come_to": ["session-1/log-out"],
    } == last["body"]
    assert last["at"] == events(folder)[-2]["at"]


def test_its_page_shows_how_far_it_came(tmp_path: Path) -> None:
    close_interrupted(left(tmp_path), LATER, {ROLLOUT.id: ROLLOUT})
    page = page_of((tmp_path / "pack.interrupted" / "data" / "summary.html").read_text("utf-8"))
    assert "INTERRUPTED" in page.text
    assert "it was ended from outside before its end" in page.text
    [table] = [one for one in page.all("table") if one.attributes.get("class") == "steps"]
    rows = [
        [cell.text for cell in row.children][3:6]
        for row in table.all("tbody")[0].children
        if row.attributes.get("class") != "group"
    ]
    assert [
        ["passed", "in", str(PAPER)],
        ["not done", "", ""],
        ["not done", "", ""],
    ] == rows


@pytest.mark.parametrize("kept", [1, 40])
def test_half_an_event_is_dropped_and_no_other_lost(tmp_path: Path, kept: int) -> None:
    partial = left(tmp_path)
    path = partial / "data" / "events.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[0][:kept])
    close_interrupted(partial, LATER, {})
    found = (tmp_path / "pack.interrupted" / "data" / "events.jsonl").read_bytes()
    assert whole == found[: len(whole)]
    assert 1 == len(found[len(whole) :].splitlines())
    assert () == verify_evidence(tmp_path / "pack.interrupted").findings


@pytest.mark.parametrize("stands", range(6))
def test_killed_while_it_was_being_closed_it_is_interrupted_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stands: int
) -> None:
    """Whatever of the bag's own files stands already, and however half the page is."""
    partial = left(tmp_path)
    (partial / "data" / "summary.html").write_text("<html>")
    (partial / "data" / "rundown.json").write_text('{"outcome":"passed"}')
    names = [".adding", "tagmanifest-sha256.txt", "manifest-sha256.txt", "bagit.txt"]
    for name in [*names, "bag-info.txt.new"][:stands]:
        (partial / name).write_text("half")
    close_interrupted(partial, LATER, {ROLLOUT.id: ROLLOUT})
    folder = tmp_path / "pack.interrupted"
    assert () == verify_evidence(folder).findings
    assert "interrupted" == read(folder)["outcome"]


def test_a_second_one_of_the_same_name_gets_a_number(tmp_path: Path) -> None:
    for _ in range(3):
        close_interrupted(left(tmp_path), LATER, {})
    assert ["pack.interrupted", "pack.interrupted-2", "pack.interrupted-3"] == sorted(
        path.name for path in tmp_path.iterdir()
    )


def test_a_run_that_is_still_going_on_is_left_alone(tmp_path: Path) -> None:
    clock = ManualClock(at(14, 30))
    with EvidenceFolder.create(tmp_path / "pack", identifier="x", clock=clock) as evidence:
        evidence.record("something", {})
        with pytest.raises(StoreError, match="is being written: wait until that has ended"):
            close_interrupted(tmp_path / "pack.partial", LATER, {})
        evidence.record("something", {})
    assert () == verify_evidence(tmp_path / "pack").findings


def test_events_that_were_changed_are_not_closed(tmp_path: Path) -> None:
    partial = left(tmp_path)
    path = partial / "data" / "events.jsonl"
    changed = path.read_bytes().replace(b'"passed"', b'"failed"')
    path.write_bytes(changed)
    with pytest.raises(StoreError, match="is damaged after event 2"):
        close_interrupted(partial, LATER, {})
    assert changed == path.read_bytes()
    assert ["pack.partial"] == [one.name for one in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("name", "said"),
    [("pack", "no folder that an interrupted run left"), ("empty.partial", "holds no events")],
)
def test_what_no_interrupted_run_left_is_refused(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(StoreError, match=said):
        close_interrupted(tmp_path / name, LATER, {})
    assert [name] == os.listdir(tmp_path)


def test_a_description_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    partial = left(tmp_path)
    (partial / "bag-info.txt").write_bytes(b"\xff")
    with pytest.raises(StoreError, match=r"bag-info\.txt"):
        close_interrupted(partial, LATER, {})


def test_of_a_rollout_that_is_not_known_or_has_changed_there_is_no_page(tmp_path: Path) -> None:
    changed = attrs.evolve(ROLLOUT, title="Another upgrade")
    close_interrupted(left(tmp_path), LATER, {ROLLOUT.id: changed})
    folder = tmp_path / "pack.interrupted"
    assert () == verify_evidence(folder).findings
    assert not (folder / "data" / "summary.html").exists()
    assert "INTERRUPTED: 1 of 3" in (folder / "data" / "rundown.txt").read_text("utf-8")


def test_its_description_is_what_the_run_said_at_its_beginning(tmp_path: Path) -> None:
    close_interrupted(left(tmp_path), LATER, {})
    info = (tmp_path / "pack.interrupted" / "bag-info.txt").read_text("utf-8")
    assert "External-Identifier: rrs-2023" in info
    assert 1 == info.count("Chain-Head")


def test_who_left_it_is_told_by_its_first_event(tmp_path: Path) -> None:
    partial = left(tmp_path)
    assert "rrs-2023" == left_by(partial)
    shutil.rmtree(partial / "data")
    assert left_by(partial) is None
