"""Checkpoints: where an engine stands, written down now and then so that another can go on there.

One file for each engine in the run folder, replaced in one step. A restarted engine begins at the
newest one of any engine of the run, since all compute the same; should it die again at once, at its
own; and then afresh, in case what was written down is what kills. A checkpoint that is damaged or
of other baskets is passed over: the feed can always tell everything again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias, cast

from attrs import frozen

from hkex_ops.errors import StoreError
from hkex_ops.evidence import digest
from hkex_ops.flows.store.disk import Folder
from hkex_ops.model import JsonObject

__all__ = [
    "Beginning",
    "Checkpoint",
    "CheckpointEvent",
    "CheckpointFailed",
    "CheckpointWritten",
    "checkpoints",
    "format_checkpoint",
    "write_checkpoint",
]

FOLDER = "checkpoints"
LONGEST_BYTES = 256 << 20
"""A file beyond this is none of ours: three thousand stocks fill one megabyte."""


class Beginning(IntEnum):
    """Where an engine may begin, by how often it has died at once before."""

    NEWEST = 0  # at the newest checkpoint of any engine
    OWN = 1  # at its own
    AFRESH = 2  # at none

    @classmethod
    def after(cls, quick_deaths: int) -> Beginning:
        """What to try after so many deaths right after a start."""
        return cls(min(quick_deaths, cls.AFRESH))


@frozen
class CheckpointFailed:
    """An engine cannot write down where it stands; it goes on, and a restart would take longer."""

    reason: str


@frozen
class CheckpointWritten:
    """An engine writes down where it stands again, which failed before for ``reason``."""

    reason: str


CheckpointEvent: TypeAlias = CheckpointFailed | CheckpointWritten


@frozen
class Checkpoint:
    """Where ``engine`` stood at ``at``; ``pipeline`` is what its pipeline can be restored from."""

    engine: str
    at: datetime
    pipeline: JsonObject


def format_checkpoint(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as the bytes of its file: a line with the digest of the second, and the second.

    The costly part of writing one, and the only one that must be done while the engine stands
    still.
    """
    body = {
        "form": 1,
        "engine": checkpoint.engine,
        "at": checkpoint.at.isoformat(),
        "pipeline": checkpoint.pipeline,
    }
    text = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    return digest(text).encode() + b"\n" + text + b"\n"


def write_checkpoint(folder: Folder, engine: str, data: bytes) -> None:
    """Put what :func:`format_checkpoint` made in the place of the engine's last one, durably."""
    with folder.folder(FOLDER, make=True) as place:
        place.replace(f"{engine}.json", data)


def checkpoints(folder: Folder, engine: str, beginning: Beginning) -> Sequence[Checkpoint]:
    """The checkpoints at which ``engine`` may begin, the newest first, damaged ones left out."""
    if beginning is Beginning.AFRESH:
        return ()
    found = [one for one in _all(folder) if beginning is Beginning.NEWEST or one.engine == engine]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _all(folder: Folder) -> Iterator[Checkpoint]:
    try:
        opened = folder.folder(FOLDER)
    except StoreError:
        # None was written yet, or none can be read: then all is heard again from the beginning.
        return
    with opened as place:
        names = [entry.path for entry in place.entries() if entry.path.endswith(".json")]
        for name in names:
            try:
                with place.reading(name) as file:
                    checkpoint = _parsed(file.read(LONGEST_BYTES))
            except StoreError:
                continue
            if checkpoint is not None:
                yield checkpoint


def _parsed(data: bytes) -> Checkpoint | None:
    stated, _, text = data.partition(b"\n")
    if stated != digest(text.removesuffix(b"\n")).encode():
        return None
    try:
        body = cast("JsonObject", json.loads(text))
    except ValueError:
        return None
    match body:
        case {"form": 1, "engine": str(engine), "at": str(at), "pipeline": dict()}:
            pipeline = cast("JsonObject", body["pipeline"])
            return Checkpoint(engine, datetime.fromisoformat(at), pipeline)
        case _:
            return None
