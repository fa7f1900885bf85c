"""The faults that ship: each breaks its clause, and no flow of the library breaks by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest

from hkex_ops import ManualClock
from hkex_ops.config.report_sources import Manners
from hkex_ops.errors import HkexOpsError, PluginError, Unreachable
from hkex_ops.flows.fetch import FetchResult, fetch_reports
from hkex_ops.flows.sources import ConfiguredSource
from hkex_ops.flows.store import Archive
from hkex_ops.model import HONG_KONG, Endpoint, SiteRole
from hkex_ops.ports import ReportSource
from hkex_ops.reports import Catalogue, ReportRule
from hkex_ops.reports.dates import DateForm
from hkex_ops.reports.events import FindingKind
from hkex_ops.testing import (
    FakeReportSource,
    FakeReportSourceBench,
    FakeSite,
    ReportSourceBench,
    ReportSourceContract,
)
from hkex_ops.testing.faults import (
    Disconnecting,
    Duplicating,
    Faulty,
    Refusing,
    Reordering,
    Stalling,
    Truncating,
)

PRIMARY = SiteRole.PRIMARY
FRIDAY = datetime(2023, 4, 14, 20, tzinfo=HONG_KONG)
CATALOGUE = Catalogue(
    (
        ReportRule(
            "rrs",
            r"(?P<code>TP[0-9]{3})_(?P<business_date>[0-9]{8})\.csv",
            DateForm.YYYYMMDD,
            tuple(f"TP{number:03}" for number in range(10)),
            "HKCC",
        ),
    )
)
clauses = ReportSourceContract()
Clause = Callable[[ReportSourceBench], Awaitable[None]]


def bench_with(fault: Callable[[ReportSource], ReportSource]) -> FakeReportSourceBench:
    def make(site: FakeSite, endpoint: Endpoint) -> ReportSource:
        return fault(FakeReportSource(site, endpoint))

    return FakeReportSourceBench(make)


@pytest.mark.parametrize(
    ("fault", "clause"),
    [
        (Truncating, clauses.test_r07_many_reports_in_one_fetch),
        (Reordering, clauses.test_r08_chunks_ascend_and_each_report_ends_once),
        (Duplicating, clauses.test_r01_every_entry_is_listed_once),
        (Refusing, clauses.test_r07_many_reports_in_one_fetch),
        (Disconnecting, clauses.test_r07_many_reports_in_one_fetch),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_each_fault_fails_its_clause(
    fault: Callable[[ReportSource], ReportSource], clause: Clause
) -> None:
    bench = bench_with(fault)
    with pytest.raises((AssertionError, pytest.fail.Exception, Unreachable)):
        await clause(bench)


async def test_a_source_without_a_fault_is_the_source() -> None:
    bench = bench_with(Faulty)
    await clauses.test_r07_many_reports_in_one_fetch(bench)
    await clauses.test_r01_every_entry_is_listed_once(bench)


async def fetched(
    folder: Path, fault: Callable[[ReportSource], ReportSource]
) -> FetchResult | HkexOpsError:
    """One run of the daily fetch against a fault; the archive must be whole whatever happens."""
    bench = bench_with(fault)
    for number in range(3):
        bench.put(PRIMARY, f"TP00{number}_20230414.csv", bytes(100_000 + number))
    source = ConfiguredSource(
        "rrs", "rrs", PRIMARY, (), bench.offer, bench.options(), Manners(attempts=1)
    )
    clock = ManualClock(FRIDAY)
    with Archive.open(folder / "archive", clock=clock) as archive:
        try:
            result: FetchResult | HkexOpsError = await fetch_reports(
                source,
                archive,
                CATALOGUE,
                clock,
                site=PRIMARY,
                business_date=FRIDAY.date(),
                observe=lambda event: None,
            )
        except HkexOpsError as error:
            result = error
        assert () == archive.verify(deep=True)
        for row in archive.recorded():
            assert bytes(row.size_bytes) == (archive.folder / row.path).read_bytes()
            assert 100_000 <= row.size_bytes
    return result


async def test_a_truncated_report_is_not_kept(tmp_path: Path) -> None:
    result = await fetched(tmp_path, Truncating)
    assert isinstance(result, PluginError | FetchResult)
    if isinstance(result, FetchResult):
        assert () == result.kept


@pytest.mark.parametrize("fault", [Reordering, Duplicating])
async def test_an_adapter_that_breaks_its_contract_is_named(
    tmp_path: Path, fault: Callable[[ReportSource], ReportSource]
) -> None:
    assert isinstance(await fetched(tmp_path, fault), PluginError)


async def test_refused_reports_are_findings_and_the_others_are_kept(tmp_path: Path) -> None:
    result = await fetched(tmp_path, lambda source: Refusing(source, ["TP001_20230414.csv"]))
    assert isinstance(result, FetchResult)
    assert [(FindingKind.NOT_FETCHED, "TP001_20230414.csv")] == [
        (one.kind, one.name) for one in result.findings
    ]
    assert 2 == len(result.kept)


async def test_what_came_before_a_lost_connection_is_kept(tmp_path: Path) -> None:
    assert isinstance(await fetched(tmp_path, Disconnecting), Unreachable)
    with Archive.open(tmp_path / "archive", clock=ManualClock(FRIDAY), read_only=True) as archive:
        assert ["TP000_20230414.csv"] == [row.name for row in archive.recorded()]


async def test_a_stalling_source_waits_until_it_may_go_on(tmp_path: Path) -> None:
    begun: asyncio.Future[Stalling] = asyncio.get_running_loop().create_future()

    def stall(source: ReportSource) -> ReportSource:
        stalling = Stalling(source, after=2)
        begun.set_result(stalling)
        return stalling

    running = asyncio.create_task(fetched(tmp_path, stall))
    stalling = await begun
    await asyncio.sleep(0.01)
    assert not running.done()
    stalling.go_on()
    result = await running
    assert isinstance(result, FetchResult)
    assert 3 == len(result.kept)
