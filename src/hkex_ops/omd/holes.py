"""Numbers that are missing in a channel, as runs in ascending order.

The arbiter's bookkeeping: which numbers are missing since when, which belong to a gap that was
told, and when the next wait ends. It knows no packet.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define

from hkex_ops.omd.events import Run

__all__ = ["Gap", "Hole", "Holes"]


@define(eq=False)
class Gap:
    """A gap that was told: what is still missing of it, and what was given up."""

    begin: int
    end: int
    missing: int
    lost: list[Run]


@define(eq=False)
class Hole:
    """A run of missing numbers. Part of a gap once that was told."""

    begin: int
    end: int
    due_ns: int
    gap: Gap | None = None

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return self.end - self.begin + 1


class Holes:
    """The missing numbers of one channel."""

    def __init__(self) -> None:
        self._holes: list[Hole] = []

    def __bool__(self) -> bool:
        return bool(self._holes)

    def __len__(self) -> int:
        return len(self._holes)

    def __iter__(self) -> Iterator[Hole]:
        return iter(tuple(self._holes))

    @property
    def first(self) -> Hole:
        """The one with the lowest numbers."""
        return self._holes[0]

    @property
    def runs(self) -> tuple[Run, ...]:
        """The missing numbers, ascending."""
        return tuple(Run(hole.begin, hole.end) for hole in self._holes)

    @property
    def due_ns(self) -> int | None:
        """When the first wait ends."""
        return min((hole.due_ns for hole in self._holes), default=None)

    def add(self, begin: int, end: int, due_ns: int) -> None:
        """Numbers above all that were seen are missing."""
        self._holes.append(Hole(begin, end, due_ns))

    def fill(self, begin: int, end: int) -> list[Hole]:
        """Take out the numbers from ``begin`` to ``end``: the pieces that were missing of them."""
        taken: list[Hole] = []
        left: list[Hole] = []
        for hole in self._holes:
            if hole.end < begin or hole.begin > end:
                left.append(hole)
                continue
            if hole.begin < begin:
                left.append(Hole(hole.begin, begin - 1, hole.due_ns, hole.gap))
            piece = Hole(max(hole.begin, begin), min(hole.end, end), hole.due_ns, hole.gap)
            taken.append(piece)
            if hole.end > end:
                left.append(Hole(end + 1, hole.end, hole.due_ns, hole.gap))
        if taken:
            self._holes = left
        return taken

    def put_off(self, until_ns: int) -> None:
        """No gap that was told is due before ``until_ns``."""
        for hole in self._holes:
            if hole.gap is not None:
                hole.due_ns = max(hole.due_ns, until_ns)
