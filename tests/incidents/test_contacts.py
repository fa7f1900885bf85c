"""Designated persons: who is reachable, which stretch lacks somebody, whose number is stale."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hkex_ops.calendars import TimeOfDay
from hkex_ops.config.contacts import load_contacts
from hkex_ops.errors import ConfigError
from hkex_ops.incidents.contacts import (
    Away,
    ContactFinding,
    ContactKind,
    Contacts,
    Days,
    Person,
    Reachable,
    RoleWanted,
    check_contacts,
    reachable_in,
)
from hkex_ops.model import HONG_KONG
from tests.incidents.day_of_2010 import CALENDAR

SUNDAY = date(2019, 5, 5)
ROLE = "designated contact person"
SOURCE = "an invented plan, page 3"


def at(hour: int, minute: int = 0, day: date = SUNDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=HONG_KONG)


def hours(begins: str, ends: str, days: Days = Days.EVERY_DAY) -> Reachable:
    return Reachable(TimeOfDay.parse(begins), TimeOfDay.parse(ends), days)


def person(
    id: str, *reachable: Reachable, confirmed: date | None = None, away: tuple[Away, ...] = ()
) -> Person:
    email = f"{id}@desk.example"
    return Person(id, id.upper(), (ROLE,), reachable, "5500 0000", email, confirmed, away)


def found(*persons: Person, wanted: int = 1, within: int | None = None) -> list[ContactFinding]:
    contacts = Contacts(persons, (RoleWanted(ROLE, SOURCE, wanted),), within)
    return list(check_contacts(contacts, at(9), at(12), CALENDAR))


def missing(begins: datetime, ends: datetime, who: str) -> ContactFinding:
    message = f"{who} can be reached ({SOURCE})"
    return ContactFinding(ContactKind.NOBODY, ROLE, message, begins, ends)


# -- who can be reached ----------------------------------------------------------------------------


def test_one_person_throughout_is_enough() -> None:
    assert [] == found(person("a", hours("08:00", "18:00")))


def test_two_who_relieve_each_other_are_enough() -> None:
    assert [] == found(person("a", hours("08:00", "10:30")), person("b", hours("10:30", "13:00")))


def test_the_stretch_between_them_is_told() -> None:
    persons = person("a", hours("08:00", "10:30")), person("b", hours("11:00", "13:00"))
    assert [missing(at(10, 30), at(11), "nobody")] == found(*persons)


def test_fewer_than_are_wanted_are_told_with_their_number() -> None:
    persons = person("a", hours("08:00", "18:00")), person("b", hours("09:00", "10:00"))
    assert [missing(at(10), at(12), "only 1 of 2")] == found(*persons, wanted=2)


def test_business_hours_do_not_hold_on_a_sunday() -> None:
    """The verification session of 2019 was on a Sunday, when usual hours promise nobody."""
    persons = person("a", hours("08:00", "18:00", Days.BUSINESS_DAYS))
    assert [missing(at(9), at(12), "nobody")] == found(persons)


@pytest.mark.parametrize(
    ("days", "day", "expected"),
    [
        (Days.WEEKENDS, SUNDAY, True),
        (Days.WEEKDAYS, SUNDAY, False),
        (Days.EVERY_DAY, SUNDAY, True),
        (Days.BUSINESS_DAYS, date(2019, 5, 6), True),
        # Buddha's birthday was kept on the Monday.
        (Days.BUSINESS_DAYS, date(2019, 5, 13), False),
        (Days.WEEKDAYS, date(2019, 5, 13), True),
        # Beyond the tables nobody knows which day is a business day, and so nobody is promised.
        (Days.BUSINESS_DAYS, date(1950, 5, 12), False),
    ],
)
def test_days_are_as_the_calendar_has_them(days: Days, day: date, expected: bool) -> None:
    one = person("a", hours("09:00", "10:00", days))
    spans = reachable_in(one, at(0, day=day), at(0, day=day + timedelta(days=1)), CALENDAR)
    assert expected == bool(spans)


def test_hours_of_one_date_hold_on_it_alone() -> None:
    one = person("a", Reachable(TimeOfDay.parse("08:00"), TimeOfDay.parse("13:00"), on=SUNDAY))
    assert ((at(9), at(12)),) == reachable_in(one, at(9), at(12), CALENDAR)
    later = date(2019, 5, 12)
    assert () == reachable_in(one, at(9, day=later), at(12, day=later), CALENDAR)


def test_hours_reach_into_the_next_morning() -> None:
    one = person("a", hours("20:00", "02:00+1"))
    assert ((at(0), at(2)),) == reachable_in(one, at(0), at(6), CALENDAR)


def test_whoever_is_away_is_not_reachable() -> None:
    one = person("a", hours("08:00", "18:00"), away=(Away(SUNDAY, SUNDAY),))
    assert [missing(at(9), at(12), "nobody")] == found(one)


# -- whether numbers can be believed ---------------------------------------------------------------


def test_a_confirmation_holds_for_as_long_as_the_file_says() -> None:
    persons = [
        person(id, hours("08:00", "18:00"), confirmed=confirmed)
        for id, confirmed in (("a", date(2019, 4, 5)), ("b", date(2019, 4, 4)), ("c", None))
    ]
    assert [
        (ContactKind.STALE, "b", "B's numbers were last confirmed on 2019-04-04"),
        (ContactKind.STALE, "c", "C's numbers were never confirmed"),
    ] == [(one.kind, one.who, one.message) for one in found(*persons, within=30)]


def test_a_person_without_a_number_is_told() -> None:
    one = Person("a", "A", (ROLE,), (hours("08:00", "18:00"),))
    assert [ContactFinding(ContactKind.NO_WAY, "a", "A has no phone and no e-mail")] == found(one)


SPANS = st.lists(
    st.tuples(st.integers(0, 23), st.integers(1, 12)).map(
        lambda one: hours(f"{one[0]:02}:00", str(TimeOfDay((one[0] + one[1]) * 60)))
    ),
    max_size=4,
)


@given(st.lists(SPANS, max_size=3), st.integers(1, 3))
def test_what_is_not_missing_is_there_hour_by_hour(
    people: list[list[Reachable]], wanted: int
) -> None:
    """An hour is in a gap exactly if fewer than are wanted can be reached in it, one by one."""
    persons = [person(f"p{place}", *spans) for place, spans in enumerate(people)]
    contacts = Contacts(tuple(persons), (RoleWanted(ROLE, SOURCE, wanted),))
    gaps = check_contacts(contacts, at(9), at(18), CALENDAR)
    everybody = [reachable_in(one, at(9), at(18), CALENDAR) for one in persons]
    for hour in range(9, 18):
        middle = at(hour, 30)
        there = sum(any(begins <= middle < ends for begins, ends in spans) for spans in everybody)
        in_gap = any(
            one.start is not None and one.until is not None and one.start <= middle < one.until
            for one in gaps
        )
        assert (there < wanted) == in_gap


# -- the file --------------------------------------------------------------------------------------

FILE = """\
confirmed_within_days = 90

[[wanted]]
role = "designated contact person"
persons = 1
source = "CP should ensure that their designated contact persons are reachable"

[[persons]]
id = "primary"
name = "Primary contact"
roles = ["designated contact person"]
phone = "+852 5500 0000"
email = "primary@desk.example"
confirmed = 2019-04-26

[[persons.reachable]]
from = "08:30"
to = "19:00"
days = "business-days"

[[persons.reachable]]
on = 2019-05-05
from = "08:30"
to = "13:00"

[[persons.away]]
from = 2019-05-20
to = 2019-05-24
"""


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "contacts.toml"
    path.write_text(FILE, encoding="utf-8")
    [one] = load_contacts(path).persons
    assert (SUNDAY, Days.BUSINESS_DAYS) == (one.reachable[1].on, one.reachable[0].days)
    assert (Away(date(2019, 5, 20), date(2019, 5, 24)),) == one.away
    assert () == check_contacts(load_contacts(path), at(9), at(12), CALENDAR)


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "contacts.toml"
    text = FILE.replace('to = "13:00"', 'to = "08:00"').replace(
        "to = 2019-05-24", "to = 2019-05-19"
    )
    text = text.replace("persons = 1", "persons = 0").replace(
        'roles = ["designated contact person"]', 'roles = ["duty"]'
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_contacts(path)
    assert [
        "persons[0].away[0].to",
        "persons[0].reachable[1].to",
        "wanted[0].persons",
        "wanted[0].role",
    ] == [one.path for one in raised.value.faults]


def test_what_is_no_address_and_no_number_is_told_with_the_file(tmp_path: Path) -> None:
    """On the day somebody would write to it, and call it."""
    path = tmp_path / "contacts.toml"
    text = re.sub(r"(?m)^phone = .*$", 'phone = "ask reception"', FILE)
    path.write_text(re.sub(r"(?m)^email = .*$", 'email = "x"', text), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_contacts(path)
    assert [
        ("persons[0].email", "'x' is no e-mail address; leave it out if there is none"),
        ("persons[0].phone", "'ask reception' is no number; leave it out if there is none"),
    ] == [(one.path, one.message) for one in raised.value.faults]
