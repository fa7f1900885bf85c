"""A rehearsal set up, worked and taken down: the one place that knows everything it needs.

Both far sides on loopback, a folder with a configuration of its own that is gone afterwards, an
archive in it, and the evidence that stays. Called by the ``rehearse`` command and by tests.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.cli.progress import watching
from hkex_ops.clock import ManualClock
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import UsageError
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.store import Archive
from hkex_ops.flows.summary import add_summary, pack_steps
from hkex_ops.model import JsonObject, Rollout, plain
from hkex_ops.plugins import Plugins
from hkex_ops.rundown import Rundown, RundownStep, verdict_of
from hkex_ops_simulator.acts import Acts
from hkex_ops_simulator.configuration import write_configuration
from hkex_ops_simulator.desk import Desk
from hkex_ops_simulator.faults import Fault, require_possible
from hkex_ops_simulator.rehearsal import Rehearsal, business_dates_before
from hkex_ops_simulator.screen import Screen, row
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.stand_ins import StandIns
from hkex_ops_simulator.tree import DEFAULT_SEED

__all__ = ["Rehearsed", "Saboteur", "outcome", "rehearse_rollout"]

# Business dates whose reports lie in the folder when the rehearsal begins.
DATES_IN_FOLDER = 3

_INFO = {
    "Source-Organization": "hkex-ops-simulator",
    "External-Description": "Rehearsal on loopback; every report in it is SYNTHETIC",
}


class Saboteur:
    """Whoever wants things to go wrong: told of every step before it begins. This one does not."""

    async def before(
        self, step: RundownStep, exchange: SimulatedExchange, stand_ins: StandIns
    ) -> None:
        """Do to the far sides whatever shall be done to them before ``step``."""


@frozen
class Rehearsed:
    """A rehearsal that is over: the rundown as it went, and the seal of its evidence."""

    rundown: Rundown
    seal: str


async def rehearse_rollout(
    rollout: Rollout,
    calendar: Calendar,
    target: Path,
    screen: Screen,
    *,
    fault: Fault | None = None,
    seed: int = DEFAULT_SEED,
    saboteur: Saboteur | None = None,
) -> Rehearsed:
    """Work ``rollout`` and leave the evidence in the new folder ``target``.

    Raises `UsageError` when there is no session to rehearse, or ``fault`` cannot happen in it.
    """
    starts = [one.window.start.at for one in rollout.sessions if one.window.start.at]
    if not starts:
        raise UsageError(f"{rollout.id} states no session to rehearse")
    if fault is not None:
        require_possible(fault, rollout)
    dates = business_dates_before(calendar, min(starts).date(), DATES_IN_FOLDER)
    clock = ManualClock(calendar.start_of_t(dates[-1]))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hkex-ops-rehearse-")))
        evidence = stack.enter_context(
            EvidenceFolder.create(target, identifier=rollout.id, clock=clock, info=_INFO)
        )
        exchange = await stack.enter_async_context(SimulatedExchange(folder=folder, seed=seed))
        stand_ins = await stack.enter_async_context(StandIns(rollout, folder))
        for day in dates:
            exchange.publish(day)
        progress = stack.enter_context(watching(screen.console, facts=False))
        acts = Acts(
            rollout=rollout,
            exchange=exchange,
            stand_ins=stand_ins,
            settings_file=write_configuration(exchange, folder, stand_ins=stand_ins),
            archive=stack.enter_context(Archive.open(folder / "archive", clock=clock)),
            plugins=Plugins.load(),
            clock=clock,
            observe=lambda event: rehearsal.keep(event),
            last_business_date=dates[-1],
            fault=fault,
        )
        rehearsal = Rehearsal(
            rollout,
            calendar,
            clock,
            evidence,
            acts,
            _desk_of(acts),
            screen.watch,
            progress,
            partial((saboteur or Saboteur()).before, exchange=exchange, stand_ins=stand_ins),
        )
        screen.introduce(stand_ins)
        evidence.add("rollout.json", _object(rollout))
        evidence.add("stand-ins.json", {"stand_ins": [one.told() for one in stand_ins.all]})
        rundown = await rehearsal.run()
        rows = [row(event) for event in screen.ended]
        evidence.add("rundown.json", {"outcome": outcome(rundown), "steps": rows})
        evidence.add("rundown.txt", "\n".join(screen.lines) + "\n")
        steps = pack_steps(rundown.states, screen.ended)
        add_summary(evidence, rollout, verdict_of(rundown.states, screen.ended), steps)
        return Rehearsed(rundown, evidence.close())


def outcome(rundown: Rundown) -> str:
    """How a rehearsal ended: passed when every step did, else failed."""
    return "passed" if rundown.passed else "failed"


def _desk_of(acts: Acts) -> Desk:
    """The desk that reads the same configuration as ``acts`` do, anew every time."""
    return Desk(
        acts.rollout,
        acts.stand_ins,
        lambda: load_settings(acts.settings_file),
        lambda: acts.configured().site,
        acts.plugins,
        acts.clock,
    )


def _object(rollout: Rollout) -> JsonObject:
    document = plain(rollout)
    assert isinstance(document, dict), "a rollout's plain form is an object"
    return document
