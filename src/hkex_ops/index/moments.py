"""The moments that the gateway has before it or has just decided, and what each engine said there.

Bounded: the oldest are forgotten, and what comes for a forgotten moment is too old to count.
Called by the gateway alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from hkex_ops.index.snapshot import SnapshotValue
from hkex_ops.index.ticks import TickComputed

__all__ = ["MOMENTS_KEPT", "MomentHeard", "Moments"]

MOMENTS_KEPT = 256
"""How many moments are remembered; at two seconds from tick to tick, eight minutes and a half."""


class MomentHeard:
    """One moment: who said what, and whether it was decided."""

    def __init__(self, time_ns: int) -> None:
        self.time_ns = time_ns
        self.first_at: datetime | None = None
        self.reports: dict[str, Mapping[str, TickComputed]] = {}
        self.snapshot: Mapping[str, SnapshotValue] = {}
        self.published: Mapping[str, TickComputed] = {}
        self.judged: set[str] = set()
        self.decided = False

    def hear(self, engine: str, ticks: Sequence[TickComputed], now: datetime) -> bool:
        """Take an engine's ticks; whether it had said nothing of this moment before."""
        if engine in self.reports:
            return False
        self.first_at = self.first_at or now
        self.reports[engine] = {tick.index: tick for tick in ticks}
        return True

    def best(self, engines: Sequence[str]) -> tuple[list[tuple[str, TickComputed]], bool]:
        """For each index the tick that wins among ``engines``, and whether all are unmarked.

        The first unmarked one that came wins; where all are marked, the one with fewest marks.
        """
        reports = [(name, said) for name, said in self.reports.items() if name in engines]
        order = list(dict.fromkeys(index for _, said in reports for index in said))
        chosen = [
            min(
                ((name, said[index]) for name, said in reports if index in said),
                key=lambda found: (found[1].marked, len(found[1].stale)),
            )
            for index in order
        ]
        return chosen, bool(chosen) and not any(tick.marked for _, tick in chosen)


class Moments:
    """All remembered moments."""

    def __init__(self) -> None:
        self._moments: dict[int, MomentHeard] = {}
        self._forgotten = 0

    def at(self, time_ns: int) -> MomentHeard | None:
        """The moment of ``time_ns``, made if need be; `None` when it is too long ago."""
        if time_ns <= self._forgotten:
            return None
        found = self._moments.get(time_ns)
        if found is None:
            found = self._moments[time_ns] = MomentHeard(time_ns)
            if len(self._moments) > MOMENTS_KEPT:
                oldest = min(self._moments)
                self._forgotten = oldest
                del self._moments[oldest]
        return found

    def pending(self) -> list[MomentHeard]:
        """Those with ticks that were not decided yet, oldest first."""
        waiting = (one for one in self._moments.values() if one.reports and not one.decided)
        return sorted(waiting, key=lambda one: one.time_ns)

    def recent(self) -> Iterator[MomentHeard]:
        """Every remembered moment that an engine spoke of."""
        return iter([one for one in self._moments.values() if one.reports])

    def decide_before(self, time_ns: int) -> None:
        """What is older than ``time_ns`` and undecided will not go out."""
        for one in self.pending():
            if one.time_ns < time_ns:
                one.decided = True

    def forget_until(self, time_ns: int) -> None:
        """Nothing up to ``time_ns`` counts any more."""
        self._forgotten = max(self._forgotten, time_ns)
        for old in [one for one in self._moments if one <= self._forgotten]:
            del self._moments[old]
