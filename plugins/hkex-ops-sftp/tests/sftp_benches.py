"""Two real SSH servers to hold the adapter to: asyncssh's own, in this process, and OpenSSH's sshd.

Both serve ordinary folders below a temporary one, so the back door is the file system; both sites
have two loopback addresses on one port, as the exchange's sites have. What a server saw is told by
the server: asyncssh's by its callbacks, sshd by its log and its child processes.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncssh
import pytest
from attrs import define, evolve, field, frozen

from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.ports import Offer, ReportSource
from hkex_ops.testing import ReportSourceBench, Stored
from hkex_ops_sftp import SftpAddress, SftpOptions, SftpSite, hkex_ops_report_sources

__all__ = ["AsyncsshBench", "Keys", "Record", "SshdBench", "free_port", "require_sshd"]

HOSTS = {
    SiteRole.PRIMARY: ("127.0.0.11", "127.0.0.12"),
    SiteRole.SECONDARY: ("127.0.0.21", "127.0.0.22"),
}

# Set where the servers must be there, so that a missing one fails instead of skipping.
REQUIRE_SERVERS = "HKEX_OPS_REQUIRE_SERVERS"

SSHD_START_TIMEOUT_S = 10
SSHD_START_INTERVAL_S = 0.005


def free_port(hosts: Iterable[str]) -> int:
    """A port that is free on every one of ``hosts`` just now."""
    hosts = list(hosts)
    while True:
        sockets = [socket.socket() for _ in hosts]
        try:
            sockets[0].bind((hosts[0], 0))
            port: int = sockets[0].getsockname()[1]
            for one, host in zip(sockets[1:], hosts[1:], strict=True):
                one.bind((host, port))
            return port
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()


@frozen
class Keys:
    """The key pairs of a test run; files under ``folder``."""

    folder: Path
    user: asyncssh.SSHKey
    hosts: Mapping[SiteRole, asyncssh.SSHKey]

    @classmethod
    def make(cls, folder: Path) -> Keys:
        """New keys: a user's that servers know, one they do not, and one for each site."""
        user, stranger = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        hosts = {site: asyncssh.generate_private_key("ssh-ed25519") for site in SiteRole}
        files = {"user": user, "stranger": stranger, **{str(site): hosts[site] for site in hosts}}
        for name, key in files.items():
            key.write_private_key(folder / name)
            (folder / name).chmod(0o600)
        user.write_public_key(folder / "authorized_keys")
        return cls(folder, user, hosts)

    @classmethod
    def read(cls, folder: Path) -> Keys:
        """Those that :meth:`make` left in ``folder``."""
        user = asyncssh.read_private_key(folder / "user")
        hosts = {site: asyncssh.read_private_key(folder / site) for site in SiteRole}
        return cls(folder, user, hosts)

    def file(self, name: str) -> Path:
        """The path of a private key."""
        return self.folder / name

    def line(self, site: SiteRole) -> str:
        """The public key line of a site's host key."""
        return self.hosts[site].export_public_key().decode().strip()

    def fingerprint(self, site: SiteRole) -> str:
        """The fingerprint of a site's host key."""
        return self.hosts[site].get_fingerprint()


class FolderBench(ReportSourceBench):
    """Sites whose folders lie on this machine's disk."""

    user: str

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.keys = keys
        self.port = free_port(host for hosts in HOSTS.values() for host in hosts)
        self.folders = {site: folder / site for site in SiteRole}
        for path in self.folders.values():
            path.mkdir()

    @abstractmethod
    def remote_folder(self) -> str:
        """The option ``folder``."""

    @property
    def offer(self) -> Offer[ReportSource]:
        (offer,) = hkex_ops_report_sources()
        return offer

    def options(self) -> SftpOptions:
        return SftpOptions(
            user=self.user,
            key_file=self.keys.file("user"),
            folder=self.remote_folder(),
            sites={
                site: SftpSite(
                    tuple(SftpAddress(host, self.port, (self.keys.line(site),)) for host in hosts)
                )
                for site, hosts in HOSTS.items()
            },
            login_timeout_s=5,
        )

    def options_with_unknown_key(self) -> SftpOptions:
        return evolve(self.options(), key_file=self.keys.file("stranger"))

    def options_with_other_host_key(self) -> SftpOptions:
        options = self.options()
        first, second = options.sites[SiteRole.PRIMARY].addresses
        wrong = evolve(first, host_keys=(self.keys.fingerprint(SiteRole.SECONDARY),))
        return evolve(options, sites={SiteRole.PRIMARY: SftpSite((wrong, second))})

    def endpoints(self, site: SiteRole) -> Sequence[Endpoint]:
        return [Endpoint(host, self.port, self.keys.fingerprint(site)) for host in HOSTS[site]]

    def put(self, site: SiteRole, name: str, content: bytes) -> None:
        (self.folders[site] / name).write_bytes(content)

    def remove(self, site: SiteRole, name: str) -> None:
        (self.folders[site] / name).unlink()

    def stored(self, site: SiteRole) -> Mapping[str, Stored]:
        return {
            path.name: Stored(
                path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime_ns // 10**9, UTC)
            )
            for path in self.folders[site].iterdir()
        }

    def put_folder(self, site: SiteRole, name: str) -> None:
        (self.folders[site] / name).mkdir()

    def put_link(self, site: SiteRole, name: str, target: str) -> None:
        (self.folders[site] / name).symlink_to(target)


# -- asyncssh -------------------------------------------------------------------------------------


@define
class Record:
    """What a site's servers saw."""

    logins_tried: int = 0
    connections: set[asyncssh.SSHServerConnection] = field(factory=set)
    logged_in: set[asyncssh.SSHServerConnection] = field(factory=set)
    refused_requests: list[str] = field(factory=list)


class RecordingServer(asyncssh.SSHServer):
    """Writes down who connects and who logs in."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connection = conn
        self.record.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self.record.connections.discard(self.connection)
        self.record.logged_in.discard(self.connection)

    def begin_auth(self, username: str) -> bool:
        self.record.logins_tried += 1
        return True

    def auth_completed(self) -> None:
        self.record.logged_in.add(self.connection)


class AsyncsshBench(FolderBench):
    """Asyncssh's SFTP server, in this process. ``serve_sftp`` may put a faulty one in its place."""

    user = "BU_C001"

    def __init__(
        self,
        folder: Path,
        keys: Keys,
        serve_sftp: type[asyncssh.SFTPServer] = asyncssh.SFTPServer,
    ) -> None:
        super().__init__(folder, keys)
        self.serve_sftp = serve_sftp
        self.records = {site: Record() for site in SiteRole}
        self.acceptors: dict[tuple[SiteRole, int], asyncssh.SSHAcceptor] = {}

    async def __aenter__(self) -> AsyncsshBench:
        for site, hosts in HOSTS.items():
            for number in range(1, len(hosts) + 1):
                await self.bring_up(site, number, [self.keys.hosts[site]])
        return self

    async def __aexit__(self, *_: object) -> None:
        for acceptor in self.acceptors.values():
            acceptor.close()
        for record in self.records.values():
            for connection in tuple(record.connections):
                connection.abort()

    def remote_folder(self) -> str:
        return "/"

    async def bring_up(
        self, site: SiteRole, address: int, host_keys: Sequence[asyncssh.SSHKey]
    ) -> None:
        """Listen on an address of a site with these host keys."""
        record, folder = self.records[site], os.fsencode(self.folders[site])

        def refuse(process: asyncssh.SSHServerProcess[str]) -> None:
            record.refused_requests.append(process.command or "shell")
            process.exit(1)

        self.acceptors[site, address] = await asyncssh.listen(
            HOSTS[site][address - 1],
            self.port,
            server_host_keys=list(host_keys),
            server_factory=lambda: RecordingServer(record),
            authorized_client_keys=str(self.keys.file("authorized_keys")),
            sftp_factory=lambda chan: self.serve_sftp(chan, chroot=folder),
            process_factory=refuse,
        )

    async def take_down(self, site: SiteRole, address: int) -> None:
        acceptor = self.acceptors.pop((site, address))
        acceptor.close()
        await acceptor.wait_closed()

    def sessions(self, site: SiteRole) -> int:
        return len(self.records[site].logged_in)

    def logins_tried(self, site: SiteRole) -> int:
        return self.records[site].logins_tried


# -- OpenSSH --------------------------------------------------------------------------------------


def require_sshd() -> str:
    """The path of sshd; without one the test skips, or fails where servers are required."""
    path = shutil.which("sshd", path=os.pathsep.join(["/usr/sbin", "/usr/local/sbin", "/sbin"]))
    if path is not None:
        return path
    reason = "there is no sshd on this machine: install openssh-server"
    if os.environ.get(REQUIRE_SERVERS) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@frozen
class Sshd:
    """One sshd process on one address."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, path: str, folder: Path, settings: Iterable[str]) -> Sshd:
        """Start in the foreground; the caller waits until it listens and ends it."""
        folder.mkdir()
        config, log = folder / "sshd_config", folder / "log"
        config.write_text("\n".join(settings) + "\n")
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [path, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
        return cls(process, log)

    async def listening(self) -> None:
        """Wait until it listens."""
        async with asyncio.timeout(SSHD_START_TIMEOUT_S):
            while "Server listening on" not in self.log.read_text():
                assert self.process.poll() is None, f"sshd ended: {self.log.read_text()}"
                await asyncio.sleep(SSHD_START_INTERVAL_S)

    def children(self) -> list[int]:
        """The processes that serve its connections."""
        listing = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in listing.read_text().split()] if listing.exists() else []

    def stop(self) -> None:
        """End it; sessions that stand go on, as in life."""
        self.process.terminate()
        self.process.wait()


class SshdBench(FolderBench):
    """OpenSSH's sshd with its internal SFTP server, one process for each address."""

    user = pwd.getpwuid(os.getuid()).pw_name

    def __init__(self, folder: Path, keys: Keys, sshd: str) -> None:
        super().__init__(folder, keys)
        if os.geteuid() == 0:
            # The privilege separation folder that a service manager would have made.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.servers = {
            (site, number): Sshd.start(
                sshd, folder / f"{site}-{number}", self._settings(site, host)
            )
            for site, hosts in HOSTS.items()
            for number, host in enumerate(hosts, start=1)
        }

    async def __aenter__(self) -> SshdBench:
        await asyncio.gather(*(server.listening() for server in self.servers.values()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self.servers.values():
            if server.process.poll() is None:
                server.stop()

    def _settings(self, site: SiteRole, host: str) -> list[str]:
        return [
            f"ListenAddress {host}:{self.port}",
            f"HostKey {self.keys.file(site)}",
            f"AuthorizedKeysFile {self.keys.file('authorized_keys')}",
            # The folder of a test is not as guarded as a home folder must be.
            "StrictModes no",
            "UsePAM no",
            "UseDNS no",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PidFile none",
            # The level at which sshd writes down every user name it is told.
            "LogLevel DEBUG1",
            # One subsystem name cannot say which site's folder: the command's start folder does.
            f"Subsystem sftp internal-sftp -d {self.folders[site]}",
        ]

    def remote_folder(self) -> str:
        return "."

    async def take_down(self, site: SiteRole, address: int) -> None:
        self.servers[site, address].stop()

    def sessions(self, site: SiteRole) -> int:
        if not Path("/proc/self/task").exists():
            pytest.skip("only Linux shows the processes that serve sshd's sessions")
        return sum(len(server.children()) for server in self._servers(site))

    def logins_tried(self, site: SiteRole) -> int:
        logs = (server.log.read_text() for server in self._servers(site))
        return sum(log.count("userauth-request for user") for log in logs)

    def _servers(self, site: SiteRole) -> list[Sshd]:
        return [server for (role, _), server in self.servers.items() if role is site]
