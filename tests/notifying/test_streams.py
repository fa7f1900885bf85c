"""What streams say becomes occurrences of the catalogue; a courier brings them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
import structlog

from hkex_ops.clock import ManualClock
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import Denied, Unreachable
from hkex_ops.flows.notifying.courier import Courier
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.flows.notifying.streams import (
    occurrence_of_breaks,
    occurrence_of_denial,
    occurrence_of_findings,
    occurrence_of_gateway,
    occurrence_of_override,
    occurrence_of_unavailable,
)
from hkex_ops.flows.occurring import hearers_of, occurrence_of_run, occurrence_of_step
from hkex_ops.model import (
    HONG_KONG,
    BroadcastReceived,
    ClearingMessageReceived,
    EventsLost,
    LinkLost,
    LinkRestored,
    LogoutImminent,
    Occurrence,
    SiteRole,
)
from hkex_ops.notifications import EVENT_KINDS
from hkex_ops.reports.events import FindingKind, ReportFinding
from hkex_ops.rollouts import Override
from hkex_ops.rundown import RundownEvent, SessionAborted, SessionClosed, SessionOpened
from tests.notifications.made import route
from tests.notifying.rooms import Room

AT = datetime(2026, 2, 2, 10, 5, tzinfo=HONG_KONG)
DAY = date(2026, 2, 2)
PRIMARY = SiteRole.PRIMARY


def known(occurrence: Occurrence) -> Occurrence:
    """The occurrence, which says nothing that the catalogue does not know of its event."""
    kind = EVENT_KINDS[occurrence.event]
    assert set(occurrence.facts) <= set(kind.facts), occurrence
    assert kind.severity is occurrence.severity
    return occurrence


def test_a_denial_of_one_day_is_one_occurrence() -> None:
    denied = Denied("renew-ssh-key", rule="not now", source="a paper, (ii)", until=None)
    first = known(occurrence_of_denial(denied, AT))
    assert first.key == occurrence_of_denial(denied, AT.replace(hour=11)).key
    assert first.key != occurrence_of_denial(denied, AT.replace(day=3)).key
    assert "not now (a paper, (ii))" == first.facts["rule"]


def test_an_override_says_both_people_and_its_end() -> None:
    given = Override("renew-ssh-key", "key lost", "A. Chan", "B. Wong", AT.replace(hour=12), AT)
    told = known(occurrence_of_override(given, AT))
    assert ("A. Chan", "B. Wong", "2026-02-02 12:05") == (
        told.facts["by"],
        told.facts["second"],
        told.facts["until"],
    )


@pytest.mark.parametrize(
    ("expected", "event"),
    [
        ("rundown/session-opened", SessionOpened(AT, "Session 1")),
        ("rundown/session-closed", SessionClosed(AT, "Session 1", ("login",))),
        ("rundown/session-aborted", SessionAborted(AT, "Session 1", "no line", "A. Chan", ())),
    ],
)
def test_sessions_begin_and_end(expected: str, event: RundownEvent) -> None:
    told = occurrence_of_step("rrs-2023", event)
    assert told is not None
    assert (expected, "rrs-2023/Session 1") == (known(told).event, told.batch)


def test_the_findings_of_a_fetch_are_one_occurrence() -> None:
    findings = [
        ReportFinding(FindingKind.NOT_FETCHED, f"TP{number:03}.csv", "refused")
        for number in range(25)
    ]
    (one,) = occurrence_of_findings("RRS", PRIMARY, DAY, findings, AT)
    assert "25" == known(one).facts["count"]
    assert one.facts["listed"].endswith(" and 5 more")
    assert [] == list(occurrence_of_findings("RRS", PRIMARY, DAY, [], AT))


def test_a_server_that_cannot_be_used_is_one_occurrence_an_hour() -> None:
    error = Unreachable("nobody\nanswers")
    one = known(occurrence_of_unavailable("RRS", PRIMARY, DAY, error, AT))
    later = occurrence_of_unavailable("RRS", PRIMARY, DAY, error, AT.replace(minute=50))
    assert (one.key, DAY, PRIMARY) == (later.key, one.business_date, one.site)


@pytest.mark.parametrize(
    ("expected", "event"),
    [
        ("clearing/system-text", ClearingMessageReceived("DCASS opens\nat 08:00", {})),
        ("clearing/link-lost", LinkLost("broadcasts", "silence", -1)),
        ("clearing/link-restored", LinkRestored("broadcasts", 0)),
        ("clearing/events-lost", EventsLost("a gap", -2)),
        ("clearing/logout-imminent", LogoutImminent("end of day", 1)),
        (None, BroadcastReceived("BI1", {})),
    ],
)
def test_events_of_the_clearing_gateway(expected: str | None, event: object) -> None:
    told = occurrence_of_gateway(event, AT, PRIMARY)
    assert expected == (None if told is None else known(told).event)


def test_the_breaks_of_a_reconciliation_are_one_occurrence() -> None:
    told = known(occurrence_of_breaks("trades", {"missing-here": 2, "different": 1}, AT))
    assert {"count": "3", "listed": "trades: 1 different, 2 missing-here"} == told.facts


def test_words_that_were_recovered_are_the_words_that_were_lost() -> None:
    """Asked for again after a loss they come at another time and are told once."""
    received = occurrence_of_gateway(ClearingMessageReceived("Opens at 08:00", {}), AT, PRIMARY)
    recovered = occurrence_of_gateway(
        ClearingMessageReceived("Opens at 08:00", {}, recovered=True), AT.replace(hour=11), PRIMARY
    )
    assert received is not None
    assert recovered is not None
    assert received.key == recovered.key


def test_a_change_of_mode_says_from_what_to_what() -> None:
    told = occurrence_of_run(
        {
            "event": "mode-changed",
            "at": AT.isoformat(),
            "name": "contingency-1",
            "before": "standby",
            "after": "contingency",
            "reason": "all engines are silent",
            "by": "",
        }
    )
    assert told is not None
    assert {
        "mode": "contingency",
        "was": "standby",
        "reason": "all engines are silent",
    } == known(told).facts


def test_who_has_no_notifications_is_told_nothing(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("")
    clock = ManualClock(AT)
    assert () == hearers_of(load_settings(config), tmp_path, clock)
    config.write_text('[notifications]\nroutes = "routes.toml"\nfolder = "outbox"\n')
    (hearer,) = hearers_of(load_settings(config), tmp_path, clock)
    assert isinstance(hearer, Courier)


def test_a_courier_that_cannot_deliver_hinders_nobody(tmp_path: Path) -> None:
    """A routing file that is not there is a line in the log."""
    config = tmp_path / "config.toml"
    config.write_text('[notifications]\nroutes = "routes.toml"\nfolder = "outbox"\n')
    denied = Denied("renew-ssh-key", rule="not now", source="a paper", until=None)
    with structlog.testing.capture_logs() as logs:
        Courier(load_settings(config), ManualClock(AT))(occurrence_of_denial(denied, AT))
    assert [("not_told", "guard/denied")] == [(one["event"], one["happened"]) for one in logs]
    assert not (tmp_path / "outbox").exists()


def test_a_courier_hands_in_and_delivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path / "outbox", route())
    monkeypatch.setattr(
        "hkex_ops.flows.notifying.courier.correspondence", lambda *_: room.correspondence
    )
    config = tmp_path / "config.toml"
    config.write_text("")
    courier = Courier(load_settings(config), room.clock)
    denied = Denied("renew-ssh-key", rule="not now", source="a paper", until=None)
    for _ in range(2):
        courier(occurrence_of_denial(denied, AT))
    assert ["desk@broker.example"] == room.arrived()
    with Mailroom(room.correspondence, room.clock) as mailroom:
        assert mailroom.due() is None
