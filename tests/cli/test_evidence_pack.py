"""``hkex-ops evidence pack``: a rollout, or a session, as one folder an auditor can open."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.flows import forms
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.flows.journal import read_journal
from hkex_ops.model import HONG_KONG
from tests.cli.program import Ended, Program, require_refused
from tests.cli.test_working import HKATS, VERIFICATION, turn, write_answers
from tests.render.packs import page_of

CONFIRMATION = """
participant-full-name = "Example Securities Limited 示例證券有限公司"
participantship = "HKCC"
dcass-customer-code = "CEXM"
primary-contact-person = "Settlement Desk 結算部"
primary-contact-phone = "+852 2345 6789"
primary-contact-email = "settlement.desk@example.com"
names-of-signatories = "Settlement Desk"
date = "2019-05-05"
"""
BY = ("--by", "陳大文")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """The clock of every command in this process; forms are printed without their engine."""
    return patched(monkeypatch)


def patched(patch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock(datetime(2019, 5, 3, 9, tzinfo=HONG_KONG))
    patch.setattr("hkex_ops.cli.working.system_clock", lambda: clock)
    patch.setattr(forms, "form_pdf", lambda filled, _: f"%PDF {filled.form.id}".encode())
    return clock


def well(ended: Ended) -> Ended:
    assert ended.code in (0, 1), ended
    return ended


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the rollout of 2019 was worked from its cutover to a fallback."""
    home = tmp_path_factory.mktemp("worked") / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        work_it(Program(home), patched(patch))
    return home


@pytest.fixture
def worked(once: Path, program: Program, clock: ManualClock) -> Program:
    """A copy of it, on the day of the fallback."""
    shutil.copytree(once, program.home, dirs_exist_ok=True)
    turn(clock, "2019-05-08T10:00:00+08:00")
    return program


def work_it(program: Program, clock: ManualClock) -> None:
    home = program.home
    (home / "e.toml").write_text(CONFIRMATION, encoding="utf-8")
    (home / "services.png").write_bytes(b"picture")
    turn(clock, "2019-05-04T12:00:00+08:00")
    ticked = ("--answer", "14=yes", "--attach", "14=services.png")
    well(program.here("checklist", HKATS, *ticked, *BY))
    turn(clock, "2019-05-05T09:10:00+08:00")
    answers = write_answers(home / "answers.toml")
    fill = ("forms", "fill", HKATS, "E", "--data", "e.toml")
    well(program.here(*fill, "-o", "early.pdf"))
    run = ("rundown", "run", HKATS, VERIFICATION, "--answers", answers, "--out", "session")
    well(program.here(*run))
    turn(clock, "2019-05-05T12:15:00+08:00")
    well(program.here(*fill, "-o", "late.pdf"))
    well(program.here("rundown", "done", f"{HKATS}/form/confirmation", *BY))
    turn(clock, "2019-05-08T10:00:00+08:00")
    agreed = ("--reason", "fire in the rack", "--second", "head of operations", *BY)
    until = ("--until", "2019-05-08T18:00")
    well(program.here("override", "power-off-network-gateway", *agreed, *until))
    decided = ("--tick", "network-gateways=yes", "--decide", "--reason", "HKEX called", *BY)
    well(program.here("fallback", HKATS, *decided))


def read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "data" / name).read_text("utf-8"))
    return found


def test_a_whole_rollout_is_one_folder(worked: Program) -> None:
    ended = worked.here("evidence", "pack", HKATS, "--out", "whole", "--json")
    assert 0 == ended.code, ended
    document = ended.document
    assert (HKATS, None, "passed", "whole") == (
        document["rollout"],
        document["session"],
        document["outcome"],
        document["evidence"],
    )
    assert [(VERIFICATION, 1, "passed")] == [
        (one["session"], one["attempt"], one["outcome"]) for one in document["sessions"]
    ]
    folder = worked.home / "whole"
    report = verify_evidence(folder)
    assert ((), document["seal"], document["files"], document["events"]) == (
        report.findings,
        report.seal,
        report.files,
        report.events,
    )
    data = folder / "data"
    files = {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}
    [attached] = [path for path in files if path.startswith("attachments/14-")]
    assert b"picture" == (data / attached).read_bytes()
    assert {
        attached,
        "checklist.json",
        "events.jsonl",
        "fallback.json",
        "forms.json",
        "forms/confirmation.pdf",
        "notes.json",
        "overrides.json",
        "rollout.json",
        "rundown.json",
        "rundown.txt",
        "summary.html",
    } == files
    assert 0 == worked.here("evidence", "verify", "whole").code


def test_it_holds_forms_ticks_overrides_the_decision_and_what_was_noted(worked: Program) -> None:
    well(worked.here("evidence", "pack", HKATS, "--out", "whole"))
    folder = worked.home / "whole"
    made = read(folder, "forms.json")["forms"]
    assert [("confirmation", "forms/confirmation.pdf")] * 2 == [
        (one["form"], one["file"]) for one in made
    ]
    items = {one["number"]: one for one in read(folder, "checklist.json")["items"]}
    assert (22, "yes", "陳大文") == (
        len(items),
        items[14]["answer"]["answer"],
        items[14]["answer"]["by"],
    )
    [override] = read(folder, "overrides.json")["overrides"]
    assert "fire in the rack" == override["standing"]["granted"]["override"]["reason"]
    assert ("decided", "HKEX called") == (
        read(folder, "fallback.json")["state"],
        read(folder, "fallback.json")["decided"]["reason"],
    )
    assert [f"{HKATS}/form/confirmation"] == [
        one["item"] for one in read(folder, "notes.json")["notes"]
    ]


def test_an_auditor_reads_all_of_it_on_one_page(worked: Program) -> None:
    well(worked.here("evidence", "pack", HKATS, "--out", "whole"))
    page = page_of((worked.home / "whole" / "data" / "summary.html").read_text("utf-8"))
    heads = [one.text for one in page.all("h2")]
    assert [
        "The papers",
        "Timeline",
        "Rundown",
        "Forms made",
        "Checklist",
        "Rules set aside",
        "Fallback Plan for HKATS and DCASS Upgrade to Genium INET Platform",
        "Noted as done",
        "Restrictions and obligations",
        "Files and digests",
        "How to check this pack without our software",
    ] == heads
    for words in (
        "services.png",
        "fire in the rack",
        "陳大文 and head of operations",
        "DECIDED at 10:00 on Wednesday 8 May 2019, recorded by 陳大文: HKEX called",
        "“CP must retain and keep their NGs POWERED ON.”",
    ):
        assert words in page.text
    data = worked.home / "whole" / "data"
    links = [one.attributes["href"] for one in page.all("a")]
    assert [] == [link for link in links if not (data / link).is_file()]


def test_a_session_holds_the_forms_that_were_made_for_it(worked: Program) -> None:
    """The one made before the session ended is in its evidence already, the other in a new one."""
    first = worked.home / "session"
    assert b"%PDF confirmation" == (first / "data" / "forms" / "confirmation.pdf").read_bytes()
    assert 1 == len(read(first, "forms.json")["forms"])
    words = ("evidence", "pack", HKATS, "--session", VERIFICATION, "--out", "again", "--json")
    ended = worked.here(*words)
    assert (0, VERIFICATION) == (ended.code, ended.document["session"])
    again = worked.home / "again"
    assert () == verify_evidence(again).findings
    assert 2 == len(read(again, "forms.json")["forms"])
    events = (again / "data" / "events.jsonl").read_text("utf-8")
    assert 2 == events.count('"kind":"form-made"')
    assert not (again / "data" / "overrides.json").exists()


def test_an_override_that_held_in_a_session_is_in_its_evidence(
    program: Program, clock: ManualClock
) -> None:
    turn(clock, "2019-05-05T09:05:00+08:00")
    agreed = ("--reason", "HKEX asked", "--second", "b", *BY, "--until", "2019-05-05T10:00")
    well(program.here("override", "use-secondary-site", *agreed))
    turn(clock, "2019-05-05T09:10:00+08:00")
    answers = write_answers(program.home / "answers.toml")
    run = ("rundown", "run", HKATS, VERIFICATION, "--answers", answers, "--out", "session")
    well(program.here(*run))
    [told] = read(program.home / "session", "overrides.json")["overrides"]
    assert "HKEX asked" == told["standing"]["granted"]["override"]["reason"]
    text = (program.home / "session" / "data" / "events.jsonl").read_text("utf-8")
    assert '"kind":"override-granted"' in text


def test_without_a_place_it_goes_to_evidence_by_name_and_time(worked: Program) -> None:
    ended = worked.here("evidence", "pack", HKATS, "--json")
    assert f"evidence/{HKATS}-20190508T100000" == ended.document["evidence"]
    said = worked.here("evidence", "pack", HKATS, "--session", VERIFICATION).words
    assert f"evidence verify evidence/{HKATS}-{VERIFICATION}-20190508T100000" in said
    assert "PASSED" in said


@pytest.mark.parametrize(
    ("words", "code", "kind", "said"),
    [
        (("hkats-dcass-2018",), 2, "UsageError", "did you mean 'hkats-dcass-2019'"),
        ((HKATS, "--session", "verification"), 2, "UsageError", f"its sessions: {VERIFICATION}"),
        (("rrs-2023",), 2, "UsageError", "nothing was kept of rrs-2023 in"),
        ((HKATS, "--work", "elsewhere"), 2, "UsageError", "elsewhere: there is nothing to pack"),
        ((HKATS, "--out", "session"), 6, "StoreError", "is there already"),
        ((HKATS, "--out", "missing/pack"), 6, "StoreError", "is no folder: make it first"),
    ],
)
def test_what_cannot_be_packed_is_refused_and_nothing_is_left(
    worked: Program, words: tuple[str, ...], code: int, kind: str, said: str
) -> None:
    before = sorted(path.name for path in worked.home.iterdir())
    require_refused(worked.here("evidence", "pack", *words, "--json"), code, kind, said)
    assert before == sorted(path.name for path in worked.home.iterdir())


def test_a_session_that_was_never_begun_is_refused(program: Program, clock: ManualClock) -> None:
    turn(clock, "2019-05-04T12:00:00+08:00")
    well(program.here("checklist", HKATS, "--answer", "14=yes", *BY))
    words = ("evidence", "pack", HKATS, "--session", VERIFICATION, "--json")
    require_refused(program.here(*words), 2, "UsageError", "was never begun")
    assert not (program.home / "evidence").exists()


def test_a_kept_file_that_was_changed_becomes_no_evidence(worked: Program) -> None:
    work = worked.home / ".local" / "state" / "hkex-ops" / "work"
    [kept] = (work / HKATS / "kept" / "forms").iterdir()
    kept.write_bytes(b"%PDF something else")
    ended = worked.here("evidence", "pack", HKATS, "--out", "whole", "--json")
    require_refused(ended, 6, "StoreError", "is not what it was when it was kept")
    assert not (worked.home / "whole").exists()
    assert "pack-made" not in [entry.kind for entry in read_journal(work, HKATS)]
