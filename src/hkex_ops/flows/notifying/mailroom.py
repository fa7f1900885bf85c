"""The mailroom: joins the switchboard, the outbox and the notifiers.

Whoever has something to tell *hands it in*: it is routed and on disk when that returns. Whoever
holds the mailroom's lock *delivers*: one process at a time, so that what is found half sent was
left by somebody who is gone. Each channel has a lane of its own; a slow one delays no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from types import TracebackType
from typing import TypeAlias

import structlog

from hkex_ops import log
from hkex_ops.clock import Clock
from hkex_ops.errors import ConfigError, HkexOpsError, UsageError
from hkex_ops.flows.notifying.configured import Channel, Correspondence
from hkex_ops.flows.notifying.outbox import Claim, Claimed, Outbox
from hkex_ops.flows.notifying.postmark import Postmark
from hkex_ops.flows.notifying.sending import inquired, not_opened, send
from hkex_ops.model import Occurrence, Outcome, Receipt
from hkex_ops.notifications import (
    Acknowledge,
    DeliveryState,
    Held,
    Settle,
    Switchboard,
    SwitchboardEvent,
    TellingOrdered,
)
from hkex_ops.notifications.deliveries import DeliveryInput
from hkex_ops.ports import Notifier, SupportsAcknowledgement

__all__ = ["MOST_RECEIVERS", "Mailroom", "Observe"]

_log = structlog.get_logger()

Observe: TypeAlias = Callable[[SwitchboardEvent | Receipt], None]

MOST_RECEIVERS = 50
"""Receivers of one message that an adapter is given at once."""

ROUNDS = 1000
"""Messages that one lane sends before it lets others have a look; more is due at once."""


class Mailroom:
    """One desk's mailroom. A context manager that closes the outbox."""

    def __init__(
        self, correspondence: Correspondence, clock: Clock, observe: Observe | None = None
    ) -> None:
        """``observe`` hears what is decided and every receipt, once they are on disk."""
        self._correspondence = correspondence
        self._observe = observe
        self._clock = clock
        self._loaded: set[str] = set()
        self.outbox: Outbox = Outbox(correspondence.folder)

    def __enter__(self) -> Mailroom:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.outbox.close()

    # -- what people and programs hand in ------------------------------------------------------

    def hand_in(self, occurrence: Occurrence) -> tuple[SwitchboardEvent, ...]:
        """Take something of which somebody may have to be told; on disk when this returns."""
        return self._decide(lambda board, now: board.handle(occurrence, now))

    def poll(self) -> tuple[SwitchboardEvent, ...]:
        """Order what is due now: digests, fallbacks, escalations."""

        def act(board: Switchboard, now: datetime) -> tuple[SwitchboardEvent, ...]:
            self._load(board, self.outbox.cases_due(now))
            return board.poll(now)

        return self._decide(act)

    def acknowledge(
        self, name: str, by: str, at: datetime | None = None
    ) -> tuple[SwitchboardEvent, ...]:
        """Somebody has read what bears the key ``name``, or is message number ``name``.

        `UsageError` where nothing of that name was told.
        """
        key = self.key_of(name)

        def act(board: Switchboard, now: datetime) -> tuple[SwitchboardEvent, ...]:
            self.outbox.add_acknowledgement(key, now if at is None else at, by)
            self._load(board, self.outbox.cases_of(key))
            return board.handle(Acknowledge(key, by), now)

        return self._decide(act)

    def told(self, name: str, receipt: Receipt) -> tuple[SwitchboardEvent, ...]:
        """A person told a receiver by hand. A delivery to that receiver is done with, too."""
        key = self.key_of(name)

        def act(board: Switchboard, now: datetime) -> tuple[SwitchboardEvent, ...]:
            self.outbox.add_receipt(key, receipt)
            if receipt.outcome is not Outcome.TAKEN:
                return ()
            events: list[SwitchboardEvent] = []
            for _, claimed in self.outbox.claimed(key, receipt.receiver):
                if claimed.delivery.state not in (DeliveryState.TAKEN, DeliveryState.SENDING):
                    events += self._move(board, claimed, DeliveryInput.TOLD, now)
            return tuple(events)

        return self._decide(act)

    def again(self, name: str, receiver: str, by: str) -> int:
        """A person says that ``receiver`` does not have it: it is sent again. How many are.

        `UsageError` where nothing of it waits for a person.
        """
        key = self.key_of(name)
        again: list[int] = []

        def act(board: Switchboard, now: datetime) -> tuple[SwitchboardEvent, ...]:
            for channel, claimed in self.outbox.claimed(key, receiver):
                if claimed.delivery.state in _WAITING_FOR_A_PERSON:
                    self._move(board, claimed, DeliveryInput.AGAIN, now)
                    detail = "sent again on the word of a person"
                    receipt = Receipt(
                        channel, receiver, now, Outcome.DEFERRED, detail=detail, told_by=by
                    )
                    self.outbox.add_receipt(key, receipt, claimed.id)
                    again.append(claimed.id)
            return ()

        self._decide(act)
        if not again:
            raise UsageError(
                f"nothing of {key!r} to {receiver!r} is unknown, refused or given up: see "
                "hkex-ops notify status"
            )
        return len(again)

    def waiting(self) -> tuple[Held, ...]:
        """What is held back, to be told together or in the morning."""
        with self.outbox.working(writing=False):
            return self.outbox.held()

    def due(self) -> datetime | None:
        """When something is to be done next, as things stand."""
        with self.outbox.working(writing=False):
            return self.outbox.next_due()

    # -- deliveries ----------------------------------------------------------------------------

    async def deliver(self) -> bool:
        """Send everything that is due now; ``False`` where another process is at it."""
        with Postmark(self.outbox.folder) as mark:
            if not mark.is_ours:
                return False
            await self._recover()
            self.poll()
            try:
                async with asyncio.TaskGroup() as group:
                    await self._run_lanes(group)
            except BaseExceptionGroup as failed:
                ours = failed.subgroup(HkexOpsError)
                raise (failed if ours is None else _first(ours)) from failed
            return True

    async def _run_lanes(self, group: asyncio.TaskGroup) -> None:
        """A lane for each channel by which something is due, until nothing is due any more."""
        lanes: dict[str, asyncio.Task[None]] = {}
        stirred = asyncio.Event()
        while True:
            lanes = {name: lane for name, lane in lanes.items() if not lane.done()}
            for name in self._due_channels():
                if name not in lanes:
                    lanes[name] = group.create_task(self._lane(name, stirred))
            if not lanes:
                return
            await stirred.wait()
            stirred.clear()

    async def hear(self) -> None:
        """Ask the notifiers that know whether anybody has acknowledged."""
        with self.outbox.working(writing=False):
            keys = self.outbox.open_keys()
        if not keys:
            return
        for channel in self._correspondence.channels.values():
            try:
                async with channel.open() as notifier:
                    if isinstance(notifier, SupportsAcknowledgement):
                        for one in await notifier.acknowledgements(keys):
                            self.acknowledge(one.key, one.by or one.receiver, one.at)
            # A channel that cannot be asked now is asked again, whatever its adapter raised; a dead
            # one is found by its sends.
            except Exception as error:
                _log.warning(log.NOT_TOLD, happened=channel.name, reason=type(error).__name__)

    def _due_channels(self) -> tuple[str, ...]:
        now = self._clock.now()
        with self.outbox.working(writing=False):
            return tuple(
                channel
                for channel in self.outbox.channels()
                if self.outbox.due(channel, now, 1) is not None
            )

    async def _lane(self, name: str, stirred: asyncio.Event) -> None:
        """Send what is due by one channel; opened once, and not before there is something."""
        try:
            channel = self._correspondence.channels.get(name)
            if channel is None:
                error = ConfigError(f"there is no [notifiers.{name}] in the routing any more")
                self._fail_due(name, error)
                return
            async with AsyncExitStack() as stack:
                try:
                    notifier = await stack.enter_async_context(channel.open())
                # Whatever opening raises, nobody was told: an adapter tells in `notify` alone.
                except Exception as error:
                    self._fail_due(name, error)
                    return
                await self._send_due(channel, notifier, stirred)
                # What is out is settled; how an adapter says good-bye changes nothing.
                with suppress(Exception):
                    await stack.aclose()
        finally:
            stirred.set()

    async def _send_due(self, channel: Channel, notifier: Notifier, stirred: asyncio.Event) -> None:
        for _ in range(ROUNDS):
            claim = self._begin(channel.name)
            if claim is None:
                return
            # Cancelled here it may be out: the next who delivers finds it half sent, and says so.
            receipts = await send(claim, notifier, self._clock)
            self._settle(claim, receipts, channel)
            stirred.set()

    def _fail_due(self, name: str, error: Exception) -> None:
        for _ in range(ROUNDS):
            claim = self._begin(name)
            if claim is None:
                return
            self._settle(claim, not_opened(claim, self._clock, error), None)

    async def _recover(self) -> None:
        """Settle what was being sent by somebody who is gone."""
        while True:
            with self.outbox.working(writing=False):
                claim = self.outbox.stuck(MOST_RECEIVERS)
            if claim is None:
                return
            channel = self._correspondence.channels.get(claim.channel)
            self._settle(claim, await inquired(claim, channel, self._clock), channel)

    def _begin(self, channel: str) -> Claim | None:
        now = self._clock.now()
        with self.outbox.working():
            claim = self.outbox.due(channel, now, MOST_RECEIVERS)
            if claim is None:
                return None
            begun: list[Claimed] = []
            for one in claim.deliveries:
                delivery = one.delivery.moved(DeliveryInput.BEGIN, now, self._correspondence.rules)
                self.outbox.move(one.id, delivery)
                begun.append(Claimed(one.id, one.receiver, delivery))
        return Claim(claim.channel, claim.notification, tuple(begun))

    def _settle(self, claim: Claim, receipts: Sequence[Receipt], channel: Channel | None) -> None:
        def act(board: Switchboard, now: datetime) -> tuple[SwitchboardEvent, ...]:
            events: list[SwitchboardEvent] = []
            for claimed, receipt in zip(claim.deliveries, receipts, strict=True):
                self.outbox.add_receipt(claim.notification.key, receipt, claimed.id)
                given = DeliveryInput.of(receipt.outcome)
                drops = channel is not None and channel.drops_repeats
                events += self._move(board, claimed, given, now, drops_repeats=drops)
            return tuple(events)

        if self._observe is not None:
            for receipt in receipts:
                self._observe(receipt)
        self._decide(act)

    # -- deciding ------------------------------------------------------------------------------

    def _decide(
        self, act: Callable[[Switchboard, datetime], tuple[SwitchboardEvent, ...]]
    ) -> tuple[SwitchboardEvent, ...]:
        """What ``act`` makes the switchboard tell, and what follows, all of it on disk or none."""
        now = self._clock.now()
        with self.outbox.working():
            board = Switchboard(
                self._correspondence.routing,
                self._correspondence.templates,
                knows=self.outbox.knows,
                is_business_day=self._correspondence.is_business_day,
            )
            board.take_up((), self.outbox.held())
            self._loaded = set()
            events = list(act(board, now))
            fresh: Sequence[SwitchboardEvent] = tuple(events)
            while fresh:
                fresh = self._hear_settled(board, self.outbox.write(fresh), now)
                events += fresh
            closed = self._loaded - board.cases.keys()
            closed |= {one.case for one in events if isinstance(one, TellingOrdered)}
            self.outbox.keep(board.cases.values(), closed - board.cases.keys(), board.held)
        if self._observe is not None:
            for event in events:
                self._observe(event)
        return tuple(events)

    def _load(self, board: Switchboard, ids: Iterable[str]) -> None:
        """Give ``board`` the cases ``ids``, as far as they are open and it has them not yet."""
        fresh = [id for id in ids if id not in board.cases and id not in self._loaded]
        self._loaded.update(fresh)
        board.take_up(self.outbox.cases(fresh))

    def _hear_settled(
        self, board: Switchboard, known: Sequence[Settle], now: datetime
    ) -> tuple[SwitchboardEvent, ...]:
        self._load(board, [one.case for one in known])
        return tuple(event for one in known for event in board.handle(one, now))

    def _move(
        self,
        board: Switchboard,
        claimed: Claimed,
        given: DeliveryInput,
        now: datetime,
        *,
        drops_repeats: bool = False,
    ) -> tuple[SwitchboardEvent, ...]:
        rules = self._correspondence.rules
        delivery = claimed.delivery.moved(given, now, rules, drops_repeats=drops_repeats)
        return self._hear_settled(board, self.outbox.move(claimed.id, delivery), now)

    def key_of(self, name: str) -> str:
        """The key that ``name`` is, or that message number ``name`` bears; `UsageError` if none."""
        with self.outbox.working(writing=False):
            key = self.outbox.key_named(name)
        if key is None:
            raise UsageError(f"nothing was told that bears the key {name!r}: see notify status")
        return key


_WAITING_FOR_A_PERSON = (DeliveryState.UNKNOWN, DeliveryState.REFUSED, DeliveryState.GIVEN_UP)


def _first(group: BaseExceptionGroup[HkexOpsError]) -> HkexOpsError:
    """The first error of a group, however deep it lies."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
