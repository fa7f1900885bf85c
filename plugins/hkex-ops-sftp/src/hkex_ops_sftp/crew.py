"""Many reports at once over one session, with flat memory: workers, a bounded queue, one consumer.

The workers share one iterator of reports. What they deliver waits in a queue of limited length, so
a slow consumer slows the workers instead of filling memory. Knows nothing of SFTP: how one report
is fetched is handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import TypeAlias

from hkex_ops.errors import UsageError
from hkex_ops.model import ListedReport
from hkex_ops.ports import Delivery

__all__ = ["Crew", "Deliver"]

# Deliveries that may wait for the consumer; at 255 KiB a chunk, about 8 MiB.
DELIVERIES_WAITING = 32

# A worker that is sent away closes its open file first; a server that does not answer even that
# is hung up on after so long.
DISMISSAL_TIMEOUT_S = 5

Deliver: TypeAlias = Callable[[Delivery], Awaitable[None]]
FetchOne: TypeAlias = Callable[[ListedReport, Deliver], Awaitable[None]]


class Crew:
    """The workers of one ``fetch``. ``hang_up`` is the last resort for those that do not return."""

    def __init__(
        self,
        reports: Iterator[ListedReport],
        fetch_one: FetchOne,
        *,
        workers: int,
        hang_up: Callable[[], None],
    ) -> None:
        self._reports = reports
        self._fetch_one = fetch_one
        self._hang_up = hang_up
        self._queue: asyncio.Queue[Delivery | BaseException | None]
        self._queue = asyncio.Queue(DELIVERIES_WAITING)
        self._workers = [asyncio.create_task(self._work()) for _ in range(workers)]
        self._foreman = asyncio.create_task(self._conclude())

    async def deliveries(self) -> AsyncGenerator[Delivery]:
        """What the workers deliver, until all are done; raises what ended the first that failed."""
        while (item := await self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    async def dismiss(self) -> None:
        """Send the workers away and wait until their files are closed."""
        tasks = [*self._workers, self._foreman]
        for task in tasks:
            task.cancel()
        _, staying = await asyncio.wait(tasks, timeout=DISMISSAL_TIMEOUT_S)
        if staying:
            self._hang_up()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Somebody may still hold the generator: it must end, not wait for ever.
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(UsageError("the report source was left before the fetch ended"))

    async def _work(self) -> None:
        for report in self._reports:
            await self._fetch_one(report, self._queue.put)

    async def _conclude(self) -> None:
        done, _ = await asyncio.wait(self._workers, return_when=asyncio.FIRST_EXCEPTION)
        failures = (task.exception() for task in done)
        await self._queue.put(next((failure for failure in failures if failure), None))
