"""What a rehearsal does at its steps, with the flows and files an operator would use.

Each act gives a step result; which act comes when is :mod:`hkex_ops_simulator.rehearsal`'s.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path

from attrs import define

from hkex_ops.clock import Clock
from hkex_ops.config.settings import load_catalogue, load_settings
from hkex_ops.errors import Denied, StoreError
from hkex_ops.flows.fetch import fetch_reports
from hkex_ops.flows.sources import ConfiguredSource, Observe, configured_source
from hkex_ops.flows.store import Archive
from hkex_ops.model import (
    Endpoint,
    JsonObject,
    Restriction,
    Rollout,
    SiteRole,
    plain,
)
from hkex_ops.plugins import Plugins
from hkex_ops.reports import Catalogue
from hkex_ops.rollouts import Guard
from hkex_ops.rundown import StepResult, StepState
from hkex_ops_simulator.addresses import LOOPBACK_OF
from hkex_ops_simulator.configuration import configuration_text
from hkex_ops_simulator.server import SimulatedExchange

__all__ = ["Acts", "Fault"]


class Fault(StrEnum):
    """What can be made to go wrong."""

    SECONDARY_DOWN = "secondary-down"  # the secondary site answers on neither address
    PRIMARY_DOWN = "primary-down"  # the primary site does not, from its session on
    FIRST_ADDRESS_DOWN = "first-address-down"  # of each site only the second address answers
    REPORT_VANISHED = "report-vanished"  # a report is gone since the last business date
    CLIENT_NOT_MOVED = "client-not-moved"  # nobody changes the client's addresses


@define
class Acts:
    """The hands of a rehearsal of ``rollout`` against an entered ``exchange``.

    ``settings_file`` is the configuration that the client reads, ``observe`` is told what its
    retrievals tell.
    """

    rollout: Rollout
    exchange: SimulatedExchange
    settings_file: Path
    archive: Archive
    plugins: Plugins
    clock: Clock
    observe: Observe
    fault: Fault | None = None

    def configured(self) -> ConfiguredSource:
        """The report source as the configuration file has it now."""
        return configured_source(load_settings(self.settings_file), self.plugins, None)

    def catalogue(self) -> Catalogue:
        """The catalogue as the configuration file names it."""
        return load_catalogue(load_settings(self.settings_file))

    def stands_for(self, stated: Endpoint) -> Endpoint:
        """The loopback address that stands in for one of the circular's."""
        return Endpoint(LOOPBACK_OF[stated.host], self.exchange.port)

    async def point_at(self, site: SiteRole) -> StepResult:
        """Change the site in the client's configuration file, as an operator would."""
        if self.fault is Fault.CLIENT_NOT_MOVED:
            return StepResult(StepState.SKIPPED, "nobody changed the client's addresses")
        text = configuration_text(self.exchange, archive=self.archive.folder, site=site)
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

    async def is_denied(self, rule: Restriction) -> StepResult:
        """Ask to do what ``rule`` forbids: it passes when the guard says no by that rule."""
        now = self.clock.now()
        try:
            Guard([self.rollout]).require(rule.action, now)
        except Denied as denied:
            facts: JsonObject = {"action": rule.action, "until": plain(denied.until)}
            return StepResult(StepState.PASSED, str(denied), {**facts, "source": denied.source})
        return StepResult(StepState.FAILED, f"{rule.action} was not denied at {now.isoformat()}")

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
        match self.fault:
            case Fault.SECONDARY_DOWN if site is SiteRole.SECONDARY:
                await self.exchange.take_down(site)
            case Fault.PRIMARY_DOWN if site is SiteRole.PRIMARY:
                await self.exchange.take_down(site)
            case Fault.FIRST_ADDRESS_DOWN:
                first = self.exchange.sites[site].addresses[0]
                await self.exchange.take_down(site, first.host)
            case Fault.REPORT_VANISHED:
                reports = [name for name in self.exchange.names(site) if name.endswith(".csv")]
                self.exchange.remove(site, reports[-1])
            case _:
                pass
