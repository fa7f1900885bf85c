"""What an operator sets: the mail server, who we are there, who writes and who is written to.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. Secrets are
named by the file they lie in and never held here. Knows no network and opens no file.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from attrs import Attribute, field, frozen

from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint, SiteRole, TickKind

__all__ = [
    "LineSecurity",
    "MailNotifierOptions",
    "MailPublisherOptions",
    "MailServerOptions",
    "addresses_of",
    "is_address",
]

# A server that looks up who we are takes a second or two, and the next values come after fifteen.
TIMEOUT_S = 12

# One mail goes to a handful of lists; whoever has more people makes a list.
MOST_RECIPIENTS = 100

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")

_HOST = re.compile(r"[A-Za-z0-9.:-]+")


class LineSecurity(StrEnum):
    """How the line to the mail server is protected."""

    STARTTLS = "starttls"  # asked for on the line, before anything about us is said
    TLS = "tls"  # from the first byte
    NONE = "none"


_PORTS = {LineSecurity.STARTTLS: 587, LineSecurity.TLS: 465, LineSecurity.NONE: 25}


def is_address(text: str) -> bool:
    """Whether ``text`` is a plain mail address, which no header or command takes for more."""
    return _ADDRESS.fullmatch(text) is not None and len(text) <= 254


def _positive(_: object, attribute: Attribute[int], number: int) -> None:
    if number < 1:
        raise ConfigError(f"{attribute.name} is {number} and must be at least 1")


def _host(_: object, attribute: Attribute[str], text: str) -> None:
    may_be_empty = attribute.default == ""
    if not _HOST.fullmatch(text) and (text or not may_be_empty):
        raise ConfigError(f"{attribute.name} is {text[:80]!r}: write a name or an address")


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


def _address(_: object, attribute: Attribute[str], text: str) -> None:
    if not is_address(text):
        raise ConfigError(f"{attribute.name} is {text[:80]!r}: write an address, name@domain")


def _addresses(_: object, attribute: Attribute[tuple[str, ...]], texts: tuple[str, ...]) -> None:
    for text in texts:
        if not is_address(text):
            raise ConfigError(f"{attribute.name} has {text[:80]!r}: write addresses, name@domain")


def _one_line(_: object, attribute: Attribute[str], text: str) -> None:
    if text and (not (text.isascii() and text.isprintable()) or len(text) > 60):
        raise ConfigError(f"{attribute.name} must be one line of ASCII, 60 characters at most")


def _tuple(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts)


def _kinds(kinds: Iterable[str | TickKind]) -> tuple[TickKind, ...]:
    return tuple(TickKind(kind) for kind in kinds)


@frozen(kw_only=True)
class MailServerOptions:
    """How mail is handed over.

    ``host`` and ``port`` (587, 465 or 25 by ``security``) are the server's. It proves who it is by
    a certificate that an authority in ``ca_file`` signed (the system's authorities without one);
    ``security = "none"`` is for this machine, for others it needs ``allow_plain``. ``user`` logs in
    with the password in ``password_file`` or by XOAUTH2 with the token in ``token_file``, which is
    read again for each mail. ``helo_name`` is what we call ourselves, the machine's name by
    default. ``timeout_s`` bounds one mail from the connection to the receipt.
    """

    host: str = field(validator=_host)
    port: int | None = None
    security: LineSecurity = LineSecurity.STARTTLS
    allow_plain: bool = False
    ca_file: Path | None = field(default=None, converter=_path)
    user: str = field(default="", validator=_one_line)
    password_file: Path | None = field(default=None, converter=_path)
    token_file: Path | None = field(default=None, converter=_path)
    helo_name: str = field(default="", validator=_host)
    timeout_s: int = field(default=TIMEOUT_S, validator=_positive)

    def __attrs_post_init__(self) -> None:
        if self.port is not None and not 0 < self.port < 65536:
            raise ConfigError(f"port is {self.port} and must be from 1 to 65535")
        is_plain = self.security is LineSecurity.NONE
        if is_plain and not (self.allow_plain or self.is_this_machine):
            raise ConfigError(
                f"{self.host} would be spoken to without protection: set security to 'starttls' or "
                "'tls', or allow_plain if nobody else can listen on that line"
            )
        ways = sum(way is not None for way in (self.password_file, self.token_file))
        if ways > 1:
            raise ConfigError("password_file and token_file are two ways to log in: give one")
        if bool(self.user) != bool(ways):
            raise ConfigError(
                "user belongs together with password_file or token_file: give both or neither"
            )

    @property
    def address(self) -> Endpoint:
        """Where the server is."""
        return Endpoint(self.host, _PORTS[self.security] if self.port is None else self.port)

    @property
    def is_this_machine(self) -> bool:
        """Whether a line to it never leaves the machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@frozen(kw_only=True)
class MailPublisherOptions(MailServerOptions):
    """The options of the index publisher ``mail``.

    ``sender`` writes to ``recipients``, who see each other, and ``hidden_recipients``, who are not
    seen. Only ticks of ``kinds`` are written, by default those of the contingency system. A
    ``notice``, such as ``SYNTHETIC``, opens subject and text of every mail.
    """

    sender: str = field(validator=_address)
    recipients: tuple[str, ...] = field(default=(), converter=_tuple, validator=_addresses)
    hidden_recipients: tuple[str, ...] = field(default=(), converter=_tuple, validator=_addresses)
    kinds: tuple[TickKind, ...] = field(default=(TickKind.CONTINGENCY,), converter=_kinds)
    notice: str = field(default="", validator=_one_line)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.everybody:
            raise ConfigError("nobody is written to: give recipients or hidden_recipients")
        if len(self.everybody) > MOST_RECIPIENTS:
            raise ConfigError(
                f"{len(self.everybody)} addresses are written to and {MOST_RECIPIENTS} are the "
                "most: make a list of them on the mail server"
            )

    @property
    def everybody(self) -> tuple[str, ...]:
        """Every address once, those that are seen first."""
        return tuple(dict.fromkeys((*self.recipients, *self.hidden_recipients)))


@frozen(kw_only=True)
class MailNotifierOptions(MailServerOptions):
    """The options of the notifier ``mail``.

    ``sender`` writes. Receivers do not see each other, unless ``shows_receivers``. A ``notice``,
    such as ``REHEARSAL``, opens subject and text of every mail.
    """

    sender: str = field(validator=_address)
    shows_receivers: bool = False
    notice: str = field(default="", validator=_one_line)


def addresses_of(options: MailServerOptions, site: SiteRole) -> tuple[Endpoint, ...]:
    """The server: the same at either site."""
    return (options.address,)
