"""``hkex-ops calendar DATE``: what a day is, from the dated tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from hkex_ops.calendars import BusinessDay, TradingSession
from hkex_ops.cli.answer import Answer
from hkex_ops.cli.options import Config, Json, calendar_of, parse_day
from hkex_ops.cli.text import say
from hkex_ops.model import Certainty, Json as JsonValue, JsonObject, plain

__all__ = ["calendar"]


def calendar(day: str, /, *, config: Config = None, json: Json = False) -> Answer:
    """Show a day's sessions in Hong Kong time, or why there are none, and where it is known from.

    Parameters
    ----------
    day
        The date, such as 2010-01-22.
    """
    found = calendar_of(config).day(parse_day(day))
    return Answer(_document(found), lambda console: _render(found, console))


def _document(day: BusinessDay) -> JsonObject:
    return {
        "date": plain(day.date),
        "trading_day": day.trading,
        "kind": day.kind.value,
        "name": day.name or None,
        "securities": _sessions(day.securities),
        "derivatives": _sessions(day.derivatives),
        "clearing": _sessions(day.clearing),
        "source": "; ".join(source.title for source in day.sources) or "weekends are closed",
        "sources": [plain(source) for source in day.sources],
        "unconfirmed": list(day.unconfirmed),
        "notes": list(day.notes),
    }


def _sessions(sessions: Sequence[TradingSession]) -> JsonValue:
    return [
        {
            "name": session.name,
            "from": plain(session.window.start.at),
            "to": plain(session.window.until.at),
            "to_certainty": session.window.until.certainty.value,
            "earliest_to": plain(session.earliest),
        }
        for session in sessions
    ]


def _render(day: BusinessDay, console: Console) -> None:
    name = f", {day.name}" if day.name and day.name != f"{day.date:%A}" else ""
    what = "no trading" if not day.trading else f"{day.kind.value} day"
    say(console, f"{day.date:%A %Y-%m-%d}: {what}{name}")
    for market in ("securities", "derivatives", "clearing"):
        sessions: Sequence[TradingSession] = getattr(day, market)
        for place, session in enumerate(sessions):
            mark = " (unconfirmed)" if market in day.unconfirmed else ""
            label = market if not place else ""
            say(console, f"{_span(session)}{mark}", lead=f"  {label:<12}{session.name:<20}")
    for source in day.sources:
        say(console, source.title, lead="  source      ")
    for note in day.notes:
        say(console, note, lead="  note        ")


def _span(session: TradingSession) -> str:
    start, until = session.window.start.at, session.window.until.at
    assert start is not None and until is not None
    about = "~" if session.window.until.certainty is Certainty.APPROXIMATE else ""
    if session.earliest is not None:
        about = f"{session.earliest:%H:%M} to "
    later = " next day" if until.date() > start.date() else ""
    return f"{start:%H:%M} - {about}{until:%H:%M}{later}"
