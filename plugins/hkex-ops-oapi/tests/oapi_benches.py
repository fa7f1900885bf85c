"""The bench of the gateway ``oapi``: the stand-in library and the clearing house behind it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from oapi_desk import desk_options, write_password

from hkex_ops.model import Endpoint, Enquiry, Fields, FieldValue, SiteRole, Transaction
from hkex_ops.ports import OapiGateway, Offer
from hkex_ops.testing import Held, OapiGatewayBench
from hkex_ops_oapi import hkex_ops_oapi_gateways
from hkex_ops_simulator.oapi import stand_in
from hkex_ops_simulator.oapi.books import COUNTRY, CUSTOMER, Position, Series, Trade
from hkex_ops_simulator.oapi.faults import PasswordState, Scripted
from hkex_ops_simulator.oapi.records import packed_day, spelt_date
from hkex_ops_simulator.oapi.stand_in import OapiStandIn, Variant

__all__ = ["StandInBench", "needs_compiler", "open_bench"]

PRIMARY = SiteRole.PRIMARY


def _must_be_skipped() -> bool:
    """Without a compiler there is no stand-in; where servers are required that is a failure."""
    if any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        return False
    return os.environ.get("HKEX_OPS_REQUIRE_SERVERS") != "1"


needs_compiler = pytest.mark.skipif(
    _must_be_skipped(), reason="no C compiler here: install gcc and libc6-dev"
)

# Longer than the time limit of a call, shorter than a person's patience.
SILENCE_S = 6.0

# Statuses of the library: the central system did not answer, a partition cannot be reached.
UNKNOWN_OUTCOME, NOT_REACHABLE = -21, -2044


@asynccontextmanager
async def open_bench(
    folder: Path, variant: Variant = Variant.PLAIN, **options: object
) -> AsyncIterator[StandInBench]:
    """A bench whose files are in ``folder``; libraries are kept for other tests."""
    libraries = folder.parent.parent / "oapi-libraries"
    async with stand_in.open(seed=7, variant=variant, folder=libraries) as it:
        yield StandInBench(it, folder, options)


class StandInBench(OapiGatewayBench):
    """The adapter, and its back door into the house."""

    time_limit_s = 10

    def __init__(
        self, it: OapiStandIn, folder: Path, options: Mapping[str, object] | None = None
    ) -> None:
        self.stand_in = it
        self.folder = folder
        self.stated = {"call_timeout_s": 4, **(options or {})}

    @property
    def offer(self) -> Offer[OapiGateway]:
        (offer,) = hkex_ops_oapi_gateways()
        return offer

    def options(self) -> object:
        return desk_options(self.stand_in, self.folder, **self.stated)

    def options_unknown(self) -> object:
        file = write_password("Nobody-Knows-1", self.folder, "unknown")
        return desk_options(self.stand_in, self.folder, **self.stated, password_file=file)

    def options_transacting(self) -> object:
        return desk_options(
            self.stand_in,
            self.folder,
            **self.stated,
            enquiries_only=False,
            transactions={"CD28": 3},
        )

    def transaction(self) -> Transaction:
        trade = self.stand_in.house.books.trades[0]
        return Transaction("CD28", {"trade_number_i": trade.number, "quantity_q": 1})

    def secrets(self) -> Sequence[str]:
        return (self.stand_in.password, "Nobody-Knows-1")

    def held(self) -> Sequence[Held]:
        books, day = self.stand_in.house.books, self.stand_in.house.business_date
        group = books.groups[0]
        wanted: dict[str, FieldValue] = {
            "series.country_c": group.country,
            "series.market_c": group.market,
            "series.instrument_group_c": group.number,
        }
        return (
            Held(Enquiry("CQ3"), tuple(_position(one, day) for one in books.positions(day))),
            Held(Enquiry("CQ10", wanted), tuple(_trade(one) for one in books.of(group, day))),
            Held(
                Enquiry("CQ11", wanted),
                tuple(_trade(one) for day in books.dates for one in books.of(group, day)),
            ),
        )

    def received(self) -> Sequence[str]:
        return [one.code for one in self.stand_in.house.received]

    def changed(self) -> Sequence[str]:
        return [one.code for one in self.stand_in.house.changed]

    def changing(self) -> Sequence[str]:
        return self.stand_in.house.changing

    def sessions(self) -> int:
        return len(self.stand_in.house.queues)

    @property
    def business_date(self) -> date:
        return self.stand_in.house.business_date

    @property
    def gateways(self) -> Sequence[Endpoint]:
        return self.stand_in.sites[PRIMARY]

    async def take_down(self, place: int = 0) -> None:
        await asyncio.to_thread(self.stand_in.kill, PRIMARY, place)

    async def fall_silent(self, enquiry: Enquiry) -> None:
        self.stand_in.faults.slow[enquiry.code] = SILENCE_S

    async def answer_in_part(self, enquiry: Enquiry) -> None:
        if enquiry.code == "CQ3":
            self.stand_in.faults.partition_alone = self.stand_in.house.books.groups[0].market
        else:
            self.stand_in.faults.script(enquiry.code, Scripted(NOT_REACHABLE))

    async def cut_short(self, enquiry: Enquiry) -> None:
        self.stand_in.faults.short.add(enquiry.code)

    async def require_password_change(self) -> None:
        self.stand_in.faults.password = PasswordState.MUST_CHANGE

    def password_changes(self) -> int:
        house = self.stand_in.house
        return sum(user.password != self.stand_in.password for user in house.users.values())

    async def tell(self, text: str) -> None:
        self.stand_in.house.tell_text(text)

    async def tell_unheard(self, text: str) -> None:
        queues, self.stand_in.house.queues = self.stand_in.house.queues, []
        self.stand_in.house.tell_text(text)
        self.stand_in.house.queues = queues
        self.stand_in.house.lose_events()

    async def forget_to_answer(self) -> None:
        self.stand_in.faults.script("CD28", Scripted(UNKNOWN_OUTCOME, whole=True))


def _series(series: Series, prefix: str) -> Iterator[tuple[str, FieldValue]]:
    yield f"{prefix}country_c", series.country
    yield f"{prefix}market_c", series.market
    yield f"{prefix}instrument_group_c", series.group
    yield f"{prefix}modifier_c", series.modifier
    yield f"{prefix}commodity_n", series.commodity
    yield f"{prefix}expiration_date_n", packed_day(series.expiration)
    yield f"{prefix}strike_price_i", series.strike


def _account(account: str, prefix: str) -> Iterator[tuple[str, FieldValue]]:
    yield f"{prefix}country_id_s", COUNTRY
    yield f"{prefix}ex_customer_s", CUSTOMER
    yield f"{prefix}account_id_s", account


def _position(position: Position, day: date) -> Fields:
    return {
        **dict(_series(position.series, "series.")),
        **dict(_account(position.account, "account.")),
        "series_id_s": position.series.id,
        "held_q": position.held,
        "written_q": position.written,
        "deny_exercise_q": 0,
        "modified_date_s": spelt_date(day),
        "modified_time_s": "233000",
    }


def _trade(trade: Trade) -> Fields:
    base = "trade_base."
    return {
        **dict(_series(trade.series, f"{base}series.")),
        **dict(_account(trade.account, f"{base}account.")),
        f"{base}trade_number_i": trade.number,
        f"{base}sequence_number_i": trade.sequence,
        f"{base}bought_or_sold_c": "1" if trade.bought else "2",
        f"{base}trade_state_c": trade.state,
        f"{base}open_close_c": 2 if trade.closes else 1,
        f"{base}quantity_q": trade.quantity,
        f"{base}deal_price_i": trade.price,
        f"{base}decimals_c": trade.series.decimals,
        f"{base}trade_date_s": spelt_date(trade.traded_at),
        f"{base}trade_time_s": f"{trade.traded_at:%H%M%S}",
        f"{base}business_date_s": spelt_date(trade.business_date),
        f"{base}series_id_s": trade.series.id,
        f"{base}order_number_q": trade.order_number,
        f"{base}reference_s": "SYNTHETIC",
        "trade_parties.own_customer_s": COUNTRY + CUSTOMER,
        "trade_parties.counterparty_s": COUNTRY + trade.counterparty,
        "trade_parties.give_up_state_c": 1 if trade.give_up_to else 0,
        "trade_parties.give_up_member_s": COUNTRY + trade.give_up_to if trade.give_up_to else "",
    }
