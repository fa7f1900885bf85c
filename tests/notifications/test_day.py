"""A day of a desk with an escalation chain, in a moment: seeded, every promise held after each
event."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest

from hkex_ops.calendars import TimeOfDay
from hkex_ops.model import HONG_KONG, Audience, Outcome, Severity
from hkex_ops.notifications import (
    Acknowledge,
    CaseAcknowledged,
    CaseUnanswered,
    EscalationStep,
    Hours,
    OccurrenceHeld,
    QuietHours,
    Route,
    Settle,
    SwitchboardEvent,
    Telling,
    TellingOrdered,
    restore,
    snapshot,
)
from tests.notifications.made import Board, occurrence, route

MIDNIGHT = datetime(2026, 2, 2, tzinfo=HONG_KONG)
STEP = timedelta(minutes=1)
MINUTES = 24 * 60

CHAIN = Route(
    "desk",
    Audience.DESK,
    (Telling("mail", ("desk@broker.example",)),),
    severity=Severity.MAJOR,
    fallback=(Telling("sms", ("duty",)),),
    escalation=(EscalationStep(10, "sms", ("head",)), EscalationStep(25, "phone", ("director",))),
    digest_s=120,
)


class Day:
    """A day: things happen, channels fail, people answer or do not; the machine is restarted."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.board = Board(
            CHAIN,
            route("log", severity=Severity.INFORMATION, tell=(Telling("file", ("log",)),)),
            route("sfc", Audience.REGULATOR, tell=(Telling("mail", ("sfc",)),), digest_s=60),
            quiet=QuietHours((Hours(TimeOfDay.parse("22:00"), TimeOfDay.parse("07:00")),)),
        )
        self.now = MIDNIGHT
        self.orders: list[TellingOrdered] = []
        self.ended: dict[str, datetime] = {}
        self.log: list[SwitchboardEvent] = []

    def live(self) -> None:
        for minute in range(MINUTES):
            self.now = MIDNIGHT + minute * STEP
            if self.random.random() < 0.05:
                self._happens(minute)
            self._note(self.board.poll(self.now))
            self._people()
            if self.random.random() < 0.02:
                self._restart()

    def _happens(self, minute: int) -> None:
        severity = self.random.choice(list(Severity))
        batch = self.random.choice(["", "RRS"])
        key = f"at {minute - minute % 3}"  # some come twice
        self._note(
            self.board.handle(
                occurrence(key, severity=severity, at=self.now, batch=batch), self.now
            )
        )

    def _people(self) -> None:
        for case in tuple(self.board.machine.cases.values()):
            for (by, to), outcome in tuple(case.outcomes.items()):
                if outcome is None and self.random.random() < 0.5:
                    weights = (6, 2, 1)
                    choice = (Outcome.TAKEN, Outcome.REFUSED, Outcome.UNKNOWN)
                    (became,) = self.random.choices(choice, weights)
                    self._note(self.board.handle(Settle(case.id, by, to, became), self.now))
            if case.route is not None and self.random.random() < 0.03:
                self._note(self.board.handle(Acknowledge(case.key, "A. Chan"), self.now))

    def _restart(self) -> None:
        kept = snapshot(self.board.machine)
        self.board.machine = self.board.fresh()
        restore(self.board.machine, kept)

    def _note(self, events: tuple[SwitchboardEvent, ...]) -> None:
        self.log += events
        for event in events:
            if isinstance(event, CaseAcknowledged | CaseUnanswered):
                self.ended.setdefault(event.case, event.at)
            if isinstance(event, OccurrenceHeld) and event.route == "sfc":
                assert "quiet hours" != event.why, "a regulator was made to wait"
            if isinstance(event, TellingOrdered):
                assert event.case not in self.ended, "told after somebody had acknowledged"
                self.orders.append(event)
        cases = self.board.machine.cases.values()
        assert all(case.is_open for case in cases)
        due = self.board.machine.due()
        assert due is None or not events or due > self.now - STEP


SEEDS = [1, 2, 3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 300))]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_keeps_every_promise(seed: int) -> None:
    """Nobody is told one thing twice, nobody after an acknowledgement; chains end; regulators
    never wait for the morning; two days of one seed are one day."""
    day = Day(seed)
    day.live()
    told = [(one.case, one.by, to) for one in day.orders for to in one.to]
    assert len(set(told)) == len(told)
    assert len(told) > 20, "the day was too quiet to prove anything"
    assert any(one.way.startswith("escalation") for one in day.orders)
    again = Day(seed)
    again.live()
    assert day.log == again.log


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_escalation_comes_in_its_order_and_in_time(seed: int) -> None:
    day = Day(seed)
    day.live()
    opened: dict[str, datetime] = {}
    for order in day.orders:
        opened.setdefault(order.case, order.at)
        late = order.at - opened[order.case]
        if order.way == "escalation 2":
            ways = [one.way for one in day.orders if one.case == order.case]
            assert "escalation 1" in ways[: ways.index("escalation 2")]
        # An escalation is early only when nobody could be reached by any way before it.
        if order.way == "escalation 1":
            assert late <= timedelta(minutes=10)
