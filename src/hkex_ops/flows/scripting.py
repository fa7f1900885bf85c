"""The library in a script that does not wait by itself: what the ports and flows do, synchronously.

:func:`run` runs one coroutine to its end; :func:`each` iterates over something asynchronous. Inside
a program that has an event loop use neither: await there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

from hkex_ops.errors import UsageError

__all__ = ["each", "run"]

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which may be any coroutine of the library.

    Raises what it raises, and `UsageError` inside a running event loop.

    >>> async def answer() -> int:
    ...     return 42
    >>> run(answer())
    42
    """
    if _is_in_loop():
        work.close()
        raise UsageError("an event loop is running here already: await the coroutine instead")
    return asyncio.run(work)


def each(things: AsyncIterator[T]) -> Iterator[T]:
    """The things of an asynchronous iterator, one after the other, each when it is there.

    The iterator is closed when the loop over it is left, and whatever it holds open with it.
    """
    if _is_in_loop():
        raise UsageError("an event loop is running here already: use async for instead")
    with asyncio.Runner() as runner:
        try:
            while True:
                try:
                    yield runner.run(_next(things))
                except StopAsyncIteration:
                    return
        finally:
            close = getattr(things, "aclose", None)
            if close is not None:
                runner.run(close())


async def _next(things: AsyncIterator[T]) -> T:
    return await anext(things)


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
