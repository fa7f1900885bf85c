"""Whether the right server gives the right page: TCP, TLS, HTTP, in this order, one look each.

The address that a circular states is connected, not what a name server makes of its name; the
certificate must be right before anything is sent; the page is known by status and text. A
redirection is followed on the same server only.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import SplitResult, urljoin, urlsplit

from attrs import define

from hkex_ops.errors import PluginError, Rejected, UsageError
from hkex_ops.model import Connection, Endpoint, SiteRole
from hkex_ops.ports import ProbeResult
from hkex_ops_basic.certificates import fingerprint_of, require_pinned
from hkex_ops_basic.lines import address_at, line_to
from hkex_ops_basic.options import HttpsOptions
from hkex_ops_basic.pages import Page, read_page, request_for
from hkex_ops_basic.translation import printable, translated

__all__ = ["HttpsProbe"]

# A login page may lie behind a front page and a language page, hardly behind more.
REDIRECTION_LIMIT = 3

HTTPS_PORT = 443


@define
class _Look:
    """How far one look has come: what is being done, and what was seen until then.

    ``name`` is what the certificate must be for.
    """

    address: Endpoint
    name: str | None
    doing: str = ""
    reached: bool = False
    certificate: str | None = None

    def begin(self, what: str) -> None:
        """From now on a failure is one of ``what``."""
        self.doing = f"{self.address}, {what}"


class HttpsProbe:
    """The port ``Probe`` by HTTPS."""

    def __init__(self, options: HttpsOptions, context: ssl.SSLContext, site: SiteRole) -> None:
        self._options = options
        self._context = context
        self._site = site
        self._pins = options.pins

    async def probe(self, connection: Connection) -> ProbeResult:
        """Ask for the connection's page once. `UsageError` when its URL is none of HTTPS."""
        address = address_at(connection, self._site)
        url = _url_of(connection, address)
        look = _Look(address, connection.host_name or url.hostname)
        try:
            async with asyncio.timeout(self._options.timeout_s):
                page = await self._page(url, look)
            detail = self._judged(page, look)
        # Whatever the engine raises becomes ours; a bug of this adapter comes as PluginError.
        except Exception as error:
            ours = translated(error, self._limited(look.doing, error))
            if isinstance(ours, PluginError):
                raise ours from error
            return ProbeResult(connection, look.reached, False, str(ours), look.certificate)
        return ProbeResult(connection, True, True, detail, look.certificate)

    async def _page(self, url: SplitResult, look: _Look) -> Page:
        """The page at ``url``, or where the same server sends us from there."""
        for _ in range(REDIRECTION_LIMIT + 1):
            page = await self._ask(url, look)
            if page.status == self._options.expect_status or not page.is_redirection:
                return page
            url = _redirected(url, page, look)
        raise Rejected(f"{look.doing}: it redirects more than {REDIRECTION_LIMIT} times")

    async def _ask(self, url: SplitResult, look: _Look) -> Page:
        look.begin("connecting")
        async with line_to(look.address) as (reader, writer):
            look.reached = True
            look.begin("shaking hands by TLS")
            await writer.start_tls(self._context, server_hostname=look.name)
            shown = _certificate(writer)
            look.certificate = fingerprint_of(shown)
            require_pinned(shown, self._pins, look.address)
            target = _target(url)
            look.begin(f"asking for {target}")
            writer.write(request_for(target, url.netloc))
            await writer.drain()
            return await read_page(reader, look.doing)

    def _judged(self, page: Page, look: _Look) -> str:
        """What to say of a right page; `Rejected` for another one."""
        wanted = self._options.expect_status
        if page.status != wanted:
            raise Rejected(f"{look.address} answers with status {page.status}, expected {wanted}")
        if self._options.expect_text not in page.text:
            expected = self._options.expect_text
            raise Rejected(f"{look.address} gives a page without {printable(expected)!r}")
        return f"{look.address} gives the expected page (status {page.status})"

    def _limited(self, doing: str, error: Exception) -> str:
        late = isinstance(error, TimeoutError)
        return f"{doing} within {self._options.timeout_s} s" if late else doing


def _url_of(connection: Connection, address: Endpoint) -> SplitResult:
    text = connection.url or f"https://{connection.host_name or address.host}:{address.port}/"
    url = urlsplit(text)
    if url.scheme != "https" or not url.hostname:
        raise UsageError(f"{text!r} is no https address: this probe cannot look at it")
    if not _is_plain(text):
        raise UsageError(f"{text!r} has characters that an address cannot hold")
    return url


def _target(url: SplitResult) -> str:
    return f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"


def _redirected(url: SplitResult, page: Page, look: _Look) -> SplitResult:
    """Where ``page`` sends us, when it is the same server; `Rejected` else."""
    place = page.location or ""
    there = urlsplit("")
    with suppress(ValueError):  # what cannot be read is not this server
        there = urlsplit(urljoin(url.geturl(), place))
    if _server(there) != _server(url):
        raise Rejected(
            f"{look.doing}: it redirects to {printable(place)}, which is not this server: not "
            "followed"
        )
    if not _is_plain(there.geturl()):
        raise Rejected(f"{look.doing}: it redirects to {printable(place)}: not followed")
    return there


def _is_plain(text: str) -> bool:
    """Whether a text can stand in a request without being taken for something else."""
    return text.isascii() and text.isprintable() and " " not in text


def _server(url: SplitResult) -> tuple[str, str | None, int]:
    try:
        return url.scheme, url.hostname, url.port or HTTPS_PORT
    except ValueError:  # a port that is no number
        return url.scheme, None, HTTPS_PORT


def _certificate(writer: asyncio.StreamWriter) -> bytes:
    tls = writer.get_extra_info("ssl_object")
    assert isinstance(tls, ssl.SSLObject), "the hands were shaken"
    shown = tls.getpeercert(binary_form=True)
    assert shown is not None, "no TLS server without a certificate is accepted"
    return shown
