"""What a simulation puts between an adapter and the desk, one thing at a look.

Besides the faults of :mod:`hkex_ops.testing.faults` there are those that only a desk has: a run is
stopped half-way, the folder changes between its listing and the first transfer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from functools import partial
from random import Random
from typing import TypeAlias

from attrs import frozen

from hkex_ops.errors import PluginError, Unreachable
from hkex_ops.model import ListedReport
from hkex_ops.ports import Delivery, ReportSource
from hkex_ops.testing.faults import (
    Disconnecting,
    Duplicating,
    Faulty,
    Refusing,
    Reordering,
    Truncating,
)
from hkex_ops.testing.faulty import stopped

__all__ = ["Asking", "Disturbance", "drawn"]

# At how many looks in a hundred something is put between.
DISTURBED = 55

Between: TypeAlias = Callable[[ReportSource], ReportSource]


@frozen
class Disturbance:
    """What is put between at one look, and what a run may end with because of it."""

    said: str
    between: Between
    ends: tuple[type[BaseException], ...] = ()


class Asking(Faulty):
    """No fault: notes in ``asked`` what is asked for."""

    def __init__(self, source: ReportSource, asked: list[ListedReport]) -> None:
        super().__init__(source)
        self._asked = asked

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """As the source within delivers them."""
        wanted = list(reports)
        self._asked += wanted
        async for delivery in self._source.fetch(wanted):
            yield delivery


class _Away(Faulty):
    """The line is cut before the folder is listed."""

    async def list_reports(self) -> AsyncGenerator[ListedReport]:
        raise Unreachable(f"{self.endpoint}: the line is cut: run it again")
        yield


class _Stopped(Faulty):
    """Somebody stops the run after some deliveries, as Ctrl-C does."""

    def __init__(self, source: ReportSource, after: int) -> None:
        super().__init__(source)
        self._after = after

    def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        return stopped(self._source.fetch(reports), self._after)


class _Meanwhile(Faulty):
    """Something happens at the far side between the listing and the first transfer."""

    def __init__(self, source: ReportSource, act: Callable[[], None]) -> None:
        super().__init__(source)
        self._act = act

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        self._act()
        async for delivery in self._source.fetch(reports):
            yield delivery


def drawn(
    chance: Random, names: Sequence[str], vanish: Callable[[Iterable[str]], None]
) -> Disturbance | None:
    """What chance puts between; nothing, nearly every other time.

    ``names`` are what lies in the folder, and ``vanish`` takes some of it out.
    """
    if chance.randrange(100) >= DISTURBED:
        return None
    few = chance.sample(names, min(len(names), chance.randrange(1, 4)))
    these = ", ".join(few) or "nothing"
    after = chance.randrange(4)
    cut, ended = (Unreachable,), (asyncio.CancelledError,)
    broken = (PluginError,)
    return chance.choice(
        [
            Disturbance("the line is cut before the listing", _Away, cut),
            Disturbance(
                f"the line is cut after {after} reports", partial(Disconnecting, after=after), cut
            ),
            Disturbance(
                f"the run is stopped after {after} deliveries",
                partial(_Stopped, after=after),
                ended,
            ),
            Disturbance(f"the server refuses {these}", partial(Refusing, names=few or ["nothing"])),
            Disturbance(
                f"between listing and transfer the server loses {these}",
                partial(_Meanwhile, act=partial(vanish, few)),
            ),
            Disturbance("every chunk comes a byte short", Truncating, broken),
            Disturbance("chunks come the wrong way round", Reordering, broken),
            Disturbance("everything comes twice", Duplicating, broken),
        ]
    )
