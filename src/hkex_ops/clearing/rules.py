"""How two books are compared: what makes two records the same one, and what must then agree.

Declared by the operator, with a sensible set for each kind where nothing was declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from attrs import evolve, frozen

from hkex_ops.clearing.columns import ColumnType, column_named, names_of
from hkex_ops.model import RecordKind

__all__ = ["DEFAULT_RULES", "MatchRules", "rules_faults", "rules_for"]

LONGEST_LATENESS_DAYS = 366

_NONE: Mapping[str, Decimal] = MappingProxyType({})


@frozen
class MatchRules:
    """The rules of one comparison.

    Records with the same ``key`` are the same record; the columns in ``compare`` must then agree,
    a number within its tolerance, a time within so many seconds. Two records that are missing, one
    on each side, and whose keys agree but for the date ``late_by``, are one record that a side
    booked late, when the dates are no further apart than ``late_within_days``. Breaks are counted
    by the columns ``group_by``. An empty ``compare`` means every other column that both have.
    """

    kind: RecordKind
    key: tuple[str, ...]
    compare: tuple[str, ...] = ()
    tolerances: Mapping[str, Decimal] = _NONE
    group_by: tuple[str, ...] = ()
    late_by: str = ""
    late_within_days: int = 5


DEFAULT_RULES: Mapping[RecordKind, MatchRules] = MappingProxyType(
    {
        RecordKind.TRADES: MatchRules(
            RecordKind.TRADES,
            ("business_date", "series", "trade_number", "side"),
            group_by=("account",),
            late_by="business_date",
        ),
        RecordKind.POSITIONS: MatchRules(
            RecordKind.POSITIONS, ("business_date", "account", "series"), group_by=("account",)
        ),
        RecordKind.TRANSACTIONS: MatchRules(
            RecordKind.TRANSACTIONS, ("reference",), group_by=("type",)
        ),
    }
)
"""What is compared where the operator says nothing else."""


def rules_for(rules: MatchRules, ours: Iterable[str], theirs: Iterable[str]) -> MatchRules:
    """The rules for two sides that have the columns ``ours`` and ``theirs``.

    Where nothing is said of what must agree, it is every column that both sides have.
    """
    if rules.compare:
        return rules
    both = set(ours) & set(theirs) - set(rules.key)
    return evolve(rules, compare=tuple(name for name in names_of(rules.kind) if name in both))


def rules_faults(rules: MatchRules) -> Iterator[tuple[str, str]]:
    """What is wrong with the rules by themselves: pairs of a path and a sentence."""
    if not rules.key:
        yield "key", "names no column: nothing would tell two records apart"
    for path, names in (
        ("key", rules.key),
        ("compare", rules.compare),
        ("group_by", rules.group_by),
    ):
        yield from _name_faults(rules.kind, path, names)
    for name in set(rules.key) & set(rules.compare):
        yield "compare", f"{name} is part of the key, and equal wherever the key is"
    for name, tolerance in rules.tolerances.items():
        yield from _tolerance_faults(rules, name, tolerance)
    if rules.late_by:
        yield from _late_faults(rules)


def _name_faults(kind: RecordKind, path: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place, name in enumerate(names):
        if column_named(kind, name) is None:
            known = ", ".join(names_of(kind))
            yield f"{path}[{place}]", f"unknown column {name!r}; {kind} have {known}"
        elif names.index(name) != place:
            yield f"{path}[{place}]", f"{name} is there twice"


def _tolerance_faults(
    rules: MatchRules, name: str, tolerance: Decimal
) -> Iterator[tuple[str, str]]:
    column = column_named(rules.kind, name)
    path = f"tolerances.{name}"
    if column is None:
        yield path, f"unknown column; {rules.kind} have {', '.join(names_of(rules.kind))}"
    elif column.type not in (ColumnType.WHOLE, ColumnType.DECIMAL, ColumnType.INSTANT):
        yield path, f"is for numbers and times, and {name} is a {column.type}"
    elif name in rules.key:
        yield path, "is part of the key, and a key agrees exactly or not at all"
    elif rules.compare and name not in rules.compare:
        yield path, "is not compared"
    if not tolerance.is_finite() or tolerance < 0:
        yield path, f"{tolerance} is no distance"


def _late_faults(rules: MatchRules) -> Iterator[tuple[str, str]]:
    column = column_named(rules.kind, rules.late_by)
    if column is None or column.type is not ColumnType.DATE:
        yield "late_by", f"{rules.late_by!r} is no date of {rules.kind}"
    elif rules.late_by not in rules.key:
        yield "late_by", f"{rules.late_by} is no part of the key: what is late is then different"
    elif len(rules.key) == 1:
        yield "late_by", "is the whole key: nothing would be left to know a record by"
    if not 1 <= rules.late_within_days <= LONGEST_LATENESS_DAYS:
        yield "late_within_days", f"must be from 1 to {LONGEST_LATENESS_DAYS}"
