"""Events of the other streams, attached by themselves to the incidents that are open.

Which events do, and which open an incident where none is open, is configuration; without it nothing
is written. An event that was attached is not attached again, however often it is told. Whatever
keeps it from being written down never hinders the stream that told it: it is logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import structlog
from attrs import frozen

from hkex_ops import log
from hkex_ops.clock import Clock
from hkex_ops.config.incidents import IncidentSettings
from hkex_ops.errors import HkexOpsError
from hkex_ops.flows.incidents.store import IncidentStore
from hkex_ops.incidents import Attach, Given, IncidentView, OpenIncident, TimeTold
from hkex_ops.model import HONG_KONG, Severity
from hkex_ops.notifications.catalogue import EVENT_KINDS, matches

__all__ = ["Happened", "attach"]

_BY = "hkex-ops"
_log = structlog.get_logger()


@frozen
class Happened:
    """An event of a stream: its name in the catalogue, what tells it from others, and when.

    ``text`` is one sentence for a person; ``severity`` is the catalogue's where it is left out.
    """

    event: str
    key: str
    at: datetime
    text: str
    facts: Mapping[str, str] = MappingProxyType({})
    severity: Severity | None = None


def attach(
    happened: Happened, settings: IncidentSettings, work: Path, clock: Clock
) -> tuple[str, ...]:
    """Attach an event where the configuration says so; the ids of the incidents that bear it.

    Never raises what the store or the log says: a stream goes on whether it is written or not.
    """
    opens = any(matches(one, happened.event) for one in settings.open_on)
    if not opens and not any(matches(one, happened.event) for one in settings.attach):
        return ()
    try:
        return _attached(happened, IncidentStore(work, clock), settings, opens=opens)
    except HkexOpsError as error:
        _log.warning(log.INCIDENT_NOT_WRITTEN, happened=happened.event, reason=str(error))
        return ()


def _attached(
    happened: Happened, store: IncidentStore, settings: IncidentSettings, *, opens: bool
) -> tuple[str, ...]:
    given = Given(
        Attach(
            happened.event.partition("/")[0], happened.event, happened.key, dict(happened.facts)
        ),
        _BY,
        TimeTold.exactly(happened.at),
        happened.text,
        settings.teller,
    )
    found = [view for id in store.ids() if (view := store.read(id).view).is_open]
    if any(_bears(view, happened.key) for view in found):
        return tuple(view.id for view in found if _bears(view, happened.key))
    if not found and opens:
        id, _ = store.open(_opening(happened, settings))
        found = [store.read(id).view]
    for view in found:
        with store.writing(view.id) as writer:
            if writer.log.view.is_open and not _bears(writer.log.view, happened.key):
                writer.enter(given)
    return tuple(view.id for view in found)


def _bears(view: IncidentView, key: str) -> bool:
    return any(isinstance(one.what, Attach) and one.what.key == key for one in view.standing)


def _opening(happened: Happened, settings: IncidentSettings) -> Given:
    kind = EVENT_KINDS.get(happened.event)
    severity = happened.severity or (kind.severity if kind else Severity.MAJOR)
    day = happened.at.astimezone(HONG_KONG).date()
    title = happened.text.rstrip(".") or happened.event
    return Given(
        OpenIncident(title, severity, day, settings.owners),
        _BY,
        TimeTold.exactly(happened.at),
        f"Opened by itself on {happened.event}.",
        settings.teller,
    )
