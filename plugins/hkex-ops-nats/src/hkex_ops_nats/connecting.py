"""One connection to one server: protected, logged in, and given up as soon as it is lost.

The client library would go on by itself, with servers that the operator never named, for as long
as it takes, and send later what it was told to send now. Here it connects once and then never
again: who needs another connection asks :mod:`hkex_ops_nats.link`. A password leaves this machine
only when the line is protected, which the library alone would not see to.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, TypeVar

from nats.aio.client import RawCredentials
from nats.errors import Error, SecureConnWantedError
from nats.js import JetStreamContext

from hkex_ops.errors import ConfigError, HkexOpsError, Rejected, TransientError, Unreachable
from hkex_ops_nats.lines import LineClient
from hkex_ops_nats.options import NatsOptions, NatsServer
from hkex_ops_nats.secrets import read_credentials, read_password, read_seed
from hkex_ops_nats.translation import printable, translated

__all__ = ["CLIENT_NAME", "Connection", "connect"]

T = TypeVar("T")

CLIENT_NAME = "hkex-ops-nats"

# Hanging up is a courtesy with an end.
FAREWELL_TIMEOUT_S = 1

# A server that says nothing for two of these is taken for dead.
PING_INTERVAL_S = 10
PINGS_UNANSWERED = 2

_REFUSED = "permissions violation"


class Connection:
    """A login that stands, until it is lost. Made by :func:`connect`."""

    def __init__(self, server: NatsServer, answer_timeout_s: int) -> None:
        self.server = server
        self.client = LineClient()
        self.jetstream = JetStreamContext(self.client, timeout=answer_timeout_s)
        self.is_lost = False
        self.last_words: BaseException | None = None
        self._trouble: asyncio.Future[HkexOpsError] = asyncio.Future()

    async def during(self, work: Coroutine[Any, Any, T], doing: str) -> T:
        """What ``work`` gives, unless the connection is lost or the server refuses meanwhile.

        Every exception of the engine comes out as one of ours; ``doing`` opens its sentence.
        """
        where = f"{doing} on {self.server}"
        trouble = self._trouble
        task = asyncio.ensure_future(work)
        try:
            waiting: set[asyncio.Future[Any]] = {task, trouble}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not task.cancelled():
                return task.result()
            # The library cancels what waits on a connection that it closes.
            what = trouble.result() if trouble.done() else Unreachable("the connection was lost")
            raise type(what)(f"{where}: {what}")
        # Whatever the engine raises becomes ours; a bug of this adapter comes as PluginError.
        except Exception as error:
            raise translated(error, where) from error
        finally:
            await _ended(task)

    async def hang_up(self) -> None:
        """End it, politely first."""
        self._lose()
        try:
            with suppress(Error, OSError, TimeoutError, asyncio.InvalidStateError):
                async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                    await self.client.close()
        finally:
            self.client.line.cut()

    def require_protected(self) -> None:
        """Raise when the line is not protected and should be.

        The library protects a line when the *server* asks for it; whoever stands between could
        leave that out, and would be told the password.
        """
        if self.server.is_protected and not self.client.line.is_protected:
            raise SecureConnWantedError

    async def on_error(self, error: Exception) -> None:
        """Told by the library what no caller asked about."""
        self.last_words = error
        if _REFUSED in str(error).lower():
            self._tell(Rejected(f"this user may not: {printable(str(error))}: ask for the right"))

    async def on_closed(self) -> None:
        """Told by the library that the connection is no more."""
        self._lose()

    def _lose(self) -> None:
        self.is_lost = True
        if not self._trouble.done():
            self._trouble.set_result(Unreachable("the connection was lost"))

    def _tell(self, refusal: Rejected) -> None:
        """Tell it to those who wait now, and not to those who come later."""
        if not self.is_lost:
            waiting, self._trouble = self._trouble, asyncio.Future()
            waiting.set_result(refusal)


async def connect(server: NatsServer, options: NatsOptions) -> Connection:
    """Log in at ``server``.

    Raises `ConfigError` for a file that cannot be used, `AuthRefused`, `Rejected` for a server that
    is not the right one, and `TransientError` for one that cannot be reached or does not answer.
    """
    context = _context(options)
    connection = Connection(server, options.answer_timeout_s)
    login = _login(options, connection)
    doing = f"logging in at {server}"
    try:
        async with asyncio.timeout(options.connect_timeout_s):
            await connection.client.connect(
                servers=[server.url],
                name=CLIENT_NAME,
                tls=context,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=options.connect_timeout_s,
                ping_interval=PING_INTERVAL_S,
                max_outstanding_pings=PINGS_UNANSWERED,
                error_cb=connection.on_error,
                closed_cb=connection.on_closed,
                **login,
            )
        connection.require_protected()
        if not connection.client.is_connected:
            raise Unreachable(f"{doing}: the server hung up")
    except BaseException as error:
        await connection.hang_up()
        if not isinstance(error, Exception):
            raise
        raise _why(error, connection, doing) from error
    return connection


async def _ended(task: asyncio.Future[Any]) -> None:
    """See ``task`` end; what it would have raised is of no interest any more."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


def _why(error: Exception, connection: Connection, doing: str) -> HkexOpsError:
    """The reason of a login that failed: what the library met first, not that it gave up then."""
    ours = translated(error, doing)
    if isinstance(ours, TransientError) and connection.last_words is not None:
        first = translated(connection.last_words, doing)
        return ours if isinstance(first, Unreachable) and type(ours) is not Unreachable else first
    return ours


def _login(options: NatsOptions, connection: Connection) -> dict[str, Any]:
    """The library's arguments that say who we are."""
    if options.password_file is not None:
        password = read_password(options.password_file)

        def tell() -> str:
            connection.require_protected()
            return password

        return {"user": options.user, "password": tell}
    if options.nkey_file is None and options.credentials_file is None:
        return {}
    _require_nkeys()
    if options.nkey_file is not None:
        return {"nkeys_seed_str": read_seed(options.nkey_file)}
    assert options.credentials_file is not None, "one of the two is there"
    return {"user_credentials": RawCredentials(read_credentials(options.credentials_file))}


def _require_nkeys() -> None:
    if find_spec("nkeys") is None:
        raise ConfigError(
            "nkey_file and credentials_file are signed with nkeys, which is not installed: "
            "pip install 'hkex-ops-nats[nkeys]', or log in with a password_file"
        )


def _context(options: NatsOptions) -> ssl.SSLContext:
    """Trusting the operator's authorities, or the system's, and showing our certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if options.ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=options.ca_file)
    except OSError as error:
        raise ConfigError(_unusable("ca_file", str(options.ca_file), error)) from error
    if options.certificate_file is not None and options.key_file is not None:
        try:
            context.load_cert_chain(options.certificate_file, options.key_file)
        except OSError as error:
            pair = f"{options.certificate_file} with {options.key_file}"
            raise ConfigError(_unusable("certificate_file", pair, error)) from error
    return context


def _unusable(option: str, what: str, error: OSError) -> str:
    # An error of TLS is one of the system too, and knows no file.
    reason = "it is not what it should be" if isinstance(error, ssl.SSLError) else error.strerror
    return f"{option} {what} cannot be used: {reason}: name the right file (PEM)"
