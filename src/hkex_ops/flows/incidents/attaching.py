"""Events of the other streams, attached by themselves to the incidents that are open.

Which events do, and which open an incident where none is open, is configuration; without it nothing
is written. An event that was attached is not attached again, however often it is told. Whatever
keeps it from being written down never hinders the stream that told it: it is logged.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from hkex_ops import log
from hkex_ops.clock import Clock
from hkex_ops.config.incidents import IncidentSettings
from hkex_ops.errors import HkexOpsError
from hkex_ops.flows.incidents.store import IncidentStore
from hkex_ops.incidents import Attach, Given, IncidentView, OpenIncident, TimeTold
from hkex_ops.model import HONG_KONG, Occurrence
from hkex_ops.notifications import EVENT_KINDS, matches

__all__ = ["attach", "sentence_of"]

_BY = "hkex-ops"
_OWN = "incident/"
"""What incidents tell of themselves; attached to one, it would tell again."""

_log = structlog.get_logger()


def attach(
    occurrence: Occurrence, settings: IncidentSettings, work: Path, clock: Clock
) -> tuple[str, ...]:
    """Attach an event where the configuration says so; the ids of the incidents that bear it.

    Never raises what the store or the log says: a stream goes on whether it is written or not.
    """
    opens = any(matches(one, occurrence.event) for one in settings.open_on)
    wanted = opens or any(matches(one, occurrence.event) for one in settings.attach)
    if not wanted or occurrence.event.startswith(_OWN):
        return ()
    try:
        return _attached(occurrence, IncidentStore(work, clock), settings, opens=opens)
    except HkexOpsError as error:
        _log.warning(log.INCIDENT_NOT_WRITTEN, happened=occurrence.event, reason=str(error))
        return ()


def sentence_of(occurrence: Occurrence) -> str:
    """What happened, as the catalogue says it, with the facts that are known."""
    kind = EVENT_KINDS.get(occurrence.event)
    what = kind.what if kind else occurrence.event
    facts = "; ".join(f"{name} {said}" for name, said in occurrence.facts.items() if said)
    return f"{what[:1].upper()}{what[1:]}{f' ({facts})' if facts else ''}."


def _attached(
    occurrence: Occurrence, store: IncidentStore, settings: IncidentSettings, *, opens: bool
) -> tuple[str, ...]:
    found = [view for id in store.open_ids() if (view := store.read(id).view).is_open]
    bearing = tuple(view.id for view in found if _bears(view, occurrence.key))
    if bearing:
        return bearing
    if not found and opens:
        id, _ = store.open(_opening(occurrence, settings))
        found = [store.read(id).view]
    stream = occurrence.event.partition("/")[0]
    what = Attach(stream, occurrence.event, occurrence.key, dict(occurrence.facts))
    text = sentence_of(occurrence)
    given = Given(what, _BY, TimeTold.exactly(occurrence.at), text, settings.teller)
    for view in found:
        with store.writing(view.id) as writer:
            if writer.log.view.is_open and not _bears(writer.log.view, occurrence.key):
                writer.enter(given)
    return tuple(view.id for view in found)


def _bears(view: IncidentView, key: str) -> bool:
    return any(isinstance(one.what, Attach) and one.what.key == key for one in view.standing)


def _opening(occurrence: Occurrence, settings: IncidentSettings) -> Given:
    day = occurrence.business_date or occurrence.at.astimezone(HONG_KONG).date()
    title = sentence_of(occurrence).rstrip(".")
    return Given(
        OpenIncident(title, occurrence.severity, day, settings.owners),
        _BY,
        TimeTold.exactly(occurrence.at),
        f"Opened by itself on {occurrence.event}.",
        settings.teller,
    )
