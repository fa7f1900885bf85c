"""The operator's configuration file as values.

Every path in it is relative to the file. The options of an adapter stay a plain table here; they
are structured with the adapter's own options class once the plug-in that offers it is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import Factory, field, fields, frozen
from cattrs import Converter

from hkex_ops.config.catalogues import read_catalogue
from hkex_ops.config.clearing import ClearingSettings, clearing_faults
from hkex_ops.config.incidents import IncidentSettings, incident_faults
from hkex_ops.config.index import IndexSettings, index_faults
from hkex_ops.config.judging import structure_and_judge
from hkex_ops.config.notifying import NotificationSettings, NotifierSettings
from hkex_ops.config.report_sources import ReportSourceSettings, manners_faults
from hkex_ops.config.stated import add_dates
from hkex_ops.config.structuring import (
    document_of,
    make_converter,
    nearest,
    read_text,
    structure,
)
from hkex_ops.errors import ConfigError, Fault, PluginError, UsageError
from hkex_ops.model import SiteRole
from hkex_ops.reports import Catalogue

__all__ = [
    "AdapterSettings",
    "ArchiveSettings",
    "CalendarSettings",
    "CatalogueSettings",
    "CopySettings",
    "PluginSettings",
    "ProbeSettings",
    "ReportSourceSettings",
    "RolloutSettings",
    "Settings",
    "WorkSettings",
    "load_catalogue",
    "load_settings",
    "structure_options",
]

T = TypeVar("T")


@frozen
class CopySettings:
    """A second copy of the archive: another ``folder``, or a ``url`` that fsspec knows.

    ``options`` are those of the url's file system, such as ``endpoint_url`` of an S3 store. A
    secret does not belong here: name a profile, or let the environment give it.
    """

    folder: Path | None = None
    url: str | None = None
    options: dict[str, object] = Factory(dict[str, object])


@frozen
class ArchiveSettings:
    """Where fetched reports are kept.

    ``head_file`` holds the head of the ledger's chain; beside the ledger unless said otherwise.
    On another disk it also proves the ledger against whoever can write the archive. ``keep_days``
    is how long a report must be kept; without it none is ever removed. ``copy`` is a second place
    that gets everything too.
    """

    folder: Path
    head_file: Path | None = None
    keep_days: int | None = None
    copy: CopySettings | None = None


@frozen
class CatalogueSettings:
    """The file that says what report names mean."""

    file: Path


@frozen
class CalendarSettings:
    """A file of the operator's own days, laid over the shipped tables."""

    file: Path | None = None


@frozen
class RolloutSettings:
    """Rollout files of the operator's own, known beside the shipped ones."""

    files: tuple[Path, ...] = ()


@frozen
class WorkSettings:
    """The folder of the journals: what was worked, answered and decided, rollout by rollout."""

    folder: Path


@frozen
class PluginSettings:
    """Plug-ins that shall not be loaded, by entry-point name."""

    block: tuple[str, ...] = ()


@frozen
class ProbeSettings:
    """One way to look at connections: which adapter, and of which service."""

    adapter: str
    service: str
    options: dict[str, object] = Factory(dict[str, object])


@frozen
class AdapterSettings:
    """One adapter chosen by name, at the site it works for, with its own options."""

    adapter: str
    site: SiteRole = SiteRole.PRIMARY
    options: dict[str, object] = Factory(dict[str, object])


@frozen
class _Stated:
    """What a configuration file may say."""

    archive: ArchiveSettings | None = None
    rollouts: RolloutSettings = RolloutSettings()
    catalogue: CatalogueSettings | None = None
    calendar: CalendarSettings = CalendarSettings()
    plugins: PluginSettings = PluginSettings()
    work: WorkSettings | None = None
    report_sources: dict[str, ReportSourceSettings] = Factory(dict[str, ReportSourceSettings])
    probes: dict[str, ProbeSettings] = Factory(dict[str, ProbeSettings])
    market_feeds: dict[str, AdapterSettings] = Factory(dict[str, AdapterSettings])
    index_publishers: dict[str, AdapterSettings] = Factory(dict[str, AdapterSettings])
    index_feeds: dict[str, AdapterSettings] = Factory(dict[str, AdapterSettings])
    oapi_gateways: dict[str, AdapterSettings] = Factory(dict[str, AdapterSettings])
    index: IndexSettings = Factory(IndexSettings)
    clearing: ClearingSettings = Factory(ClearingSettings)
    notifications: NotificationSettings | None = None
    notifiers: dict[str, NotifierSettings] = Factory(dict[str, NotifierSettings])
    incidents: IncidentSettings = Factory(IncidentSettings)


@frozen
class Settings(_Stated):
    """A configuration file. ``path`` is the file itself, and nothing that it could state."""

    path: Path = field(kw_only=True)

    def source(self, name: str | None) -> tuple[str, ReportSourceSettings]:
        """The report source called ``name``, or the only one there is.

        Raises `UsageError` for an unknown name and `ConfigError` when the file has none.
        """
        if not self.report_sources:
            raise ConfigError("has no [report_sources.NAME] table", document=str(self.path))
        if name is None:
            if len(self.report_sources) > 1:
                known = ", ".join(self.report_sources)
                raise UsageError(f"there are several report sources, name one: {known}")
            name = next(iter(self.report_sources))
        if name not in self.report_sources:
            hint = nearest(name, list(self.report_sources))
            raise UsageError(f"there is no report source {name!r}; {hint}")
        return name, self.report_sources[name]

    def required_archive(self) -> ArchiveSettings:
        """The archive; `ConfigError` when the file names none."""
        if self.archive is None:
            raise ConfigError("has no [archive] table with a folder", document=str(self.path))
        return self.archive


def load_settings(path: Path) -> Settings:
    """The configuration in ``path``; `ConfigError` lists every fault of it."""
    text = read_text(path, what="configuration")
    table = document_of(text, document=str(path))
    stated = structure_and_judge(
        table,
        _Stated,
        _faults_of,
        document=str(path),
        converter=_converter(path.parent),
        hangs_on=_hangs_on,
    )
    tables = {one.name: getattr(stated, one.name) for one in fields(_Stated)}
    return Settings(**tables, path=path)


def _faults_of(stated: _Stated) -> Iterator[Fault]:
    yield from index_faults(stated.index)
    yield from incident_faults(stated.incidents)
    yield from clearing_faults(stated.clearing)
    yield from manners_faults(stated.report_sources)
    yield from _archive_faults(stated.archive)


def _hangs_on(path: str, places: Sequence[str]) -> bool:
    """How long is waited first is bounded by how long at most, which may be at fault itself."""
    return path.endswith(".wait_s") and f"{path.removesuffix('wait_s')}wait_longest_s" in places


def _archive_faults(archive: ArchiveSettings | None) -> Iterator[Fault]:
    if archive is None:
        return
    if archive.keep_days is not None and archive.keep_days < 1:
        yield Fault("archive.keep_days", "must be at least 1; leave it out to keep everything")
    copy = archive.copy
    if copy is not None and (copy.folder is None) == (copy.url is None):
        yield Fault("archive.copy", "wants a folder or a url, and not both")
    if copy is not None and copy.folder is not None and copy.options:
        yield Fault("archive.copy.options", "are those of a url: leave them out")
    if copy is not None and copy.folder is not None:
        # Whatever links and dots the two are spelt with.
        own, other = archive.folder.resolve(), copy.folder.resolve()
        if own == other:
            yield Fault("archive.copy.folder", "is the archive itself: name another")
        elif own in other.parents:
            yield Fault("archive.copy.folder", "lies in the archive: name one outside of it")
        elif other in own.parents:
            yield Fault("archive.copy.folder", "has the archive in it: name one beside it")


def load_catalogue(settings: Settings) -> Catalogue:
    """The catalogue that the configuration names; `ConfigError` lists every fault of it."""
    if settings.catalogue is None:
        raise ConfigError("has no [catalogue] table with a file", document=str(settings.path))
    return read_catalogue(settings.catalogue.file)


def structure_options(
    settings: Settings,
    name: str,
    options: Mapping[str, object],
    kind: type[T],
    *,
    table: str = "report_sources",
    offer: str = "",
) -> T:
    """An adapter's options class, filled from what is called ``name`` in ``table``.

    Raises `ConfigError` for what the operator wrote wrong, and `PluginError` for a class that no
    table can fill; ``offer`` is the name of the adapter that wants it.
    """
    at = f"{table}.{name}.options"
    converter = _converter(settings.path.parent)
    try:
        return structure(options, kind, document=str(settings.path), converter=converter, at=at)
    except ConfigError:
        raise
    # Whatever else is raised comes of reading the class, which is the plug-in's, and not the table.
    except Exception as error:
        raise PluginError(
            f"the options of offer {offer or name} cannot be filled from a file: "
            f"{kind.__qualname__} is no attrs class, or holds a type that no table spells: {error}",
            distribution=kind.__module__.partition(".")[0],
            hook=f"hkex_ops_{table}",
        ) from error


def _converter(base: Path) -> Converter:
    converter = make_converter()
    add_dates(converter)

    def path(value: object, _: object) -> Path:
        if not isinstance(value, str) or not value:
            raise ValueError("must be a path, written as a text")
        try:
            return base / Path(value).expanduser()
        except RuntimeError:
            raise ValueError("names the home of somebody who has none here") from None

    converter.register_structure_hook(Path, path)
    converter.register_structure_hook_func(_is_object, lambda value, _: value)
    return converter


def _is_object(kind: object) -> bool:
    return kind is object
