"""One digest of what is missing: a value that whoever sends notifications may send.

Its key names exactly what is missing, so that the same state is told once and another one again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.evidence import canonical, digest
from hkex_ops.model import Audience, Notification, ReportIdentity, Severity
from hkex_ops.reports.standing import HeldReport, ReportStanding, ReportState

__all__ = ["DayStanding", "ReportDue", "digest_of", "obligations_of"]

EVENT = "reports/missing"
LISTED = 20
"""How many reports the digest's text names one by one."""


@frozen
class ReportDue:
    """What a report that came obliges to, and until when unless it says otherwise itself."""

    identity: ReportIdentity
    what: str
    due_at: datetime | None
    source: str = ""


@frozen
class DayStanding:
    """How the reports of one service and business date stand at ``at``.

    ``looked_at`` is when the folder was last listed in the work for that date.
    """

    service: str
    business_date: date
    at: datetime
    standings: tuple[ReportStanding, ...]
    obligations: tuple[ReportDue, ...] = ()
    looked_at: datetime | None = None

    def of(self, state: ReportState) -> tuple[ReportStanding, ...]:
        """The reports in ``state``, in order."""
        return tuple(one for one in self.standings if one.state is state)

    @property
    def missing(self) -> tuple[ReportStanding, ...]:
        """What was due and is not there."""
        return self.of(ReportState.MISSING)


def obligations_of(held: Iterable[HeldReport], calendar: Calendar) -> tuple[ReportDue, ...]:
    """What the reports that are held oblige to, each once."""
    found: dict[ReportIdentity, ReportDue] = {}
    for one in held:
        identity, rule = one.reading.identity, one.reading.rule
        if rule.obligation is not None:
            due_at = rule.obligation.by.at(identity.business_date, calendar)
            what, source = rule.obligation.what, rule.obligation.source
            found.setdefault(identity, ReportDue(identity, what, due_at, source))
    return tuple(found.values())


def digest_of(days: Sequence[DayStanding], at: datetime) -> Notification | None:
    """What to tell the desk at ``at``; nothing when nothing that is due is missing."""
    missing = [(day, one) for day in days for one in day.missing]
    if not missing:
        return None
    named = [str(one) for _, one in missing]
    services = " and ".join(dict.fromkeys(day.service for day, _ in missing))
    dates = ", ".join(dict.fromkeys(day.business_date.isoformat() for day, _ in missing))
    count = len(missing)
    reports = f"{count} report is" if count == 1 else f"{count} reports are"
    lines = [f"- {line}" for line in named[:LISTED]]
    if count > LISTED:
        lines.append(f"- and {count - LISTED} more: hkex-ops reports status")
    return Notification(
        key=f"{EVENT} {services} {digest(canonical({'missing': named}))[:16]}",
        audience=Audience.DESK,
        severity=Severity.MAJOR,
        event=EVENT,
        subject=f"{services}: {reports} missing for {dates}",
        body="\n".join(lines),
        at=at,
        business_date=missing[0][0].business_date,
    )
