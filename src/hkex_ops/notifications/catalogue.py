"""The events of which somebody can be told: their names, how much hangs on each, what is known.

A name is the stream and, in the past tense, what happened. Whether anybody is told of one is the
routing file's to say; an event that no route names is told to nobody. ``facts`` are what a template
may speak of, beside what every occurrence has.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen

from hkex_ops.model import Severity

__all__ = ["COMMON_FACTS", "DIGEST", "EVENT_KINDS", "MESSAGE", "EventKind", "matches"]

COMMON_FACTS = ("at", "business_date", "event", "incident", "key", "severity", "site", "what")

MESSAGE = "message/sent"
DIGEST = "notify/digest"


@frozen
class EventKind:
    """One kind of event: its name, its severity where nothing else is said, and its meaning."""

    name: str
    severity: Severity
    what: str
    facts: tuple[str, ...] = ()

    @property
    def stream(self) -> str:
        """The stream it comes of."""
        return self.name.partition("/")[0]


_INFORMATION, _MINOR = Severity.INFORMATION, Severity.MINOR
_MAJOR, _CRITICAL = Severity.MAJOR, Severity.CRITICAL

_KINDS = (
    EventKind(MESSAGE, _INFORMATION, "a person wrote a message by hand", ("subject", "text", "by")),
    EventKind(
        DIGEST, _INFORMATION, "several occurrences are told in one message", ("count", "listed")
    ),
    EventKind(
        "notify/unanswered",
        _MAJOR,
        "nobody acknowledged in time, and nobody is left to escalate to",
        ("subject", "route", "tried"),
    ),
    EventKind(
        "notify/unreached",
        _CRITICAL,
        "by no channel of a route was anybody reached",
        ("subject", "route", "tried"),
    ),
    EventKind(
        "index/mode-changed",
        _MAJOR,
        "the index went over to contingency, or back to real time",
        ("mode", "was", "reason", "by"),
    ),
    EventKind(
        "index/gateway-state-changed",
        _MAJOR,
        "the gateway holds values back, proves them or lets them out",
        ("state", "was", "reason", "by"),
    ),
    EventKind(
        "index/publication-resumed",
        _MAJOR,
        "the gateway lets values out again",
        ("engine", "proven"),
    ),
    EventKind(
        "index/process-died", _MINOR, "a process of a run ended by itself", ("process", "how")
    ),
    EventKind("index/process-failed", _MAJOR, "a process cannot go on", ("process", "reason")),
    EventKind("index/process-hung", _MINOR, "a process did not stir", ("process", "silent_ms")),
    EventKind(
        "index/message-quarantined",
        _MAJOR,
        "a message ended an engine and is fed to none again",
        ("process", "channel", "first", "last", "security", "how"),
    ),
    EventKind("index/engine-died", _MINOR, "nothing comes from an engine", ("engine", "reason")),
    EventKind("index/engine-returned", _INFORMATION, "an engine speaks again", ("engine",)),
    EventKind(
        "index/engine-disagreed",
        _MAJOR,
        "two engines have different values",
        ("engine", "index", "value", "other_engine", "other_value"),
    ),
    EventKind("index/engine-distrusted", _MAJOR, "an engine is believed no more", ("engine",)),
    EventKind(
        "index/snapshot-differs",
        _MAJOR,
        "the standing check has another value",
        ("engine", "index", "value", "snapshot"),
    ),
    EventKind("index/proof-failed", _MINOR, "a held value was not right", ("engine", "index")),
    EventKind("index/moment-missed", _MAJOR, "nothing goes out for a moment"),
    EventKind("index/journal-failed", _MAJOR, "the journal cannot be written", ("reason",)),
    EventKind("index/journal-mended", _MINOR, "the journal is written again"),
    EventKind("index/run-started", _INFORMATION, "a run of an index began", ("feed", "indexes")),
    EventKind(
        "index/run-resumed", _MINOR, "a run goes on after its supervisor was gone", ("mode",)
    ),
    EventKind("index/run-stopped", _INFORMATION, "a run of an index ended in order", ("reason",)),
    EventKind(
        "rundown/step-failed", _MAJOR, "a step of a session failed", ("session", "step", "found")
    ),
    EventKind(
        "rundown/step-unknown",
        _MINOR,
        "a step of a session proves nothing either way",
        ("session", "step", "found"),
    ),
    EventKind(
        "rundown/step-unavailable",
        _MAJOR,
        "a step of a session could not be tried: what does it is not installed",
        ("session", "step", "found"),
    ),
    EventKind(
        "rundown/step-skipped", _MINOR, "a step was left out", ("session", "step", "reason", "by")
    ),
    EventKind(
        "rundown/session-aborted",
        _MAJOR,
        "a session was ended before its end",
        ("session", "reason", "by"),
    ),
    EventKind("rundown/session-opened", _INFORMATION, "a session began", ("session",)),
    EventKind("rundown/session-closed", _INFORMATION, "a session ended", ("session", "unfinished")),
    EventKind(
        "reports/fetched",
        _INFORMATION,
        "every report of a business date that was expected is held",
        ("service", "held", "expected"),
    ),
    EventKind(
        "reports/missing",
        _MAJOR,
        "reports of a business date are missing",
        ("service", "held", "expected", "missing"),
    ),
    EventKind(
        "reports/findings",
        _MINOR,
        "a fetch found something that a person should look at",
        ("service", "count", "listed"),
    ),
    EventKind(
        "reports/unavailable",
        _MAJOR,
        "the report server could not be used",
        ("service", "reason"),
    ),
    EventKind(
        "guard/denied",
        _MINOR,
        "an act was asked for that a rule forbids",
        ("action", "rule", "until"),
    ),
    EventKind(
        "guard/override-granted",
        _MAJOR,
        "two people set a rule aside until an hour",
        ("action", "by", "second", "reason", "until"),
    ),
    EventKind(
        "clearing/system-text", _INFORMATION, "the clearing system announced something", ("text",)
    ),
    EventKind(
        "clearing/link-lost",
        _MAJOR,
        "a path to the clearing system is uncertain",
        ("path", "reason"),
    ),
    EventKind("clearing/link-restored", _MINOR, "the path is as it should be again", ("path",)),
    EventKind("clearing/events-lost", _MAJOR, "events of clearing did not come", ("reason",)),
    EventKind(
        "clearing/logout-imminent", _MINOR, "the gateway is about to end the session", ("reason",)
    ),
    EventKind(
        "clearing/break-found",
        _MAJOR,
        "the back office and the clearing house disagree",
        ("count", "listed"),
    ),
    EventKind("incident/opened", _MAJOR, "an incident was opened", ("title", "state")),
    EventKind("incident/changed", _MAJOR, "an incident reached another state", ("title", "state")),
    EventKind("incident/told", _MAJOR, "somebody is to be told of an incident", ("title", "text")),
    EventKind("incident/closed", _INFORMATION, "an incident was closed", ("title",)),
    EventKind(
        "incident/report-due", _MAJOR, "a report of an incident is due soon", ("title", "due")
    ),
)

EVENT_KINDS: Mapping[str, EventKind] = MappingProxyType({one.name: one for one in _KINDS})
"""Every kind of event, by its name."""


def matches(pattern: str, event: str) -> bool:
    """Whether ``pattern``, a name, ``stream/*`` or ``*``, speaks of ``event``.

    >>> matches("index/*", "index/mode-changed")
    True
    """
    if pattern == "*":
        return True
    if pattern.endswith("/*"):
        return event.startswith(pattern[:-1])
    return pattern == event
