"""The ports of index values: publishing ticks, and hearing what somebody published."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from hkex_ops.model import IndexTick, JsonObject

__all__ = ["IndexFeed", "IndexPublisher", "SupportsEvents", "SupportsSnapshot"]


class IndexPublisher(Protocol):
    """A way by which index values reach their users."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Publish ``ticks``, all of one moment, in their order; returns when they are out.

        Publishing the same (index, time) again must do no harm. Raises `TransientError` when it
        may be tried again, `PermanentError` when not; some of ``ticks`` may then be out.
        """
        ...


@runtime_checkable
class SupportsSnapshot(Protocol):
    """A publisher whose late-comers can be told the state."""

    async def publish_snapshot(self, ticks: Sequence[IndexTick]) -> None:
        """Give the latest tick of every index to whoever asks or has just come."""
        ...


@runtime_checkable
class SupportsEvents(Protocol):
    """A publisher that also carries events of operation, such as a change of mode."""

    async def publish_event(self, event: JsonObject) -> None:
        """Publish one event as plain data; it has the keys ``event`` and ``at``."""
        ...


class IndexFeed(Protocol):
    """Index values as somebody publishes them."""

    def ticks(self) -> AsyncIterator[IndexTick]:
        """Yield ticks as they come, each (index, time) as often as it was published.

        Ends when the feed ends, as a file does. Raises `RemoteError` when it fails.
        """
        ...
