"""Faults of a report folder, each named after what it does, around any report source.

Put one between your code and the fake to see what your code makes of it::

    async with open_fake(options, site) as source:
        async for delivery in Truncating(source).fetch(reports):
            ...

A fault breaks the port's contract or its server does: the library's own flows keep archive and
ledger whole under every one of them, and the contract's clauses find those that an adapter must
not have.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

from hkex_ops.errors import Rejected, Unreachable
from hkex_ops.model import Endpoint, ListedReport
from hkex_ops.ports import Delivery, ReportChunk, ReportEnd, ReportFailed, ReportSource
from hkex_ops.testing.faulty import Stall, doubled

__all__ = [
    "Disconnecting",
    "Duplicating",
    "Faulty",
    "Refusing",
    "Reordering",
    "Stalling",
    "Truncating",
]


class Faulty:
    """A report source that hands everything on. A fault overrides what it does wrong."""

    def __init__(self, source: ReportSource) -> None:
        self._source = source

    @property
    def endpoint(self) -> Endpoint:
        """Of the source within."""
        return self._source.endpoint

    async def list_reports(self) -> AsyncGenerator[ListedReport]:
        """As the source within lists them."""
        async for report in self._source.list_reports():
            yield report

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """As the source within delivers them."""
        async for delivery in self._source.fetch(reports):
            yield delivery


class Truncating(Faulty):
    """Loses the last byte of every chunk, and says nothing of it."""

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """Every chunk a byte shorter."""
        async for delivery in self._source.fetch(reports):
            if isinstance(delivery, ReportChunk):
                delivery = delivery._replace(data=delivery.data[:-1])
            yield delivery


class Stalling(Faulty, Stall):
    """Delivers ``after`` things and then waits until :meth:`go_on`, which may be never."""

    def __init__(self, source: ReportSource, after: int = 1) -> None:
        Faulty.__init__(self, source)
        Stall.__init__(self, after)

    def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """A few deliveries, and then silence."""
        return self.stalled(self._source.fetch(reports))


class Reordering(Faulty):
    """Delivers the chunks of each report last first."""

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """The same chunks, the wrong way round."""
        chunks: list[ReportChunk] = []
        async for delivery in self._source.fetch(reports):
            if isinstance(delivery, ReportChunk):
                chunks.append(delivery)
                continue
            while chunks:
                yield chunks.pop()
            yield delivery


class Duplicating(Faulty):
    """Lists and delivers everything twice."""

    def list_reports(self) -> AsyncGenerator[ListedReport]:
        """Each entry twice."""
        return doubled(self._source.list_reports())

    def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """Each delivery twice."""
        return doubled(self._source.fetch(reports))


class Refusing(Faulty):
    """Refuses every report whose name is in ``names``; all of them, if none is named."""

    def __init__(self, source: ReportSource, names: Iterable[str] = ()) -> None:
        super().__init__(source)
        self._names = frozenset(names)

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """A failure instead of what was asked for."""
        wanted = list(reports)
        refused = [one for one in wanted if not self._names or one.name in self._names]
        for report in refused:
            yield ReportFailed(report, Rejected(f"{report.name}: the server refused it"))
        async for delivery in self._source.fetch(one for one in wanted if one not in refused):
            yield delivery


class Disconnecting(Faulty):
    """Loses the connection after ``after`` reports have come whole, in the middle of the next."""

    def __init__(self, source: ReportSource, after: int = 1) -> None:
        super().__init__(source)
        self._after = after

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """Some reports whole, and a piece of one more."""
        whole = 0
        async for delivery in self._source.fetch(reports):
            if whole == self._after:
                if isinstance(delivery, ReportChunk):
                    yield delivery
                raise Unreachable(f"{self.endpoint}: the connection was lost: run it again")
            whole += isinstance(delivery, ReportEnd)
            yield delivery
