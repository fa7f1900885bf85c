"""A back office for a test: a configuration, an archive, and a far side that is a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from attrs import frozen

from hkex_ops.model import HONG_KONG
from tests.cli.program import Ended, Program

__all__ = ["CATALOGUE", "FRIDAY", "Desk"]

FRIDAY = "2023-04-14"
WRITTEN = datetime(2023, 4, 14, 19, 30, tzinfo=HONG_KONG)
CODES = ("TP001", "TP002", "CM001")

CATALOGUE = """\
[[reports]]
service = "RRS"
pattern = '(?P<house>[A-Z]+)_(?P<code>[A-Z]{2}[0-9]{3})_(?P<business_date>[0-9]{8})\\.csv'
date_form = "YYYYMMDD"
codes = ["TP001", "TP002", "CM001"]

[[ignore]]
pattern = 'README\\.txt'
reason = "a note"
"""


@frozen
class Desk:
    """A back office with an archive, and the far side's folder, which the test may change."""

    program: Program
    config: Path

    @property
    def home(self) -> Path:
        """Where everything of the desk lies."""
        return self.config.parent

    @property
    def exchange(self) -> Path:
        """The far side's folder."""
        return self.home / "exchange"

    @property
    def archive(self) -> Path:
        """Where the archive is."""
        return self.home / "archive"

    def publish(self, name: str, content: bytes = b"a,b\n1,2\n") -> None:
        """Let a file appear at the exchange, or replace one, with one and the same time."""
        path = self.exchange / name
        path.write_bytes(content)
        os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))

    def publish_day(self, day: str = FRIDAY) -> list[str]:
        """The reports of a business date."""
        names = [f"HKCC_{code}_{day.replace('-', '')}.csv" for code in CODES]
        for name in names:
            self.publish(name, f"{name}\n".encode() * 50)
        return sorted(names)

    def configure(
        self,
        *,
        options: Mapping[str, str] | None = None,
        source: str = 'adapter = "folder"\nservice = "RRS"\ndrill_reports = ["TP001", "TP002"]',
        archive: str = "archive",
        more: str = "",
    ) -> None:
        """Write the configuration anew."""
        filled = {"folder": "exchange", **(options or {})}
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in filled.items())
        self.config.write_text(
            f"{more}\n[archive]\nfolder = {json.dumps(archive)}\n[catalogue]\nfile = "
            f'"catalogue.toml"\n[report_sources.desk]\n{source}\n'
            f"[report_sources.desk.options]\n{lines}\n",
            encoding="utf-8",
        )

    def reports(self, verb: str, *arguments: str) -> Ended:
        """``hkex-ops reports VERB --json`` with this configuration, in this process."""
        return self.program.here("reports", verb, "--config", self.config, "--json", *arguments)

    def fetch(self, day: str = FRIDAY) -> Ended:
        """The fetch of a business date."""
        return self.reports("fetch", "--business-date", day)

    def kept(self) -> dict[str, bytes]:
        """The files of the archive by path below its folder of reports."""
        place = self.archive / "reports"
        return {
            path.relative_to(place).as_posix(): path.read_bytes()
            for path in sorted(place.rglob("*"))
            if path.is_file()
        }
