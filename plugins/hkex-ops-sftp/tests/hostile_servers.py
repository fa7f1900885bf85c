"""Servers that do what no server should, each named after it, behind a real SSH login.

The SFTP they speak is :mod:`memory_server`'s, so that a fault can be at any byte. All content is
SYNTHETIC.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
from attrs import define, field, frozen
from memory_server import MemoryServer, Request, status
from sftp_benches import HOSTS, Keys, free_port

from hkex_ops import ManualClock
from hkex_ops.config.report_sources import Manners
from hkex_ops.errors import HkexOpsError
from hkex_ops.flows.fetch import FetchResult, fetch_reports
from hkex_ops.flows.sources import ConfiguredSource
from hkex_ops.flows.store import Archive
from hkex_ops.model import SiteRole
from hkex_ops.reports import Catalogue, ReportRule
from hkex_ops.reports.dates import DateForm
from hkex_ops.reports.events import ReportEvent
from hkex_ops.reports.grammar import NameCase
from hkex_ops_sftp import SftpAddress, SftpOptions, SftpSite, hkex_ops_report_sources

__all__ = ["Desk", "ErrsEveryThird", "Hostile", "Line", "served"]

PRIMARY = SiteRole.PRIMARY
CATALOGUE = Catalogue(
    (
        ReportRule(
            "rrs",
            r"(?is:.*)(?P<code>TP[0-9]{3})_(?P<business_date>[0-9]{8})(?is:.*)",
            DateForm.YYYYMMDD,
            tuple(f"TP{number:03}" for number in range(1000)),
            "HKCC",
            case=NameCase.ANY,
        ),
    )
)


@define
class Line:
    """What becomes of the bytes that a server answers with.

    ``stalls_at`` and ``hangs_up_at`` count bytes of all that was answered; ``byte_s`` seconds pass
    for each byte.
    """

    stalls_at: int | None = None
    hangs_up_at: int | None = None
    byte_s: float = 0.0
    said: int = 0

    async def say(self, channel: asyncssh.SSHServerChannel[bytes], answer: bytes) -> bool:
        """Send what goes through; whether the line stands."""
        end = self.said + len(answer)
        for limit, hangs_up in ((self.stalls_at, False), (self.hangs_up_at, True)):
            if limit is not None and end > limit:
                channel.write(answer[: max(0, limit - self.said)])
                if hangs_up:
                    channel.get_connection().abort()
                return False
        self.said = end
        for at in range(0, len(answer), 1 if self.byte_s else max(1, len(answer))):
            channel.write(answer[at : at + 1] if self.byte_s else answer)
            if self.byte_s:
                await asyncio.sleep(self.byte_s)
        return True


class Session(asyncssh.SSHServerSession[bytes]):
    """One SFTP session of a server, on one line."""

    def __init__(self, hostile: Hostile, server: MemoryServer, line: Line, most: int) -> None:
        self._hostile, self._server, self._line, self._most = hostile, server, line, most
        self._sent: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._stalls = False

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        if subsystem != "sftp" or len(self._hostile.sessions) >= self._most:
            return False
        address = self._channel.get_connection().get_extra_info("sockname")[0]
        self._hostile.sessions.append(address)
        self._server.begin()
        self._task = asyncio.create_task(self._serve())
        return True

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._sent.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        try:
            while sent := await self._sent.get():
                if not await self._line.say(self._channel, self._server.take(sent)):
                    return
        except (asyncssh.Error, OSError):
            return


@define
class ErrsEveryThird(MemoryServer):
    """Refuses every third request."""

    count: int = 0

    def answer(self, request: Request, turn: list[Request]) -> bytes:
        self.count += request.kind not in (1, 4)
        if request.kind not in (1, 4) and self.count % 3 == 0:
            return status(request.number, 4, b"internal error")
        return MemoryServer.answer(self, request, turn)


@frozen
class Hostile:
    """A server of one site's first address that is up."""

    port: int
    keys: Keys
    sessions: list[str]

    def options(self, **more: object) -> SftpOptions:
        """Options that reach it."""
        return SftpOptions(
            user="BU_C001",
            key_file=self.keys.file("user"),
            folder="out",
            sites={
                "primary": SftpSite(
                    tuple(
                        SftpAddress(host, self.port, (self.keys.line(PRIMARY),))
                        for host in HOSTS[PRIMARY]
                    )
                )
            },
            login_timeout_s=5,
            inactivity_timeout_s=1,
            **more,  # type: ignore[arg-type]
        )


@asynccontextmanager
async def served(
    keys: Keys,
    server: MemoryServer,
    line: Callable[[], Line] = Line,
    *,
    most_sessions: int = 100,
    second_host_key: str = "primary",
    is_first_down: bool = False,
) -> AsyncGenerator[Hostile]:
    """``server`` behind SSH at both addresses of the primary site; each session has its line."""
    port = free_port(HOSTS[PRIMARY])
    hostile = Hostile(port, keys, [])

    class Server(asyncssh.SSHServer):
        def session_requested(self) -> Session:
            return Session(hostile, server, line(), most_sessions)

    acceptors = [
        await asyncssh.listen(
            host,
            port,
            server_host_keys=[str(keys.file(key))],
            authorized_client_keys=str(keys.file("authorized_keys")),
            server_factory=Server,
            encoding=None,
        )
        for host, key in zip(HOSTS[PRIMARY], ("primary", second_host_key), strict=True)
    ]
    if is_first_down:
        acceptors[0].close()
    try:
        yield hostile
    finally:
        for acceptor in acceptors:
            acceptor.close()
            await acceptor.wait_closed()


@define
class Desk:
    """A desk that fetches one business date into an archive, and what it was told."""

    folder: Path
    clock: ManualClock
    attempts: int = 1
    events: list[ReportEvent] = field(factory=list)
    failure: HkexOpsError | None = None
    result: FetchResult | None = None

    async def fetch(self, options: SftpOptions) -> None:
        """One run, however it ends."""
        offer = next(iter(hkex_ops_report_sources()))
        manners = Manners(attempts=self.attempts, wait_s=0.0)
        source = ConfiguredSource("rrs", "rrs", PRIMARY, (), offer, options, manners)
        day = self.clock.now().date()
        self.failure = self.result = None
        with Archive.open(self.folder, clock=self.clock) as archive:
            try:
                self.result = await fetch_reports(
                    source,
                    archive,
                    CATALOGUE,
                    self.clock,
                    site=PRIMARY,
                    business_date=day,
                    observe=self.events.append,
                    sleep=_at_once,
                )
            except HkexOpsError as error:
                self.failure = error

    def kept(self) -> dict[str, bytes]:
        """Every file of the archive by name; it must verify, and nothing unfinished may be left."""
        with Archive.open(self.folder, clock=self.clock, read_only=True) as archive:
            assert () == archive.verify(deep=True)
            rows = list(archive.recorded())
        staging = [path for path in self.folder.rglob("*") if path.name.endswith(".part")]
        assert [] == staging
        return {row.path.rpartition("/")[2]: (self.folder / row.path).read_bytes() for row in rows}

    def found(self) -> dict[str, str]:
        """Findings of the last run: name, and what kind."""
        assert self.result is not None, self.failure
        return {one.name: one.kind.value for one in self.result.findings}


async def _at_once(_: float) -> None:
    """A pause that nobody waits for."""
