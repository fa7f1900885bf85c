"""Publishers at work: each on a lane of its own, so that none holds up another or the engines.

A lane queues what is to go out, opens its adapter, publishes in order and, when anything fails,
opens it again after a while and goes on where it stood. The queue is bounded: a publisher that is
away for long loses the oldest moments, and says which. Whatever an adapter raises stays on its
lane and is told as an event. Knows nothing of engines or modes; the supervisor offers ticks that
are already decided.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime
from typing import TypeAlias

from attrs import frozen

from hkex_ops.clock import Clock
from hkex_ops.errors import HkexOpsError, PermanentError
from hkex_ops.model import IndexTick, JsonObject
from hkex_ops.ports import IndexPublisher, SupportsEvents, SupportsSnapshot

__all__ = [
    "ANSWER_S",
    "PUBLISHING",
    "EventGivenUp",
    "LaneEvent",
    "PublishLimits",
    "PublisherFailed",
    "PublisherLane",
    "PublisherOpened",
    "TicksGivenUp",
]


ANSWER_S = 15
"""How long one call of an adapter may take. More than any adapter's own limit (12 s for a mail, 4 s
for NATS), so that it says itself what became of what it was given: a mail that is cut off may have
been taken, and would be sent again. No more than the interval of contingency values."""


@frozen
class PublishLimits:
    """How patient a lane is.

    ``answer_s`` bounds one call of the adapter, opening included. Between attempts it waits from
    ``first_wait_ms`` to ``longest_wait_ms``, doubling. ``moments`` is how many moments of ticks,
    and as many events, are kept for a publisher that is away: eight minutes at one every two
    seconds. ``event_attempts`` is how often one event is tried, for it must not cost the ticks
    behind it. ``snapshot_s`` is how often late-comers are told the state.
    """

    answer_s: int = ANSWER_S
    event_attempts: int = 3
    first_wait_ms: int = 250
    longest_wait_ms: int = 10_000
    moments: int = 256
    snapshot_s: int = 30


PUBLISHING: PublishLimits = PublishLimits()
"""The limits that hold unless a configuration says otherwise."""


@frozen
class PublisherOpened:
    """A publisher is ready, with so many moments to make up for."""

    at: datetime
    publisher: str
    waiting: int


@frozen
class PublisherFailed:
    """A publisher failed and is tried again after ``wait_ms``."""

    at: datetime
    publisher: str
    reason: str
    attempt: int
    wait_ms: int


@frozen
class TicksGivenUp:
    """The ticks of ``moment`` were given up on one lane: they were the oldest in a full queue, or
    the other side refused them for good."""

    at: datetime
    publisher: str
    moment: datetime
    ticks: int
    reason: str


@frozen
class EventGivenUp:
    """One event was given up on one lane; it stands in the journal all the same."""

    at: datetime
    publisher: str
    given_up: str
    reason: str


LaneEvent: TypeAlias = PublisherOpened | PublisherFailed | TicksGivenUp | EventGivenUp
_Open: TypeAlias = Callable[[], AbstractAsyncContextManager[IndexPublisher]]


class PublisherLane:
    """One publisher, by the name the operator gave it. :meth:`run` it as a task of its own."""

    def __init__(
        self,
        name: str,
        open: _Open,
        clock: Clock,
        observe: Callable[[LaneEvent], None],
        limits: PublishLimits = PUBLISHING,
    ) -> None:
        self.name = name
        self._open = open
        self._clock = clock
        self._observe = observe
        self._limits = limits
        self._queue: deque[Sequence[IndexTick]] = deque()
        self._events: deque[JsonObject] = deque(maxlen=limits.moments)
        self._latest: dict[str, IndexTick] = {}
        self._news = asyncio.Event()
        self._ending = False
        self._failures = 0
        self._event_attempts = 0
        self.is_open: bool = False
        self.published: int = 0
        """Moments that are out."""

    @property
    def waiting(self) -> int:
        """Moments that are not out yet."""
        return len(self._queue)

    def offer(self, ticks: Sequence[IndexTick]) -> None:
        """Queue the ticks of one moment. Returns at once, whatever the publisher is doing."""
        if not ticks:
            return
        if len(self._queue) >= self._limits.moments:
            self._give_up(self._queue.popleft(), "too many moments wait for this publisher")
        self._queue.append(ticks)
        self._latest.update({tick.index: tick for tick in ticks})
        self._news.set()

    def tell(self, event: JsonObject) -> None:
        """Queue an event of operation, for a publisher that carries such. Of more than can wait
        the oldest is lost: what counts later is the state."""
        if self._events.maxlen == len(self._events):
            self._event_attempts = 0
        self._events.append(event)
        self._news.set()

    async def run(self) -> None:
        """Publish what is offered, until :meth:`end` was called and nothing more can be done."""
        while not (self._ending and (not self._queue or self._failures)):
            try:
                await self._session()
            # An adapter is somebody else's code: whatever it raises is this lane's trouble alone.
            except Exception as error:
                await self._failed(error)
            finally:
                self.is_open = False

    def end(self) -> None:
        """Let :meth:`run` finish with what is queued; a publisher that fails now is given up."""
        self._ending = True
        self._news.set()

    def give_up(self, reason: str) -> None:
        """Say of everything that still waits that it will not go out."""
        while self._queue:
            self._give_up(self._queue.popleft(), reason)

    async def _session(self) -> None:
        """One opening of the adapter, as long as it lasts."""
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._limits.answer_s):
                publisher = await stack.enter_async_context(self._open())
            self.is_open = True
            self._observe(PublisherOpened(self._clock.now(), self.name, len(self._queue)))
            if self._latest:
                await self._snapshot(publisher)
            while True:
                await self._publish_queue(publisher)
                if self._ending and not self._is_behind(publisher):
                    return
                await self._wait_for_news(publisher)

    def _is_behind(self, publisher: IndexPublisher) -> bool:
        """Whether anything waits that this publisher can carry."""
        return bool(self._queue or (self._events and isinstance(publisher, SupportsEvents)))

    async def _publish_queue(self, publisher: IndexPublisher) -> None:
        """Everything that waits: ticks first, and events whenever none is waiting."""
        self._news.clear()
        while self._queue:
            ticks = self._queue[0]
            try:
                async with asyncio.timeout(self._limits.answer_s):
                    await publisher.publish(ticks)
            except PermanentError as error:
                self._drop(ticks)
                self._give_up(ticks, str(error))
                raise
            self._drop(ticks)
            self._failures = 0
            self.published += 1
        if self._events and isinstance(publisher, SupportsEvents):
            await self._publish_event(publisher, self._events[0])
            self._news.set()

    async def _publish_event(self, publisher: SupportsEvents, event: JsonObject) -> None:
        """One event. Refused for good it is skipped; what fails is tried a few times in all."""
        self._event_attempts += 1
        try:
            async with asyncio.timeout(self._limits.answer_s):
                await publisher.publish_event(event)
        except PermanentError as error:
            self._event_given_up(event, error)
        except Exception as error:
            if self._event_attempts >= self._limits.event_attempts:
                self._event_given_up(event, error)
            raise
        else:
            self._event_done(event)

    def _event_given_up(self, event: JsonObject, error: Exception) -> None:
        self._event_done(event)
        name = str(event.get("event", ""))
        self._observe(EventGivenUp(self._clock.now(), self.name, name, _reason(error)))

    def _event_done(self, event: JsonObject) -> None:
        self._event_attempts = 0
        # While this was going out, a full queue may have lost its oldest.
        if self._events and self._events[0] is event:
            self._events.popleft()

    def _drop(self, ticks: Sequence[IndexTick]) -> None:
        # While this was going out, a full queue may have lost its oldest.
        if self._queue and self._queue[0] is ticks:
            self._queue.popleft()

    def _give_up(self, ticks: Sequence[IndexTick], reason: str) -> None:
        self._observe(TicksGivenUp(self._clock.now(), self.name, ticks[0].at, len(ticks), reason))

    async def _wait_for_news(self, publisher: IndexPublisher) -> None:
        if self._ending:
            return
        try:
            async with asyncio.timeout(self._limits.snapshot_s):
                await self._news.wait()
        except TimeoutError:
            await self._snapshot(publisher)

    async def _snapshot(self, publisher: IndexPublisher) -> None:
        if isinstance(publisher, SupportsSnapshot) and self._latest:
            async with asyncio.timeout(self._limits.answer_s):
                await publisher.publish_snapshot(tuple(self._latest.values()))

    async def _failed(self, error: Exception) -> None:
        self._failures += 1
        first, longest = self._limits.first_wait_ms, self._limits.longest_wait_ms
        wait_ms = min(longest, first << min(self._failures - 1, 16))
        self._observe(
            PublisherFailed(self._clock.now(), self.name, _reason(error), self._failures, wait_ms)
        )
        if not self._ending:
            await asyncio.sleep(wait_ms / 1000)


def _reason(error: Exception) -> str:
    """Why, in one sentence; what the house did not raise is the adapter's own fault."""
    if isinstance(error, HkexOpsError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return f"its adapter raised {type(error).__name__}, which breaks its contract: {error}"
