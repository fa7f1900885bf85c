"""How well a feed is heard, looked at now and then, and told when there is something to tell.

A packet that this machine dropped looks like one that the exchange lost, and asks for another
remedy: more room, a quieter machine. Each finding is told once; a line that goes on dropping is
told of again with what it dropped since. Called by engine and contingency processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from attrs import frozen

from hkex_ops.flows.index.events import event_name
from hkex_ops.model import JsonObject
from hkex_ops.ports import LineHealth, MarketFeed, SupportsHealth

__all__ = ["LOOK_EVERY_S", "BufferRefused", "FeedHealth", "HearingEvent", "PacketsDropped"]

LOOK_EVERY_S = 10
"""How often a feed is asked. What it says costs a call to the kernel for every line."""

_NS_PER_S = 1_000_000_000


@frozen
class BufferRefused:
    """This machine gave lines of a feed less room than was asked for: a burst may be dropped.

    ``lines`` are channel and line, such as ``30 A``.
    """

    lines: tuple[str, ...]
    buffer_bytes: int
    wanted_buffer_bytes: int


@frozen
class PacketsDropped:
    """Packets came to this machine and found no room, ``dropped_packets`` since last told."""

    channel: int
    line: str
    dropped_packets: int


HearingEvent: TypeAlias = BufferRefused | PacketsDropped


class FeedHealth:
    """What was found out about one feed so far."""

    def __init__(self, feed: MarketFeed) -> None:
        self._feed = feed
        self._looked_ns: int | None = None
        self._refused: set[tuple[int, str]] = set()
        self._dropped: dict[tuple[int, str], int] = {}

    def lines(self, now_ns: int) -> Iterator[JsonObject]:
        """The lines that tell the supervisor what is new, if it is time to look."""
        if not isinstance(self._feed, SupportsHealth):
            return
        if self._looked_ns is not None and now_ns - self._looked_ns < LOOK_EVERY_S * _NS_PER_S:
            return
        self._looked_ns = now_ns
        for found in self.look(self._feed.health()):
            yield {"say": "told", "kind": event_name(found), "fields": _fields(found)}

    def look(self, lines: Sequence[LineHealth]) -> Iterator[HearingEvent]:
        """What is new in ``lines``, as the feed stands now."""
        poor: list[LineHealth] = []
        for one in lines:
            name = (one.channel, str(one.line))
            if one.buffer_bytes < one.wanted_buffer_bytes and name not in self._refused:
                self._refused.add(name)
                poor.append(one)
            dropped = one.dropped_packets or 0
            if dropped > self._dropped.get(name, 0):
                yield PacketsDropped(*name, dropped - self._dropped.get(name, 0))
                self._dropped[name] = dropped
        if poor:
            # One fact for all lines: the machine gives every socket the same.
            yield BufferRefused(
                tuple(f"{one.channel} {one.line}" for one in poor),
                min(one.buffer_bytes for one in poor),
                poor[0].wanted_buffer_bytes,
            )


def _fields(found: HearingEvent) -> JsonObject:
    if isinstance(found, PacketsDropped):
        return {
            "channel": found.channel,
            "line": found.line,
            "dropped_packets": found.dropped_packets,
        }
    return {
        "lines": list(found.lines),
        "buffer_bytes": found.buffer_bytes,
        "wanted_buffer_bytes": found.wanted_buffer_bytes,
    }
