"""One mail handed over to one server, and what became of it for each recipient.

A connection for each mail: protected first, then logged in, then the mail, then farewell. Knows
nothing of what the mail says, and tries nothing again: whoever sends it again with its Message-ID
does no harm. Called by :mod:`hkex_ops_mail.publisher` and :mod:`hkex_ops_mail.notifier`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiosmtplib
from aiosmtplib.typing import Default
from attrs import define, field, frozen

from hkex_ops.config.secret_files import secret_line
from hkex_ops.errors import ConfigError, Rejected
from hkex_ops_mail.options import LineSecurity, MailServerOptions
from hkex_ops_mail.translation import is_for_good, printable, repeats, translated

__all__ = ["RecipientResult", "require_files", "send", "try_recipients"]

# Saying good-bye is a courtesy with an end: the mail is taken by then.
FAREWELL_TIMEOUT_S = 1


@frozen
class RecipientResult:
    """What a server said about one recipient of a mail.

    ``reply`` is its own receipt where it took the mail, often with the name of its queue entry, and
    its reason where it did not; ``code`` tells which (250), and whether for good (5xx) or for now
    (4xx).
    """

    recipient: str
    is_taken: bool
    code: int
    reply: str

    @property
    def is_for_good(self) -> bool:
        """Whether it would be no other next time."""
        return self.is_taken or is_for_good(self.code)


@define
class _Attempt:
    """How far it has come, for the sentence of a failure, and the secrets it must not repeat."""

    where: str
    doing: str = "connecting"
    secrets: list[str] = field(factory=list[str])


class _Client(aiosmtplib.SMTP):
    """The library's client, which would prefer a digest that servers keep a plain password for."""

    AUTH_METHODS = ("plain", "login")

    on_content: Callable[[], None] | None = None
    """Called just before the text of a mail goes out: from then on the server may have it."""

    async def data(
        self,
        message: str | bytes,
        /,
        *,
        timeout: float | Default | None = Default.token,  # noqa: ASYNC109 - the engine's own
    ) -> aiosmtplib.SMTPResponse:
        """Hand over the text."""
        if self.on_content is not None:
            self.on_content()
        return await super().data(message, timeout=timeout)


def require_files(options: MailServerOptions) -> None:
    """`ConfigError` when a file that the options name cannot be used: better now than later."""
    if options.security is not LineSecurity.NONE:
        _context(options.ca_file)
    for path, option in _secret_files(options):
        secret_line(path, option)


async def send(
    options: MailServerOptions,
    sender: str,
    recipients: Sequence[str],
    mail: bytes,
    *,
    on_content: Callable[[], None] | None = None,
) -> tuple[RecipientResult, ...]:
    """Hand ``mail`` over for ``recipients``; what became of it for each, in their order.

    ``on_content`` is called just before the text goes out: what fails later may have been taken.
    Raises `ConfigError` for a file that cannot be used, `AuthRefused`, `Rejected` when the server
    is not the right one or takes no such mail, and `TransientError` when it cannot be reached, does
    not answer in time or says that it may be tried again.
    """
    async with _logged_in(options) as (client, attempt):
        client.on_content = on_content
        attempt.doing = "handing over the mail"
        return await _handed_over(client, sender, recipients, mail, attempt)


async def try_recipients(
    options: MailServerOptions, sender: str, recipients: Sequence[str]
) -> tuple[RecipientResult, ...]:
    """Log in and ask the server whether it would take a mail for ``recipients``; send none.

    Raises as :func:`send` does.
    """
    async with _logged_in(options) as (client, attempt):
        attempt.doing = "asking for the recipients"
        await client.mail(sender)
        results: list[RecipientResult] = []
        for recipient in recipients:
            try:
                code, words = await client.rcpt(recipient)
                is_taken = True
            except aiosmtplib.SMTPRecipientRefused as refused:
                code, words, is_taken = refused.code, refused.message, False
            said = printable(words, attempt.secrets)
            results.append(RecipientResult(recipient, is_taken, int(code), said))
        await client.rset()
        return tuple(results)


@asynccontextmanager
async def _logged_in(options: MailServerOptions) -> AsyncGenerator[tuple[_Client, _Attempt]]:
    """A protected line on which we are known, for what is done within; its errors are ours."""
    attempt = _Attempt(f"mail server {options.address}")
    context = None if options.security is LineSecurity.NONE else _context(options.ca_file)
    client = _Client(
        hostname=options.host,
        port=options.address.port,
        use_tls=options.security is LineSecurity.TLS,
        start_tls=options.security is LineSecurity.STARTTLS,
        tls_context=context,
        local_hostname=options.helo_name or None,
        timeout=options.timeout_s,
    )
    try:
        async with asyncio.timeout(options.timeout_s):
            await client.connect()
            await _log_in(client, options, attempt)
            yield client, attempt
        await _say_goodbye(client)
    # Whatever the engine raises becomes ours; a bug of this adapter comes as PluginError.
    except Exception as error:
        doing = f"{attempt.where}, {attempt.doing}"
        raise translated(error, doing, attempt.secrets) from _tellable(error, attempt)
    finally:
        client.close()


async def _log_in(client: _Client, options: MailServerOptions, attempt: _Attempt) -> None:
    attempt.doing = "logging in"
    for path, option in _secret_files(options):
        secret = secret_line(path, option)
        attempt.secrets += [secret, f"\0{options.user}\0{secret}"]
        if path is options.password_file:
            await client.login(options.user, secret)
            return
        await client.ehlo()
        if "xoauth2" not in client.server_auth_methods:
            raise Rejected(
                f"{attempt.where} offers no XOAUTH2, so no token was sent: give password_file "
                "instead, or ask its operator"
            )
        await client.auth_xoauth2(options.user, secret)


def _secret_files(options: MailServerOptions) -> list[tuple[Path, str]]:
    """The file by which we log in, if we do, and the option that names it."""
    files = {"password_file": options.password_file, "token_file": options.token_file}
    return [(path, option) for option, path in files.items() if path is not None]


async def _handed_over(
    client: _Client,
    sender: str,
    recipients: Sequence[str],
    mail: bytes,
    attempt: _Attempt,
) -> tuple[RecipientResult, ...]:
    refused: dict[str, tuple[int, str]] = {}
    reply = ""
    try:
        errors, reply = await client.sendmail(sender, recipients, mail)
        refused = {recipient: (answer.code, answer.message) for recipient, answer in errors.items()}
    except aiosmtplib.SMTPRecipientsRefused as error:
        refused = {one.recipient: (one.code, one.message) for one in error.recipients}
    results: list[RecipientResult] = []
    for recipient in recipients:
        code, words = refused.get(recipient, (aiosmtplib.SMTPStatus.completed, reply))
        said = printable(words, attempt.secrets)
        results.append(RecipientResult(recipient, recipient not in refused, int(code), said))
    return tuple(results)


async def _say_goodbye(client: _Client) -> None:
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(FAREWELL_TIMEOUT_S):
            await client.quit()


def _context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=ca_file)
    except OSError as error:
        # An error of TLS is one of the system too, and knows no file.
        is_tls = isinstance(error, ssl.SSLError)
        reason = "it holds no certificate" if is_tls else error.strerror
        raise ConfigError(
            f"ca_file {ca_file} cannot be used: {reason}: name the right file (PEM)"
        ) from error
    return context


def _tellable(error: Exception, attempt: _Attempt) -> Exception | None:
    """``error`` as a cause that a traceback may show, unless the server repeated a secret in it."""
    return None if repeats(f"{error!s} {error.args!r}", attempt.secrets) else error
