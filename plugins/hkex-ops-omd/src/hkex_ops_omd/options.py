"""What an operator sets for market data by multicast: lines, buffers, retransmission servers.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. Knows no
socket. Used by the doors of :mod:`hkex_ops_omd.opening`; other options of this distribution are
made of the same pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

from attrs import Attribute, field, frozen

from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint, SiteRole

__all__ = [
    "ChannelLines",
    "MulticastLine",
    "MulticastOptions",
    "RecoveryLines",
    "RetransmissionOptions",
    "RetransmissionServer",
    "RetransmissionSite",
    "addresses_of",
    "positive",
    "require_interface",
    "require_no_group_twice",
]

# Two seconds of the busiest traffic seen (performance figures of the field); the kernel gives as
# much as this process may have.
RECEIVE_BUFFER_BYTES = 32 * 1024 * 1024

# Packets taken from the kernel and not yet asked for. Beyond, nothing more is taken: the kernel's
# buffer fills, and what it then drops is counted.
PENDING_LIMIT_PACKETS = 8_192

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 10

# How long a session is kept for the next gap: gaps come in bursts, and another process with the
# same user should not wait for long.
LINGER_S = 1

# How long a user who is connected elsewhere is waited for.
BUSY_WAIT_S = 5

# Username of Logon (101), ASCII, NUL padded.
USER_BYTES = 12

_LAST_CHANNEL = 0xFFFF


def positive(_: object, attribute: Attribute[int], number: int) -> None:
    """An attrs validator: at least 1."""
    if number < 1:
        raise ConfigError(f"{attribute.name} is {number} and must be at least 1")


def require_interface(name: str, text: str) -> None:
    """`ConfigError` unless ``text`` can be the address of an interface of this machine."""
    if not _is_address(text) or IPv4Address(text).is_multicast:
        raise ConfigError(
            f"{name} is {text!r}: write the IPv4 address of the local interface that the lines "
            "come in by, such as 127.0.0.1"
        )


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _channel(_: object, attribute: Attribute[int], number: int) -> None:
    if not 0 <= number <= _LAST_CHANNEL:
        raise ConfigError(
            f"{attribute.name} is {number} and must be from 0 to {_LAST_CHANNEL}, as the "
            "Connectivity Guide numbers them"
        )


@frozen
class MulticastLine:
    """One line: its group and UDP port; ``interface`` where it comes by another than the rest."""

    group: str
    port: int
    interface: str | None = None

    def __attrs_post_init__(self) -> None:
        if not _is_address(self.group) or not IPv4Address(self.group).is_multicast:
            raise ConfigError(
                f"group is {self.group!r}: write a multicast address, from 224.0.0.0 to "
                "239.255.255.255"
            )
        if not 0 < self.port < 65536:
            raise ConfigError(f"port of {self.group} is {self.port} and must be from 1 to 65535")
        if self.interface is not None:
            require_interface(f"interface of {self}", self.interface)

    def __str__(self) -> str:
        return f"{self.group} port {self.port}"


def require_no_group_twice(lines: Iterable[tuple[str, MulticastLine]]) -> None:
    """`ConfigError` when two of the named lines are one: their packets could not be told apart."""
    seen: dict[tuple[str, int], str] = {}
    for name, line in lines:
        other = seen.setdefault((line.group, line.port), name)
        if other != name:
            raise ConfigError(f"{line} is both {other} and {name}: each line has its own")


@frozen
class ChannelLines:
    """One channel: lines A and B with identical messages, and the lines of its refresh.

    One of ``line_a`` and ``line_b`` must be there; with a single one every loss is a gap.
    ``refresh_a`` and ``refresh_b`` are joined only while a refresh is asked for.
    """

    channel: int = field(validator=_channel)
    line_a: MulticastLine | None = None
    line_b: MulticastLine | None = None
    refresh_a: MulticastLine | None = None
    refresh_b: MulticastLine | None = None

    def __attrs_post_init__(self) -> None:
        if self.line_a is None and self.line_b is None:
            raise ConfigError(f"channel {self.channel} has neither line_a nor line_b: write both")

    def named_lines(self) -> Iterator[tuple[str, MulticastLine]]:
        """Every line that is set, with the name that an operator would know it by."""
        for name in ("line_a", "line_b", "refresh_a", "refresh_b"):
            line: MulticastLine | None = getattr(self, name)
            if line is not None:
                yield f"{name} of channel {self.channel}", line


@frozen
class RecoveryLines:
    """The disaster recovery channel: heartbeats, and signal 105 once the site has failed over."""

    channel: int = field(validator=_channel)
    line_a: MulticastLine
    line_b: MulticastLine | None = None

    def named_lines(self) -> Iterator[tuple[str, MulticastLine]]:
        """Every line that is set, with the name that an operator would know it by."""
        yield "line_a of recovery", self.line_a
        if self.line_b is not None:
            yield "line_b of recovery", self.line_b


@frozen
class RetransmissionServer:
    """The address of one retransmission server."""

    host: str
    port: int

    def __attrs_post_init__(self) -> None:
        if not self.host.strip():
            raise ConfigError("host of a retransmission server is empty")
        if not 0 < self.port < 65536:
            raise ConfigError(f"port of {self.host} is {self.port} and must be from 1 to 65535")

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"


@frozen
class RetransmissionSite:
    """The servers of one site, in the order in which they are tried."""

    servers: tuple[RetransmissionServer, ...] = field(converter=tuple[RetransmissionServer, ...])

    def __attrs_post_init__(self) -> None:
        if not self.servers:
            raise ConfigError("a site has no servers: write at least one")


@frozen(kw_only=True)
class RetransmissionOptions:
    """Who asks for lost messages, and where.

    ``users`` are tried in order where one is connected already, for the exchange allows one
    session each; processes that share this table want as many users, or wait for each other, for
    ``busy_wait_s`` at most. ``sites`` are keyed ``primary`` and ``secondary``: any server may be
    used whichever site is active, so those of the site that was opened come first and the other's
    after. Never two at once. A session is hung up ``linger_s`` seconds after the last answer.
    """

    users: tuple[str, ...] = field(converter=tuple[str, ...])
    sites: dict[str, RetransmissionSite]
    connect_timeout_s: int = field(default=CONNECT_TIMEOUT_S, validator=positive)
    answer_timeout_s: int = field(default=ANSWER_TIMEOUT_S, validator=positive)
    busy_wait_s: int = field(default=BUSY_WAIT_S, validator=positive)
    linger_s: int = field(default=LINGER_S, validator=positive)

    def __attrs_post_init__(self) -> None:
        if not self.users:
            raise ConfigError("retransmission has no users: write the user the exchange gave you")
        for user in self.users:
            if not user.isascii() or not user.isprintable() or not 0 < len(user) <= USER_BYTES:
                raise ConfigError(
                    f"user {user!r} of retransmission must be 1 to {USER_BYTES} ASCII letters"
                )
        if len(set(self.users)) < len(self.users):
            raise ConfigError("retransmission names a user twice")
        roles = [str(role) for role in SiteRole]
        for name in self.sites:
            if name not in roles:
                raise ConfigError(f"there is no site {name!r}; sites are {' and '.join(roles)}")
        if not self.sites:
            raise ConfigError("retransmission has no sites: write the servers of one at least")

    def servers(self, site: SiteRole) -> tuple[RetransmissionServer, ...]:
        """Every server in the order in which they are tried from ``site``."""
        sites = [self.sites.get(role.value) for role in (site, site.other)]
        return tuple(server for one in sites if one is not None for server in one.servers)


def _tuple_of_channels(channels: Iterable[ChannelLines]) -> tuple[ChannelLines, ...]:
    return tuple(channels)


@frozen(kw_only=True)
class MulticastOptions:
    """The options of the market feed ``omd-multicast``.

    ``interface`` is the address of the local interface that the lines come in by. The kernel is
    asked for ``receive_buffer_bytes`` per line; what it gave stands in the feed's health.
    ``pending_limit_packets`` bounds what is taken from the kernel and waits to be asked for.
    """

    interface: str
    channels: tuple[ChannelLines, ...] = field(converter=_tuple_of_channels)
    recovery: RecoveryLines | None = None
    retransmission: RetransmissionOptions | None = None
    receive_buffer_bytes: int = field(default=RECEIVE_BUFFER_BYTES, validator=positive)
    pending_limit_packets: int = field(default=PENDING_LIMIT_PACKETS, validator=positive)

    def __attrs_post_init__(self) -> None:
        require_interface("interface", self.interface)
        if not self.channels:
            raise ConfigError("there are no channels: write at least one")
        numbers = [one.channel for one in self.channels]
        if self.recovery is not None:
            numbers.append(self.recovery.channel)
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise ConfigError(f"channel {twice[0]} is there twice: write all its lines in one")
        require_no_group_twice(self._named_lines())

    def _named_lines(self) -> Iterator[tuple[str, MulticastLine]]:
        for one in self.channels:
            yield from one.named_lines()
        if self.recovery is not None:
            yield from self.recovery.named_lines()


def addresses_of(options: MulticastOptions, site: SiteRole) -> tuple[Endpoint, ...]:
    """The retransmission servers tried from ``site``, in order."""
    if options.retransmission is None:
        return ()
    return tuple(Endpoint(one.host, one.port) for one in options.retransmission.servers(site))
