"""What is true of every fact of every paper: a source that can be opened, a date that is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import attrs
import pytest

from hkex_ops.config.shipped import load_calendar, load_incidents, load_rollouts
from hkex_ops.model import Incident, Restriction, Rollout, Source, Window
from hkex_ops.rollouts import Decision, Guard, faults_of, parse_date

CALENDAR = load_calendar()
ROLLOUTS = load_rollouts(CALENDAR)
INCIDENTS = load_incidents(CALENDAR)
DOCUMENTS: dict[str, tuple[str, Rollout | Incident]] = {
    **{name: ("hkex_ops.rollouts", value) for name, value in ROLLOUTS.items()},
    **{name: ("hkex_ops.incidents", value) for name, value in INCIDENTS.items()},
}
STATED_DAY = re.compile(r"\d{4}-\d{2}-\d{2} \([A-Za-z]+\)")
STATED_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

# Every day for which a paper states something, with its weekday; where a paper states that too, it
# agrees. Days on which other papers were issued stand in notes.
DAYS = {
    "hkats-dcass-2019": {
        date(2019, 5, 3): "Friday",
        date(2019, 5, 4): "Saturday",
        date(2019, 5, 5): "Sunday",
        date(2019, 5, 6): "Monday",
        date(2019, 5, 17): "Friday",
    },
    "rrs-2023": {
        date(2023, 3, 23): "Thursday",
        date(2023, 4, 6): "Thursday",
        date(2023, 4, 15): "Saturday",
        date(2023, 4, 17): "Monday",
        date(2023, 4, 28): "Friday",
    },
    "backbone-ps2-2023": {
        date(2023, 11, 22): "Wednesday",
        date(2023, 11, 25): "Saturday",
    },
    "backbone-prt-2024": {
        date(2023, 12, 20): "Wednesday",
        date(2023, 12, 29): "Friday",
        date(2024, 1, 6): "Saturday",
        date(2024, 1, 13): "Saturday",
        date(2024, 1, 20): "Saturday",
    },
    "hsil-2010": {
        date(2010, 1, 22): "Friday",
        date(2010, 1, 23): "Saturday",
        date(2010, 1, 24): "Sunday",
        date(2010, 1, 25): "Monday",
        date(2010, 1, 26): "Tuesday",
        date(2010, 2, 2): "Tuesday",
    },
}


def every_document() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", sorted(DOCUMENTS))


def every_rollout() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", sorted(ROLLOUTS))


def text_of(name: str) -> str:
    room, _ = DOCUMENTS[name]
    return files(room).joinpath("data", f"{name}.toml").read_text(encoding="utf-8")


def facts_in(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value of this library in ``value``, with its path."""
    if isinstance(value, tuple | list):
        for index, inner in enumerate(value):
            yield from facts_in(inner, f"{path}[{index}]")
        return
    kind = type(value)
    if attrs.has(kind):
        yield path, value
        for field in attrs.fields(kind):
            yield from facts_in(getattr(value, field.name), f"{path}.{field.name}".lstrip("."))


def papers_of(document: Rollout | Incident) -> set[str]:
    if isinstance(document, Incident):
        return {teller.paper for teller in document.tellers}
    return {one.reference or one.title for one in document.circulars}


def test_all_five_papers_are_here() -> None:
    assert sorted(DAYS) == sorted(DOCUMENTS)


@every_document()
def test_every_fact_carries_a_paper_that_is_named_and_a_place_in_it(name: str) -> None:
    _, document = DOCUMENTS[name]
    papers = papers_of(document)
    found = [(path, fact) for path, fact in facts_in(document) if isinstance(fact, Source)]
    assert found
    assert [] == [path for path, source in found if source.circular not in papers]
    assert [] == [path for path, source in found if not source.place.strip()]


@every_document()
def test_every_kind_of_fact_has_a_source(name: str) -> None:
    """All but the whole itself, times, and what is a part of something that has one."""
    _, document = DOCUMENTS[name]
    kinds = {type(fact) for _, fact in facts_in(document)}
    without = {kind.__name__ for kind in kinds if not hasattr(kind, "source")}
    parts = {"Bound", "FormField", "IncidentMoment", "Signatory", "Source", "Window"}
    assert set() == without - parts - {"Incident", "Rollout"}


@every_document()
def test_every_day_of_a_paper_is_in_its_file_and_no_other(name: str) -> None:
    stated = {date.fromisoformat(found) for found in STATED_DATE.findall(text_of(name))}
    assert sorted(DAYS[name]) == sorted(stated)


@every_document()
def test_every_stated_weekday_is_the_days_own(name: str) -> None:
    stated = STATED_DAY.findall(text_of(name))
    assert stated
    for found in stated:
        day = parse_date(found)
        assert found == f"{day} ({DAYS[name][day]})"


@every_rollout()
def test_no_rule_of_a_rollout_file_is_broken(name: str) -> None:
    assert [] == list(faults_of(ROLLOUTS[name]))


@every_rollout()
def test_every_window_runs_forward(name: str) -> None:
    windows = [fact for _, fact in facts_in(ROLLOUTS[name]) if isinstance(fact, Window)]
    assert windows
    for window in windows:
        if window.start.at is not None and window.until.at is not None:
            assert window.start.at < window.until.at


def rules() -> list[Restriction]:
    return [rule for rollout in ROLLOUTS.values() for rule in rollout.restrictions]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_every_rule_is_cited_at_its_first_moment(rule: Restriction) -> None:
    start = rule.window.start.at
    assert start is not None
    ruling = Guard(ROLLOUTS.values()).may(rule.action, start)
    assert rule in ruling.rules
    assert Decision.ALLOW is not ruling.decision
