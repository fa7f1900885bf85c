"""An index feed in memory: no network, no disk, the same behaviour as the port demands.

It hears a :class:`~hkex_ops.testing.FakeTape`; ``open_fake_index_feed`` is what an ``Offer`` opens:

>>> import asyncio
>>> from datetime import datetime
>>> from decimal import Decimal
>>> from hkex_ops.model import HONG_KONG, IndexTick, SiteRole
>>> from hkex_ops.testing import FakeIndexFeedOptions, FakeTape, open_fake_index_feed
>>> tape = FakeTape()
>>> at = datetime(2010, 1, 22, 10, tzinfo=HONG_KONG)
>>> tape.take(IndexTick("0000100", at, Decimal("20726.10")))
>>> async def values():
...     options = FakeIndexFeedOptions(tape, start=0, follows=False)
...     async with open_fake_index_feed(options, SiteRole.PRIMARY) as feed:
...         return [tick.value async for tick in feed.ticks()]
>>> asyncio.run(values())
[Decimal('20726.10')]
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal

from attrs import evolve, frozen

from hkex_ops.errors import Rejected
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole
from hkex_ops.ports import IndexFeed, Offer
from hkex_ops.testing.index_feed_bench import IndexFeedBench
from hkex_ops.testing.index_publisher_fakes import KNOWN_USER_SECRET, FakeTape

__all__ = [
    "FakeIndexFeed",
    "FakeIndexFeedBench",
    "FakeIndexFeedOptions",
    "open_fake_index_feed",
]

LOOK_INTERVAL_S = 0.001

# What lies on the tape where somebody put nonsense.
_NONSENSE = IndexTick("", datetime(1970, 1, 3, tzinfo=HONG_KONG), Decimal(0))


@frozen
class FakeIndexFeedOptions:
    """Which tape, from where on, and whether the feed goes on when it has given everything.

    ``start`` is a place on the tape or a moment, unknown for the end of it. ``bookmark`` holds the
    place where a reader who is remembered was left.
    """

    tape: FakeTape
    start: int | datetime | None = None
    follows: bool = True
    bookmark: list[int] | None = None
    secret: str = KNOWN_USER_SECRET


class FakeIndexFeed:
    """The port ``IndexFeed`` on a tape."""

    def __init__(self, options: FakeIndexFeedOptions) -> None:
        self.options = options
        self.place: int = _start_of(options)

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        """Give what stands on the tape from the start on."""
        tape, bookmark = self.options.tape, self.options.bookmark
        while True:
            if self.place < len(tape.ticks) and tape.is_up:
                tick = tape.ticks[self.place]
                self.place += 1
                if tick is _NONSENSE:
                    raise Rejected(f"place {self.place} of the tape holds no tick: ask who put it")
                yield tick
                if bookmark is not None:
                    bookmark[:] = [self.place]
            elif not self.options.follows:
                return
            else:
                await asyncio.sleep(LOOK_INTERVAL_S)


def _start_of(options: FakeIndexFeedOptions) -> int:
    ticks = options.tape.ticks
    if options.bookmark:
        return options.bookmark[0]
    match options.start:
        case None:
            return len(ticks)
        case int(place):
            return place
        case moment:
            later = (place for place, tick in enumerate(ticks) if tick.at >= moment)
            return next(later, len(ticks))


@asynccontextmanager
async def open_fake_index_feed(
    options: FakeIndexFeedOptions,
    site: SiteRole,
    make: Callable[[FakeIndexFeedOptions], IndexFeed] = FakeIndexFeed,
) -> AsyncGenerator[IndexFeed]:
    """A feed from a tape. ``make`` builds it: a faulty one, for the kit's own tests."""
    options.tape.knock(options.secret)
    options.tape.visitors += 1
    try:
        yield make(options)
    finally:
        options.tape.visitors -= 1


class FakeIndexFeedBench(IndexFeedBench):
    """The bench of the fake: every clause of the contract can be staged on it.

    ``make`` puts another feed in the fake's place: a faulty one, for the kit's own tests.
    """

    def __init__(self, make: Callable[[FakeIndexFeedOptions], IndexFeed] = FakeIndexFeed) -> None:
        self.make = make
        self.tape: FakeTape = FakeTape()

    @property
    def offer(self) -> Offer[IndexFeed]:
        """The fake, on offer."""
        return Offer(
            "fake",
            FakeIndexFeedOptions,
            lambda options, site: open_fake_index_feed(options, site, self.make),
        )

    def options(self) -> FakeIndexFeedOptions:
        """From now on."""
        return FakeIndexFeedOptions(self.tape)

    def options_to_the_end(self) -> FakeIndexFeedOptions:
        """From the first place of the tape to the last."""
        return evolve(self.options(), start=0, follows=False)

    def options_from_the_start(self) -> FakeIndexFeedOptions:
        """From the first place of the tape on."""
        return evolve(self.options(), start=0)

    def options_from(self, at: datetime) -> FakeIndexFeedOptions:
        """From a moment on."""
        return evolve(self.options(), start=at)

    def options_resuming(self) -> FakeIndexFeedOptions:
        """From the bookmark on."""
        return evolve(self.options(), start=0, bookmark=[])

    def options_unknown(self) -> FakeIndexFeedOptions:
        """A secret that the tape does not know."""
        return evolve(self.options(), secret="open barley")

    def secrets(self) -> Sequence[str]:
        """Both secrets."""
        return (self.options().secret, self.options_unknown().secret)

    async def put(self, ticks: Sequence[IndexTick]) -> None:
        """Write on the tape."""
        self.tape.ticks.extend(ticks)

    async def put_nonsense(self) -> None:
        """Write nonsense on the tape."""
        self.tape.ticks.append(_NONSENSE)

    async def take_down(self) -> None:
        """Close the tape."""
        self.tape.is_up = False

    async def bring_up(self) -> None:
        """Open the tape."""
        self.tape.is_up = True

    def visitors(self) -> int:
        """Who is at the tape now."""
        return self.tape.visitors
