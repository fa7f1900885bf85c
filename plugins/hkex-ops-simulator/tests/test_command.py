"""The plug-in, the configuration it writes, and the ``simulator`` command as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO

import pytest
from cyclopts import App

from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.model import SiteRole
from hkex_ops.plugins import Plugins
from hkex_ops_simulator.cli import simulator
from hkex_ops_simulator.configuration import (
    catalogue_text,
    configuration_text,
    write_configuration,
)
from hkex_ops_simulator.server import SimulatedExchange

ENDS_WITHIN_S = 5


@contextmanager
def running(
    folder: Path, *, as_json: bool = False, days: Sequence[str] = ("2023-04-13", "2023-04-14")
) -> Generator[tuple[subprocess.Popen[str], IO[str]], None, None]:
    """The command as a process, up to its first line of output."""
    code = (
        "import sys; from datetime import date; from pathlib import Path\n"
        "from hkex_ops_simulator.cli import simulator\n"
        "days = tuple(map(date.fromisoformat, sys.argv[2:]))\n"
        f"simulator(folder=Path(sys.argv[1]), business_date=days, as_json={as_json})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder), *days],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


class TestPlugin:
    def test_it_offers_both_commands(self) -> None:
        offered = Plugins.load().commands()
        assert "hkex_ops_simulator.cli:app" == offered["simulator"].target
        assert "hkex_ops_simulator.rehearse:rehearse" == offered["rehearse"].target

    def test_importing_it_loads_no_ssh_library(self) -> None:
        code = (
            "import sys, hkex_ops_simulator; "
            "print(sorted({'asyncssh', 'cyclopts'} & {*sys.modules}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert "[]\n" == done.stdout


class TestConfiguration:
    async def test_it_points_at_the_exchange(self, exchange: SimulatedExchange) -> None:
        table = tomllib.loads(
            configuration_text(exchange, archive="archive", site=SiteRole.SECONDARY)
        )
        sites = {
            site.role.value: {
                "addresses": [
                    {"host": each.host, "port": each.port, "host_keys": list(site.host_keys)}
                    for each in site.addresses
                ]
            }
            for site in exchange.sites.values()
        }
        assert {
            "archive": {"folder": "archive"},
            "catalogue": {"file": "catalogue.toml"},
            "report_sources": {
                "rrs": {
                    "adapter": "sftp",
                    "service": "RRS",
                    "site": "secondary",
                    "drill_reports": ["TP001", "TP002"],
                    "options": {
                        "user": exchange.user,
                        "key_file": str(exchange.key_file),
                        "folder": "reports",
                        "sites": sites,
                    },
                }
            },
        } == table

    async def test_a_strange_path_is_written_as_it_is(self, exchange: SimulatedExchange) -> None:
        strange = 'a "b" \\ c\x7f\u96c6\U0001f4c4'
        table = tomllib.loads(configuration_text(exchange, archive=strange))
        assert strange == table["archive"]["folder"]

    async def test_it_is_written_beside_its_catalogue_and_never_twice(
        self, exchange: SimulatedExchange, tmp_path: Path
    ) -> None:
        written = write_configuration(exchange, tmp_path)
        assert tmp_path / "config.toml" == written
        assert configuration_text(exchange, archive="archive") == written.read_text("utf-8")
        assert catalogue_text() == (tmp_path / "catalogue.toml").read_text("utf-8")
        with pytest.raises(StoreError, match="overwrites nothing"):
            write_configuration(exchange, tmp_path)


class TestCommand:
    def test_it_names_only_the_dates_whose_reports_stay(self, tmp_path: Path) -> None:
        days = [f"2023-04-{day}" for day in (24, 18, 19, 20, 21, 17)]
        with running(tmp_path, as_json=True, days=days) as (_, stdout):
            document = json.loads(stdout.readline())
        assert sorted(days)[1:] == document["business_dates"]

    @pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
    def test_it_serves_until_it_is_told_to_end_and_leaves_its_folder_only(
        self, tmp_path: Path, end: signal.Signals
    ) -> None:
        folder = tmp_path / "new" / "try-out"
        with running(folder, as_json=True) as (process, stdout):
            document = json.loads(stdout.readline())
            address = document["sites"]["secondary"]["addresses"][1]
            with socket.create_connection((address["host"], address["port"])) as connection:
                assert b"SSH-2.0-" == connection.recv(8)
            process.send_signal(end)
            rest, errors = process.communicate(timeout=ENDS_WITHIN_S)
        assert (0, "", "") == (process.returncode, rest, errors)
        assert ["catalogue.toml", "client_key", "config.toml"] == sorted(
            each.name for each in folder.iterdir()
        )
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address["host"], address["port"]))

    def test_its_options_are_written_as_its_help_says(self, tmp_path: Path) -> None:
        line = (
            "--folder F --port 10022 --business-date 2023-04-17 --business-date 2023-04-18 --json"
        )
        command, bound, _ = App(default_command=simulator).parse_args(line)
        assert simulator is command
        assert {
            "folder": Path("F"),
            "port": 10022,
            "business_date": (date(2023, 4, 17), date(2023, 4, 18)),
            "as_json": True,
        } == bound.arguments

    def test_its_document_says_where_everything_is(self, tmp_path: Path) -> None:
        with running(tmp_path, as_json=True) as (_, stdout):
            document = json.loads(stdout.readline())
        configuration = tomllib.loads((tmp_path / "config.toml").read_text("utf-8"))
        options = configuration["report_sources"]["rrs"]["options"]
        assert str(tmp_path / "config.toml") == document["config"]
        assert str(tmp_path / "client_key") == document["key_file"] == options["key_file"]
        assert ["2023-04-13", "2023-04-14"] == document["business_dates"]
        for role, site in document["sites"].items():
            assert [(each["host"], each["port"]) for each in site["addresses"]] == [
                (each["host"], each["port"]) for each in options["sites"][role]["addresses"]
            ]
        assert "10.151.14.121" == document["sites"]["primary"]["addresses"][0]["stands_in_for"]

    def test_it_says_what_to_try(self, tmp_path: Path) -> None:
        folder = tmp_path / "with space"
        with running(folder) as (_, stdout):
            lines = [stdout.readline() for _ in range(8)]
        assert f"  hkex-ops reports list --config '{folder}/config.toml'\n" in lines
        config = f"--config '{folder}/config.toml'"
        assert f"  hkex-ops reports fetch {config} --business-date 2023-04-14\n" in lines
        assert "Ctrl-C ends it.\n" == lines[-1]

    def test_a_folder_that_holds_a_configuration_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").write_text("mine")
        with pytest.raises(ConfigError, match=r"holds a config\.toml already"):
            simulator(folder=tmp_path)
        assert "mine" == (tmp_path / "config.toml").read_text()

    def test_a_date_without_business_is_refused(self, tmp_path: Path) -> None:
        """No command would fetch what the box published for it."""
        with pytest.raises(UsageError, match=r"2023-04-15 is no business day \(Saturday\)"):
            simulator(folder=tmp_path / "box", business_date=(date(2023, 4, 15),))
        assert not (tmp_path / "box").exists()

    def test_a_folder_that_is_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        with pytest.raises(StoreError, match="is a file, and the simulator needs a folder"):
            simulator(folder=tmp_path / "file")
