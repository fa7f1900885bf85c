"""``hkex-ops index status`` and ``contingency``: asked of a run that is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, cast

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.index_options import BusinessDay, RunFolder, run_folder_of
from hkex_ops.cli.options import Config, Json, config_path, system_clock
from hkex_ops.cli.text import say, say_count
from hkex_ops.cli.working import By
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import UsageError
from hkex_ops.flows.index.control import ask
from hkex_ops.model import Json as JsonValue, JsonObject

__all__ = ["contingency", "status"]


def status(
    *,
    folder: RunFolder = None,
    business_date: BusinessDay = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Say how the run that is under way stands: who computes, what is published, what is held.

    Exits 1 when something needs a person, 4 when no run is under way.
    """
    found = _asked({"ask": "status"}, folder, business_date, config)
    code = ExitCode.DONE if found["well"] else ExitCode.FINDINGS
    return Answer(found, lambda console: _render_status(found, console), code)


def contingency(
    act: Literal["declare", "stand-down"],
    /,
    *,
    by: By,
    reason: Annotated[str, Parameter(name="--reason", help="Why; users of the index read it.")],
    vouch: Annotated[
        bool,
        Parameter(
            name="--vouch",
            negative="",
            help="On stand-down: do not wait until ticks are proven right.",
        ),
    ] = False,
    folder: RunFolder = None,
    business_date: BusinessDay = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Put the run into contingency by a person's word, or take that word back.

    Declared, no real-time tick is published and the contingency systems' values go out every 15
    seconds. Stood down, they go on until ticks of the engines were proven right.

    Parameters
    ----------
    act
        declare or stand-down.
    """
    if vouch and act == "declare":
        raise UsageError("--vouch is for stand-down: nothing is vouched for when declaring")
    question: JsonObject = {"ask": act, "by": by, "reason": reason, "vouch": vouch}
    stands = _asked(question, folder, business_date, config)
    return Answer(
        {"act": act, "by": by, "reason": reason, **stands},
        lambda console: say(
            console, f"contingency is {stands['mode']}, the gateway is {stands['gateway']}"
        ),
    )


def _asked(
    question: JsonObject, folder: Path | None, business_date: str | None, config: Path | None
) -> JsonObject:
    settings = load_settings(config_path(config))
    where = run_folder_of(settings, folder, business_date, system_clock())
    return asyncio.run(ask(where, question))


# -- what is shown -----------------------------------------------------------------------------

_Row = Mapping[str, JsonValue]


def _render_status(found: JsonObject, console: Console) -> None:
    until = found["published_until"]
    out = "nothing is published yet" if until is None else f"published up to {_clock(until)}"
    at = _clock(found["at"])
    say(console, f"Index run of {found['business_date']} at {at}, from {found['feed']}")
    session = "" if found["session"] is None else f"; trading session {found['session']}"
    say(console, f"{found['published']} ticks, {out}{session}")
    say(console, f"gateway {found['gateway']}, contingency {found['mode']}")
    for one in _rows(found, "processes"):
        say(console, _process(one), lead=f"  {one['name']:<14} {one['site']:<10}")
    for one in _rows(found, "publishers"):
        state = "open" if one["open"] else "NOT OPEN"
        waiting = f", {one['waiting']} waiting" if one["waiting"] else ""
        say(
            console,
            f"{state}, {say_count(cast('int', one['published']), 'moment')}{waiting}",
            lead=f"  {one['name']:<14} publisher ",
        )
    for one in _rows(found, "quarantine"):
        stock = "" if one["security"] is None else f", stock {one['security']}"
        numbers = f"{one['first']} to {one['last']} of channel {one['channel']}"
        say(console, f"QUARANTINED: messages {numbers}{stock}", indent=2)
    findings = cast("Sequence[str]", found["findings"])
    for finding in findings:
        say(console, finding, lead="TO BE LOOKED AT: ")
    if not findings:
        say(console, "all is well")


def _process(one: _Row) -> str:
    if one["pid"] is None:
        return f"not running: {one['trouble'] or 'it is started again'}"
    rank = "" if one["rank"] is None else f", rank {cast('int', one['rank']) + 1}"
    last = "no tick yet" if one["last_tick"] is None else f"tick {_clock(one['last_tick'])}"
    state = "ready" if one["ready"] else "starting"
    return (
        f"{state}, pid {one['pid']}, {say_count(cast('int', one['starts']), 'start')}{rank}, {last}"
    )


def _clock(at: JsonValue) -> str:
    return f"{datetime.fromisoformat(str(at)):%H:%M:%S}"


def _rows(found: JsonObject, name: str) -> Sequence[_Row]:
    return cast("Sequence[_Row]", found[name])
