"""Breaks over days: since when each has stood, and which of the last time's are gone.

The memory is the result of the last comparison, which the caller gives: its breaks with the day on
which each was first seen. A break is known again by its record's key, whatever kind it is now.
Ages are counted in business days by whoever asks, since this room has no calendar of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

__all__ = ["AGE_BUCKETS", "Ages", "Key", "bucket_of"]

Key: TypeAlias = tuple[str, ...]

AGE_BUCKETS: Mapping[str, int] = MappingProxyType({"new": 0, "1 day": 1, "2 to 5 days": 5})
"""The groups of ages, each up to so many business days; beyond the last is `OLDEST`."""

OLDEST = "over 5 days"

_NONE: Mapping[Key, date] = MappingProxyType({})


def bucket_of(age_days: int) -> str:
    """The group an age falls into.

    >>> bucket_of(0), bucket_of(3), bucket_of(6)
    ('new', '2 to 5 days', 'over 5 days')
    """
    return next((name for name, most in AGE_BUCKETS.items() if age_days <= most), OLDEST)


@frozen
class _Known:
    since: date
    age_days: int


class Ages:
    """Says since when each break has stood, and remembers which of the known ones it met."""

    def __init__(
        self,
        as_of: date,
        previous: Mapping[Key, date] = _NONE,
        business_days: Callable[[date, date], int] = lambda since, until: (until - since).days,
        judged: Callable[[Key], bool] = lambda key: True,
    ) -> None:
        """``judged``: whether this comparison looked at the record of a key at all."""
        self._judged = judged
        self._as_of = as_of
        self._previous = previous
        self._business_days = business_days
        self._met: set[Key] = set()
        self._days: dict[date, _Known] = {}

    def of(self, key: Key) -> tuple[date, int]:
        """The day on which the break was first seen, and how many business days ago that was."""
        since = self._previous.get(key, self._as_of)
        if key in self._previous:
            self._met.add(key)
        known = self._days.get(since)
        if known is None:
            known = _Known(since, self._business_days(since, self._as_of))
            self._days[since] = known
        return known.since, known.age_days

    def resolved(self) -> Iterator[tuple[Key, date]]:
        """The breaks of the last time that were not met again, in the order of their keys."""
        return ((key, since) for key, since in self._unmet() if self._judged(key))

    def carried(self) -> Iterator[tuple[Key, date]]:
        """The breaks of the last time that nobody looked at this time: they are not gone."""
        return ((key, since) for key, since in self._unmet() if not self._judged(key))

    def _unmet(self) -> Iterator[tuple[Key, date]]:
        for key in sorted(self._previous.keys() - self._met):
            yield key, self._previous[key]
