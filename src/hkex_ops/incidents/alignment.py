"""Two chronologies of one event laid side by side, row by row, differences marked.

Rows are paired so that both orders are kept and as much as possible fits together: rows that begin
near each other, and all the more if they use the same words. What one teller has and the other has
not stands alone; nothing is merged or decided. Called by whoever compares tellers, or a
rehearsal's own chronology with the official ones; knows no file and no clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from attrs import frozen

from hkex_ops.incidents.accounts import in_time
from hkex_ops.model import ChronologyRow

__all__ = ["AlignedRow", "align"]

NEAR = timedelta(minutes=5)
"""Rows with no instant in common are one only if they begin within this of each other: tellers
write times to the minute, and from memory."""

MOST_ROWS = 2_000
"""Rows of one side; more are of no chronology that people wrote."""

_WORD = re.compile(r"[a-z0-9]+")
_COMMON = frozenset(
    [
        "a",
        "and",
        "at",
        "by",
        "for",
        "from",
        "in",
        "its",
        "of",
        "on",
        "the",
        "to",
        "was",
        "were",
        "with",
    ]
)
_WORDS_COUNT = 3
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


@frozen
class AlignedRow:
    """A row of each side, or of one alone.

    ``apart`` is how much later the right one begins, null where either has no known beginning or
    stands alone. ``differs`` says that the two have no instant in common: their tellers cannot
    both be right to the minute.
    """

    left: ChronologyRow | None
    right: ChronologyRow | None
    apart: timedelta | None = None
    differs: bool = False


def align(left: Sequence[ChronologyRow], right: Sequence[ChronologyRow]) -> tuple[AlignedRow, ...]:
    """The rows of both sides in order of time, paired where they tell of the same."""
    lefts, rights = in_time(left)[:MOST_ROWS], in_time(right)[:MOST_ROWS]
    pairs = _best_pairs(lefts, rights)
    aligned: list[AlignedRow] = []
    at_left = at_right = 0
    for a, b in [*pairs, (len(lefts), len(rights))]:
        alone = [AlignedRow(row, None) for row in lefts[at_left:a]]
        alone += [AlignedRow(None, row) for row in rights[at_right:b]]
        aligned += sorted(alone, key=_begin)
        if a < len(lefts):
            aligned.append(_pair(lefts[a], rights[b]))
        at_left, at_right = a + 1, b + 1
    return tuple(aligned)


def _best_pairs(
    lefts: Sequence[ChronologyRow], rights: Sequence[ChronologyRow]
) -> list[tuple[int, int]]:
    """The pairs, in both orders, whose likeness adds up to the most."""
    words = [_words(row) for row in lefts], [_words(row) for row in rights]
    likeness = [
        [_likeness(a, b, words[0][i], words[1][j]) for j, b in enumerate(rights)]
        for i, a in enumerate(lefts)
    ]
    # best[i][j]: the most that the rows from i on the left and from j on the right can give.
    best = [[Fraction(0)] * (len(rights) + 1) for _ in range(len(lefts) + 1)]
    for i in reversed(range(len(lefts))):
        for j in reversed(range(len(rights))):
            paired = likeness[i][j] + best[i + 1][j + 1] if likeness[i][j] else Fraction(0)
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(lefts) and j < len(rights):
        if likeness[i][j] and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _likeness(
    a: ChronologyRow, b: ChronologyRow, words: frozenset[str], others: frozenset[str]
) -> Fraction:
    """Nothing for rows that are far apart in time; else nearness and common words."""
    if a.at.at is None or b.at.at is None:
        return Fraction(0)
    distance = abs(a.at.at - b.at.at)
    if distance > NEAR and not _meet(a, b):
        return Fraction(0)
    far = min(distance, NEAR) // timedelta(seconds=1)
    near = 1 - Fraction(far, 2 * (NEAR // timedelta(seconds=1)))
    both = words | others
    return near + _WORDS_COUNT * Fraction(len(words & others), max(len(both), 1))


def _pair(left: ChronologyRow, right: ChronologyRow) -> AlignedRow:
    assert left.at.at is not None and right.at.at is not None, "only dated rows are paired"
    return AlignedRow(left, right, right.at.at - left.at.at, not _meet(left, right))


def _begin(row: AlignedRow) -> datetime:
    told = row.left or row.right
    assert told is not None, "a row has a side"
    return told.at.at or _LATEST


def _meet(a: ChronologyRow, b: ChronologyRow) -> bool:
    (begins, ends), (starts, stops) = _span(a), _span(b)
    return begins <= stops and starts <= ends


def _span(row: ChronologyRow) -> tuple[datetime, datetime]:
    begins = row.at.at or _EARLIEST
    until = row.at if row.until is None else row.until
    return begins, until.at or _LATEST


def _words(row: ChronologyRow) -> frozenset[str]:
    text = " ".join(row.events).casefold()
    return frozenset(_WORD.findall(text)) - _COMMON
