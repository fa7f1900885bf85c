"""A rehearsal set up, worked and taken down: the one place that knows everything it needs.

Both far sides on loopback, a folder with a configuration of its own that is gone afterwards, an
archive in it, and the evidence that stays. Called by the ``rehearse`` command and by tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.cli.progress import watching
from hkex_ops.clock import Clock, ManualClock, SystemClock
from hkex_ops.config.settings import load_settings
from hkex_ops.flows.evidence import EvidenceFolder, partial_of
from hkex_ops.flows.interrupted import close_interrupted, left_by
from hkex_ops.flows.pack import rollout_document
from hkex_ops.flows.plugged import load_plugins
from hkex_ops.flows.store import Archive
from hkex_ops.flows.summary import add_summary, pack_steps
from hkex_ops.model import Rollout, SiteRole
from hkex_ops.plugins import Plugins
from hkex_ops.rundown import Rundown, RundownStep, Verdict, verdict_of
from hkex_ops_simulator.acts import Acts
from hkex_ops_simulator.addresses import CLEARING_SERVICE, REPORT_SERVICE, report_places
from hkex_ops_simulator.backbone.acts import SPEECH, MarketActs
from hkex_ops_simulator.backbone.side import MarketSide, spoken_services
from hkex_ops_simulator.configuration import write_configuration
from hkex_ops_simulator.desk import Desk
from hkex_ops_simulator.faults import Fault, require_possible
from hkex_ops_simulator.oapi.side import ClearingSide
from hkex_ops_simulator.possible import held_sessions, require_rehearsable
from hkex_ops_simulator.rehearsal import Rehearsal, business_dates_before
from hkex_ops_simulator.screen import Screen, row
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.stand_ins import Speaker, StandIns
from hkex_ops_simulator.tree import DEFAULT_SEED

__all__ = ["FarSides", "Rehearsed", "Saboteur", "close_left", "left_by_one_of", "rehearse_rollout"]

# Business dates whose reports lie in the folder when the rehearsal begins.
DATES_IN_FOLDER = 3

_INFO = {
    "Source-Organization": "hkex-ops-simulator",
    "External-Description": "Rehearsal on loopback; every report in it is SYNTHETIC",
}


@frozen
class FarSides:
    """Everything of the exchange in one rehearsal.

    ``market`` where an adapter speaks to it, ``clearing`` where the clearing house has a part in
    the rollout.
    """

    exchange: SimulatedExchange
    stand_ins: StandIns
    market: MarketSide | None
    clearing: ClearingSide | None = None

    async def take_down(self, site: SiteRole) -> None:
        """The report service and the market data of a site are gone; its listeners stay."""
        await self.exchange.take_down(site)
        if self.market is not None:
            await self.market.take_down(site)

    async def bring_up(self, site: SiteRole) -> None:
        """They are back; what was being sent of market data is not, until it is opened again."""
        await self.exchange.bring_up(site)
        if self.market is not None:
            self.market.bring_up(site)


class Saboteur:
    """Whoever wants things to go wrong: told of every step before it begins. This one does not."""

    async def before(self, step: RundownStep, far: FarSides) -> None:
        """Do to the far sides whatever shall be done to them before ``step``."""


@frozen
class Rehearsed:
    """A rehearsal that is over: how it ended, the rundown as it went, the seal of its evidence."""

    outcome: Verdict
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

    Ended from outside, it closes its evidence as ``target.interrupted`` and lets the ending
    through. What a killed rehearsal of the same rollout left at ``target`` is closed so first.
    Raises `UsageError` for a rollout that cannot be rehearsed, or in which ``fault`` cannot happen.
    """
    require_rehearsable(rollout)
    if fault is not None:
        require_possible(fault, rollout)
    staging = _Staging(rollout, calendar, target, screen, fault, seed, saboteur or Saboteur())
    if left_by_one_of(rollout, target):
        close_left(rollout, target, screen, earlier=True)
    try:
        return await staging.work()
    except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        if partial_of(target).is_dir():
            close_left(rollout, target, screen)
        raise


def left_by_one_of(rollout: Rollout, target: Path) -> bool:
    """Whether an interrupted rehearsal of ``rollout`` left something at ``target``."""
    partial = partial_of(target)
    return partial.is_dir() and left_by(partial) == rollout.id


def close_left(rollout: Rollout, target: Path, screen: Screen, *, earlier: bool = False) -> None:
    """Close what an interrupted rehearsal, this one or an ``earlier``, left; say where it is."""
    closed = close_interrupted(partial_of(target), SystemClock(), {rollout.id: rollout})
    screen.interrupted(closed.packed.folder, closed.ended, closed.steps, earlier=earlier)


@frozen
class _Staging:
    """Everything that one rehearsal needs."""

    rollout: Rollout
    calendar: Calendar
    target: Path
    screen: Screen
    fault: Fault | None
    seed: int
    saboteur: Saboteur

    async def work(self) -> Rehearsed:
        rollout, screen = self.rollout, self.screen
        starts = [one.window.start.at for one in held_sessions(rollout) if one.window.start.at]
        dates = business_dates_before(self.calendar, min(starts).date(), DATES_IN_FOLDER)
        clock = ManualClock(self.calendar.start_of_t(dates[-1]))
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="hkex-ops-rehearse-")))
            evidence = stack.enter_context(
                EvidenceFolder.create(self.target, identifier=rollout.id, clock=clock, info=_INFO)
            )
            exchange = await stack.enter_async_context(
                SimulatedExchange(folder=folder, seed=self.seed, places=report_places(rollout))
            )
            plugins = load_plugins()
            market_data = spoken_services(rollout, plugins)
            clearing = await self._clearing(plugins, clock, dates, folder)
            stand_ins = await stack.enter_async_context(
                StandIns(
                    rollout,
                    folder,
                    spoken=(REPORT_SERVICE, *market_data),
                    speakers=_speakers(clearing),
                )
            )
            more = () if clearing is None else self._desk_of_clearing(clearing, folder, stand_ins)
            for day in dates:
                exchange.publish(day)
            progress = stack.enter_context(watching(screen.console, facts=False))
            acts = Acts(
                rollout=rollout,
                exchange=exchange,
                stand_ins=stand_ins,
                settings_file=write_configuration(exchange, folder, stand_ins=stand_ins, more=more),
                archive=stack.enter_context(Archive.open(folder / "archive", clock=clock)),
                plugins=plugins,
                clock=clock,
                observe=lambda event: rehearsal.keep(event),
                last_business_date=dates[-1],
                fault=self.fault,
                more_configuration=more,
            )
            desk = _desk_of(acts, clearing, evidence)
            if market_data:
                hands = MarketActs(desk.points_at, desk.where, self.fault)
                side = MarketSide.of(market_data, folder, plugins, self.seed, hands)
                desk.market = await stack.enter_async_context(side)
            rehearsal = Rehearsal(
                rollout,
                self.calendar,
                clock,
                evidence,
                acts,
                desk,
                screen.watch,
                progress,
                partial(
                    self.saboteur.before, far=FarSides(exchange, stand_ins, desk.market, clearing)
                ),
                {"seed": self.seed, "fault": self.fault.value if self.fault else None},
            )
            self._introduce(desk, evidence)
            return self._conclude(await rehearsal.run(), evidence)

    async def _clearing(
        self, plugins: Plugins, clock: Clock, dates: Sequence[date], folder: Path
    ) -> ClearingSide | None:
        """The clearing house, for a rollout that it has a part in."""
        if CLEARING_SERVICE not in self.rollout.services:
            return None
        return await ClearingSide.of(plugins, clock, dates, self.seed, folder)

    def _desk_of_clearing(
        self, clearing: ClearingSide, folder: Path, stand_ins: StandIns
    ) -> list[str]:
        """Write the files of the desk's clearing side; the lines of configuration for it."""
        clearing.set_up(folder / "clearing", differ=self.fault is Fault.BOOKS_DIFFER)
        return clearing.configuration_lines(stand_ins)

    def _introduce(self, desk: Desk, evidence: EvidenceFolder) -> None:
        """Say what the far sides are, on the screen and in the evidence."""
        stand_ins, screen = desk.stand_ins, self.screen
        screen.introduce(stand_ins)
        evidence.add("rollout.json", rollout_document(self.rollout))
        evidence.add("stand-ins.json", {"stand_ins": [one.told() for one in stand_ins.all]})
        if desk.clearing is not None:
            evidence.add("clearing.json", desk.clearing.told())
            if desk.clearing.lacking:
                screen.tell(f"{CLEARING_SERVICE}: unavailable: {desk.clearing.lacking}.")
        if desk.market is not None:
            evidence.add("market-data.json", desk.market.told())
            for service in desk.market.services:
                screen.tell(f"{service}: {SPEECH}.")

    def _conclude(self, rundown: Rundown, evidence: EvidenceFolder) -> Rehearsed:
        ended = self.screen.ended
        outcome = verdict_of(rundown.states, ended)
        rows = [row(event) for event in ended]
        evidence.add("rundown.json", {"outcome": outcome.value, "steps": rows})
        evidence.add("rundown.txt", "\n".join(self.screen.lines) + "\n")
        add_summary(evidence, self.rollout, outcome, pack_steps(rundown.states, ended))
        return Rehearsed(outcome, rundown, evidence.close())


def _speakers(clearing: ClearingSide | None) -> dict[str, Speaker]:
    speaker = None if clearing is None else clearing.speaker
    return {} if speaker is None else {CLEARING_SERVICE: speaker}


def _desk_of(acts: Acts, clearing: ClearingSide | None, evidence: EvidenceFolder) -> Desk:
    """The desk that reads the same configuration as ``acts`` do, anew every time."""
    desk = Desk(
        acts.rollout,
        acts.stand_ins,
        lambda: load_settings(acts.settings_file),
        lambda: acts.configured().site,
        acts.plugins,
        acts.clock,
    )
    if clearing is not None:
        desk.clearing = clearing
        clearing.begin(
            acts.stand_ins,
            desk.settings,
            acts.plugins,
            lambda service: desk.where(service).connections,
            evidence.add,
        )
    return desk
