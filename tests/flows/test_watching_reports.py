"""Following a day on a clock that jumps; two looks at a size; sending a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops.clock import ManualClock
from hkex_ops.config.catalogues import structure_catalogue
from hkex_ops.config.report_sources import Manners, UploadSettings
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import Rejected, UsageError
from hkex_ops.flows.fetch import FetchResult, fetch_reports
from hkex_ops.flows.report_standing import stand_at
from hkex_ops.flows.sources import ConfiguredSource
from hkex_ops.flows.store import Archive
from hkex_ops.flows.uploading import upload_report
from hkex_ops.flows.watching_reports import Watched, watch_reports
from hkex_ops.model import HONG_KONG, Endpoint, ListedReport, SiteRole
from hkex_ops.ports import Offer, UploadEnd
from hkex_ops.reports import ReportState
from hkex_ops.reports.watch import WhyEnded
from hkex_ops.testing import (
    FakeOptions,
    FakeReportSource,
    FakeSite,
    FakeUploadSource,
    open_fake,
)

DAY = date(2023, 4, 14)
CATALOGUE = structure_catalogue(
    """\
[[reports]]
service = "RRS"
house = "HKCC"
codes = ["TP010"]
name = "{code}_{business_date:YYYYMMDD}_{instance:hhmm}.csv"
due = [{ times = ["11:00", "15:00", "17:00"], grace_min = 10, tolerance_min = 20 }]
""",
    document="watch.toml",
)
CALENDAR = load_calendar()


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2023, 4, 14, hour, minute, tzinfo=HONG_KONG)


class Desk:
    """A desk that watches one folder, and a clock that whoever waits turns."""

    def __init__(self, folder: Path, manners: Manners) -> None:
        self.folder = folder
        self.site = FakeSite((Endpoint("127.0.0.1", 22, "SHA256:desk"),))
        self.clock = ManualClock(at(9))
        self.manners = manners
        self.to_come: list[tuple[datetime, str]] = []
        self.down: list[tuple[datetime, datetime]] = []
        self.slept: list[float] = []
        self.make = FakeReportSource

    @property
    def configured(self) -> ConfiguredSource:
        offer = Offer(
            "fake", FakeOptions, lambda options, site: open_fake(options, site, self.make)
        )
        options = FakeOptions({SiteRole.PRIMARY: self.site})
        return ConfiguredSource("desk", "RRS", SiteRole.PRIMARY, (), offer, options, self.manners)

    def archive(self) -> AbstractContextManager[Archive]:
        return Archive.open(self.folder, clock=self.clock)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))
        self.turn()

    def turn(self) -> None:
        now = self.clock.now()
        for when, name in self.to_come:
            if when <= now and name not in self.site.reports:
                self.site.put(name, name.encode())
        self.site.down = {1} if any(a <= now < b for a, b in self.down) else set()

    async def watch(self) -> Watched:
        return await watch_reports(
            self.configured,
            self.archive,
            CATALOGUE,
            CALENDAR,
            self.clock,
            site=SiteRole.PRIMARY,
            business_date=DAY,
            observe=lambda _: None,
            sleep=self.sleep,
        )

    def states(self) -> list[ReportState]:
        with self.archive() as archive:
            stood = stand_at(archive, CATALOGUE, CALENDAR, "RRS", DAY, self.clock.now())
        return [one.state for one in stood.standings]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "archive", Manners(attempts=1, wait_s=0, poll_s=600, failures=4))


async def test_a_watch_fetches_what_comes_and_stops_after_the_last_cut_off(desk: Desk) -> None:
    """Logged out after every look; the last one is at 17:10, the grace of the last set."""
    desk.to_come = [(at(10, 55), "TP010_20230414_1055.csv"), (at(17, 9), "TP010_20230414_1709.csv")]
    watched = await desk.watch()
    assert (WhyEnded.LAST_CUT_OFF, at(17, 10)) == (watched.ended.why, watched.ended.at)
    assert [ReportState.HELD, ReportState.MISSING, ReportState.HELD] == desk.states()
    assert 0 == desk.site.sessions
    assert watched.ended.looks == desk.site.logins_tried == 50
    assert max(desk.slept) <= 600


async def test_a_server_that_is_away_for_a_while_is_waited_for(desk: Desk) -> None:
    """And one that stays away is given up, with the reason."""
    desk.down = [(at(9, 30), at(9, 55))]
    assert WhyEnded.LAST_CUT_OFF is (await desk.watch()).ended.why
    away = Desk(desk.folder.with_name("other"), desk.manners)
    away.down = [(at(0), at(23))]
    away.turn()
    ended = (await away.watch()).ended
    assert (WhyEnded.FAILED, 4) == (ended.why, ended.looks)
    assert "refuse connections" in ended.reason


async def test_an_archive_that_another_run_works_in_is_waited_for(desk: Desk) -> None:
    """A timer's fetch and a watch do not end one another."""
    with desk.archive():
        ended = (await desk.watch()).ended
    assert WhyEnded.FAILED is ended.why
    assert "in use by pid" in ended.reason


class Growing(FakeReportSource):
    """A far side whose one file grows from look to look."""

    looks = 0

    async def list_reports(self) -> AsyncGenerator[ListedReport]:
        """Yield it, a little larger each time until the fourth."""
        Growing.looks += 1
        if Growing.looks < 4:
            self.site.put("TP010_20230414_1100.csv", b"x" * Growing.looks)
        async for one in super().list_reports():
            yield one


async def fetch(desk: Desk, archive: Archive) -> FetchResult:
    return await fetch_reports(
        desk.configured,
        archive,
        CATALOGUE,
        desk.clock,
        site=SiteRole.PRIMARY,
        business_date=DAY,
        observe=lambda _: None,
        sleep=desk.sleep,
    )


async def test_a_file_that_grows_between_two_looks_is_not_fetched(tmp_path: Path) -> None:
    """Looks a minute apart, where the manners say so; an earlier look counts as the first."""
    desk = Desk(tmp_path / "archive", Manners(attempts=1, look_apart_s=60))
    desk.make = Growing
    with desk.archive() as archive:
        first = await fetch(desk, archive)
        assert ["still-growing"] == [one.kind.value for one in first.findings]
        assert [60.0] == desk.slept
        second = await fetch(desk, archive)
        assert [1, 0] == [len(second.kept), len(second.findings)]
        assert [60.0, 60.0] == desk.slept
        desk.site.put("TP010_20230414_1500.csv", b"new")
        await fetch(desk, archive)
        assert 3 == len(desk.slept)


class Killed(BaseException):
    """The run ends here, whatever it was doing."""


class KilledBehindTheRename(FakeUploadSource):
    """The file is there under its name, and nobody hears of it."""

    async def upload(self, name: str, pieces: Iterable[bytes]) -> UploadEnd:
        await super().upload(name, pieces)
        raise Killed


async def test_a_file_that_a_killed_run_may_have_sent_is_said_to_be_perhaps_ours(
    desk: Desk,
) -> None:
    """Its receipt is lost with the run, and the server has the name: without a word of it somebody
    would take the file for another desk's."""
    file = desk.folder.with_name("LOP_20230414.csv")
    file.write_bytes(b"1,2\n")

    async def send(make: type[FakeUploadSource]) -> None:
        desk.make = make
        configured = evolve(desk.configured, upload=UploadSettings(r"LOP_\d{8}\.csv"))
        with desk.archive() as archive:
            await upload_report(
                configured,
                archive,
                desk.clock,
                file,
                site=SiteRole.PRIMARY,
                observe=lambda _: None,
            )

    with pytest.raises(Killed):
        await send(KilledBehindTheRename)
    for _ in range(2):
        with pytest.raises(Rejected, match="it may be ours: the run that began to send"):
            await send(FakeUploadSource)
    file.write_bytes(b"other")
    for _ in range(2):
        with pytest.raises(Rejected, match=r"nothing is overwritten$"):
            await send(FakeUploadSource)


async def test_a_file_is_sent_once_and_its_receipt_kept(desk: Desk) -> None:
    """Size and digest, the address, and the server's own word; a second one is refused."""
    desk.make = FakeUploadSource
    file = desk.folder.with_name("LOP_20230414.csv")
    file.write_bytes(b"1,2\n")
    configured = desk.configured
    object.__setattr__(configured, "upload", UploadSettings(r"LOP_\d{8}\.csv"))

    async def send(path: Path) -> None:
        with desk.archive() as archive:
            await upload_report(
                configured,
                archive,
                desk.clock,
                path,
                site=SiteRole.PRIMARY,
                observe=lambda _: None,
            )

    await send(file)
    assert b"1,2\n" == desk.site.reports["LOP_20230414.csv"].content
    with desk.archive() as archive:
        [receipt] = archive.receipts()
        assert () == archive.verify()
        assert [] == list(archive.recorded())
    assert ("LOP_20230414.csv", 4, 4) == (
        receipt["sent"],
        receipt["size_bytes"],
        receipt["server_size_bytes"],
    )
    with pytest.raises(Rejected, match="nothing is overwritten"):
        await send(file)
    other = file.with_name("other.csv")
    other.write_bytes(b"1")
    with pytest.raises(UsageError, match="none of the names"):
        await send(other)
