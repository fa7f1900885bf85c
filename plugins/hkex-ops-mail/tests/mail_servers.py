"""A real mail server on loopback, aiosmtpd, with TLS and users, that behaves as a test says.

``mails`` are those it took, each with the recipients it took it for. What it says and when may be
changed between two mails.
"""

from __future__ import annotations

import asyncio
import base64
import email
import json
import ssl
import warnings
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.policy import default
from typing import Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from attrs import define, field, frozen
from basic_certificates import Authority

from hkex_ops.model import IndexTick, parse_tick
from hkex_ops_mail.letters import read_attachment

__all__ = ["PASSWORD", "TOKEN", "USER", "MailServer", "TakenMail", "ticks_of"]

USER = "index-desk"
PASSWORD = "mail-password"
TOKEN = "ya29.mail-token"

# Turns of the event loop until every line that was hung up on is closed.
HANGING_UP_TURNS = 20

TAKEN = "250 2.0.0 Ok: queued as 4F2c1"


@frozen
class TakenMail:
    """One mail as the server took it."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


def ticks_of(mail: TakenMail) -> list[IndexTick]:
    """The ticks that the CSV of a mail says."""
    (attachment,) = mail.message.iter_attachments()
    assert "text/csv" == attachment.get_content_type()
    text = attachment.get_payload(decode=True)
    assert isinstance(text, bytes)
    return [parse_tick(json.dumps(document)) for document in read_attachment(text.decode())]


@define(eq=False)
class MailServer:
    """The server. ``replies`` to a recipient are by address, all others are taken.

    ``reply`` is what it says when it has a mail, ``None`` to hang up instead; ``is_silent`` makes
    it wait for ever before that. ``on_moment`` is called at every step of taking one.
    """

    authority: Authority
    is_implicit: bool = False
    offers_tls: bool = True
    wants_login: bool = True
    knows_xoauth2: bool = True
    host: str = "127.0.0.1"
    port: int = 0
    replies: dict[str, str] = field(factory=dict[str, str])
    reply: str | None = TAKEN
    is_silent: bool = False
    names: tuple[str, ...] = ("127.0.0.1",)
    on_moment: Callable[[], None] | None = None
    mails: list[TakenMail] = field(factory=list[TakenMail])
    logins: list[str] = field(factory=list[str])
    sessions: set[_Server] = field(factory=set, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _context: ssl.SSLContext = field(init=False)

    def __attrs_post_init__(self) -> None:
        certified = self.authority.certify(*self.names)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certified.certificate_file, certified.key_file)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def pass_moment(self) -> None:
        if self.on_moment is not None:
            self.on_moment()

    @property
    def is_open(self) -> bool:
        return self._server is not None

    @property
    def visitors(self) -> int:
        return sum(session.is_open for session in self.sessions)

    async def open(self) -> None:
        """Take connections, at the port of the first time."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._session,
            self.host,
            self.port,
            ssl=self._context if self.is_implicit else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections and cut those that stand."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in tuple(self.sessions):
            session.hang_up()
        for _ in range(HANGING_UP_TURNS):
            await asyncio.sleep(0)
        assert 0 == self.visitors, "somebody stays on the line"

    def _session(self) -> SMTP:
        starts_tls = self.offers_tls and not self.is_implicit
        with warnings.catch_warnings():
            # It warns of logging in on a plain line, and does not know that this one is not.
            warnings.simplefilter("ignore", UserWarning)
            return _Server(
                self,
                _Handler(self),
                hostname="mail.example",
                tls_context=self._context if starts_tls else None,
                auth_required=self.wants_login,
                auth_require_tls=starts_tls,
                authenticator=self._known,
                auth_exclude_mechanism=() if self.knows_xoauth2 else ("XOAUTH2",),
                loop=asyncio.get_running_loop(),
            )

    def _known(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        self.logins.append(mechanism)
        right = isinstance(given, LoginPassword) and given == LoginPassword(
            USER.encode(), PASSWORD.encode()
        )
        return AuthResult(success=right, handled=False)


class _Server(SMTP):
    """One connection."""

    def __init__(self, owner: MailServer, *given: object, **named: object) -> None:
        super().__init__(*given, **named)
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._owner.sessions.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._owner.sessions.discard(self)

    def eof_received(self) -> bool:
        """Under TLS a line cannot stay half open; the library thinks of STARTTLS only."""
        super().eof_received()
        return False

    def hang_up(self) -> None:
        for transport in self._lines:
            # Before Python 3.11.3 what is closed already cannot be aborted under TLS.
            with suppress(AttributeError):
                transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether somebody is on the line; that a handshake failed is told to nobody."""
        return any(not transport.is_closing() for transport in self._lines)

    @property
    def _lines(self) -> list[asyncio.Transport]:
        lines = (self.transport, self._original_transport)
        return [transport for transport in lines if transport is not None]

    async def auth_XOAUTH2(self, _: SMTP, args: list[str]) -> AuthResult:
        """As large providers do: the answer to a wrong token is a challenge first."""
        self._owner.logins.append("XOAUTH2")
        said = base64.b64decode(args[1]).decode()
        if said == f"user={USER}\x01auth=Bearer {TOKEN}\x01\x01":
            return AuthResult(success=True, auth_data=USER)
        await self.push(f"334 {base64.b64encode(said.encode()).decode()}")
        await self._reader.readline()
        return AuthResult(success=False, handled=False)


class _Handler:
    """What the server answers."""

    def __init__(self, owner: MailServer) -> None:
        self._owner = owner

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        self._owner.pass_moment()
        reply = self._owner.replies.get(address)
        if reply is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        owner = self._owner
        if owner.is_silent:
            await asyncio.sleep(3600)
        owner.pass_moment()
        content = envelope.content
        assert isinstance(content, bytes)
        if owner.reply is None or owner.reply == TAKEN:
            message = email.message_from_bytes(content, policy=default)
            assert isinstance(message, EmailMessage)
            owner.mails.append(TakenMail(envelope.mail_from, tuple(envelope.rcpt_tos), message))
        owner.pass_moment()
        if owner.reply is None:
            server.transport.abort()
            return TAKEN
        return owner.reply
