"""The result of a comparison: its lines for a program, and the tally for a person.

A file of a result begins with what was compared and ends with the tally. Without that last line
it is no result: the next comparison takes its memory from it, and half a memory would make old
breaks young.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from attrs import Factory, define, frozen

from hkex_ops.clearing.ageing import Key, bucket_of
from hkex_ops.clearing.columns import COLUMNS, Row, names_of, told
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.matching import Break, BreakKind
from hkex_ops.clearing.rules import MatchRules
from hkex_ops.model import Json, JsonObject, RecordKind

__all__ = [
    "AgedBreak",
    "Previous",
    "ReadResult",
    "Tally",
    "break_document",
    "break_of_row",
    "break_row",
    "group_of",
    "key_of",
    "result_columns",
]

MOST_GROUPS = 10_000
"""Groups that are counted apart; the breaks of any further one are counted together."""

MOST_REMEMBERED = 2_000_000
"""Breaks that a last result may hold: more are no list that anybody works down."""

OTHERS = "(others)"


@frozen
class AgedBreak:
    """A break with the day it was first seen, and how many business days ago that was."""

    found: Break
    since: date
    age_days: int


def key_of(rules: MatchRules, row: Row) -> Key:
    """The key by which a record is known."""
    names = names_of(rules.kind)
    return tuple(row[names.index(name)] for name in rules.key)


def group_of(rules: MatchRules, row: Row) -> Key:
    """The group that a record is counted in."""
    names = names_of(rules.kind)
    return tuple(row[names.index(name)] for name in rules.group_by)


@define
class Tally:
    """How a comparison came out, counted."""

    ours: int = 0
    theirs: int = 0
    matched: int = 0
    resolved: int = 0
    carried: int = 0
    kinds: Counter[BreakKind] = Factory(Counter[BreakKind])
    ages: Counter[str] = Factory(Counter[str])
    columns: Counter[str] = Factory(Counter[str])
    groups: dict[Key, Counter[BreakKind]] = Factory(dict[Key, Counter[BreakKind]])

    @property
    def breaks(self) -> int:
        """How many breaks there are."""
        return self.kinds.total()

    def count(self, rules: MatchRules, aged: AgedBreak) -> None:
        """Count one break."""
        found = aged.found
        self.kinds[found.kind] += 1
        self.ages[bucket_of(aged.age_days)] += 1
        self.columns.update(found.differing)
        group = group_of(rules, found.row)
        if group not in self.groups and len(self.groups) >= MOST_GROUPS:
            group = tuple(OTHERS for _ in rules.group_by)
        self.groups.setdefault(group, Counter())[found.kind] += 1

    def document(self, rules: MatchRules) -> JsonObject:
        """The tally as plain data."""
        return {
            "ours": self.ours,
            "theirs": self.theirs,
            "matched": self.matched,
            "breaks": self.breaks,
            "kinds": {kind.value: self.kinds[kind] for kind in BreakKind},
            "differing": dict(sorted(self.columns.items())),
            "ages": dict(self.ages),
            "resolved": self.resolved,
            "carried": self.carried,
            "groups": [
                {
                    **dict(zip(rules.group_by, group, strict=True)),
                    "breaks": counts.total(),
                    **{kind.value: counts[kind] for kind in BreakKind if counts[kind]},
                }
                for group, counts in self.in_order()
            ],
        }

    def in_order(self) -> Sequence[tuple[Key, Counter[BreakKind]]]:
        """The groups, the one with most breaks first."""
        return sorted(self.groups.items(), key=lambda one: (-one[1].total(), one[0]))


def break_document(rules: MatchRules, aged: AgedBreak) -> JsonObject:
    """One break as a line of a result."""
    found = aged.found
    return {
        "break": found.kind.value,
        "where": found.where.value if found.where else None,
        "key": _told(rules.kind, dict(zip(rules.key, key_of(rules, found.row), strict=True))),
        "differing": list(found.differing),
        "since": aged.since.isoformat(),
        "age_days": aged.age_days,
        "ours": _record(rules.kind, found.ours),
        "theirs": _record(rules.kind, found.theirs),
    }


def _told(kind: RecordKind, cells: Mapping[str, str]) -> dict[str, Json]:
    types = {one.name: one.type for one in COLUMNS[kind]}
    return {name: told(text, types[name]) for name, text in cells.items()}


def _record(kind: RecordKind, placed: Placed | None) -> JsonObject | None:
    if placed is None:
        return None
    cells = zip(names_of(kind), placed.row, strict=True)
    return {**_told(kind, dict(cells)), "place": placed.place}


def result_columns(rules: MatchRules) -> tuple[str, ...]:
    """The columns of a result as a table: both records side by side."""
    names = names_of(rules.kind)
    both = [f"{side}_{name}" for name in (*names, "place") for side in ("ours", "theirs")]
    return ("break", "where", "since", "age_days", "differing", *rules.key, *both)


def break_row(rules: MatchRules, aged: AgedBreak) -> Row:
    """One break as a row of that table."""
    found = aged.found
    blank = Placed(("",) * len(names_of(rules.kind)), "")
    ours, theirs = found.ours or blank, found.theirs or blank
    pairs = zip((*ours.row, ours.place), (*theirs.row, theirs.place), strict=True)
    return (
        found.kind.value,
        found.where.value if found.where else "",
        aged.since.isoformat(),
        str(aged.age_days),
        " ".join(found.differing),
        *key_of(rules, found.row),
        *(cell for pair in pairs for cell in pair),
    )


@frozen
class Previous:
    """What the result of the last comparison remembers."""

    as_of: date
    breaks: Mapping[Key, date]


class ReadResult:
    """Reads the lines of a result; ValueError says which one is none, or what is missing."""

    def __init__(self, rules: MatchRules) -> None:
        self._rules = rules
        self._as_of: date | None = None
        self._breaks: dict[Key, date] = {}
        self._whole = False

    def take(self, document: JsonObject) -> None:
        """Take the next line."""
        if self._whole:
            raise ValueError("stands after the end of a result")
        if "reconciled" in document:
            self._begin(document)
        elif self._as_of is None:
            raise ValueError("is not the beginning of a result of clearing reconcile")
        elif "break" in document or "carried" in document:
            self._break(document)
        elif "tally" in document:
            self._whole = True
        elif "resolved" not in document:
            raise ValueError("is no line of a result of clearing reconcile")

    def _break(self, document: JsonObject) -> None:
        if len(self._breaks) >= MOST_REMEMBERED:
            raise ValueError(f"is one break more than {MOST_REMEMBERED}")
        key, since = document.get("key", document.get("carried")), document.get("since")
        if not isinstance(key, Mapping) or not isinstance(since, str):
            raise ValueError("is a break without a key, or without the day it was first seen")
        self._breaks.setdefault(break_of_row(self._rules, key), date.fromisoformat(since))

    def _begin(self, document: JsonObject) -> None:
        if self._as_of is not None:
            raise ValueError("begins a result within a result")
        kind, as_of, key = (document.get(name) for name in ("reconciled", "as_of", "key"))
        if not isinstance(as_of, str):
            raise ValueError("does not say as of which day it is")
        if kind != self._rules.kind.value or key != list(self._rules.key):
            wanted = ", ".join(self._rules.key)
            raise ValueError(
                f"is of another comparison: these are {self._rules.kind}, known by {wanted}"
            )
        self._as_of = date.fromisoformat(as_of)

    def end(self) -> Previous:
        """What was read, once everything was."""
        if self._as_of is None or not self._whole:
            raise ValueError("has no end: it is the result of a comparison that was cut short")
        return Previous(self._as_of, self._breaks)


def break_of_row(rules: MatchRules, key: JsonObject) -> Key:
    """The key that a line of a result states, in the canonical spelling of its cells."""
    if set(key) != set(rules.key):
        raise ValueError(f"has not the key {', '.join(rules.key)}")
    return tuple("" if key[name] is None else str(key[name]) for name in rules.key)
