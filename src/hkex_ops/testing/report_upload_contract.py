"""The contract of ``SupportsUpload``: numbered clauses for a report source that can also send.

Inherit the class in a test module and give it a fixture ``bench``, a `ReportUploadBench`.
A clause states its prerequisite, its action and when it passes. Numbers are never reused.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from random import Random

import pytest

from hkex_ops.errors import Rejected, Unreachable
from hkex_ops.model import SiteRole
from hkex_ops.ports import SupportsUpload
from hkex_ops.testing.benches import ReportSourceBench

__all__ = ["ReportUploadBench", "ReportUploadContract"]

PRIMARY = SiteRole.PRIMARY
NAME = "LOP_20230414.csv"

# Nothing, one byte, a common block and its neighbours, several MiB.
SIZES = (0, 1, 32 * 1024 - 1, 32 * 1024 + 1, 3 * 1024 * 1024 + 17)
PIECE_BYTES = 200_000


class ReportUploadBench(ReportSourceBench):
    """A bench whose far side has a folder to send to."""

    @abstractmethod
    def options_that_send(self) -> object:
        """Options that log in and let files be sent."""

    @abstractmethod
    def sent(self, site: SiteRole) -> Mapping[str, bytes]:
        """Everything that lies in the folder sent to, unfinished files too."""

    @abstractmethod
    def put_sent(self, site: SiteRole, name: str, content: bytes) -> None:
        """Put a file into the folder sent to."""


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]


class ReportUploadContract:
    """Inherit and provide a fixture ``bench`` that yields a fresh `ReportUploadBench`."""

    pytestmark: pytest.MarkDecorator = pytest.mark.asyncio

    async def test_u01_sending_is_off_unless_the_options_turn_it_on(
        self, bench: ReportUploadBench
    ) -> None:
        """U1. Prerequisite: options without it. Action: open. Pass: the source cannot send."""
        async with bench.offer.open(bench.options(), PRIMARY) as source:
            assert not isinstance(source, SupportsUpload)

    @pytest.mark.parametrize("size", SIZES)
    async def test_u02_a_file_arrives_whole_under_its_name(
        self, bench: ReportUploadBench, size: int
    ) -> None:
        """U2. Prerequisite: room. Action: send. Pass: the bytes, the size told, nothing beside."""
        content = Random(size).randbytes(size)
        async with bench.offer.open(bench.options_that_send(), PRIMARY) as source:
            assert isinstance(source, SupportsUpload)
            end = await source.upload(NAME, _pieces(content))
        assert (NAME, size) == (end.name, end.size_bytes)
        assert {NAME: content} == bench.sent(PRIMARY)

    async def test_u03_nothing_is_overwritten(self, bench: ReportUploadBench) -> None:
        """U3. Prerequisite: the name is there. Action: send. Pass: `Rejected`, the old bytes."""
        bench.put_sent(PRIMARY, NAME, b"first")
        async with bench.offer.open(bench.options_that_send(), PRIMARY) as source:
            assert isinstance(source, SupportsUpload)
            with pytest.raises(Rejected):
                await source.upload(NAME, _pieces(b"second"))
        assert {NAME: b"first"} == bench.sent(PRIMARY)

    async def test_u04_what_fails_half_way_leaves_nothing(self, bench: ReportUploadBench) -> None:
        """U4. Prerequisite: pieces that fail. Action: send. Pass: their error, nothing there."""

        def failing() -> Iterator[bytes]:
            """One piece, and no more."""
            yield b"x" * PIECE_BYTES
            raise Unreachable("the disk went away")

        async with bench.offer.open(bench.options_that_send(), PRIMARY) as source:
            assert isinstance(source, SupportsUpload)
            with pytest.raises(Unreachable, match="the disk went away"):
                await source.upload(NAME, failing())
        assert {} == bench.sent(PRIMARY)

    async def test_u05_what_was_left_by_a_dead_sender_is_in_nobodys_way(
        self, bench: ReportUploadBench
    ) -> None:
        """U5. Prerequisite: U4 happened. Action: send again. Pass: as U2."""
        await self.test_u04_what_fails_half_way_leaves_nothing(bench)
        await self.test_u02_a_file_arrives_whole_under_its_name(bench, 1)
