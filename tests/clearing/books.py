"""Books of trades made from a seed, one spoilt against the other, and a slow oracle of breaks.

The oracle shares nothing with the library but the values it judges: it holds everything in lists,
compares each record with each, and knows no lines, no sorting and no database.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from attrs import evolve

from hkex_ops.clearing.columns import names_of, row_of
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.matching import Break, BreakKind
from hkex_ops.clearing.rules import MatchRules
from hkex_ops.model import ClearingSide, ClearingTrade, RecordKind

__all__ = ["DAY", "facts_of", "generated", "oracle", "placed", "spoilt", "told_breaks"]

DAY = date(2019, 5, 3)
SERIES = ("HSIK9", "HHIK9", "HSI28000E9")


def generated(seed: int, count: int) -> list[ClearingTrade]:
    """A book without two records of one key."""
    draw = random.Random(seed)
    return [
        ClearingTrade(
            trade_number=number + 1,
            series=draw.choice(SERIES),
            side=draw.choice(list(ClearingSide)),
            quantity=draw.randrange(1, 200),
            price=Decimal(draw.randrange(1, 3_000_000)).scaleb(-2),
            account=draw.choice(("A1", "B2", "C3")),
            business_date=DAY - timedelta(days=draw.randrange(3)),
        )
        for number in range(count)
    ]


def spoilt(book: Sequence[ClearingTrade], seed: int) -> list[ClearingTrade]:
    """The book with every kind of fault in it, in another order."""
    draw = random.Random(seed)
    found: list[ClearingTrade] = []
    for trade in book:
        match draw.randrange(14):
            case 0:
                continue
            case 1:
                found += [trade, trade]
            case 2:
                found.append(evolve(trade, quantity=trade.quantity + draw.randrange(1, 5)))
            case 3:
                cents = Decimal(draw.choice((-3, -2, -1, 1, 2, 3))).scaleb(-2)
                found.append(evolve(trade, price=trade.price + cents))
            case 4:
                days = timedelta(days=draw.choice((-4, -2, -1, 1, 2, 7)))
                found.append(evolve(trade, business_date=trade.business_date + days))
            case 5:
                more = evolve(trade, quantity=trade.quantity + draw.randrange(2))
                found += draw.sample([trade, more, evolve(more, account="Z9")], 3)
            case 6:
                found.append(evolve(trade, account="a1 ü"))
            case _:
                found.append(trade)
    draw.shuffle(found)
    return found


def placed(book: Sequence[ClearingTrade]) -> Iterator[Placed]:
    """The records as a file of them would give them."""
    for line, trade in enumerate(book, start=2):
        yield Placed(row_of(trade), str(line))


# -- the oracle ----------------------------------------------------------------------------------

Told = tuple[str, str, tuple[object, ...], tuple[object, ...], tuple[str, ...]]


def facts_of(rules: MatchRules, trade: ClearingTrade | None) -> tuple[object, ...]:
    """What a break tells of one record."""
    names = (*rules.key, *rules.compare)
    return () if trade is None else tuple(_plain(getattr(trade, name)) for name in names)


def told_breaks(rules: MatchRules, breaks: Sequence[Break]) -> list[Told]:
    """Breaks of the library as the oracle tells them, places left out: equal records are equal."""
    names = names_of(RecordKind.TRADES)

    def facts(one: Placed | None) -> tuple[object, ...]:
        if one is None:
            return ()
        return tuple(one.row[names.index(name)] for name in (*rules.key, *rules.compare))

    return sorted(
        (
            one.kind.value,
            one.where.value if one.where else "",
            facts(one.ours),
            facts(one.theirs),
            one.differing,
        )
        for one in breaks
    )


def oracle(
    rules: MatchRules, ours: Sequence[ClearingTrade], theirs: Sequence[ClearingTrade]
) -> tuple[int, list[Told]]:
    """How many records agree, and every break."""
    matched, found = 0, list[Told]()
    lonely: dict[str, list[ClearingTrade]] = {"here": [], "there": []}
    for key in _keys(rules, [*ours, *theirs]):
        left = _ordered(rules, [one for one in ours if _key(rules, one) == key])
        right = _ordered(rules, [one for one in theirs if _key(rules, one) == key])
        lacking_here, lacking_there = not left, not right
        for near in (False, True):
            for one in list(left):
                partner = next((it for it in right if _agree(rules, one, it, near=near)), None)
                if partner is not None:
                    _take(left, one)
                    _take(right, partner)
                    matched += 1
        while left and right:
            one, other = left.pop(0), right.pop(0)
            found.append(_told(rules, "different", "", one, other))
        for place, one in enumerate(left):
            if lacking_there and place == 0:
                lonely["here"].append(one)
            else:
                found.append(_told(rules, "duplicate", "here", one, None))
        for place, one in enumerate(right):
            if lacking_here and place == 0:
                lonely["there"].append(one)
            else:
                found.append(_told(rules, "duplicate", "there", None, one))
    found += _late(rules, lonely["here"], lonely["there"])
    return matched, sorted(found)


def _late(
    rules: MatchRules, ours: list[ClearingTrade], theirs: list[ClearingTrade]
) -> Iterator[Told]:
    """The records that are missing; paired where only the date differs, the earliest first."""
    if rules.late_by:
        while pair := _earliest_pair(rules, ours, theirs):
            one, other = pair
            ours.remove(one)
            theirs.remove(other)
            here = getattr(one, rules.late_by) > getattr(other, rules.late_by)
            yield _told(rules, "late", "here" if here else "there", one, other)
    for one in ours:
        yield _told(rules, "missing-there", "there", one, None)
    for one in theirs:
        yield _told(rules, "missing-here", "here", None, one)


def _earliest_pair(
    rules: MatchRules, ours: list[ClearingTrade], theirs: list[ClearingTrade]
) -> tuple[ClearingTrade, ClearingTrade] | None:
    rest = [name for name in rules.key if name != rules.late_by]
    pairs = [
        (one, other)
        for one in ours
        for other in theirs
        if all(getattr(one, name) == getattr(other, name) for name in rest)
        and abs((getattr(one, rules.late_by) - getattr(other, rules.late_by)).days)
        <= rules.late_within_days
    ]
    by_date = sorted(pairs, key=lambda it: [getattr(one, rules.late_by) for one in it])
    return by_date[0] if by_date else None


def _keys(rules: MatchRules, book: list[ClearingTrade]) -> list[tuple[object, ...]]:
    keys: list[tuple[object, ...]] = []
    for one in book:
        if _key(rules, one) not in keys:
            keys.append(_key(rules, one))
    return keys


def _key(rules: MatchRules, trade: ClearingTrade) -> tuple[object, ...]:
    return tuple(getattr(trade, name) for name in rules.key)


def _ordered(rules: MatchRules, book: list[ClearingTrade]) -> list[ClearingTrade]:
    """In the order in which texts of what is compared sort: the order that pairing promises."""
    ordered = sorted(book, key=lambda one: facts_of(rules, one))  # type: ignore[arg-type, return-value]
    assert all(facts_of(rules, a) <= facts_of(rules, b) for a, b in pairwise(ordered))
    return ordered


def _agree(rules: MatchRules, one: ClearingTrade, other: ClearingTrade, *, near: bool) -> bool:
    return not _differing(rules, one, other, near=near)


def _differing(
    rules: MatchRules, one: ClearingTrade, other: ClearingTrade, *, near: bool = True
) -> tuple[str, ...]:
    differing: list[str] = []
    for name in names_of(RecordKind.TRADES):
        if name not in rules.compare:
            continue
        left, right = getattr(one, name), getattr(other, name)
        tolerance = rules.tolerances.get(name) if near else None
        if left != right and not (tolerance and abs(left - right) <= tolerance):
            differing.append(name)
    return tuple(differing)


def _take(book: list[ClearingTrade], trade: ClearingTrade) -> None:
    del book[next(place for place, one in enumerate(book) if one is trade)]


def _told(
    rules: MatchRules, kind: str, where: str, one: ClearingTrade | None, other: ClearingTrade | None
) -> Told:
    differing = _differing(rules, one, other) if one and other else ()
    assert kind in set(BreakKind)
    return kind, where, facts_of(rules, one), facts_of(rules, other), differing


def _plain(value: object) -> object:
    """As a row has it: the oracle compares values, and only tells them as texts."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
    return str(value)
