"""Wordings: the best one is used, both languages know every fact, and faults are all told."""

from __future__ import annotations

import re

import pytest

from hkex_ops.config.routes import load_templates, shipped_templates
from hkex_ops.errors import UsageError
from hkex_ops.model import Audience, Language, Occurrence, Severity
from hkex_ops.notifications import EVENT_KINDS, Template, Templates, faults_of_templates
from hkex_ops.notifications.meanings import meaning
from tests.notifications.made import DAY, MORNING, occurrence

ENGLISH, CHINESE = Language.ENGLISH, Language.CHINESE


def wording(
    event: str = "reports/missing",
    version: int = 2,
    *,
    language: Language = ENGLISH,
    audience: Audience | None = None,
    subject: str = "Missing: {missing}",
    body: str = "{missing}",
) -> Template:
    return Template(event, language, version, subject, body, audience)


def test_the_shipped_wordings_are_without_fault() -> None:
    assert [] == list(faults_of_templates(shipped_templates()))


def test_what_is_worded_in_one_language_is_worded_in_the_other() -> None:
    by_language = [
        {(one.event, one.audience) for one in shipped_templates() if one.language is language}
        for language in Language
    ]
    assert by_language[0] == by_language[1]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("event", list(EVENT_KINDS))
def test_every_event_can_be_told_in_every_language(event: str, language: Language) -> None:
    facts = {name: f"the {name}" for name in EVENT_KINDS[event].facts}
    told = load_templates(()).render(
        Occurrence(event, "k", MORNING, Severity.MINOR, facts), Audience.DESK, language
    )
    assert not re.search(r"[{}]", told.subject + told.body)
    assert "k" in told.body


@pytest.mark.parametrize("event", list(EVENT_KINDS))
def test_every_event_means_something_in_every_language(event: str) -> None:
    """A message whose event has no wording of its own still says what happened."""
    assert EVENT_KINDS[event].what.lower() == meaning(event, ENGLISH).lower()
    assert not meaning(event, CHINESE).isascii()


def test_an_event_that_nobody_knows_is_called_by_its_name() -> None:
    assert ["own/event"] * 2 == [meaning("own/event", language) for language in Language]


def test_the_highest_version_is_used_and_named() -> None:
    templates = Templates([*shipped_templates(), wording()])
    told = templates.render(occurrence(), Audience.DESK, ENGLISH)
    expected = ("Missing: TP002", "reports/missing en version 2")
    assert expected == (told.subject, told.template)


def test_an_audience_may_have_words_of_its_own() -> None:
    own = wording(audience=Audience.REGULATOR, version=1, subject="To the regulator")
    templates = Templates([*shipped_templates(), own])
    regulator = templates.render(occurrence(), Audience.REGULATOR, ENGLISH)
    assert ("To the regulator", "reports/missing@regulator en version 1") == (
        regulator.subject,
        regulator.template,
    )
    desk = templates.render(occurrence(), Audience.DESK, ENGLISH)
    assert "reports/missing en version 1" == desk.template


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    told = load_templates(()).render(
        occurrence(facts={"service": "RRS", "held": "37"}), Audience.DESK, CHINESE
    )
    assert "【重大】RRS：報告 37/不詳 份，欠 不詳" == told.subject


def test_a_fact_may_have_its_own_chinese() -> None:
    sent = occurrence(
        event="message/sent",
        facts={"subject": "Late", "subject_zh": "延遲", "text": "Reports are late.", "by": "desk"},
    )
    templates = load_templates(())
    assert "延遲" == templates.render(sent, Audience.CLIENTS, CHINESE).subject
    english = templates.render(sent, Audience.CLIENTS, ENGLISH)
    assert ("Late", False) == (english.subject, "延遲" in english.body)


def test_a_fact_cannot_bring_a_place_of_its_own() -> None:
    """What came from outside is never looked through for braces."""
    told = load_templates(()).render(
        occurrence(facts={"missing": "{key}", "held": "0"}), Audience.DESK, ENGLISH
    )
    assert "{key} missing" in told.subject


def test_a_subject_is_one_short_line() -> None:
    told = load_templates(()).render(
        occurrence(facts={"missing": "TP001\nBcc: everybody " * 50}), Audience.DESK, ENGLISH
    )
    assert told.subject.isprintable()
    assert 160 == len(told.subject)


def test_without_any_wording_nothing_can_be_told() -> None:
    with pytest.raises(UsageError, match="no wording in en"):
        Templates([]).render(occurrence(), Audience.DESK, ENGLISH)


def test_every_fault_of_a_file_of_wordings_is_told() -> None:
    faults = faults_of_templates(
        [
            wording(version=1),
            wording(event="reports/lost"),
            wording(subject="two\nlines", body=" "),
            wording(version=3, body="{lost}"),
            wording(version=0),
        ],
        shipped_templates(),
    )
    known = (
        "at, business_date, event, expected, held, incident, key, missing, service, severity, "
        "site, what"
    )
    assert [
        (
            "templates[0].version",
            "version 1 of this wording ships with the library: give another one a higher version",
        ),
        ("templates[1].event", "there is no event 'reports/lost'; see hkex-ops notify events"),
        ("templates[1].subject", "{missing} is no fact of reports/lost; known: " + COMMON),
        ("templates[1].body", "{missing} is no fact of reports/lost; known: " + COMMON),
        ("templates[2].body", "is empty"),
        ("templates[2].subject", "must be one line"),
        ("templates[3].body", f"{{lost}} is no fact of reports/missing; known: {known}"),
        ("templates[4].version", "must be 1 or more"),
    ] == list(faults)


COMMON = "at, business_date, event, facts, incident, key, severity, site, what"


def test_a_wording_twice_in_one_file_is_a_fault() -> None:
    (fault,) = faults_of_templates([wording(), wording()])
    assert "is templates[0] already" in fault[1]


def test_dates_and_times_are_written_as_each_language_writes_them() -> None:
    missing = occurrence()
    templates = load_templates(())
    assert "2026-02-02 10:00:00 HKT" in templates.render(missing, Audience.DESK, ENGLISH).body
    chinese = templates.render(missing, Audience.DESK, CHINESE).body
    assert "2026年2月2日 10:00:00（香港時間）" in chinese
    assert DAY == templates.render(missing, Audience.DESK, CHINESE).business_date
