"""The doors of this distribution; the mail library is loaded behind it and not before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.model import SiteRole
from hkex_ops.ports import IndexPublisher, Notifier
from hkex_ops_mail.delivered import Delivered
from hkex_ops_mail.options import MailNotifierOptions, MailPublisherOptions

__all__ = ["MailDoor", "open_mail_notifier"]


class MailDoor:
    """Opens publishers by mail, and remembers between them who has which letter."""

    def __init__(self) -> None:
        self._delivered = Delivered()

    @asynccontextmanager
    async def open(
        self, options: MailPublisherOptions, site: SiteRole
    ) -> AsyncGenerator[IndexPublisher]:
        """A publisher by mail. Nothing is connected before there is a mail to send: a contingency
        path stands idle for years, and no line would.

        Raises `ConfigError` when a file that the options name cannot be used.
        """
        from hkex_ops_mail.publisher import MailPublisher
        from hkex_ops_mail.sending import require_files

        require_files(options)
        yield MailPublisher(options, self._delivered)


@asynccontextmanager
async def open_mail_notifier(
    options: MailNotifierOptions, site: SiteRole
) -> AsyncGenerator[Notifier]:
    """A notifier by mail. Nothing is connected before there is a mail to send.

    Raises `ConfigError` when a file that the options name cannot be used.
    """
    from hkex_ops_mail.notifier import MailNotifier
    from hkex_ops_mail.sending import require_files

    require_files(options)
    yield MailNotifier(options)
