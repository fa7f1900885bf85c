"""One channel of a pipeline: its arbiter, and the short way past it.

Nearly every packet is simply the next one of its channel, a copy of one that is known, or one that
overtook a packet which comes a moment later. Such packets never reach the arbiter, which would cost
more than everything else together. Whatever is not so plain goes to it, and it is first told where
the channel stands and what waits. Once in a while a plain packet of each line goes there too, so
that it knows which lines are heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from hkex_ops.flows.index.straight_trades import TradeFields
from hkex_ops.model import JsonObject
from hkex_ops.omd import Codec
from hkex_ops.omd.events import LineEvent, SequenceRestarted
from hkex_ops.omd.line import Arbiter
from hkex_ops.omd.ordering import LineLimits

__all__ = ["CAREFUL_NS", "IN_CARE", "LOOK_EVERY_NS", "MOST_EARLY", "Early", "Lane"]

IN_CARE = -1
"""What stands in the place of the next number while the arbiter holds something: no packet begins
with it."""

LOOK_EVERY_NS = 1_000_000_000
"""How often each line's packet goes to the arbiter, which takes a line for silent after seconds."""

CAREFUL_NS = 10_000_000_000
"""How long the arbiter keeps a channel whose numbers began anew within the day."""

MOST_EARLY = 4_096
"""Packets that may wait for one that they overtook; with more the arbiter holds them."""


Early: TypeAlias = tuple[bytes, int, int, str, int, Sequence[TradeFields]]
"""A packet that came before one with lower numbers: its bytes, count of messages, when it was sent,
line, when it came, and the trades that were found in it."""


class Lane:
    """One channel. ``next`` is the number of its next message, or `IN_CARE`; ``early`` are packets
    that begin further on, by their first number, for as long as nobody is told of a gap."""

    __slots__ = (
        "_careful_until_ns",
        "_early_since_ns",
        "_looked_ns",
        "_wait_ns",
        "arbiter",
        "early",
        "next",
        "open_gaps",
    )

    def __init__(self, channel: int, codec: Codec, limits: LineLimits | None) -> None:
        self.arbiter: Arbiter = Arbiter(channel, codec, limits=limits)
        self.next: int = IN_CARE
        self.early: dict[int, Early] = {}
        self._early_since_ns = 0
        self.open_gaps: set[tuple[int, int]] = set()
        self._wait_ns = (limits or LineLimits()).gap_wait_ns
        self._looked_ns: dict[str, int] = {}
        self._careful_until_ns = 0

    @property
    def next_sequence(self) -> int:
        """The number of the next message, whoever has the channel in hand."""
        return self.arbiter.next_sequence if self.next == IN_CARE else self.next

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        if self.next != IN_CARE:
            return not self.early
        return not (self.open_gaps or self.arbiter.missing)

    def is_to_look(self, line: str, at_ns: int) -> bool:
        """Whether the next packet of ``line`` goes to the arbiter, however plain it is."""
        return at_ns - self._looked_ns.get(line, 0) >= LOOK_EVERY_NS

    def wait_anew(self, at_ns: int) -> None:
        """What is early from here on waits for something else than what has come."""
        self._early_since_ns = at_ns

    def is_overdue(self, at_ns: int) -> bool:
        """Whether what is early has waited so long that a gap is to be told."""
        return at_ns - self._early_since_ns >= self._wait_ns

    def handle(self, packet: bytes, line: str, at_ns: int) -> tuple[LineEvent, ...]:
        """A packet for the arbiter."""
        self._looked_ns[line] = at_ns
        told = self._inform()
        return self._settled((*told, *self.arbiter.handle(packet, line, at_ns)), at_ns)

    def poll(self, at_ns: int) -> tuple[LineEvent, ...]:
        """What has come of waiting by now."""
        if self.early and not self.is_overdue(at_ns):
            return ()
        told = self._inform()
        return self._settled((*told, *self.arbiter.poll(at_ns)), at_ns)

    def abandon(self, begin: int, end: int, at_ns: int) -> tuple[LineEvent, ...]:
        """Messages will not come."""
        told = self._inform()
        return self._settled((*told, *self.arbiter.abandon(begin, end, at_ns)), at_ns)

    def resume(self, last: int, at_ns: int) -> tuple[LineEvent, ...]:
        """A refresh showed the state after message ``last``."""
        told = self._inform()
        return self._settled((*told, *self.arbiter.resume(last, at_ns)), at_ns)

    def snapshot(self) -> JsonObject:
        """Where the channel stands, as plain data. What waits is not in it, and will come again."""
        return {**self.arbiter.snapshot(), "next_sequence": self.next_sequence}

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood."""
        self.arbiter.restore(snapshot)
        self.open_gaps.clear()
        self.early.clear()
        self.next = IN_CARE

    def _settled(self, events: tuple[LineEvent, ...], at_ns: int) -> tuple[LineEvent, ...]:
        """Take the channel back from the arbiter, if it holds nothing and waits for nothing.

        After a Sequence Reset within the day packets of the old numbers may still come, and only
        the arbiter tells them by their time.
        """
        for event in events:
            if isinstance(event, SequenceRestarted) and event.previous > 1:
                self._careful_until_ns = at_ns + CAREFUL_NS
        arbiter = self.arbiter
        if not arbiter.missing and at_ns >= self._careful_until_ns:
            self.next = arbiter.next_sequence
        return events

    def _inform(self) -> tuple[LineEvent, ...]:
        """Tell the arbiter how far the channel has come without it, and what waits."""
        arbiter = self.arbiter
        if self.next not in (IN_CARE, arbiter.next_sequence):
            arbiter.restore({**arbiter.snapshot(), "next_sequence": self.next})
        self.next = IN_CARE
        if not self.early:
            return ()
        waiting = list(self.early.values())
        self.early.clear()
        return tuple(
            event
            for packet, _, _, line, at_ns, _ in waiting
            for event in arbiter.handle(packet, line, at_ns)
        )
