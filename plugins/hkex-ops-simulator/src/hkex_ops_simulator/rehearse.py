"""``hkex-ops rehearse ID``: work a rollout against an exchange in a box, and keep the proof."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import Calendar
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import Config, Json, Verbose, calendar_of, system_clock
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.text import say
from hkex_ops.config.shipped import load_calendar, load_incidents, load_rollout
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.papers import load_papers
from hkex_ops.model import Incident, Rollout
from hkex_ops.plugins import Plugins
from hkex_ops.rundown import Verdict
from hkex_ops_simulator.faults import Fault, require_possible
from hkex_ops_simulator.hsil.staging import INCIDENTS, SYNTHETIC, Make, rehearse_incident
from hkex_ops_simulator.possible import require_rehearsable
from hkex_ops_simulator.screen import Screen, row
from hkex_ops_simulator.staging import Rehearsed, rehearse_rollout
from hkex_ops_simulator.tree import DEFAULT_SEED

__all__ = ["rehearse"]


def rehearse(
    rollout: str = "",
    /,
    *,
    file: Annotated[
        Path | None, Parameter(help="A rollout file of your own, instead of a known rollout.")
    ] = None,
    engine: Annotated[
        Literal["today", "2010"] | None,
        Parameter(help="Of an incident: which index system meets its bytes; today's, if left out."),
    ] = None,
    fault: Annotated[
        Fault | None, Parameter(help="What shall go wrong; else nothing does.")
    ] = None,
    out: Annotated[
        Path | None, Parameter(help="New folder for the evidence; else ./evidence/ID-TIME.")
    ] = None,
    seed: Annotated[int, Parameter(help="Makes the synthetic reports.")] = DEFAULT_SEED,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Work a rollout against an exchange in a box on loopback, on a clock that jumps.

    Sessions, addresses, rules and dates are the circular's; all reports are synthetic. Where no
    adapter speaks to a system yet, a listener stands in, and the evidence says so. What a person
    would do is rehearsed in nobody's name. Nothing outside this machine is contacted; of your
    configuration at most the rollout files that it names are read. Exits 1 when a step failed or
    was unavailable for want of a program.

    An incident such as hsil-2010 is met by an index system: the order of messages of that day,
    with synthetic prices, against the system of today or a toy of that of 2010. Today's meets the
    whole day in two acts: as it would have been, and as it was, worked with today's tools.

    Ended by Ctrl-C, it closes its evidence as FOLDER.interrupted; killed, the next rehearsal into
    the same folder does so, and starts anew.

    Parameters
    ----------
    rollout
        Its id, such as rrs-2023: one that ships, a plug-in's, or one that your configuration names.
    """
    configure_logs(verbose=verbose, as_json=json)
    if rollout in INCIDENTS and file is None:
        if fault is not None:
            raise UsageError(f"{fault} cannot happen in {rollout}: give --engine 2010 instead")
        make = Make(engine or Make.TODAY)
        return _rehearse_incident(rollout, make, out, seed, as_json=json)
    if engine is not None:
        raise UsageError(f"--engine is of an incident, such as {INCIDENTS[0]}: leave it out")
    chosen, calendar = _chosen(rollout, file, config)
    require_rehearsable(chosen)
    if fault is not None:
        require_possible(fault, chosen)
    target = out or _default_target(chosen)
    if target.exists():
        raise StoreError("is there already and is never overwritten", path=str(target))
    screen = Screen(Console(stderr=json, highlight=False))
    screen.begin(chosen)
    done = asyncio.run(rehearse_rollout(chosen, calendar, target, screen, fault=fault, seed=seed))
    return Answer(
        {
            "rollout": chosen.id,
            "outcome": done.outcome.value,
            "fault": fault.value if fault else None,
            "steps": [row(event) for event in screen.ended],
            "evidence": str(target),
            "seal": done.seal,
        },
        lambda console: _conclude(console, done, target),
        ExitCode.DONE if done.outcome is Verdict.PASSED else ExitCode.FINDINGS,
    )


def _rehearse_incident(
    id: str, make: Make, out: Path | None, seed: int, *, as_json: bool
) -> Answer:
    incident = load_incidents(load_calendar())[id]
    target = out or _default_target(incident)
    if target.exists():
        raise StoreError("is there already and is never overwritten", path=str(target))
    screen = Screen(Console(stderr=as_json, highlight=False))
    screen.tell(f"Rehearsal of {incident.id}: {incident.title}")
    screen.tell(f"The order of messages is that of the day; {SYNTHETIC}.")
    screen.tell(f"It is met by {make.told}.")
    done = asyncio.run(rehearse_incident(incident, make, target, screen, seed=seed))
    return Answer(
        {
            "rollout": incident.id,
            "engine": make.value,
            "outcome": done.outcome.value,
            "fault": None,
            "steps": [row(event) for event in screen.ended],
            "golden": [one.told() for one in done.golden],
            "evidence": str(target),
            "seal": done.seal,
        },
        lambda console: _conclude(console, done, target),
        ExitCode.DONE if done.outcome is Verdict.PASSED else ExitCode.FINDINGS,
    )


def _chosen(id: str, file: Path | None, config: Path | None) -> tuple[Rollout, Calendar]:
    """The rollout to rehearse, and the calendar that resolved it.

    A person's own configuration is read only when it is named, or when the rollout is nowhere
    else: a fault in it must not keep anybody from rehearsing what ships.
    """
    if bool(id) == (file is not None):
        raise UsageError("name one rollout to rehearse: its id, or --file and your own file")
    if file is not None:
        calendar = calendar_of(config) if config is not None else load_calendar()
        return load_rollout(file, calendar), calendar
    if config is None:
        calendar = load_calendar()
        papers = load_papers(calendar, Plugins.load())
        if id in papers.rollouts:
            return papers.rollouts[id], calendar
    papers, calendar = known_papers(config)
    (chosen,) = papers.chosen(id)
    return chosen, calendar


def _default_target(rollout: Rollout | Incident) -> Path:
    """A new folder under ``./evidence``, which is made when it is not there."""
    evidence = Path("evidence")
    try:
        evidence.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be made: {error}; give --out", path=str(evidence)) from error
    return evidence / f"{rollout.id}-{system_clock().now():%Y%m%dT%H%M%S}"


def _conclude(console: Console, done: Rehearsed, target: Path) -> None:
    console.print()
    states = list(done.rundown.states.values())
    passed = sum(state.value == "passed" for state in states)
    say(console, f"{done.outcome.value.upper()}: {passed} of {len(states)} steps passed.")
    say(console, f"Evidence in {target}; prove it with: hkex-ops evidence verify {target}")
    say(console, f"Seal {done.seal}")
