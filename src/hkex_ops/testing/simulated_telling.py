"""Business days on which people are told things, by a channel whose far side has a bad day.

The notifier of a bench, the switchboard, the mailroom and its outbox on disk are the real ones.
The far side goes down, is full, refuses, keeps silent or loses its answers, and whoever delivers is
stopped half-way. After each moment every promise is held against what really arrived.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from random import Random

import pytest
from attrs import define, evolve, field

from hkex_ops.config.routes import load_templates
from hkex_ops.flows.notifying.configured import Channel, Correspondence
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.flows.notifying.standing import Told, standing
from hkex_ops.model import Audience, Notification, Occurrence, Receipt, Severity, SiteRole
from hkex_ops.notifications import DeliveryRules, DeliveryState, Route, Routing, Telling
from hkex_ops.ports import Notifier
from hkex_ops.testing.faulty import faulty
from hkex_ops.testing.market_feed_heard import noticed
from hkex_ops.testing.notifier_bench import NotifierBench
from hkex_ops.testing.notifier_faults import Faulty
from hkex_ops.testing.simulated import Chronicle, Part
from hkex_ops.testing.simulated_house import at_time
from hkex_ops.testing.simulated_troubles import Troubles

__all__ = ["TellingDesk"]

BEGIN, END, STEP = time(9), time(19), timedelta(minutes=20)
ENOUGH = timedelta(hours=6)

RULES = DeliveryRules(attempts=4, first_wait_s=60, longest_wait_s=3600)

# In how many moments of a hundred something happens, the far side has its troubles, and whoever
# delivers is stopped.
HAPPENS, TROUBLED, STOPPED = 40, 50, 10

_MAY_HAVE_IT = {DeliveryState.TAKEN, DeliveryState.UNKNOWN, DeliveryState.SENDING}
_UNDER_WAY = {DeliveryState.QUEUED, DeliveryState.SENDING}


class _Stopping(Faulty):
    """Whoever delivers is stopped when the message is out and its receipts are not written."""

    def __init__(self, notifier: Notifier, stop: Callable[[], object]) -> None:
        super().__init__(notifier)
        self._stop = stop

    async def notify(
        self, notification: Notification, receivers: Sequence[str]
    ) -> tuple[Receipt, ...]:
        receipts = await self._notifier.notify(notification, receivers)
        self._stop()
        await asyncio.Event().wait()
        return receipts


@define
class TellingDesk:
    """The mailroom of one simulation: one bench, one outbox in ``folder``, one clock."""

    bench: NotifierBench
    chronicle: Chronicle
    folder: Path
    handed_in: list[str] = field(factory=list[str])
    _stated: Correspondence = field(init=False)
    _troubles: Troubles = field(init=False)

    def __attrs_post_init__(self) -> None:
        more = [
            ("refuses for good", self.bench.refuse),
            ("takes what it is given and loses the answer", self.bench.take_and_hang_up),
        ]
        self._troubles = Troubles(self.bench, self.chronicle, more)
        told = Telling("way", tuple(self.bench.receivers()))
        self._stated = Correspondence(
            self.folder,
            Routing((Route("desk", Audience.DESK, (told,)),)),
            load_templates(()),
            {"way": Channel("way", SiteRole.PRIMARY, self.bench.offer, self.bench.options())},
            rules=RULES,
        )

    async def live(self, day: date) -> None:
        """One business date, and the night in which everything is tried that is still due."""
        at, end = at_time(day, BEGIN), at_time(day, END)
        while at < end:
            self.chronicle.clock.turn_to(at)
            await self._moment(day, self.chronicle.chance(day, at))
            at += STEP
        await self._troubles.end()
        for _ in range(RULES.attempts):
            self.chronicle.clock.advance(ENOUGH / RULES.attempts)
            await self._deliver()
        with Mailroom(self._stated, self.chronicle.clock) as mailroom:
            left = [
                told.notification.key
                for told in standing(mailroom.outbox)
                if any(one.state in _UNDER_WAY for one in told.receivers)
            ]
        self.chronicle.require(not left, f"neither told nor given up by night: {left}")

    async def _moment(self, day: date, chance: Random) -> None:
        troubled = chance.randrange(100) < TROUBLED
        stopped = chance.randrange(100) < STOPPED
        happens = chance.randrange(100) < HAPPENS
        await self._troubles.end()
        if troubled:
            await self._troubles.begin(chance)
        if happens:
            self._hand_in(day)
        if stopped:
            self.chronicle.tell(Part.FAULT, "whoever delivers is stopped once a message is out")
        await self._deliver(stopped=stopped)
        if happens and not self._troubles.is_on and not stopped:
            self._judge_untroubled()

    def _hand_in(self, day: date) -> None:
        key = f"simulated-{len(self.handed_in) + 1:04}"
        facts = {"service": "RRS", "held": "5", "expected": "6", "missing": key}
        now = self.chronicle.clock.now()
        happened = Occurrence("reports/missing", key, now, Severity.MAJOR, facts, business_date=day)
        with Mailroom(self._stated, self.chronicle.clock) as mailroom:
            mailroom.hand_in(happened)
        self.handed_in.append(key)
        self.chronicle.tell(Part.DESK, f"hands in {key}")

    async def _deliver(self, *, stopped: bool = False) -> None:
        """Deliver what is due, and judge what came of it."""
        running: asyncio.Task[bool]

        def between(notifier: Notifier) -> Notifier:
            return _Stopping(notifier, lambda: running.cancel()) if stopped else notifier

        channel = self._stated.channels["way"]
        ways = {"way": evolve(channel, offer=faulty(channel.offer, between))}
        stated = evolve(self._stated, channels=ways)
        with Mailroom(stated, self.chronicle.clock, self._observe) as mailroom:
            running = asyncio.ensure_future(mailroom.deliver())
            [ended] = await asyncio.gather(running, return_exceptions=True)
            is_stopped = stopped and isinstance(ended, asyncio.CancelledError)
            self.chronicle.require(ended is True or is_stopped, f"delivering ended with {ended!r}")
            await self._judge(standing(mailroom.outbox))

    def _observe(self, event: object) -> None:
        if isinstance(event, Receipt):
            self.chronicle.tell(Part.DESK, f"{event.receiver}: {event.outcome}")

    # -- promises --------------------------------------------------------------------------------

    async def _judge(self, stood: Sequence[Told]) -> None:
        require = self.chronicle.require
        found = Counter(told.notification.key for told in stood)
        require(found == Counter(self.handed_in), "what was handed in is not what is told")
        arrived: Counter[tuple[str, str]] = Counter()
        for message in await self.bench.arrived():
            arrived.update((key, message.receiver) for key in self.handed_in if key in message.text)
        twice = sorted(key for key, count in arrived.items() if count > 1)
        require(not twice, f"told twice: {twice}")
        for told in stood:
            for one in told.receivers:
                has_it = (told.notification.key, one.receiver) in arrived
                where = f"{one.receiver} {'has' if has_it else 'does not have'}"
                said = f"{where} {told.notification.key}, which stands as {one.state}"
                require(has_it or one.state is not DeliveryState.TAKEN, said)
                require(not has_it or one.state in _MAY_HAVE_IT, said)
        try:
            self.bench.visitors()
        except pytest.skip.Exception:
            return
        require(await noticed(lambda: self.bench.visitors() == 0), "a connection was left open")

    def _judge_untroubled(self) -> None:
        """Where nothing was in the way, what was handed in last is taken."""
        key = self.handed_in[-1]
        with Mailroom(self._stated, self.chronicle.clock) as mailroom:
            [told] = standing(mailroom.outbox, key)
        states = {one.state for one in told.receivers}
        self.chronicle.require(
            states == {DeliveryState.TAKEN},
            f"nothing was in the way, and {key} stands as {', '.join(sorted(states))}",
        )
