"""The contract of report sources passes what is right and fails what is wrong."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from hkex_ops.errors import ConfigError, Unreachable
from hkex_ops.model import Endpoint, ListedReport, SiteRole
from hkex_ops.ports import Delivery, Offer, ReportEnd, ReportFailed, ReportSource
from hkex_ops.testing import (
    FakeOptions,
    FakeReportSource,
    FakeReportSourceBench,
    FakeSite,
    ReportSourceBench,
    ReportSourceContract,
    open_fake,
)


class TestFakeReportSource(ReportSourceContract):
    """The fake of the kit keeps the contract in every clause."""

    @pytest.fixture
    def bench(self) -> FakeReportSourceBench:
        return FakeReportSourceBench()


class Forgetful(FakeReportSource):
    """Says nothing of a report that has vanished."""

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        async for delivery in super().fetch(reports):
            if not isinstance(delivery, ReportFailed):
                yield delivery


class Believing(FakeReportSource):
    """Ends a report with the size of the listing, whatever the server says by then."""

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        async for delivery in super().fetch(reports):
            if isinstance(delivery, ReportEnd):
                delivery = delivery._replace(size_bytes=delivery.report.size_bytes)
            yield delivery


class Tidying(FakeReportSource):
    """Removes from the server what it has fetched."""

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        async for delivery in super().fetch(reports):
            if isinstance(delivery, ReportEnd):
                del self.site.reports[delivery.report.name]
            yield delivery


class Staying(FakeReportSource):
    """Opens a second session that nobody ends."""

    def __init__(self, site: FakeSite, endpoint: Endpoint) -> None:
        super().__init__(site, endpoint)
        site.sessions += 1


class CrossingBench(FakeReportSourceBench):
    """Its adapter goes on to the other site when one is down."""

    @property
    def offer(self) -> Offer[ReportSource]:
        @asynccontextmanager
        async def open_either(options: FakeOptions, site: SiteRole) -> AsyncGenerator[ReportSource]:
            try:
                async with open_fake(options, site) as source:
                    yield source
            except Unreachable:
                async with open_fake(options, site.other) as source:
                    yield source

        return Offer("crossing", FakeOptions, open_either)


Clause = Callable[[ReportSourceBench], Awaitable[None]]

clauses = ReportSourceContract()


@pytest.mark.parametrize(
    ("bench", "clause"),
    [
        (FakeReportSourceBench(Forgetful), clauses.test_r10_a_vanished_report_fails_alone),
        (FakeReportSourceBench(Believing), clauses.test_r11_growth_since_the_listing_is_told),
        (FakeReportSourceBench(Tidying), clauses.test_r14_nothing_on_the_server_is_changed),
        (FakeReportSourceBench(Staying), clauses.test_r15_leaving_logs_out),
        (CrossingBench(), clauses.test_r25_the_other_site_is_never_tried),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_broken_source_fails_its_clause(bench: ReportSourceBench, clause: Clause) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await clause(bench)


class BareBench(FakeReportSourceBench):
    """A bench whose far side cannot count."""

    def sessions(self, site: SiteRole) -> int:
        return ReportSourceBench.sessions(self, site)


async def test_a_clause_the_bench_cannot_stage_is_skipped_with_its_reason() -> None:
    with pytest.raises(pytest.skip.Exception, match="cannot count sessions"):
        await clauses.test_r15_leaving_logs_out(BareBench())


async def test_a_fake_site_that_is_not_there_is_a_fault_of_the_options() -> None:
    with pytest.raises(ConfigError, match="no site secondary; known: primary"):
        async with open_fake(FakeOptions({SiteRole.PRIMARY: FakeSite(())}), SiteRole.SECONDARY):
            pass
