"""``hkex-ops incident compare``: two accounts of one event side by side, differences marked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.incident_options import Room, room_of
from hkex_ops.cli.options import Config, Json
from hkex_ops.cli.text import say, say_count
from hkex_ops.cli.working import Work
from hkex_ops.config.shipped import load_incidents
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import UsageError
from hkex_ops.incidents import (
    AlignedRow,
    Comparison,
    Disagreement,
    Side,
    compare as compare_sides,
    side_of_log,
    side_of_papers,
)
from hkex_ops.model import ChronologyRow, Incident, JsonObject, plain

__all__ = ["compare", "row_document"]

# The longest time in the chronologies of 2010, "23 January morning".
_TIME_WIDTH = 18


def compare(
    left: str, right: str, /, *, work: Work = None, config: Config = None, json: Json = False
) -> Answer:
    """Lay two accounts of one event side by side, and mark where they differ. Exits 1 if they do.

    An account is an incident's id, the desk's own or the papers', and ID:TELLER is the account of
    one teller in it, such as hsil-2010:HSIL.

    Parameters
    ----------
    left
        One account.
    right
        The other.
    """
    room = room_of(config, work)
    papers = load_incidents(room.calendar)
    found = compare_sides(_side(left, room, papers), _side(right, room, papers))
    findings = len(found.differing) + len(found.moments)
    return Answer(
        {
            "left": found.left.name,
            "right": found.right.name,
            "rows": [_pair(one) for one in found.rows],
            "differing": len(found.differing),
            "moments": [_moment(one) for one in found.moments],
        },
        lambda console: _render_compare(found, console),
        ExitCode.FINDINGS if findings else ExitCode.DONE,
    )


def _side(named: str, room: Room, papers: Mapping[str, Incident]) -> Side:
    id, _, teller = named.partition(":")
    if id in room.store.ids():
        return side_of_log(room.store.read(id).view, teller or None)
    if id in papers:
        return side_of_papers(papers[id], teller or None)
    known = [*room.store.ids(), *papers]
    raise UsageError(f"there is no incident {id!r}; {nearest(id, known)}")


def row_document(row: ChronologyRow) -> JsonObject:
    """A row of a chronology, for programs."""
    return {
        "teller": row.teller,
        "at": plain(row.at),
        "until": plain(row.until),
        "stated": row.stated,
        "events": list(row.events),
        "source": str(row.source),
    }


def _pair(one: AlignedRow) -> JsonObject:
    return {
        "left": row_document(one.left) if one.left else None,
        "right": row_document(one.right) if one.right else None,
        "apart_s": None if one.apart is None else one.apart // timedelta(seconds=1),
        "differs": one.differs,
    }


def _moment(one: Disagreement) -> JsonObject:
    return {
        "moment": one.moment.id,
        "what": one.moment.what,
        "accounts": [
            {
                "teller": told.teller,
                "at": plain(told.at),
                "until": plain(told.until),
                "stated": told.stated,
                "source": str(told.source),
            }
            for told in one.accounts
        ],
    }


def _render_compare(found: Comparison, console: Console) -> None:
    say(console, f"< {found.left.name}")
    say(console, f"> {found.right.name}")
    say(console, "")
    for one in found.rows:
        mark = "=" if one.left and one.right else " "
        if one.differs:
            mark = "!"
        for side, sign in ((one.left, "<"), (one.right, ">")):
            if side is not None:
                _render_row(f"{mark} {sign} ", side, console)
        if one.differs and one.apart is not None:
            say(console, f"DIFFERENT TIMES: {_said_apart(one.apart)}", indent=4)
    differing, moments = len(found.differing), found.moments
    say(console, "")
    if not differing and not moments:
        say(console, "the two give no times that exclude each other")
        return
    if differing:
        say(console, f"{say_count(differing, 'row')} with times that exclude each other, marked !")
    for moment in moments:
        say(console, f"! {moment.moment.what}:")
        for told in moment.accounts:
            say(console, f"{told.stated} ({told.source.place})", lead=f"    {told.teller:<6}")


def _render_row(signs: str, row: ChronologyRow, console: Console) -> None:
    text = " / ".join(row.events)
    if len(row.stated) <= _TIME_WIDTH:
        say(console, text, lead=f"{signs}{row.stated:<{_TIME_WIDTH}} ")
    else:
        say(console, f"({row.stated}) {text}", lead=signs)


def _said_apart(apart: timedelta) -> str:
    seconds = abs(apart // timedelta(seconds=1))
    minutes, rest = divmod(seconds, 60)
    parts = [f"{minutes} min" if minutes else "", f"{rest} s" if rest else ""]
    word = "later" if apart > timedelta() else "earlier"
    return f"the second is {' '.join(one for one in parts if one)} {word}"
