"""Reports that arrive, and limits of the machine to meet while they do."""

from __future__ import annotations

import os
import resource
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from hkex_ops import HONG_KONG
from hkex_ops.flows.store import Archive, Arrival, Placed
from hkex_ops.model import Endpoint, ListedReport, Listing, ReportIdentity, SiteRole

__all__ = [
    "FRIDAY",
    "SERVICE",
    "arrival",
    "below_limit",
    "listing",
    "place",
    "powerless",
    "reports_of",
    "seen",
]

SERVICE = "simulated-rrs"
FRIDAY = date(2023, 4, 14)
MODIFIED = datetime(2023, 4, 14, 20, 15, tzinfo=HONG_KONG)
FETCHED = datetime(2023, 4, 14, 21, 0, tzinfo=HONG_KONG)
ENDPOINT = Endpoint("127.0.121.1", 10022, "SHA256:3xample")
NOBODY = 65534


def seen(name: str, content: bytes, modified: datetime | None = MODIFIED) -> ListedReport:
    """A report as the server lists it."""
    return ListedReport(name, len(content), modified)


def arrival(
    archive: Archive,
    name: str,
    content: bytes,
    *,
    modified: datetime | None = MODIFIED,
    day: date = FRIDAY,
    service: str = SERVICE,
) -> Arrival:
    """A complete transfer of a report, in two chunks."""
    listed = seen(name, content, modified)
    file = archive.stage(listed)
    file.write(content[: len(content) // 2])
    file.write(content[len(content) // 2 :])
    identity = ReportIdentity(service, "HKCC", name[:5], day, session="T")
    return Arrival(file, listed, identity, SiteRole.PRIMARY, ENDPOINT)


def place(
    archive: Archive,
    name: str,
    content: bytes,
    *,
    modified: datetime | None = MODIFIED,
    day: date = FRIDAY,
) -> Placed:
    """Place one report."""
    [placed] = archive.place([arrival(archive, name, content, modified=modified, day=day)], FETCHED)
    return placed


def listing(
    *reports: ListedReport,
    at: datetime = FETCHED,
    day: date = FRIDAY,
    site: SiteRole = SiteRole.PRIMARY,
) -> Listing:
    """A snapshot of the server's folder."""
    return Listing(SERVICE, site, ENDPOINT, at, day, reports)


def reports_of(folder: Path) -> dict[str, bytes]:
    """Every file under its final name, with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted((folder / "reports").rglob("*"))
        if path.is_file()
    }


@contextmanager
def below_limit(size_bytes: int) -> Generator[None]:
    """No file of this process may grow beyond ``size_bytes``: a write fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def powerless(folder: Path, mode: int) -> Generator[None]:
    """``folder`` has ``mode``, and this process no power to pass over it."""
    before = folder.stat().st_mode
    folder.chmod(mode)
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(was)
        folder.chmod(before)
