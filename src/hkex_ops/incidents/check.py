"""What an incident must hold beyond the shape of its file: every name stands for one thing.

Gives (path, sentence) pairs for whoever loads an incident file. Every fault is found in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hkex_ops.model import Incident

__all__ = ["faults_of"]


def faults_of(incident: Incident) -> Iterator[tuple[str, str]]:
    """Every rule that ``incident`` breaks, as (path in the document, sentence)."""
    yield from _ids(incident)
    tellers = [one.id for one in incident.tellers]
    told = {
        "chronology": [row.teller for row in incident.chronology],
        "accounts": [one.teller for one in incident.accounts],
        "affected": [one.teller for one in incident.affected],
        "unaffected": [one.teller for one in incident.unaffected],
        "figures": [one.teller for one in incident.figures],
        "statements": [one.teller for one in incident.statements],
    }
    for room, names in told.items():
        for index, teller in enumerate(names):
            if teller not in tellers:
                yield (
                    f"{room}[{index}].teller",
                    f"no teller is called {teller!r}; known: {', '.join(tellers)}",
                )
    yield from _moments(incident)


def _ids(incident: Incident) -> Iterator[tuple[str, str]]:
    rooms: dict[str, Sequence[str]] = {
        "tellers": [one.id for one in incident.tellers],
        "chronology": [one.id for one in incident.chronology],
        "moments": [one.id for one in incident.moments],
        "figures": [one.id for one in incident.figures],
        "statements": [one.id for one in incident.statements],
    }
    for room, ids in rooms.items():
        for index, id in enumerate(ids):
            before = ids.index(id)
            if before != index:
                yield f"{room}[{index}].id", f"{id!r} is the id of {room}[{before}] already"


def _moments(incident: Incident) -> Iterator[tuple[str, str]]:
    moments = [one.id for one in incident.moments]
    for index, told in enumerate(incident.accounts):
        if told.moment not in moments:
            yield (
                f"accounts[{index}].moment",
                f"no moment is called {told.moment!r}; known: {', '.join(moments)}",
            )
    spoken_of = {told.moment for told in incident.accounts}
    for index, moment in enumerate(incident.moments):
        if moment.id not in spoken_of:
            yield f"moments[{index}].id", f"nobody tells of {moment.id!r}"
