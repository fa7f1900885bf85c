"""What guard, reports and the clearing gateway say, as occurrences of the catalogue.

Index runs and rundowns speak by :mod:`hkex_ops.flows.occurring`. Keys are made of what a thing is,
so that the same denial of one day, or the same lack, is the same occurrence however often it is
seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from hkex_ops.errors import Denied, RemoteError
from hkex_ops.model import (
    ClearingMessageReceived,
    EventsLost,
    LinkLost,
    LinkRestored,
    LogoutImminent,
    Occurrence,
    SiteRole,
)
from hkex_ops.notifications import EVENT_KINDS
from hkex_ops.reports.events import ReportFinding
from hkex_ops.rollouts import Override

__all__ = [
    "occurrence_of_breaks",
    "occurrence_of_denial",
    "occurrence_of_findings",
    "occurrence_of_gateway",
    "occurrence_of_override",
    "occurrence_of_unavailable",
]

FINDINGS_NAMED = 20


def occurrence_of_denial(denied: Denied, at: datetime) -> Occurrence:
    """An act that was asked for and is forbidden; told once a day for each act and rule."""
    until = "no end is stated" if denied.until is None else f"{denied.until:%Y-%m-%d %H:%M}"
    return _made(
        "guard/denied",
        f"{denied.action}/{denied.source}/{at:%Y-%m-%d}",
        at,
        {"action": denied.action, "rule": f"{denied.rule} ({denied.source})", "until": until},
    )


def occurrence_of_override(override: Override, at: datetime) -> Occurrence:
    """Leave that two people gave, to do what a rule forbids."""
    facts = {
        "action": override.action,
        "by": override.by,
        "second": override.second,
        "reason": override.reason,
        "until": f"{override.expires:%Y-%m-%d %H:%M}",
    }
    return _made("guard/override-granted", f"{override.action}/{at.isoformat()}", at, facts)


def occurrence_of_findings(
    service: str,
    site: SiteRole,
    business_date: date,
    findings: Sequence[ReportFinding],
    at: datetime,
) -> Iterator[Occurrence]:
    """What one fetch found, as one: never a message for each file."""
    if not findings:
        return
    named = [f"{one.kind.value} {one.name}" for one in findings[:FINDINGS_NAMED]]
    more = len(findings) - len(named)
    listed = ", ".join(named) + (f" and {more} more" if more else "")
    facts = {"service": service, "count": str(len(findings)), "listed": listed}
    yield _made(
        "reports/findings",
        f"{service}/{business_date}/{listed}"[:200],
        at,
        facts,
        site=site,
        business_date=business_date,
    )


def occurrence_of_unavailable(
    service: str, site: SiteRole, business_date: date, error: RemoteError, at: datetime
) -> Occurrence:
    """The report server could not be used; told once an hour."""
    return _made(
        "reports/unavailable",
        f"{service}/{business_date}/{at:%Y-%m-%dT%H}",
        at,
        {"service": service, "reason": str(error)},
        site=site,
        business_date=business_date,
    )


def occurrence_of_breaks(kind: str, counts: Mapping[str, int], at: datetime) -> Occurrence:
    """The breaks of one reconciliation, as one: the same counts of one day are the same."""
    listed = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return _made(
        "clearing/break-found",
        f"{kind}/{at:%Y-%m-%d}/{listed}",
        at,
        {"count": str(sum(counts.values())), "listed": f"{kind}: {listed}"},
    )


def occurrence_of_gateway(event: object, at: datetime, site: SiteRole) -> Occurrence | None:
    """An event of the clearing gateway; nothing for what nobody is told of, such as a trade."""
    match event:
        case ClearingMessageReceived():
            name, facts = "clearing/system-text", {"text": event.text}
        case LinkLost():
            name, facts = "clearing/link-lost", {"path": event.path, "reason": event.reason}
        case LinkRestored():
            name, facts = "clearing/link-restored", {"path": event.path}
        case EventsLost():
            name, facts = "clearing/events-lost", {"reason": event.reason}
        case LogoutImminent():
            name, facts = "clearing/logout-imminent", {"reason": event.reason}
        case _:
            return None
    # The same words asked for again after a loss are the same words.
    what = facts["text"] if "text" in facts else at.isoformat()
    key = f"{site.value}/{what}" if "text" not in facts else f"{at:%Y-%m-%d}/{what}"
    return _made(name, " ".join(key.split())[:200], at, facts, site=site)


def _made(
    name: str,
    key: str,
    at: datetime,
    facts: dict[str, str],
    *,
    site: SiteRole | None = None,
    business_date: date | None = None,
) -> Occurrence:
    printable = "".join(one if one.isprintable() else " " for one in f"{name}/{key}")
    return Occurrence(
        name,
        printable,
        at,
        EVENT_KINDS[name].severity,
        facts,
        batch=name.partition("/")[0] if business_date is None else f"reports/{business_date}",
        site=site,
        business_date=business_date,
    )
