"""Sending over SFTP: off unless a folder is named, whole or not at all, nothing overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from sftp_benches import AsyncsshBench

from hkex_ops.errors import Rejected, Unreachable
from hkex_ops.model import SiteRole
from hkex_ops.ports import SupportsUpload
from hkex_ops_sftp.opening import open_sftp
from hkex_ops_sftp.options import SftpOptions

NAME = "LOP_20230414.csv"


def sending(server: AsyncsshBench) -> SftpOptions:
    return evolve(server.options(), upload_folder="lop")


def lop(server: AsyncsshBench) -> Path:
    folder = server.folders[SiteRole.PRIMARY] / "lop"
    folder.mkdir(exist_ok=True)
    return folder


def content() -> Iterator[bytes]:
    yield from (b"a" * 40_000, b"", b"b" * 70_000)


async def test_nothing_can_be_sent_unless_a_folder_is_named(server: AsyncsshBench) -> None:
    """The opened source has no such ability."""
    async with open_sftp(server.options(), SiteRole.PRIMARY) as source:
        assert not isinstance(source, SupportsUpload)


async def test_a_file_appears_whole_under_its_name(server: AsyncsshBench) -> None:
    """And nothing else is left in the folder."""
    folder = lop(server)
    async with open_sftp(sending(server), SiteRole.PRIMARY) as source:
        assert isinstance(source, SupportsUpload)
        end = await source.upload(NAME, content())
    assert (NAME, 110_000) == (end.name, end.size_bytes)
    assert {NAME: b"".join(content())} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


async def test_what_is_there_is_never_overwritten(server: AsyncsshBench) -> None:
    """A second file of the name is refused, and the first is as it was."""
    folder = lop(server)
    (folder / NAME).write_bytes(b"first")
    async with open_sftp(sending(server), SiteRole.PRIMARY) as source:
        assert isinstance(source, SupportsUpload)
        with pytest.raises(Rejected, match="nothing is overwritten"):
            await source.upload(NAME, content())
    assert [b"first"] == [path.read_bytes() for path in folder.iterdir()]


async def test_a_file_that_fails_half_way_leaves_nothing(server: AsyncsshBench) -> None:
    """The disk that it is read from fails after the first piece."""
    folder = lop(server)

    def failing() -> Iterator[bytes]:
        yield b"first"
        raise Unreachable("gone")

    async with open_sftp(sending(server), SiteRole.PRIMARY) as source:
        assert isinstance(source, SupportsUpload)
        with pytest.raises(Unreachable):
            await source.upload(NAME, failing())
    assert [] == list(folder.iterdir())


async def test_a_name_that_leads_elsewhere_is_refused(server: AsyncsshBench) -> None:
    """Before anything is asked of the server."""
    async with open_sftp(sending(server), SiteRole.PRIMARY) as source:
        assert isinstance(source, SupportsUpload)
        with pytest.raises(Rejected, match="leads out of the folder"):
            await source.upload("../LOP.csv", content())
