"""Patience with a limit: a server that leaves every open request unanswered is cut off.

One watch serves a whole session. Any answer renews its patience, so that a slow line with many
requests waiting is not taken for a dead one. Silence is counted in ticks, not by the clock: when
this process itself stood still, that is one tick and not the server's fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["SilenceWatch"]

TICKS = 10


class SilenceWatch:
    """Calls ``cut_off`` after ``limit_s`` seconds in which ``is_waiting`` and nothing came."""

    def __init__(
        self, limit_s: int, is_waiting: Callable[[], bool], cut_off: Callable[[], None]
    ) -> None:
        self.limit_s = limit_s
        self.expired = False
        self._is_waiting = is_waiting
        self._cut_off = cut_off
        self._answered = 0
        self._task = asyncio.create_task(self._run())

    def answered(self) -> None:
        """Something came."""
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
            is_silent = self._is_waiting() and answered == self._answered
            silent = silent + 1 if is_silent else 0
        self.expired = True
        self._cut_off()
