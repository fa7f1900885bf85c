"""Which lines of a channel are heard: a table of two states, and the time since the last packet.

An idle line sends a heartbeat every two seconds or so; one that brings nothing for longer is
silent. The arbiter's helper: it knows no packet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.omd.events import LineReturned, LineSilent

__all__ = ["LINE_TRANSITIONS", "Hear", "LineState", "LineWatch", "Miss"]


class LineState(StrEnum):
    """Whether anything comes."""

    HEARD = "heard"
    SILENT = "silent"


@frozen
class Hear:
    """A packet came."""


@frozen
class Miss:
    """Nothing came for the limit."""


LineInput: TypeAlias = Hear | Miss

LINE_TRANSITIONS: Mapping[tuple[LineState, type[LineInput]], LineState] = MappingProxyType(
    {
        (LineState.HEARD, Hear): LineState.HEARD,
        (LineState.HEARD, Miss): LineState.SILENT,
        (LineState.SILENT, Hear): LineState.HEARD,
        (LineState.SILENT, Miss): LineState.SILENT,
    }
)


class LineWatch:
    """The lines of one channel. A line that was never heard counts from the first question on."""

    def __init__(self, channel: int, lines: Sequence[str], silent_ns: int) -> None:
        self.silent: set[str] = set()
        """The lines that are silent; asked before every packet, so it is a plain set."""
        self.heard_ns: dict[str, int] = {}
        """When each line was heard last; the arbiter writes it."""
        self._channel = channel
        self._lines = tuple(lines)
        self._silent_ns = silent_ns

    def returned(self, line: str, now_ns: int) -> tuple[LineReturned, ...]:
        """A silent line is heard again; nothing for one that was not silent."""
        if self._told(line, Hear) is LineState.HEARD and line in self.silent:
            self.silent.discard(line)
            return (LineReturned(self._channel, line, now_ns - self.heard_ns[line], now_ns),)
        return ()

    def poll(self, now_ns: int) -> tuple[LineSilent, ...]:
        """The lines that have fallen silent by now, each told once."""
        events: list[LineSilent] = []
        for line in self._lines:
            since_ns = self.heard_ns.setdefault(line, now_ns)
            if line in self.silent or now_ns - since_ns < self._silent_ns:
                continue
            if self._told(line, Miss) is LineState.SILENT:
                self.silent.add(line)
                left = tuple(one for one in self._lines if one not in self.silent)
                events.append(LineSilent(self._channel, line, since_ns, now_ns, left))
        return tuple(events)

    def due_ns(self) -> int | None:
        """When the next line may have fallen silent; ``None`` when all have."""
        heard = [
            self.heard_ns[line]
            for line in self._lines
            if line in self.heard_ns and line not in self.silent
        ]
        return min(heard) + self._silent_ns if heard else None

    def _told(self, line: str, given: type[LineInput]) -> LineState:
        state = LineState.SILENT if line in self.silent else LineState.HEARD
        return LINE_TRANSITIONS[state, given]
