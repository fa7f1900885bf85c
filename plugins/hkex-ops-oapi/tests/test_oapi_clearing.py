"""The flows of clearing over the real adapter: they bring what the house has, or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from oapi_benches import StandInBench, needs_compiler, open_bench

from hkex_ops.clearing.columns import record_of
from hkex_ops.clock import SystemClock
from hkex_ops.config.record_files import read_records
from hkex_ops.config.record_forms import load_answers, load_file_forms
from hkex_ops.errors import RemoteError
from hkex_ops.flows.clearing.checking import check_gateways
from hkex_ops.flows.clearing.gateways import ConfiguredGateway
from hkex_ops.flows.clearing.tabling import fetch_tables
from hkex_ops.model import (
    ClearingPosition,
    ClearingSide,
    ClearingTrade,
    Connection,
    Enquiry,
    RecordKind,
    SiteRole,
    Source,
)
from hkex_ops.ports import SupportsTransact
from hkex_ops_simulator.oapi.books import TradeState

PRIMARY = SiteRole.PRIMARY
KINDS = (RecordKind.TRADES, RecordKind.POSITIONS)

ANSWERS = """\
[[trades]]
enquiry = "CQ10"
answer = "CA10"
parameters = { date_s = "{business_date:%Y%m%d}" }
date_format = "%Y%m%d"
keep = { "trade_base.trade_state_c" = ["1", "2"] }
[trades.for_each]
enquiry = "DQ8"
[trades.for_each.parameters]
"series.country_c" = "series.country_c"
"series.market_c" = "series.market_c"
"series.instrument_group_c" = "series.instrument_group_c"
[trades.columns]
trade_number = "trade_base.trade_number_i"
series = "trade_base.series_id_s"
side = { from = "trade_base.bought_or_sold_c", words = { 1 = "buy", 2 = "sell" } }
quantity = "trade_base.quantity_q"
price = { from = "trade_base.deal_price_i", decimals_from = "trade_base.decimals_c" }
account = "trade_base.account.account_id_s"
business_date = "trade_base.business_date_s"

[[positions]]
enquiry = "CQ3"
date_format = "%Y%m%d"
[positions.columns]
account = "account.account_id_s"
series = "series_id_s"
business_date = "business_date_s"
long = "held_q"
short = "written_q"
"""

pytestmark = needs_compiler


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[StandInBench]:
    (tmp_path / "answers.toml").write_text(ANSWERS)
    async with open_bench(tmp_path) as bench:
        yield bench


def gateway_of(bench: StandInBench) -> ConfiguredGateway:
    return ConfiguredGateway("dcass", "DCASS-OAPI", PRIMARY, bench.offer, bench.options())


def tables_in(folder: Path) -> list[str]:
    """The tables that were written."""
    return [path.name for path in folder.glob("*.csv")]


async def test_tables_hold_what_the_house_holds(bench: StandInBench, tmp_path: Path) -> None:
    """Every trade of the business date in every group but the cancelled, and every position."""
    house, day = bench.stand_in.house, bench.business_date
    mappings = load_answers(tmp_path / "answers.toml")
    trades, positions = await fetch_tables(
        gateway_of(bench), PRIMARY, mappings, KINDS, tmp_path, ".csv"
    )
    forms = load_file_forms(None)
    read = {
        one.fetched.kind: [
            record_of(one.fetched.kind, row)
            for row, _ in read_records(one.path, forms[one.fetched.kind])
        ]
        for one in (trades, positions)
    }
    kept = [
        one
        for group in house.books.groups
        for one in house.books.of(group, day)
        if one.state is not TradeState.CANCELLED
    ]
    assert [
        ClearingTrade(
            one.number,
            one.series.id,
            ClearingSide.BUY if one.bought else ClearingSide.SELL,
            one.quantity,
            Decimal(one.price).scaleb(-one.series.decimals),
            one.account,
            day,
        )
        for one in kept
    ] == read[RecordKind.TRADES]
    assert [
        ClearingPosition(one.account, one.series.id, day, one.held, one.written)
        for one in house.books.positions(day)
    ] == read[RecordKind.POSITIONS]
    assert {"DQ8", "CQ10", "CQ3"} <= {one.code for one in positions.fetched.decisions}
    assert [] == bench.changed()


@pytest.mark.parametrize("code", ["CQ3", "CQ10", "DQ8"])
async def test_an_answer_in_part_leaves_no_table(
    bench: StandInBench, tmp_path: Path, code: str
) -> None:
    """A partition that answers for itself only, or that cannot be reached: nothing is written."""
    await bench.answer_in_part(Enquiry(code))
    mappings = load_answers(tmp_path / "answers.toml")
    with pytest.raises(RemoteError):
        await fetch_tables(gateway_of(bench), PRIMARY, mappings, KINDS, tmp_path, ".csv")
    assert [] == tables_in(tmp_path)
    assert 0 == bench.sessions()


async def test_each_gateway_is_logged_in_to_by_itself(bench: StandInBench) -> None:
    """The primary one is down, and nobody took the backup for it."""
    named = [
        Connection("DCASS-OAPI", PRIMARY, one.host, None, Source("a paper", "there"))
        for one in bench.gateways
    ]
    await bench.take_down(0)
    down, up = await check_gateways(
        gateway_of(bench), PRIMARY, named, SystemClock(), expiry_warning_days=14
    )
    assert [str(one) for one in bench.gateways] == [down.gateway, up.gateway]
    assert (False, True) == (down.passed, up.passed), (down, up)
    assert down.error
    assert up.status is not None
    assert (bench.business_date, 61) == (
        up.status.business_date,
        up.status.days_to_password_expiry,
    )
    assert 0 == bench.sessions()


async def test_a_flow_holds_nothing_that_changes_anything(bench: StandInBench) -> None:
    """Even where the adapter was told that it may."""
    gateway = ConfiguredGateway(
        "dcass", "DCASS-OAPI", PRIMARY, bench.offer, bench.options_transacting()
    )
    async with gateway.offer.open(gateway.options, PRIMARY) as opened:
        assert isinstance(opened, SupportsTransact)
    async with gateway.open(PRIMARY) as held:
        assert not isinstance(held, SupportsTransact)
