"""How a run stands, as one document: who is present, what is published, what is held back.

Plain data made of what the supervisor already knows; reads no file and asks no process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from hkex_ops.flows.index.attending import Attendance, Attended
from hkex_ops.flows.index.deciding import Deciding
from hkex_ops.flows.index.publishing import PublisherLane
from hkex_ops.flows.index.run_book import RunBook
from hkex_ops.flows.index.run_plan import RunPlan
from hkex_ops.index.contingency import ContingencyMode
from hkex_ops.index.gateway_events import GatewayState
from hkex_ops.model import IndexTick, Json, JsonObject, plain, tick_document

__all__ = ["status_of"]


def status_of(
    at: datetime,
    plan: RunPlan,
    attendance: Attendance,
    deciding: Deciding,
    book: RunBook,
    last_tick_at: Mapping[str, datetime],
    lanes: Sequence[PublisherLane],
    latest: Mapping[str, IndexTick],
) -> JsonObject:
    """The document. ``well`` says whether nothing in it needs a person, ``findings`` what does."""
    findings = list(_findings(attendance, deciding, book, lanes))
    processes = [_process(one, attendance, last_tick_at) for one in attendance.processes.values()]
    session = deciding.session
    return {
        "at": plain(at),
        "business_date": plain(plan.business_date),
        "feed": plan.feed.name,
        "well": not findings,
        "findings": cast("Json", findings),
        "mode": deciding.mode.value,
        "gateway": deciding.gateway.state.value,
        "session": None if session is None else session.session,
        "published": book.published,
        "published_until": plain(book.published_until),
        "processes": processes,
        "publishers": [
            {
                "name": lane.name,
                "open": lane.is_open,
                "published": lane.published,
                "waiting": lane.waiting,
            }
            for lane in lanes
        ],
        "quarantine": [
            {
                "channel": row.channel,
                "first": row.first,
                "last": row.last,
                "security": row.security or None,
            }
            for row in book.quarantined
        ],
        "counts": dict(sorted(book.counts.items())),
        "indexes": [tick_document(latest[index]) for index in sorted(latest)],
    }


def _process(
    one: Attended, attendance: Attendance, last_tick_at: Mapping[str, datetime]
) -> Mapping[str, Json]:
    name, ranked = one.seat.name, attendance.ranked
    return {
        "name": name,
        "site": one.seat.site.value,
        "pid": one.pid,
        "ready": one.is_ready,
        "starts": one.starts,
        "rank": ranked.index(name) if name in ranked else None,
        "restored_from": one.restored_from,
        "last_tick": plain(last_tick_at.get(name)),
        "trouble": None if one.trouble is None else one.trouble.reason,
    }


def _findings(
    attendance: Attendance, deciding: Deciding, book: RunBook, lanes: Sequence[PublisherLane]
) -> Iterator[str]:
    """What a person should look at, a few words each."""
    if deciding.mode is not ContingencyMode.STANDBY:
        yield f"contingency is {deciding.mode}"
    if deciding.gateway.state is not GatewayState.PUBLISHING:
        yield f"the gateway is {deciding.gateway.state}: no real-time values go out"
    if book.quarantined:
        many = len(book.quarantined)
        yield f"{many} {'message is' if many == 1 else 'messages are'} quarantined"
    if book.trouble is not None:
        yield f"the journal cannot be written: {book.trouble}"
    for name, one in attendance.processes.items():
        if not (one.is_ready or one.has_finished):
            yield f"{name} is not ready"
    for lane in lanes:
        if not lane.is_open:
            yield f"publisher {lane.name} is not open"
