"""Told by the routes of the configuration: every receiver's receipt in the log, each once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops.errors import ConfigError
from hkex_ops.flows.incidents import IncidentStore
from hkex_ops.flows.incidents.telling import TOLD, Outstanding, outstanding, send_told, take_over
from hkex_ops.incidents import Given, OpenIncident, Tell, TimeTold
from hkex_ops.model import Outcome, Receipt, Severity
from hkex_ops.notifications import Routing, Telling
from tests.notifications.made import MORNING, NIGHT, QUIET, route
from tests.notifying.rooms import Room

DESK, OTHER = "desk@broker.example", "b@broker.example"
ROUTE = route(events=(TOLD,), tell=(Telling("mail", (DESK, OTHER)),))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    folder = tmp_path / "outbox"
    folder.mkdir()
    return Room(folder, ROUTE)


@pytest.fixture
def store(tmp_path: Path, room: Room) -> IncidentStore:
    store = IncidentStore(tmp_path / "work", room.clock)
    what = OpenIncident("The index stopped", Severity.MAJOR, MORNING.date())
    store.open(Given(what, "desk", TimeTold.exactly(MORNING)), "one")
    return store


def send(store: IncidentStore, room: Room, text: str = "Contingency.") -> tuple[int, ...]:
    return asyncio.run(
        send_told(store, "one", text, "desk", room.correspondence, room.clock, teller="desk")
    )


def receipts(store: IncidentStore) -> list[tuple[str, Outcome, str]]:
    return [
        (one.what.receipt.receiver, one.what.receipt.outcome, one.what.receipt.reference)
        for one in store.read("one").view.standing
        if isinstance(one.what, Tell)
    ]


def test_every_receiver_of_a_route_has_a_receipt_in_the_log(
    store: IncidentStore, room: Room
) -> None:
    assert (2, 3) == send(store, room)
    assert [DESK, OTHER] == room.arrived()
    assert [(DESK, Outcome.TAKEN, "fake 1"), (OTHER, Outcome.TAKEN, "fake 2")] == receipts(store)
    assert ["Contingency.", "Contingency."] == [
        one.text for one in store.read("one").view.standing if isinstance(one.what, Tell)
    ]
    assert "The index stopped" in room.exchanges["mail"].arrived[0].text
    assert "Contingency." in room.exchanges["mail"].arrived[0].text


def test_a_second_message_is_another_one(store: IncidentStore, room: Room) -> None:
    send(store, room)
    send(store, room, "Resumed.")
    assert 4 == len(room.arrived()) == len(receipts(store))


def test_the_same_words_later_are_another_message(store: IncidentStore, room: Room) -> None:
    """Nobody is kept from hearing again, half an hour later, that it still goes on."""
    room.exchanges["mail"].is_up = False
    send(store, room)
    room.exchanges["mail"].is_up = True
    room.later(minutes=30)
    send(store, room)
    assert 4 == len(room.arrived())


def test_what_was_taken_over_is_not_taken_over_again(store: IncidentStore, room: Room) -> None:
    send(store, room)
    assert () == take_over(store, "one", "desk", room.correspondence, room.clock, "desk")
    assert 2 == len(receipts(store))


def test_a_refusal_is_entered_as_one(store: IncidentStore, room: Room) -> None:
    room.exchanges["mail"].refused.add(OTHER)
    send(store, room)
    assert [(DESK, Outcome.TAKEN), (OTHER, Outcome.REFUSED)] == [
        (who, outcome) for who, outcome, _ in receipts(store)
    ]


def test_an_answer_that_was_lost_is_entered_as_unknown(store: IncidentStore, room: Room) -> None:
    room.exchanges["mail"].loses_answers = True
    send(store, room)
    assert {Outcome.UNKNOWN} == {outcome for _, outcome, _ in receipts(store)}


def test_who_was_reached_only_later_is_taken_over_then(store: IncidentStore, room: Room) -> None:
    """A server that is down is tried again by the mailroom; the log waits for the end of it."""
    room.exchanges["mail"].is_up = False
    assert () == send(store, room)
    room.exchanges["mail"].is_up = True
    room.later(minutes=1)
    with room.open() as mailroom:
        asyncio.run(mailroom.deliver())
    assert (2, 3) == take_over(store, "one", "desk", room.correspondence, room.clock, "desk")
    assert [DESK, OTHER] == [who for who, _, _ in receipts(store)]


def test_who_is_not_reached_yet_is_named(store: IncidentStore, room: Room) -> None:
    """Without a receipt the log has nothing of them, and somebody has to know that."""
    room.exchanges["mail"].is_up = False
    send(store, room)
    waiting = outstanding("one", room.correspondence, room.clock)
    assert [(f"mail  {DESK}", True), (f"mail  {OTHER}", True)] == [
        (one.who, one.was_tried) for one in waiting
    ]
    assert all(one.due and one.due > MORNING and one.why for one in waiting)
    assert () == outstanding("another", room.correspondence, room.clock)
    room.exchanges["mail"].is_up = True
    room.later(minutes=1)
    with room.open() as mailroom:
        asyncio.run(mailroom.deliver())
    assert () == outstanding("one", room.correspondence, room.clock)


def test_who_is_told_in_the_morning_is_named(store: IncidentStore, room: Room) -> None:
    quiet = Routing((ROUTE,), QUIET)
    room.correspondence = evolve(room.correspondence, routing=quiet)
    room.clock.turn_to(NIGHT)
    assert () == send(store, room)
    (held,) = outstanding("one", room.correspondence, room.clock)
    assert Outstanding("route desk", MORNING.replace(day=3, hour=7), "quiet hours", False) == held


def test_what_was_told_by_hand_beside_it_is_taken_over(store: IncidentStore, room: Room) -> None:
    send(store, room)
    key = next(
        one.what.key for one in store.read("one").view.standing if isinstance(one.what, Tell)
    )
    by_hand = Receipt("phone", "HKEX", room.clock.now(), Outcome.TAKEN, told_by="duty desk")
    with room.open() as mailroom:
        mailroom.told(key, by_hand)
    assert (4,) == take_over(store, "one", "desk", room.correspondence, room.clock, "desk")
    assert ("HKEX", Outcome.TAKEN, "") == receipts(store)[-1]


def test_where_no_route_speaks_of_incidents_it_is_said(
    tmp_path: Path, store: IncidentStore, room: Room
) -> None:
    folder = tmp_path / "unrouted"
    folder.mkdir()
    unrouted = Room(folder, route(events=("reports/missing",)))
    with pytest.raises(ConfigError, match="no route of notifications names incident/told"):
        send(store, unrouted)
    assert [] == receipts(store)
