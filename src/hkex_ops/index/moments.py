"""The moments that the gateway has before it or has just decided, and what each engine said there.

Bounded: the oldest are forgotten, and what comes for a forgotten moment is too old to count.
Called by the gateway alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias, cast

from hkex_ops.index.snapshot import SnapshotValue
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexStatus, JsonObject

__all__ = ["MOMENTS_KEPT", "ONCE_A_DAY", "MomentHeard", "Moments", "ToldToday"]

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
        self._undecided: dict[int, MomentHeard] = {}
        self._untimed: list[MomentHeard] = []
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
                self.forget_until(oldest)
        return found

    def spoken_of(self, moment: MomentHeard) -> None:
        """An engine has spoken of it: it is to be decided, and engines may be late for it."""
        if not moment.decided:
            self._undecided[moment.time_ns] = moment
        if len(moment.reports) == 1:
            self._untimed.append(moment)

    def pending(self) -> list[MomentHeard]:
        """Those with ticks that were not decided yet, oldest first."""
        return [self._undecided[time_ns] for time_ns in sorted(self._undecided)]

    def decide(self, moment: MomentHeard) -> None:
        """Its ticks went out, or will not."""
        moment.decided = True
        self._undecided.pop(moment.time_ns, None)

    def decide_before(self, time_ns: int) -> None:
        """What is older than ``time_ns`` and undecided will not go out."""
        for one in self.pending():
            if one.time_ns < time_ns:
                self.decide(one)

    def overdue(self, now: datetime, late: timedelta) -> list[MomentHeard]:
        """Moments whose first tick came ``late`` ago, each once: who has not spoken is late."""
        count = 0
        for one in self._untimed:
            if one.first_at is None or now - one.first_at < late:
                break
            count += 1
        found, self._untimed = self._untimed[:count], self._untimed[count:]
        return found

    def forget_until(self, time_ns: int) -> None:
        """Nothing up to ``time_ns`` counts any more."""
        self._forgotten = max(self._forgotten, time_ns)
        for old in [one for one in self._moments if one <= self._forgotten]:
            self._undecided.pop(old, None)
            del self._moments[old]


ONCE_A_DAY = (IndexStatus.OPENING, IndexStatus.PRELIMINARY_CLOSE, IndexStatus.CLOSING)
"""Values of which an index has one a day."""


_Row: TypeAlias = "tuple[int | None, int | None, int | None, int | None]"


class ToldToday:
    """High, low, opening and closing of each index as they went out.

    An engine that began in the middle of the day does not know them; a low that was told in the
    morning is a fact in the afternoon, whoever computes by then.
    """

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._once: set[tuple[str, IndexStatus]] = set()

    def complete(self, tick: TickComputed) -> TickComputed:
        """``tick``, which goes out, with what was told before it."""
        if tick.status in ONCE_A_DAY:
            self._once.add((tick.index, tick.status))
        row = (tick.high_cents, tick.low_cents, tick.opening_cents, tick.closing_cents)
        before = self._rows.get(tick.index)
        if before is not None:
            row = (
                max((one for one in (before[0], row[0]) if one is not None), default=None),
                min((one for one in (before[1], row[1]) if one is not None), default=None),
                before[2] if row[2] is None else row[2],
                before[3] if row[3] is None else row[3],
            )
        self._rows[tick.index] = row
        high, low, opening, closing = row
        return tick._replace(
            high_cents=high, low_cents=low, opening_cents=opening, closing_cents=closing
        )

    def repeats(self, tick: TickComputed) -> bool:
        """Whether a value that there is once a day went out before, for another moment.

        An engine that began late may compute an opening or a close anew.
        """
        return tick.status in ONCE_A_DAY and (tick.index, tick.status) in self._once

    def snapshot(self) -> JsonObject:
        """What was told, as plain data."""
        return {
            "rows": {index: list(row) for index, row in self._rows.items()},
            "once": [[index, status.value] for index, status in sorted(self._once)],
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Know what ``snapshot`` knew."""
        once = cast("Sequence[tuple[str, str]]", snapshot["once"])
        self._once = {(index, IndexStatus(status)) for index, status in once}
        for index, row in cast("JsonObject", snapshot["rows"]).items():
            high, low, opening, closing = cast("_Row", row)
            self._rows[index] = (high, low, opening, closing)
