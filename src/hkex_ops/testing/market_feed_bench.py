"""What the author of a market feed brings to the contract: the adapter and a back door.

The back door stands on the far side: it puts packets on the lines or records them, keeps what a
retransmission server would, and tells who listens, so that a feed is never its own witness. What
a bench cannot do it leaves as it is here, and the clauses that need it are skipped with that
reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from hkex_ops.ports import FeedLine, MarketFeed, Offer

__all__ = ["MarketFeedBench", "Sent"]


class Sent(NamedTuple):
    """One packet put on a line. ``at_ns`` is when it is recorded, where the feed is a record."""

    channel: int
    line: FeedLine
    packet: bytes
    at_ns: int = 0


class MarketFeedBench(ABC):
    """One adapter and the market it listens to.

    ``is_live`` says whether packets are heard while they are sent; where they are not, they are
    recorded before the feed is opened, and the feed ends with the record. ``time_limit_s`` bounds
    every clause. ``capacity_packets`` is how many may wait unheard without a loss.
    """

    is_live: bool = True
    time_limit_s: int = 10
    capacity_packets: int = 1000

    @property
    @abstractmethod
    def offer(self) -> Offer[MarketFeed]:
        """The adapter under test, as its plug-in offers it."""

    @abstractmethod
    def options(self) -> object:
        """Options of a feed of :attr:`channels`, by lines A and B."""

    @property
    @abstractmethod
    def channels(self) -> Sequence[int]:
        """The real-time channels of the feed: two at least."""

    @abstractmethod
    async def send(self, sent: Sequence[Sent]) -> None:
        """Put packets on the lines, in this order; where the feed is a record, record them."""

    @abstractmethod
    def listeners(self) -> int:
        """How many lines, files or connections of the market are held open by anybody."""

    @property
    def recovery_channel(self) -> int:
        """The disaster recovery channel, to which the options subscribe as well."""
        pytest.skip("this bench has no disaster recovery channel")

    async def send_elsewhere(self, packet: bytes) -> None:
        """Put a packet on a line that the options do not name."""
        pytest.skip("this bench has no other lines")

    async def break_off(self) -> None:
        """Make the feed itself fail after what was sent: a file cut short in mid-packet."""
        pytest.skip("this bench cannot make the feed itself fail")

    # -- retransmission ----------------------------------------------------------------------

    async def keep(self, channel: int, packets: Sequence[bytes]) -> None:
        """Have the server keep these packets, to be asked for again."""
        pytest.skip("this bench has no retransmission server")

    async def take_server_down(self) -> None:
        """Make every retransmission server refuse connections."""
        pytest.skip("this bench has no retransmission server")

    async def bring_server_up(self) -> None:
        """Make the servers take connections again."""
        pytest.skip("this bench has no retransmission server")

    def requests(self) -> Sequence[tuple[int, int, int]]:
        """Every request that a server was sent: channel, begin, end."""
        pytest.skip("this bench has no retransmission server")

    def most_sessions(self) -> int:
        """The greatest number of sessions with all servers that were ever open at once."""
        pytest.skip("this bench has no retransmission server")

    # -- refresh -----------------------------------------------------------------------------

    async def send_refresh(self, channel: int, packet: bytes) -> None:
        """Put a packet on the refresh line of a channel."""
        pytest.skip("this bench has no refresh")

    def refresh_listeners(self, channel: int) -> int:
        """How many listen to the refresh of a channel."""
        pytest.skip("this bench has no refresh")
