"""The door of this distribution; the mail library is loaded behind it and not before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.model import SiteRole
from hkex_ops.ports import IndexPublisher
from hkex_ops_mail.options import MailPublisherOptions

__all__ = ["open_mail_publisher"]


@asynccontextmanager
async def open_mail_publisher(
    options: MailPublisherOptions, site: SiteRole
) -> AsyncGenerator[IndexPublisher]:
    """A publisher by mail. Nothing is connected before there is a mail to send: a contingency path
    stands idle for years, and no line would.

    Raises `ConfigError` when a file that the options name cannot be used.
    """
    from hkex_ops_mail.publisher import MailPublisher
    from hkex_ops_mail.sending import require_files

    require_files(options)
    yield MailPublisher(options)
