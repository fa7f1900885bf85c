"""One address of a simulated site: its listening socket and the connections that came in by it.

Behind a door stands asyncssh's server, cut down to what the service is: a user with a public key
gets SFTP on a read-only folder, and no shell, command, other subsystem, terminal, agent, or
forwarding of any kind; each such request is refused and booked. Knows nothing of other doors:
:mod:`hkex_ops_simulator.server` opens and closes them.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Literal, cast

import asyncssh
from asyncssh.stream import SSHServerStreamSession
from attrs import frozen

from hkex_ops.errors import ConfigError
from hkex_ops.model import SiteRole
from hkex_ops_simulator.folder import ReportFolder
from hkex_ops_simulator.sftp import ReadOnlySftp, Refuse
from hkex_ops_simulator.visitors import Login, RefusedRequest, Visitors

__all__ = ["SETTLING_TURNS", "Door", "Welcome", "listening_socket"]

# Connections that may wait to be accepted; more than a rehearsal or a test ever opens at once.
BACKLOG = 100

# A connection that was taken just before a door closed is made in the next turns of the event loop.
SETTLING_TURNS = 4

# The SFTP version that OpenSSH speaks, and so every client.
SFTP_VERSION = 3


@frozen
class Welcome:
    """What the doors of a site share: whom they let in, their proof of identity, what they show."""

    site: SiteRole
    user: str
    client_key: bytes
    host_key: asyncssh.SSHKey
    folder: ReportFolder
    visitors: Visitors


class Door:
    """An address of a site; open or closed."""

    def __init__(self, host: str, welcome: Welcome) -> None:
        self.host = host
        self.welcome = welcome
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self._acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._acceptor is not None

    async def open(self, listening: socket.socket) -> None:
        """Serve on a socket of :func:`listening_socket`."""
        self._acceptor = await asyncssh.listen(
            sock=listening,
            backlog=BACKLOG,
            config=None,
            server_factory=lambda: _Doorkeeper(self),
            server_host_keys=[self.welcome.host_key],
            encoding=None,
            line_editor=False,
            allow_pty=False,
            agent_forwarding=False,
            x11_forwarding=False,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
        )

    async def close(self) -> None:
        """Stop listening and cut every connection, as a machine that goes down does."""
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.close()
        cut: set[asyncssh.SSHServerConnection] = set()
        for _ in range(SETTLING_TURNS):
            for connection in self.connections - cut:
                connection.abort()
                cut.add(connection)
            await asyncio.sleep(0)
        await asyncio.gather(*(connection.wait_closed() for connection in cut))
        if acceptor is not None:
            await acceptor.wait_closed()


class _Doorkeeper(asyncssh.SSHServer):
    """Answers for one connection: who may come in, and for what."""

    _connection: asyncssh.SSHServerConnection

    def __init__(self, door: Door) -> None:
        self._door = door
        self._welcome = door.welcome
        self._login: Login | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._door.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.connections.discard(self._connection)
        if self._login is not None:
            self._welcome.visitors.left()

    def begin_auth(self, username: str) -> bool:
        return True  # nobody comes in without proving a key

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        known = (self._welcome.user, self._welcome.client_key)
        return (username, key.public_data) == known

    def auth_completed(self) -> None:
        self._login = Login(self._welcome.site, self._door.host, self._welcome.user)
        self._welcome.visitors.came(self._login)

    def session_requested(self) -> _SftpOnly:
        return _SftpOnly(self._welcome.folder, self._refuse)

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> Literal[False]:
        return self._refuse_forward(f"to {dest_host} port {dest_port}")

    def server_requested(self, listen_host: str, listen_port: int) -> Literal[False]:
        return self._refuse_forward(f"from {listen_host} port {listen_port}")

    def unix_connection_requested(self, dest_path: str) -> Literal[False]:
        return self._refuse_forward(f"to {dest_path}")

    def unix_server_requested(self, listen_path: str) -> Literal[False]:
        return self._refuse_forward(f"from {listen_path}")

    def tun_requested(self, unit: int | None) -> Literal[False]:
        return self._refuse_forward("tun")

    def tap_requested(self, unit: int | None) -> Literal[False]:
        return self._refuse_forward("tap")

    def _refuse_forward(self, detail: str) -> Literal[False]:
        self._refuse("forward", detail)
        return False

    def _refuse(self, kind: str, detail: str) -> None:
        site, host, user = self._welcome.site, self._door.host, self._welcome.user
        self._welcome.visitors.refused.append(RefusedRequest(site, host, user, kind, detail))


class _SftpOnly(SSHServerStreamSession[bytes]):
    """A session channel on which only the SFTP subsystem starts."""

    def __init__(self, folder: ReportFolder, refuse: Refuse) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - asyncssh leaves it open
            None,
            lambda channel: ReadOnlySftp(
                cast("asyncssh.SSHServerChannel[bytes]", channel), folder, refuse
            ),
            SFTP_VERSION,
        )
        self._refuse = refuse

    def shell_requested(self) -> bool:
        self._refuse("shell", "")
        return False

    def exec_requested(self, command: str) -> bool:
        self._refuse("exec", command)
        return False

    def subsystem_requested(self, subsystem: str) -> bool:
        if subsystem == "sftp":
            return True
        self._refuse("subsystem", subsystem)
        return False


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens at a loopback address; port 0 takes any free one.

    Raises `OSError` with ``EADDRINUSE`` when somebody has the port, and `ConfigError` where the
    machine cannot listen there at all.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise
        if error.errno == errno.EADDRNOTAVAIL:
            raise ConfigError(
                f"this machine has no loopback address {host}: the simulator needs all of "
                "127.0.0.0/8 on loopback, as Linux has it; elsewhere add this address to the "
                "loopback interface"
            ) from error
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(f"the simulator cannot listen at {host}:{port}: {reason}") from error
    return listening
