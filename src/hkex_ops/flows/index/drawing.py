"""What a feed yields, drawn until enough has come, and then let go of at once.

The ports promise an iterator; nearly every adapter writes a generator, which holds sockets and
subscriptions for as long as it is not closed. Whoever leaves such a loop early, or is cancelled in
it, must not leave that to the collector of garbage. Called by whoever draws from a market feed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar, runtime_checkable

__all__ = ["drawing"]

T = TypeVar("T")


@runtime_checkable
class _Closable(Protocol):
    async def aclose(self) -> object: ...


@asynccontextmanager
async def drawing(batches: AsyncIterator[T]) -> AsyncGenerator[AsyncIterator[T]]:
    """``batches``, closed at the end of the block if they can be."""
    try:
        yield batches
    finally:
        if isinstance(batches, _Closable):
            await batches.aclose()
