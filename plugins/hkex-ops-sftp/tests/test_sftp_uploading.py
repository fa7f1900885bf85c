"""Sending over SFTP keeps its contract on two servers of different make."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import pytest
from attrs import evolve
from sftp_benches import AsyncsshBench, FolderBench, Keys, SshdBench, require_sshd

from hkex_ops.cli.main import run
from hkex_ops.errors import Rejected
from hkex_ops.model import SiteRole
from hkex_ops.ports import SupportsUpload
from hkex_ops.testing import ReportUploadBench, ReportUploadContract
from hkex_ops_sftp.opening import open_sftp
from hkex_ops_sftp.options import SftpOptions


class _Sending(FolderBench, ReportUploadBench):
    """Any bench on this machine's disk, and a folder to send to."""

    def options_that_send(self) -> SftpOptions:
        self._folder(SiteRole.PRIMARY)
        return evolve(self.options(), upload_folder="lop")

    def sent(self, site: SiteRole) -> Mapping[str, bytes]:
        return {path.name: path.read_bytes() for path in self._folder(site).iterdir()}

    def put_sent(self, site: SiteRole, name: str, content: bytes) -> None:
        (self._folder(site) / name).write_bytes(content)

    def _folder(self, site: SiteRole) -> Path:
        folder = self.folders[site] / "lop"
        folder.mkdir(exist_ok=True)
        return folder


class SendingAsyncssh(AsyncsshBench, _Sending):
    """Asyncssh's own server."""


class SendingSshd(SshdBench, _Sending):
    """OpenSSH's sshd."""


class TestOnAsyncssh(ReportUploadContract):
    """Against asyncssh's own SFTP server."""

    @pytest.fixture
    async def bench(self, tmp_path: Path, keys: Keys) -> AsyncGenerator[SendingAsyncssh]:
        async with SendingAsyncssh(tmp_path, keys) as bench:
            yield bench


class TestOnOpenSsh(ReportUploadContract):
    """Against OpenSSH's sshd."""

    @pytest.fixture
    async def bench(self, tmp_path: Path, keys: Keys) -> AsyncGenerator[SendingSshd]:
        async with SendingSshd(tmp_path, keys, require_sshd()) as bench:
            yield bench


async def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, keys: Keys) -> None:
    """Before anything is asked of the server."""
    async with (
        SendingAsyncssh(tmp_path, keys) as bench,
        open_sftp(bench.options_that_send(), SiteRole.PRIMARY) as source,
    ):
        assert isinstance(source, SupportsUpload)
        with pytest.raises(Rejected, match="leads out of the folder"):
            await source.upload("../LOP.csv", iter([b"1"]))


async def test_what_a_killed_run_left_half_sent_hinders_no_later_one(
    tmp_path: Path, keys: Keys
) -> None:
    """It bears a temporary name, which the next run frees."""
    async with SendingAsyncssh(tmp_path, keys) as bench:
        bench.put_sent(SiteRole.PRIMARY, ".LOP.csv.part", b"hal")
        async with open_sftp(bench.options_that_send(), SiteRole.PRIMARY) as source:
            assert isinstance(source, SupportsUpload)
            end = await source.upload("LOP.csv", iter([b"whole"]))
        assert ("LOP.csv", 5) == (end.name, end.size_bytes)
        assert {"LOP.csv": b"whole"} == bench.sent(SiteRole.PRIMARY)


def test_without_a_folder_to_send_to_nobody_logs_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator is told what to set, and with it the login is tried."""
    key = tmp_path / "key"
    config = tmp_path / "config.toml"
    text = f"""
[archive]
folder = "archive"
[catalogue]
file = "catalogue.toml"
[report_sources.rrs]
adapter = "sftp"
service = "RRS"
upload.names = 'LOP.csv'
[report_sources.rrs.options]
user = "desk"
key_file = "{key}"
[report_sources.rrs.options.sites.primary]
addresses = [{{ host = "127.0.0.1", port = 1, host_keys = ["SHA256:{"A" * 43}"] }}]
"""
    config.write_text(text)
    (tmp_path / "catalogue.toml").write_text("")
    (tmp_path / "LOP.csv").write_text("1")
    command = ["reports", "upload", str(tmp_path / "LOP.csv"), "--config", str(config)]
    assert 6 == run(command)
    told = "report source rrs cannot send files: set upload_folder in its options"
    assert told in capsys.readouterr().err
    assert not (tmp_path / "archive").exists()
    config.write_text(text.replace("user =", 'upload_folder = "lop"\nuser ='))
    assert 6 == run(command)
    assert str(key) in capsys.readouterr().err, "the key is looked for, so a login was begun"
