"""``hkex-ops reports expected`` and ``status``: what must come, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import At, Config, Json, Source, parse_at
from hkex_ops.cli.report_desk import (
    Metrics,
    WorkingDate,
    open_archive,
    report_shelf,
    require_metrics_place,
    write_metrics,
)
from hkex_ops.cli.text import say, say_count, say_instant
from hkex_ops.errors import UsageError
from hkex_ops.flows.report_standing import days_to_look_at
from hkex_ops.model import JsonObject, Notification, plain
from hkex_ops.reports import (
    DayStanding,
    ExpectedReport,
    ReportStanding,
    ReportState,
    digest_of,
    expected_reports,
)

__all__ = ["expected", "render_days", "status", "status_document"]

MOST_DAYS = 260
"""Business dates that one status looks at: a year."""

# What a person should see by itself; the others are counted.
_TOLD = (
    ReportState.MISSING,
    ReportState.LATE,
    ReportState.CHANGED,
    ReportState.DUPLICATED,
    ReportState.UNEXPECTED,
)


# -- expected --------------------------------------------------------------------------------------


def expected(
    *,
    business_date: WorkingDate = None,
    at: At = None,
    source: Source = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """List the reports that must come for a business date, by session, each with its cut-off.

    Asks the catalogue and the calendar alone: half days, holidays and days of your own count.
    """
    shelf = report_shelf(config, source)
    now = parse_at(at, shelf.clock)
    day = shelf.day(business_date, now)
    found = [
        one
        for service in shelf.services
        for one in expected_reports(shelf.catalogue, shelf.calendar, service, day)
    ]
    kind = shelf.calendar.day(day).kind
    return Answer(
        {
            "business_date": plain(day),
            "day": kind.value,
            "services": list(shelf.services),
            "reports": [_expected_document(one) for one in found],
        },
        lambda console: _render_expected(day, kind.value, found, console),
    )


def _expected_document(one: ExpectedReport) -> JsonObject:
    return {
        "service": one.service,
        "house": one.house,
        "code": one.code,
        "session": one.session,
        "instance": one.instance,
        "due": plain(one.due_at),
        "missing_after": plain(one.missing_at),
        "audience": one.audience.value,
        "parts": list(one.parts),
        "if_applicable": one.if_applicable,
    }


def _render_expected(
    day: date, kind: str, found: Sequence[ExpectedReport], console: Console
) -> None:
    word = f"{kind} day" if kind != "closed" else "day without trading"
    say(console, f"{say_count(len(found), 'report')} expected for {day:%A} {day}, a {word}")
    for session in _sessions(one.session for one in found):
        say(console, session or "of the day")
        for one in found:
            if one.session == session:
                say(console, _expected_line(one), indent=2)


def _expected_line(one: ExpectedReport) -> str:
    what = " ".join(part for part in (one.house, one.code, one.instance) if part)
    extra = ", if applicable" if one.if_applicable else ""
    return f"{what:<26} by {say_instant(one.due_at)}{extra}"


def _sessions(stated: Iterable[str | None]) -> list[str | None]:
    """The sessions in the order of the day; what is of none comes last."""
    return sorted(set(stated), key=lambda one: (one is None, one or ""))


# -- status ----------------------------------------------------------------------------------------


def status(
    *,
    business_date: WorkingDate = None,
    days: Annotated[
        int, Parameter(help="Look at so many business dates, the last of them that one.")
    ] = 1,
    at: At = None,
    metrics: Metrics = None,
    source: Source = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Say how the reports of a business date stand: held, late, missing, changed, unexpected.

    Asks the archive, not the server. Exits 1 with one digest when something due is missing.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"--days must be from 1 to {MOST_DAYS}")
    require_metrics_place(metrics)
    shelf = report_shelf(config, source)
    now = parse_at(at, shelf.clock)
    last = shelf.day(business_date, now)
    with open_archive(shelf.settings, shelf.clock, read_only=True) as archive:
        dates = days_to_look_at(archive, shelf.calendar, shelf.services, last, days)
        found = [
            shelf.stand(archive, service, day, now) for day in dates for service in shelf.services
        ]
    write_metrics(metrics, found)
    told = digest_of(found, now)
    return Answer(
        status_document(found, told, now),
        lambda console: render_days(found, told, console),
        ExitCode.DONE if told is None else ExitCode.FINDINGS,
    )


def status_document(
    found: Sequence[DayStanding], told: Notification | None, now: datetime
) -> JsonObject:
    """How reports stand, as ``--json`` prints it."""
    return {
        "at": plain(now),
        "days": [_day_document(day) for day in found],
        "missing": sum(len(day.missing) for day in found),
        "digest": None if told is None else plain(told),
    }


def _day_document(day: DayStanding) -> JsonObject:
    return {
        "service": day.service,
        "business_date": plain(day.business_date),
        "looked_at": plain(day.looked_at),
        "counts": {state.value: len(day.of(state)) for state in ReportState},
        "reports": [_standing_document(one) for one in day.standings],
        "obligations": [
            {
                "house": one.identity.house,
                "code": one.identity.code,
                "what": one.what,
                "due": plain(one.due_at),
                "source": one.source or None,
            }
            for one in day.obligations
        ],
    }


def _standing_document(one: ReportStanding) -> JsonObject:
    of = one.identity if one.expected is None else one.expected
    assert of is not None, "a standing is of something expected or of something held"
    return {
        "state": one.state.value,
        "house": of.house,
        "code": of.code,
        "session": one.session,
        "instance": of.instance,
        "due": None if one.expected is None else plain(one.expected.due_at),
        "names": list(one.names),
        "versions": one.versions,
        "missing_parts": list(one.missing_parts),
        "on_server": one.on_server,
        "fetched_at": plain(one.fetched_at),
    }


def render_days(found: Sequence[DayStanding], told: Notification | None, console: Console) -> None:
    """How reports stand, for a person: a line for each session, and whatever needs an eye."""
    for day in found:
        looked = "never looked at"
        if day.looked_at is not None:
            looked = f"looked at {say_instant(day.looked_at)}"
        say(console, f"{day.service} of {day.business_date:%a %Y-%m-%d}, {looked}")
        for session in _sessions(one.session for one in day.standings):
            here = [one for one in day.standings if one.session == session]
            counts = ", ".join(
                f"{number} {state.value}"
                for state in ReportState
                if (number := sum(one.state is state for one in here))
            )
            say(console, counts, lead=f"  {session or 'of the day'}: ")
            for one in here:
                if one.state in _TOLD:
                    told_of = str(one).removesuffix(f": {one.state.value}")
                    say(console, told_of, lead=f"    {one.state.value}: ")
        if not day.standings:
            say(console, "nothing is expected and nothing is held", indent=2)
        for due in day.obligations:
            until = "when it says" if due.due_at is None else f"by {say_instant(due.due_at)}"
            say(console, f"{due.what}, {until}", lead=f"  {due.identity.code} obliges: ")
    if told is not None:
        say(console, f"{told.subject}")
