"""What happens in a run, told in the past tense: processes, messages that end them, the run itself.

What engines, gateway and contingency machine tell is theirs (:mod:`hkex_ops.index`); publishers'
lanes have their own. All of it leaves the run in one spelling, :func:`event_document`: a line of
the journal, an event for publishers that carry events, a line on a terminal. An event may open an
incident; it then says so itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import attrs
from attrs import frozen

from hkex_ops.model import Json, JsonObject, SiteRole, plain

__all__ = [
    "JournalFailed",
    "JournalMended",
    "MessageQuarantined",
    "MessageSuspected",
    "ProcessDied",
    "ProcessEnded",
    "ProcessFailed",
    "ProcessHung",
    "ProcessReady",
    "RunEvent",
    "RunResumed",
    "RunStarted",
    "RunStopped",
    "event_document",
    "event_name",
]


@frozen
class RunStarted:
    """The processes of a run are being started for the first time on its business date."""

    at: datetime
    business_date: str
    engines: Mapping[str, SiteRole]
    contingency: Mapping[str, SiteRole]
    feed: str
    publishers: tuple[str, ...]
    indexes: int
    securities: int


@frozen
class RunResumed:
    """A run goes on after its supervisor was gone; ticks up to ``published_until`` are out."""

    at: datetime
    published_until: datetime | None
    mode: str
    quarantined: int


@frozen
class RunStopped:
    """The run ended in order; ``reason`` says on whose word."""

    at: datetime
    reason: str


@frozen
class ProcessReady:
    """A process has opened its feed. ``restored_from`` is whose checkpoint it began at."""

    at: datetime
    process: str
    site: SiteRole
    pid: int
    starts: int
    restored_from: str | None


@frozen
class ProcessFailed:
    """A process cannot go on and says why; it ends next."""

    at: datetime
    process: str
    reason: str
    operator: bool


@frozen
class ProcessHung:
    """A process has not stirred for ``silent_ms`` and is killed."""

    at: datetime
    process: str
    silent_ms: int


@frozen
class ProcessDied:
    """A process has ended by itself or was killed; it is started again after a while."""

    at: datetime
    process: str
    site: SiteRole
    pid: int
    how: str


@frozen
class ProcessEnded:
    """A process has ended in order: at the end of its feed, or told to."""

    at: datetime
    process: str
    site: SiteRole
    pid: int
    how: str


@frozen
class MessageSuspected:
    """An engine ended with this in hand, but another one has passed it: it is not held back, unless
    the engine ends of it once more."""

    at: datetime
    process: str
    channel: int
    first: int
    last: int
    security: int | None


@frozen
class MessageQuarantined:
    """A message ended an engine and is fed to no engine again, nor after a restart.

    Ticks mark ``security`` as stale until its next good record; every stock of the channel where
    it is not known whose the message was. Opens an incident: somebody has to look at the message
    and at the code that could not bear it.
    """

    at: datetime
    process: str
    channel: int
    first: int
    last: int
    security: int | None
    how: str

    @property
    def incident(self) -> str:
        """The title of the incident that this opens."""
        stock = "a message" if self.security is None else f"a record of {self.security}"
        return (
            f"{stock} (channel {self.channel}, number {self.first}) ended {self.process} and is "
            "quarantined"
        )


@frozen
class JournalFailed:
    """The journal cannot be written. Ticks go on; were the supervisor killed now, its successor
    would not know of them. Opens an incident."""

    at: datetime
    reason: str

    @property
    def incident(self) -> str:
        """The title of the incident that this opens."""
        return "the journal of the index run cannot be written"


@frozen
class JournalMended:
    """The journal is written again."""

    at: datetime


RunEvent: TypeAlias = (
    RunStarted
    | RunResumed
    | RunStopped
    | ProcessReady
    | ProcessFailed
    | ProcessHung
    | ProcessDied
    | ProcessEnded
    | MessageSuspected
    | MessageQuarantined
    | JournalFailed
    | JournalMended
)

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def event_name(event: object) -> str:
    """How an event is called outside: ``message-quarantined``."""
    return _WORD.sub("-", type(event).__name__).lower()


def event_document(event: object) -> JsonObject:
    """An event of this stream as plain data: ``event``, ``at``, its fields, and ``incident`` where
    it opens one. Raises `TypeError` for what has no plain form."""
    kind = type(event)
    if not attrs.has(kind):
        raise TypeError(f"{kind.__name__} is no event of a run")
    fields: dict[str, Json] = {"event": event_name(event)}
    for one in attrs.fields(kind):
        fields[one.name] = plain(getattr(event, one.name))
    incident = getattr(event, "incident", None)
    if isinstance(incident, str):
        fields["incident"] = incident
    return fields
