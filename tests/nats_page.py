"""Makes the page about NATS true on one machine: its own blocks of configuration, on loopback.

The block of the servers is taken as it stands on the page; host names, ports, paths and the two
public keys are replaced by those of the test, and three real servers run with it. The blocks of our
own configuration are read, and their options made. Used by hidden blocks of the page only.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from hkex_ops.config.settings import load_settings, structure_options
from hkex_ops.errors import HkexOpsError
from hkex_ops.model import SiteRole
from tests.wheel import CHECKOUT

__all__ = ["NatsPage", "why_not"]

T = TypeVar("T")

REQUIRE_SERVERS = "HKEX_OPS_REQUIRE_SERVERS"
NAMES = ("nats-a", "nats-b", "nats-c")
HOST = "127.0.0.1"

# A cluster of three elects twice before it takes the first stream.
READY_TIMEOUT_S = 60
INTERVAL_S = 0.2

_PROGRAM = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def why_not() -> str:
    """Why the servers of the page cannot run here; nothing when they can."""
    if _PROGRAM is not None:
        return ""
    reason = "there is no nats-server on this machine: install nats-server"
    if os.environ.get(REQUIRE_SERVERS) == "1":
        raise AssertionError(reason)
    return reason


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        port: int = one.getsockname()[1]
        return port


class NatsPage:
    """The page ``name`` in the how-to guides; ``folder`` is its own."""

    def __init__(self, name: str, folder: Path) -> None:
        text = (CHECKOUT / "docs" / "how-to" / name).read_text(encoding="utf-8")
        (self._server_block,) = re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        self._own_blocks = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        self._folder = folder
        self._ports = {name: _free_port() for name in NAMES}
        self._route_ports = {name: _free_port() for name in NAMES}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        # A block that fails is the last one that runs.
        atexit.register(self.stop)

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(f"tls://{HOST}:{port}" for port in self._ports.values())

    @property
    def ca_file(self) -> Path:
        return self._folder / "ca.pem"

    def check_configuration(self) -> None:
        """Our own blocks are a configuration that is taken, and the options in it are."""
        from hkex_ops_nats import NatsFeedOptions, NatsPublisherOptions

        kinds = {"index_publishers": NatsPublisherOptions, "index_feeds": NatsFeedOptions}
        file = self._folder / "config.toml"
        file.write_text("\n".join(self._own_blocks))
        settings = load_settings(file)
        for table, kind in kinds.items():
            given = getattr(settings, table)["nats"].options
            structure_options(settings, "nats", given, kind, table=table)

    def start_servers(self, public_keys: Mapping[str, str]) -> None:
        """Start all three, and wait until they are one."""
        from basic_certificates import Authority

        authority = Authority(self._folder, "ca")
        for name in NAMES:
            certified = authority.certify(HOST)
            certified.certificate_file.rename(self._folder / f"{name}.crt")
            certified.key_file.rename(self._folder / f"{name}.key")
            config = self._folder / f"{name}.conf"
            config.write_text(self._configuration(name, public_keys))
            assert _PROGRAM is not None, "the page asked first"
            subprocess.run([_PROGRAM, "-t", "-c", str(config)], check=True, capture_output=True)
            with (self._folder / f"{name}.log").open("wb") as log:
                self._running[name] = subprocess.Popen(
                    [_PROGRAM, "-c", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
        self.eventually(lambda: asyncio.run(self._make_stream()))

    def _configuration(self, name: str, public_keys: Mapping[str, str]) -> str:
        """The page's block as the host ``name`` has it, here."""
        text = re.sub(r"(server_name: |/etc/nats/)nats-a", rf"\g<1>{name}", self._server_block)
        text = text.replace("/etc/nats/", f"{self._folder}/")
        text = text.replace("/var/lib/nats", f"{self._folder}/{name}")
        text = text.replace("0.0.0.0:4222", f"{HOST}:{self._ports[name]}")
        text = text.replace("0.0.0.0:6222", f"{HOST}:{self._route_ports[name]}")
        for other, port in self._route_ports.items():
            text = text.replace(f"{other}.example:6222", f"{HOST}:{port}")
        for user, key in public_keys.items():
            text = text.replace(f"U{user.upper()}_PUBLIC_KEY", key)
        assert ".example" not in text, "a host of the page is left"
        assert "_PUBLIC_KEY" not in text, "a key of the page is left"
        return text

    async def _make_stream(self) -> None:
        from hkex_ops_nats import NatsPublisherOptions, open_nats_publisher

        options = NatsPublisherOptions(
            servers=self.servers,
            ca_file=self.ca_file,
            nkey_file=self._folder / "engine.seed",
            replicas=len(NAMES),
        )
        async with open_nats_publisher(options, SiteRole.PRIMARY):
            pass

    def eventually(self, act: Callable[[], T]) -> T:
        """What ``act`` gives once it succeeds; its last error when it never does."""
        until = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                return act()
            except HkexOpsError:
                if time.monotonic() > until:
                    raise
            time.sleep(INTERVAL_S)

    def kill(self, name: str) -> None:
        """End one server hard."""
        server = self._running.pop(name)
        server.kill()
        server.wait()

    def stop(self) -> None:
        """End all that run."""
        for name in tuple(self._running):
            self.kill(name)
