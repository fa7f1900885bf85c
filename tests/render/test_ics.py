"""A calendar file that importers read: parsed back, and the same again on the next import."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest

from hkex_ops.model import Bound, Certainty, Window
from hkex_ops.rollouts import AgendaItem, agenda
from tests.rollouts.papers import CALENDAR, RRS_2023
from tests.rollouts.shipped import SHIPPED, at

icalendar = pytest.importorskip("icalendar")

from hkex_ops.render.ics import agenda_calendar, placed  # noqa: E402

ISSUED = at("2023-03-24T09:00")
UID_OF_SESSION_1 = "7f6e04de-b0c3-5f80-a3b8-5d2b8e7205dd@hkex-ops"
UNKNOWN = Bound(None, Certainty.UNKNOWN)


def items(rollout: str = "rrs-2023", instant: datetime = ISSUED) -> tuple[AgendaItem, ...]:
    return agenda([SHIPPED[rollout]], CALENDAR, instant)


def events(data: bytes) -> dict[str, icalendar.Event]:
    """The events of a calendar file by the item they are of."""
    calendar = icalendar.Calendar.from_ical(data)
    found = calendar.walk("VEVENT")
    return {str(one["DESCRIPTION"]).rpartition("Item: ")[2]: one for one in found}


@pytest.fixture(scope="module")
def circular() -> dict[str, icalendar.Event]:
    return events(agenda_calendar(items(), ISSUED))


def triggers(event: icalendar.Event) -> list[timedelta]:
    return [alarm["TRIGGER"].dt for alarm in event.walk("VALARM")]


def test_every_item_is_one_event() -> None:
    assert {item.id for item in items()} == events(agenda_calendar(items(), ISSUED)).keys()


def test_the_file_is_what_importers_expect() -> None:
    data = agenda_calendar(items(), ISSUED)
    calendar = icalendar.Calendar.from_ical(data)
    assert ("2.0", "GREGORIAN", "PUBLISH") == tuple(
        str(calendar[name]) for name in ("VERSION", "CALSCALE", "METHOD")
    )
    lines = data.split(b"\r\n")
    assert b"" == lines[-1]
    assert max(map(len, lines)) <= 75
    assert b"\n" not in b"".join(lines)
    assert not calendar.walk("VTIMEZONE")


def test_a_session_is_an_event_of_its_length_in_utc_and_busy(
    circular: dict[str, icalendar.Event],
) -> None:
    session = circular["rrs-2023/session/session-1"]
    assert datetime(2023, 4, 15, 6, 30, tzinfo=UTC) == session["DTSTART"].dt
    assert datetime(2023, 4, 15, 7, 30, tzinfo=UTC) == session["DTEND"].dt
    assert ("OPAQUE", "CONFIRMED") == (str(session["TRANSP"]), str(session["STATUS"]))
    assert "Secondary Data Centre (Session 1)" == str(session["SUMMARY"])
    assert [timedelta(days=-1), timedelta(minutes=-30)] == triggers(session)


def test_a_deadline_is_an_event_that_ends_at_it_and_reminds(
    circular: dict[str, icalendar.Event],
) -> None:
    deadline = circular["rrs-2023/registration/connectivity-sessions"]
    assert datetime(2023, 4, 6, 10, tzinfo=UTC) == deadline["DTEND"].dt
    assert timedelta(minutes=15) == deadline["DTEND"].dt - deadline["DTSTART"].dt
    assert "TRANSPARENT" == str(deadline["TRANSP"])
    assert str(deadline["SUMMARY"]).startswith("Due: CPs who wish")
    assert [timedelta(days=-1), timedelta(hours=-1)] == triggers(deadline)


def test_a_deadline_that_is_a_day_is_an_event_of_that_day(
    circular: dict[str, icalendar.Event],
) -> None:
    day = circular["rrs-2023/obligation/daily-download-and-back-up/2023-04-17"]
    assert (date(2023, 4, 17), date(2023, 4, 18)) == (day["DTSTART"].dt, day["DTEND"].dt)
    nine = datetime(2023, 4, 17) + triggers(day)[1]  # noqa: DTZ001
    assert datetime(2023, 4, 17, 9) == nine  # noqa: DTZ001


def test_the_description_has_the_papers_words_grade_and_source(
    circular: dict[str, icalendar.Event],
) -> None:
    text = str(circular["rrs-2023/obligation/daily-download-and-back-up/2023-04-17"]["DESCRIPTION"])
    assert text.splitlines() == [
        "CPs are required to download and back up their DCASS reports on a daily basis",
        "Grade: required",
        "Source: CD/OEC/HKCC/073/2023, third paragraph, (i)",
        "Item: rrs-2023/obligation/daily-download-and-back-up/2023-04-17",
    ]


def test_the_same_question_gives_the_same_bytes() -> None:
    assert agenda_calendar(items(), ISSUED) == agenda_calendar(items(), ISSUED)


def test_a_later_import_changes_the_events_and_adds_none() -> None:
    later = ISSUED + timedelta(days=1)
    first = events(agenda_calendar(items(), ISSUED))
    second = events(agenda_calendar(items(instant=later), later))
    assert first.keys() == second.keys()
    for id, event in first.items():
        assert event["UID"] == second[id]["UID"]
        assert event["SEQUENCE"] < second[id]["SEQUENCE"] < 2**31
        assert event["DTSTAMP"].dt < second[id]["DTSTAMP"].dt == later
        assert later == second[id]["LAST-MODIFIED"].dt


def test_a_uid_never_changes_and_has_no_sign_that_a_server_would_trip_over(
    circular: dict[str, icalendar.Event],
) -> None:
    """Imported calendars hold these: another value would double every event of a desk."""
    uid = str(circular["rrs-2023/session/session-1"]["UID"])
    assert UID_OF_SESSION_1 == uid
    assert len(circular) == len({str(one["UID"]) for one in circular.values()})


def test_an_item_without_a_time_has_no_place_in_a_calendar() -> None:
    [session, other] = RRS_2023.sessions
    someday = attrs.evolve(session, window=Window(UNKNOWN, UNKNOWN))
    half = attrs.evolve(other, window=Window(other.window.start, UNKNOWN))
    rollout = attrs.evolve(RRS_2023, sessions=(someday, half), registrations=(), requirements=())
    found = {item.id: item for item in agenda([rollout], CALENDAR, ISSUED)}
    lost = [id for id, item in found.items() if not placed(item)]
    assert ["rrs-2023/session/session-1"] == lost
    [(id, event)] = events(agenda_calendar(found.values(), ISSUED)).items()
    assert "rrs-2023/session/session-2" == id
    assert datetime(2023, 4, 15, 8, 30, tzinfo=UTC) == event["DTSTART"].dt
    assert "Ends: at a time the paper does not state" in str(event["DESCRIPTION"])


def test_what_is_about_is_said_to_be() -> None:
    found = items("backbone-ps2-2023", at("2023-11-20"))
    failover = events(agenda_calendar(found, at("2023-11-20")))[
        "backbone-ps2-2023/session/ps2-failover"
    ]
    assert datetime(2023, 11, 25, 3, tzinfo=UTC) == failover["DTEND"].dt
    assert "Ends: about the time shown" in str(failover["DESCRIPTION"])


def test_a_tentative_session_is_tentative_in_the_calendar_too() -> None:
    [session, _] = RRS_2023.sessions
    rollout = attrs.evolve(RRS_2023, sessions=(attrs.evolve(session, tentative=True),))
    found = events(agenda_calendar(agenda([rollout], CALENDAR, ISSUED), ISSUED))
    assert "TENTATIVE" == str(found["rrs-2023/session/session-1"]["STATUS"])


def test_all_rollouts_together_make_one_calendar() -> None:
    everything = agenda(
        SHIPPED.values(), CALENDAR, at("2019-01-01"), past=True, horizon=timedelta(days=3000)
    )
    found = events(agenda_calendar(everything, at("2019-01-01")))
    assert [item.id for item in everything if placed(item)] == list(found)
    assert len(found) == len({str(event["UID"]) for event in found.values()})
