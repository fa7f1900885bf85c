"""Two books compared, key by key: what agrees is counted, and everything else is a break.

The lines of both sides come sorted, so that one look at the next key of each is enough; nothing is
held but the records of one key. A database that joins on keys may leave out the groups that agree
and hand over the others: the judgement is the same.

Several records of one key on a side are paired with the other side's one by one: first those that
agree to the letter, then those that agree within the tolerances, then what is left, in order. Who
has no partner then is a duplicate; only where the other side has none at all is the first missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from hkex_ops.clearing.cells import EXACT
from hkex_ops.clearing.columns import COLUMNS, ColumnType, Row
from hkex_ops.clearing.lines import PART, LineForm, Placed
from hkex_ops.clearing.rules import MatchRules

__all__ = ["Break", "BreakKind", "Group", "Matcher", "Side", "merged_groups", "pair_late"]

PAIRINGS_LIMIT = 250_000
"""Pairs of one key that are tried within tolerances: 500 of a key on each side. Beyond it they are
paired in order; so many records of one key are a key that names too few columns."""


_MICROSECOND = timedelta(microseconds=1)


class Side(StrEnum):
    """Whose book: ours, or the other's."""

    HERE = "here"
    THERE = "there"


class BreakKind(StrEnum):
    """How two books differ in one record."""

    MISSING_HERE = "missing-here"
    MISSING_THERE = "missing-there"
    DIFFERENT = "different"
    DUPLICATE = "duplicate"
    LATE = "late"


@frozen
class Break:
    """One record in which the books differ.

    ``where`` is the side that lacks it, has it twice or booked it late; neither where the two
    merely differ. ``differing`` are the columns in which they do.
    """

    kind: BreakKind
    ours: Placed | None
    theirs: Placed | None
    where: Side | None = None
    differing: tuple[str, ...] = ()

    @property
    def row(self) -> Row:
        """The record by which the break is known: of a late one, that with the earlier date."""
        first, second = self.ours, self.theirs
        if self.kind is BreakKind.LATE and self.where is Side.HERE:
            first, second = second, first
        known = first or second
        assert known is not None, "a break has a record"
        return known.row


Group = tuple[Sequence[str], Sequence[str]]
"""The lines of one key on both sides, each side's in order."""


def merged_groups(ours: Iterable[str], theirs: Iterable[str]) -> Iterator[Group]:
    """Both sides' sorted lines, key by key. Groups that agree to the letter are among them."""
    left, right = _by_key(ours), _by_key(theirs)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[1], ()
            one = next(left, None)
        elif one is None or other[0] < one[0]:
            yield (), other[1]
            other = next(right, None)
        else:
            yield one[1], other[1]
            one, other = next(left, None), next(right, None)


def _by_key(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    key, held = "", list[str]()
    for line in lines:
        now = line[: line.index(PART)]
        if now != key or not held:
            if held:
                yield key, held
            key, held = now, []
        held.append(line)
    if held:
        yield key, held


class Matcher:
    """Judges groups; counts what agrees."""

    def __init__(self, rules: MatchRules, form: LineForm) -> None:
        self.matched: int = 0
        self.form: LineForm = form
        self._columns = [
            (place, one.name, one.type, rules.tolerances.get(one.name))
            for place, one in enumerate(COLUMNS[rules.kind])
            if one.name in rules.compare
        ]
        self._tolerant = any(rules.tolerances.values())

    def judge(self, ours: Sequence[str], theirs: Sequence[str]) -> Iterator[Break]:
        """The breaks of one key."""
        if len(ours) == 1 == len(theirs) and _agreeing(ours[0]) == _agreeing(theirs[0]):
            self.matched += 1
            return
        left, right = self._unequal(ours, theirs)
        first = [self.form.placed(one) for one in left]
        second = [self.form.placed(one) for one in right]
        if self._tolerant and len(first) * len(second) <= PAIRINGS_LIMIT:
            first, second = self._out_of_tolerance(first, second)
        for one, other in zip(first, second, strict=False):
            differing = self.differing(one.row, other.row)
            if differing:
                yield Break(BreakKind.DIFFERENT, one, other, None, differing)
            else:
                self.matched += 1
        paired = min(len(first), len(second))
        yield from _alone(first[paired:], [], lacking=not theirs)
        yield from _alone([], second[paired:], lacking=not ours)

    def differing(self, ours: Row, theirs: Row) -> tuple[str, ...]:
        """The compared columns in which two rows differ by more than is tolerated."""
        return tuple(
            name
            for place, name, type_, tolerance in self._columns
            if ours[place] != theirs[place]
            and not _within(ours[place], theirs[place], type_, tolerance)
        )

    def _unequal(
        self, ours: Sequence[str], theirs: Sequence[str]
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Both sides without what agrees to the letter."""
        if not ours or not theirs:
            return ours, theirs
        common = Counter(map(_agreeing, ours)) & Counter(map(_agreeing, theirs))
        self.matched += common.total()
        return _without(ours, common), _without(theirs, common)

    def _out_of_tolerance(
        self, ours: Sequence[Placed], theirs: Sequence[Placed]
    ) -> tuple[list[Placed], list[Placed]]:
        """Both sides without what agrees within tolerances, each taking the first it can."""
        rest, left = list(theirs), list[Placed]()
        for one in ours:
            partner = next((it for it in rest if not self.differing(one.row, it.row)), None)
            if partner is None:
                left.append(one)
            else:
                rest.remove(partner)
                self.matched += 1
        return left, rest


def _agreeing(line: str) -> str:
    """What must be the same of two lines: the key and what is compared."""
    return line[: line.rindex(PART)]


def _without(lines: Sequence[str], common: Counter[str]) -> list[str]:
    taken, left = Counter(common), list[str]()
    for line in lines:
        agreeing = _agreeing(line)
        if taken[agreeing] > 0:
            taken[agreeing] -= 1
        else:
            left.append(line)
    return left


def _alone(ours: Sequence[Placed], theirs: Sequence[Placed], *, lacking: bool) -> Iterator[Break]:
    """Records without a partner: the first is missing where the other side has none at all."""
    for place, one in enumerate(ours):
        if lacking and place == 0:
            yield Break(BreakKind.MISSING_THERE, one, None, Side.THERE)
        else:
            yield Break(BreakKind.DUPLICATE, one, None, Side.HERE)
    for place, one in enumerate(theirs):
        if lacking and place == 0:
            yield Break(BreakKind.MISSING_HERE, None, one, Side.HERE)
        else:
            yield Break(BreakKind.DUPLICATE, None, one, Side.THERE)


def _within(ours: str, theirs: str, type_: ColumnType, tolerance: Decimal | None) -> bool:
    """Whether two texts that differ are near enough; a blank one is near nothing."""
    if not tolerance or not ours or not theirs:
        return False
    if type_ is ColumnType.INSTANT:
        apart = abs(datetime.fromisoformat(ours) - datetime.fromisoformat(theirs))
        return Decimal(apart // _MICROSECOND) <= tolerance.scaleb(6, EXACT)
    return EXACT.subtract(Decimal(ours), Decimal(theirs)).copy_abs() <= tolerance


def pair_late(matcher: Matcher, form: LineForm, late: Iterable[str], days: int) -> Iterator[Break]:
    """What is missing on both sides, paired where one side merely booked it under another date.

    ``late`` are the late lines of everything that is missing, sorted. Of one key, dates are paired
    in their order, the earliest first, no further apart than ``days``.
    """
    held: list[tuple[str, str, int]] = []
    last = ""
    for one in late:
        key, day, side, line = form.from_late(one)
        if key != last:
            yield from _paired(matcher, form, held, days)
            last, held = key, []
        held.append((side, line, day.toordinal()))
    yield from _paired(matcher, form, held, days)


def _paired(
    matcher: Matcher, form: LineForm, held: Sequence[tuple[str, str, int]], days: int
) -> Iterator[Break]:
    """The breaks of one key without its date; each side's lines are in the order of their dates."""
    ours = [(day, line) for side, line, day in held if side == Side.HERE]
    theirs = [(day, line) for side, line, day in held if side == Side.THERE]
    first, second = 0, 0
    while first < len(ours) or second < len(theirs):
        one = ours[first] if first < len(ours) else None
        other = theirs[second] if second < len(theirs) else None
        if one and other and abs(one[0] - other[0]) <= days:
            yield _late(matcher, form.placed(one[1]), form.placed(other[1]), one[0] > other[0])
            first, second = first + 1, second + 1
        elif one and (other is None or one[0] < other[0]):
            yield Break(BreakKind.MISSING_THERE, form.placed(one[1]), None, Side.THERE)
            first += 1
        elif other:
            yield Break(BreakKind.MISSING_HERE, None, form.placed(other[1]), Side.HERE)
            second += 1


def _late(matcher: Matcher, ours: Placed, theirs: Placed, here: bool) -> Break:
    differing = matcher.differing(ours.row, theirs.row)
    return Break(BreakKind.LATE, ours, theirs, Side.HERE if here else Side.THERE, differing)
