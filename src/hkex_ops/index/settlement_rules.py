"""How a settlement is to be read where no public rule says: every open question, named.

Each default is the likeliest reading, and its class says what is known of it. Knows no tick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from attrs import evolve, frozen

from hkex_ops.errors import UsageError
from hkex_ops.index.marks import LunchEdges

__all__ = [
    "SETTING_SOURCES",
    "ClosingReading",
    "FinalBase",
    "FinalRounding",
    "MarkKind",
    "MissingMark",
    "SettlementRules",
    "alternatives",
]


class MarkKind(StrEnum):
    """Where the value of a mark comes from."""

    PUBLISHED = "published"
    CONTINGENCY = "contingency"
    RECALCULATED = "recalculated"
    MISSING = "missing"


class MissingMark(StrEnum):
    """What is done about a mark without a value of any kind. No public rule was found."""

    REFUSE = "refuse"  # there is no average until somebody decides
    LATEST = "latest"  # the latest earlier value stands in, stale as it is
    OMIT = "omit"  # the mean is taken over the marks that have one


class FinalRounding(StrEnum):
    """How the final settlement price is rounded to whole index points."""

    FLOOR = "floor"  # down, as three Chinese retellings of the contract say; unconfirmed
    HALF_UP = "half-up"
    NONE = "none"  # two decimals, as the EAS itself


class FinalBase(StrEnum):
    """What is rounded. The two differ only where two decimals cross a whole point; unconfirmed."""

    EXACT_MEAN = "exact-mean"
    PUBLISHED_EAS = "published-eas"  # the mean as it goes out, with two decimals


class ClosingReading(StrEnum):
    """Which value is read at the close of trading."""

    CLOSING_INDEX = "closing-index"  # status C, from closing prices
    PRELIMINARY = "preliminary"  # status R
    LAST_TICK = "last-tick"  # the last real-time value at or before the close


_WITH_VALUE = (MarkKind.PUBLISHED, MarkKind.CONTINGENCY, MarkKind.RECALCULATED)


@frozen(kw_only=True)
class SettlementRules:
    """The readings of the rules that somebody has to choose; each default is the likeliest.

    ``prefer`` is the order in which values of one mark are taken: what was quoted comes first
    (HKEx report of February 2010, Appendix II 7, "quotations"). ``patience`` is how long after a
    mark its value may still come before it is told to be missing. The others are told by their
    own classes, with what is known of each.
    """

    lunch_edges: LunchEdges = LunchEdges.MORNING_END
    missing: MissingMark = MissingMark.REFUSE
    final_rounding: FinalRounding = FinalRounding.FLOOR
    final_base: FinalBase = FinalBase.EXACT_MEAN
    closing: ClosingReading = ClosingReading.CLOSING_INDEX
    prefer: tuple[MarkKind, ...] = _WITH_VALUE
    patience: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        if sorted(self.prefer) != sorted(_WITH_VALUE):
            raise UsageError(f"prefer must name each of {', '.join(_WITH_VALUE)} once")


SETTING_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "marks": "five-minute steps from five minutes after the start to five before the end, and "
        "the close: HKEx report of February 2010, Appendix II 7",
        "lunch_edges": "no public rule was read; the default reads the end of the morning",
        "missing": "no public rule was found; HKEx and HSIL named it an open matter in 2010 "
        "(HKEx report, paragraph 10)",
        "closing": "the close of trading: HKEx report, Appendix II 7; that it is the closing index "
        "is the likeliest reading",
        "final_rounding": "down to the whole point, by retellings in Chinese; the contract was not "
        "read, unconfirmed",
        "final_base": "unconfirmed; matters only where two decimals cross a whole point",
        "prefer": "what was quoted comes first: HKEx report, Appendix II 7, quotations",
    }
)
"""What is known of each setting: where it is read, or that nobody could read it."""


def alternatives(rules: SettlementRules) -> Iterator[tuple[str, str, SettlementRules]]:
    """The same rules with one setting changed, each other word of each setting once, as
    (setting, word, rules)."""
    for edges in LunchEdges:
        yield "lunch_edges", edges, evolve(rules, lunch_edges=edges)
    for missing in MissingMark:
        yield "missing", missing, evolve(rules, missing=missing)
    for closing in ClosingReading:
        yield "closing", closing, evolve(rules, closing=closing)
    for rounding in FinalRounding:
        yield "final_rounding", rounding, evolve(rules, final_rounding=rounding)
    for base in FinalBase:
        yield "final_base", base, evolve(rules, final_base=base)
