"""The switchboard: routes hold together, nobody is told twice, what can wait is told as one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hkex_ops.calendars import TimeOfDay
from hkex_ops.model import HONG_KONG, Audience, Language, Outcome, Severity
from hkex_ops.notifications import (
    Acknowledge,
    CaseAcknowledged,
    CaseEscalated,
    CaseFellBack,
    CaseReached,
    CaseUnanswered,
    CaseUnreached,
    DayChoice,
    Hours,
    OccurrenceHeld,
    OccurrenceRepeated,
    OccurrenceTaken,
    OccurrenceUnrouted,
    Settle,
    Telling,
    restore,
    snapshot,
)
from tests.notifications.made import (
    MORNING,
    NIGHT,
    QUIET,
    Board,
    escalating,
    minutes,
    occurrence,
    orders,
    route,
)

MAIL = ("route", "mail", ("desk@broker.example",))
CASE = "missing 1 > desk"


def test_every_route_that_wants_it_is_told_at_once() -> None:
    board = Board(
        route(),
        route("boss", Audience.MANAGEMENT, severity=Severity.CRITICAL),
        route("sfc", Audience.REGULATOR, tell=(Telling("mail", ("duty@sfc.example",)),)),
    )
    events = board.handle(occurrence(), MORNING)
    assert OccurrenceTaken(MORNING, "missing 1", "reports/missing", ("desk", "sfc")) == events[0]
    assert [MAIL, ("route", "mail", ("duty@sfc.example",))] == orders(events)
    assert [Audience.DESK, Audience.REGULATOR] == [one.audience for one in board.told(events)]


def test_one_key_is_told_once() -> None:
    board = Board(route())
    board.handle(occurrence(), MORNING)
    assert (OccurrenceRepeated(MORNING, "missing 1"),) == board.handle(occurrence(), MORNING)


def test_what_no_route_wants_is_told_to_nobody_and_said_so() -> None:
    board = Board(route(events=("index/*",)))
    expected = (OccurrenceUnrouted(MORNING, "missing 1", "reports/missing"),)
    assert expected == board.handle(occurrence(), MORNING)


@pytest.mark.parametrize(
    ("expected", "at"),
    [
        ([MAIL], datetime(2026, 2, 2, 9, 0, tzinfo=HONG_KONG)),
        ([], datetime(2026, 2, 2, 8, 59, tzinfo=HONG_KONG)),
        ([], datetime(2026, 2, 2, 18, 0, tzinfo=HONG_KONG)),
        ([], datetime(2026, 2, 7, 10, 0, tzinfo=HONG_KONG)),  # a Saturday
    ],
)
def test_hours_of_business_days(expected: list[object], at: datetime) -> None:
    nine, six = TimeOfDay.parse("09:00"), TimeOfDay.parse("18:00")
    board = Board(route(hours=(Hours(nine, six, DayChoice.BUSINESS_DAYS),)))
    assert expected == orders(board.handle(occurrence(at=at), at))


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    """Friday's night lasts until Saturday morning; Saturday has none of its own."""
    hours = Hours(TimeOfDay.parse("22:00"), TimeOfDay.parse("07:00"), DayChoice.BUSINESS_DAYS)
    saturday = datetime(2026, 2, 7, 6, 0, tzinfo=HONG_KONG)
    working = {5: False, 6: False}

    def is_business_day(day: object) -> bool:
        return working.get(day.weekday(), True)  # type: ignore[attr-defined]

    assert saturday.replace(hour=7) == hours.ends(saturday, is_business_day)
    assert hours.ends(saturday.replace(hour=23), is_business_day) is None


def test_where_the_calendar_knows_nothing_nobody_is_left_out() -> None:
    hours = Hours(TimeOfDay.parse("09:00"), TimeOfDay.parse("18:00"), DayChoice.OTHER_DAYS)
    assert hours.ends(MORNING, lambda _: None) is not None


def test_a_batch_is_told_as_one() -> None:
    board = Board(route(digest_s=60))
    for number in range(3):
        told = board.handle(
            occurrence(f"finding {number}", event="reports/findings", batch="RRS 2 February"),
            MORNING + timedelta(seconds=number),
        )
        assert [] == orders(told)
    assert MORNING + minutes(1) == board.machine.due()
    (one,) = board.told(board.poll(MORNING + minutes(1)))
    assert "digest of 3 for desk, first finding 0" == one.key
    assert "[major] 3 messages" == one.subject
    assert 3 == one.body.count("findings of 2026-02-02")


def test_a_batch_of_one_keeps_its_own_words() -> None:
    board = Board(route(digest_s=60))
    board.handle(occurrence(batch="RRS"), MORNING)
    (one,) = board.told(board.poll(MORNING + minutes(1)))
    assert ("missing 1", "[major] RRS: 37 of 38 reports, TP002 missing") == (one.key, one.subject)


def test_what_is_critical_waits_for_no_batch() -> None:
    board = Board(route(digest_s=60))
    events = board.handle(occurrence(batch="RRS", severity=Severity.CRITICAL), MORNING)
    assert [MAIL] == orders(events)


def test_quiet_hours_hold_back_what_can_wait_and_tell_it_in_the_morning_as_one() -> None:
    board = Board(route(), quiet=QUIET)
    seven = datetime(2026, 2, 3, 7, 0, tzinfo=HONG_KONG)
    first = board.handle(occurrence(at=NIGHT), NIGHT)
    assert OccurrenceHeld(NIGHT, "missing 1", "desk", seven, "quiet hours") == first[1]
    board.handle(occurrence("missing 2"), NIGHT + minutes(5))
    assert () == board.poll(seven - minutes(1))
    (one,) = board.told(board.poll(seven))
    assert "[major] 2 messages" == one.subject


def test_a_batch_that_is_due_in_quiet_hours_waits_for_the_morning() -> None:
    board = Board(route(digest_s=3600), quiet=QUIET)
    evening = NIGHT.replace(hour=21, minute=30)
    board.handle(occurrence(batch="RRS"), evening)
    assert [] == orders(board.poll(NIGHT))
    assert [MAIL] == orders(board.poll(datetime(2026, 2, 3, 7, 0, tzinfo=HONG_KONG)))


def test_quiet_hours_never_silence_a_regulator() -> None:
    board = Board(route("sfc", Audience.REGULATOR), quiet=QUIET)
    events = board.handle(occurrence(severity=Severity.INFORMATION), NIGHT)
    assert [MAIL] == orders(events)


def test_what_is_critical_breaks_quiet_hours() -> None:
    board = Board(route(), quiet=QUIET)
    assert [MAIL] == orders(board.handle(occurrence(severity=Severity.CRITICAL), NIGHT))


def test_each_language_is_a_message_of_its_own() -> None:
    board = Board(route(languages=(Language.ENGLISH, Language.CHINESE)))
    told = board.told(board.handle(occurrence(), MORNING))
    assert [Language.ENGLISH, Language.CHINESE] == [one.language for one in told]
    assert "【重大】RRS：報告 37/38 份，欠 TP002" == told[1].subject


def test_who_cannot_be_reached_is_replaced_by_the_fallback_at_once() -> None:
    board = Board(escalating())
    board.handle(occurrence(), MORNING)
    refused = Settle(CASE, "mail", "desk@broker.example", Outcome.REFUSED)
    events = board.handle(refused, MORNING + minutes(1))
    assert CaseFellBack(MORNING + minutes(1), CASE, 1) == events[0]
    assert [("fallback 1", "sms", ("duty",))] == orders(events)


def test_silence_brings_the_fallback_after_a_while() -> None:
    board = Board(route(fallback=(Telling("sms", ("duty",)),), fallback_after_minutes=5))
    board.handle(occurrence(), MORNING)
    assert () == board.poll(MORNING + minutes(4))
    expected = [("fallback 1", "sms", ("duty",))]
    assert expected == orders(board.poll(MORNING + minutes(5)))


def test_once_somebody_has_it_there_is_no_fallback() -> None:
    board = Board(route(fallback=(Telling("sms", ("duty",)),)))
    board.handle(occurrence(), MORNING)
    taken = Settle(CASE, "mail", "desk@broker.example", Outcome.TAKEN)
    expected = (CaseReached(MORNING, CASE, "mail", "desk@broker.example"),)
    assert expected == board.handle(taken, MORNING)
    assert {} == board.machine.cases
    assert () == board.poll(MORNING + minutes(60))


def test_nobody_answers_and_the_chain_is_climbed_to_its_end() -> None:
    board = Board(escalating(), route("all", events=("notify/*",)))
    board.handle(occurrence(), MORNING)
    board.handle(Settle(CASE, "mail", "desk@broker.example", Outcome.TAKEN), MORNING)
    assert () == board.poll(MORNING + minutes(9))
    first = board.poll(MORNING + minutes(10))
    assert CaseEscalated(MORNING + minutes(10), CASE, 1) == first[0]
    assert [("escalation 1", "sms", ("head",))] == orders(first)
    second = board.poll(MORNING + minutes(20))
    assert [("escalation 2", "sms", ("director",))] == orders(second)
    last = board.poll(MORNING + minutes(30))
    assert CaseUnanswered(MORNING + minutes(30), CASE, "missing 1") == last[0]
    (complaint,) = board.told(last)
    assert "[major] Nobody answered: [major] RRS: 37 of 38 reports, TP002 missing" == (
        complaint.subject
    )


def test_an_acknowledgement_ends_the_chain() -> None:
    board = Board(escalating())
    board.handle(occurrence(), MORNING)
    board.poll(MORNING + minutes(10))
    at = MORNING + minutes(12)
    expected = (CaseAcknowledged(at, CASE, "missing 1", "A. Chan"),)
    assert expected == board.handle(Acknowledge("missing 1", "A. Chan"), at)
    assert () == board.poll(MORNING + minutes(600))


def test_a_chain_without_anybody_to_reach_is_climbed_without_waiting() -> None:
    board = Board(escalating())
    board.handle(occurrence(), MORNING)
    board.handle(Settle(CASE, "mail", "desk@broker.example", Outcome.REFUSED), MORNING)
    events = board.handle(Settle(CASE, "sms", "duty", Outcome.REFUSED), MORNING)
    assert [("escalation 1", "sms", ("head",))] == orders(events)


def test_by_no_way_was_anybody_reached() -> None:
    board = Board(route(), route("all", events=("notify/*",), tell=(Telling("sms", ("head",)),)))
    board.handle(occurrence(), MORNING)
    refused = Settle(CASE, "mail", "desk@broker.example", Outcome.UNKNOWN)
    events = board.handle(refused, MORNING)
    assert CaseUnreached(MORNING, CASE, "missing 1") == events[0]
    (complaint,) = board.told(events)
    assert Severity.CRITICAL is complaint.severity
    failed = Settle(f"unreached: {CASE} > all", "sms", "head", Outcome.REFUSED)
    expected = [CaseUnreached(MORNING, failed.case, f"unreached: {CASE}")]
    assert expected == list(board.handle(failed, MORNING)), "no complaint about a complaint"


def test_what_it_has_in_hand_survives_a_restart() -> None:
    """Cases, their outcomes and held occurrences go on in another machine as in the first."""
    board = Board(escalating(), route("later", digest_s=3600, events=("reports/*",)), quiet=QUIET)
    board.handle(occurrence(batch="RRS"), MORNING)
    board.handle(Settle(CASE, "mail", "desk@broker.example", Outcome.REFUSED), MORNING)
    kept = snapshot(board.machine)
    board.machine = board.fresh()
    restore(board.machine, kept)
    assert kept == snapshot(board.machine)
    assert [("escalation 1", "sms", ("head",))] == orders(board.poll(MORNING + minutes(10)))
    board.handle(Acknowledge("missing 1", "A. Chan"), MORNING + minutes(11))
    assert [MAIL] == orders(board.poll(MORNING + minutes(60)))


def test_a_snapshot_of_another_version_is_refused() -> None:
    board = Board(route())
    with pytest.raises(ValueError, match="version 9"):
        restore(board.machine, {**snapshot(board.machine), "version": 9})
