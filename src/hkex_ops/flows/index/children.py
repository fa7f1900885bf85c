"""One process of a run: started, listened to, ended, started again.

The process leads a process group of its own, so that Ctrl-C at a terminal reaches the supervisor
alone, and the kernel kills it when the supervisor dies, so that no engine runs without one. What
it prints goes to a log file of the run folder. When it dies it is started again after a wait that
doubles up to a bound and begins anew once a process has lived for a while. Knows no ticks; what a
process says is handed on line by line.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from hkex_ops.errors import WireError
from hkex_ops.flows.index.link import Link
from hkex_ops.flows.store.disk import translating
from hkex_ops.model import JsonObject

__all__ = ["RESTARTING", "Child", "ChildHooks", "Ended", "RestartLimits"]


@frozen
class RestartLimits:
    """How soon a process that died is started again: after ``first_ms``, each time twice as long
    up to ``longest_ms``; anew from ``first_ms`` after one that lived for ``proven_s``. A process
    that was told to end is killed after ``grace_s``."""

    first_ms: int = 100
    longest_ms: int = 5_000
    proven_s: int = 30
    grace_s: int = 3


RESTARTING: RestartLimits = RestartLimits()
"""The limits that hold unless a configuration says otherwise."""

LONGEST_LOG_BYTES = 4 << 20
"""A process's log beyond this begins anew with the next process."""


@frozen
class Ended:
    """How a process ended. ``status`` is its exit status, or minus the number of the signal."""

    pid: int
    status: int

    @property
    def how(self) -> str:
        """The same in words."""
        if self.status >= 0:
            return f"exited with status {self.status}"
        try:
            return f"was killed by {signal.Signals(-self.status).name}"
        except ValueError:
            return f"was killed by signal {-self.status}"


@frozen
class ChildHooks:
    """Who is told what of a process. ``ended`` answers whether to start it again."""

    started: Callable[[Child, int], None]
    said: Callable[[Child, JsonObject], None]
    ended: Callable[[Child, Ended], bool]


class Child:
    """One process by name; ``module`` is what it runs and ``brief`` the first line it reads.

    :meth:`run` it as a task of its own.
    """

    def __init__(
        self,
        name: str,
        module: str,
        brief: Callable[[], JsonObject],
        log: Path,
        hooks: ChildHooks,
        limits: RestartLimits = RESTARTING,
    ) -> None:
        self.name = name
        self._module = module
        self._brief = brief
        self._log = log
        self._hooks = hooks
        self._limits = limits
        self._process: asyncio.subprocess.Process | None = None
        self._link: Link | None = None
        self._ending = asyncio.Event()
        self.starts: int = 0
        """How often it was started."""

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return None if self._process is None else self._process.pid

    def kill(self) -> None:
        """Kill the process that runs now, whatever it is doing; it will be started again."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    def send(self, line: JsonObject) -> None:
        """Tell the process something; nobody hears it when none runs."""
        if self._link is not None:
            with suppress(ConnectionError):
                self._link.send(line)

    def end(self) -> None:
        """Let the process end and start it no more; :meth:`run` then returns."""
        self._ending.set()
        self.send({"do": "end"})

    async def run(self) -> None:
        """Keep the process alive until :meth:`end`, or until whoever is told wants it no more."""
        wait_ms = self._limits.first_ms
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            began = loop.time()
            ended = await self._once()
            if not self._hooks.ended(self, ended):
                return
            if loop.time() - began >= self._limits.proven_s:
                wait_ms = self._limits.first_ms
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_ms / 1000):
                    await self._ending.wait()
            wait_ms = min(2 * wait_ms, self._limits.longest_ms)

    async def _once(self) -> Ended:
        """One process, from its start to its end."""
        ours, theirs = socket.socketpair()
        try:
            process = await self._start(theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._process, self.starts = process, self.starts + 1
        listening = asyncio.create_task(self._listen(ours, process.pid))
        try:
            await self._wait(process)
            # What it said before it died is still in the socket.
            await listening
        finally:
            listening.cancel()
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            self._process = self._link = None
        return Ended(process.pid, process.returncode or 0)

    async def _start(self, end: socket.socket) -> asyncio.subprocess.Process:
        descriptor = end.fileno()
        # -P: what lies in the working folder must not stand in for a module of ours.
        words: Sequence[str] = ("-P", "-m", self._module, str(descriptor), str(os.getpid()))
        with translating(self._log, "write the log of a process"):
            log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                if os.fstat(log).st_size > LONGEST_LOG_BYTES:
                    os.ftruncate(log, 0)
                return await asyncio.create_subprocess_exec(
                    sys.executable,
                    *words,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(descriptor,),
                    start_new_session=True,
                )
            finally:
                os.close(log)

    async def _listen(self, ours: socket.socket, pid: int) -> None:
        self._link = link = await Link.over(ours)
        try:
            link.send(self._brief())
            if self._ending.is_set():
                link.send({"do": "end"})
            self._hooks.started(self, pid)
            async for line in link.lines():
                self._hooks.said(self, line)
        except (ConnectionError, WireError):
            self.kill()
        finally:
            link.close()

    async def _wait(self, process: asyncio.subprocess.Process) -> None:
        """Until the process has ended; once it was told to, for no longer than its grace."""
        exiting = asyncio.create_task(process.wait())
        told = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait({exiting, told}, return_when=asyncio.FIRST_COMPLETED)
            if not exiting.done():
                await asyncio.wait({exiting}, timeout=self._limits.grace_s)
            if not exiting.done():
                self.kill()
            await exiting
        finally:
            told.cancel()
            exiting.cancel()
