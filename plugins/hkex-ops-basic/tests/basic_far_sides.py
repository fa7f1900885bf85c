"""Real servers on loopback that behave as a test says, and tell who came and what was said."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from basic_certificates import Authority, Certified

from hkex_ops.model import Connection, SiteRole, Source
from hkex_ops.ports import Offer, Probe
from hkex_ops.testing import ProbeBench
from hkex_ops_basic import HttpsOptions, TcpOptions, hkex_ops_probes

__all__ = [
    "HOSTS",
    "LOGIN_TEXT",
    "NAME",
    "Behaviour",
    "FarSide",
    "HttpsBench",
    "TcpBench",
    "answering",
    "page",
    "silence",
]

NAME = "gateway.example"
LOGIN_TEXT = "Log in to the gateway"
HOSTS = {SiteRole.PRIMARY: "127.151.14.155", SiteRole.SECONDARY: "127.152.14.155"}

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_INVENTED = Source("a test", "invented")


def answering(answer: bytes) -> Behaviour:
    """Reads a request and gives ``answer``, whatever was asked."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return behave


def page(
    text: str = LOGIN_TEXT, *, status: str = "200 OK", headers: tuple[str, ...] = ()
) -> Behaviour:
    """Gives a page."""
    body = f"<html><body>{text}</body></html>".encode()
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers)
    return answering("".join(f"{line}\r\n" for line in (*lines, "")).encode() + body)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing until the visitor goes."""
    await reader.read(-1)


class FarSide:
    """A server at ``host``; ``behaviour`` may be changed between two visits.

    With ``certified`` it speaks TLS. ``heard`` is what came out of the protection of the line.
    """

    def __init__(
        self, host: str, behaviour: Behaviour, *, certified: Certified | None = None
    ) -> None:
        self.host = host
        self.behaviour = behaviour
        self.port = 0
        self.visits = 0
        self.visitors = 0
        self.heard = b""
        self._server: asyncio.Server | None = None
        self._working: set[asyncio.Task[None]] = set()
        self._context: ssl.SSLContext | None = None
        if certified is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certified.certificate_file, certified.key_file)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen, at the port of the first time."""
        self._server = await asyncio.start_server(self._visited, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections, and cut those that stand."""
        if self._server is not None:
            self._server.close()
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)
            self._server = None

    async def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._working.add(task)
        self.visits += 1
        self.visitors += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                if self._context is not None:
                    await writer.start_tls(self._context)
                await self.behaviour(_Listening(self, reader), writer)
        finally:
            self.visitors -= 1
            self._working.discard(task)
            writer.transport.abort()

    def connection(
        self, *, url: str | None = None, site: SiteRole = SiteRole.PRIMARY
    ) -> Connection:
        """The way here."""
        return Connection(
            "DCASS-Online",
            site,
            self.host,
            self.port,
            _INVENTED,
            host_name=NAME,
            url=url or f"https://{NAME}:8082/login",
        )


class _Listening(asyncio.StreamReader):
    """A reader that notes what a far side is told."""

    def __init__(self, far_side: FarSide, reader: asyncio.StreamReader) -> None:
        super().__init__()
        self._far_side = far_side
        self._reader = reader

    async def readuntil(self, separator: bytes = b"\n") -> bytes:  # type: ignore[override]
        data = await self._reader.readuntil(separator)
        self._far_side.heard += data
        return data

    async def readexactly(self, n: int) -> bytes:
        data = await self._reader.readexactly(n)
        self._far_side.heard += data
        return data

    async def read(self, n: int = -1) -> bytes:
        data = await self._reader.read(n)
        self._far_side.heard += data
        return data


class _Bench(ProbeBench):
    """Two far sides, entered before use."""

    def __init__(self, sites: dict[SiteRole, FarSide], right: Behaviour) -> None:
        self.sites = sites
        self._right = right
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for far_side in self.sites.values():
            await self._stack.enter_async_context(far_side)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def connection(self, site: SiteRole) -> Connection:
        return self.sites[site].connection(site=site)

    async def take_down(self, site: SiteRole) -> None:
        await self.sites[site].close()

    async def bring_up(self, site: SiteRole) -> None:
        self.sites[site].behaviour = self._right
        await self.sites[site].open()

    def visits(self, site: SiteRole) -> int:
        return self.sites[site].visits

    def visitors(self, site: SiteRole) -> int:
        return self.sites[site].visitors

    def heard(self, site: SiteRole) -> bytes:
        return self.sites[site].heard


def _offer(name: str) -> Offer[Probe]:
    return {offer.name: offer for offer in hkex_ops_probes()}[name]


class TcpBench(_Bench):
    """The probe ``tcp`` and two listeners."""

    def __init__(self) -> None:
        super().__init__({site: FarSide(host, silence) for site, host in HOSTS.items()}, silence)

    @property
    def offer(self) -> Offer[Probe]:
        return _offer("tcp")

    def options(self) -> TcpOptions:
        return TcpOptions(timeout_s=2)


class HttpsBench(_Bench):
    """The probe ``https`` and two TLS servers with a login page.

    ``pinned`` knows their certificates by fingerprint, else by the authority that signed them.
    """

    def __init__(self, authority: Authority, *, pinned: bool) -> None:
        self.authority = authority
        self.pinned = pinned
        self.certificates = {site: authority.certify(NAME) for site in HOSTS}
        super().__init__(
            {
                site: FarSide(host, page(), certified=self.certificates[site])
                for site, host in HOSTS.items()
            },
            page(),
        )

    @property
    def offer(self) -> Offer[Probe]:
        return _offer("https")

    def options(self) -> HttpsOptions:
        if not self.pinned:
            return HttpsOptions(ca_file=self.authority.file, expect_text=LOGIN_TEXT, timeout_s=2)
        pins = tuple(one.fingerprint for one in self.certificates.values())
        return HttpsOptions(certificates=pins, expect_text=LOGIN_TEXT, timeout_s=2)

    def options_with_other_certificate(self) -> HttpsOptions:
        other = self.authority.certify(NAME).fingerprint
        return HttpsOptions(certificates=(other,), expect_text=LOGIN_TEXT, timeout_s=2)

    def certificate(self, site: SiteRole) -> str:
        return self.certificates[site].fingerprint

    async def talk_nonsense(self, site: SiteRole) -> None:
        self.sites[site].behaviour = answering(b"220 nonsense\r\n\r\n")

    async def fall_silent(self, site: SiteRole) -> None:
        self.sites[site].behaviour = silence
