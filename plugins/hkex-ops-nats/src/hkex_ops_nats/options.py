"""What an operator sets: which servers, who we are there, which stream, and how much it keeps.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. Secrets are
named by the file they lie in and never held here. Knows no network and opens no file.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint, SiteRole

__all__ = [
    "NatsFeedOptions",
    "NatsOptions",
    "NatsPublisherOptions",
    "NatsServer",
    "addresses_of",
]

NATS_PORT = 4222
STREAM = "HKEX-INDEX"
SUBJECT_PREFIX = "hkex.index"

# A server that is well answers within milliseconds; two seconds are the interval of an index.
CONNECT_TIMEOUT_S = 2
ANSWER_TIMEOUT_S = 2

# A call may leave a server that does not answer for the next one, and try again; then the next
# moment is more important.
PUBLISH_TIMEOUT_S = 4

# Long enough for a cluster to elect a new leader several times over.
RECONNECT_TIMEOUT_S = 60

# A week of ticks, so that whoever missed a day can hear it again.
MAX_AGE_S = 7 * 24 * 3600

# How long the stream recognises what it has already: an engine that was restarted and catches up
# repeats minutes, not hours. 47 indexes every two seconds are 85,000 names in an hour.
DUPLICATE_WINDOW_S = 3600

# JetStream's own limit.
MOST_REPLICAS = 5

ALL = "all"
NEW = "new"
LAST = "last"
_WORDS = (ALL, NEW, LAST)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_SUBJECT = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)


@frozen
class NatsServer:
    """One address to connect to, and whether the line must be protected by TLS."""

    host: str
    port: int
    is_protected: bool

    @classmethod
    def parse(cls, text: str) -> NatsServer:
        """From ``tls://HOST:PORT`` or ``nats://HOST:PORT``; `ConfigError` for anything else."""
        url = urlsplit(text)
        if url.username is not None or url.password is not None:
            # Out of the text on purpose: it holds a secret.
            raise ConfigError(
                f"a server is written as {url.scheme}://…@{url.hostname}: leave user and password "
                "out, and name the files they lie in"
            )
        try:
            port = NATS_PORT if url.port is None else url.port
        except ValueError:
            port = 0
        if url.scheme not in ("tls", "nats") or not url.hostname or url.path or not port:
            raise ConfigError(f"{text[:80]!r} is no server: write tls://HOST:PORT")
        return cls(url.hostname, port, url.scheme == "tls")

    @property
    def is_this_machine(self) -> bool:
        """Whether a line to it never leaves the machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def url(self) -> str:
        """As the client library wants it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.is_protected else 'nats'}://{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"


def _positive(_: object, attribute: Attribute[int], number: int) -> None:
    if number < 1:
        raise ConfigError(f"{attribute.name} is {number} and must be at least 1")


def _name(_: object, attribute: Attribute[str], text: str) -> None:
    if not _NAME.fullmatch(text):
        raise ConfigError(
            f"{attribute.name} is {text[:80]!r}: use letters, digits, '-' and '_', 64 at most"
        )


def _subject(_: object, attribute: Attribute[str], text: str) -> None:
    if not _SUBJECT.fullmatch(text):
        raise ConfigError(
            f"{attribute.name} is {text[:80]!r}: use words of letters, digits, '-' and '_' with "
            "dots between them"
        )


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


def _tuple(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(texts)


@frozen(kw_only=True)
class NatsOptions:
    """What publisher and feed have in common.

    ``servers`` are tried in their order; ``tls://`` ones prove who they are by a certificate that
    an authority in ``ca_file`` signed (the system's authorities without one). ``nats://`` is for
    this machine; for others it needs ``allow_plain``. We are known by a client certificate
    (``certificate_file``, ``key_file``), by ``credentials_file`` (JWT and seed), by ``nkey_file``
    (seed) or by ``user`` with ``password_file``. ``stream`` and ``subject_prefix`` say where ticks
    lie. ``connect_timeout_s`` bounds one server's login, ``answer_timeout_s`` one answer.
    """

    servers: tuple[str, ...] = field(converter=_tuple)
    allow_plain: bool = False
    ca_file: Path | None = field(default=None, converter=_path)
    certificate_file: Path | None = field(default=None, converter=_path)
    key_file: Path | None = field(default=None, converter=_path)
    credentials_file: Path | None = field(default=None, converter=_path)
    nkey_file: Path | None = field(default=None, converter=_path)
    user: str = ""
    password_file: Path | None = field(default=None, converter=_path)
    stream: str = field(default=STREAM, validator=_name)
    subject_prefix: str = field(default=SUBJECT_PREFIX, validator=_subject)
    connect_timeout_s: int = field(default=CONNECT_TIMEOUT_S, validator=_positive)
    answer_timeout_s: int = field(default=ANSWER_TIMEOUT_S, validator=_positive)

    def __attrs_post_init__(self) -> None:
        if not self.servers:
            raise ConfigError("servers is empty: write at least one")
        for server in self.addresses:
            if not (server.is_protected or server.is_this_machine or self.allow_plain):
                raise ConfigError(
                    f"{server} would be spoken to without protection: write tls://, or set "
                    "allow_plain if nobody else can listen on that line"
                )
        if (self.certificate_file is None) != (self.key_file is None):
            raise ConfigError("certificate_file and key_file belong together: give both or neither")
        if bool(self.user) != (self.password_file is not None):
            raise ConfigError("user and password_file belong together: give both or neither")
        ways = (self.credentials_file, self.nkey_file, self.password_file)
        if sum(way is not None for way in ways) > 1:
            raise ConfigError(
                "credentials_file, nkey_file and password_file are three ways to log in: give one"
            )

    @property
    def addresses(self) -> tuple[NatsServer, ...]:
        """The servers, read."""
        return tuple(NatsServer.parse(text) for text in self.servers)


@frozen(kw_only=True)
class NatsPublisherOptions(NatsOptions):
    """The options of the index publisher ``nats``.

    ``timeout_s`` bounds one call, however many servers it tries. ``create_stream`` makes the stream
    when there is none; one that exists must be as the options say: ``replicas``, how long it keeps
    a message (``max_age_s``), how much it keeps (``max_size_bytes``, no limit by default) and how
    long it recognises what it has (``duplicate_window_s``). ``compare_duplicates`` reads what
    another engine published for the same moment, and publishes an event where the values differ.
    """

    timeout_s: int = field(default=PUBLISH_TIMEOUT_S, validator=_positive)
    create_stream: bool = True
    replicas: int = field(default=1, validator=_positive)
    max_age_s: int = field(default=MAX_AGE_S, validator=_positive)
    max_size_bytes: int | None = None
    duplicate_window_s: int = field(default=DUPLICATE_WINDOW_S, validator=_positive)
    compare_duplicates: bool = True

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.replicas > MOST_REPLICAS or self.replicas % 2 == 0:
            raise ConfigError(f"replicas is {self.replicas} and must be 1, 3 or {MOST_REPLICAS}")
        if self.duplicate_window_s > self.max_age_s:
            raise ConfigError("duplicate_window_s is longer than max_age_s: make it shorter")
        if self.max_size_bytes is not None and self.max_size_bytes < 1:
            raise ConfigError(f"max_size_bytes is {self.max_size_bytes} and must be at least 1")


@frozen(kw_only=True)
class NatsFeedOptions(NatsOptions):
    """The options of the index feed ``nats``.

    ``start`` is ``all`` that is kept, what is ``new`` once the feed is open, the ``last`` tick of
    each index and then what is new, or the ticks of a moment and later ones
    (``2026-02-02T09:30:00+08:00``); ``start_sequence`` is a place of the stream instead. Without
    ``follow`` the feed ends when it has given what was kept when it was opened. ``durable`` is the
    name under which the servers remember how far this reader came; ``start`` then says where it
    begins the first time. ``reconnect_timeout_s`` is how long a lost line is tried again.
    """

    start: str = NEW
    start_sequence: int | None = None
    follow: bool = True
    durable: str = ""
    reconnect_timeout_s: int = field(default=RECONNECT_TIMEOUT_S, validator=_positive)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.start not in _WORDS:
            _moment(self.start)
        if self.start_sequence is not None and self.start_sequence < 1:
            raise ConfigError(f"start_sequence is {self.start_sequence} and must be at least 1")
        if self.durable and not _NAME.fullmatch(self.durable):
            raise ConfigError(
                f"durable is {self.durable[:80]!r}: use letters, digits, '-' and '_', 64 at most"
            )
        if self.start == NEW and self.start_sequence is None and not (self.follow or self.durable):
            raise ConfigError(
                "start is 'new' and follow is false, so nothing would ever be read: set follow, or "
                "start at 'all'"
            )

    @property
    def since(self) -> datetime | None:
        """The moment of the first tick that is wanted; ``None`` where ``start`` is a word."""
        return None if self.start in _WORDS else _moment(self.start)


def addresses_of(options: NatsOptions, site: SiteRole) -> tuple[Endpoint, ...]:
    """The servers in the order in which they are tried: the same at either site."""
    return tuple(Endpoint(server.host, server.port) for server in options.addresses)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(
            f"start is {text[:40]!r}: write 'all', 'new', 'last' or a date and time with its zone, "
            "such as 2026-02-02T09:30:00+08:00"
        )
    return moment
