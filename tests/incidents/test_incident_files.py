"""An incident file: how it is written, and how its faults are told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hkex_ops.config.shipped import load_calendar, structure_incident
from hkex_ops.errors import ConfigError
from hkex_ops.incidents import accounts_of, disagreements
from hkex_ops.model import Incident, plain

CALENDAR = load_calendar()
SMALL = """
id = "small"
title = "A small incident"
business_date = "2010-01-22 (Friday)"

[[tellers]]
id = "north"
name = "North"
paper = "North's paper"
source = "heading"

[[tellers]]
id = "south"
name = "South"
paper = "South's paper"
source = "heading"

[[moments]]
id = "stopped"
kind = "interrupted"
what = "it stopped"

[[accounts]]
moment = "stopped"
teller = "south"
at = "2010-01-22 (Friday) ~10:05"
until = "2010-01-22 (Friday) ~10:10"
stated = "10:05 to 10:10"
source = "first row"

[[accounts]]
moment = "stopped"
teller = "north"
at = "2010-01-22 (Friday) 10:07:30"
stated = "10:07:30"
source = { circular = "North's letter", place = "second page" }

[[chronology]]
id = "north-1"
teller = "north"
at = "2010-01-22 (Friday) ~10:05"
stated = "10:05"
events = ["It stopped."]
source = "first row"

[[figures]]
id = "lost"
teller = "north"
what = "messages lost"
value = "12.50"
source = "last page"
"""


def structured(text: str) -> Incident:
    return structure_incident(text, CALENDAR, document="small.toml")


def edited(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new, 1)


def faults_in(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as raised:
        structured(text)
    return [(fault.path, fault.message) for fault in raised.value.faults]


def test_a_bare_place_is_in_the_paper_of_the_rows_teller() -> None:
    incident = structured(SMALL)
    assert "South's paper, first row" == str(incident.accounts[0].source)
    assert "North's paper, heading" == str(incident.tellers[0].source)


def test_a_source_may_name_another_paper() -> None:
    assert "North's letter, second page" == str(structured(SMALL).accounts[1].source)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [("10:07:30", "2010-01-22T10:07:30+08:00"), ("~10:07:05", "~2010-01-22T10:07:05+08:00")],
)
def test_a_moment_is_kept_to_the_second(stated: str, expected: str) -> None:
    incident = structured(edited("(Friday) 10:07:30", f"(Friday) {stated}"))
    assert expected == str(incident.accounts[1].at)


def test_a_minute_has_sixty_seconds() -> None:
    [(path, message)] = faults_in(edited("(Friday) 10:07:30", "(Friday) 10:07:60"))
    assert "accounts[1].at" == path
    assert "is no moment" in message


def test_accounts_come_in_the_order_of_the_tellers() -> None:
    assert ["north", "south"] == [one.teller for one in accounts_of(structured(SMALL), "stopped")]


def test_a_time_inside_anothers_span_is_no_disagreement() -> None:
    assert () == disagreements(structured(SMALL))


def test_a_time_outside_it_is_one() -> None:
    [found] = disagreements(structured(edited("10:07:30", "10:10:01")))
    assert "stopped" == found.moment.id
    assert 2 == len(found.accounts)


@pytest.mark.parametrize("word", ["open", "unknown"])
def test_a_span_without_an_end_meets_what_comes_later(word: str) -> None:
    endless = edited('until = "2010-01-22 (Friday) ~10:10"', f'until = "{word}"')
    assert () == disagreements(structured(endless.replace("10:07:30", "10:10:01")))
    assert 1 == len(disagreements(structured(endless.replace("10:07:30", "10:04:59"))))


def test_a_figure_keeps_its_digits() -> None:
    [figure] = structured(SMALL).figures
    assert Decimal("12.50") == figure.value
    assert "12.50" == plain(figure.value)


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('value = "12.50"', "value = 12.5", "figures[0].value", "must be a text"),
        ('value = "12.50"', 'value = "a dozen"', "figures[0].value", "is no number"),
        ('value = "12.50"', 'value = "NaN"', "figures[0].value", "is no number"),
        ("~10:10", "~10:05", "accounts[0]", "which is not after its start"),
        ("(Friday) 10:07:30", "(Monday) 10:07:30", "accounts[1].at", "is a Friday"),
        ('kind = "interrupted"', 'kind = "stoped"', "moments[0].kind", "unknown word 'stoped'"),
        ('source = "last page"', 'source = ""', "figures[0].source", "says no place"),
    ],
)
def test_a_fault_of_shape_has_its_path(old: str, new: str, path: str, words: str) -> None:
    [(found, message)] = faults_in(edited(old, new))
    assert path == found
    assert words in message


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'teller = "south"\nat',
            'teller = "west"\nat',
            ("accounts[0].teller", "no teller is called 'west'; known: north, south"),
        ),
        (
            'moment = "stopped"\nteller = "south"',
            'moment = "started"\nteller = "south"',
            ("accounts[0].moment", "no moment is called 'started'; known: stopped"),
        ),
        (
            'id = "south"',
            'id = "north"',
            ("tellers[1].id", "'north' is the id of tellers[0] already"),
        ),
        (
            "[[accounts]]",
            '[[moments]]\nid = "ended"\nkind = "resumed"\nwhat = "it ended"\n\n[[accounts]]',
            ("moments[1].id", "nobody tells of 'ended'"),
        ),
    ],
)
def test_a_fault_of_sense_has_its_path(old: str, new: str, expected: tuple[str, str]) -> None:
    assert expected in faults_in(edited(old, new))


def test_a_list_that_is_none_is_told_with_its_path() -> None:
    bare = 'id = "small"\ntitle = "t"\nbusiness_date = "2010-01-22 (Friday)"\n'
    assert [("tellers", "must be a list, not a text")] == faults_in(f'{bare}tellers = "nobody"')
