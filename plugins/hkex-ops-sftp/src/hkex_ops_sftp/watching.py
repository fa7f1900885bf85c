"""Patience with a limit: a server that leaves every open request unanswered is cut off.

One watch serves a whole connection. Any answer renews its patience, so that a slow line with many
requests waiting is not taken for a dead one. Silence is counted in ticks, not by the clock: when
this process itself stood still, that is one tick and not the server's fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["SilenceWatch"]

TICKS = 10


class SilenceWatch:
    """Entered around each request; calls ``cut_off`` after ``limit_s`` seconds of silence."""

    def __init__(self, limit_s: int, cut_off: Callable[[], None]) -> None:
        self.limit_s = limit_s
        self.expired = False
        self._cut_off = cut_off
        self._open = 0
        self._answered = 0
        self._task = asyncio.create_task(self._run())

    def __enter__(self) -> None:
        self._open += 1

    def __exit__(self, *_: object) -> None:
        self._open -= 1
        self._answered += 1

    async def stop(self) -> None:
        """Watch no more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        silent = 0
        while silent < TICKS:
            answered = self._answered
            await asyncio.sleep(self.limit_s / TICKS)
            silent = silent + 1 if self._open and answered == self._answered else 0
        self.expired = True
        self._cut_off()
