"""``hkex-ops clearing watch``: what the clearing house tells, as it comes."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import datetime
from json import dumps
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import ExitCode
from hkex_ops.cli.clearing_desk import (
    EvidenceFolderOption,
    Gateway,
    clearing_desk,
    evidence_document,
    say_evidence,
)
from hkex_ops.cli.options import Config, Site, Verbose
from hkex_ops.cli.text import printable, say, say_count
from hkex_ops.cli.working import work_folder
from hkex_ops.errors import UsageError
from hkex_ops.flows.clearing.listening import listen
from hkex_ops.flows.notifying.streams import occurrence_of_gateway
from hkex_ops.flows.occurring import Occurrences, hearers_of
from hkex_ops.model import (
    BroadcastReceived,
    ClearingMessageReceived,
    EventsLost,
    EventsRecovered,
    GatewayEvent,
    GatewayStatus,
    JsonObject,
    LinkLost,
    LinkRestored,
    LogoutImminent,
    plain,
)

__all__ = ["watch"]

_NAMES = {
    BroadcastReceived: "broadcast-received",
    ClearingMessageReceived: "clearing-message-received",
    EventsLost: "events-lost",
    EventsRecovered: "events-recovered",
    LinkLost: "link-lost",
    LinkRestored: "link-restored",
    LogoutImminent: "logout-imminent",
}


def watch(
    *,
    count: Annotated[int | None, Parameter(help="End after so many events.")] = None,
    site: Site = None,
    gateway: Gateway = None,
    evidence: EvidenceFolderOption = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Annotated[
        bool,
        Parameter(name="--json", negative="", help="One JSON document a line, for each event."),
    ] = False,
) -> ExitCode:
    """Show what the clearing house tells: its messages, trades, signals, and what was lost.

    Only enquiries are made, to make up for events that did not come. Whoever is to be told by the
    routes of the configuration is told. Goes on until Ctrl-C, or until the session is lost.
    """
    if count is not None and count < 1:
        raise UsageError(f"{count} events are nothing to watch: ask for at least one")
    desk = clearing_desk(config, gateway, None, verbose=verbose, as_json=json)
    place = desk.site(site)
    hearers = hearers_of(desk.settings, work_folder(None, desk.settings), desk.clock)
    heard: Counter[str] = Counter()
    ended: SystemExit | None = None
    console = Console(highlight=False, soft_wrap=False)
    with desk.proving("watch", evidence) as proof, Occurrences(hearers) as occurrences:

        def begun(status: GatewayStatus) -> None:
            body: JsonObject = {
                "gateway": str(status.gateway),
                "user_code": status.user_code,
                "business_date": plain(status.business_date),
                "findings": list(status.findings),
            }
            proof.event("session-begun", body)
            at = desk.clock.now()
            if json:
                _line({"event": "session-begun", "at": plain(at), **body})
                return
            say(console, f"{at:%H:%M:%S}  logged in at {status.gateway} as {status.user_code}")
            for finding in status.findings:
                say(console, finding, lead="  ")

        def take(event: GatewayEvent, at: datetime) -> None:
            document = _document(event, at)
            if isinstance(event, BroadcastReceived):
                heard[event.code] += 1  # what a trade or a position is, is no evidence of a session
            else:
                proof.event(str(document["event"]), _without_content(document))
            occurrences.tell(occurrence_of_gateway(event, at, place))
            if json:
                _line(document)
            else:
                say(console, f"{at:%H:%M:%S}  {printable(_sentence(event))}")

        try:
            asyncio.run(listen(desk.configured, place, desk.clock, begun, take, count=count))
        except KeyboardInterrupt:
            pass  # a person has heard enough
        except SystemExit as told:
            ended = told
    proof.event("broadcasts-heard", dict(sorted(heard.items())))
    proof.decisions(desk.configured.name, desk.configured.decided)
    packed = desk.keep(proof)
    if json:
        _line({"event": "watch-ended", "evidence": evidence_document(packed)})
    else:
        say_evidence(packed, console)
    if ended is not None:
        raise ended
    return ExitCode.DONE


def _line(document: JsonObject) -> None:
    sys.stdout.write(dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _document(event: GatewayEvent, at: datetime) -> JsonObject:
    body = plain(event)
    assert isinstance(body, dict), "an event has names"
    return {"event": _NAMES[type(event)], "at": plain(at), **body}


def _without_content(document: JsonObject) -> JsonObject:
    """What happened, without the records that came with it."""
    return {key: said for key, said in document.items() if key not in ("items", "fields", "data")}


def _sentence(event: GatewayEvent) -> str:
    """One line for a person; what a program wants is in the document."""
    match event:
        case ClearingMessageReceived():
            again = " (asked for, it had not come)" if event.recovered else ""
            return f"{event.code} {' / '.join(event.text.splitlines())}{again}"
        case BroadcastReceived():
            return f"{event.code} received"
        case EventsLost():
            return f"events were lost: {event.reason}"
        case EventsRecovered():
            found = f"{say_count(len(event.items), 'item')} in place of {event.code}"
            whole = "" if event.complete else f"; more may be missing: {event.fault}"
            return f"{event.enquiry.code} brought {found}{whole}"
        case LinkLost():
            return f"{event.path} are uncertain: {event.reason}"
        case LinkRestored():
            return f"{event.path} are as they should be again"
        case LogoutImminent():
            return f"the gateway is about to end the session: {event.reason}"
