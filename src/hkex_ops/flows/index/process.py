"""The inside of a process that a supervisor keeps: how it begins, hears its task and ends.

Run as ``python -m hkex_ops.flows.index.MODULE DESCRIPTOR PARENT``, never by a person. The first
line on the socket is the brief. The kernel kills the process when the supervisor dies, even one
that hangs or stands still; should that not be had, the end of the socket ends it. What it cannot go
on with is said in its last line and, with the traceback, in its log.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from attrs import frozen

from hkex_ops.config.baskets import load_baskets
from hkex_ops.config.settings import Settings, load_settings
from hkex_ops.errors import ConfigError, HkexOpsError
from hkex_ops.flows.index.adapters import Configured, configured_market_feed
from hkex_ops.flows.index.link import Link
from hkex_ops.index.basket import Basket
from hkex_ops.model import JsonObject, SiteRole
from hkex_ops.plugins import Plugins
from hkex_ops.ports import MarketFeed

__all__ = [
    "BEAT_S",
    "BREATH_NS",
    "RELEASE_S",
    "Brief",
    "Task",
    "run_process",
    "task_of",
    "together",
]

BEAT_S = 0.05
"""How often a process says that it is alive and looks at what has waited."""

RELEASE_S = 0.002
"""How often it looks while it holds something back: what another engine's passing costs a tick."""

BREATH_NS = 5_000_000
"""How long packets are worked without a look at anything else."""

T = TypeVar("T")

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_FAILED = 70  # EX_SOFTWARE of sysexits.h


@frozen
class Brief:
    """What the supervisor asks of a process: its own name, number and site, which feed, which
    files."""

    name: str
    number: int
    site: SiteRole
    feed: str
    config: Path
    baskets: Path
    folder: Path
    beginning: int = 0

    def line(self) -> JsonObject:
        """The brief as the first line of the wire."""
        return {
            "name": self.name,
            "number": self.number,
            "site": self.site.value,
            "feed": self.feed,
            "config": str(self.config),
            "baskets": str(self.baskets),
            "folder": str(self.folder),
            "beginning": self.beginning,
        }

    @classmethod
    def of(cls, line: JsonObject) -> Brief:
        """The brief that a line is."""
        return cls(
            str(line["name"]),
            cast("int", line["number"]),
            SiteRole(str(line["site"])),
            str(line["feed"]),
            Path(str(line["config"])),
            Path(str(line["baskets"])),
            Path(str(line["folder"])),
            cast("int", line["beginning"]),
        )


@frozen
class Task:
    """A brief with everything it names looked up and read."""

    brief: Brief
    settings: Settings
    feed: Configured[MarketFeed]
    baskets: Sequence[Basket]


def task_of(brief: Brief) -> Task:
    """Read what the brief names; raises what wrong files and names deserve."""
    settings = load_settings(brief.config)
    plugins = Plugins.load(block=settings.plugins.block)
    feed = configured_market_feed(settings, plugins, brief.feed)
    return Task(brief, settings, feed, load_baskets(brief.baskets))


async def together(ends: Sequence[Awaitable[None]], others: Sequence[Awaitable[None]]) -> None:
    """Do all of it at once, until one of ``ends`` is done. Raises what any of it raises.

    Once something has raised, nothing else takes one step more. Whoever is about to die of a
    message must not say, by another of its tasks, that it has passed it.
    """
    tasks: list[asyncio.Task[None]] = []

    async def one(work: Awaitable[None]) -> None:
        """Do it; the end of the others, if it fails."""
        try:
            await work
        except Exception:
            for task in tasks:
                if task is not asyncio.current_task():
                    task.cancel()
            raise

    async with asyncio.TaskGroup() as group:
        tasks += [group.create_task(one(work)) for work in (*ends, *others)]
        await asyncio.wait(tasks[: len(ends)], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


def run_process(work: Callable[[Task, Link], Awaitable[None]]) -> None:
    """Begin as this process's arguments say and do ``work``; ends with the process's status."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    _die_with(parent)
    # Whoever sits at the terminal speaks to the supervisor.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(asyncio.run(_run(work, socket.socket(fileno=descriptor))))


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; leave when it has died already."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(_FAILED)


async def _run(work: Callable[[Task, Link], Awaitable[None]], end: socket.socket) -> int:
    link = await Link.over(end)
    try:
        brief = Brief.of(await anext(link.lines()))
        await work(task_of(brief), link)
    # Whatever it is, the process ends of it, and the supervisor decides what next. That the
    # supervisor is gone is no error of this process; nobody would hear its last words.
    except Exception as error:
        cause = _first(error)
        if not isinstance(cause, ConnectionError):
            traceback.print_exc()
            _say_last_words(link, cause)
            await link.drain()
        return _FAILED
    finally:
        link.close()
    return 0


def _first(error: BaseException) -> BaseException:
    """The first of the errors that several tasks ended with."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _say_last_words(link: Link, error: BaseException) -> None:
    reason = str(error) if isinstance(error, HkexOpsError) else f"{type(error).__name__}: {error}"
    try:
        link.send(
            {
                "say": "failed",
                "kind": type(error).__name__,
                "reason": reason,
                "operator": isinstance(error, ConfigError),
            }
        )
    except ConnectionError:
        return
