"""From options to a logged-in SFTP session: addresses in order, host keys first, one key, no shell.

Only the addresses of the site that was asked for are ever tried. The next address is tried when
one cannot be reached, does not answer or is full; a wrong host key or a refused login is an alarm
and ends the attempt. Nothing of the user's own SSH set-up (configuration, agent, known hosts) is
read. Called by :mod:`hkex_ops_sftp.opening`; knows nothing of listing or fetching.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncssh
from attrs import frozen

from hkex_ops.errors import (
    Busy,
    HkexOpsError,
    HostKeyMismatch,
    TimedOut,
    Unreachable,
)
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_sftp.channel import SftpChannel
from hkex_ops_sftp.keys import Credential, credential
from hkex_ops_sftp.options import SftpAddress, SftpOptions
from hkex_ops_sftp.pins import HOST_KEY_ALGORITHMS, HostKeyPin
from hkex_ops_sftp.translation import translated
from hkex_ops_sftp.watching import SilenceWatch

__all__ = ["Session", "log_in", "log_in_beside"]

# Logging out is a courtesy with an end: a server that does not take it is hung up on.
LOGOUT_TIMEOUT_S = 5

# Three empty lists, not one empty value: the library would look into ~/.ssh/known_hosts then.
_NO_KNOWN_HOSTS: tuple[list[str], list[str], list[str]] = ([], [], [])

# AES-GCM first: measured 20 to 30 % faster in bulk than the library's first choice.
_CIPHERS = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"


@frozen(eq=False)
class Session:
    """A login that stands: the connection, its SFTP session, whose it is and who watches it."""

    connection: asyncssh.SSHClientConnection
    channel: SftpChannel
    endpoint: Endpoint
    watch: SilenceWatch

    async def end(self) -> None:
        """Log out and wait until the connection is closed, politely first, then by hanging up."""
        await self.watch.stop()
        try:
            with suppress(asyncssh.Error, OSError):
                async with asyncio.timeout(LOGOUT_TIMEOUT_S):
                    await self.channel.closed()
                    self.connection.close()
                    await self.connection.wait_closed()
        finally:
            self.connection.abort()
        await self.connection.wait_closed()


async def log_in(options: SftpOptions, site: SiteRole) -> Session:
    """A session at the first address of ``site`` that takes one.

    Raises `ConfigError`, `HostKeyMismatch`, `AuthRefused`, `Rejected`, or `Unreachable` that names
    every address tried and why it failed.
    """
    addresses = options.site(site).addresses
    failures: list[HkexOpsError] = []
    async with credential(options) as key:
        for address in addresses:
            try:
                return await _log_in_at(address, options, key)
            except (Unreachable, TimedOut, Busy) as error:
                failures.append(error)
    causes = "; ".join(str(failure) for failure in failures)
    raise Unreachable(f"no address of the {site} site can be used: {causes}") from failures[-1]


async def log_in_beside(session: Session, options: SftpOptions, site: SiteRole) -> Session:
    """One more session at the address that took the first, and at no other. Raises as `log_in`."""
    there = (session.endpoint.host, session.endpoint.port)
    [address] = [one for one in options.site(site).addresses if (one.host, one.port) == there][:1]
    async with credential(options) as key:
        return await _log_in_at(address, options, key)


async def _log_in_at(address: SftpAddress, options: SftpOptions, key: Credential) -> Session:
    """Log in at one address, asking for other types of host key where a pin does not tell its own.

    A server shows the one key of the type both sides like best. A pinned fingerprint may be that
    of another type, so the server is asked again without the types it has shown; the user is never
    named before a pinned key has been proved. Once a wrong key was shown, nothing but the right one
    ends in anything other than `HostKeyMismatch`: a lost connection must not send us on.
    """
    shown: list[_KeyCheck] = []
    pins = options.pins_of(address)
    while True:
        offered = _algorithms(pins, without={check.key_type for check in shown})
        check = _KeyCheck(pins)
        try:
            return await _connect(address, options, key, check, offered)
        except HkexOpsError as error:
            if check.passed:
                raise
            if check.key_type is not None:
                shown.append(check)
                if _may_show_another(pins, shown):
                    continue
            elif not shown:
                raise
            raise HostKeyMismatch(
                address.host,
                address.port,
                seen=" and ".join(check.fingerprint for check in shown),
                expected=[pin.fingerprint for pin in pins],
            ) from error


class _KeyCheck(asyncssh.SSHClient):
    """Asked by the library about every key a server shows: remembers it, compares with the pins."""

    def __init__(self, pins: tuple[HostKeyPin, ...]) -> None:
        self._right = {pin.fingerprint for pin in pins}
        self.fingerprint = ""
        self.key_type: str | None = None
        self.passed = False

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        self.fingerprint = key.get_fingerprint("sha256")
        self.key_type = key.get_algorithm()
        self.passed = self.fingerprint in self._right
        return self.passed


def _algorithms(pins: tuple[HostKeyPin, ...], *, without: set[str | None]) -> list[str]:
    """Signature algorithms to offer: those of the pinned keys first, then all others.

    The others make a server that has only a key of another type show it, so that the error can
    say what was seen.
    """
    pinned = [pin.key_type for pin in pins if pin.key_type is not None]
    types = [*dict.fromkeys([*pinned, *HOST_KEY_ALGORITHMS])]
    return [
        algorithm
        for key_type in types
        if key_type not in without
        for algorithm in HOST_KEY_ALGORITHMS[key_type]
    ]


def _may_show_another(pins: tuple[HostKeyPin, ...], shown: list[_KeyCheck]) -> bool:
    # Counted, too: a server may show what it was not asked for, again and again.
    left = len(shown) < len(HOST_KEY_ALGORITHMS)
    return left and any(pin.key_type is None for pin in pins)


async def _connect(
    address: SftpAddress,
    options: SftpOptions,
    key: Credential,
    check: _KeyCheck,
    host_key_algorithms: list[str],
) -> Session:
    connection: asyncssh.SSHClientConnection | None = None
    try:
        async with asyncio.timeout(options.login_timeout_s):
            connection = await asyncssh.connect(
                address.host,
                address.port,
                options=_connection_options(options, key, check, host_key_algorithms),
                config=None,
            )
            channel = await SftpChannel.open(connection)
    except BaseException as error:
        if connection is not None:
            connection.abort()
        # Whatever the engine raises becomes ours; a bug of this adapter comes as PluginError.
        if isinstance(error, Exception):
            raise translated(error, f"logging in at {address}") from error
        raise
    conversation = channel.conversation
    watch = SilenceWatch(
        options.inactivity_timeout_s, lambda: conversation.waiting > 0, connection.abort
    )
    channel.watch = watch
    endpoint = Endpoint(address.host, address.port, check.fingerprint)
    return Session(connection, channel, endpoint, watch)


def _connection_options(
    options: SftpOptions, key: Credential, check: _KeyCheck, host_key_algorithms: list[str]
) -> asyncssh.SSHClientConnectionOptions:
    return asyncssh.SSHClientConnectionOptions(
        client_factory=lambda: check,
        config=None,
        username=options.user,
        client_keys=[key],
        preferred_auth=["publickey"],
        public_key_auth=True,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        # A server that lets anybody in proves nothing about whose reports these are.
        disable_trivial_auth=True,
        agent_path=None,
        agent_forwarding=False,
        gss_host=None,
        gss_auth=False,
        gss_kex=False,
        known_hosts=_NO_KNOWN_HOSTS,
        x509_trusted_certs=[],
        x509_trusted_cert_paths=[],
        server_host_key_algs=host_key_algorithms,
        encryption_algs=_CIPHERS,
        compression_algs=["none"],
        utf8_decode_errors="replace",
        login_timeout=0,
        env=None,
        send_env=None,
        x11_forwarding=False,
    )
