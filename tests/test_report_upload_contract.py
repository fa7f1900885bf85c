"""The contract of sending passes what is right and fails what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pytest
from attrs import frozen

from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.ports import Offer, ReportSource, UploadEnd
from hkex_ops.testing import (
    FakeOptions,
    FakeReportSource,
    FakeReportSourceBench,
    FakeSite,
    FakeUploadSource,
    ReportUploadBench,
    ReportUploadContract,
    open_fake,
)


@frozen
class Sending(FakeOptions):
    """Options that turn sending on."""


class FakeUploadBench(FakeReportSourceBench, ReportUploadBench):
    """The bench of the fake, which sends into the folder that it reads."""

    sends: Callable[[FakeSite, Endpoint], ReportSource] = FakeUploadSource

    @property
    def offer(self) -> Offer[ReportSource]:
        def open_one(options: FakeOptions, site: SiteRole):  # type: ignore[no-untyped-def]
            make = type(self).sends if isinstance(options, Sending) else FakeReportSource
            return open_fake(options, site, make)

        return Offer("fake", FakeOptions, open_one)

    def options_that_send(self) -> FakeOptions:
        return Sending(self.sites)

    def sent(self, site: SiteRole) -> Mapping[str, bytes]:
        return {name: stored.content for name, stored in self.stored(site).items()}

    def put_sent(self, site: SiteRole, name: str, content: bytes) -> None:
        self.put(site, name, content)


class TestFakeUploadSource(ReportUploadContract):
    """The fake of the kit keeps the contract in every clause."""

    @pytest.fixture
    def bench(self) -> FakeUploadBench:
        return FakeUploadBench()


class Overwriting(FakeUploadSource):
    """Takes the place of what is there, and leaves half a file where sending fails."""

    async def upload(self, name: str, pieces: Iterable[bytes]) -> UploadEnd:
        self.site.put(name, b"")
        for piece in pieces:
            self.site.put(name, self.site.reports[name].content + piece)
        return UploadEnd(name, len(self.site.reports[name].content), None)


class OverwritingBench(FakeUploadBench):
    sends = Overwriting


async def test_an_adapter_that_overwrites_is_found() -> None:
    """By clause 3."""
    with pytest.raises(pytest.fail.Exception):
        await ReportUploadContract().test_u03_nothing_is_overwritten(OverwritingBench())


async def test_an_adapter_that_leaves_half_a_file_is_found() -> None:
    """By clause 4."""
    with pytest.raises(AssertionError):
        await ReportUploadContract().test_u04_what_fails_half_way_leaves_nothing(OverwritingBench())
