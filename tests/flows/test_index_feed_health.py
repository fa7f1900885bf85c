"""What a machine dropped or refused is told once, and a line that goes on dropping again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from attrs import define

from hkex_ops.flows.index.feed_health import (
    LOOK_EVERY_S,
    BufferRefused,
    FeedHealth,
    PacketsDropped,
)
from hkex_ops.ports import FeedLine, LineHealth, PacketBatch

A, B = FeedLine.A, FeedLine.B


@define
class Feed:
    """A feed that hears nothing and says how it would."""

    lines: Sequence[LineHealth]
    channels: Sequence[int] = (30,)

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        """Nothing."""
        for batch in ():
            yield batch

    def health(self) -> Sequence[LineHealth]:
        """As it was told to."""
        return self.lines


@define
class Deaf:
    """A feed that does not know how well it is heard, such as a capture's."""

    channels: Sequence[int] = (30,)

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        """Nothing."""
        for batch in ():
            yield batch


def line(line: FeedLine, dropped: int | None = 0, given: int = 8) -> LineHealth:
    return LineHealth(30, line, 100, dropped, given, 8)


def test_dropped_packets_are_told_as_they_grow() -> None:
    health = FeedHealth(Feed(()))
    assert [] == list(health.look([line(A), line(B, None)]))
    assert [PacketsDropped(30, "A", 3)] == list(health.look([line(A, 3), line(B)]))
    assert [] == list(health.look([line(A, 3), line(B)]))
    assert [PacketsDropped(30, "A", 4), PacketsDropped(30, "B", 1)] == list(
        health.look([line(A, 7), line(B, 1)])
    )


def test_a_machine_that_gives_less_room_than_wanted_is_told_of_once_for_all_lines() -> None:
    health = FeedHealth(Feed(()))
    poor = [line(A, given=4), line(B, given=4)]
    assert [BufferRefused(("30 A", "30 B"), 4, 8)] == list(health.look(poor))
    assert [] == list(health.look(poor))


def test_a_feed_is_asked_now_and_then_and_only_one_that_knows() -> None:
    feed = Feed([line(A, 3)])
    health, deaf = FeedHealth(feed), FeedHealth(Deaf())
    expected = {
        "say": "told",
        "kind": "packets-dropped",
        "fields": {"channel": 30, "line": "A", "dropped_packets": 3},
    }
    assert ([expected], []) == (list(health.lines(0)), list(deaf.lines(0)))
    feed.lines = [line(A, 5)]
    every_ns = LOOK_EVERY_S * 1_000_000_000
    assert [0, 1] == [len(list(health.lines(at))) for at in (every_ns - 1, every_ns)]
