"""What a rehearsal does at its steps, with the flows and files an operator would use.

Each act gives a step result; which act comes when is :mod:`hkex_ops_simulator.rehearsal`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from attrs import define, evolve, field

from hkex_ops.clock import Clock
from hkex_ops.config.settings import load_catalogue, load_settings
from hkex_ops.errors import StoreError
from hkex_ops.flows.fetch import fetch_reports
from hkex_ops.flows.rundown import SessionWork
from hkex_ops.flows.sources import ConfiguredSource, Observe, configured_source
from hkex_ops.flows.store import Archive
from hkex_ops.model import (
    Connection,
    JsonObject,
    Rollout,
    Session,
    SiteRole,
    Step,
    plain,
)
from hkex_ops.plugins import Plugins
from hkex_ops.reports import Catalogue
from hkex_ops.rundown import StepResult, StepState
from hkex_ops_simulator.addresses import REPORT_SERVICE
from hkex_ops_simulator.configuration import configuration_text
from hkex_ops_simulator.faults import Fault, break_before
from hkex_ops_simulator.server import SimulatedExchange
from hkex_ops_simulator.stand_ins import StandIns

__all__ = ["Acts"]


@define
class Acts:
    """The hands of a rehearsal of ``rollout`` against an entered ``exchange`` and ``stand_ins``.

    ``settings_file`` is the configuration that the client reads, ``observe`` is told what its
    retrievals tell. ``last_business_date`` is the one before the first session.
    """

    rollout: Rollout
    exchange: SimulatedExchange
    stand_ins: StandIns
    settings_file: Path
    archive: Archive
    plugins: Plugins
    clock: Clock
    observe: Observe
    last_business_date: date
    fault: Fault | None = None
    more_configuration: Sequence[str] = ()
    _works: dict[str, SessionWork] = field(factory=dict[str, SessionWork], init=False)

    @property
    def folder(self) -> Path:
        """The folder of the rehearsal's own files."""
        return self.settings_file.parent

    async def work(self, session: Session, step: Step) -> StepResult:
        """Do a step that the report service takes."""
        work = self._works.get(session.id)
        if work is None:
            work = self._works[session.id] = SessionWork(
                self.rollout,
                session,
                self.configured,
                self.archive,
                self.catalogue(),
                self.clock,
                last_business_date=self.last_business_date,
                observe=self.observe,
                stands_for=self.stands_for,
            )
        return await work.step(step)

    async def close(self) -> None:
        """Log out of whatever is logged in."""
        for work in self._works.values():
            await work.drill.close()

    def configured(self) -> ConfiguredSource:
        """The report source as the configuration file has it now."""
        return configured_source(load_settings(self.settings_file), self.plugins, None)

    def catalogue(self) -> Catalogue:
        """The catalogue as the configuration file names it."""
        return load_catalogue(load_settings(self.settings_file))

    def serves(self, service: str) -> bool:
        """Whether an adapter speaks to ``service``; a loopback listener stands in for any other."""
        return service == REPORT_SERVICE

    def stands_for(self, stated: Connection) -> Connection:
        """The loopback connection that stands in for one of the circular's."""
        host = self.exchange.places.host_of(stated)
        return evolve(stated, host=host, port=self.exchange.port)

    async def point_at(self, site: SiteRole) -> StepResult:
        """Change the site in the client's configuration file, as an operator would."""
        if self.fault is Fault.CLIENT_NOT_MOVED:
            return StepResult(StepState.SKIPPED, "nobody changed the client's addresses")
        text = configuration_text(
            self.exchange,
            archive=self.archive.folder,
            site=site,
            stand_ins=self.stand_ins,
            more=self.more_configuration,
        )
        beside = self.settings_file.with_suffix(".new")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(self.settings_file)
        except OSError as error:
            raise StoreError(f"cannot be written: {error}", path=str(beside)) from error
        return StepResult(StepState.PASSED, f"the client points at {site}", {"site": site.value})

    async def fetch(self, business_date: date) -> StepResult:
        """The daily fetch of one business date at the site the client points at."""
        configured = self.configured()
        result = await fetch_reports(
            configured,
            self.archive,
            self.catalogue(),
            self.clock,
            site=configured.site,
            business_date=business_date,
            observe=self.observe,
        )
        facts: JsonObject = {
            "business_date": business_date.isoformat(),
            "site": configured.site.value,
            "listed": result.listing.count,
            "fetched": len(result.kept),
            "held": result.held,
            "reports": [
                {"path": kept.path, "size_bytes": kept.size_bytes, "sha256": kept.sha256}
                for kept in result.kept
            ],
            "findings": [plain(finding) for finding in result.findings],
        }
        found = f"{len(result.kept)} fetched, {result.held} held, business date {business_date}"
        if result.findings:
            wrong = "; ".join(f"{one.name} {one.message}".strip() for one in result.findings)
            return StepResult(StepState.FAILED, f"{found}; {wrong}", facts)
        return StepResult(StepState.PASSED, found, facts)

    async def fetch_published(self, business_date: date) -> StepResult:
        """The fetch of a date whose reports the exchange has just made."""
        self.exchange.publish(business_date)
        return await self.fetch(business_date)

    async def fetch_again(self, business_date: date) -> StepResult:
        """The same fetch again: it passes when it transfers nothing."""
        done = await self.fetch(business_date)
        if done.state is StepState.PASSED and done.facts["fetched"] != 0:
            return StepResult(StepState.FAILED, f"transferred again: {done.found}", done.facts)
        return done

    async def verify_archive(self) -> StepResult:
        """Read the whole archive again and compare it with its ledger."""
        findings = self.archive.verify()
        if findings:
            return StepResult(
                StepState.FAILED,
                "; ".join(f"{one.where}: {one.message}" for one in findings),
                {"findings": [plain(one) for one in findings]},
            )
        files = sum(1 for _ in self.archive.recorded())
        return StepResult(StepState.PASSED, f"{files} records of files, chain intact")

    async def break_before(self, site: SiteRole) -> None:
        """Make the fault happen, as far as it concerns a session at ``site``."""
        await break_before(self.fault, site, self.exchange, self.stand_ins)
