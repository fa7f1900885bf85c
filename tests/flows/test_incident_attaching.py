"""Events of the streams attach by themselves to open incidents, as the configuration says."""

from __future__ import annotations

import threading
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from hkex_ops.clock import ManualClock
from hkex_ops.config.incidents import IncidentSettings
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import ConfigError, StoreError
from hkex_ops.flows.incidents import IncidentStore, attach
from hkex_ops.flows.index.events import JournalFailed, MessageQuarantined, event_document
from hkex_ops.flows.occurring import (
    Occurrences,
    hearers_of,
    occurrence_of_run,
    occurrence_of_step,
)
from hkex_ops.incidents import Attach, Close, Given, OpenIncident, TimeTold
from hkex_ops.index.contingency import ContingencyMode, ModeChanged
from hkex_ops.model import Occurrence, Severity, SiteRole
from hkex_ops.rundown import RundownStep, SessionAborted, StepFinished, StepStarted, StepState
from tests.incidents.day_of_2010 import DAY, at

CLOCK = ManualClock(at(12))
STEP = RundownStep("session-1", "log-in", "Log in", None)
MODE = ModeChanged(
    at(10, 2),
    "contingency-1",
    SiteRole.PRIMARY,
    ContingencyMode.STANDBY,
    ContingencyMode.ACTIVE,
    "nothing goes out",
)


def occurrence(event: str = "index/mode-changed", key: str = "k1") -> Occurrence:
    return Occurrence(event, key, at(10, 2), Severity.MAJOR, {"mode": "contingency"})


def opened(work: Path, id: str = "one") -> IncidentStore:
    store = IncidentStore(work, CLOCK)
    what = OpenIncident("It stopped", Severity.MAJOR, DAY)
    store.open(Given(what, "desk", TimeTold.exactly(at(10))), id)
    return store


def attached(store: IncidentStore, id: str = "one") -> list[tuple[str, str]]:
    return [
        (one.what.event, one.text)
        for one in store.read(id).view.standing
        if isinstance(one.what, Attach)
    ]


ATTACH = IncidentSettings(attach=("index/*",))


def test_an_event_attaches_to_every_incident_that_is_open(tmp_path: Path) -> None:
    store = opened(tmp_path)
    opened(tmp_path, "two")
    assert ("one", "two") == attach(occurrence(), ATTACH, tmp_path, CLOCK)
    sentence = "The index went over to contingency, or back to real time (mode contingency)."
    assert [("index/mode-changed", sentence)] == attached(store)


def test_an_event_told_again_is_attached_once(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for _ in range(3):
        assert ("one",) == attach(occurrence(), ATTACH, tmp_path, CLOCK)
    attach(occurrence(key="k2"), ATTACH, tmp_path, CLOCK)
    assert 2 == len(attached(store))


def test_nothing_attaches_that_is_not_named(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert () == attach(occurrence("reports/missing"), ATTACH, tmp_path, CLOCK)
    assert () == attach(occurrence(), IncidentSettings(), tmp_path, CLOCK)
    assert [] == attached(store)


def test_a_closed_incident_takes_no_more(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with store.writing("one") as writer:
        writer.enter(Given(Close(), "desk", TimeTold.exactly(at(11))))
    assert () == attach(occurrence(), ATTACH, tmp_path, CLOCK)
    assert [] == attached(store)


def test_an_event_opens_an_incident_where_none_is_open_and_only_then(tmp_path: Path) -> None:
    settings = IncidentSettings(open_on=("index/message-quarantined",), owners=("head of index",))
    poison = occurrence("index/message-quarantined")
    assert ("2010-01-22-1",) == attach(poison, settings, tmp_path, CLOCK)
    assert ("2010-01-22-1",) == attach(evolve(poison, key="k2"), settings, tmp_path, CLOCK)
    view = IncidentStore(tmp_path, CLOCK).read("2010-01-22-1").view
    assert (("head of index",), Severity.MAJOR, at(10, 2)) == (
        view.owners,
        view.severity,
        view.moments[0].when.at.at,
    )
    assert 3 == len(view.entries)


def test_what_incidents_tell_of_themselves_attaches_to_none(tmp_path: Path) -> None:
    store = opened(tmp_path)
    settings = IncidentSettings(attach=("*",))
    assert () == attach(occurrence("incident/changed"), settings, tmp_path, CLOCK)
    assert [] == attached(store)


def test_a_store_that_cannot_be_written_hinders_no_stream(tmp_path: Path) -> None:
    opened(tmp_path)
    journal = tmp_path / "incidents" / "one" / "journal.jsonl"
    journal.write_bytes(b"broken\n")
    with pytest.raises(StoreError):
        IncidentStore(tmp_path, CLOCK).read("one")
    assert () == attach(occurrence(), ATTACH, tmp_path, CLOCK)


# -- what streams say ------------------------------------------------------------------------------


def test_a_change_of_mode_is_told_with_its_facts() -> None:
    found = occurrence_of_run(event_document(MODE))
    assert found is not None
    assert (
        "index/mode-changed",
        at(10, 2),
        {"mode": "active", "was": "standby", "reason": "nothing goes out"},
    ) == (found.event, found.at, found.facts)


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (
            MessageQuarantined(at(10), "engine-1", 1, 17, 17, 5, "it fell"),
            "index/message-quarantined",
        ),
        (JournalFailed(at(10), "the disk is full"), "index/journal-failed"),
    ],
)
def test_what_opens_an_incident_by_the_run_is_an_event_of_the_catalogue(
    event: Any, name: str
) -> None:
    assert isinstance(event_document(event)["incident"], str)
    found = occurrence_of_run(event_document(event))
    assert found is not None
    assert name == found.event


def test_an_event_of_which_nobody_is_told_is_none() -> None:
    assert occurrence_of_run({"event": "process-ready", "at": "2010-01-22T10:00:00+08:00"}) is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (StepState.FAILED, "rundown/step-failed"),
        (StepState.UNKNOWN, "rundown/step-unknown"),
        (StepState.UNAVAILABLE, "rundown/step-unavailable"),
        (StepState.PASSED, None),
    ],
)
def test_a_step_that_did_not_pass_is_told(state: StepState, expected: str | None) -> None:
    event = StepFinished(at(10), STEP, state, "the folder differs", {})
    found = occurrence_of_step("rrs-2023", event)
    assert expected == (None if found is None else found.event)
    if found is not None:
        assert "the folder differs" == found.facts["found"]


def test_an_aborted_session_is_told_and_a_begun_step_is_not() -> None:
    aborted = SessionAborted(at(10), "session-1", "no line", "desk", ())
    found = occurrence_of_step("rrs-2023", aborted)
    assert found is not None
    assert "rundown/session-aborted" == found.event
    assert occurrence_of_step("rrs-2023", StepStarted(at(10), STEP, "")) is None


# -- handed over -----------------------------------------------------------------------------------


def test_what_was_told_is_heard_when_it_has_ended_and_nobody_waited() -> None:
    heard: list[str] = []
    gate = threading.Event()

    def slow(one: Occurrence) -> None:
        assert gate.wait(timeout=30)
        heard.append(one.key)

    with Occurrences([slow]) as occurrences:
        for number in range(3):
            occurrences.tell(occurrence(key=f"k{number}"))
        assert [] == heard
        gate.set()
    assert ["k0", "k1", "k2"] == heard


def test_a_hearer_that_never_comes_back_keeps_no_command_from_ending() -> None:
    stuck = threading.Event()
    try:
        with Occurrences([lambda _: stuck.wait()], patience_s=0.01) as occurrences:
            for number in range(3):
                occurrences.tell(occurrence(key=f"k{number}"))
    finally:
        stuck.set()


def test_where_nobody_hears_nothing_is_kept() -> None:
    with Occurrences(()) as occurrences:
        occurrences.tell(occurrence())
        occurrences.tell(None)


def test_one_who_fails_keeps_nobody_else_from_hearing() -> None:
    heard: list[str] = []

    def broken(_: Occurrence) -> None:
        raise StoreError("is full", path="somewhere")

    with Occurrences([broken, lambda one: heard.append(one.key)]) as occurrences:
        occurrences.tell(occurrence())
    assert ["k1"] == heard


def test_the_configuration_says_who_hears(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("", encoding="utf-8")
    assert () == hearers_of(load_settings(path), tmp_path, CLOCK)
    assert () == hearers_of(None, tmp_path, CLOCK)
    path.write_text('[incidents]\nattach = ["index/*"]\n', encoding="utf-8")
    store = opened(tmp_path)
    with Occurrences(hearers_of(load_settings(path), tmp_path, CLOCK)) as occurrences:
        occurrences.tell(occurrence_of_run(event_document(MODE)))
    assert ["index/mode-changed"] == [event for event, _ in attached(store)]


def test_every_fault_of_the_table_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        """\
[incidents]
attach = ["index/mode-chnged", "index/*"]
open_on = ["nothing/*"]
teller = " "

[[incidents.deadlines]]
stage = "initial"
anchor = "detected"
source = ""
within_minutes = 60
within_business_days = 1

[[incidents.deadlines]]
stage = "initial"
anchor = "resumed"
source = "plan"
within_minutes = 0
""",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        load_settings(path)
    assert [
        "incidents.attach[0]",
        "incidents.deadlines[0]",
        "incidents.deadlines[0].source",
        "incidents.deadlines[1]",
        "incidents.deadlines[1].stage",
        "incidents.open_on[0]",
        "incidents.teller",
    ] == [one.path for one in raised.value.faults]


def test_keys_of_two_moments_differ() -> None:
    """What happens again later is another occurrence."""
    first = occurrence_of_run(event_document(MODE))
    later: datetime = at(11, day=date(2010, 1, 22))
    second = occurrence_of_run(event_document(evolve(MODE, at=later)))
    assert first is not None
    assert second is not None
    assert first.key != second.key
