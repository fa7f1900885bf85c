"""A clearing house that publishes reports through a bench's back door, each with a fate of its own.

SYNTHETIC names and contents. What it owes and by when are its own books, worked out from clock
times and not from the library's catalogue, so that the two can be held against each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from random import Random
from typing import NamedTuple

import pytest
from attrs import define, field, frozen

from hkex_ops.model import HONG_KONG, SiteRole
from hkex_ops.testing.benches import ReportSourceBench
from hkex_ops.testing.simulated import Chronicle, Part

__all__ = ["CATALOGUE", "SERVICE", "Fate", "Owed", "ReportHouse", "at_time"]

SERVICE = "RRS"

CATALOGUE = """\
[[reports]]
service = "RRS"
house = "HKCC"
codes = ["TP001", "TP002", "TP003", "TP004"]
name = "{house}_{code}_{business_date:YYYYMMDD}.csv"
check = { form = "lines", states = 'END,(?P<count>\\d+)' }
due = [{ by = "20:00", grace_min = 30 }]

[[reports]]
service = "RRS"
house = "SEOCH"
codes = ["RP001", "RP002"]
name = "{code} of {business_date:DDMMYYYY} 結算.lis"
check = { form = "lines", states = 'END,(?P<count>\\d+)' }
due = [{ by = "20:00", grace_min = 30 }]
"""
"""What the desk knows of it."""

DUE, MISSING = time(20, 0), time(20, 30)

# Nobody's report: the desk says so, and leaves it there.
STRANGER = "readme of the day.txt"

# From one line to more than a common block of a transfer, 32 KiB.
MOST_ROWS = 1_500


class Fate(StrEnum):
    """What becomes of a report."""

    PUNCTUAL = "punctual"
    LATE = "late"
    ABSENT = "absent"
    GROWING = "growing"  # half of it first
    CHANGED = "changed"  # again, with other content
    VANISHING = "vanishing"  # there for a while


# How often, in parts of all.
FATES = {
    Fate.PUNCTUAL: 40,
    Fate.LATE: 12,
    Fate.ABSENT: 10,
    Fate.GROWING: 14,
    Fate.CHANGED: 14,
    Fate.VANISHING: 10,
}


@frozen
class Owed:
    """A report of a business date, under its name."""

    code: str
    name: str
    due_at: datetime
    missing_at: datetime


class _Change(NamedTuple):
    """A report gets a content, or is taken out."""

    at: datetime
    name: str
    content: bytes | None


@define
class ReportHouse:
    """The far side of a simulation, behind a bench.

    ``there`` is what lies in the folder; ``whole`` are the digests of all contents that were ever
    whole, by name.
    """

    bench: ReportSourceBench
    chronicle: Chronicle
    serving: list[SiteRole] = field(factory=lambda: list(SiteRole))
    there: dict[str, bytes] = field(factory=dict[str, bytes])
    whole: dict[str, set[str]] = field(factory=dict[str, set[str]])
    owed: dict[date, tuple[Owed, ...]] = field(factory=dict[date, tuple[Owed, ...]])
    _coming: list[_Change] = field(factory=list["_Change"])

    def open_day(self, day: date) -> None:
        """Draw everything that will become of the reports of a business date."""
        self.owed[day] = tuple(_owed(day))
        for one in self.owed[day]:
            chance = self.chronicle.chance(day, one.code)
            self._coming += _life(one, chance)
        self._coming.append(_Change(at_time(day, time(9)), STRANGER, f"{day}\n".encode()))
        self._coming.sort(key=lambda one: one.at)

    def proceed(self, now: datetime) -> None:
        """Let appear and vanish what does so by ``now``."""
        while self._coming and self._coming[0].at <= now:
            at, name, content = self._coming.pop(0)
            self.place(name, content, at)

    def place(self, name: str, content: bytes | None, at: datetime | None = None) -> None:
        """Put a report into the folder of every site that serves, or take it out."""
        if content is None:
            if self.there.pop(name, None) is None:
                return
            self.chronicle.tell(Part.FAR_SIDE, f"{name} vanishes", at)
        else:
            self.there[name] = content
            said = "appears"
            if _is_whole(content):
                self.whole.setdefault(name, set()).add(_digest_of(content))
            elif name != STRANGER:
                said = "appears, not whole"
            self.chronicle.tell(Part.FAR_SIDE, f"{name} {said}: {len(content)} bytes", at)
        for site in self.serving:
            if content is None:
                self.bench.remove(site, name)
            else:
                self.bench.put(site, name, content)

    async def move(self) -> None:
        """The primary site serves no more: the secondary has everything."""
        self.serving.remove(SiteRole.PRIMARY)
        self.chronicle.tell(Part.FAR_SIDE, "the primary site serves no more")
        with suppress(pytest.skip.Exception):  # then nobody asks it
            await self.bench.take_down(SiteRole.PRIMARY, 1)

    def whole_now(self, day: date) -> dict[str, str]:
        """What lies whole in the folder of a business date: the digest by name."""
        return {
            one.name: _digest_of(self.there[one.name])
            for one in self.owed[day]
            if one.name in self.there and _is_whole(self.there[one.name])
        }

    def has_changed(self) -> bool:
        """Whether anybody but the house has changed its folders."""
        return any(
            self.there != {name: one.content for name, one in self.bench.stored(site).items()}
            for site in self.serving
        )


def at_time(day: date, clock: time) -> datetime:
    """An instant in Hong Kong."""
    return datetime.combine(day, clock, HONG_KONG)


def _digest_of(content: bytes) -> str:
    """The SHA-256 that the archive records of such a content."""
    return hashlib.sha256(content).hexdigest()


def _is_whole(content: bytes) -> bool:
    """Whether a content has its last line; what is nobody's report never has."""
    return content.endswith(b"\n") and content.splitlines()[-1].startswith(b"END,")


def _owed(day: date) -> Iterator[Owed]:
    owed = partial(Owed, due_at=at_time(day, DUE), missing_at=at_time(day, MISSING))
    for number in range(1, 5):
        yield owed(f"TP00{number}", f"HKCC_TP00{number}_{day:%Y%m%d}.csv")
    for number in range(1, 3):
        yield owed(f"RP00{number}", f"RP00{number} of {day:%d%m%Y} 結算.lis")


def _life(one: Owed, chance: Random) -> Iterator[_Change]:
    """When which content of a report appears; nothing, when it vanishes."""
    [fate] = chance.choices(list(FATES), list(FATES.values()))
    rows = chance.choice([0, 1, chance.randrange(MOST_ROWS)])
    at = one.due_at - timedelta(minutes=chance.randrange(10, 600))
    later = at + timedelta(minutes=chance.randrange(1, 300))
    content = _content(one.name, rows)
    match fate:
        case Fate.PUNCTUAL:
            yield _Change(at, one.name, content)
        case Fate.LATE:
            at = one.missing_at + timedelta(minutes=chance.randrange(1, 720))
            yield _Change(at, one.name, content)
        case Fate.ABSENT:
            return
        case Fate.GROWING:
            if chance.randrange(2):  # before the eyes of a desk that looks on the hour
                at = one.due_at - timedelta(hours=1)
                later = at + timedelta(seconds=30)
            yield _Change(at, one.name, content[: len(content) // 2])
            yield _Change(later, one.name, content)
        case Fate.CHANGED:
            yield _Change(at, one.name, content)
            yield _Change(later, one.name, _content(one.name, rows + 1))
        case Fate.VANISHING:
            yield _Change(at, one.name, content)
            yield _Change(later, one.name, None)


def _content(name: str, rows: int) -> bytes:
    lines = [f"SYNTHETIC {name}", *(f"{name},{number}" for number in range(1, rows))]
    return "".join(f"{line}\n" for line in [*lines[:rows], f"END,{rows}"]).encode()
