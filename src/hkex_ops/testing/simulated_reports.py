"""Business days of a report desk on a clock that jumps: it looks, fetches, and is disturbed.

The adapter of a bench, the flow of the daily fetch, archive and ledger are the real ones; the far
side is moved by the bench's back door. After each look every promise is held against what the
clearing house knows of itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from attrs import define, field

from hkex_ops.calendars import Calendar
from hkex_ops.config.catalogues import structure_catalogue
from hkex_ops.config.report_sources import Manners
from hkex_ops.flows.fetch import FetchResult, fetch_reports
from hkex_ops.flows.report_standing import stand_at
from hkex_ops.flows.sources import ConfiguredSource
from hkex_ops.flows.store import Archive
from hkex_ops.model import ListedReport, SiteRole
from hkex_ops.ports import ReportSource
from hkex_ops.reports import Catalogue, ReportState
from hkex_ops.reports.events import FindingKind, ReportEvent, ReportFinding, ReportKept
from hkex_ops.testing.benches import ReportSourceBench
from hkex_ops.testing.faulty import faulty
from hkex_ops.testing.market_feed_heard import noticed
from hkex_ops.testing.simulated import Chronicle, Part
from hkex_ops.testing.simulated_faults import Asking, Disturbance, drawn
from hkex_ops.testing.simulated_house import CATALOGUE, SERVICE, ReportHouse, at_time

__all__ = ["ReportDesk"]

HOURS = (time(12), time(16, 30), time(19), time(20, 10), time(20, 40), time(23))
NEXT_MORNING = time(8, 30)

# How long a new file's size must have stood, at a desk that takes such care.
LOOK_APART_S = 60

# In how many days of a hundred the exchange moves to its other site.
MOVED = 20


@define
class _Look:
    """One run of the desk: what was between, what it asked for, kept and ended with."""

    disturbance: Disturbance | None
    whole_before: dict[str, str]
    asked: list[ListedReport] = field(factory=list[ListedReport])
    kept: set[str] = field(factory=set[str])
    error: BaseException | None = None


@define
class ReportDesk:
    """The desk of one simulation: one bench, one archive in ``folder``, one clock."""

    bench: ReportSourceBench
    chronicle: Chronicle
    folder: Path
    calendar: Calendar
    site: SiteRole = SiteRole.PRIMARY
    house: ReportHouse = field(init=False)
    manners: Manners = field(init=False)
    catalogue: Catalogue = field(init=False)
    _kept: set[ListedReport] = field(factory=set[ListedReport])

    def __attrs_post_init__(self) -> None:
        self.house = ReportHouse(self.bench, self.chronicle)
        apart_s = self.chronicle.chance("manners").choice([0, LOOK_APART_S])
        self.manners = Manners(attempts=2, wait_s=0, wait_longest_s=0, look_apart_s=apart_s)
        self.catalogue = structure_catalogue(CATALOGUE, document="the simulation's catalogue")

    async def live(self, day: date) -> None:
        """One business date, from its first look to that of the morning after."""
        self.house.open_day(day)
        looks = [at_time(day, hour) for hour in HOURS]
        looks.append(at_time(self.calendar.next_business_day(day), NEXT_MORNING))
        moving = self.chronicle.chance(day, "move")
        moved_at = moving.choice(looks) if moving.randrange(100) < MOVED else None
        for at in looks:
            self.chronicle.clock.turn_to(at)
            self.house.proceed(at)
            if at == moved_at and self.site is SiteRole.PRIMARY:
                await self.house.move()
                self.site = SiteRole.SECONDARY
            names = sorted(one.name for one in self.house.owed[day] if one.name in self.house.there)
            disturbance = drawn(self.chronicle.chance(day, at), names, self._vanish)
            look = _Look(disturbance, self.house.whole_now(day))
            if disturbance is not None:
                self.chronicle.tell(Part.FAULT, disturbance.said)
            await self._take(look, day)

    async def _take(self, look: _Look, day: date) -> None:
        with Archive.open(self.folder, clock=self.chronicle.clock) as archive:
            await self._fetch(look, archive, day)
            self._judge_run(look)
            self._judge_archive(archive)
            self._judge_missing(archive, day)
            if look.disturbance is None:
                self._judge_undisturbed(look, archive, day)
        self._kept.update(one for one in look.asked if one.name in look.kept)
        await self._judge_far_side()

    async def _fetch(self, look: _Look, archive: Archive, day: date) -> None:
        """One run, in a task of its own that can be stopped."""
        clock, tell = self.chronicle.clock, self.chronicle.tell

        def observe(event: ReportEvent) -> None:
            if isinstance(event, ReportKept):
                look.kept.add(event.name)
                tell(Part.DESK, f"keeps {event.name}: {event.outcome}")
            if isinstance(event, ReportFinding) and event.kind is not FindingKind.UNRECOGNISED:
                tell(Part.DESK, f"finds {event.name or day}: {event.kind}")

        async def wait(seconds: float) -> None:
            clock.advance(timedelta(seconds=seconds))
            self.house.proceed(clock.now())

        async def run() -> FetchResult:
            return await fetch_reports(
                self._configured(look),
                archive,
                self.catalogue,
                clock,
                site=self.site,
                business_date=day,
                observe=observe,
                sleep=wait,
            )

        [ended] = await asyncio.gather(run(), return_exceptions=True)
        if isinstance(ended, BaseException):
            look.error = ended
            tell(Part.DESK, f"ends with {type(ended).__name__}")

    def _configured(self, look: _Look) -> ConfiguredSource:
        """The bench's adapter, with whatever is between it and the desk."""

        def between(source: ReportSource) -> ReportSource:
            disturbance = look.disturbance
            disturbed = source if disturbance is None else disturbance.between(source)
            return Asking(disturbed, look.asked)

        offer, options = faulty(self.bench.offer, between), self.bench.options()
        return ConfiguredSource("desk", SERVICE, self.site, (), offer, options, self.manners)

    def _vanish(self, names: Iterable[str]) -> None:
        for name in names:
            self.house.place(name, None)

    # -- promises ------------------------------------------------------------------------------

    def _judge_run(self, look: _Look) -> None:
        """A run fails only by what was in its way, and what is held and has not changed is not
        transferred again."""
        ends = () if look.disturbance is None else look.disturbance.ends
        self.chronicle.require(
            look.error is None or isinstance(look.error, ends),
            f"a run ended with {look.error!r}, for which nothing in its way is a reason",
        )
        again = sorted(one.name for one in look.asked if one in self._kept and one.modified)
        self.chronicle.require(not again, f"held, unchanged, and fetched again: {again}")

    def _judge_archive(self, archive: Archive) -> None:
        """Archive and ledger are what they were, and hold only what was whole on the server."""
        found = [str(one) for one in archive.verify(deep=True)]
        self.chronicle.require(not found, f"archive and ledger are damaged: {found}")
        wrong = sorted(
            row.path
            for row in archive.recorded()
            if row.sha256 not in self.house.whole.get(row.name, ())
        )
        self.chronicle.require(not wrong, f"kept, and never whole on the server: {wrong}")

    def _judge_missing(self, archive: Archive, day: date) -> None:
        """What is missing is told, and nothing else is."""
        now = self.chronicle.clock.now()
        held = {row.name for row in archive.recorded(service=SERVICE, business_date=day)}
        missing = sorted(
            one.code
            for one in self.house.owed[day]
            if now >= one.missing_at
            if one.name not in held
        )
        stood = stand_at(archive, self.catalogue, self.calendar, SERVICE, day, now)
        told = sorted(one.expected.code for one in stood.of(ReportState.MISSING) if one.expected)
        self.chronicle.require(missing == told, f"missing: {missing}, told as missing: {told}")
        if told:
            self.chronicle.tell(Part.DESK, f"is told of {day}: {', '.join(told)} missing")

    def _judge_undisturbed(self, look: _Look, archive: Archive, day: date) -> None:
        """What lay there whole, from before the run to after it, is held."""
        rows = archive.recorded(service=SERVICE, business_date=day)
        held = {(row.name, row.sha256) for row in rows}
        lay_there = look.whole_before.items() & self.house.whole_now(day).items()
        lacking = sorted(name for name, _ in lay_there - held)
        self.chronicle.require(not lacking, f"whole on the server, and not fetched: {lacking}")

    async def _judge_far_side(self) -> None:
        """Nothing was changed on the server, and nobody is logged in any more."""
        self.chronicle.require(not self.house.has_changed(), "something on the server was changed")
        try:
            self.bench.sessions(self.site)
        except pytest.skip.Exception:
            return
        left = await noticed(lambda: self.bench.sessions(self.site) == 0)
        self.chronicle.require(left, f"a session at the {self.site} site was left open")
