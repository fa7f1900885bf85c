"""The table ``[clearing]`` of the configuration: gateway, files, and how two books are compared.

The rules of a comparison stand here; which column or field is which stands in files of their own,
which :mod:`hkex_ops.config.record_forms` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from attrs import Factory, evolve, frozen

from hkex_ops.clearing.rules import DEFAULT_RULES, MatchRules, rules_faults
from hkex_ops.errors import Fault
from hkex_ops.model import RecordKind

__all__ = ["ClearingSettings", "StatedRules", "clearing_faults", "match_rules"]


@frozen
class StatedRules:
    """What the configuration says of one kind's comparison; what it leaves out is the default."""

    key: tuple[str, ...] | None = None
    compare: tuple[str, ...] | None = None
    tolerances: dict[str, str] = Factory(dict[str, str])
    group_by: tuple[str, ...] | None = None
    late_by: str | None = None
    late_within_days: int | None = None


@frozen
class ClearingSettings:
    """The table ``[clearing]``: which gateway, which files say what is what, how books compare.

    ``proof`` names, for a type of transaction, the codes of the reports that prove it.
    """

    gateway: str | None = None
    service: str = "DCASS-OAPI"
    columns: Path | None = None
    answers: Path | None = None
    transactions: Path | None = None
    expiry_warning_days: int = 14
    trades: StatedRules = Factory(StatedRules)
    positions: StatedRules = Factory(StatedRules)
    proof: dict[str, tuple[str, ...]] = Factory(dict[str, tuple[str, ...]])

    def stated(self, kind: RecordKind) -> StatedRules:
        """What is said of the comparison of ``kind``."""
        if kind is RecordKind.TRADES:
            return self.trades
        return self.positions if kind is RecordKind.POSITIONS else StatedRules()


def match_rules(settings: ClearingSettings, kind: RecordKind) -> MatchRules:
    """The rules of a comparison: what is stated, and the defaults for the rest."""
    stated, rules = settings.stated(kind), DEFAULT_RULES[kind]
    key = rules.key if stated.key is None else stated.key
    late_by = rules.late_by if stated.late_by is None else stated.late_by
    if stated.late_by is None and (late_by not in key or len(key) == 1):
        late_by = ""
    rules = evolve(
        rules,
        key=key,
        late_by=late_by,
        tolerances={name: _distance(text) for name, text in stated.tolerances.items()},
    )
    if stated.compare is not None:
        rules = evolve(rules, compare=stated.compare)
    if stated.group_by is not None:
        rules = evolve(rules, group_by=stated.group_by)
    if stated.late_within_days is not None:
        rules = evolve(rules, late_within_days=stated.late_within_days)
    return rules


def _distance(text: str) -> Decimal:
    """A tolerance; what is none is told by `clearing_faults`."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def clearing_faults(settings: ClearingSettings) -> Iterator[Fault]:
    """What is wrong with the table beyond its shape."""
    for kind in (RecordKind.TRADES, RecordKind.POSITIONS):
        for path, sentence in rules_faults(match_rules(settings, kind)):
            yield Fault(f"clearing.{kind}.{path}", sentence)
    if settings.expiry_warning_days < 0:
        yield Fault("clearing.expiry_warning_days", "is below nothing")
