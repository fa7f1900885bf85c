"""What time it is on a feed: the machine's own on a live one, a capture's as it was recorded.

A capture of the morning, read at full speed in the evening, must settle and give up by the times at
which its packets were taken, or every line would seem silent since the morning. A feed that waits
for its reader has no time but that of its packets: it stands still between two of them, however
long somebody works on the first. Called by whoever works on a feed's packets.
"""

from __future__ import annotations

from datetime import datetime

from hkex_ops.clock import Clock
from hkex_ops.index.ticks import moment_of, time_ns_of
from hkex_ops.ports import MarketFeed, PacketBatch, SupportsPause

__all__ = ["LIVE_WITHIN_S", "FeedTime", "is_patient"]

LIVE_WITHIN_S = 60
"""A feed whose packets are older than this is no live one."""

_NS_PER_S = 1_000_000_000


def is_patient(feed: MarketFeed) -> bool:
    """Whether a feed waits for whoever reads it."""
    return isinstance(feed, SupportsPause) and feed.waits_for_reader


class FeedTime:
    """The time of one feed. Before the first packet it is the machine's. ``stands``: between two
    packets it does not run."""

    def __init__(self, clock: Clock, *, stands: bool = False) -> None:
        self._clock = clock
        self._stands = stands
        self._stood_ns = 0
        self._lag_ns = 0
        self.begun: bool = False
        """Whether a packet has come."""

    def at(self, batch: PacketBatch) -> datetime:
        """When ``batch`` came, by the feed's time."""
        self.begun = True
        if self._stands:
            self._stood_ns = max(self._stood_ns, batch.received_ns)
            return moment_of(batch.received_ns)
        now = self._clock.now()
        lag_ns = time_ns_of(now) - batch.received_ns
        if lag_ns < LIVE_WITHIN_S * _NS_PER_S:
            self._lag_ns = 0
            return now
        self._lag_ns = lag_ns
        return moment_of(batch.received_ns)

    def skip(self, by_ns: int) -> None:
        """So much time passes in which nothing came; where it runs by itself, that is waited for
        elsewhere."""
        self._stood_ns += by_ns if self._stood_ns else 0

    def now_ns(self) -> int:
        """The feed's time, as nanoseconds: since its last packet it runs as any other, or stands
        still."""
        if self._stood_ns:
            return self._stood_ns
        return time_ns_of(self._clock.now()) - self._lag_ns

    def now(self) -> datetime:
        """The feed's time."""
        shifted = self._lag_ns or self._stood_ns
        return moment_of(self.now_ns()) if shifted else self._clock.now()
