"""Publisher and notifier ``mail`` against a real server, as benches of the conformance kit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import evolve
from mail_servers import PASSWORD, TAKEN, TOKEN, USER, MailServer, ticks_of

from hkex_ops.model import IndexTick, TickKind
from hkex_ops.ports import IndexPublisher, Notifier, Offer
from hkex_ops.testing import Arrived, IndexPublisherBench, NotifierBench
from hkex_ops_mail import (
    LineSecurity,
    MailNotifierOptions,
    MailPublisherOptions,
    hkex_ops_index_publishers,
    hkex_ops_notifiers,
)

__all__ = [
    "MailBench",
    "MailNotifierBench",
    "mail_options",
    "notifier_options",
    "secret_file",
]


def secret_file(folder: Path, name: str, content: str) -> Path:
    """A file that nobody else may read."""
    path = folder / name
    path.write_text(content)
    path.chmod(0o600)
    return path


def mail_options(
    server: MailServer, folder: Path, *, by_token: bool = False
) -> MailPublisherOptions:
    """Options that the server is content with: contingency values to two lists."""
    password = None if by_token else secret_file(folder, "password", PASSWORD)
    token = secret_file(folder, "token", TOKEN) if by_token else None
    return MailPublisherOptions(
        host=server.host,
        port=server.port,
        security=LineSecurity.TLS if server.is_implicit else LineSecurity.STARTTLS,
        ca_file=server.authority.file,
        user=USER,
        password_file=password,
        token_file=token,
        helo_name="desk.example",
        timeout_s=2,
        sender="index@broker.example",
        recipients=("vendors@list.example", "participants@list.example"),
    )


class MailBench(IndexPublisherBench):
    """The publisher ``mail`` and a server; every kind of tick is written."""

    def __init__(self, server: MailServer, folder: Path, *, by_token: bool) -> None:
        self.server = server
        self.folder = folder
        self.by_token = by_token

    @property
    def offer(self) -> Offer[IndexPublisher]:
        (offer,) = hkex_ops_index_publishers()
        return offer

    def options(self) -> MailPublisherOptions:
        options = mail_options(self.server, self.folder, by_token=self.by_token)
        return evolve(options, kinds=tuple(TickKind))

    def options_unknown(self) -> MailPublisherOptions:
        wrong = secret_file(self.folder, "wrong", "wrong-secret")
        option = "token_file" if self.by_token else "password_file"
        return evolve(self.options(), **{option: wrong})

    def secrets(self) -> Sequence[str]:
        return (PASSWORD, TOKEN, "wrong-secret")

    async def published(self) -> Sequence[IndexTick]:
        return [tick for mail in self.server.mails for tick in ticks_of(mail)]

    async def take_down(self) -> None:
        await self.server.close()

    async def bring_up(self) -> None:
        self.server.is_silent = False
        self.server.reply = "250 2.0.0 Ok: queued as 4F2c1"
        if not self.server.is_open:
            await self.server.open()

    async def fall_silent(self) -> None:
        self.server.is_silent = True

    async def fill_up(self) -> None:
        self.server.reply = "452 4.3.1 Insufficient system storage"

    async def refuse(self) -> None:
        secret = TOKEN if self.by_token else PASSWORD
        self.server.reply = f"554 5.7.1 no mail from {USER} who says {secret}"

    def visitors(self) -> int:
        return self.server.visitors


def notifier_options(
    server: MailServer, folder: Path, *, by_token: bool = False
) -> MailNotifierOptions:
    """Options of the notifier that the server is content with."""
    one = mail_options(server, folder, by_token=by_token)
    return MailNotifierOptions(
        host=one.host,
        port=one.port,
        security=one.security,
        ca_file=one.ca_file,
        user=one.user,
        password_file=one.password_file,
        token_file=one.token_file,
        helo_name=one.helo_name,
        timeout_s=one.timeout_s,
        sender="desk@broker.example",
    )


class MailNotifierBench(NotifierBench):
    """The notifier ``mail`` and a server."""

    def __init__(self, server: MailServer, folder: Path, *, by_token: bool) -> None:
        self.server = server
        self.folder = folder
        self.by_token = by_token

    @property
    def offer(self) -> Offer[Notifier]:
        (offer,) = hkex_ops_notifiers()
        return offer

    def options(self) -> MailNotifierOptions:
        return notifier_options(self.server, self.folder, by_token=self.by_token)

    def options_unknown(self) -> MailNotifierOptions:
        wrong = secret_file(self.folder, "wrong", "wrong-secret")
        option = "token_file" if self.by_token else "password_file"
        return evolve(self.options(), **{option: wrong})

    def receivers(self) -> Sequence[str]:
        return ("duty@broker.example", "duty@authority.example")

    def unknown_receiver(self) -> str:
        return "duty@broker.example, everybody@broker.example"

    def secrets(self) -> Sequence[str]:
        return (PASSWORD, TOKEN, "wrong-secret")

    async def arrived(self) -> Sequence[Arrived]:
        return [
            Arrived(
                recipient,
                mail.message["Message-ID"],
                f"{mail.message['Subject']}\n{mail.message.get_content()}",
            )
            for mail in self.server.mails
            for recipient in mail.recipients
        ]

    async def take_down(self) -> None:
        await self.server.close()

    async def bring_up(self) -> None:
        self.server.is_silent = False
        self.server.reply = TAKEN
        if not self.server.is_open:
            await self.server.open()

    async def fall_silent(self) -> None:
        self.server.is_silent = True

    async def take_and_hang_up(self) -> None:
        self.server.reply = None

    async def fill_up(self) -> None:
        self.server.reply = "452 4.3.1 Insufficient system storage"

    async def refuse(self) -> None:
        secret = TOKEN if self.by_token else PASSWORD
        self.server.reply = f"554 5.7.1 no mail from {USER} who says {secret}"

    async def refuse_receiver(self, receiver: str) -> None:
        self.server.replies[receiver] = "550 5.1.1 User unknown"

    def visitors(self) -> int:
        return self.server.visitors
