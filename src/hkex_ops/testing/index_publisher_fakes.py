"""An index publisher in memory: no network, no disk, the same behaviour as the port demands.

``FakeTape`` is the far side and its own back door: ticks and events stand on it in the order in
which they came. ``open_fake_index_publisher`` is what an ``Offer`` opens:

>>> import asyncio
>>> from datetime import datetime
>>> from decimal import Decimal
>>> from hkex_ops.model import HONG_KONG, IndexTick, SiteRole
>>> from hkex_ops.testing import FakeIndexOptions, FakeTape, open_fake_index_publisher
>>> tape = FakeTape()
>>> tick = IndexTick("0000100", datetime(2010, 1, 22, 10, tzinfo=HONG_KONG), Decimal("20726.10"))
>>> async def publish():
...     async with open_fake_index_publisher(FakeIndexOptions(tape), SiteRole.PRIMARY) as publisher:
...         await publisher.publish([tick])
>>> asyncio.run(publish())
>>> tape.ticks == [tick]
True
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from attrs import define, evolve, field, frozen

from hkex_ops.errors import AuthRefused, Busy, Rejected, TimedOut, Unreachable, UsageError
from hkex_ops.model import IndexTick, JsonObject, SiteRole, TickKind, tick_identity
from hkex_ops.ports import IndexPublisher, Offer
from hkex_ops.testing.index_publisher_bench import IndexPublisherBench

__all__ = [
    "FakeIndexOptions",
    "FakeIndexPublisher",
    "FakeIndexPublisherBench",
    "FakeTape",
    "open_fake_index_publisher",
]

KNOWN_USER_SECRET = "open sesame"


@define(eq=False)
class FakeTape:
    """The far side. Change it freely between two calls.

    ``visitors`` are those who publish to it or listen to it now.
    """

    ticks: list[IndexTick] = field(factory=list[IndexTick])
    events: list[JsonObject] = field(factory=list[JsonObject])
    is_up: bool = True
    is_silent: bool = False
    is_full: bool = False
    refuses: bool = False
    visitors: int = 0

    def knock(self, secret: str) -> None:
        """Let somebody in; raises what an adapter would."""
        if not self.is_up:
            raise Unreachable("the tape cannot be reached: try again")
        if secret != KNOWN_USER_SECRET:
            raise AuthRefused("the tape does not know this user: check the secret")

    def take(self, tick: IndexTick) -> None:
        """Write ``tick`` down, unless the same is there."""
        self._require_willing()
        if tick_identity(tick) not in map(tick_identity, self.ticks):
            self.ticks.append(tick)

    def take_event(self, event: JsonObject) -> None:
        """Write ``event`` down."""
        self._require_willing()
        self.events.append(event)

    def latest(self) -> dict[str, IndexTick]:
        """The tick of each index that stands for the latest moment, recalculated ones apart."""
        found: dict[str, IndexTick] = {}
        for tick in self.ticks:
            known = found.get(tick.index)
            if tick.kind is not TickKind.RECALCULATED and (known is None or known.at < tick.at):
                found[tick.index] = tick
        return found

    def _require_willing(self) -> None:
        if not self.is_up:
            raise Unreachable("the tape cannot be reached: try again")
        if self.is_silent:
            raise TimedOut("the tape does not answer: try again")
        if self.is_full:
            raise Busy("the tape is full: try again when there is room")
        if self.refuses:
            raise Rejected("the tape takes no ticks from here: ask for the right to write")


@frozen
class FakeIndexOptions:
    """Which tape, and the secret with which it is written to or heard."""

    tape: FakeTape
    secret: str = KNOWN_USER_SECRET


class FakeIndexPublisher:
    """The ports ``IndexPublisher``, ``SupportsEvents`` and ``SupportsSnapshot`` on a tape."""

    def __init__(self, tape: FakeTape) -> None:
        self.tape = tape

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Write the ticks down."""
        for tick in ticks:
            self.tape.take(tick)

    async def publish_event(self, event: JsonObject) -> None:
        """Write the event down."""
        if "event" not in event or "at" not in event:
            raise UsageError("an event has a name and a moment: give it the keys 'event' and 'at'")
        self.tape.take_event(event)

    async def publish_snapshot(self, ticks: Sequence[IndexTick]) -> None:
        """Write down what is newer than what stands there."""
        latest = self.tape.latest()
        for tick in ticks:
            known = latest.get(tick.index)
            if known is None or known.at < tick.at:
                self.tape.take(tick)


@asynccontextmanager
async def open_fake_index_publisher(
    options: FakeIndexOptions,
    site: SiteRole,
    make: Callable[[FakeTape], IndexPublisher] = FakeIndexPublisher,
) -> AsyncGenerator[IndexPublisher]:
    """A publisher to a tape. ``make`` builds it: a faulty one, for the kit's own tests."""
    options.tape.knock(options.secret)
    options.tape.visitors += 1
    try:
        yield make(options.tape)
    finally:
        options.tape.visitors -= 1


class FakeIndexPublisherBench(IndexPublisherBench):
    """The bench of the fake: every clause of the contract can be staged on it.

    ``make`` puts another publisher in the fake's place: a faulty one, for the kit's own tests.
    """

    def __init__(self, make: Callable[[FakeTape], IndexPublisher] = FakeIndexPublisher) -> None:
        self.make = make
        self.tape: FakeTape = FakeTape()

    @property
    def offer(self) -> Offer[IndexPublisher]:
        """The fake, on offer."""
        return Offer(
            "fake",
            FakeIndexOptions,
            lambda options, site: open_fake_index_publisher(options, site, self.make),
        )

    def options(self) -> FakeIndexOptions:
        """Options that the tape knows."""
        return FakeIndexOptions(self.tape)

    def options_unknown(self) -> FakeIndexOptions:
        """A secret that the tape does not know."""
        return evolve(self.options(), secret="open barley")

    def secrets(self) -> Sequence[str]:
        """Both secrets."""
        return (self.options().secret, self.options_unknown().secret)

    async def published(self) -> Sequence[IndexTick]:
        """The ticks on the tape."""
        return tuple(self.tape.ticks)

    async def events(self) -> Sequence[JsonObject]:
        """The events on the tape."""
        return tuple(self.tape.events)

    async def latest(self) -> Sequence[IndexTick]:
        """The newest tick of each index."""
        return tuple(self.tape.latest().values())

    async def take_down(self) -> None:
        """Close the tape."""
        self.tape.is_up = False

    async def bring_up(self) -> None:
        """Open the tape, with room."""
        self.tape.is_up = True
        self.tape.is_silent = self.tape.is_full = self.tape.refuses = False

    async def fall_silent(self) -> None:
        """Answer nothing."""
        self.tape.is_silent = True

    async def fill_up(self) -> None:
        """Have no room."""
        self.tape.is_full = True

    async def refuse(self) -> None:
        """Take nothing from anybody."""
        self.tape.refuses = True

    def visitors(self) -> int:
        """Who is at the tape now."""
        return self.tape.visitors
