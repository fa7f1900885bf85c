"""``hkex-ops rehearse ID``: work a rollout against an exchange in a box, and keep the proof."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import Calendar
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import Json, Verbose, system_clock
from hkex_ops.cli.progress import watching
from hkex_ops.cli.text import say, say_instant
from hkex_ops.clock import ManualClock
from hkex_ops.config.shipped import load_calendar, load_rollouts, rollout_named
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.store import Archive
from hkex_ops.model import JsonObject, Rollout, plain
from hkex_ops.plugins import Plugins
from hkex_ops.reports.events import ReportEvent
from hkex_ops.rundown import Rundown, RundownEvent, StepFinished, StepRefused, StepSkipped
from hkex_ops_simulator.acts import Acts, Fault
from hkex_ops_simulator.configuration import write_configuration
from hkex_ops_simulator.rehearsal import Rehearsal, business_dates_before
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.tree import DEFAULT_SEED

__all__ = ["rehearse"]

# Business dates whose reports lie in the folder when the rehearsal begins.
DATES_IN_FOLDER = 3


def rehearse(
    rollout: str,
    /,
    *,
    fault: Annotated[
        Fault | None, Parameter(help="What shall go wrong; else nothing does.")
    ] = None,
    out: Annotated[
        Path | None, Parameter(help="New folder for the evidence; else ./evidence/ID-TIME.")
    ] = None,
    seed: Annotated[int, Parameter(help="Makes the synthetic reports.")] = DEFAULT_SEED,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Work a rollout against an exchange in a box on loopback, on a clock that jumps.

    Sessions, addresses, rules and dates are the circular's; all reports are synthetic. Nothing
    outside this machine is contacted and no configuration of yours is touched. Exits 1 when a
    step failed.

    Parameters
    ----------
    rollout
        Its id, such as rrs-2023.
    """
    configure_logs(verbose=verbose, as_json=json)
    calendar = load_calendar()
    chosen = rollout_named(rollout, load_rollouts(calendar))
    if not chosen.sessions:
        raise UsageError(f"{chosen.id} states no session to rehearse")
    target = out or _default_target(chosen)
    screen = _Screen(Console(stderr=json, highlight=False))
    screen.begin(chosen)
    rundown, seal = asyncio.run(_rehearsed(chosen, calendar, target, fault, seed, screen))
    return Answer(
        {
            "rollout": chosen.id,
            "outcome": _outcome(rundown),
            "fault": fault.value if fault else None,
            "steps": [_row(event) for event in screen.ended],
            "evidence": str(target),
            "seal": seal,
        },
        lambda console: _conclude(console, rundown, target, seal),
        ExitCode.DONE if rundown.passed else ExitCode.FINDINGS,
    )


def _default_target(rollout: Rollout) -> Path:
    """A new folder under ``./evidence``, which is made when it is not there."""
    evidence = Path("evidence")
    try:
        evidence.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be made: {error}; give --out", path=str(evidence)) from error
    return evidence / f"{rollout.id}-{system_clock().now():%Y%m%dT%H%M%S}"


async def _rehearsed(
    rollout: Rollout,
    calendar: Calendar,
    target: Path,
    fault: Fault | None,
    seed: int,
    screen: _Screen,
) -> tuple[Rundown, str]:
    """The rundown as it went, and the seal of its evidence."""
    first = min(one.window.start.at for one in rollout.sessions if one.window.start.at)
    dates = business_dates_before(calendar, first.date(), DATES_IN_FOLDER)
    clock = ManualClock(calendar.start_of_t(dates[-1]))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hkex-ops-rehearse-")))
        evidence = stack.enter_context(
            EvidenceFolder.create(target, identifier=rollout.id, clock=clock, info=_INFO)
        )
        exchange = await stack.enter_async_context(SimulatedExchange(folder=folder, seed=seed))
        for day in dates:
            exchange.publish(day)
        settings_file = write_configuration(exchange, folder)
        archive = stack.enter_context(Archive.open(folder / "archive", clock=clock))
        observe = stack.enter_context(watching(screen.transfers))

        def observed(event: ReportEvent) -> None:
            observe(event)
            rehearsal.keep(event)

        acts = Acts(
            rollout=rollout,
            exchange=exchange,
            settings_file=settings_file,
            archive=archive,
            plugins=Plugins.load(),
            clock=clock,
            observe=observed,
            fault=fault,
        )
        rehearsal = Rehearsal(rollout, calendar, clock, evidence, acts, screen.watch)
        evidence.add("rollout.json", _object(rollout))
        rundown = await rehearsal.run()
        steps = [_row(event) for event in screen.ended]
        evidence.add("rundown.json", {"outcome": _outcome(rundown), "steps": steps})
        evidence.add("rundown.txt", "\n".join(screen.lines) + "\n")
        return rundown, evidence.close()


_INFO = {
    "Source-Organization": "hkex-ops-simulator",
    "External-Description": "Rehearsal on loopback; every report in it is SYNTHETIC",
}


class _Screen:
    """Shows the rundown as it goes and remembers what it showed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._heading = ""
        self.lines: list[str] = []
        self.ended: list[StepFinished | StepSkipped | StepRefused] = []

    @property
    def transfers(self) -> Console:
        """Where progress of transfers goes: a terminal, or nowhere. Here the rundown tells."""
        terminal = Console(stderr=True, highlight=False)
        return terminal if terminal.is_terminal else Console(quiet=True)

    def begin(self, rollout: Rollout) -> None:
        """Say what is rehearsed."""
        circulars = ", ".join(one.reference or one.title for one in rollout.circulars)
        self._say(f"Rehearsal of {rollout.id}: {rollout.title}")
        self._say(
            f"Circular {circulars}. The exchange is a simulator on loopback; all reports are "
            "SYNTHETIC."
        )

    def watch(self, event: RundownEvent) -> None:
        """One line for every step that ended, under its session and time."""
        if not isinstance(event, StepFinished | StepSkipped | StepRefused):
            return
        self.ended.append(event)
        heading = f"{say_instant(event.at)}  {event.step.session}"
        if heading != self._heading:
            self._heading = heading
            self._say("")
            self._say(heading)
        self._say(_found(event), f"  {_state(event):<9}{event.step.id:<25}")

    def _say(self, text: str, lead: str = "") -> None:
        self.lines.append(f"{lead}{text}")
        say(self._console, text, lead=lead)


def _state(event: StepFinished | StepSkipped | StepRefused) -> str:
    match event:
        case StepFinished(state=state):
            return state.value
        case StepSkipped():
            return "skipped"
        case StepRefused():
            return "refused"


def _found(event: StepFinished | StepSkipped | StepRefused) -> str:
    return event.found if isinstance(event, StepFinished) else event.reason


def _row(event: StepFinished | StepSkipped | StepRefused) -> JsonObject:
    return {
        "session": event.step.session,
        "step": event.step.id,
        "outcome": _state(event),
        "at": plain(event.at),
        "found": _found(event),
    }


def _outcome(rundown: Rundown) -> str:
    return "passed" if rundown.passed else "failed"


def _conclude(console: Console, rundown: Rundown, target: Path, seal: str) -> None:
    console.print()
    states = list(rundown.states.values())
    passed = sum(state.value == "passed" for state in states)
    say(console, f"{_outcome(rundown).upper()}: {passed} of {len(states)} steps passed.")
    say(console, f"Evidence in {target}; prove it with: hkex-ops evidence verify {target}")
    say(console, f"Seal {seal}")


def _object(rollout: Rollout) -> JsonObject:
    document = plain(rollout)
    assert isinstance(document, dict), "a rollout's plain form is an object"
    return document
