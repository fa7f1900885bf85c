"""Whole or not at all: what is fetched from a house with any fault is its books, or an error.

The adapter, its configuration and the flows are those of an operator; the truth is the house's own
books. No fault may make an incomplete answer look like a complete one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from oapi_calls import needs_compiler
from oapi_houses import SHAPE, configured

from hkex_ops.clearing.columns import record_of
from hkex_ops.clearing.lines import Placed
from hkex_ops.config.record_forms import load_answers
from hkex_ops.errors import HkexOpsError, PluginError, UsageError
from hkex_ops.flows.clearing.fetching import fetch_records
from hkex_ops.model import ClearingPosition, ClearingRecord, ClearingSide, ClearingTrade, RecordKind
from hkex_ops_simulator.oapi import stand_in
from hkex_ops_simulator.oapi.faults import Faults, Scripted
from hkex_ops_simulator.oapi.house import ClearingHouse
from hkex_ops_simulator.oapi.stand_in import OapiStandIn, Variant

pytestmark = needs_compiler

KINDS = (RecordKind.TRADES, RecordKind.POSITIONS)
CODES = ("DQ8", "CQ10", "CQ3", "UQ12")
ANSWERS = ("DQ8", "CQ10", "CQ3", "UQ12")
VARIANTS = (Variant.PLAIN, Variant.SWAPPED, Variant.OLD_KIT)

# Completion and transaction status, and whether the true answer comes along.
BAD = (
    Scripted(-21),
    Scripted(-1),
    Scripted(-12, -700042),
    Scripted(0, -700042),
    Scripted(0, -700042, whole=True),
    Scripted(-2043),
    Scripted(-2044, whole=True),
    Scripted(-777),
    Scripted(0),
    Scripted(-13, whole=True),
)
HARMLESS = (Scripted(0, 5, whole=True), Scripted(0, 0, whole=True))


def drawn(draw: Random) -> tuple[str, Faults]:
    """A fault by chance, and its name."""
    faults = Faults(not_ready=draw.randrange(3), empty_tail=draw.randrange(2) == 0)
    kind = draw.choice(["none", "script", "harmless", "cut", "short", "long", "alone", "lost"])
    code, pages = draw.choice(CODES), draw.randrange(4)
    match kind:
        case "script":
            faults.script(code, *[HARMLESS[1]] * pages, draw.choice(BAD))
        case "harmless":
            faults.script(code, *(draw.choice(HARMLESS) for _ in range(pages)))
        case "cut":
            faults.cut_at, faults.cut_after = code, pages
        case "short":
            faults.short.add(draw.choice(ANSWERS))
        case "long":
            faults.long.add(draw.choice(ANSWERS))
        case "alone":
            faults.partition_alone = draw.choice((61, 62))
        case "lost":
            faults.partition_lost = draw.choice((61, 62))
    return f"{kind} {code} {pages}", faults


def truth(house: ClearingHouse, kind: RecordKind) -> Counter[ClearingRecord]:
    day = house.business_date
    if kind is RecordKind.POSITIONS:
        return Counter(
            ClearingPosition(one.account, one.series.id, day, one.held, one.written)
            for one in house.books.positions(day)
        )
    return Counter(
        ClearingTrade(
            one.number,
            one.series.id,
            ClearingSide.BUY if one.bought else ClearingSide.SELL,
            one.quantity,
            Decimal(one.price).scaleb(-one.series.decimals),
            one.account,
            one.business_date,
            traded_at=one.traded_at,
        )
        for one in house.books.trades
        if one.business_date == day
    )


async def fetched(it: OapiStandIn, folder: Path, kind: RecordKind) -> Counter[ClearingRecord]:
    gateway, rows = configured(it, folder), list[Placed]()
    mappings = load_answers(folder / "answers.toml")[kind]
    async with gateway.open(gateway.site) as session:
        await fetch_records(session, mappings, kind, rows.append)
    return Counter(record_of(kind, one.row) for one in rows)


async def attempted(
    it: OapiStandIn, folder: Path, kind: RecordKind
) -> Counter[ClearingRecord] | HkexOpsError:
    try:
        return await fetched(it, folder, kind)
    except HkexOpsError as error:
        return error


async def all_gone(house: ClearingHouse) -> bool:
    """Whether nobody is logged in any more; a line that is cut is noticed a little later."""
    for _ in range(500):
        if not house.queues:
            break
        await asyncio.sleep(0.01)
    return not house.queues


@pytest.mark.parametrize("count", [16, pytest.param(400, marks=pytest.mark.long)])
async def test_what_comes_is_the_books_or_an_error(tmp_path: Path, count: int) -> None:
    told = Counter[str]()
    for seed in range(count):
        draw = Random(seed)
        kind, variant = draw.choice(KINDS), draw.choice(VARIANTS)
        name, faults = drawn(draw)
        folder = tmp_path / str(seed)
        begun = f"seed {seed}: {kind}, {variant}, {name}"
        async with stand_in.open(seed, variant=variant, faults=faults, shape=SHAPE) as it:
            found = await attempted(it, folder, kind)
            if isinstance(found, HkexOpsError):
                # The operator, the other side or the bytes: never the adapter, nor its caller.
                assert not isinstance(found, PluginError | UsageError), f"{begun}: {found}"
                assert not name.startswith(("none", "harmless")), f"{begun}: {found}"
                assert it.password not in str(found), begun
                told["error"] += 1
            else:
                assert truth(it.house, kind) == found, begun
                told["whole"] += 1
            assert ([], 0) == (it.house.changed, it.house.collisions), begun
            assert await all_gone(it.house), f"{begun}: somebody is still logged in"
    assert 2 == len(told), "some went well and some did not"


async def test_a_price_has_the_decimals_of_its_group(tmp_path: Path) -> None:
    async with stand_in.open(3, shape=SHAPE) as it:
        found = await fetched(it, tmp_path, RecordKind.TRADES)
    prices = {
        one.price.as_tuple().exponent for one in found.elements() if isinstance(one, ClearingTrade)
    }
    assert {0, -2} <= prices


async def test_an_evenings_trade_keeps_its_own_date(tmp_path: Path) -> None:
    async with stand_in.open(3, shape=SHAPE) as it:
        found = await fetched(it, tmp_path, RecordKind.TRADES)
        day = it.house.business_date
    times = [one.traded_at for one in found.elements() if isinstance(one, ClearingTrade)]
    assert any(isinstance(at, datetime) and at.date() < day for at in times)
