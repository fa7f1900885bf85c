"""What the stream holds already: the tick at a place, and the newest of an index.

Called by the publisher, before it gives the state to late-comers and after another engine was
first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from attrs import frozen
from nats.js.errors import NotFoundError

from hkex_ops.errors import WireError
from hkex_ops.model import IndexTick, JsonObject, parse_tick
from hkex_ops_nats.connecting import Connection
from hkex_ops_nats.subjects import current_subjects

__all__ = ["StoredTick", "difference", "last_of_subject", "newest_of_index", "ticks_at"]


@frozen
class StoredTick:
    """A tick and its place in the stream; no tick where the place holds none of ours."""

    sequence: int
    tick: IndexTick | None


async def ticks_at(
    connection: Connection, stream: str, sequences: Iterable[int]
) -> list[IndexTick | None]:
    """The ticks at ``sequences``; ``None`` where nothing of ours is any more."""
    found = await asyncio.gather(
        *(_asked(connection, stream, sequence=sequence) for sequence in sequences)
    )
    return [None if one is None else one.tick for one in found]


async def last_of_subject(connection: Connection, stream: str, subject: str) -> StoredTick | None:
    """The last tick of ``subject``; ``None`` when it never had one."""
    return await _asked(connection, stream, subject=subject)


async def newest_of_index(
    connection: Connection, stream: str, prefix: str, index: str
) -> IndexTick | None:
    """The tick of ``index`` that stands for the latest moment, recalculated ones apart."""
    found = await asyncio.gather(
        *(
            last_of_subject(connection, stream, subject)
            for subject in current_subjects(prefix, index)
        )
    )
    ticks = [one.tick for one in found if one is not None and one.tick is not None]
    return max(ticks, key=lambda tick: tick.at, default=None)


def difference(published: IndexTick, computed: IndexTick) -> JsonObject | None:
    """The event that says how a tick differs from what another engine published; or ``None``."""
    if (published.value, published.status) == (computed.value, computed.status):
        return None
    return {
        "event": "published-tick-differs",
        "at": computed.at.isoformat(),
        "index": computed.index,
        "kind": computed.kind.value,
        "published": format(published.value, "f"),
        "published_status": published.status.value,
        "published_by": published.engine,
        "computed": format(computed.value, "f"),
        "computed_status": computed.status.value,
        "computed_by": computed.engine,
    }


async def _asked(
    connection: Connection, stream: str, *, sequence: int | None = None, subject: str | None = None
) -> StoredTick | None:
    try:
        message = await connection.jetstream.get_msg(stream, sequence, subject, direct=True)
    except NotFoundError:
        return None
    try:
        tick = parse_tick(message.data or b"")
    except WireError:
        tick = None
    return StoredTick(message.seq or 0, tick)
