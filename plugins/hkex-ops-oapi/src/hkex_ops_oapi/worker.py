"""One thread for one session: calls of the library, one after the other, each with a time limit.

The library blocks, and may do so for minutes; a call that does not come back must not hold the
program, neither while it runs nor when it ends. So the thread is a daemon, whoever waits gives up
in time, and a call that was given up before it began is never made: its turn may come much later.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from hkex_ops.errors import HkexOpsError, TimedOut

__all__ = ["Worker"]

T = TypeVar("T")


class _Call(Generic[T]):
    """One call, its result, and whether it was begun or given up first."""

    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self._lock = threading.Lock()
        self._given_up = False
        self.begun: bool = False
        self.done: asyncio.Future[T] = loop.create_future()

    def give_up(self) -> bool:
        """Whether it had not begun, and now never will."""
        with self._lock:
            self._given_up = not self.begun
            return self._given_up

    def run(self) -> None:
        """In the thread: make the call, unless it was given up."""
        with self._lock:
            if self._given_up:
                return
            self.begun = True
        try:
            result = self._work()
        except BaseException as raised:  # whatever it is, it belongs to whoever called
            error = raised
            self._tell(lambda: _set_exception(self.done, error))
        else:
            self._tell(lambda: _set_result(self.done, result))

    def _tell(self, callback: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return  # the loop has ended; nobody waits any more


def _set_result(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _set_exception(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


class Worker:
    """The thread of one session. ``is_stuck`` once a call did not come back in time."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self.stuck_in: str = ""

    async def run(self, what: str, work: Callable[[], T], limit_s: float) -> T:
        """``work()`` in the thread, after every call before it.

        Raises `TimedOut` when it has not come back within ``limit_s``; it may then still be under
        way, and the session is of no more use.
        """
        if self.stuck_in:
            raise TimedOut(f"the library has not come back from {self.stuck_in}: log in anew")
        call = _Call(work, asyncio.get_running_loop())
        self._calls.put(call.run)
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.shield(call.done)
        except TimeoutError:
            if not call.give_up():
                self.stuck_in = what
            call.done.cancel()
            raise TimedOut(
                f"the library has not come back from {what} within {limit_s:g} s: what became of "
                "it is unknown"
            ) from None
        except asyncio.CancelledError:
            call.give_up()
            call.done.cancel()
            raise

    async def finish(self, work: Callable[[], object], limit_s: float) -> None:
        """Make ``work()`` the thread's last call, whenever that is; wait for it so long at most.

        Nothing it raises is told, and it is made even when nobody waits any more: what a call that
        hangs leaves open is closed as soon as that call comes back.
        """
        call = _Call(work, asyncio.get_running_loop())
        self._calls.put(call.run)
        self._calls.put(None)
        try:
            async with asyncio.timeout(0 if self.stuck_in else limit_s):
                await asyncio.shield(call.done)
        except TimeoutError:
            call.done.cancel()
        except HkexOpsError:
            return

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
