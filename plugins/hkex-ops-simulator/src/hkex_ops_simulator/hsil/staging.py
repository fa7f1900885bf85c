"""The rehearsal of an incident set up, worked and taken down, with the evidence that stays.

The day is made from a seed, one design meets it step by step on a clock that jumps, and the folder
holds what it takes to judge that: the papers, the baskets, the bytes around the moment that
mattered, every value that went out. Called by the ``rehearse`` command and by tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import time, timedelta
from enum import StrEnum
from pathlib import Path

from hkex_ops.clock import ManualClock
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.rundown import Conduct
from hkex_ops.flows.summary import add_summary, pack_steps
from hkex_ops.index.ticks import moment_of
from hkex_ops.model import Circular, Incident, JsonObject, Rollout, format_tick, plain
from hkex_ops.rundown import Rundown, verdict_of
from hkex_ops_simulator.hsil.expected import points
from hkex_ops_simulator.hsil.new_design import NewDesign
from hkex_ops_simulator.hsil.old_design import OldDesign
from hkex_ops_simulator.hsil.replayed import Replayed, at
from hkex_ops_simulator.hsil.script import MATCHING
from hkex_ops_simulator.market.capture import pcapng
from hkex_ops_simulator.market.writing import NOTICE
from hkex_ops_simulator.screen import Screen, row
from hkex_ops_simulator.staging import Rehearsed

__all__ = ["INCIDENTS", "SYNTHETIC", "UNTIL", "Make", "papers_of", "rehearse_incident"]

# The incidents that can be rehearsed.
INCIDENTS = ("hsil-2010",)

# The part of the day that is played: until all that the papers tell of the morning is over.
UNTIL = time(10, 45)
_FROM = time(9, 28)

_AROUND = timedelta(seconds=30)

SYNTHETIC = "stocks, prices and bytes are SYNTHETIC"

_INFO = {
    "Source-Organization": "hkex-ops-simulator",
    "External-Description": f"Rehearsal of an incident; {SYNTHETIC}",
}


class Make(StrEnum):
    """Which design meets the bytes."""

    TODAY = "today"
    OF_2010 = "2010"

    @property
    def told(self) -> str:
        """What it is, for a person."""
        if self is Make.OF_2010:
            return "a toy of the three identical systems of 2010"
        return "the index system of today: three engines, and a contingency system of another make"


async def rehearse_incident(
    incident: Incident,
    make: Make,
    target: Path,
    screen: Screen,
    *,
    seed: int,
    until: time = UNTIL,
) -> Rehearsed:
    """Let ``make`` meet the day of ``incident`` and leave the evidence in the new ``target``."""
    day = Replayed.of(seed, until)
    design = OldDesign(day, until) if make is Make.OF_2010 else NewDesign(day, until)
    plan = sorted(design.steps(), key=lambda one: one.at)
    clock = ManualClock(at(_FROM))
    papers = papers_of(incident)
    with EvidenceFolder.create(target, identifier=incident.id, clock=clock, info=_INFO) as evidence:
        evidence.add("incident.json", _object(incident))
        evidence.add("baskets.toml", day.baskets_text)
        evidence.add("day.json", _day(day, make, seed, until))
        matching = at(MATCHING)
        around = day.between(matching - _AROUND, matching + _AROUND)
        evidence.add("around-matching.pcapng", b"".join(pcapng(around, NOTICE)))
        rundown = Rundown([one.step for one in plan])
        conduct = Conduct(rundown, evidence, clock, screen.watch)
        for one in plan:
            clock.turn_to(max(clock.now(), one.at))
            await conduct.do(one.step, one.act)
        conduct.pass_time()
        evidence.add("published.jsonl", "".join(f"{line}\n" for line in _published(design)))
        verdict = verdict_of(rundown.states, screen.ended)
        rows = [row(event) for event in screen.ended]
        evidence.add("rundown.json", {"outcome": verdict.value, "steps": rows})
        evidence.add("rundown.txt", "\n".join(screen.lines) + "\n")
        add_summary(evidence, papers, verdict, pack_steps(rundown.states, screen.ended))
        return Rehearsed(verdict, rundown, evidence.close())


def papers_of(incident: Incident) -> Rollout:
    """The papers that tell of an incident, in the form that an evidence summary shows."""
    return Rollout(
        id=incident.id,
        title=incident.title,
        circulars=tuple(
            Circular(
                one.paper,
                one.name,
                one.source,
                issued=one.issued,
                issued_stated=one.issued_stated,
            )
            for one in incident.tellers
        ),
        services=(),
        audience=(),
        summary=incident.summary,
        hazards=incident.hazards,
    )


def _day(day: Replayed, make: Make, seed: int, until: time) -> JsonObject:
    return {
        "notice": NOTICE,
        "design": make.value,
        "seed": seed,
        "from": at(_FROM).isoformat(),
        "until": at(until).isoformat(),
        "channels": list(day.channels),
        "packets": len(day.deliveries),
        "bytes_sha256": day.digest,
        "expected": [
            {
                "index": one.code,
                "at": moment_of(one.time_ns).isoformat(),
                "value": points(one.value_cents),
                "status": one.status,
            }
            for one in day.published
        ],
    }


def _published(design: OldDesign | NewDesign) -> Iterator[str]:
    """Every value that went out, a line of JSON each."""
    if isinstance(design, NewDesign):
        for _, tick in design.system.published:
            yield format_tick(tick)
        return
    for (code, time_ns), cents in sorted(design.disseminated().items(), key=lambda one: one[0][1]):
        moment = moment_of(time_ns).isoformat()
        yield json.dumps({"index": code, "at": moment, "value": points(cents)})


def _object(incident: Incident) -> JsonObject:
    document = plain(incident)
    assert isinstance(document, dict), "an incident's plain form is an object"
    return document
