"""``hkex-ops rundown event``: what happened is entered, and the paper's rule for it is shown."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.flows.journal import read_journal
from hkex_ops.model import HONG_KONG
from tests.cli.program import Ended, Program, require_refused
from tests.cli.test_working import HKATS
from tests.render.packs import page_of

CANCELLED = "verification session cancelled"
BY = ("--by", "陳大文")
RULE = "contingency-before-seven"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(datetime(2019, 5, 5, 9, tzinfo=HONG_KONG))
    monkeypatch.setattr("hkex_ops.cli.working.system_clock", lambda: clock)


def event(program: Program, *words: str) -> Ended:
    return program.here("rundown", "event", HKATS, *words)


def entered(program: Program, at: str) -> dict[str, Any]:
    ended = event(program, CANCELLED, *BY, "--at", at, "--json")
    assert 0 == ended.code, ended
    return ended.document


@pytest.mark.parametrize(
    ("at", "applies"),
    [("2019-05-05T06:59", "yes"), ("2019-05-05T07:00", "no"), ("2019-05-05T08:59", "no")],
)
def test_the_rule_is_judged_by_when_it_happened(program: Program, at: str, applies: str) -> None:
    document = entered(program, at)
    [rule] = document["rules"]
    assert (RULE, applies, ["e-mail", "phone"], "2019-05-05T07:00:00+08:00") == (
        rule["id"],
        rule["applies"],
        rule["channels"],
        rule["before"],
    )
    assert [
        {
            "at": f"{at}:00+08:00",
            "what": CANCELLED,
            "by": "陳大文",
            "recorded": "2019-05-05T09:00:00+08:00",
            "rules": [RULE] if applies == "yes" else [],
        }
    ] == document["events"]


def test_a_person_reads_the_rule_in_the_words_of_the_paper_and_its_place(program: Program) -> None:
    ended = event(program, CANCELLED, *BY, "--at", "2019-05-05T06:50")
    told = " ".join(ended.stdout.split())
    assert f"{RULE} APPLIES: it happened at 2019-05-05 06:50, before 2019-05-05 07:00" in told
    assert "HKEX will inform CP of the ad-hoc arrangements via e-mails and/or phone calls." in told
    assert "3.3, second paragraph" in told


def test_it_is_journalled_with_the_judgement_and_nothing_is_kept_without_an_event(
    program: Program,
) -> None:
    ended = event(program)
    assert (0, "no event is entered") == (ended.code, ended.stdout.strip())
    work = program.home / ".local" / "state" / "hkex-ops" / "work"
    assert not work.exists()
    entered(program, "2019-05-05T06:50")
    [entry] = read_journal(work, HKATS)
    assert ("event-entered", CANCELLED) == (entry.kind, entry.body["what"])
    assert [
        {
            "rule": RULE,
            "applies": "yes",
            "why": "it happened at 2019-05-05 06:50, before 2019-05-05 07:00",
        }
    ] == entry.body["rules"]


def test_a_paper_without_such_rules_says_so(program: Program) -> None:
    ended = program.here("rundown", "event", "rrs-2023", "link down", *BY)
    assert 0 == ended.code, ended
    assert "the papers of rrs-2023 state no contingency rule" in ended.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((CANCELLED,), "say who, with --by"),
        (BY, "say what"),
        (("  ", *BY), "say what"),
        ((CANCELLED, *BY, "--at", "2019-05-05T09:01"), "nothing is recorded ahead of time"),
        ((CANCELLED, *BY, "--at", "yesterday"), "yesterday"),
    ],
)
def test_what_is_no_event_is_refused_and_not_kept(
    program: Program, words: tuple[str, ...], complaint: str
) -> None:
    require_refused(event(program, *words), 2, "usage", complaint)
    assert [] == json.loads(event(program, "--json").stdout)["events"]


def test_a_pack_tells_of_it_and_of_the_rule(program: Program) -> None:
    entered(program, "2019-05-05T06:50")
    ended = program.here("evidence", "pack", HKATS, "--out", "whole", "--json")
    assert 0 == ended.code, ended
    data = program.home / "whole" / "data"
    assert () == verify_evidence(program.home / "whole").findings
    [kept] = json.loads((data / "happenings.json").read_text("utf-8"))["events"]
    assert (CANCELLED, {RULE: "yes"}) == (kept["what"], kept["rules"])
    page = page_of((data / "summary.html").read_text("utf-8"))
    assert CANCELLED in page.text
    assert f"{RULE}: yes" in page.text
