"""The contract of ``ReportSource``: numbered clauses that every adapter of the port must pass.

Inherit the class in a test module and give it a fixture ``bench``::

    class TestMyAdapter(ReportSourceContract):
        @pytest.fixture
        def bench(self, tmp_path):
            return MyBench(tmp_path)

A clause states its prerequisite, its action and when it passes. Numbers are never reused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from random import Random

import pytest

from hkex_ops.errors import (
    AuthRefused,
    HostKeyMismatch,
    Rejected,
    ReportNotFound,
    Unreachable,
)
from hkex_ops.model import ListedReport, ReportKind, SiteRole
from hkex_ops.ports import ReportSource
from hkex_ops.testing.benches import ReportSourceBench
from hkex_ops.testing.fetched import Fetched, collect

__all__ = ["ReportSourceContract"]

PRIMARY = SiteRole.PRIMARY
SECONDARY = SiteRole.SECONDARY

KIB = 1024

# Sizes at which adapters break: nothing, one byte, a common block and its neighbours, several MiB.
SIZES = (0, 1, 32 * KIB - 1, 32 * KIB, 32 * KIB + 1, 255 * KIB + 1, 5 * KIB * KIB + 17)

MANY = 150

# Servers notice a farewell a little later than the client says it.
NOTICE_TIMEOUT_S = 5
NOTICE_INTERVAL_S = 0.01


def _content_of(size_bytes: int) -> bytes:
    """Bytes in which no block is like another, the same in every run."""
    return Random(size_bytes).randbytes(size_bytes)


def _opened(
    bench: ReportSourceBench, site: SiteRole = PRIMARY, options: object = None
) -> AbstractAsyncContextManager[ReportSource]:
    """The adapter under test, opened as the core opens it."""
    return bench.offer.open(bench.options() if options is None else options, site)


async def _listed(source: ReportSource) -> dict[str, ListedReport]:
    """The listing by name; each name must come once."""
    reports = [report async for report in source.list_reports()]
    names = [report.name for report in reports]
    assert sorted(set(names)) == sorted(names), "a name was listed twice"
    return {report.name: report for report in reports}


async def _fetched(source: ReportSource, reports: Iterable[ListedReport]) -> Fetched:
    """Everything a fetch of ``reports`` delivers."""
    wanted = list(reports)
    taken = await collect(source.fetch(wanted))
    terminated = {*taken.ends, *taken.failures}
    assert {report.name for report in wanted} == terminated, "an end is missing or was invented"
    return taken


async def _noticed(fact: Callable[[], bool]) -> bool:
    """Whether the far side comes to show ``fact`` within a short while."""
    for _ in range(int(NOTICE_TIMEOUT_S / NOTICE_INTERVAL_S)):
        if fact():
            return True
        await asyncio.sleep(NOTICE_INTERVAL_S)
    return False


class ReportSourceContract:
    """Inherit and provide a fixture ``bench`` that yields a fresh `ReportSourceBench`."""

    pytestmark: pytest.MarkDecorator = pytest.mark.asyncio

    # -- listing -----------------------------------------------------------------------------

    async def test_r01_every_entry_is_listed_once(self, bench: ReportSourceBench) -> None:
        """R1. Prerequisite: known files. Action: list. Pass: each once; name, size and kind."""
        sizes = {f"TP{number:03}.csv": number * 7 for number in range(MANY)}
        for name, size in sizes.items():
            bench.put(PRIMARY, name, _content_of(size))
        async with _opened(bench) as source:
            reports = await _listed(source)
        assert sizes == {name: report.size_bytes for name, report in reports.items()}
        assert {ReportKind.FILE} == {report.kind for report in reports.values()}

    async def test_r02_an_empty_folder_lists_nothing(self, bench: ReportSourceBench) -> None:
        """R2. Prerequisite: an empty folder. Action: list. Pass: no entry, no error."""
        async with _opened(bench) as source:
            assert {} == await _listed(source)

    async def test_r03_folders_and_links_are_listed_as_such(self, bench: ReportSourceBench) -> None:
        """R3. Prerequisite: a folder and a link. Action: list. Pass: their kinds are told."""
        bench.put(PRIMARY, "TP001.csv", b"1")
        bench.put_folder(PRIMARY, "COMMON")
        bench.put_link(PRIMARY, "latest.csv", "TP001.csv")
        async with _opened(bench) as source:
            reports = await _listed(source)
        kinds = {name: report.kind for name, report in reports.items()}
        assert {
            "TP001.csv": ReportKind.FILE,
            "COMMON": ReportKind.FOLDER,
            "latest.csv": ReportKind.LINK,
        } == kinds

    @pytest.mark.parametrize(
        "name",
        [
            "rpf______-_____-__-_____-230414.lis",
            "daily cash.csv",
            "結算報告 TP001.csv",
            "-rf",
            "a\tb",
        ],
    )
    async def test_r04_any_name_is_listed_and_fetched(
        self, bench: ReportSourceBench, name: str
    ) -> None:
        """R4. Prerequisite: an unusual name. Action: list, fetch. Pass: same name, same bytes."""
        bench.put(PRIMARY, name, b"content")
        async with _opened(bench) as source:
            reports = await _listed(source)
            assert [name] == list(reports)
            assert b"content" == (await _fetched(source, reports.values())).content(name)

    async def test_r05_modification_times_are_aware_and_right(
        self, bench: ReportSourceBench
    ) -> None:
        """R5. Action: list. Pass: None, or aware and what the back door says, to the second."""
        bench.put(PRIMARY, "TP001.csv", b"1")
        async with _opened(bench) as source:
            modified = (await _listed(source))["TP001.csv"].modified
        if modified is None:
            pytest.skip("this server tells no modification time")
        assert modified.tzinfo is not None
        stored = bench.stored(PRIMARY)["TP001.csv"].modified
        assert int(stored.timestamp()) == int(modified.timestamp())

    # -- fetching ----------------------------------------------------------------------------

    @pytest.mark.parametrize("size_bytes", SIZES)
    async def test_r06_content_is_byte_identical(
        self, bench: ReportSourceBench, size_bytes: int
    ) -> None:
        """R6. Prerequisite: a file. Action: fetch. Pass: the back door's bytes, and their size."""
        bench.put(PRIMARY, "TP001.csv", _content_of(size_bytes))
        async with _opened(bench) as source:
            taken = await _fetched(source, (await _listed(source)).values())
        assert bench.stored(PRIMARY)["TP001.csv"].content == taken.content("TP001.csv")
        assert size_bytes == taken.ends["TP001.csv"].size_bytes

    async def test_r07_many_reports_in_one_fetch(self, bench: ReportSourceBench) -> None:
        """R7. Prerequisite: many files. Action: one fetch of all. Pass: all of them, identical."""
        for number in range(MANY):
            bench.put(PRIMARY, f"TP{number:03}.csv", _content_of(number * 997))
        async with _opened(bench) as source:
            taken = await _fetched(source, (await _listed(source)).values())
        stored = {name: report.content for name, report in bench.stored(PRIMARY).items()}
        assert stored == {name: taken.content(name) for name in taken.ends}

    async def test_r08_chunks_ascend_and_each_report_ends_once(
        self, bench: ReportSourceBench
    ) -> None:
        """R8. Prerequisite: large files. Action: one fetch. Pass: no gap, one end each."""
        for number in range(4):
            bench.put(PRIMARY, f"TP{number:03}.csv", _content_of(KIB * KIB + number))
        async with _opened(bench) as source:
            reports = await _listed(source)
            taken = Fetched()
            async for delivery in source.fetch(reports.values()):
                taken.take(delivery)
        assert sorted(reports) == sorted(taken.ends)
        assert {} == taken.failures

    async def test_r09_a_fetch_of_nothing_delivers_nothing(self, bench: ReportSourceBench) -> None:
        """R9. Action: fetch an empty iterable. Pass: it ends at once, without a delivery."""
        async with _opened(bench) as source:
            assert Fetched() == await _fetched(source, [])

    async def test_r10_a_vanished_report_fails_alone(self, bench: ReportSourceBench) -> None:
        """R10. Prerequisite: one file removed after listing. Pass: ReportNotFound; others whole."""
        for name in ("TP001.csv", "TP002.csv", "TP003.csv"):
            bench.put(PRIMARY, name, name.encode())
        async with _opened(bench) as source:
            reports = await _listed(source)
            bench.remove(PRIMARY, "TP002.csv")
            taken = await _fetched(source, reports.values())
        assert ["TP002.csv"] == list(taken.failures)
        assert isinstance(taken.failures["TP002.csv"].error, ReportNotFound)
        assert b"TP001.csv" == taken.content("TP001.csv")
        assert b"TP003.csv" == taken.content("TP003.csv")

    async def test_r11_growth_since_the_listing_is_told(self, bench: ReportSourceBench) -> None:
        """R11. Prerequisite: a file grows after listing. Pass: its end tells the new size."""
        bench.put(PRIMARY, "TP001.csv", _content_of(1000))
        async with _opened(bench) as source:
            reports = await _listed(source)
            bench.put(PRIMARY, "TP001.csv", _content_of(400 * KIB))
            taken = await _fetched(source, reports.values())
        assert 400 * KIB == taken.ends["TP001.csv"].size_bytes

    async def test_r12_shrinking_since_the_listing_is_told(self, bench: ReportSourceBench) -> None:
        """R12. Prerequisite: a file shrinks after listing. Pass: its end tells the new size."""
        bench.put(PRIMARY, "TP001.csv", _content_of(400 * KIB))
        async with _opened(bench) as source:
            reports = await _listed(source)
            bench.put(PRIMARY, "TP001.csv", _content_of(1000))
            taken = await _fetched(source, reports.values())
        assert 1000 == taken.ends["TP001.csv"].size_bytes
        assert _content_of(1000) == taken.content("TP001.csv")

    async def test_r13_only_plain_files_are_fetched(self, bench: ReportSourceBench) -> None:
        """R13. Prerequisite: a folder beside a file. Action: fetch both. Pass: folder Rejected."""
        bench.put(PRIMARY, "TP001.csv", b"1")
        bench.put_folder(PRIMARY, "COMMON")
        async with _opened(bench) as source:
            taken = await _fetched(source, (await _listed(source)).values())
        assert isinstance(taken.failures["COMMON"].error, Rejected)
        assert b"1" == taken.content("TP001.csv")

    async def test_r14_nothing_on_the_server_is_changed(self, bench: ReportSourceBench) -> None:
        """R14. Action: list, fetch, leave. Pass: the back door sees what it saw before."""
        for number in range(5):
            bench.put(PRIMARY, f"TP{number:03}.csv", _content_of(number * KIB))
        before = bench.stored(PRIMARY)
        async with _opened(bench) as source:
            await _fetched(source, (await _listed(source)).values())
        assert before == bench.stored(PRIMARY)

    # -- leaving -----------------------------------------------------------------------------

    async def test_r15_leaving_logs_out(self, bench: ReportSourceBench) -> None:
        """R15. Action: open, leave. Pass: the server has one session inside, none afterwards."""
        assert 0 == bench.sessions(PRIMARY)
        async with _opened(bench) as source:
            await _listed(source)
            assert 1 == bench.sessions(PRIMARY)
        assert await _noticed(lambda: bench.sessions(PRIMARY) == 0)

    async def test_r16_leaving_in_the_middle_of_a_fetch_logs_out(
        self, bench: ReportSourceBench
    ) -> None:
        """R16. Action: stop a fetch at its first delivery, leave. Pass: no session remains."""
        assert 0 == bench.sessions(PRIMARY)
        for number in range(8):
            bench.put(PRIMARY, f"TP{number:03}.csv", _content_of(2 * KIB * KIB))
        async with _opened(bench) as source:
            reports = await _listed(source)
            deliveries = source.fetch(reports.values())
            await anext(deliveries)
        assert await _noticed(lambda: bench.sessions(PRIMARY) == 0)

    async def test_r17_a_fetch_given_up_leaves_the_source_usable(
        self, bench: ReportSourceBench
    ) -> None:
        """R17. Action: close a fetch early, fetch again. Pass: the second delivers everything."""
        for number in range(8):
            bench.put(PRIMARY, f"TP{number:03}.csv", _content_of(KIB * KIB))
        async with _opened(bench) as source:
            reports = await _listed(source)
            deliveries = source.fetch(reports.values())
            await anext(deliveries)
            if not isinstance(deliveries, AsyncGenerator):
                pytest.skip("this adapter's fetch cannot be closed early")
            await deliveries.aclose()
            taken = await _fetched(source, reports.values())
        assert _content_of(KIB * KIB) == taken.content("TP007.csv")

    # -- logging in --------------------------------------------------------------------------

    async def test_r18_the_endpoint_is_the_first_address(self, bench: ReportSourceBench) -> None:
        """R18. Action: open. Pass: the endpoint is the first address, with its real host key."""
        async with _opened(bench) as source:
            assert bench.endpoints(PRIMARY)[0] == source.endpoint

    async def test_r19_each_site_has_its_own_folder(self, bench: ReportSourceBench) -> None:
        """R19. Prerequisite: different files. Action: open each site. Pass: each lists its own."""
        for site in SiteRole:
            bench.put(site, f"{site}.csv", b"1")
        for site in SiteRole:
            async with _opened(bench, site) as source:
                assert [f"{site}.csv"] == list(await _listed(source))

    async def test_r20_an_unknown_key_is_refused(self, bench: ReportSourceBench) -> None:
        """R20. Prerequisite: a key that is not registered. Action: open. Pass: AuthRefused."""
        options = bench.options_with_unknown_key()
        with pytest.raises(AuthRefused):
            async with _opened(bench, options=options):
                pass

    async def test_r21_another_host_key_is_refused(self, bench: ReportSourceBench) -> None:
        """R21. Prerequisite: the first address is pinned to another key. Pass: HostKeyMismatch.

        The error tells the key that was seen; the second address is not used in silence.
        """
        options = bench.options_with_other_host_key()
        with pytest.raises(HostKeyMismatch) as caught:
            async with _opened(bench, options=options):
                pass
        assert bench.endpoints(PRIMARY)[0].host_key == caught.value.seen
        assert caught.value.seen not in caught.value.expected

    async def test_r22_another_host_key_is_told_nothing(self, bench: ReportSourceBench) -> None:
        """R22. Prerequisite: as R21. Action: open. Pass: the server was never told a user."""
        options = bench.options_with_other_host_key()
        before = bench.logins_tried(PRIMARY)
        with pytest.raises(HostKeyMismatch):
            async with _opened(bench, options=options):
                pass
        assert before == bench.logins_tried(PRIMARY)

    async def test_r23_a_site_that_is_down_is_unreachable(self, bench: ReportSourceBench) -> None:
        """R23. Prerequisite: all addresses down. Pass: Unreachable in time, naming each address."""
        endpoints = bench.endpoints(PRIMARY)
        for number in range(1, len(endpoints) + 1):
            await bench.take_down(PRIMARY, number)
        async with asyncio.timeout(bench.time_limit_s):
            with pytest.raises(Unreachable) as caught:
                async with _opened(bench):
                    pass
        assert all(endpoint.host in str(caught.value) for endpoint in endpoints)

    async def test_r24_the_second_address_serves_when_the_first_is_down(
        self, bench: ReportSourceBench
    ) -> None:
        """R24. Prerequisite: the first address down. Action: open. Pass: the second is used."""
        endpoints = bench.endpoints(PRIMARY)
        if len(endpoints) < 2:
            pytest.skip("this bench has one address only")
        await bench.take_down(PRIMARY, 1)
        async with _opened(bench) as source:
            assert endpoints[1] == source.endpoint
            assert {} == await _listed(source)

    async def test_r25_the_other_site_is_never_tried(self, bench: ReportSourceBench) -> None:
        """R25. Prerequisite: primary down, secondary up. Pass: Unreachable, secondary untouched."""
        before = bench.logins_tried(SECONDARY)
        for number in range(1, len(bench.endpoints(PRIMARY)) + 1):
            await bench.take_down(PRIMARY, number)
        with pytest.raises(Unreachable):
            async with _opened(bench):
                pass
        assert before == bench.logins_tried(SECONDARY)
