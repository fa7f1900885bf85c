"""What an incident brings about is told by the routes, each once, in words that somebody wrote."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from hkex_ops.flows.incidents.speaking import occurrences_of_deadlines, occurrences_of_incident
from hkex_ops.incidents import (
    Anchor,
    BeginContingency,
    Close,
    Content,
    Correct,
    DeadlineRule,
    Given,
    IncidentLog,
    IssueReport,
    Note,
    OpenIncident,
    ReportStage,
    Resume,
    TimeTold,
    deadlines_of,
)
from hkex_ops.model import Language, Occurrence, Severity
from hkex_ops.notifications import EVENT_KINDS, Telling
from tests.incidents.day_of_2010 import CALENDAR
from tests.notifications.made import MORNING, route
from tests.notifying.rooms import Room

DESK = (Telling("mail", ("desk@broker.example",)),)
RULE = DeadlineRule(ReportStage.INITIAL, Anchor.DETECTED, "a plan", within_minutes=120)


def log_with(*contents: Content) -> tuple[IncidentLog, list[Occurrence]]:
    """A log, and everything it had to say."""
    log = IncidentLog("one")
    said: list[Occurrence] = []
    opening = OpenIncident("The index stopped", Severity.MAJOR, MORNING.date())
    for what in (opening, *contents):
        when = None if isinstance(what, Correct) else TimeTold.exactly(MORNING)
        events = log.handle(Given(what, "desk", when, "words"), MORNING)
        said += occurrences_of_incident(log.view, events)
    return log, said


def due(log: IncidentLog, minutes: int) -> list[str]:
    now = MORNING + timedelta(minutes=minutes)
    found = deadlines_of(log.view, (RULE,), CALENDAR)
    return [one.facts["due"] for one in occurrences_of_deadlines(log.view, found, now)]


def test_states_are_told_and_notes_are_not() -> None:
    _, said = log_with(BeginContingency(), Note(), Resume(), Close())
    assert [
        ("incident/opened", "detected"),
        ("incident/changed", "contingency"),
        ("incident/changed", "resumed"),
        ("incident/closed", "closed"),
    ] == [(one.event, one.facts["state"]) for one in said]
    assert len(said) == len({one.key for one in said})
    assert {"one"} == {one.incident for one in said}


def test_a_correction_that_changes_the_state_is_told() -> None:
    _, said = log_with(BeginContingency(), Correct(2, "a slip", withdrawn=True))
    assert ("incident/changed", "detected") == (said[-1].event, said[-1].facts["state"])


def test_a_report_is_told_of_from_an_hour_before_it_is_due() -> None:
    log, _ = log_with()
    assert [] == due(log, 59)
    assert ["initial report, 2026-02-02 12:00"] == due(log, 60) == due(log, 500)


def test_a_report_that_was_handed_out_is_not() -> None:
    log, _ = log_with(IssueReport(ReportStage.INITIAL))
    assert [] == due(log, 60)


def test_everything_an_incident_says_has_words_in_both_languages(tmp_path: Path) -> None:
    log, said = log_with(BeginContingency(), Resume(), Close())
    found = deadlines_of(log.view, (RULE,), CALENDAR)
    said += occurrences_of_deadlines(log.view, found, MORNING + timedelta(hours=2))
    assert {one.event for one in said} <= set(EVENT_KINDS)
    for language in Language:
        folder = tmp_path / language.value
        folder.mkdir()
        room = Room(folder, route(events=("incident/*",), languages=(language,), tell=DESK))
        with room.open() as mailroom:
            for one in said:
                mailroom.hand_in(one)
                mailroom.hand_in(one)
            asyncio.run(mailroom.deliver())
        texts = [one.text for one in room.exchanges["mail"].arrived]
        assert len(said) == len(texts)
        assert all("The index stopped" in text and "{" not in text for text in texts)
