"""``hkex-ops index calls``: mandatory calls of bull and bear contracts, and the trades that go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import BusinessDay, Calendar
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.index_captures import BasketFile, HowRead
from hkex_ops.cli.index_ticks import (
    Captures,
    FromFeed,
    TickFiles,
    TickSources,
    take_ticks,
    trading_day,
)
from hkex_ops.cli.options import At, Config, Json, calendar_of, parse_at, system_clock
from hkex_ops.cli.text import say, say_count
from hkex_ops.config.products import load_products, load_trades
from hkex_ops.flows.index.calling import write_call_files
from hkex_ops.index.calls import (
    Call,
    CallEvent,
    Calls,
    CallTimeDoubted,
    CallTimeFound,
    MandatoryCallSeen,
    ProductSuspended,
)
from hkex_ops.index.cancellation import (
    Cancellation,
    ProductTrade,
    cancellation_of,
    files_due,
    last_cancellation_day,
)
from hkex_ops.index.residual import Residual, residual_value, valuation_period
from hkex_ops.model import IndexTick, JsonObject, plain

__all__ = ["calls"]

_UNIT_DECIMALS = 8


def calls(
    *,
    products: Annotated[Path, Parameter(help="The products, as CSV.")],
    trades: Annotated[
        Path | None, Parameter(help="The day's trades in them, as CSV; lists what is cancelled.")
    ] = None,
    date: Annotated[str | None, Parameter(help="The business date; today, if left out.")] = None,
    ticks: TickFiles = (),
    capture: Captures = (),
    feed: FromFeed = None,
    baskets: BasketFile = None,
    out: Annotated[
        Path | None,
        Parameter(help="A new folder: a trade file for each participant, drafts of announcements."),
    ] = None,
    at: At = None,
    how: HowRead = HowRead(),  # noqa: B008
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Find the mandatory calls of a day, and list the trades that must be cancelled.

    Every record is judged by its value, its day high and its day low; touching the call level is
    enough. Where only the high or the low has crossed, the product is suspended at once and the
    moment is unknown until recalculated ticks are given too. Exits 1 when a product was called.
    """
    clock = system_clock()
    calendar = calendar_of(config)
    day = trading_day(date, calendar, clock)
    now = parse_at(at, clock)
    machine = Calls(load_products(products), day)
    day_trades = () if trades is None else load_trades(trades, day)
    console = Console(stderr=True, highlight=False)
    seen: list[IndexTick] = []

    def wanted(tick: IndexTick) -> bool:
        late = at is not None and tick.at > now
        if late or tick.at.date() != day.date or tick.index not in machine.indexes:
            return False
        seen.append(tick)
        return True

    def watch(event: CallEvent) -> None:
        if feed is not None:
            say(console, _event(event))

    sources = TickSources(ticks, capture, feed, baskets, how, config)
    indexes = machine.indexes
    take_ticks([machine], sources, clock, watch, day=day, indexes=indexes, wanted=wanted, now=now)
    cancellation = cancellation_of(machine.calls, day_trades)
    found = _Found(
        day,
        machine.calls,
        cancellation,
        _residuals(machine.calls, seen, day, calendar, now),
        files_due(day),
        last_cancellation_day(day, calendar),
        now,
    )
    document = _document(found)
    if out is not None:
        write_call_files(out, machine.calls, cancellation, document)
    code = ExitCode.FINDINGS if machine.calls else ExitCode.DONE
    return Answer(document, lambda shown: _render(found, out, shown), code)


@frozen
class _Found:
    """Everything that the command answers."""

    day: BusinessDay
    calls: tuple[Call, ...]
    cancellation: Cancellation
    residuals: tuple[Residual, ...]
    files_due: datetime
    cancelled_by: BusinessDay
    now: datetime


def _residuals(
    found: Sequence[Call],
    ticks: Sequence[IndexTick],
    day: BusinessDay,
    calendar: Calendar,
    now: datetime,
) -> tuple[Residual, ...]:
    following = calendar.day(calendar.next_business_day(day.date))
    return tuple(
        residual_value(call.product, valuation_period(call, day, following), ticks, now)
        for call in found
        if call.time is not None and call.session != "between"
    )


def _event(event: CallEvent) -> str:
    match event:
        case ProductSuspended(product, at, by, level):
            return f"{at:%H:%M:%S} {product.product} suspended: {by} {level}"
        case CallTimeFound(call, _):
            assert call.time is not None, "a time was found"
            return f"{call.product.product} was called at {call.time:%H:%M:%S}"
        case CallTimeDoubted(call, _):
            return f"{call.product.product} was called earlier than known, at a moment not known"
        case MandatoryCallSeen(call):
            when = "at a moment not known yet" if call.time is None else f"at {call.time:%H:%M:%S}"
            return f"{call.product.product} called {when}, level {call.product.call_level}"


# -- for programs --------------------------------------------------------------------------------


def _document(found: _Found) -> JsonObject:
    cancellation = found.cancellation
    return {
        "date": found.day.date.isoformat(),
        "calls": [
            {
                "product": call.product.product,
                "index": call.product.index,
                "time": plain(call.time),
                "call_level": str(call.product.call_level),
                "index_value": str(call.index_value),
                "by": call.by.value,
                "session": call.session,
                "kind": call.kind.value,
            }
            for call in found.calls
        ],
        "suspended": [
            {"product": call.product.product, "at": call.suspended_at.isoformat()}
            for call in found.calls
        ],
        "trades_to_cancel": [_trade(one) for one in cancellation.trades],
        "ties": [_trade(one) for one in cancellation.ties],
        "undecided": [_trade(one) for one in cancellation.undecided],
        "totals": {
            "trades": len(cancellation.trades),
            "products": len(cancellation.products),
            "turnover": str(cancellation.turnover),
        },
        "residuals": [
            {
                "product": one.product.product,
                "from": plain(one.period.start.at),
                "until": plain(one.period.until.at),
                "extreme": plain(one.extreme),
                "value": None if one.value is None else _units(one.value),
                "final": one.final,
            }
            for one in found.residuals
        ],
        "files_due": found.files_due.isoformat(),
        "cancelled_by": found.cancelled_by.date.isoformat(),
    }


def _units(value: Fraction) -> str:
    """An exact value as a decimal text; eight decimals where it has no end."""
    scaled = round(value * 10**_UNIT_DECIMALS)
    return f"{Decimal(scaled).scaleb(-_UNIT_DECIMALS).normalize():f}"


def _trade(trade: ProductTrade) -> JsonObject:
    return {
        "trade": trade.trade,
        "product": trade.product,
        "buyer": trade.buyer,
        "seller": trade.seller,
        "time": trade.time.isoformat(),
        "price": str(trade.price),
        "quantity": trade.quantity,
        "turnover": str(trade.turnover),
    }


# -- for a person --------------------------------------------------------------------------------


def _render(found: _Found, out: Path | None, console: Console) -> None:
    if not found.calls:
        say(console, f"No product was called on {found.day.date}.")
        return
    say(console, f"{say_count(len(found.calls), 'product')} called on {found.day.date}:")
    for call in found.calls:
        time = "time not known yet" if call.time is None else f"{call.time:%H:%M:%S}"
        product = call.product
        say(
            console,
            f"{time}, {call.session}: {product.direction} at {product.call_level}, index "
            f"{call.index_value} ({call.by}); suspended {call.suspended_at:%H:%M:%S}",
            lead=f"  {product.product}  ",
        )
    _render_trades(found, console)
    for one in found.residuals:
        if one.value:
            standing = "" if one.final else " so far"
            say(console, f"  {one.product.product} leaves {_units(one.value)} a unit{standing}")
    if out is not None:
        say(console, f"Files in {out}")


def _render_trades(found: _Found, console: Console) -> None:
    cancellation = found.cancellation
    console.print()
    say(
        console,
        f"{say_count(len(cancellation.trades), 'trade')} to cancel in "
        f"{say_count(len(cancellation.products), 'product')}, turnover "
        f"HK${cancellation.turnover.normalize():,f}",
    )
    for name, trades in (
        ("at the very moment", cancellation.ties),
        ("waiting for the time of the call", cancellation.undecided),
    ):
        if trades:
            numbers = ", ".join(one.trade for one in trades)
            say(console, f"{say_count(len(trades), 'trade')} {name}: {numbers}", indent=2)
    if cancellation.trades or cancellation.undecided:
        say(
            console,
            f"Trade files are due {_left(found.files_due, found.now)}; cancelled by "
            f"{found.cancelled_by.date} at the latest.",
        )


def _left(due: datetime, now: datetime) -> str:
    left = due - now
    if left <= timedelta():
        return f"at {due:%H:%M}, which has passed"
    hours, seconds = divmod(int(left.total_seconds()), 3600)
    return f"by {due:%H:%M}, in {hours} h {seconds // 60:02} min"
