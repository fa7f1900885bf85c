"""What an operator sets for index values by multicast: sent out, or heard.

Every fault is a `ConfigError` when the value is made, whether from a file or by hand. Knows no
socket.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import Attribute, field, frozen

from hkex_ops.errors import ConfigError
from hkex_ops_omd.options import (
    MulticastLine,
    positive,
    require_interface,
    require_no_group_twice,
)

__all__ = ["IndexFeedOptions", "IndexNaming", "PublisherOptions"]

# "About every 2 s on an idle channel" (OMD-C specification, section 3.3).
HEARTBEAT_S = 2

# How long a late-comer waits for the state at most twice; the specification states no length.
REFRESH_S = 15

# Some hundred index values, which is minutes of them.
RECEIVE_BUFFER_BYTES = 1024 * 1024
PENDING_LIMIT_PACKETS = 4096

_MOST_TTL = 255
_CODE_BYTES = 11  # IndexCode of messages 70 and 71
_CURRENCY_BYTES = 3


def _ascii(text: str, most: int) -> bool:
    return text.isascii() and text.isprintable() and len(text) <= most


@frozen
class IndexNaming:
    """What Index Definition (70) says of an index: who compiles it, and in which currency.

    ``source`` is C (CSI and CES), H (Hang Seng Indexes) or S (S&P) on the exchange's own feed;
    ``currency`` may be blank.
    """

    source: str = "H"
    currency: str = "HKD"

    def __attrs_post_init__(self) -> None:
        if len(self.source) != 1 or not _ascii(self.source, 1):
            raise ConfigError(f"source of an index is {self.source!r} and must be one ASCII letter")
        if not _ascii(self.currency, _CURRENCY_BYTES):
            raise ConfigError(
                f"currency of an index is {self.currency!r} and must be {_CURRENCY_BYTES} ASCII "
                "letters, or none"
            )


def _ttl(_: object, attribute: Attribute[int], number: int) -> None:
    if not 0 <= number <= _MOST_TTL:
        raise ConfigError(f"{attribute.name} is {number} and must be from 0 to {_MOST_TTL}")


@frozen(kw_only=True)
class _Lines:
    """Lines A and B of the index channel, one of them at least."""

    interface: str
    line_a: MulticastLine | None = None
    line_b: MulticastLine | None = None

    def __attrs_post_init__(self) -> None:
        require_interface("interface", self.interface)
        if self.line_a is None and self.line_b is None:
            raise ConfigError("there is neither line_a nor line_b: write both")
        require_no_group_twice(self.named_lines())

    def named_lines(self) -> Iterator[tuple[str, MulticastLine]]:
        """Every line that is set, with the name that an operator would know it by."""
        for name in ("line_a", "line_b", "refresh_a", "refresh_b"):
            line: MulticastLine | None = getattr(self, name, None)
            if line is not None:
                yield name, line


@frozen(kw_only=True)
class PublisherOptions(_Lines):
    """The options of the index publisher ``omd-multicast``.

    Everything is sent through the local address ``interface`` by lines A and B alike. ``ttl`` is
    how many routers may pass it on: 0 keeps it on this machine, 1 on this network. A line that is
    idle for ``heartbeat_s`` is sent a heartbeat. By ``refresh_a`` and ``refresh_b``, where they
    are set, the latest value of every index goes out every ``refresh_s``. ``indexes`` names, by
    code, those that are not ``index``, as most are.
    """

    refresh_a: MulticastLine | None = None
    refresh_b: MulticastLine | None = None
    ttl: int = field(default=1, validator=_ttl)
    heartbeat_s: int = field(default=HEARTBEAT_S, validator=positive)
    refresh_s: int = field(default=REFRESH_S, validator=positive)
    index: IndexNaming = IndexNaming()
    indexes: dict[str, IndexNaming] = field(factory=dict[str, IndexNaming])

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for code in self.indexes:
            if not code or not _ascii(code, _CODE_BYTES):
                raise ConfigError(
                    f"index code {code!r} must be 1 to {_CODE_BYTES} ASCII letters or digits"
                )

    def naming(self, code: str) -> IndexNaming:
        """What is said of the index with ``code``."""
        return self.indexes.get(code, self.index)


@frozen(kw_only=True)
class IndexFeedOptions(_Lines):
    """The options of the index feed ``omd-multicast``: where Index Data is heard."""

    receive_buffer_bytes: int = field(default=RECEIVE_BUFFER_BYTES, validator=positive)
    pending_limit_packets: int = field(default=PENDING_LIMIT_PACKETS, validator=positive)
