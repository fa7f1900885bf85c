"""A configured report source, ready to be opened: settings joined with the adapter on offer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date

from attrs import evolve, frozen

from hkex_ops.clock import Clock
from hkex_ops.config.settings import Settings, structure_options
from hkex_ops.errors import PluginError
from hkex_ops.model import Endpoint, ListedReport, Listing, SiteRole
from hkex_ops.plugins import Plugins
from hkex_ops.ports import Offer, ReportSource
from hkex_ops.reports.events import ReportEvent

__all__ = ["ConfiguredSource", "Observe", "configured_source", "take_listing"]

Observe = Callable[[ReportEvent], None]

# A folder this large is a fault of the far side; the exchange's hold hundreds.
LISTING_LIMIT = 2_000_000


@frozen
class ConfiguredSource:
    """One ``[report_sources.NAME]`` table with the adapter that serves it.

    ``site`` is where the client points now; ``drill_reports`` are the codes a drill downloads.
    """

    name: str
    service: str
    site: SiteRole
    drill_reports: tuple[str, ...]
    offer: Offer[ReportSource]
    options: object

    def open(self, site: SiteRole) -> AbstractAsyncContextManager[ReportSource]:
        """Log in at ``site``; leaving the context logs out."""
        return self.offer.open(self.options, site)

    def addresses(self, site: SiteRole) -> tuple[Endpoint, ...] | None:
        """The addresses that would be tried at ``site``, where the adapter can tell."""
        return self.offer.addresses(self.options, site)


def configured_source(settings: Settings, plugins: Plugins, name: str | None) -> ConfiguredSource:
    """The source called ``name``, or the only one. Raises what the configuration deserves."""
    name, source = settings.source(name)
    offer = plugins.report_source(source.adapter)
    options = structure_options(settings, name, source.options, offer.options, offer=offer.name)
    return ConfiguredSource(name, source.service, source.site, source.drill_reports, offer, options)


async def take_listing(
    source: ReportSource,
    configured: ConfiguredSource,
    site: SiteRole,
    clock: Clock,
    business_date: date,
) -> Listing:
    """The whole folder as one value; `PluginError` when the adapter lists a name twice."""
    reports: dict[str, ListedReport] = {}
    async for entry in source.list_reports():
        if entry.name in reports or len(reports) >= LISTING_LIMIT:
            raise PluginError(
                f"listed {entry.name!r} twice, or more than {LISTING_LIMIT} names",
                distribution=configured.offer.name,
                hook="hkex_ops_report_sources",
            )
        reports[entry.name] = evolve(entry, name=_storable(entry.name))
    return Listing(
        service=configured.service,
        site=site,
        endpoint=source.endpoint,
        taken_at=clock.now(),
        business_date=business_date,
        reports=tuple(sorted(reports.values(), key=lambda listed: listed.name)),
    )


def _storable(name: str) -> str:
    """A name that is not UTF-8 with its stray bytes spelt out, as ``\\xe9``.

    No ledger row and no file can bear it as it is; spelt out it is reported and never fetched.
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
