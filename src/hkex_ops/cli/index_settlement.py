"""``hkex-ops index settlement``: the average settlement and the final settlement price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

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
from hkex_ops.cli.text import say
from hkex_ops.errors import UsageError
from hkex_ops.index.marks import LunchEdges
from hkex_ops.index.names import index_code, index_name
from hkex_ops.index.settlement import (
    MarkMissed,
    MarkRead,
    MarkReading,
    Settlement,
    SettlementAnswer,
    SettlementEvent,
)
from hkex_ops.index.settlement_rules import (
    SETTING_SOURCES,
    ClosingReading,
    FinalBase,
    FinalRounding,
    MarkKind,
    MissingMark,
    SettlementRules,
)
from hkex_ops.model import IndexTick, JsonObject, plain

__all__ = ["settlement"]

_DEFAULTS = SettlementRules()


def settlement(
    *,
    index: Annotated[str, Parameter(help="A name such as HSI or HSCEI, or a code.")],
    date: Annotated[str | None, Parameter(help="The business date; today, if left out.")] = None,
    ticks: TickFiles = (),
    capture: Captures = (),
    feed: FromFeed = None,
    baskets: BasketFile = None,
    lunch_edges: Annotated[
        LunchEdges, Parameter(help="How the lunch break cuts the five-minute steps.")
    ] = _DEFAULTS.lunch_edges,
    missing: Annotated[
        MissingMark, Parameter(help="What is done about a mark without any value.")
    ] = _DEFAULTS.missing,
    closing: Annotated[
        ClosingReading, Parameter(help="Which value is read at the close.")
    ] = _DEFAULTS.closing,
    final_rounding: Annotated[
        FinalRounding, Parameter(help="How the final settlement price is rounded.")
    ] = _DEFAULTS.final_rounding,
    final_base: Annotated[
        FinalBase, Parameter(help="Whether the exact mean or the published EAS is rounded.")
    ] = _DEFAULTS.final_base,
    at: At = None,
    how: HowRead = HowRead(),  # noqa: B008
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Work out the settlement of an index on a day, mark by mark.

    Readings are taken at five-minute steps of the continuous session and at the close, which
    follow from the day's own hours. What no public rule says is an option here; the answer tells
    what every other choice would give. While the day lasts it is the running estimate. Exits 1
    when a mark has no value of any kind.
    """
    clock = system_clock()
    day = trading_day(date, calendar_of(config), clock)
    now = parse_at(at, clock)
    code = index_code(index)
    rules = SettlementRules(
        lunch_edges=lunch_edges,
        missing=missing,
        closing=closing,
        final_rounding=final_rounding,
        final_base=final_base,
    )
    machine = Settlement(code, day, rules)
    sources = TickSources(ticks, capture, feed, baskets, how, config)
    console = Console(stderr=True, highlight=False)

    def wanted(tick: IndexTick) -> bool:
        late = at is not None and tick.at > now
        return tick.index == code and tick.at.date() == day.date and not late

    def watch(event: SettlementEvent) -> None:
        if feed is not None:
            so_far = machine.answer(clock.now() if at is None else now)
            say(console, f"{_event(event)}; EAS so far {_figure(so_far.eas)}{_standing(so_far)}")

    taken = take_ticks(
        [machine], sources, clock, watch, day=day, indexes={code}, wanted=wanted, now=now
    )
    if not taken and feed is None and at is None:
        raise UsageError(f"there is no tick of {index} on {day.date} there: name another file")
    answer = machine.answer(now if at is not None or feed is not None else None)
    code_of_exit = ExitCode.FINDINGS if answer.missing else ExitCode.DONE
    return Answer(_document(answer), lambda shown: _render(answer, shown), code_of_exit)


def _event(event: SettlementEvent) -> str:
    match event:
        case MarkRead(_, at, value, kind):
            return f"{at:%H:%M:%S} read {value} ({kind})"
        case MarkMissed(_, at):
            return f"{at:%H:%M:%S} has no value"


def _document(answer: SettlementAnswer) -> JsonObject:
    rules = answer.rules
    return {
        "index": answer.index,
        "date": answer.day.date.isoformat(),
        "marks": [
            {
                "at": one.at.isoformat(),
                "value": plain(one.value),
                "kind": "open" if one.open else one.kind.value,
                "closing": one.closing,
                "used": plain(one.used),
                "others": {kind.value: str(value) for kind, value in one.others},
            }
            for one in answer.marks
        ],
        "eas": plain(answer.eas),
        "final_settlement_price": plain(answer.final_settlement_price),
        "open": answer.open,
        "missing": answer.missing,
        "settings": {
            "lunch_edges": rules.lunch_edges.value,
            "missing": rules.missing.value,
            "closing": rules.closing.value,
            "final_rounding": rules.final_rounding.value,
            "final_base": rules.final_base.value,
            "prefer": [kind.value for kind in rules.prefer],
        },
        "sources": dict(SETTING_SOURCES),
        "policies": [plain(one) for one in answer.policies],
    }


def _render(answer: SettlementAnswer, console: Console) -> None:
    name = index_name(answer.index)
    say(console, f"{name} on {answer.day.date:%A %Y-%m-%d}: {len(answer.marks)} marks")
    for line in _grouped(answer):
        say(console, line, indent=2)
    console.print()
    say(console, f"EAS {_figure(answer.eas)}{_standing(answer)}")
    say(console, f"Final settlement price {_figure(answer.final_settlement_price)}")
    if answer.missing and answer.eas is None:
        say(console, "A mark has no value of any kind: recalculate it, or choose --missing.")
    differing = [
        one
        for one in answer.policies
        if (one.eas, one.final_settlement_price) != (answer.eas, answer.final_settlement_price)
    ]
    if not differing:
        say(console, "No other choice of settings gives another answer.")
        return
    console.print()
    say(console, "What other choices would give:")
    table = Table(box=None, pad_edge=False, show_header=True, header_style="")
    for column, justify in (("setting", "left"), ("EAS", "right"), ("final", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for one in differing:
        setting = f"  {one.setting.replace('_', '-')} {one.value}"
        table.add_row(setting, _figure(one.eas), _figure(one.final_settlement_price))
    console.print(table)


def _standing(answer: SettlementAnswer) -> str:
    told = [f"{answer.open} marks still open"] if answer.open else []
    told += [f"{answer.missing} missing"] if answer.missing else []
    return f" ({', '.join(told)})" if told else ""


def _grouped(answer: SettlementAnswer) -> Iterator[str]:
    """Each mark that is not simply published on a line of its own, and how many are."""
    published = [one for one in answer.marks if one.kind is MarkKind.PUBLISHED]
    if published:
        lowest = min(published, key=_value)
        highest = max(published, key=_value)
        yield (
            f"{len(published)} published, from {lowest.value} at {lowest.at:%H:%M} "
            f"to {highest.value} at {highest.at:%H:%M}"
        )
    for one in answer.marks:
        if one.kind is not MarkKind.PUBLISHED and not one.open:
            used = "" if one.used is None or one.used == one.value else f", {one.used} stands in"
            yield f"{one.at:%H:%M:%S} {one.kind.value} {_figure(one.value)}{used}"


def _value(reading: MarkReading) -> Decimal:
    return reading.value or Decimal(0)


def _figure(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{value:f}"
