"""Under which subjects ticks and events lie in the stream, and by which names it knows them again.

::

    PREFIX.tick.KIND.INDEX    hkex.index.tick.real-time.0000100
    PREFIX.event.NAME         hkex.index.event.contingency-began

The kind stands in the subject, and a value that was recalculated afterwards is never taken for the
last one of its index. Pure; called by the publisher, the feed and the check of the stream.
"""

from __future__ import annotations

import re

from hkex_ops.errors import UsageError
from hkex_ops.evidence.canonical import canonical, digest
from hkex_ops.model import IndexTick, JsonObject, TickKind

__all__ = [
    "current_subjects",
    "event_identity",
    "event_subject",
    "stream_subjects",
    "tick_subject",
    "ticks_subject",
]

_TOKEN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NO_TOKEN = re.compile(r"[^A-Za-z0-9_-]+", re.ASCII)

# What the index is now: recalculated values are about then.
_CURRENT = (TickKind.REAL_TIME, TickKind.CONTINGENCY)


def stream_subjects(prefix: str) -> tuple[str, str]:
    """What the stream must hold: every tick and every event."""
    return ticks_subject(prefix), f"{prefix}.event.>"


def ticks_subject(prefix: str) -> str:
    """Every tick, of whatever kind and index."""
    return f"{prefix}.tick.>"


def tick_subject(prefix: str, tick: IndexTick) -> str:
    """The subject of a tick; `UsageError` for an index code that cannot be part of one."""
    return _subject_of(prefix, tick.kind, tick.index)


def current_subjects(prefix: str, index: str) -> tuple[str, ...]:
    """The subjects whose last tick may be the present value of an index."""
    return tuple(_subject_of(prefix, kind, index) for kind in _CURRENT)


def event_subject(prefix: str, event: JsonObject) -> str:
    """The subject of an event: its name, with '_' for what no subject can hold."""
    return f"{prefix}.event.{_NO_TOKEN.sub('_', str(event.get('event')))}"


def event_identity(event: JsonObject) -> str:
    """What tells an event from every other: the digest of all that it says."""
    return f"event/{digest(canonical(event))}"


def _subject_of(prefix: str, kind: TickKind, index: str) -> str:
    if not _TOKEN.fullmatch(index):
        raise UsageError(
            f"index {index[:40]!r} cannot be published on NATS: its code may have letters, digits, "
            "'-' and '_'"
        )
    return f"{prefix}.tick.{kind}.{index}"
