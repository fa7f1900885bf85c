"""Listing and fetching when the server is slow, silent, gone, sparing or strange."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest
from attrs import evolve
from sftp_benches import AsyncsshBench, Keys

from hkex_ops.errors import Rejected, TimedOut, TransientError, Unreachable, UsageError
from hkex_ops.model import HONG_KONG, ListedReport, ReportKind, SiteRole
from hkex_ops.ports import ReportEnd, ReportSource
from hkex_ops.testing import Fetched, collect
from hkex_ops_sftp import SftpOptions, open_sftp, source as sources
from hkex_ops_sftp.file_reading import GROWTH_ROUNDS
from hkex_ops_sftp.watching import SilenceWatch

PRIMARY = SiteRole.PRIMARY
LARGE = 3 * 1024 * 1024


class StopsAnswering(asyncssh.SFTPServer):
    """Answers nothing any more once a READ goes beyond the first 2 MiB of a file."""

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if offset >= 2 * 1024 * 1024:
            await self.connection.wait_closed()
        return bytes(super().read(file_obj, offset, size))  # type: ignore[arg-type]


class StopsListing(asyncssh.SFTPServer):
    """Lists one entry and then answers no more."""

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        async for entry in super().scandir(path):
            yield entry
            await self.connection.wait_closed()


class HangsUp(asyncssh.SFTPServer):
    """Drops the connection in the middle of a large file."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if offset:
            self.connection.abort()
        return bytes(super().read(file_obj, offset, size))  # type: ignore[arg-type]


class AnswersShort(asyncssh.SFTPServer):
    """Answers every READ with 5,000 bytes at most."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        return bytes(super().read(file_obj, offset, min(size, 5000)))  # type: ignore[arg-type]


class KeepsGrowing(asyncssh.SFTPServer):
    """Its files are longer at every READ."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        data = bytes(super().read(file_obj, offset, size))  # type: ignore[arg-type]
        with open(file_obj.name, "ab") as writer:  # type: ignore[attr-defined]
            writer.write(b"more")
        return data


class ListsTwice(asyncssh.SFTPServer):
    """Lists every entry twice."""

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        for _ in range(2):
            async for entry in super().scandir(path):
                yield entry


class Forbids(asyncssh.SFTPServer):
    """Lets nobody open what is called secret."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if path.endswith(b"secret"):
            raise asyncssh.SFTPPermissionDenied("not\nfor you")
        return super().open(path, pflags, attrs)


class CountsHandles(asyncssh.SFTPServer):
    """Counts open files over all its sessions."""

    open_now = 0
    open_most = 0

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        kind = type(self)
        kind.open_now += 1
        kind.open_most = max(kind.open_most, kind.open_now)
        return super().open(path, pflags, attrs)

    def close(self, file_obj: object) -> None:
        type(self).open_now -= 1
        super().close(file_obj)


async def listed(source: ReportSource) -> list[ListedReport]:
    return [report async for report in source.list_reports()]


async def fetch_into(taken: Fetched, options: SftpOptions, reports: Iterable[ListedReport]) -> None:
    """Fetch and keep what came before an error."""
    async with open_sftp(options, PRIMARY) as source:
        async for delivery in source.fetch(reports):
            taken.take(delivery)


@pytest.fixture
def bench(tmp_path: Path, keys: Keys) -> AsyncsshBench:
    """Not serving yet: a test says first which server it wants."""
    return AsyncsshBench(tmp_path, keys)


async def test_a_server_that_stops_answering_a_read_is_timed_out(bench: AsyncsshBench) -> None:
    bench.serve_sftp = StopsAnswering
    bench.put(PRIMARY, "small", b"1")
    bench.put(PRIMARY, "large", bytes(LARGE))
    taken = Fetched()
    started = time.monotonic()
    async with bench:
        options = evolve(bench.options(), inactivity_timeout_s=1)
        reports = [ListedReport("small", 1), ListedReport("large", LARGE)]
        with pytest.raises(TimedOut, match=r"fetching large .* answered nothing for 1 s"):
            await fetch_into(taken, options, reports)
    assert ["small"] == list(taken.ends)
    assert time.monotonic() - started < 3


async def test_a_server_that_stops_listing_is_timed_out(bench: AsyncsshBench) -> None:
    bench.serve_sftp = StopsListing
    bench.put(PRIMARY, "TP001.csv", b"1")
    async with bench:
        options = evolve(bench.options(), inactivity_timeout_s=1)
        with pytest.raises(TimedOut, match=r"listing .* answered nothing for 1 s"):
            async with open_sftp(options, PRIMARY) as source:
                await listed(source)


async def test_leaving_a_server_that_no_longer_answers_hangs_up(
    bench: AsyncsshBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "DISMISSAL_TIMEOUT_S", 0.1)
    bench.serve_sftp = StopsAnswering
    bench.put(PRIMARY, "large", bytes(LARGE))
    async with bench, asyncio.timeout(3):
        async with open_sftp(bench.options(), PRIMARY) as source:
            deliveries = source.fetch([ListedReport("large", LARGE)])
            await anext(deliveries)
        with pytest.raises(UsageError, match="left before the fetch ended"):
            await anext(deliveries)


async def test_patience_is_renewed_by_every_answer() -> None:
    watch = SilenceWatch(1, lambda: True, lambda: None)
    for _ in range(6):
        await asyncio.sleep(0.25)
        watch.answered()
    assert not watch.expired
    await watch.stop()


async def test_nothing_is_expected_of_a_server_that_was_asked_nothing() -> None:
    cut_off: list[str] = []
    watch = SilenceWatch(1, lambda: False, lambda: cut_off.append("cut off"))
    await asyncio.sleep(1.2)
    assert [] == cut_off
    await watch.stop()


async def test_a_process_that_stood_still_does_not_blame_the_server() -> None:
    watch = SilenceWatch(1, lambda: True, lambda: None)
    await asyncio.sleep(0)
    time.sleep(1.2)  # noqa: ASYNC251 - the very thing that is tested
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not watch.expired
    await watch.stop()


async def test_a_connection_lost_in_the_middle_of_a_file_is_raised(bench: AsyncsshBench) -> None:
    bench.serve_sftp = HangsUp
    bench.put(PRIMARY, "large", bytes(LARGE))
    taken = Fetched()
    async with bench:
        with pytest.raises(Unreachable, match="fetching large"):
            await fetch_into(taken, bench.options(), [ListedReport("large", LARGE)])
    assert {} == taken.ends


async def test_short_answers_are_asked_for_again(bench: AsyncsshBench) -> None:
    bench.serve_sftp = AnswersShort
    content = os.urandom(700_001)
    bench.put(PRIMARY, "TP001.csv", content)
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        taken = await collect(source.fetch([ListedReport("TP001.csv", len(content))]))
    assert content == taken.content("TP001.csv")


async def test_a_report_that_grew_since_the_listing_is_delivered_whole(
    bench: AsyncsshBench,
) -> None:
    bench.put(PRIMARY, "TP001.csv", b"0123456789")
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        taken = await collect(source.fetch([ListedReport("TP001.csv", 4)]))
    assert b"0123456789" == taken.content("TP001.csv")


async def test_a_report_that_keeps_growing_is_followed_only_so_far(bench: AsyncsshBench) -> None:
    bench.serve_sftp = KeepsGrowing
    bench.put(PRIMARY, "TP001.csv", b"0123")
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        taken = await collect(source.fetch([ListedReport("TP001.csv", 4)]))
    assert 4 * (1 + GROWTH_ROUNDS) == len(taken.content("TP001.csv"))
    assert 4 * (2 + GROWTH_ROUNDS) == taken.ends["TP001.csv"].size_bytes


async def test_the_end_tells_the_time_in_hong_kong(bench: AsyncsshBench) -> None:
    bench.put(PRIMARY, "TP001.csv", b"1")
    os.utime(bench.folders[PRIMARY] / "TP001.csv", (0, 1681471800))
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        (_, end) = [one async for one in source.fetch([ListedReport("TP001.csv", 1)])]
    assert isinstance(end, ReportEnd)
    assert end.modified is not None
    assert "2023-04-14T19:30:00+08:00" == end.modified.isoformat()
    assert timedelta(hours=8) == end.modified.astimezone(HONG_KONG).utcoffset()


async def test_a_report_this_user_may_not_read_fails_alone(bench: AsyncsshBench) -> None:
    bench.serve_sftp = Forbids
    bench.put(PRIMARY, "secret", b"1")
    bench.put(PRIMARY, "TP001.csv", b"1")
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        taken = await collect(
            source.fetch([ListedReport("secret", 1), ListedReport("TP001.csv", 1)])
        )
    assert b"1" == taken.content("TP001.csv")
    assert isinstance(taken.failures["secret"].error, Rejected)
    assert "this user may not (not for you)" in str(taken.failures["secret"].error)


@pytest.mark.parametrize("name", ["../secondary/TP001.csv", "/etc/hostname", "..", ".", "", "a\0b"])
async def test_a_name_that_leads_out_of_the_folder_is_not_asked_for(
    bench: AsyncsshBench, name: str
) -> None:
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        taken = await collect(source.fetch([ListedReport(name, 1)]))
    assert isinstance(taken.failures[name].error, Rejected)


@pytest.mark.parametrize("kind", [ReportKind.FOLDER, ReportKind.LINK, ReportKind.OTHER])
async def test_only_what_was_listed_as_a_file_is_asked_for(
    bench: AsyncsshBench, kind: ReportKind
) -> None:
    bench.serve_sftp = CountsHandles
    bench.put(PRIMARY, "TP001.csv", b"1")
    before = CountsHandles.open_most
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        taken = await collect(source.fetch([ListedReport("TP001.csv", 1, None, kind)]))
    assert f"it is a {kind}" in str(taken.failures["TP001.csv"].error)
    assert before == CountsHandles.open_most


async def test_a_fetch_given_up_closes_its_files(bench: AsyncsshBench) -> None:
    CountsHandles.open_now = CountsHandles.open_most = 0
    bench.serve_sftp = CountsHandles
    names = [f"TP{number:03}.csv" for number in range(40)]
    for name in names:
        bench.put(PRIMARY, name, bytes(LARGE // 4))
    async with bench:
        options = evolve(bench.options(), files_in_flight=5)
        async with open_sftp(options, PRIMARY) as source:
            deliveries = source.fetch([ListedReport(name, LARGE // 4) for name in names])
            await anext(deliveries)
            await deliveries.aclose()  # type: ignore[attr-defined]
            assert 0 == CountsHandles.open_now
    assert 5 == CountsHandles.open_most


async def test_a_name_that_is_not_utf8_is_kept_and_can_be_fetched(bench: AsyncsshBench) -> None:
    (bench.folders[PRIMARY] / os.fsdecode(b"caf\xe9.csv")).write_bytes(b"1")
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        reports = await listed(source)
        taken = await collect(source.fetch(reports))
    assert ["caf\udce9.csv"] == [report.name for report in reports]
    assert b"1" == taken.content("caf\udce9.csv")


async def test_a_name_listed_twice_is_no_listing(bench: AsyncsshBench) -> None:
    bench.serve_sftp = ListsTwice
    bench.put(PRIMARY, "TP001.csv", b"1")
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        with pytest.raises(TransientError, match=r"listed TP001\.csv twice"):
            await listed(source)


async def test_an_endless_listing_is_refused(
    bench: AsyncsshBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_ENTRIES", 3)
    for number in range(4):
        bench.put(PRIMARY, f"TP{number:03}.csv", b"1")
    async with bench, open_sftp(bench.options(), PRIMARY) as source:
        with pytest.raises(Rejected, match="more than 3 entries"):
            await listed(source)


async def test_a_folder_that_is_not_there_is_the_operators_to_mend(bench: AsyncsshBench) -> None:
    async with bench, open_sftp(evolve(bench.options(), folder="/absent"), PRIMARY) as source:
        with pytest.raises(Rejected, match=r"folder /absent .* check the option folder"):
            await listed(source)
