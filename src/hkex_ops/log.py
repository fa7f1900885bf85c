"""The names of the log events this library writes, each with its meaning; and the way to write one.

The library logs through structlog and never configures it: levels, formats and destinations are
the program's. The command line configures it for itself, to stderr. A program that never loaded
structlog has said nothing about where lines should go: it is told what a person should look at, and
is spared the rest, and what loading structlog costs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "DRILL_STEP",
    "EVENTS",
    "INCIDENT_NOT_WRITTEN",
    "INDEX_EVENT",
    "NOT_TOLD",
    "PLUGIN_FAULT",
    "REPORT_FINDING",
    "REPORT_KEPT",
    "SESSION_REFUSED",
    "Logger",
]

REPORT_KEPT = "report_kept"
REPORT_FINDING = "report_finding"
DRILL_STEP = "drill_step"
PLUGIN_FAULT = "plugin_fault"
INDEX_EVENT = "index_event"
SESSION_REFUSED = "session_refused"
INCIDENT_NOT_WRITTEN = "incident_not_written"
NOT_TOLD = "not_told"

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        REPORT_KEPT: "a report stands in the archive, whole (name, outcome, path)",
        REPORT_FINDING: "something about a report that a person should look at (kind, name)",
        DRILL_STEP: "a step of the folder drill ended (step, state, found)",
        PLUGIN_FAULT: "a plug-in or one of its hooks is not in use (distribution, hook, message)",
        INCIDENT_NOT_WRITTEN: "an event could not be attached to an incident (happened, reason)",
        NOT_TOLD: "nobody could be told of an event, as yet (happened, reason)",
        SESSION_REFUSED: "a server takes no further session; those that stand do the work (reason)",
        INDEX_EVENT: "something happened in an index run (happened, and what that event has)",
    }
)


class Logger:
    """Writes events through structlog, which is loaded when there is something to say."""

    def info(self, event: str, /, **facts: object) -> None:
        """An event that is as it should be; nothing unless the program has loaded structlog."""
        if "structlog" in sys.modules:
            _structlog().info(event, **facts)

    def warning(self, event: str, /, **facts: object) -> None:
        """An event that a person should look at."""
        _structlog().warning(event, **facts)


def _structlog() -> Logger:
    import structlog

    logger: Logger = structlog.get_logger()
    return logger
