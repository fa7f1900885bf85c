"""Real nats-servers on loopback, JetStream in a folder of the test: started, killed, frozen.

They know three users: ``engine`` publishes and makes the stream, ``reader`` listens, ``door`` is
the back door of the tests. What a server saw is told by its own monitoring page.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from urllib.request import urlopen

import nats
import pytest
from nats.aio.client import Client

__all__ = ["PASSWORDS", "Nats", "free_port", "require_nats_server"]

# Set where the servers must be there, so that a missing one fails instead of skipping.
REQUIRE_SERVERS = "HKEX_OPS_REQUIRE_SERVERS"

START_TIMEOUT_S = 20
START_INTERVAL_S = 0.01

RELOADED = "Reloaded server configuration"

PASSWORDS = {"engine": "engine-password", "reader": "reader-password", "door": "door-password"}


def require_nats_server() -> str:
    """The path of nats-server; without one the test skips, or fails where servers are required."""
    places = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
    path = shutil.which("nats-server", path=places)
    if path is not None:
        return path
    reason = "there is no nats-server on this machine: install nats-server"
    if os.environ.get(REQUIRE_SERVERS) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free just now."""
    with socket.socket() as one:
        one.bind((host, 0))
        port: int = one.getsockname()[1]
        return port


class Nats:
    """One nats-server. ``settings`` are lines of its configuration beyond the usual ones."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "nats-a",
        room_kb: int = 1_000_000,
        has_jetstream: bool = True,
        settings: Sequence[str] = (),
        authorization: Sequence[str] | None = None,
    ) -> None:
        self.program = require_nats_server()
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.name = name
        self.port = free_port()
        self.monitor_port = free_port()
        self.room_kb = room_kb
        self.settings = tuple(settings)
        self.authorization = usual_users() if authorization is None else tuple(authorization)
        self.has_jetstream = has_jetstream
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    # -- its life ----------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()

    async def start(self) -> None:
        """Start, and wait until it takes connections."""
        self.launch()
        await self.ready()

    def launch(self) -> None:
        self.configure()
        with (self.folder / "log").open("wb") as sink:
            self.process = subprocess.Popen(
                [self.program, "-c", str(self.folder / "nats.conf")],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )

    async def ready(self) -> None:
        await self._logs("Server is ready")

    async def _logs(self, words: str, *, times: int = 1) -> None:
        """Wait until its log has said ``words``."""
        async with asyncio.timeout(START_TIMEOUT_S):
            while self.log.count(words) < times:
                assert self.process is not None
                assert self.process.poll() is None, f"nats-server ended: {self.log}"
                await asyncio.sleep(START_INTERVAL_S)

    def kill(self) -> None:
        """End it hard, as a power cut does, whatever state it is in."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Make it answer nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def configure(self) -> None:
        store = f'jetstream {{ store_dir: "{self.folder}", max_file_store: {self.room_kb}KB }}'
        lines = (
            f"server_name: {self.name}",
            f"listen: 127.0.0.1:{self.port}",
            f"http: 127.0.0.1:{self.monitor_port}",
            store if self.has_jetstream else "",
            *self.settings,
            *self.authorization,
        )
        (self.folder / "nats.conf").write_text("\n".join(lines) + "\n")

    async def reload(self, authorization: Sequence[str]) -> None:
        """Give its users other rights while it runs."""
        assert self.process is not None
        self.authorization = tuple(authorization)
        self.configure()
        times = self.log.count(RELOADED)
        self.process.send_signal(signal.SIGHUP)
        await self._logs(RELOADED, times=times + 1)

    # -- what it saw -------------------------------------------------------------------------

    def connections(self, name: str) -> int:
        """How many clients called ``name`` are connected."""
        url = f"http://127.0.0.1:{self.monitor_port}/connz?limit=1000"
        with urlopen(url, timeout=5) as answer:
            told: Mapping[str, Sequence[Mapping[str, str]]] = json.load(answer)
        return sum(one.get("name") == name for one in told["connections"])

    @asynccontextmanager
    async def door(self) -> AsyncGenerator[Client]:
        """The back door: a client of the library, by none of our code."""
        client = await nats.connect(
            self.url, user="door", password=PASSWORDS["door"], allow_reconnect=False
        )
        try:
            yield client
        finally:
            await client.close()


def usual_users(*, engine_rights: str = "") -> tuple[str, ...]:
    """The lines that let the usual users in."""
    rights = {"engine": engine_rights, "reader": "", "door": ""}
    users = (
        f'    {{ user: {user}, password: "{PASSWORDS[user]}"{rights[user]} }}' for user in rights
    )
    return ("authorization {", "  users = [", *users, "  ]", "}")
