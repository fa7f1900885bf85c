"""A configured report source, ready to be opened: settings joined with the adapter on offer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import TYPE_CHECKING

from attrs import Factory, evolve, frozen

from hkex_ops.clock import Clock
from hkex_ops.config.report_sources import (
    Manners,
    UploadSettings,
    has_dated_folder,
    of_business_date,
)
from hkex_ops.errors import PluginError, UsageError
from hkex_ops.model import Endpoint, ListedReport, Listing, SiteRole
from hkex_ops.ports import Offer, ReportSource
from hkex_ops.reports.events import ReportEvent

if TYPE_CHECKING:
    from hkex_ops.config.settings import Settings
    from hkex_ops.plugins import Plugins

__all__ = ["ConfiguredSource", "Observe", "Sleep", "configured_source", "take_listing"]

Observe = Callable[[ReportEvent], None]
Sleep = Callable[[float], Awaitable[None]]

# A folder this large is a fault of the far side; the exchange's hold hundreds.
LISTING_LIMIT = 2_000_000


@frozen
class ConfiguredSource:
    """One ``[report_sources.NAME]`` table with the adapter that serves it.

    ``site`` is where the client points now; ``drill_reports`` are the codes a drill downloads;
    ``manners`` bound what it asks; ``upload`` says what may be sent, if anything. Where the options
    name a folder for each business date, ``dated`` gives the options of one, and ``folder_date`` is
    the date of this one.
    """

    name: str
    service: str
    site: SiteRole
    drill_reports: tuple[str, ...]
    offer: Offer[ReportSource]
    options: object
    manners: Manners = Factory(Manners)
    upload: UploadSettings | None = None
    dated: Callable[[date], object] | None = None
    folder_date: date | None = None

    def open(self, site: SiteRole) -> AbstractAsyncContextManager[ReportSource]:
        """Log in at ``site``; leaving the context logs out.

        `UsageError` when the folder is one of each business date and none was chosen.
        """
        if self.dated is not None and self.folder_date is None:
            raise UsageError(f"{self.name} has a folder for each business date: name the date")
        return self.offer.open(self.options, site)

    def of_date(self, day: date) -> ConfiguredSource:
        """The source as it is for one business date."""
        if self.dated is None:
            return self
        return evolve(self, options=self.dated(day), folder_date=day)

    def addresses(self, site: SiteRole) -> tuple[Endpoint, ...] | None:
        """The addresses that would be tried at ``site``, where the adapter can tell."""
        return self.offer.addresses(self.options, site)


def configured_source(settings: Settings, plugins: Plugins, name: str | None) -> ConfiguredSource:
    """The source called ``name``, or the only one. Raises what the configuration deserves."""
    # Here, so that code which makes its source itself does not load all that files can say.
    from hkex_ops.config.settings import structure_options

    name, source = settings.source(name)
    offer = plugins.report_source(source.adapter)

    def filled(table: dict[str, object]) -> object:
        return structure_options(settings, name, table, offer.options, offer=offer.name)

    def dated(day: date) -> object:
        return filled(of_business_date(source.options, day))

    return ConfiguredSource(
        name,
        source.service,
        source.site,
        source.drill_reports,
        offer,
        filled(source.options),
        source.manners,
        source.upload,
        dated if has_dated_folder(source.options) else None,
    )


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
        name = _storable(entry.name)
        reports[entry.name] = entry if name == entry.name else evolve(entry, name=name)
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
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
