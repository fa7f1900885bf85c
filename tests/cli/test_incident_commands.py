"""``hkex-ops incident`` and ``contacts``: what is entered, shown, compared, reported, refused."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.model import HONG_KONG
from tests.cli import folder_source
from tests.cli.desk import CATALOGUE, Desk
from tests.cli.program import Ended, Program, require_refused

DAY = ("--on", "2010-01-22")
BY = ("--by", "duty desk")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """The clock of every command in this process."""
    clock = ManualClock(datetime(2010, 1, 22, 10, 40, tzinfo=HONG_KONG))
    monkeypatch.setattr("hkex_ops.cli.working.system_clock", lambda: clock)
    return clock


@pytest.fixture
def desk(program: Program, clock: ManualClock) -> Program:
    """A desk with one open incident, ``one``."""
    ended = incident(
        program,
        *("open", "Index dissemination stopped", "An error message appeared.", "--id", "one"),
        *("--at", "about 09:52", "--owner", "head of index", "--affected", "RTI"),
    )
    assert 0 == ended.code, ended
    return program


def incident(program: Program, *words: str, by: bool = True) -> Ended:
    return program.here("incident", *words, *(BY if by else ()), "--work", "work")


def asked(program: Program, *words: str) -> Ended:
    return program.here("incident", *words, "--work", "work")


def entry(program: Program, *words: str) -> dict[str, object]:
    ended = incident(program, *words, "--json")
    assert 0 == ended.code, ended
    return ended.document


# -- what is entered -------------------------------------------------------------------------------


def test_an_incident_from_its_opening_to_its_close(desk: Program) -> None:
    for words in (
        ("state", "one", "contingency", "Switched to contingency mode.", "--at", "~10:02"),
        ("state", "one", "recovered", "--at", "10:27"),
        ("state", "one", "resumed", "--at", "10:32:45"),
        ("close", "one", "Nothing more is expected."),
    ):
        assert 0 == incident(desk, *words).code
    found = asked(desk, "show", "one", "--json").document
    assert ["detected", "contingency", "recovered", "resumed", "closed"] == [
        one["state"] for one in found["moments"]
    ]
    assert "closed" == found["state"]
    assert [] == asked(desk, "list", "--json").document["incidents"]
    assert ["one"] == [
        one["incident"] for one in asked(desk, "list", "--all", "--json").document["incidents"]
    ]


def test_told_by_phone_is_written_down_by_hand(desk: Program) -> None:
    words = ("tell", "one", "HKEX", "Contingency arrangement triggered.", "--audience", "exchange")
    found = entry(desk, *words, "--at", "10:05")
    what = found["what"]
    assert isinstance(what, dict)
    assert ("exchange", "phone", "HKEX", "duty desk", "2010-01-22T10:05:00+08:00") == (
        what["audience"],
        what["receipt"]["channel"],
        what["receipt"]["receiver"],
        what["receipt"]["told_by"],
        what["receipt"]["at"],
    )
    shown = asked(desk, "show", "one").words
    assert "Told HKEX (exchange), phone, by duty desk: Contingency arrangement triggered." in shown


def test_enquiries_figures_and_actions_are_entered(desk: Program) -> None:
    entry(desk, "enquiry", "one", "media", "about the interruption", "--count", "39")
    entry(desk, "figure", "one", "47,220", "turnover of the cancelled trades", "--unit", "HKD")
    number = entry(
        desk, "action", "one", "review", "--owner", "working group", "--due", "2010-02-22"
    )["entry"]
    entry(desk, "action", "one", "reviewed", "--done", str(number))
    found = asked(desk, "show", "one", "--json").document
    assert {"media": 39} == found["enquiries"]
    assert [("working group", "2010-02-22", "done")] == [
        (one["owner"], one["due"], one["state"]) for one in found["actions"]
    ]
    assert "47220" == found["entries"][2]["what"]["value"]


def test_a_correction_without_a_time_leaves_the_time_as_it_was(desk: Program) -> None:
    """The help of its --at says so too, and not that it would be now."""
    shown = desk.here("incident", "correct", "--help").words.replace("│ │ ", "")
    assert "as it was, if left out" in shown


def test_a_correction_shows_what_was_and_what_is(desk: Program) -> None:
    entry(desk, "note", "one", "HSIL issued press release.", "--at", "10:28", "--teller", "HKEx")
    entry(desk, "correct", "one", "2", "--at", "10:26", "--reason", "the issuer's own time")
    shown = asked(desk, "show", "one").words
    assert "2 10:26 HSIL issued press release. [HKEx]" in shown
    assert "corrected by entry 3, duty desk: the issuer's own time; the time was 10:28" in shown
    found = asked(desk, "show", "one", "--json").document
    assert "2010-01-22T10:28:00+08:00" == found["entries"][1]["when"]["at"]["at"]


def test_severity_is_judged_anew(desk: Program) -> None:
    entry(desk, "assess", "one", "--severity", "critical", "--unaffected", "clearing")
    found = asked(desk, "show", "one", "--json").document
    assert ("critical", ["clearing"], ["RTI"]) == (
        found["severity"],
        found["unaffected"],
        found["affected"],
    )


def test_a_back_dated_entry_needs_its_day(desk: Program, clock: ManualClock) -> None:
    clock.turn_to(datetime(2010, 1, 25, 9, tzinfo=HONG_KONG))
    found = entry(desk, "note", "one", "remembered", "--at", "10:05", *DAY)
    assert "2010-01-25T09:00:00+08:00" == found["recorded"]
    when = found["when"]
    assert isinstance(when, dict)
    assert "2010-01-22T10:05:00+08:00" == when["at"]["at"]


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("note", "two", "x"), "there is no incident 'two'"),
        (("note", "one", "x", "--at", "25:00"), "--at '25:00' names a day or an hour"),
        (("note", "one", "x", "--at", "soon"), "write it as 10:05"),
        (("note", "one", "x", "--at", "10:41"), "nothing is entered ahead of time"),
        (("note", "one", "x", "--on", "2010-01-22"), "--on says the day of --at"),
        (("note", "one", "x", "--about", "couse"), "did you mean 'cause'"),
        (("state", "one", "resume"), "did you mean 'resumed'"),
        (("state", "one", "detected"), "cannot reopen: incident one is detected"),
        (("tell", "one", "HKEX"), "say who HKEX is, with --audience"),
        (("tell", "one", "HKEX", "--audience", "exchnge"), "did you mean 'exchange'"),
        (("tell", "one", "--audience", "media"), "name PARTY"),
        (("enquiry", "one", "media", "x", "--count", "0"), "0 enquiries are none"),
        (("figure", "one", "many", "x"), "'many' is no number"),
        (("action", "one", "x"), "an action has an owner"),
        (("action", "one", "--done", "1"), "entry 1 is no action"),
        (("action", "one", "--dropped", "1"), "dropped for a reason"),
        (("correct", "one", "1", "--reason", "x"), "say what is right"),
        (("correct", "one", "9", "x", "--reason", "x"), "there is no entry 9"),
        (("open", "again", "--id", "one"), "incident one is open already"),
        (("open", "again", "--id", "../one"), "cannot name an incident"),
        (("open", "again", "--severity", "huge"), "there is no severity 'huge'"),
        (("assess", "one"), "a judgement says what is judged otherwise"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    desk: Program, words: tuple[str, ...], said: str
) -> None:
    before = asked(desk, "show", "one", "--json").document
    require_refused(incident(desk, *words), 2, "UsageError", said)
    require_refused(incident(desk, *words, "--json"), 2, "UsageError", said)
    assert before == asked(desk, "show", "one", "--json").document


def test_a_damaged_log_is_told_with_what_to_do(desk: Program) -> None:
    path = desk.home / "work" / "incidents" / "one" / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"stopped", b"paused!"))
    require_refused(asked(desk, "show", "one", "--json"), 6, "StoreError", "put back your backup")
    require_refused(incident(desk, "note", "one", "x"), 6, "StoreError", "put back your backup")


def test_telling_by_routes_wants_a_configuration(desk: Program) -> None:
    ended = incident(desk, "tell", "one", "--send", "It stopped.")
    require_refused(ended, 6, "ConfigError", "there must be a configuration with [notifications]")


# -- what is overdue -------------------------------------------------------------------------------

DEADLINE = """\
[[incidents.deadlines]]
stage = "initial"
anchor = "detected"
within_minutes = 30
source = "our plan, section 3"
"""


def test_an_overdue_report_is_a_finding_until_it_is_handed_out(
    desk: Program, clock: ManualClock
) -> None:
    config = desk.home / "config.toml"
    config.write_text(DEADLINE, encoding="utf-8")
    more = ("--config", "config.toml")
    ended = asked(desk, "list", *more)
    assert 1 == ended.code
    assert "OVERDUE: the initial report was due Fri 2010-01-22 10:22" in ended.words
    made = asked(desk, "report", "one", "--stage", "initial", "--issued-by", "duty desk", *more)
    assert 1 == made.code
    assert "is not handed out" in made.stdout
    assert 0 == asked(desk, "list", *more).code
    [deadline] = asked(desk, "show", "one", "--json", *more).document["deadlines"]
    assert (2, True) == (deadline["issued"], deadline["late"])


# -- reports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["html", "md", "json", "pdf"])
def test_a_report_is_written_once_and_never_over_another(desk: Program, format: str) -> None:
    if format == "pdf":
        pytest.importorskip("reportlab", reason="the extra `forms` is not installed")
    words = ("report", "one", "--stage", "initial", "--format", format, "--out", f"one.{format}")
    ended = asked(desk, *words)
    assert 0 == ended.code, ended
    assert (desk.home / f"one.{format}").stat().st_size > 500
    require_refused(asked(desk, *words, "--json"), 6, "StoreError", "nothing is ever overwritten")


def test_a_report_as_json_is_the_document(desk: Program) -> None:
    found = asked(desk, "report", "one", "--stage", "initial", "--format", "json", "--json")
    plain = asked(desk, "report", "one", "--stage", "initial", "--format", "json")
    assert found.document == json.loads(plain.stdout)
    assert ("one", "initial", "detected") == tuple(
        found.document[key] for key in ("incident", "stage", "state")
    )


def test_a_final_report_of_an_open_incident_says_what_it_lacks(desk: Program) -> None:
    ended = asked(desk, "report", "one", "--stage", "final", "--out", "final.md")
    assert 1 == ended.code
    assert "the service is not resumed: the incident is detected" in ended.words
    assert "What is missing" in (desk.home / "final.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "docx"), "there is no format 'docx'"),
        (("--form", "sfc"), "there is no form 'sfc'; known: full, hsil, hkex"),
        (("--stage", "last"), "there is no stage 'last'"),
        (("--format", "pdf"), "name it, with --out"),
    ],
)
def test_a_report_that_cannot_be_is_refused(
    desk: Program, words: tuple[str, ...], said: str
) -> None:
    require_refused(asked(desk, "report", "one", *words, "--json"), 2, "UsageError", said)


# -- two accounts ----------------------------------------------------------------------------------


def test_the_two_annexes_of_2010_disagree_and_it_is_said_where(program: Program) -> None:
    ended = program.here("incident", "compare", "hsil-2010:HSIL", "hsil-2010:HKEX", "--json")
    assert 1 == ended.code
    found = ended.document
    assert ("hsil-2010:hsil", "hsil-2010:hkex", 1) == tuple(
        found[key] for key in ("left", "right", "differing")
    )
    assert ["calculation-recovered", "dissemination-resumed", "first-press-release"] == [
        one["moment"] for one in found["moments"]
    ]
    [row] = [one for one in found["rows"] if one["differs"]]
    assert (120, "12:26", "12:28") == (
        row["apart_s"],
        row["left"]["stated"],
        row["right"]["stated"],
    )
    shown = program.here("incident", "compare", "hsil-2010:HSIL", "hsil-2010:HKEX")
    assert "! HSIL issued its first press release: hsil at around 12:26" in shown.words
    assert "DIFFERENT TIMES: the second is 2 min later" in shown.words


def test_two_tellers_of_one_log_are_compared(desk: Program) -> None:
    for teller, at in (("ours", "10:26"), ("theirs", "10:28")):
        entry(desk, "note", "one", "press release issued", "--at", at, "--teller", teller)
    ended = asked(desk, "compare", "one:OURS", "one:theirs", "--json")
    assert 1 == ended.code
    assert 1 == ended.document["differing"]


def test_an_account_agrees_with_itself(desk: Program) -> None:
    ended = asked(desk, "compare", "hsil-2010:hkex", "hsil-2010:HKEX")
    assert 0 == ended.code
    assert "the two give no times that exclude each other" in ended.words


def test_one_paper_that_gives_two_times_differs_even_from_itself(desk: Program) -> None:
    """HSIL has the dissemination resumed at 10:32:45 in one section and at 10:33 in another."""
    ended = asked(desk, "compare", "hsil-2010:hsil", "hsil-2010:hsil", "--json")
    assert ["dissemination-resumed"] == [one["moment"] for one in ended.document["moments"]]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("hsil-2011", "did you mean 'hsil-2010'"),
        ("hsil-2010:reuters", "has no teller 'reuters'; known: sfc, hsil, hkex"),
        ("one:nobody", "incident one has no teller 'nobody'; known: desk"),
    ],
)
def test_an_account_that_there_is_not_is_told(desk: Program, named: str, said: str) -> None:
    ended = asked(desk, "compare", named, "hsil-2010", "--json")
    require_refused(ended, 2, "UsageError", said)


def test_an_incident_of_the_papers_is_shown(program: Program) -> None:
    found = program.here("incident", "show", "hsil-2010", "--json").document
    assert (29, 3) == (len(found["chronology"]), len(found["tellers"]))
    assert "(papers)" in program.here("incident", "list", "--all").words


# -- contacts --------------------------------------------------------------------------------------

CONTACTS = """\
[[wanted]]
role = "designated contact person"
source = "3.3, third paragraph"

[[persons]]
id = "primary"
name = "Primary contact"
roles = ["designated contact person"]
phone = "+852 5500 0000"
email = "primary@desk.example"

[[persons.reachable]]
from = "08:30"
to = "19:00"
"""
SESSION = ("--session", "hkats-dcass-2019/post-release-verification")


def test_office_hours_reach_nobody_in_a_session_on_sunday(program: Program) -> None:
    """ "Reachable during the prescribed time": the session of 2019 was on a Sunday morning."""
    (program.home / "contacts.toml").write_text(CONTACTS, encoding="utf-8")
    ended = program.here("contacts", "check", *SESSION, "--file", "contacts.toml", "--json")
    assert 1 == ended.code
    [finding] = ended.document["findings"]
    assert ("nobody-reachable", "2019-05-05T09:00:00+08:00", "2019-05-05T12:00:00+08:00") == (
        finding["kind"],
        finding["start"],
        finding["until"],
    )
    more = CONTACTS + '\n[[persons.reachable]]\non = 2019-05-05\nfrom = "08:30"\nto = "13:00"\n'
    (program.home / "contacts.toml").write_text(more, encoding="utf-8")
    ended = program.here("contacts", "check", *SESSION, "--file", "contacts.toml")
    assert 0 == ended.code, ended
    assert "1 role can be reached throughout" in ended.words


def test_a_session_is_shown_with_who_cannot_be_reached_in_it(
    program: Program, clock: ManualClock
) -> None:
    """A desk sees it before the session, without asking for it."""
    (program.home / "contacts.toml").write_text(CONTACTS, encoding="utf-8")
    (program.home / "config.toml").write_text('[incidents]\ncontacts = "contacts.toml"\n')
    clock.turn_to(datetime(2019, 5, 4, 9, tzinfo=HONG_KONG))
    words = ("rundown", "show", "hkats-dcass-2019", "post-release-verification")
    shown = program.here(*words, "--config", "config.toml")
    assert "contacts: designated contact person: Sun 2019-05-05 09:00 to" in shown.words
    [finding] = program.here(*words, "--config", "config.toml", "--json").document["contacts"]
    assert "nobody-reachable" == finding["kind"]
    assert [] == program.here(*words, "--json").document["contacts"]


def test_every_fault_of_the_file_is_a_finding(program: Program) -> None:
    text = CONTACTS.replace('to = "19:00"', 'to = "03:00"').replace('id = "primary"', "id = 7")
    (program.home / "contacts.toml").write_text(text, encoding="utf-8")
    ended = program.here("contacts", "check", "--file", "contacts.toml", "--json")
    assert (1, ["persons[0].id"]) == (ended.code, [one["path"] for one in ended.document["faults"]])
    (program.home / "contacts.toml").write_text(text.replace("id = 7", 'id = "a"'))
    ended = program.here("contacts", "check", "--file", "contacts.toml")
    assert 1 == ended.code
    assert "write a time of the next day as 01:45+1" in ended.words


def test_the_configuration_names_the_file(program: Program) -> None:
    (program.home / "contacts.toml").write_text(CONTACTS, encoding="utf-8")
    config: Path = program.home / "config.toml"
    config.write_text('[incidents]\ncontacts = "contacts.toml"\n', encoding="utf-8")
    words = ("--from", "2019-05-06T09:00", "--to", "2019-05-06T18:00", "--config", "config.toml")
    assert 0 == program.here("contacts", "check", *words).code


@pytest.mark.parametrize(
    ("words", "code", "kind", "said"),
    [
        ((), 6, "ConfigError", "no file of designated persons is named"),
        (("--file", "none.toml"), 6, "ConfigError", "there is no file of contacts"),
        (
            (*SESSION, "--file", "contacts.toml", "--from", "2019-05-05T09:00"),
            2,
            "UsageError",
            "a session has its own window",
        ),
        (
            ("--session", "hkats-dcass-2019", "--file", "contacts.toml"),
            2,
            "UsageError",
            "write it as rrs-2023/session-1",
        ),
        (
            ("--session", "hkats-dcass-2019/verification", "--file", "contacts.toml"),
            2,
            "UsageError",
            "has no session 'verification'; did you mean",
        ),
        (
            ("--file", "contacts.toml", "--from", "2019-05-06T09:00", "--to", "2019-05-06T08:00"),
            2,
            "UsageError",
            "which is not after its start",
        ),
    ],
)
def test_a_check_that_cannot_be_is_refused(
    program: Program, words: tuple[str, ...], code: int, kind: str, said: str
) -> None:
    (program.home / "contacts.toml").write_text(CONTACTS, encoding="utf-8")
    require_refused(program.here("contacts", "check", *words, "--json"), code, kind, said)


# -- attached by itself ----------------------------------------------------------------------------


def test_a_step_of_a_session_that_fails_opens_an_incident_by_itself(
    tmp_path: Path, clock: ManualClock
) -> None:
    """The whole way: a session is worked, a server is not there, and a log is begun."""
    site, home = tmp_path / "site", tmp_path / "desk"
    folder_source.install(site, "folder-source", module=folder_source.__name__)
    (home / "exchange").mkdir(parents=True)
    (home / "catalogue.toml").write_text(CATALOGUE, encoding="utf-8")
    worker = Desk(Program(home, (site,)), home / "config.toml")
    incidents = '[incidents]\nopen_on = ["rundown/step-failed"]\n[work]\nfolder = "work"\n'
    source = 'adapter = "folder"\nservice = "RRS"\nsite = "secondary"\ndrill_reports = ["TP001"]'
    worker.configure(options={"goes_wrong": "unreachable"}, source=source, more=incidents)
    config = ("--config", "config.toml")
    for minute in (35, 36):
        clock.turn_to(datetime(2023, 4, 15, 14, minute, tzinfo=HONG_KONG))
        ended = worker.program.here("rundown", "run", "rrs-2023", "session-1", *config, "--json")
        assert 1 == ended.code, ended
    [found] = worker.program.here("incident", "list", *config, "--json").document["incidents"]
    assert ("2023-04-15-1", "major", "detected") == (
        found["incident"],
        found["severity"],
        found["state"],
    )
    shown = worker.program.here("incident", "show", "2023-04-15-1", *config, "--json").document
    kinds = [one["kind"] for one in shown["entries"]]
    assert ["incident-opened", "event-attached", "event-attached"] == kinds
    attached = shown["entries"][1]["what"]
    assert ("rundown/step-failed", "log-in") == (attached["event"], attached["details"]["step"])
