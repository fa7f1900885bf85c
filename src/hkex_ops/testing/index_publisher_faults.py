"""Faults of publishing index values, each named after what it does, around any publisher.

A far side refuses, is slow or goes away; the library's own lanes then publish every moment once,
in order, or say which they gave up. What a publisher loses or turns round by itself its contract
finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hkex_ops.errors import Rejected, Unreachable
from hkex_ops.model import IndexTick
from hkex_ops.ports import IndexPublisher
from hkex_ops.testing.faulty import Stall

__all__ = [
    "Disconnecting",
    "Duplicating",
    "Faulty",
    "Refusing",
    "Reordering",
    "Stalling",
    "Truncating",
]


class Faulty:
    """A publisher that publishes what it is given. A fault overrides what it does wrong."""

    def __init__(self, publisher: IndexPublisher) -> None:
        self._publisher = publisher

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """As the publisher within does."""
        await self._publisher.publish(ticks)


class Truncating(Faulty):
    """Loses the last tick of every moment, and says nothing of it."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """All but one."""
        await self._publisher.publish(ticks[:-1])


class Stalling(Faulty, Stall):
    """Publishes ``after`` moments and then waits until :meth:`go_on`, which may be never."""

    def __init__(self, publisher: IndexPublisher, after: int = 1) -> None:
        Faulty.__init__(self, publisher)
        Stall.__init__(self, after)

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """A few moments, and then silence."""
        await self.let_pass()
        await self._publisher.publish(ticks)


class Reordering(Faulty):
    """Publishes the ticks of a moment last first."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """The same ticks, the wrong way round."""
        await self._publisher.publish(ticks[::-1])


class Duplicating(Faulty):
    """Publishes everything twice, which must do no harm."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Each moment twice."""
        await self._publisher.publish(ticks)
        await self._publisher.publish(ticks)


class Refusing(Faulty):
    """Refuses every moment with a tick of an index in ``indexes``; all, if none is named."""

    def __init__(self, publisher: IndexPublisher, indexes: Iterable[str] = ()) -> None:
        super().__init__(publisher)
        self._indexes = frozenset(indexes)

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """A failure for good instead of what was to be published."""
        if not self._indexes or any(tick.index in self._indexes for tick in ticks):
            raise Rejected("the far side takes no such index: ask for the right to publish it")
        await self._publisher.publish(ticks)


class Disconnecting(Faulty):
    """Loses the connection after ``after`` moments, when one tick of the next is out."""

    def __init__(self, publisher: IndexPublisher, after: int = 1) -> None:
        super().__init__(publisher)
        self._left = after

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Some moments, and a piece of one more."""
        if not self._left:
            await self._publisher.publish(ticks[:1])
            raise Unreachable("the connection was lost: open it again")
        self._left -= 1
        await self._publisher.publish(ticks)
