"""Which values are expected, which are there, and how that is said in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from attrs import frozen

from hkex_ops.index.ticks import moment_of
from hkex_ops.model import JsonObject
from hkex_ops_simulator.hsil.anchors import HSCEI, HSI
from hkex_ops_simulator.market.compiler import Published

__all__ = ["NAMES", "Missing", "missing_of", "points", "when"]

NAMES = {HSI: "HSI", HSCEI: "HSCEI"}

Key = tuple[str, int]


@frozen
class Missing:
    """The values of one index that are not there, from the first to the last."""

    code: str
    moments: tuple[datetime, ...]

    def __str__(self) -> str:
        name, count = NAMES[self.code], len(self.moments)
        if not count:
            return f"no {name} value"
        return f"{count} {name} values, {when(self.moments[0])} to {when(self.moments[-1])}"

    def told(self) -> JsonObject:
        """The same as facts."""
        return {
            "index": self.code,
            "count": len(self.moments),
            "first": self.moments[0].isoformat() if self.moments else None,
            "last": self.moments[-1].isoformat() if self.moments else None,
        }


def missing_of(expected: Iterable[Published], there: Collection[Key]) -> list[Missing]:
    """What is expected and not there, index by index."""
    gone: dict[str, list[datetime]] = {}
    for one in expected:
        moments = gone.setdefault(one.code, [])
        if (one.code, one.time_ns) not in there:
            moments.append(moment_of(one.time_ns))
    return [Missing(code, tuple(moments)) for code, moments in gone.items()]


def points(cents: int) -> str:
    """A value as it is published.

    >>> points(2049605)
    '20496.05'
    """
    return f"{cents // 100}.{cents % 100:02}"


def when(moment: datetime) -> str:
    """A moment of the day, to the second."""
    return f"{moment:%H:%M:%S}"
